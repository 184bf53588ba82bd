/* SPDX-License-Identifier: ISC */
/* Which changes of the host's files are noticed, and which are nobody's. */
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <errno.h>
#include <poll.h>
#include <time.h>

#include "core/err.h"
#include "edge/keeper.h"
#include "edge/lookout.h"
#include "unit/tree.h"
#include "unit/unit.h"

#define CONFIG	MK_CONFDIR "/meshkeys.conf"
#define MAP	MK_CONFDIR "/map"
#define USERS	MK_CONFDIR "/users"
#define QUEUE	"/proc/sys/fs/inotify/max_queued_events"

static struct mk_root root;
static struct mk_lookout *lookout;
static struct mk_why why;

static void
setup(void)
{
	tree_setup();
	tree_text(MAP, "alice x\n");
	tree_text(USERS "/bob", "x\n");
	tree_text(MK_PASSWD, "root:x:0:0::/:\n");
	ck_assert_int_eq(mk_root_open(tree_dir, &root, &why), 0);
	lookout = NULL;
}

static void
teardown(void)
{
	mk_lookout_free(lookout);
	mk_root_close(&root);
	tree_teardown();
}

static void
start(const char *config_file)
{
	mk_lookout_free(lookout);
	ck_assert_int_eq(mk_lookout_new(&root, config_file, &lookout, &why),
	    0);
	ck_assert_int_ge(mk_lookout_fd(lookout), 0);
	ck_assert(!mk_lookout_changed(lookout));
}

static bool
stirs(void)
{
	struct pollfd pfd = { mk_lookout_fd(lookout), POLLIN, 0 };

	return poll(&pfd, 1, 0) == 1;
}

/* Noticed at once, told once. */
static void
noticed(const char *what)
{
	ck_assert_msg(stirs(), "%s", what);
	ck_assert_msg(mk_lookout_changed(lookout), "%s", what);
	ck_assert_msg(!mk_lookout_changed(lookout), "%s", what);
	ck_assert_msg(!stirs(), "%s", what);
}

static void
replace(const char *name, const char *text)
{
	tree_text("/etc/.new", text);
	ck_assert_int_eq(rename(tree_path("/etc/.new"), tree_path(name)), 0);
}

static void
remove_file(const char *name)
{
	ck_assert_int_eq(unlink(tree_path(name)), 0);
}

START_TEST(files)
{
	static const char *const names[] = {
		CONFIG, MAP, MK_PASSWD, USERS "/alice", USERS "/bob"
	};
	const char *name = names[_i];

	start(NULL);
	tree_text(name, "new\n");
	noticed("written");
	/* The same size within the same tick of the clock. */
	tree_text(name, "NEW\n");
	noticed("written in place");
	replace(name, "NEW\n");
	noticed("replaced");
	ck_assert_int_eq(chmod(tree_path(name), 0600), 0);
	noticed("made secret");
	remove_file(name);
	noticed("removed");
	tree_text(name, "new\n");
	noticed("written again");
}
END_TEST

START_TEST(nobodys)
{
	start(NULL);
	tree_text("/etc/group", "x");
	tree_text("/etc/passwd-", "x");
	tree_text("/etc/map", "x");
	remove_file("/etc/group");
	ck_assert(stirs());
	ck_assert(!mk_lookout_changed(lookout));
	/* Reading is no change. */
	ck_assert_int_ge(open(tree_path(MAP), O_RDONLY | O_CLOEXEC), 0);
	ck_assert_int_ge(open(tree_path(USERS "/bob"), O_RDONLY | O_CLOEXEC),
	    0);
	ck_assert(!mk_lookout_changed(lookout));
	/* The stores change all day. */
	tree_text(MK_CACHEDIR "/x", "x");
	ck_assert(!mk_lookout_changed(lookout));
}
END_TEST

/* A map that is open still is half of one. */
START_TEST(half_a_map)
{
	FILE *f;

	start(NULL);
	f = fopen(tree_path(USERS "/bob"), "a");
	ck_assert_ptr_nonnull(f);
	fputs("y\n", f);
	fflush(f);
	ck_assert(!mk_lookout_changed(lookout));
	fclose(f);
	noticed("closed");
}
END_TEST

START_TEST(appears)
{
	remove_file(USERS "/bob");
	ck_assert_int_eq(rmdir(tree_path(USERS)), 0);
	remove_file(MAP);
	ck_assert_int_eq(rmdir(tree_path(MK_CONFDIR)), 0);
	start(NULL);
	tree_mkdir(MK_CONFDIR);
	noticed("the directory");
	tree_text(MAP, "x");
	noticed("the map");
	tree_mkdir(USERS);
	noticed("the directory of users");
	tree_text(USERS "/bob", "x");
	noticed("a user");
	tree_text(USERS "/bob", "y");
	noticed("the same user");
	remove_file(USERS "/bob");
	ck_assert(mk_lookout_changed(lookout));
	ck_assert_int_eq(rmdir(tree_path(USERS)), 0);
	noticed("no directory of users");
	/* Perhaps with the inode of the old one. */
	tree_mkdir(USERS);
	noticed("another one");
	tree_text(USERS "/bob", "x");
	noticed("a user in it");
}
END_TEST

