/* SPDX-License-Identifier: ISC */
/* Changing the map and users/, and reading fingerprints as typed. */
#include <sys/wait.h>

#include <signal.h>
#include <time.h>

#include "core/err.h"
#include "core/limits.h"
#include "edge/everyone.h"
#include "edge/identity.h"
#include "edge/map_edit.h"
#include "edge/root.h"
#include "unit/tree.h"
#include "unit/unit.h"

#define MAP	MK_CONFDIR "/map"
#define USERS	MK_CONFDIR "/users"
#define F1	"MAFJL-LKNEA-TYWHV-OONKZ-KCBLE-TCRKQ"
#define F2	"MA6SH-QRVCQ-DA2ND-PJ4J7-SW3KF-VYCQU"
#define F2_BARE	"ma6shqrvcqda2ndpj4j7sw3kfvycqu"
#define MANY	20000

static struct mk_root root;
static struct mk_config config;
static struct mk_map_edit edit;
static struct mk_why why;

static void
setup(void)
{
	tree_setup();
	ck_assert_int_eq(rmdir(tree_path(USERS)), 0);
	ck_assert_int_eq(mk_root_open(tree_dir, &root, &why), 0);
	root.name = "";		/* messages as without a --root */
	ck_assert_int_eq(mk_config_load(&root, NULL, &config, &why), 0);
	ck_assert_int_eq(mk_map_edit_open(&root, false, &edit, &why), 0);
}

static void
teardown(void)
{
	mk_map_edit_close(&edit);
	mk_config_release(&config);
	mk_root_close(&root);
	tree_teardown();
}

/* The text of a file; "-" if there is none. */
static const char *
text_of(const char *name)
{
	static char text[4][65536];
	static unsigned k;
	FILE *f = fopen(tree_path(name), "r");
	size_t n;

	k = (k + 1) % 4;
	if (f == NULL)
		return "-";
	n = fread(text[k], 1, sizeof(text[k]) - 1, f);
	text[k][n] = '\0';
	fclose(f);
	return text[k];
}

static int
add_with(const char *user, const char *fingerprint, char *const *options,
    size_t n)
{
	struct mk_map_entry entry = { .user = user, .options = options,
	    .n_options = n };
	struct mk_udf udf;
	const char *path;

	if (strcmp(fingerprint, "-") != 0) {
		ck_assert(mk_udf_parse_typed(fingerprint,
		    strlen(fingerprint), &udf));
		entry.udf = &udf;
	}
	return mk_map_add(&edit, &entry, &path, &why);
}

static int
add(const char *user, const char *fingerprint)
{
	return add_with(user, fingerprint, NULL, 0);
}

/* How many lines went, or the error's number. */
static int
take(const char *user, const char *fingerprint)
{
	struct mk_udf udf;
	size_t n = 0;
	int r;

	if (fingerprint != NULL)
		ck_assert(mk_udf_parse_typed(fingerprint,
		    strlen(fingerprint), &udf));
	r = mk_map_remove(&edit, user, fingerprint == NULL ? NULL : &udf, &n,
	    &why);
	return r == 0 ? (int)n : r;
}

/* What a login finds: "source: F1", "source: -", "nobody:" or a number. */
static const char *
found(const char *user)
{
	static char out[4096];
	char text[MK_UDF_TEXT + 1];
	struct mk_identity id;
	size_t i;
	int r = mk_identity_find(&root, &config, user, &id, &why);

	if (r != 0) {
		snprintf(out, sizeof(out), "%d", -r);
		return out;
	}
	snprintf(out, sizeof(out), "%s:%s",
	    id.source == NULL ? "nobody" : id.source, id.denied ? " -" : "");
	for (i = 0; i < id.n; i++) {
		mk_udf_format(&id.profiles[i].udf, text);
		strcat(strcat(out, " "), text);
	}
	mk_identity_release(&id);
	return out;
}

