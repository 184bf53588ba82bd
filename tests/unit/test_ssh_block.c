/* SPDX-License-Identifier: ISC */
/*
 * The block in ssh_config: put, replaced and taken away with all the rest
 * byte for byte, and what ssh itself makes of it.
 */
#include <spawn.h>
#include <sys/wait.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/ssh_block.h"
#include "tree.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define BEGIN	"# meshkeys: begin, this block is kept by meshman"
#define END	"# meshkeys: end"
#define NOTE	"# after making another default key, run: meshman /sync"
#define KEY	"~/.ssh/id_ed25519_mesh"
#define RSA	"~/.ssh/id_rsa"
#define SK	"~/.ssh/id_ed25519_sk"
#define BLOCK	BEGIN "\n" NOTE "\nIdentityFile " KEY "\n" \
    "IdentityFile " RSA "\nIdentityFile " SK "\n" END "\n"
#define OLDER	BEGIN "\nIdentityFile ~/.ssh/other\n" END "\n"

static struct mk_buf out;
static struct mk_why why;
static bool changed;

static void
setup(void)
{
	tree_setup();
	mk_buf_init(&out, 2 * MK_SSH_CONFIG_MAX);
}

static void
teardown(void)
{
	mk_buf_release(&out);
	tree_teardown();
}

/* The key before two others of the user's; NULL takes the block away. */
static int
apply(const char *old, size_t len, const char *key)
{
	const char *const list[] = { key, RSA, SK, NULL };
	/* Of exactly this size. */
	uint8_t *copy = malloc(len == 0 ? 1 : len);
	struct mk_bytes bytes = { copy, len };
	int r;

	ck_assert_ptr_nonnull(copy);
	if (len > 0)
		memcpy(copy, old, len);
	if (old == NULL)
		bytes.data = NULL;
	mk_buf_release(&out);
	memset(&why, 0, sizeof(why));
	if (key != NULL)
		r = mk_ssh_block_set(&bytes, list, &out, &changed, &why);
	else
		r = mk_ssh_block_clear(&bytes, &out, &changed, &why);
	free(copy);
	ck_assert_int_eq(r, why.code);
	return r;
}

static void
gives(const char *old, const char *key, const char *want)
{
	ck_assert_int_eq(apply(old, strlen(old), key), 0);
	ck_assert_str_eq(out.len > 0 ? out.data : "", want);
	ck_assert_uint_eq(out.len, strlen(want));
	ck_assert(changed == (strcmp(old, want) != 0));
}

/* What stands in a file, and the same with the block. */
START_TEST(sets)
{
	static const struct {
		const char *old, *new;
	} v[] = {
		{ "", BLOCK },
		{ "\n", BLOCK "\n" },
		{ "Host *\n", BLOCK "Host *\n" },
		{ "Host *\r\n  Port 1\r\n", BLOCK "Host *\r\n  Port 1\r\n" },
		{ "Host *", BLOCK "Host *" },
		{ "# meshkeys\n# meshkeys: beginning\n",
		    BLOCK "# meshkeys\n# meshkeys: beginning\n" }
	};
	size_t i;

	for (i = 0; i < COUNT(v); i++) {
		gives(v[i].old, KEY, v[i].new);
		gives(v[i].new, KEY, v[i].new);
		ck_assert(!changed);
		gives(v[i].new, NULL, v[i].old);
		gives(v[i].old, NULL, v[i].old);
		ck_assert(!changed);
	}
	ck_assert_int_eq(apply(NULL, 0, KEY), 0);
	ck_assert(changed);
	ck_assert_str_eq(out.data, BLOCK);
	ck_assert_int_eq(apply(NULL, 0, NULL), 0);
	ck_assert(!changed);
	ck_assert_uint_eq(out.len, 0);
}
END_TEST