START_TEST(moved)
{
	start(NULL);
	tree_mkdir("/etc/new/users");
	tree_text("/etc/new/map", "y");
	tree_text("/etc/new/users/bob", "y");
	ck_assert(!mk_lookout_changed(lookout));
	ck_assert_int_eq(rename(tree_path(MK_CONFDIR), tree_path("/etc/old")),
	    0);
	ck_assert_int_eq(rename(tree_path("/etc/new"), tree_path(MK_CONFDIR)),
	    0);
	noticed("replaced");
	tree_text(MAP, "z");
	noticed("the map in the new one");
	tree_text(USERS "/bob", "z");
	noticed("a user in the new one");
	tree_text("/etc/old/map", "z");
	tree_text("/etc/old/users/bob", "z");
	ck_assert(!stirs());
	ck_assert(!mk_lookout_changed(lookout));
	ck_assert_int_eq(rename(tree_path(USERS), tree_path("/etc/u")), 0);
	noticed("users moved away");
	ck_assert_int_eq(rename(tree_path("/etc/u"), tree_path(USERS)), 0);
	noticed("users moved back");
	tree_text(USERS "/bob", "a");
	noticed("a user as before");
}
END_TEST

/* The link of an administrator leads elsewhere. */
START_TEST(links)
{
	tree_mkdir("/srv/a/users");
	tree_mkdir("/srv/b/users");
	tree_text("/srv/a/users/bob", "x");
	remove_file(USERS "/bob");
	remove_file(MAP);
	ck_assert_int_eq(rmdir(tree_path(USERS)), 0);
	ck_assert_int_eq(rmdir(tree_path(MK_CONFDIR)), 0);
	ck_assert_int_eq(symlink("/srv/a", tree_path(MK_CONFDIR)), 0);
	start(NULL);
	tree_text("/srv/a/users/bob", "y");
	noticed("behind a link");
	ck_assert_int_eq(symlink("/srv/b", tree_path("/etc/link")), 0);
	ck_assert_int_eq(rename(tree_path("/etc/link"),
	    tree_path(MK_CONFDIR)), 0);
	noticed("another link");
	tree_text("/srv/b/users/bob", "y");
	noticed("behind the other one");
	/* Two names of one directory, of which one leads away. */
	tree_text("/srv/a/x.conf", "");
	remove_file("/srv/b/users/bob");
	ck_assert_int_eq(rmdir(tree_path("/srv/b/users")), 0);
	ck_assert_int_eq(symlink("/srv/a", tree_path("/srv/b/users")), 0);
	start(tree_path("/srv/a/x.conf"));
	ck_assert_int_eq(unlink(tree_path("/srv/b/users")), 0);
	noticed("one of two names");
	tree_text("/srv/a/x.conf", "y");
	noticed("the other name");
}
END_TEST

/* That of --config is no file of the root, and no other one of its own. */
START_TEST(config_file)
{
	char outside[PATH_MAX];

	strcpy(outside, tree_path("/srv/x.conf"));
	tree_mkdir("/srv");
	start(outside);
	tree_text("/srv/x.conf", "x");
	noticed("written");
	tree_text("/srv/y.conf", "x");
	ck_assert(!mk_lookout_changed(lookout));
	tree_text(MAP, "y");
	noticed("the map");
	/* In no other directory than ours, but not as our own. */
	strcpy(outside, tree_path(MK_CONFDIR "/other.conf"));
	start(outside);
	tree_text(MK_CONFDIR "/other.conf", "x");
	noticed("beside the map");
	tree_text(USERS "/bob", "y");
	noticed("a user");
	ck_assert_int_eq(chdir(tree_path("/srv")), 0);
	start("x.conf");
	tree_text("/srv/x.conf", "z");
	noticed("without a directory");
	ck_assert_int_eq(chdir("/"), 0);
	start("/no/such/file");
	tree_text(MAP, "z");
	noticed("the map alone");
}
END_TEST

START_TEST(overflow)
{
	FILE *f = fopen(QUEUE, "r");
	long i, max = 0;

	if (f != NULL) {
		if (fscanf(f, "%ld", &max) != 1)
			max = 0;
		fclose(f);
	}
	if (max == 0 || max > 100000)
		return;
	start(NULL);
	for (i = 0; i < max / 2 + 8; i++) {
		tree_mkdir("/etc/d");
		ck_assert_int_eq(rmdir(tree_path("/etc/d")), 0);
	}
	/* Nobody knows what was lost. */
	ck_assert(mk_lookout_changed(lookout));
	ck_assert(!stirs());
	ck_assert(!mk_lookout_changed(lookout));
}
END_TEST

static void
stir_for_ever(void)
{
	for (;;) {
		(void)mkdir(tree_path("/etc/d"), 0755);
		(void)rmdir(tree_path("/etc/d"));
	}
}

