/* SPDX-License-Identifier: ISC */
/* Everybody whom the sources name; the same answer as each login gets. */
#include <time.h>

#include "core/err.h"
#include "core/limits.h"
#include "edge/everyone.h"
#include "edge/identity.h"
#include "edge/root.h"
#include "unit/tree.h"
#include "unit/unit.h"

#define MAP	MK_CONFDIR "/map"
#define USERS	MK_CONFDIR "/users"
#define F1	"MAFJL-LKNEA-TYWHV-OONKZ-KCBLE-TCRKQ"
#define F2	"MA6SH-QRVCQ-DA2ND-PJ4J7-SW3KF-VYCQU"
#define F3	"MBGJL-LKNEA-TYWHV-OONKZ-KCBLE-TCRKQ"
#define F2_BARE	"ma6shqrvcqda2ndpj4j7sw3kfvycqu"
#define MANY	100000	/* lines of a large map */

static struct mk_root root;
static struct mk_config config;
static struct mk_everyone all;
static struct mk_why why;
static char told[65536];

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

static void
note(void *arg, const struct mk_why *reason)
{
	ck_assert_ptr_eq(arg, told);
	ck_assert_uint_lt(strlen(told) + sizeof(reason->detail) + 1,
	    sizeof(told));
	strcat(strcat(told, reason->detail), "\n");
}

static int
read_all(void)
{
	const struct mk_teller teller = { note, told };

	told[0] = '\0';
	return mk_everyone_read(&root, &config, &teller, &all, &why);
}

/* "FINGERPRINT user portal users" a profile; "told" holds the reasons. */
static const char *
everybody(void)
{
	static char out[65536];
	char text[MK_UDF_TEXT + 1], number[24];
	size_t i;
	int r = read_all();

	if (r != 0) {
		snprintf(out, sizeof(out), "%d", -r);
		return out;
	}
	out[0] = '\0';
	for (i = 0; i < all.n; i++) {
		mk_udf_format(&all.profiles[i].udf, text);
		snprintf(number, sizeof(number), " %u\n",
		    all.profiles[i].users);
		strcat(strcat(strcat(out, text), " "), all.profiles[i].user);
		strcat(strcat(out, " "), all.profiles[i].portal == NULL ?
		    "none" : all.profiles[i].portal);
		strcat(out, number);
	}
	mk_everyone_release(&all);
	return out;
}

START_TEST(nobody)
{
	struct mk_udf udf;

	ck_assert_str_eq(everybody(), "");
	ck_assert(mk_udf_parse(F1, MK_UDF_TEXT, &udf));
	ck_assert_ptr_null(mk_everyone_find(&all, &udf));
	tree_text(MAP, "# nobody\n\n");
	tree_text(MK_PASSWD, "root:x:0:0::/:\n");
	ck_assert_str_eq(everybody(), "");
	ck_assert_str_eq(told, "");
}
END_TEST

START_TEST(all_sources)
{
	struct mk_udf udf;

	tree_text(USERS "/alice", F2 "\n");
	tree_text(MAP, "b%20ob " F1 " portal=https://b.example\n");
	tree_text(MK_PASSWD, "carol:x:1:1:,,,,mesh=" F3 ":/:\n");
	ck_assert_str_eq(everybody(),
	    F1 " b ob https://b.example 1\n"
	    F2 " alice none 1\n"
	    F3 " carol none 1\n");
	ck_assert_str_eq(told, "");
	ck_assert_int_eq(read_all(), 0);
	ck_assert(mk_udf_parse(F2, MK_UDF_TEXT, &udf));
	ck_assert_ptr_eq(mk_everyone_find(&all, &udf), &all.profiles[1]);
	udf.b[5] ^= 1;
	ck_assert_ptr_null(mk_everyone_find(&all, &udf));
	mk_everyone_release(&all);
	ck_assert_ptr_null(mk_everyone_find(&all, &udf));
	/* Sources that are not asked, and one that cannot be. */
	config.n_identity = 1;
	config.identity[0] = MK_SOURCE_PASSWD;
	ck_assert_str_eq(everybody(), F3 " carol none 1\n");
	config.identity[0] = MK_SOURCE_NSS;
	ck_assert_str_eq(everybody(), "");
}
END_TEST