/* A block that is there, wherever and however it stands. */
START_TEST(replaces)
{
	static const struct {
		const char *old, *set, *cleared;
	} v[] = {
		{ OLDER, BLOCK, "" },
		{ OLDER "Host a\n", BLOCK "Host a\n", "Host a\n" },
		{ "Port 1\n" OLDER "Host a\n", "Port 1\n" BLOCK "Host a\n",
		    "Port 1\nHost a\n" },
		{ "Port 1\n" BEGIN "\n" END, "Port 1\n" BLOCK, "Port 1\n" },
		{ "A 1\r\n" BEGIN "\r\nX\r\n" END "\r\nB 2\r\n",
		    "A 1\r\n" BLOCK "B 2\r\n", "A 1\r\nB 2\r\n" },
		{ "\t " BEGIN " \t\nX\n " END " \r\nB\n", BLOCK "B\n",
		    "B\n" },
		{ BEGIN "\n\n\n" END "\n\n", BLOCK "\n", "\n" }
	};
	size_t i;

	for (i = 0; i < COUNT(v); i++) {
		gives(v[i].old, KEY, v[i].set);
		gives(v[i].old, NULL, v[i].cleared);
	}
}
END_TEST

START_TEST(refuses)
{
	static const char *const v[] = { BEGIN "\n", BEGIN, END "\n", END,
	    END "\n" BEGIN "\n", OLDER OLDER, OLDER BEGIN "\n",
	    END "\n" OLDER, BEGIN "\n" OLDER, OLDER END "\n",
	    BEGIN "\n" BEGIN "\n" END "\n" END "\n",
	    "Host a\n" BEGIN "\nPort 1\n" };
	char *big;
	size_t i;

	for (i = 0; i < COUNT(v); i++) {
		ck_assert_msg(apply(v[i], strlen(v[i]), KEY) == MK_E_REFUSED,
		    "%zu", i);
		ck_assert_msg(apply(v[i], strlen(v[i]), NULL) ==
		    MK_E_REFUSED, "%zu", i);
		ck_assert_ptr_nonnull(strstr(why.detail, "by hand"));
	}
	big = malloc(MK_SSH_CONFIG_MAX + 1);
	ck_assert_ptr_nonnull(big);
	memset(big, '\n', MK_SSH_CONFIG_MAX + 1);
	ck_assert_int_eq(apply(big, MK_SSH_CONFIG_MAX, NULL), 0);
	ck_assert(!changed);
	ck_assert_int_eq(apply(big, MK_SSH_CONFIG_MAX + 1, NULL),
	    MK_E_REFUSED);
	out.max = MK_SSH_CONFIG_MAX;
	ck_assert_int_eq(apply(big, MK_SSH_CONFIG_MAX, KEY), MK_E_REFUSED);
	free(big);
}
END_TEST

/* Any bytes of the user's are kept, also those that end no string. */
START_TEST(bytes)
{
	static const char old[] = "A\0B\n\377\n\0" OLDER "\0\n\r\n";
	static const char want[] = "A\0B\n\377\n\0" "\0\n\r\n";
	size_t len = sizeof(old) - 1;

	/* The NUL before the mark makes it another line. */
	ck_assert_int_eq(apply(old, len, NULL), MK_E_REFUSED);
	ck_assert_int_eq(apply(want, sizeof(want) - 1, KEY), 0);
	ck_assert_uint_eq(out.len, strlen(BLOCK) + sizeof(want) - 1);
	ck_assert_mem_eq(out.data + strlen(BLOCK), want, sizeof(want) - 1);
}
END_TEST

START_TEST(keys)
{
	static const struct {
		const char *key, *line;
	} good[] = {
		{ "/home/alice/.ssh/id", "IdentityFile /home/alice/.ssh/id\n" },
		{ "/a b/c", "IdentityFile \"/a b/c\"\n" },
		{ "/a#b'c=$d", "IdentityFile \"/a#b'c=$d\"\n" },
		{ "/%d/50%", "IdentityFile \"/%%d/50%%\"\n" },
		{ "/\303\251", "IdentityFile \"/\303\251\"\n" }
	};
	static const char *const wrong[] = { "", "id", "./id", "~", "~bob/id",
	    "none", "/a\nb", "/a\"b", "/a\\b", "/a\rb", "/a\tb", "/a\177b",
	    "/a${HOME}b", "\"/a\"" };
	size_t i;

	for (i = 0; i < COUNT(good); i++) {
		ck_assert_int_eq(apply("", 0, good[i].key), 0);
		ck_assert(strncmp(out.data + strlen(BEGIN "\n" NOTE "\n"),
		    good[i].line, strlen(good[i].line)) == 0);
	}
	for (i = 0; i < COUNT(wrong); i++) {
		ck_assert_msg(apply("", 0, wrong[i]) == MK_E_REFUSED, "%s",
		    wrong[i]);
		ck_assert_uint_eq(out.len, 0);
	}
}
END_TEST

