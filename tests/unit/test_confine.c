/* SPDX-License-Identifier: ISC */
/* What the process that keeps the stores can and cannot do any more. */
#include <config.h>

#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>

#include "core/err.h"
#include "edge/everyone.h"
#include "edge/keeper.h"
#include "unit/tree.h"
#include "unit/unit.h"

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset	444
#endif

#define F1	"MA6SH-QRVCQ-DA2ND-PJ4J7-SW3KF-VYCQU"
#define SET	MK_CACHEDIR "/" F1 ".json"

static struct mk_root root;
static struct mk_keeper keeper;
static struct mk_udf udf;
static struct mk_why why;

static const char *config_file;

static int pair[2];	/* as the socket of the log */
static pid_t other;	/* a process that was started before */

static void
setup(void)
{
	tree_setup();
	ck_assert_int_eq(mk_root_open(tree_dir, &root, &why), 0);
	ck_assert(mk_udf_parse(F1, MK_UDF_TEXT, &udf));
	tree_mkdir("/srv/portal");
	tree_mkdir("/srv/secret");
	tree_text("/srv/portal/set", "x");
	tree_text("/srv/secret/key", "x");
	tree_text(MK_CONFDIR "/map", "alice " F1 "\n");
}

static void
teardown(void)
{
	mk_root_close(&root);
	tree_teardown();
}

/* Opens the stores and gives up the rest. */
static int
confine(void)
{
	static const char *const dirs[] = { "/srv/portal", "/srv/none" };
	const struct mk_reach reach = { config_file, dirs, 2 };

	if (mk_keeper_open(&root, &keeper, &why) != 0)
		return -1;
	return mk_keeper_confine(&root, &reach, &why);
}

/* What a child that runs the test exits with. */
static int
in_child(int (*test)(void))
{
	int status;
	pid_t pid;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	fflush(NULL);
	pid = fork();
	ck_assert_int_ne(pid, -1);
	if (pid == 0)
		_exit(test());
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status), "killed by signal %d",
	    WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	return WEXITSTATUS(status);
}