/* Whoever writes there all the time does not keep us for ever. */
START_TEST(busy)
{
	int i, status;
	pid_t pid;

	start(NULL);
	pid = fork();
	ck_assert_int_ne(pid, -1);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		stir_for_ever();
	}
	for (i = 0; i < 2000; i++)
		(void)mk_lookout_changed(lookout);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	for (i = 0; i < 3; i++)
		(void)mk_lookout_changed(lookout);
	ck_assert(!stirs());
	tree_text(MAP, "y");
	noticed("the map");
}
END_TEST

/* Where there is no inotify, what can be looked up is noticed. */
START_TEST(without)
{
	struct rlimit limit, none;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 0;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	ck_assert_int_eq(mk_lookout_new(&root, NULL, &lookout, &why), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_int_eq(mk_lookout_fd(lookout), -1);
	ck_assert(mk_lookout_changed(lookout));
	ck_assert(!mk_lookout_changed(lookout));
	tree_text(MAP, "longer than before\n");
	ck_assert(mk_lookout_changed(lookout));
	ck_assert(!mk_lookout_changed(lookout));
	tree_text(USERS "/carol", "x");
	ck_assert(mk_lookout_changed(lookout));
	tree_text(CONFIG, "");
	ck_assert(mk_lookout_changed(lookout));
	replace(MK_PASSWD, "root:x:0:0::/:\n");
	ck_assert(mk_lookout_changed(lookout));
	ck_assert(!mk_lookout_changed(lookout));
	mk_lookout_free(NULL);
}
END_TEST

static int ask[2], answer[2];

/* Says of each step whether it was noticed, and nothing more. */
static int
confined(void)
{
	const struct mk_reach reach = { .n = 0 };
	struct mk_keeper keeper;
	char c = 'r';

	if (mk_keeper_become(&root, &why) != 0 ||
	    mk_keeper_open(&root, &keeper, &why) != 0 ||
	    mk_lookout_new(&root, NULL, &lookout, &why) != 0 ||
	    mk_keeper_confine(&root, &reach, &why) != 0)
		return 1;
	if (mk_lookout_changed(lookout))
		return 2;
	while (write(answer[1], &c, 1) == 1 && read(ask[0], &c, 1) == 1) {
		c = stirs() ? 's' : '-';
		if (mk_lookout_changed(lookout))
			c = c == 's' ? '+' : '?';
		if (mk_lookout_changed(lookout) || stirs())
			c = '!';
	}
	return 0;
}

static void
step(char want)
{
	char c = 'x';

	ck_assert_int_eq(write(ask[1], &c, 1), 1);
	ck_assert_int_eq(read(answer[0], &c, 1), 1);
	ck_assert_msg(c == want, "'%c' for '%c'", c, want);
}

START_TEST(in_sandbox)
{
	char c = 0;
	int status;
	pid_t pid;

	/* As another user, where there is one to become. */
	if (geteuid() == 0) {
		ck_assert_int_eq(chown(tree_path(MK_CACHEDIR), 12345, 12345),
		    0);
		ck_assert_int_eq(chown(tree_path(MK_STATEDIR), 12345, 12345),
		    0);
	}
	ck_assert(pipe(ask) == 0 && pipe(answer) == 0);
	fflush(NULL);
	pid = fork();
	ck_assert_int_ne(pid, -1);
	if (pid == 0) {
		close(ask[1]);
		close(answer[0]);
		_exit(confined());
	}
	close(ask[0]);
	close(answer[1]);
	ck_assert_int_eq(read(answer[0], &c, 1), 1);
	step('-');
	tree_text(MAP, "y");
	step('+');
	replace(MK_PASSWD, "x");
	step('+');
	tree_text("/etc/group", "x");
	step('s');
	tree_text(USERS "/bob", "y");
	step('+');
	tree_mkdir("/etc/new/users");
	tree_text("/etc/new/users/bob", "y");
	step('s');
	ck_assert_int_eq(rename(tree_path(MK_CONFDIR), tree_path("/etc/old")),
	    0);
	step('+');
	ck_assert_int_eq(rename(tree_path("/etc/new"), tree_path(MK_CONFDIR)),
	    0);
	step('+');
	/* Whose watch was begun inside. */
	tree_text(USERS "/bob", "z");
	step('+');
	tree_text(CONFIG, "");
	step('+');
	close(ask[1]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("lookout");
	TCase *t = tcase_create("lookout");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, files, 0, 5);
	tcase_add_test(t, nobodys);
	tcase_add_test(t, half_a_map);
	tcase_add_test(t, appears);
	tcase_add_test(t, moved);
	tcase_add_test(t, links);
	tcase_add_test(t, config_file);
	tcase_add_test(t, overflow);
	tcase_add_test(t, busy);
	tcase_add_test(t, without);
	tcase_add_test(t, in_sandbox);
	suite_add_tcase(s, t);
	return s;
}