/* The first line decides on the portal, whoever's it is. */
START_TEST(portals)
{
	ck_assert_int_eq(mk_policy_option(&config.policy,
	    "portal=https://p.example", &why), 0);
	tree_text(MAP, "alice " F1 "\n"
	    "bob " F2_BARE " portal=none\n"
	    "alice " F2 " portal=https://a.example\n"
	    "carol " F1 " portal=https://c.example\n");
	tree_text(MK_PASSWD, "dave:x:1:1:,,,,mesh=" F1 ":/:\n"
	    "erin:x:1:1:,,,,mesh=" F3 ":/:\n");
	ck_assert_str_eq(everybody(),
	    F1 " alice https://p.example 3\n"
	    F2 " bob none 2\n"
	    F3 " erin https://p.example 1\n");
	/* Files in the order of their names, before the map. */
	tree_text(USERS "/zoe", F2 " portal=https://z.example\n");
	tree_text(USERS "/bob", F2 " portal=https://b.example\n");
	tree_text(USERS "/yan", F2 "\n");
	ck_assert_str_eq(everybody(),
	    F1 " alice https://p.example 3\n"
	    F2 " bob https://b.example 4\n"
	    F3 " erin https://p.example 1\n");
}
END_TEST

START_TEST(earlier_source)
{
	tree_text(USERS "/alice", F1);
	tree_text(USERS "/bob", "");
	tree_text(USERS "/carol", "-\n");
	tree_text(MAP, "alice " F2 "\nbob " F2 "\ncarol " F2 "\n"
	    "dave -\nerin " F3 "\n");
	tree_text(MK_PASSWD, "alice:x:1:1:,,,,mesh=" F2 ":/:\n"
	    "dave:x:1:1:,,,,mesh=" F2 ":/:\n"
	    "erin:x:1:1:,,,,mesh=" F2 ":/:\n");
	ck_assert_str_eq(everybody(), F1 " alice none 1\n"
	    F3 " erin none 1\n");
	config.identity[0] = MK_SOURCE_PASSWD;
	config.identity[1] = MK_SOURCE_MAP;
	ck_assert_str_eq(everybody(), F2 " alice none 3\n");
	/* One who is in passwd without a fingerprint is not named there. */
	tree_text(MK_PASSWD, "alice:x:1:1:,,,:/:\n"
	    "alice:x:1:1:,,,,mesh=" F2 ":/:\n");
	ck_assert_str_eq(everybody(), F1 " alice none 1\n"
	    F3 " erin none 1\n");
}
END_TEST

START_TEST(bad_lines)
{
	tree_text(MAP, "alice\nbob x\n\"carol\ncarol " F1 " no=1\n"
	    "50% " F1 "\n%00 " F1 "\n\"\" " F1 "\ndave " F1 " portal=x\n"
	    "erin " F2 "\r\nfrank " F3 "\nfrank " F3 "\nfrank -\n"
	    "gina " F1 "\n");
	ck_assert_str_eq(everybody(), F1 " gina none 1\n"
	    F3 " frank none 1\n");
	ck_assert_uint_eq(all.bad_lines, 11);
	ck_assert_ptr_nonnull(strstr(told, MAP ":1: no fingerprint\n"));
	ck_assert_ptr_nonnull(strstr(told,
	    MAP ":2: 'x' is not a fingerprint\n"));
	ck_assert_ptr_nonnull(strstr(told, MAP ":3: a double quote"));
	ck_assert_ptr_nonnull(strstr(told, MAP ":4: 'no=1' is not"));
	ck_assert_ptr_nonnull(strstr(told,
	    MAP ":5: the user must be written '50%25'\n"));
	ck_assert_ptr_nonnull(strstr(told, MAP ":6: the user must"));
	ck_assert_ptr_nonnull(strstr(told, MAP ":7: an empty user"));
	ck_assert_ptr_nonnull(strstr(told, MAP ":8: portal: 'x' is"));
	ck_assert_ptr_nonnull(strstr(told, MAP ":9: DOS line end"));
	ck_assert_ptr_nonnull(strstr(told, MAP ":11: the same"));
	ck_assert_ptr_nonnull(strstr(told, MAP ":12: '-' beside"));
	ck_assert_int_eq(mk_everyone_read(&root, &config, NULL, &all, &why),
	    0);
	ck_assert_uint_eq(all.bad_lines, 11);
	mk_everyone_release(&all);
	/* Her bad line in the map is the end of it for her. */
	tree_text(MAP, "alice x\n");
	tree_text(MK_PASSWD, "alice:x:1:1:,,,,mesh=" F1 ":/:\n"
	    "bob:x:1:1:,,,,mesh=x:/:\n+carol:x:1:1:,,,,mesh=" F2 ":/:\n"
	    ":x:1:1:,,,,mesh=" F2 ":/:\nbob:x:1:1:,,,,mesh=" F2 ":/:\n");
	ck_assert_str_eq(everybody(), "");
	ck_assert_str_eq(told, MAP ":1: 'x' is not a fingerprint\n"
	    MK_PASSWD ":2: 'x' is not a fingerprint\n");
}
END_TEST