/* Just what was named, in that order; each is judged. */
START_TEST(identities_named)
{
	static const char *const one[] = { KEY, NULL };
	static const char *const four[] = { KEY, "~/.ssh/old", SK, RSA,
	    NULL };
	static const char *const wrong[] = { KEY, RSA, "id", NULL };
	const struct mk_bytes none = { NULL, 0 };

	ck_assert_int_eq(mk_ssh_block_set(&none, one, &out, &changed, &why),
	    0);
	ck_assert_str_eq(out.data, BEGIN "\n" NOTE "\nIdentityFile " KEY
	    "\n" END "\n");
	mk_buf_cut(&out, 0);
	ck_assert_int_eq(mk_ssh_block_set(&none, four, &out, &changed, &why),
	    0);
	ck_assert_str_eq(out.data, BEGIN "\n" NOTE "\nIdentityFile " KEY
	    "\nIdentityFile ~/.ssh/old\nIdentityFile " SK
	    "\nIdentityFile " RSA "\n" END "\n");
	mk_buf_cut(&out, 0);
	ck_assert_int_eq(mk_ssh_block_set(&none, wrong, &out, &changed,
	    &why), MK_E_REFUSED);
	ck_assert_uint_eq(out.len, 0);
}
END_TEST

/* Runs "ssh -G -F <file> <host>" to a file; false if that cannot be. */
static bool
ssh(const char *config, const char *host)
{
	char *argv[] = { "ssh", "-G", "-F", (char *)config, (char *)host,
	    NULL };
	posix_spawn_file_actions_t actions;
	int status, r;
	pid_t pid;

	ck_assert_int_eq(posix_spawn_file_actions_init(&actions), 0);
	ck_assert_int_eq(posix_spawn_file_actions_addopen(&actions, 0,
	    "/dev/null", O_RDONLY, 0), 0);
	ck_assert_int_eq(posix_spawn_file_actions_addopen(&actions, 1,
	    tree_path("/out"), O_WRONLY | O_CREAT | O_TRUNC, 0600), 0);
	ck_assert_int_eq(posix_spawn_file_actions_addopen(&actions, 2,
	    "/dev/null", O_WRONLY, 0), 0);
	r = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	if (r != 0)
		return false;
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Which identities ssh takes for a host, in their order. */
static void
identities(const char *host, const char *want)
{
	char line[4096], got[8192] = "";
	FILE *f;

	tree_bytes("/config", out.data, out.len);
	ck_assert(ssh(tree_path("/config"), host));
	f = fopen(tree_path("/out"), "r");
	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, "identityfile ", 13) != 0)
			continue;
		ck_assert(strlen(got) + strlen(line) < sizeof(got));
		strcat(got, line + 13);
	}
	(void)fclose(f);
	ck_assert_str_eq(got, want);
}

#define TAKEN	KEY "\n" RSA "\n" SK "\n"

START_TEST(what_ssh_does)
{
	static const char old[] = "Host work\n"
	    "  IdentityFile ~/.ssh/work\n  Port 2222\n";
	static const char dos[] = "Host work\r\n"
	    "  IdentityFile ~/.ssh/work\r\n";

	if (!ssh("/dev/null", "work"))
		return;
	ck_assert_int_eq(apply(old, strlen(old), KEY), 0);
	identities("home", TAKEN);
	identities("work", TAKEN "~/.ssh/work\n");
	ck_assert_int_eq(apply(dos, strlen(dos), KEY), 0);
	identities("work", TAKEN "~/.ssh/work\n");
	ck_assert_int_eq(apply("", 0, "/a b/it's #1"), 0);
	identities("home", "/a b/it's #1\n" RSA "\n" SK "\n");
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *suite = suite_create("ssh_block");
	TCase *c = tcase_create("ssh_block");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, sets);
	tcase_add_test(c, replaces);
	tcase_add_test(c, refuses);
	tcase_add_test(c, bytes);
	tcase_add_test(c, keys);
	tcase_add_test(c, identities_named);
	tcase_add_test(c, what_ssh_does);
	suite_add_tcase(suite, c);
	return suite;
}
