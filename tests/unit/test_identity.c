/* SPDX-License-Identifier: ISC */
/* From a user name to fingerprints: users/, map, passwd. */
#include "core/err.h"
#include "core/limits.h"
#include "core/timestamp.h"
#include "edge/identity.h"
#include "edge/root.h"
#include "unit/tree.h"
#include "unit/unit.h"

#define MAP	MK_CONFDIR "/map"
#define USERS	MK_CONFDIR "/users"
#define F1	"MA6SH-QRVCQ-DA2ND-PJ4J7-SW3KF-VYCQU"
#define F2	"MAFJL-LKNEA-TYWHV-OONKZ-KCBLE-TCRKQ"
#define F2_BARE	"mafjllkneatywhvoonkzkcbletcrkq"
#define RANDOM	"RAFJL-LKNEA-TYWHV-OONKZ-KCBLE-TCRKQ"

static struct mk_root root;
static struct mk_config config;
static struct mk_identity id;
static struct mk_why why;
static unsigned last_skipped;

static void
setup(void)
{
	tree_setup();
	ck_assert_int_eq(mk_root_open(tree_dir, &root, &why), 0);
	root.name = "";		/* messages as without a --root */
	ck_assert_int_eq(mk_config_load(&root, NULL, &config, &why), 0);
}

static void
teardown(void)
{
	mk_config_release(&config);
	mk_root_close(&root);
	tree_teardown();
}

static int
find(const char *user)
{
	return mk_identity_find(&root, &config, user, &id, &why);
}

/* "source: F1 F2", "source: -" or "nobody", or the error's number. */
static const char *
found(const char *user)
{
	static char out[4096];
	char text[MK_UDF_TEXT + 1];
	size_t i;
	int r = find(user);

	if (r != 0) {
		snprintf(out, sizeof(out), "%d", -r);
		return out;
	}
	snprintf(out, sizeof(out), "%s:",
	    id.source == NULL ? "nobody" : id.source);
	if (id.denied)
		strcat(out, " -");
	for (i = 0; i < id.n; i++) {
		mk_udf_format(&id.profiles[i].udf, text);
		strcat(strcat(out, " "), text);
	}
	last_skipped = id.skipped;
	mk_identity_release(&id);
	return out;
}

/* What a map of this text says about alice. */
static const char *
map(const char *text)
{
	tree_text(MAP, text);
	return found("alice");
}

START_TEST(names)
{
	static const struct {
		const char *raw, *encoded;
	} cases[] = {
		{ "alice", "alice" }, { "a.b-c_D9", "a.b-c_D9" },
		{ ".hidden", "%2Ehidden" }, { "..", "%2E." },
		{ "-rf", "%2Drf" }, { "a/b", "a%2Fb" }, { "a b", "a%20b" },
		{ "user@corp", "user%40corp" }, { "50%", "50%25" },
		{ "\xc3\xbcnal", "%C3%BCnal" }, { "\x01\x7f", "%01%7F" },
		{ "dom\\u", "dom%5Cu" }
	};
	static const char *const bad[] = { "%", "a%4", "%zz", "%00", "%4g" };
	char out[64];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		mk_name_encode(cases[i].raw, out);
		ck_assert_str_eq(out, cases[i].encoded);
		ck_assert(mk_name_decode(cases[i].encoded, out));
		ck_assert_str_eq(out, cases[i].raw);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert(!mk_name_decode(bad[i], out));
}
END_TEST

START_TEST(from_map)
{
	ck_assert_str_eq(found("alice"), "nobody:");
	ck_assert_str_eq(map(""), "nobody:");
	ck_assert_str_eq(map("bob " F1 "\n"), "nobody:");
	ck_assert_str_eq(map("alic " F1 "\nalicee " F1), "nobody:");
	ck_assert_str_eq(map("Alice " F1), "nobody:");
	ck_assert_str_eq(map("# alice " F1), "nobody:");
	ck_assert_str_eq(map("alice " F1), "map: " F1);
	ck_assert_str_eq(map("\t alice\t" F1 " # mine\n"), "map: " F1);
	ck_assert_str_eq(map("alice " F1 "\nbob " F1 "\nalice " F2_BARE),
	    "map: " F1 " " F2);
	ck_assert_str_eq(map("alice -"), "map: -");
	ck_assert_str_eq(map("bob -\nalice -\n"), "map: -");
}
END_TEST