START_TEST(long_names)
{
	char line[4 * MK_USERNAME_MAX + 64];

	memset(line, 'a', sizeof(line));
	strcpy(line + MK_USERNAME_MAX, " " F1 "\n");
	tree_text(MAP, line);
	ck_assert_ptr_nonnull(strstr(everybody(), F1));
	ck_assert_str_eq(told, "");
	memset(line, 'a', sizeof(line));
	strcpy(line + MK_USERNAME_MAX + 1, " " F1 "\n");
	tree_text(MAP, line);
	ck_assert_str_eq(everybody(), "");
	ck_assert_str_eq(told,
	    MAP ":1: a user name of more than 256 bytes\n");
	memset(line, '%', sizeof(line));
	strcpy(line + 3 * MK_USERNAME_MAX + 1, " " F1 "\n");
	tree_text(MAP, line);
	ck_assert_str_eq(everybody(), "");
	ck_assert_str_eq(told,
	    MAP ":1: a user name of more than 256 bytes\n");
}
END_TEST

START_TEST(bad_files)
{
	tree_text(USERS "/.alice.swp", "rubbish");
	tree_text(USERS "/user@corp", F1);
	tree_text(USERS "/b%2zb", F1);
	tree_text(USERS "/%2Dx", F2 "\nx\n" F1 " portal=none\n");
	tree_text(USERS "/open", F3);
	chmod(tree_path(USERS "/open"), 0666);
	ck_assert_int_eq(symlink("%2Dx", tree_path(USERS "/link")), 0);
	ck_assert_int_eq(mkfifo(tree_path(USERS "/fifo"), 0644), 0);
	tree_mkdir(USERS "/directory");
	tree_text(MAP, "open " F3 "\nuser@corp " F3 "\nlink " F3 "\n");
	ck_assert_str_eq(everybody(), F1 " -x none 1\n" F2 " -x none 1\n");
	ck_assert_uint_eq(all.bad_lines, 7);
	ck_assert_ptr_nonnull(strstr(told, "cannot use '" USERS
	    "/user@corp': it must be named 'user%40corp'\n"));
	ck_assert_ptr_nonnull(strstr(told, "cannot use '" USERS
	    "/b%2zb': it must be named 'b%252zb'\n"));
	ck_assert_ptr_nonnull(strstr(told, USERS
	    "/%2Dx:2: 'x' is not a fingerprint\n"));
	ck_assert_ptr_nonnull(strstr(told, "chmod go-w " USERS "/open\n"));
	ck_assert_ptr_nonnull(strstr(told, "/link': is a symbolic link\n"));
	ck_assert_ptr_nonnull(strstr(told, "/fifo': not a regular file\n"));
	ck_assert_ptr_nonnull(strstr(told,
	    "/directory': not a regular file\n"));
}
END_TEST

START_TEST(unsafe_sources)
{
	tree_text(MAP, "alice " F1);
	tree_text(USERS "/bob", F2);
	chmod(tree_path(MAP), 0664);
	ck_assert_str_eq(everybody(), "77");
	ck_assert_ptr_nonnull(strstr(why.detail, "chmod g-w " MAP));
	chmod(tree_path(MAP), 0644);
	chmod(tree_path(USERS), 0777);
	ck_assert_str_eq(everybody(), "77");
	chmod(tree_path(USERS), 0755);
	tree_text(MK_PASSWD, "");
	chmod(tree_path(MK_PASSWD), 0666);
	ck_assert_str_eq(everybody(), "77");
	ck_assert_int_eq(truncate(tree_path(MAP), MK_MAP_MAX + 1), 0);
	ck_assert_str_eq(everybody(), "78");
}
END_TEST