static bool
can_open(const char *name, int flags)
{
	int fd = open(tree_path(name), flags | O_CLOEXEC, 0644);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static int
write_all_files(void)
{
	const struct mk_why refusal = { MK_E_REFUSED, "test", "forged" };
	const uint8_t data[] = "{}";

	if (mk_store_put_set(&keeper.store, &udf, data, 2, &why) != 0 ||
	    mk_store_put_set(&keeper.store, &udf, data, 2, &why) != 0)
		return 2;
	if (mk_store_remember(&keeper.store, &udf, data, 2, &why) != 0 ||
	    mk_store_put_keys(&keeper.store, &udf, data, 2, &why) != 0)
		return 3;
	if (mk_store_confirm(&keeper.store, &udf, &why) != 0)
		return 4;
	if (!mk_store_note_refusal(&keeper.store, &udf, &refusal, 1) ||
	    mk_store_note_refusal(&keeper.store, &udf, &refusal, 1))
		return 5;
	mk_store_forget_refusal(&keeper.store, &udf);
	return access(tree_path(MK_CACHEDIR "/" F1 ".refused"), F_OK) == 0;
}

static int
stores_work(void)
{
	struct mk_file file;
	int r;

	if (confine() != 0)
		return 1;
	r = write_all_files();
	if (r != 0)
		return r;
	if (mk_store_set(&keeper.store, &udf, 9, &file, &why) != 0)
		return 6;
	mk_file_release(&file);
	if (!can_open(SET, O_RDWR | O_TRUNC))
		return 7;
	/* The lock too, when its file was removed meanwhile. */
	if (unlink(tree_path(MK_STATEDIR "/.lock")) != 0 ||
	    mk_keeper_lock(&keeper, &why) != 0)
		return 8;
	mk_keeper_unlock(&keeper);
	return 0;
}

/* As on SIGHUP: passwd is another file by then. */
static int
rereads(void)
{
	struct mk_everyone all;
	struct mk_config config;

	if (confine() != 0)
		return 1;
	if (mk_config_load(&root, config_file, &config, &why) != 0)
		return 2;
	if (mk_everyone_read(&root, &config, NULL, &all, &why) != 0)
		return 3;
	if (all.n != 2 || all.bad_lines != 0)
		return 4;
	return can_open("/srv/portal/set", O_RDONLY) ? 0 : 5;
}

/* The directory of the configuration is another one meanwhile. */
static int
new_directory(void)
{
	char c;

	if (confine() != 0)
		return 1;
	if (send(pair[0], "x", 1, 0) != 1 || recv(pair[0], &c, 1, 0) != 1)
		return 3;
	return can_open(MK_CONFDIR "/map", O_RDONLY) ? 0 : 2;
}

START_TEST(works)
{
	ck_assert_int_eq(in_child(stores_work), 0);
	tree_text(MK_CONFDIR "/users/bob", "MAFJL-LKNEA-TYWHV-OONKZ-KCBLE-"
	    "TCRKQ\n");
	tree_text(MK_PASSWD, "root:x:0:0::/:\n");
	ck_assert_int_eq(in_child(rereads), 0);
	tree_mkdir("/srv/conf");
	tree_text("/srv/conf/x.conf", "");
	config_file = tree_path("/srv/conf/x.conf");
	ck_assert_int_eq(in_child(rereads), 0);
}
END_TEST

START_TEST(renamed)
{
	int status;
	pid_t pid;
	char c;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	tree_mkdir("/srv/new");
	tree_text("/srv/new/map", "");
	fflush(NULL);
	pid = fork();
	ck_assert_int_ne(pid, -1);
	if (pid == 0)
		_exit(new_directory());
	ck_assert_int_eq(recv(pair[1], &c, 1, 0), 1);
	ck_assert_int_eq(rename(tree_path(MK_CONFDIR), tree_path("/srv/old")),
	    0);
	ck_assert_int_eq(rename(tree_path("/srv/new"), tree_path(MK_CONFDIR)),
	    0);
	ck_assert_int_eq(send(pair[1], &c, 1, 0), 1);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

/* Of what was open before. */
static int
talks(void)
{
	if (confine() != 0)
		return 1;
	if (send(pair[0], "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL) != 1)
		return 2;
	return kill(other, SIGKILL) == 0 ? 0 : 3;
}

START_TEST(open_ones)
{
	int status;
	char c;

	other = fork();
	ck_assert_int_ne(other, -1);
	if (other == 0)
		for (;;)
			pause();
	ck_assert_int_eq(in_child(talks), 0);
	ck_assert_int_eq(read(pair[1], &c, 1), 1);
	ck_assert_int_eq(waitpid(other, &status, 0), other);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}
END_TEST

#if MK_SANDBOX

static int
keeps_out(void)
{
	if (confine() != 0)
		return 1;
	if (can_open("/srv/secret/key", O_RDONLY))
		return 2;
	if (can_open("/srv/portal/set", O_WRONLY))
		return 3;
	if (can_open(MK_CONFDIR "/map", O_WRONLY))
		return 4;
	if (can_open(MK_CONFDIR "/new", O_WRONLY | O_CREAT))
		return 5;
	if (unlink(tree_path(MK_CONFDIR "/map")) == 0)
		return 6;
	if (mkdir(tree_path(MK_CACHEDIR "/d"), 0755) == 0)
		return 7;
	if (symlink("x", tree_path(MK_CACHEDIR "/l")) == 0)
		return 8;
	if (rename(tree_path(MK_CONFDIR "/map"),
	    tree_path(MK_CACHEDIR "/map")) == 0)
		return 9;
	if (open("/bin/sh", O_RDONLY | O_CLOEXEC) != -1)
		return 10;
	return 0;
}

START_TEST(files)
{
	if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 1)
		return;
	ck_assert_int_eq(in_child(keeps_out), 0);
}
END_TEST

static int
reads_only(void)
{
	const struct mk_reach reach = { .reads_only = true };
	struct mk_store store;
	struct mk_file file;

	if (mk_keeper_confine(&root, &reach, &why) != 0)
		return 1;
	mk_store_open(&root, &store);
	if (mk_store_set(&store, &udf, 9, &file, &why) != 0)
		return 2;
	mk_file_release(&file);
	mk_store_close(&store);
	return can_open(SET, O_RDWR) || unlink(tree_path(SET)) == 0 ? 3 : 0;
}

/* A store that is absent is no reason to keep everything in reach. */
START_TEST(reads)
{
	if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 1)
		return;
	tree_text(SET, "x");
	ck_assert_int_eq(in_child(reads_only), 0);
	ck_assert_int_eq(rename(tree_path(MK_STATEDIR),
	    tree_path(MK_STATEDIR "-gone")), 0);
	ck_assert_int_eq(in_child(reads_only), 0);
}
END_TEST

static int
connects(void)
{
	const struct sockaddr_in to = { .sin_family = AF_INET };

	return connect(pair[0], (const struct sockaddr *)&to, sizeof(to));
}

static int
opens_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static int
opens_pair(void)
{
	return socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
}

static int
listens(void)
{
	return listen(pair[0], 1);
}

static int
accepts(void)
{
	return accept(pair[0], NULL, NULL);
}

static int
executes(void)
{
	static char name[] = "/bin/true";
	char *argv[] = { name, NULL };

	return execv(name, argv);
}

static int
forks(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return (int)pid;
}

static int
traces(void)
{
	return (int)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static int
mounts(void)
{
	return mount("none", tree_path("/srv"), "tmpfs", 0, NULL);
}

static int
unshares(void)
{
	return unshare(CLONE_NEWUSER);
}

static int
loads(void)
{
	return (int)syscall(SYS_bpf, 0, NULL, 0);
}

static int
types(void)
{
	return ioctl(pair[0], TIOCSTI, "x");
}

static int (*const forbidden[])(void) = {
	connects, opens_socket, opens_pair, listens, accepts, executes,
	forks, traces, mounts, unshares, loads, types
};

#define N_FORBIDDEN	(int)(sizeof(forbidden) / sizeof(forbidden[0]))

static int chosen;

/* The process goes on: a denied call is no reason to lose a host's news. */
static int
tries(void)
{
	if (confine() != 0)
		return 1;
	errno = 0;
	if (forbidden[chosen]() != -1)
		return 2;
	return errno == EPERM ? 0 : 3;
}

START_TEST(calls)
{
	chosen = _i;
	ck_assert_int_eq(in_child(tries), 0);
}
END_TEST

#ifdef SYS_clone3
static int
clones(void)
{
	if (confine() != 0)
		return 1;
	return syscall(SYS_clone3, NULL, 0) == -1 && errno == ENOSYS ? 0 : 2;
}

START_TEST(clone3)
{
	ck_assert_int_eq(in_child(clones), 0);
}
END_TEST
#endif

#endif

static int
no_stores(void)
{
	const struct mk_reach reach = { .n = 0 };

	if (rmdir(tree_path(MK_CACHEDIR)) != 0)
		return 1;
	if (mk_keeper_confine(&root, &reach, &why) == 0 && MK_SANDBOX)
		return 2;
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : 3;
}

START_TEST(absent)
{
	ck_assert_int_eq(in_child(no_stores), 0);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("confine");
	TCase *t = tcase_create("confine");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, works);
	tcase_add_test(t, renamed);
	tcase_add_test(t, open_ones);
	tcase_add_test(t, absent);
#if MK_SANDBOX
	tcase_add_test(t, files);
	tcase_add_test(t, reads);
	tcase_add_loop_test(t, calls, 0, N_FORBIDDEN);
#ifdef SYS_clone3
	tcase_add_test(t, clone3);
#endif
#endif
	suite_add_tcase(s, t);
	return s;
}