/* However her name is written, the line is hers. */
START_TEST(spellings)
{
	ck_assert_str_eq(map("%61lice " F1), "map: " F1);
	ck_assert_str_eq(map("\"alice\" -"), "map: -");
	ck_assert_str_eq(map("al\"ice\" " F1), "map: " F1);
	/* Not closed: better no login than a lost refusal. */
	ck_assert_str_eq(map("\"alice -"), "78");
	ck_assert_str_eq(map("ali\\ce -"), "78");
	ck_assert_str_eq(map("\"alice -\" " F1), "nobody:");
	tree_text(MAP, "user@corp " F1 "\nuser%40corp " F2 "\n");
	ck_assert_str_eq(found("user@corp"), "map: " F1 " " F2);
	tree_text(MAP, "a%41 -\n");
	ck_assert_str_eq(found("aA"), "map: -");
	ck_assert_str_eq(found("a%41"), "78");
	ck_assert_str_eq(why.detail, MAP ":1: the user must be written "
	    "'a%2541'");
	tree_text(MAP, "50% -\n");
	ck_assert_str_eq(found("50%"), "78");
	tree_text(MAP, "%2Drf " F1 "\n%2E. " F2 "\na%20b -\n");
	ck_assert_str_eq(found("-rf"), "map: " F1);
	ck_assert_str_eq(found(".."), "map: " F2);
	ck_assert_str_eq(found("a b"), "map: -");
	tree_text(MAP, "\"a b\" " F1);
	ck_assert_str_eq(found("a b"), "map: " F1);
}
END_TEST

START_TEST(bad_lines)
{
	static const char *const bad[] = {
		"alice", "alice ", "alice # " F1, "alice x",
		"alice " F1 "x", "alice " RANDOM, "alice " F1 " x",
		"alice " F1 " fresh-for=1m",
		"alice " F1 " options=cert-authority",
		"alice " F1 " when-stale=deny when-stale=deny",
		"alice - options=restrict", "alice -\nalice -",
		"alice -\nalice " F1, "alice " F1 "\nalice -",
		"alice " F1 "\nbob -\nalice " F1, "alice " F1 "\r\n",
		"alice " F1 " \"", "alice MA6SH-QRVCQ",
		"alice " F1 " " F2
	};
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(strcmp(map(bad[i]), "78") == 0, "%s", bad[i]);
	ck_assert_str_eq(map("\nbob -\nalice x\n"), "78");
	ck_assert_str_eq(why.detail,
	    MAP ":3: 'x' is not a fingerprint");
	tree_bytes(MAP, "alice\0" F1, 41);
	ck_assert_str_eq(found("alice"), "78");
}
END_TEST