/* Random files made of these must mean the same to a login and to us. */
static const char *const people[] = { "alice", "bob", "a b", "-x", "u@c" };
static const char *const spelled[] = {
	"alice", "bob", "\"a b\"", "a%20b", "%2Dx", "u@c", "u%40c", "%61lice",
	"\"bob\"", "-x"
};
static const char *const behind[] = {
	F1, F2, F3, F2_BARE, F1, F2, F3, "-", "- x", "x", "", F1 " no=1",
	F2 " when-stale=deny", "\"" F3 "\"", "RAFJL-LKNEA-TYWHV-OONKZ-KCBLE-"
	"TCRKQ", F1 " " F2
};
static const char *const udfs[] = { F1, F2, F3 };

#define N(a)	(sizeof(a) / sizeof((a)[0]))
#define PICK(a)	((a)[(size_t)rand() % N(a)])

static void
scatter(void)
{
	char text[4096] = "", *end = text;
	size_t i, n;

	for (n = (size_t)rand() % 6; n > 0; n--)
		end += sprintf(end, "%s %s\n", PICK(spelled), PICK(behind));
	tree_text(MAP, text);
	end = strcpy(text, "");
	for (n = (size_t)rand() % 4; n > 0; n--)
		end += sprintf(end, "%s:x:1:1:,,,%s%s:/:\n", PICK(people),
		    rand() % 3 == 0 ? "" : ",mesh=", PICK(udfs));
	tree_text(MK_PASSWD, text);
	for (i = 0; i < N(people); i++) {
		mk_name_encode(people[i], text);
		(void)unlink(tree_path(strcat(strcpy(text + 64, USERS "/"),
		    text)));
		if (rand() % 4 == 0)
			tree_text(text + 64, PICK(behind));
	}
	config.identity[0] = rand() % 2 == 0 ? MK_SOURCE_MAP :
	    MK_SOURCE_PASSWD;
	config.identity[1] = config.identity[0] == MK_SOURCE_MAP ?
	    MK_SOURCE_PASSWD : MK_SOURCE_MAP;
}

/* How many profiles of that fingerprint all logins together find. */
static unsigned
ask_logins(const struct mk_udf *udf, unsigned *failures)
{
	struct mk_identity id;
	unsigned n = 0;
	size_t i, k;

	*failures = 0;
	for (i = 0; i < N(people); i++) {
		if (mk_identity_find(&root, &config, people[i], &id,
		    &why) != 0) {
			++*failures;
			continue;
		}
		for (k = 0; k < id.n; k++)
			n += mk_udf_cmp(&id.profiles[k].udf, udf) == 0;
		mk_identity_release(&id);
	}
	return n;
}

START_TEST(as_logins)
{
	const struct mk_profile *profile;
	unsigned have, want, failures, exact = 0;
	struct mk_udf udf;
	int round;
	size_t i;

	srand(1);
	for (round = 0; round < 400; round++) {
		scatter();
		ck_assert_int_eq(read_all(), 0);
		for (i = 0; i < N(udfs); i++) {
			ck_assert(mk_udf_parse(udfs[i], MK_UDF_TEXT, &udf));
			profile = mk_everyone_find(&all, &udf);
			have = profile == NULL ? 0 : profile->users;
			want = ask_logins(&udf, &failures);
			/* One who cannot log in may yet have good lines. */
			if (failures == 0)
				ck_assert_uint_eq(have, want);
			else
				ck_assert_uint_ge(have, want);
			exact += failures == 0 && want > 0;
		}
		ck_assert(failures == 0 || all.bad_lines > 0);
		mk_everyone_release(&all);
	}
	ck_assert_uint_gt(exact, 100);
}
END_TEST

/* A different fingerprint for each number, in no order. */
static void
nth_udf(unsigned n, char out[MK_UDF_TEXT + 1])
{
	struct mk_udf udf = { { MK_UDF_KEY } };
	unsigned k = n * 2654435761u;

	memcpy(udf.b + 1, &k, sizeof(k));
	mk_udf_format(&udf, out);
}

/*
 * Her line under a name that is spelled in some way, or that something
 * unseen stands before: no line of a later source speaks for her, if her
 * login is refused for that one.
 */
enum { IN_USERS, IN_MAP, IN_PASSWD, PLACES };

static const char *const persons[] = {
	"alice", "a b", "a%20b", "-x", "u@c", "a/b", "x%41", "%61b"
};

#define SPELLINGS	11