START_TEST(adds)
{
	struct stat st;

	ck_assert_int_eq(add("alice", F1), 0);
	ck_assert_str_eq(edit.path, MAP);
	ck_assert_str_eq(text_of(MAP), "alice " F1 "\n");
	ck_assert_int_eq(stat(tree_path(MAP), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0644);
	ck_assert_int_eq(add("alice", F2_BARE), 0);
	ck_assert_int_eq(add("bob", "-"), 0);
	ck_assert_str_eq(text_of(MAP), "alice " F1 "\nalice " F2
	    "\nbob -\n");
	ck_assert_int_eq(add("alice", F1), MK_E_REFUSED);
	ck_assert_str_eq(why.detail,
	    "'alice' has this fingerprint already: " MAP ":1");
	ck_assert_int_eq(add("alice", "-"), MK_E_REFUSED);
	ck_assert_int_eq(add("bob", F1), MK_E_REFUSED);
	ck_assert_int_eq(add("bob", "-"), MK_E_REFUSED);
	ck_assert_str_eq(found("alice"), "map: " F1 " " F2);
	ck_assert_str_eq(found("bob"), "map: -");
	ck_assert_int_eq(access(tree_path(USERS), F_OK), -1);
}
END_TEST

/* Comments, order and what follows no line feed stay. */
START_TEST(keeps)
{
	static const char text[] = "# the people\n\n  bob\t-   # gone\n"
	    "nonsense here\n# last";

	tree_text(MAP, text);
	ck_assert_int_eq(add("alice", F1), 0);
	ck_assert_str_eq(text_of(MAP), "# the people\n\n  bob\t-   # gone\n"
	    "nonsense here\n# last\nalice " F1 "\n");
	ck_assert_int_eq(mk_map_take_back(&edit, &why), 0);
	ck_assert_str_eq(text_of(MAP), text);
	ck_assert_int_eq(add("alice", F1), 0);
	ck_assert_int_eq(take("alice", NULL), 1);
	ck_assert_str_eq(text_of(MAP), "# the people\n\n  bob\t-   # gone\n"
	    "nonsense here\n# last\n");
}
END_TEST

START_TEST(takes_back_a_new_file)
{
	ck_assert_int_eq(mk_map_take_back(&edit, &why), MK_E_BUG);
	ck_assert_int_eq(add("alice", F1), 0);
	ck_assert_int_eq(mk_map_take_back(&edit, &why), 0);
	ck_assert_str_eq(text_of(MAP), "-");
	tree_mkdir(USERS);
	ck_assert_int_eq(add("alice", F1), 0);
	ck_assert_str_eq(edit.path, USERS "/alice");
	ck_assert_int_eq(mk_map_take_back(&edit, &why), 0);
	ck_assert_str_eq(text_of(USERS "/alice"), "-");
}
END_TEST

START_TEST(refused_files)
{
	tree_text(MAP, "bob -\r\n");
	ck_assert_int_eq(add("alice", F1), MK_E_CONFIG);
	ck_assert_str_eq(why.detail, MAP ":1: DOS line end; run: "
	    "sed -i 's/\\r$//' " MAP);
	ck_assert_int_eq(take("bob", NULL), MK_E_CONFIG);
	ck_assert_str_eq(text_of(MAP), "bob -\r\n");
	tree_text(MAP, "\xef\xbb\xbf" "bob -\n");
	ck_assert_int_eq(add("alice", F1), MK_E_CONFIG);
	ck_assert_str_eq(why.detail, MAP ":1: a byte order mark; run: "
	    "sed -i '1s/^\\xef\\xbb\\xbf//' " MAP);
	tree_text(MAP, "bob -\n");
	chmod(tree_path(MAP), 0666);
	ck_assert_int_eq(add("alice", F1), MK_E_PERM);
	ck_assert_int_eq(rename(tree_path(MAP), tree_path("/m")), 0);
	chmod(tree_path("/m"), 0644);
	ck_assert_int_eq(symlink("../../../m", tree_path(MAP)), 0);
	ck_assert_int_eq(add("alice", F1), MK_E_PERM);
	ck_assert_int_eq(take("bob", NULL), MK_E_PERM);
	ck_assert_str_eq(text_of("/m"), "bob -\n");
}
END_TEST

START_TEST(into_users)
{
	char longest[MK_USERNAME_MAX + 2];

	tree_mkdir(USERS);
	ck_assert_int_eq(add("alice", F1), 0);
	ck_assert_str_eq(text_of(USERS "/alice"), F1 "\n");
	ck_assert_str_eq(text_of(MAP), "-");
	tree_text(MAP, "# moved\n");
	ck_assert_int_eq(add("carol", F1), 0);
	ck_assert_str_eq(text_of(USERS "/carol"), F1 "\n");
	tree_text(MAP, "dave -\n");
	ck_assert_int_eq(add("bob", F1), 0);
	ck_assert_str_eq(text_of(MAP), "dave -\nbob " F1 "\n");
	ck_assert_int_eq(add("alice", F2), 0);
	ck_assert_str_eq(text_of(USERS "/alice"), F1 "\n" F2 "\n");
	ck_assert_int_eq(add("alice", F2), MK_E_REFUSED);
	ck_assert_int_eq(unlink(tree_path(MAP)), 0);
	/* Encoded she has no name for a file. */
	memset(longest, '@', sizeof(longest));
	longest[MK_USERNAME_MAX] = '\0';
	ck_assert_int_eq(add(longest, F1), 0);
	ck_assert_str_eq(edit.path, MAP);
	ck_assert_str_eq(found(longest), "map: " F1);
	ck_assert_int_eq(take(longest, NULL), 1);
	ck_assert_str_eq(text_of(MAP), "");
}
END_TEST

/* Every byte that a name may have, each in a name of its own. */
START_TEST(every_name)
{
	char name[8];
	int c;

	for (c = 1; c < 256; c++) {
		snprintf(name, sizeof(name), "%cu%c", c, c);
		if (c == ':' || c == '\n') {
			ck_assert_int_eq(add(name, F1), MK_E_USAGE);
			continue;
		}
		ck_assert_msg(add(name, F1) == 0, "%d: %s", c, why.detail);
		ck_assert_msg(strcmp(found(name), "map: " F1) == 0,
		    "%d: %s", c, found(name));
	}
	for (c = 1; c < 256; c++) {
		snprintf(name, sizeof(name), "%cu%c", c, c);
		if (c != ':' && c != '\n')
			ck_assert_msg(take(name, NULL) == 1, "%d", c);
	}
	ck_assert_str_eq(text_of(MAP), "");
}
END_TEST

START_TEST(bad_names)
{
	char name[MK_USERNAME_MAX + 2];

	memset(name, 'a', sizeof(name));
	name[MK_USERNAME_MAX + 1] = '\0';
	ck_assert_int_eq(add(name, F1), MK_E_USAGE);
	ck_assert_int_eq(take(name, NULL), MK_E_USAGE);
	name[MK_USERNAME_MAX] = '\0';
	ck_assert_int_eq(add(name, F1), 0);
	ck_assert_int_eq(add("", F1), MK_E_USAGE);
	ck_assert_int_eq(add("a:b", F1), MK_E_USAGE);
	ck_assert_int_eq(add("alice " F2 "\nmallory", F1), MK_E_USAGE);
	ck_assert_str_eq(found("mallory"), "nobody:");
}
END_TEST

START_TEST(options)
{
	static char from[] = "options=restrict,from=\"192.0.2.0/24\"",
	    path[] = "options=environment=\"A=b c\\\\d # e\"",
	    stale[] = "when-stale=deny", lines[] = "portal=x\nmallory -";
	char *const good[] = { from, stale }, *const odd[] = { path },
	    *const bad[] = { lines };
	struct mk_identity id;

	ck_assert_int_eq(add_with("alice", F1, good, 2), 0);
	ck_assert_str_eq(text_of(MAP), "alice " F1 " \"options=restrict,"
	    "from=\\\"192.0.2.0/24\\\"\" when-stale=deny\n");
	ck_assert_int_eq(add_with("bob", F1, odd, 1), 0);
	ck_assert_int_eq(mk_identity_find(&root, &config, "bob", &id, &why),
	    0);
	ck_assert_str_eq(id.profiles[0].policy.options,
	    path + strlen("options="));
	mk_identity_release(&id);
	ck_assert_int_eq(add_with("carol", F1, bad, 1), MK_E_USAGE);
	ck_assert_str_eq(found("mallory"), "nobody:");
}
END_TEST

/* A line goes in whatever spelling her login takes it for hers. */
START_TEST(removes_spellings)
{
	tree_text(MAP, "%61lice -\n\"alice\" " F1 "\nal\"ice -\nbob -\n"
	    "alicee -\n# alice\nali\\ce x\nalice\n");
	ck_assert_str_eq(found("alice"), "78");
	ck_assert_int_eq(take("alice", NULL), 5);
	ck_assert_str_eq(text_of(MAP), "bob -\nalicee -\n# alice\n");
	ck_assert_str_eq(found("alice"), "nobody:");
	ck_assert_int_eq(take("alice", NULL), 0);
}
END_TEST

START_TEST(removes_one)
{
	tree_mkdir(USERS);
	tree_text(MAP, "alice " F1 " options=restrict\nalice " F2_BARE "\n");
	tree_text(USERS "/alice", "# hers\n" F2 "\n" F1 "\n");
	ck_assert_int_eq(take("alice", F2), 2);
	ck_assert_str_eq(text_of(MAP), "alice " F1 " options=restrict\n");
	ck_assert_str_eq(text_of(USERS "/alice"), "# hers\n" F1 "\n");
	ck_assert_int_eq(take("alice", F2), 0);
	ck_assert_int_eq(take("alice", F1), 2);
	ck_assert_str_eq(text_of(USERS "/alice"), "-");
	ck_assert_str_eq(text_of(MAP), "");
}
END_TEST

START_TEST(removes_files)
{
	tree_mkdir(USERS);
	tree_text(USERS "/alice", "");
	ck_assert_int_eq(take("alice", F1), 0);
	ck_assert_str_eq(found("alice"), "users:");
	ck_assert_int_eq(take("alice", NULL), 1);
	ck_assert_str_eq(found("alice"), "nobody:");
	/* Misnamed ones keep her out until they go, too. */
	tree_text(USERS "/user@corp", "-\n");
	tree_text(USERS "/user%40corp", F1 "\n");
	ck_assert_str_eq(found("user@corp"), "78");
	ck_assert_int_eq(take("user@corp", NULL), 2);
	ck_assert_str_eq(found("user@corp"), "nobody:");
	tree_text(USERS "/%c3%bc", "-\n");
	ck_assert_int_eq(take("\xc3\xbc", NULL), 1);
	ck_assert_int_eq(take("..", NULL), 0);
}
END_TEST

START_TEST(opens)
{
	struct mk_map_edit second;
	struct stat st;

	ck_assert_int_eq(stat(tree_path(MK_CONFDIR "/.lock"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	mk_map_edit_close(&edit);
	ck_assert_int_eq(unlink(tree_path(MK_CONFDIR "/.lock")), 0);
	ck_assert_int_eq(rmdir(tree_path(MK_CONFDIR)), 0);
	ck_assert_int_eq(mk_map_edit_open(&root, false, &second, &why),
	    MK_E_ABSENT);
	ck_assert_int_eq(mk_map_edit_open(&root, true, &second, &why), 0);
	mk_map_edit_close(&second);
	ck_assert_int_eq(stat(tree_path(MK_CONFDIR), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0755);
}
END_TEST

/* Adds from several processes at once all stay. */
START_TEST(at_once)
{
	char name[16];
	pid_t pid;
	int i, k, status;

	mk_map_edit_close(&edit);
	for (i = 0; i < 4; i++) {
		pid = fork();
		ck_assert_int_ne(pid, -1);
		if (pid > 0)
			continue;
		for (k = 0; k < 5; k++) {
			snprintf(name, sizeof(name), "u%d.%d", i, k);
			if (mk_map_edit_open(&root, true, &edit, &why) != 0 ||
			    add(name, F1) != 0)
				_exit(1);
			mk_map_edit_close(&edit);
		}
		_exit(0);
	}
	for (i = 0; i < 4; i++) {
		ck_assert_int_ne(wait(&status), -1);
		ck_assert_int_eq(status, 0);
	}
	for (i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "u%d.%d", i / 5, i % 5);
		ck_assert_str_eq(found(name), "map: " F1);
	}
}
END_TEST

START_TEST(splits)
{
	size_t n = 0;

	tree_text(MAP, "# people of the house\n\n# alice: one\nalice  " F1
	    " # x\nbob -\n\t\"user@corp\"\t" F2 " \"options=from=\\\"a b\\\"\""
	    "\n# her second\nalice " F2_BARE "\n# the end");
	ck_assert_int_eq(mk_map_split_up(&edit, &n, &why), 0);
	ck_assert_uint_eq(n, 3);
	ck_assert_str_eq(text_of(MAP), "# people of the house\n\n# the end");
	ck_assert_str_eq(text_of(USERS "/alice"), "# alice: one\n" F1
	    " # x\n# her second\n" F2_BARE "\n");
	ck_assert_str_eq(text_of(USERS "/bob"), "-\n");
	ck_assert_str_eq(text_of(USERS "/user%40corp"),
	    F2 " \"options=from=\\\"a b\\\"\"\n");
	ck_assert_str_eq(found("alice"), "users: " F1 " " F2);
	ck_assert_str_eq(found("user@corp"), "users: " F2);
	ck_assert_int_eq(access(tree_path(MK_CONFDIR "/.mk-split"), F_OK),
	    -1);
	ck_assert_int_eq(mk_map_split_up(&edit, &n, &why), 0);
	ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(splits_not)
{
	static const char *const bad[] = {
		"alice " F1 "\nbob\n", "alice " F1 "\n\"bob -\n",
		"alice " F1 "\n50% -\n"
	};
	size_t i, n = 0;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		tree_text(MAP, bad[i]);
		ck_assert_int_eq(mk_map_split_up(&edit, &n, &why),
		    MK_E_CONFIG);
		ck_assert_str_eq(text_of(MAP), bad[i]);
		ck_assert_str_eq(text_of(USERS "/alice"), "-");
	}
	tree_mkdir(USERS);
	tree_text(MAP, "bob " F1 "\nalice " F1 "\n");
	tree_text(USERS "/bob", "-\n");
	ck_assert_int_eq(mk_map_split_up(&edit, &n, &why), MK_E_REFUSED);
	ck_assert_str_eq(text_of(USERS "/alice"), "-");
	ck_assert_str_eq(text_of(USERS "/bob"), "-\n");
	ck_assert_str_eq(text_of(MAP), "bob " F1 "\nalice " F1 "\n");
	/* What an interrupted one has left is no obstacle. */
	tree_text(USERS "/bob", F1 "\n");
	tree_mkdir(MK_CONFDIR "/.mk-split");
	tree_text(MK_CONFDIR "/.mk-split/alice", "half");
	ck_assert_int_eq(mk_map_split_up(&edit, &n, &why), 0);
	ck_assert_uint_eq(n, 2);
	ck_assert_str_eq(found("alice"), "users: " F1);
}
END_TEST

static void
write_many(void)
{
	FILE *f = fopen(tree_path(MAP), "w");
	int i;

	ck_assert_ptr_nonnull(f);
	for (i = 0; i < MANY; i++)
		fprintf(f, "user%d %s\n", i, F1);
	ck_assert_int_eq(fclose(f), 0);
}

/* Killed at any time: every user is there, and the next one ends it. */
START_TEST(split_killed)
{
	const struct timespec step = { 0, 20000000 };
	char name[32];
	size_t n = 0;
	pid_t pid;
	int i, k, status;

	write_many();
	mk_map_edit_close(&edit);
	for (i = 0; i < 8; i++) {
		pid = fork();
		ck_assert_int_ne(pid, -1);
		if (pid == 0) {
			if (mk_map_edit_open(&root, true, &edit, &why) != 0)
				_exit(1);
			_exit(mk_map_split_up(&edit, &n, &why) != 0);
		}
		for (k = 0; k <= i; k++)
			(void)nanosleep(&step, NULL);
		(void)kill(pid, SIGKILL);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		for (k = 0; k < MANY; k += 997) {
			snprintf(name, sizeof(name), "user%d", k);
			ck_assert_ptr_nonnull(strstr(found(name), F1));
		}
	}
	ck_assert_int_eq(mk_map_edit_open(&root, true, &edit, &why), 0);
	ck_assert_int_eq(mk_map_split_up(&edit, &n, &why), 0);
	ck_assert_str_eq(text_of(MAP), "");
	ck_assert_str_eq(found("user0"), "users: " F1);
	ck_assert_str_eq(found("user19999"), "users: " F1);
}
END_TEST

/* Reads 'typed'; the second and the third line of its refusal. */
static const char *
typed(const char *text)
{
	static char out[512];
	struct mk_udf udf;
	int r = mk_udf_read_typed(text, &udf, &why);

	if (r == 0) {
		mk_udf_format(&udf, out);
		return out;
	}
	if (r != MK_E_USAGE || strchr(why.detail, '\n') == NULL)
		return why.detail;
	snprintf(out, sizeof(out), "%s", strchr(why.detail, '\n'));
	return out;
}

START_TEST(fingerprints)
{
	ck_assert_str_eq(typed(F2), F2);
	ck_assert_str_eq(typed(F2_BARE), F2);
	ck_assert_str_eq(typed(" ma6sh qrvcq da2nd pj4j7 sw3kf vycqu\n"), F2);
	ck_assert_str_eq(typed("MA 6SHQ--RVCQDA2NDPJ4\t-J7SW3KFVYCQ-U-"), F2);
	ck_assert_str_eq(typed("MA6SH\xe2\x80\x93QRVCQ\xc2\xa0" "DA2ND\xe2"
	    "\x80\x91PJ4J7 SW3KF VYCQU"), F2);
	ck_assert_str_eq(typed("MA6SH-QRVC0-DA2ND"),
	    "\n    MA6SH-QRVC0-DA2ND\n              ^");
	ck_assert_ptr_nonnull(strstr(why.detail, "is it the letter O?\n"));
	ck_assert_str_eq(typed("MA6SH!"), "\n    MA6SH!\n         ^");
	ck_assert_str_eq(typed(""), "\n    \n    ^");
	ck_assert_str_eq(typed("MA6SH-QRVCQ-DA2ND-PJ4J7-SW3KF-VYCQ"),
	    "\n    MA6SH-QRVCQ-DA2ND-PJ4J7-SW3KF-VYCQ\n"
	    "                                      ^");
	ck_assert_ptr_eq(strstr(why.detail, "1 letter missing"), why.detail);
	ck_assert_str_eq(typed(F2 "AB"), "\n    " F2 "AB\n"
	    "                                       ^");
	ck_assert_ptr_eq(strstr(why.detail, "2 letters too many"),
	    why.detail);
	ck_assert_str_eq(typed("MA6S\xc3\xbcH"),
	    "\n    MA6S??H\n        ^");
	/* A long text is shown around the place. */
	ck_assert_str_eq(typed("--------------------------------------------"
	    "------------------------------MA6SH-1-----"),
	    "\n    ------------------------------MA6SH-1-----\n"
	    "                                        ^");
}
END_TEST

START_TEST(wrong_types)
{
	ck_assert_ptr_nonnull(strstr(typed("RA6SH-QRVCQ-DA2ND-PJ4J7-SW3KF-"
	    "VYCQU"), "application profile"));
	ck_assert_int_eq(why.code, MK_E_REFUSED);
	ck_assert_ptr_nonnull(strstr(typed("AA6SH-QRVCQ-DA2ND-PJ4J7-SW3KF-"
	    "VYCQU"), "its type is 0"));
	ck_assert_ptr_nonnull(strstr(typed("ME6SH-QRVCQ-DA2ND-PJ4J7-SW3KF-"
	    "VYCQU"), "its type is 97"));
	(void)typed("MB5S-R4AJ-3FBT-7NHO-T26Z-2E6Y-WFH4");
	ck_assert_int_eq(why.code, MK_E_USAGE);
	ck_assert_ptr_nonnull(strstr(why.detail, "groups of four"));
}
END_TEST

static char lines[4096];

static void
take_line(void *arg, const struct mk_told_line *line)
{
	char one[512], udf[MK_UDF_TEXT + 1] = "-";

	(void)arg;
	if (line->udf != NULL)
		mk_udf_format(line->udf, udf);
	snprintf(one, sizeof(one), "%s %s:%u %s %.5s%s%s\n", line->source,
	    strrchr(line->path, '/'), line->line, line->user, udf,
	    line->passed ? " passed" : "",
	    line->n_options > 0 ? line->options[0] : "");
	strcat(lines, one);
}

static void
take_bad(void *arg, const struct mk_why *reason)
{
	(void)arg;
	strcat(strcat(lines, reason->detail), "\n");
}

/* Every line is told, whichever counts. */
START_TEST(told)
{
	const struct mk_teller teller = { take_bad, NULL, take_line };
	struct mk_everyone all;

	tree_mkdir(USERS);
	tree_text(USERS "/alice", F1 "\n");
	tree_text(USERS "/carol", "# none\n");
	tree_text(MAP, "alice " F2 "\nbob " F1 " portal=none\nbob x\n"
	    "bob -\n");
	tree_text(MK_PASSWD, "bob:x:1:1:,,,,mesh=" F1 ":/:\n"
	    "dave:x:1:1:,,,,mesh=" F2 ":/:\nerin:x:1:1:,,,,:/:\n"
	    "alice:x:1:1:,,,,:/:\n");
	ck_assert_int_eq(mk_everyone_read(&root, &config, &teller, &all,
	    &why), 0);
	mk_everyone_release(&all);
	ck_assert_str_eq(lines, "users /alice:1 alice MAFJL\n"
	    "users /carol:0 carol -\nmap /map:1 alice - passed\n"
	    "map /map:2 bob MAFJLportal=none\n"
	    MAP ":3: 'x' is not a fingerprint\n"
	    MAP ":4: '-' beside other lines of the same user\n"
	    "passwd /passwd:1 bob - passed\npasswd /passwd:2 dave MA6SH\n");
	lines[0] = '\0';
	ck_assert_int_eq(mk_everyone_user(&root, &config, "alice", &teller,
	    &why), 0);
	ck_assert_str_eq(lines, "users /alice:1 alice MAFJL\n"
	    "map /map:1 alice MA6SH passed\n");
	lines[0] = '\0';
	ck_assert_int_eq(mk_everyone_user(&root, &config, "bob", &teller,
	    &why), 0);
	ck_assert_str_eq(lines, "map /map:2 bob MAFJLportal=none\n"
	    MAP ":3: 'x' is not a fingerprint\n"
	    "passwd /passwd:1 bob MAFJL passed\n");
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("map_edit");
	TCase *t = tcase_create("map_edit");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, adds);
	tcase_add_test(t, keeps);
	tcase_add_test(t, takes_back_a_new_file);
	tcase_add_test(t, refused_files);
	tcase_add_test(t, into_users);
	tcase_add_test(t, every_name);
	tcase_add_test(t, bad_names);
	tcase_add_test(t, options);
	tcase_add_test(t, removes_spellings);
	tcase_add_test(t, removes_one);
	tcase_add_test(t, removes_files);
	tcase_add_test(t, opens);
	tcase_add_test(t, at_once);
	tcase_add_test(t, splits);
	tcase_add_test(t, splits_not);
	tcase_add_test(t, split_killed);
	tcase_add_test(t, fingerprints);
	tcase_add_test(t, wrong_types);
	tcase_add_test(t, told);
	suite_add_tcase(s, t);
	return s;
}