/* A refusal behind what an editor does not show is still hers. */
START_TEST(unseen)
{
	static const char *const hidden[] = {
		("\xef\xbb\xbf" "alice -"), "\falice -", "\ralice -\r",
		"\xef\xbb\xbf \"alice\" -", " \x01 %61lice -"
	};
	size_t i;

	tree_text(MK_PASSWD, "alice:x:1:1:,,,,mesh=" F1 ":/:\n");
	for (i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		ck_assert_msg(strcmp(map(hidden[i]), "78") == 0, "%s",
		    hidden[i]);
	ck_assert_str_eq(map("\xef\xbb\xbf" "alice -"), "78");
	ck_assert_str_eq(why.detail, MAP ":1: a byte order mark");
	tree_bytes(MAP, "\0alice -\n", 10);
	ck_assert_str_eq(found("alice"), "78");
	ck_assert_str_eq(map("\xef\xbb\xbf# map\nalice -"), "map: -");
	ck_assert_str_eq(map("\xef\xbb\xbf" "bob -\nalice -"), "map: -");
}
END_TEST

START_TEST(others)
{
	ck_assert_str_eq(map("bob x\ncarol\nalice " F1 "\ndave " F1 "\r\n"
	    "erin -\n\n# x\nfrank " F2_BARE " portal=none\ngrace " F1 "x\n"),
	    "map: " F1);
	ck_assert_uint_eq(last_skipped, 4);
	/* Options of others are nobody's business here. */
	ck_assert_str_eq(map("bob " F1 " nonsense\n"), "nobody:");
	ck_assert_uint_eq(last_skipped, 0);
}
END_TEST

START_TEST(options)
{
	tree_text(MAP, "alice " F1 " options=\"from=\\\"10.0.0.0/8\\\"\" "
	    "when-stale=restrict not-before=2026-01-01T00:00:00Z\n"
	    "alice " F2 "\n");
	ck_assert_int_eq(find("alice"), 0);
	ck_assert_uint_eq(id.n, 2);
	ck_assert_str_eq(id.profiles[0].policy.options,
	    "from=\"10.0.0.0/8\"");
	ck_assert_int_eq(id.profiles[0].policy.when_stale, MK_STALE_RESTRICT);
	ck_assert_int_eq(id.profiles[0].policy.not_before, 1767225600);
	ck_assert_str_eq(id.profiles[1].policy.options, "");
	ck_assert(id.profiles[1].policy.not_before == MK_TIME_NONE);
	mk_identity_release(&id);
}
END_TEST

START_TEST(too_many)
{
	char text[2 * MK_PROFILES_PER_USER * 64] = "", one[64];
	unsigned i;

	for (i = 0; i <= MK_PROFILES_PER_USER; i++) {
		snprintf(one, sizeof(one),
		    "alice MA%c%cH-QRVCQ-DA2ND-PJ4J7-SW3KF-VYCQU\n",
		    'A' + (int)(i % 26), 'A' + (int)(i / 26));
		strcat(text, one);
	}
	ck_assert_str_eq(map(text), "78");
	*strrchr(text, 'a') = '#';
	tree_text(MAP, text);
	ck_assert_int_eq(find("alice"), 0);
	ck_assert_uint_eq(id.n, MK_PROFILES_PER_USER);
	mk_identity_release(&id);
}
END_TEST

/* The map is read in pieces: no place in it may be a seam. */
START_TEST(pieces)
{
	static char text[1 << 18];
	char *hers;
	size_t at;

	for (at = 65536 - 64; at < 65536 + 8; at++) {
		memset(text, '#', sizeof(text));
		for (hers = text; hers < text + at; hers += 32)
			hers[31] = '\n';
		text[at - 1] = '\n';
		hers = text + at;
		/* The last bytes of the file are "-" and no line feed. */
		memcpy(hers, "alice " F1 "\nbob ", 46);
		hers += 46;
		memset(hers, ' ', 66000);
		hers[66000] = '-';
		tree_bytes(MAP, text, (size_t)(hers + 66001 - text));
		ck_assert_str_eq(found("alice"), "map: " F1);
		ck_assert_str_eq(found("bob"), "map: -");
		ck_assert_uint_eq(last_skipped, 0);
		ck_assert_str_eq(found("carol"), "nobody:");
	}
	/* Lines count on from piece to piece. */
	memset(text, '\n', sizeof(text));
	memcpy(text + 70000, "alice x\n", 8);
	tree_bytes(MAP, text, sizeof(text));
	ck_assert_str_eq(found("alice"), "78");
	ck_assert_ptr_nonnull(strstr(why.detail, "map:70001: 'x'"));
}
END_TEST

START_TEST(from_users)
{
	char name[300], path[400];

	tree_text(MAP, "alice " F1 "\nuser%40corp " F1 "\n");
	tree_text(USERS "/alice", F2 "\n# x\n\n" F1 " portal=none\n");
	ck_assert_str_eq(found("alice"), "users: " F2 " " F1);
	tree_text(USERS "/alice", "-\n");
	ck_assert_str_eq(found("alice"), "users: -");
	/* Emptied is not removed. */
	tree_text(USERS "/alice", "# none\n");
	ck_assert_str_eq(found("alice"), "users:");
	tree_text(USERS "/alice", "alice " F1 "\n");
	ck_assert_str_eq(found("alice"), "78");
	ck_assert_str_eq(why.detail,
	    USERS "/alice:1: 'alice' is not a fingerprint");
	chmod(tree_path(USERS "/alice"), 0666);
	ck_assert_str_eq(found("alice"), "77");

	tree_text(USERS "/user%40corp", F2);
	ck_assert_str_eq(found("user@corp"), "users: " F2);
	tree_text(USERS "/user@corp", "-");
	ck_assert_str_eq(found("user@corp"), "78");
	tree_text(USERS "/%c3%bc", "-");
	ck_assert_str_eq(found("\xc3\xbc"), "78");
	ck_assert_str_eq(why.detail, "cannot use '" USERS "/%c3%bc': it must "
	    "be named '%C3%BC'");
	ck_assert_str_eq(found("../map"), "nobody:");
	ck_assert_str_eq(found(".."), "nobody:");

	memset(name, 'x', 256);
	name[256] = '\0';
	ck_assert_str_eq(found(name), "nobody:");
	name[255] = '\0';
	snprintf(path, sizeof(path), USERS "/%s", name);
	tree_text(path, F1);
	ck_assert_str_eq(found(name), "users: " F1);
}
END_TEST

START_TEST(unsafe)
{
	tree_text(MAP, "alice " F1);
	chmod(tree_path(MAP), 0664);
	ck_assert_str_eq(found("alice"), "77");
	ck_assert_int_eq(unlink(tree_path(MAP)), 0);
	ck_assert_int_eq(symlink("users", tree_path(MAP)), 0);
	ck_assert_str_eq(found("alice"), "77");
	chmod(tree_path(USERS), 0777);
	ck_assert_str_eq(found("alice"), "77");
}
END_TEST

static const char *
passwd(const char *text)
{
	tree_text(MK_PASSWD, text);
	return found("alice");
}

START_TEST(from_passwd)
{
	ck_assert_str_eq(found("alice"), "nobody:");
	ck_assert_str_eq(passwd("root:x:0:0:,,,,mesh=" F1 ":/:\n"
	    "alice:x:1:1:A,1,2,3,mesh=" F1 ":/:\n"), "passwd: " F1);
	ck_assert_str_eq(passwd("alice:x:1:1:A,1,2,3,mesh=" F2_BARE
	    ",more:/:/bin/sh"), "passwd: " F2);
	/* Never a subfield that chfn(1) writes, never a second line. */
	ck_assert_str_eq(passwd("alice:x:1:1:mesh=" F1 ":/:"), "nobody:");
	ck_assert_str_eq(passwd("alice:x:1:1:A,1,2,mesh=" F1 ":/:"),
	    "nobody:");
	ck_assert_str_eq(passwd("alice:x:1:1:A,,,,,mesh=" F1 ":/:"),
	    "nobody:");
	ck_assert_str_eq(passwd("alice:x:1:1:A,,,, mesh=" F1 ":/:"),
	    "nobody:");
	ck_assert_str_eq(passwd("alice:x:1:1::/,,,,mesh=" F1 ":"),
	    "nobody:");
	ck_assert_str_eq(passwd("alice:x:1:1:A:/:\n"
	    "alice:x:1:1:,,,,mesh=" F1 ":/:\n"), "nobody:");
	ck_assert_str_eq(passwd(" \talice:x:1:1:A:/:\n"
	    "alice:x:1:1:,,,,mesh=" F1 ":/:\n"), "nobody:");
	ck_assert_str_eq(passwd("alice:x\nalice\n"), "nobody:");
	ck_assert_str_eq(passwd("+alice:x:1:1:,,,,mesh=" F1 ":/:\n"),
	    "nobody:");
	ck_assert_str_eq(found("+alice"), "nobody:");
	ck_assert_str_eq(passwd("alice:x:1:1:,,,,mesh=" F1 ":/:\n"),
	    "passwd: " F1);
	ck_assert_str_eq(found("alice:x"), "nobody:");
	ck_assert_str_eq(passwd("\nalice:x:1:1:,,,,mesh=x:/:"), "78");
	ck_assert_str_eq(why.detail,
	    MK_PASSWD ":2: 'x' is not a fingerprint");
	ck_assert_str_eq(passwd("alice:x:1:1:,,,,mesh=:/:"), "78");
	ck_assert_str_eq(passwd("alice:x:1:1:,,,,mesh=" F1 " x:/:"), "78");
}
END_TEST

START_TEST(order)
{
	tree_text(MK_PASSWD, "alice:x:1:1:,,,,mesh=" F1 ":/:\n");
	ck_assert_str_eq(map("alice -"), "map: -");
	ck_assert_str_eq(map("bob -"), "passwd: " F1);
	config.identity[0] = MK_SOURCE_PASSWD;
	config.identity[1] = MK_SOURCE_MAP;
	ck_assert_str_eq(map("alice -"), "passwd: " F1);
	/* No look-up of users below a root. */
	config.identity[0] = MK_SOURCE_NSS;
	ck_assert_str_eq(map("alice -"), "map: -");
	config.n_identity = 1;
	ck_assert_str_eq(found("root"), "nobody:");
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("identity");
	TCase *t = tcase_create("identity");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, names);
	tcase_add_test(t, from_map);
	tcase_add_test(t, spellings);
	tcase_add_test(t, bad_lines);
	tcase_add_test(t, unseen);
	tcase_add_test(t, others);
	tcase_add_test(t, options);
	tcase_add_test(t, too_many);
	tcase_add_test(t, pieces);
	tcase_add_test(t, from_users);
	tcase_add_test(t, unsafe);
	tcase_add_test(t, from_passwd);
	tcase_add_test(t, order);
	suite_add_tcase(s, t);
	return s;
}