static void
spell(const char *name, int how, char *out)
{
	char encoded[64], *p;

	mk_name_encode(name, encoded);
	switch (how) {
	case 0:
		strcpy(out, name);
		return;
	case 1:
		sprintf(out, "\"%s\"", name);
		return;
	case 2:
		sprintf(out, "\"%s", name);
		return;
	case 3:
		sprintf(out, "\xef\xbb\xbf%s", encoded);
		return;
	case 4:
		sprintf(out, "\x01%s", encoded);
		return;
	case 5:
		sprintf(out, "%c\\%s", name[0], name + 1);
		return;
	case 6:
		sprintf(out, "%%%02x%s", (unsigned char)name[0], name + 1);
		return;
	case 7:
		sprintf(out, "\"%s\\\"", encoded);
		return;
	case 8:
		strcpy(out, encoded);
		for (p = strchr(out, '%'); p != NULL; p = strchr(p + 1, '%'))
			p[2] |= p[2] >= 'A' ? 0x20 : 0;
		return;
	default:
		strcpy(out, encoded);
	}
}

static void
own_udf(size_t person, int place, char out[MK_UDF_TEXT + 1])
{
	nth_udf((unsigned)person * PLACES + (unsigned)place + 1, out);
}

static void
clear_users(void)
{
	char name[64], path[256];
	size_t i;
	int how;

	for (i = 0; i < N(persons); i++) {
		for (how = 0; how < SPELLINGS; how++) {
			spell(persons[i], how, name);
			sprintf(path, USERS "/%s", name);
			(void)unlink(tree_path(path));
		}
	}
}

static void
scatter_spellings(void)
{
	char map[2048] = "", passwd[2048] = "", name[64], path[256];
	char *m = map, *w = passwd, text[MK_UDF_TEXT + 2];
	size_t i;

	clear_users();
	for (i = 0; i < N(persons); i++) {
		own_udf(i, IN_USERS, text);
		spell(persons[i], rand() % SPELLINGS, name);
		sprintf(path, USERS "/%s", name);
		if (rand() % 4 == 0 && strchr(name, '/') == NULL)
			tree_text(path, rand() % 4 == 0 ? "x" : text);
		own_udf(i, IN_MAP, text);
		spell(persons[i], rand() % SPELLINGS, name);
		if (rand() % 2 == 0)
			m += sprintf(m, "%s %s%s\n", name, text,
			    rand() % 4 == 0 ? " no=1" : "");
		own_udf(i, IN_PASSWD, text);
		w += sprintf(w, "%s:x:1:1:,,,,mesh=%s:/:\n", persons[i],
		    rand() % 8 == 0 ? "x" : text);
	}
	tree_text(MAP, map);
	tree_text(MK_PASSWD, passwd);
}

/* The place that refuses her login, by the words of the reason. */
static int
place_of(const struct mk_why *reason)
{
	if (strstr(reason->detail, MK_PASSWD ":") != NULL)
		return IN_PASSWD;
	if (strstr(reason->detail, MAP ":") != NULL)
		return IN_MAP;
	ck_assert_ptr_nonnull(strstr(reason->detail, USERS "/"));
	return IN_USERS;
}

static bool
login_finds(const struct mk_identity *id, const struct mk_udf *udf)
{
	size_t k;

	for (k = 0; k < id->n; k++) {
		if (mk_udf_cmp(&id->profiles[k].udf, udf) == 0)
			return true;
	}
	return false;
}

/* Whether the line may be that of a user whose name it encodes. */
static bool
is_anothers(const char *name, const struct mk_udf *udf)
{
	struct mk_identity id = { 0 };
	char decoded[64];
	bool found;

	if (!mk_name_decode(name, decoded) || strcmp(name, decoded) == 0)
		return false;
	if (mk_identity_find(&root, &config, decoded, &id, NULL) != 0)
		return true;
	found = login_finds(&id, udf);
	mk_identity_release(&id);
	return found;
}

/* Whether all of hers is there that should be, and nothing else. */
static void
check_person(size_t person, int round, unsigned *refused)
{
	static const int orders[2][PLACES] = { { 0, 1, 2 }, { 1, 2, 0 } };
	const int *order = orders[config.identity[0] != MK_SOURCE_MAP];
	char text[MK_UDF_TEXT + 1];
	struct mk_identity id = { 0 };
	struct mk_udf udf;
	bool found;
	int place, r;

	r = mk_identity_find(&root, &config, persons[person], &id, &why);
	*refused += r != 0;
	for (place = 0; place < PLACES; place++) {
		own_udf(person, place, text);
		ck_assert(mk_udf_parse(text, MK_UDF_TEXT, &udf));
		found = mk_everyone_find(&all, &udf) != NULL;
		if (is_anothers(persons[person], &udf))
			continue;
		if (r == 0)
			ck_assert_msg(found == login_finds(&id, &udf),
			    "round %d: '%s' in %d: %d", round,
			    persons[person], place, found);
		else if (order[place] > order[place_of(&why)])
			ck_assert_msg(!found, "round %d: '%s' in %d: %s",
			    round, persons[person], place, why.detail);
	}
	mk_identity_release(&id);
}

START_TEST(as_logins_spelled)
{
	unsigned refused = 0;
	int round;
	size_t i;

	srand(2);
	for (round = 0; round < 1000; round++) {
		scatter_spellings();
		config.identity[0] = round % 2 == 0 ? MK_SOURCE_MAP :
		    MK_SOURCE_PASSWD;
		config.identity[1] = round % 2 == 0 ? MK_SOURCE_PASSWD :
		    MK_SOURCE_MAP;
		ck_assert_int_eq(read_all(), 0);
		for (i = 0; i < N(persons); i++)
			check_person(i, round, &refused);
		mk_everyone_release(&all);
	}
	ck_assert_uint_gt(refused, 500);
}
END_TEST

/* The same portal is one string; nss lists nobody. */
START_TEST(flat)
{
	tree_text(MAP, "alice " F1 " portal=https://p.example\n"
	    "bob " F2 " portal=https://p.example\n"
	    "carol " F3 " portal=https://q.example\n");
	ck_assert_int_eq(read_all(), 0);
	ck_assert_uint_eq(all.n, 3);
	ck_assert_ptr_eq(all.profiles[0].portal, all.profiles[1].portal);
	ck_assert_str_eq(all.profiles[0].portal, "https://p.example");
	ck_assert_str_eq(all.profiles[2].portal, "https://q.example");
	ck_assert(!all.unlisted);
	mk_everyone_release(&all);
	config.identity[1] = MK_SOURCE_NSS;
	ck_assert_int_eq(read_all(), 0);
	ck_assert(all.unlisted);
	mk_everyone_release(&all);
}
END_TEST

/* What a login overlooks is no bad line here. */
START_TEST(unseen_lines)
{
	tree_text(MAP, "\xef\xbb\xbf# comment\n \t\n\xef\xbb\xbf\n\x02\n"
	    "\xef\xbb\xbf""bob " F1 "\ncarol " F2 "\n");
	tree_text(MK_PASSWD, "bob:x:1:1:,,,,mesh=" F3 ":/:\n");
	ck_assert_str_eq(everybody(), F2 " carol none 1\n");
	ck_assert_str_eq(told, MAP ":5: a byte order mark\n");
}
END_TEST

START_TEST(large)
{
	FILE *f = fopen(tree_path(MAP), "w");
	char text[MK_UDF_TEXT + 1];
	clock_t before;
	unsigned i;

	ck_assert_ptr_nonnull(f);
	for (i = 0; i < MANY; i++) {
		nth_udf(i, text);
		fprintf(f, "user%u %s portal=https://p%u.example\n", i, text,
		    i % 7);
	}
	ck_assert_int_eq(fclose(f), 0);
	before = clock();
	ck_assert_int_eq(read_all(), 0);
	/* A tenth of that is usual; quadratic would be minutes. */
	ck_assert_int_lt((clock() - before) / CLOCKS_PER_SEC, 4);
	ck_assert_uint_eq(all.n, MANY);
	ck_assert_str_eq(told, "");
	for (i = 1; i < MANY; i++)
		ck_assert(mk_udf_cmp(&all.profiles[i - 1].udf,
		    &all.profiles[i].udf) < 0);
	mk_everyone_release(&all);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("everyone");
	TCase *t = tcase_create("everyone");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, nobody);
	tcase_add_test(t, all_sources);
	tcase_add_test(t, portals);
	tcase_add_test(t, earlier_source);
	tcase_add_test(t, bad_lines);
	tcase_add_test(t, long_names);
	tcase_add_test(t, bad_files);
	tcase_add_test(t, unsafe_sources);
	tcase_add_test(t, as_logins);
	tcase_add_test(t, as_logins_spelled);
	tcase_add_test(t, unseen_lines);
	tcase_add_test(t, flat);
	tcase_add_test(t, large);
	suite_add_tcase(s, t);
	return s;
}
