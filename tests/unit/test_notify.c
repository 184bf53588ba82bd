/* SPDX-License-Identifier: ISC */
/* Telling who started us: which socket, how often, and never for long. */
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <errno.h>
#include <stddef.h>

#include "core/err.h"
#include "edge/keeper.h"
#include "edge/notify.h"
#include "unit/tree.h"
#include "unit/unit.h"

#define SOCKET	"/etc/notify"	/* below the tree */
#define LONGEST	(sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1)

static struct mk_notify notify;
static int peer;

static void
setup(void)
{
	tree_setup();
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	peer = -1;
}

static void
teardown(void)
{
	mk_notify_close(&notify);
	if (peer >= 0)
		close(peer);
	tree_teardown();
}

/* Listens under a name as it stands in the environment. */
static void
listen_at(const char *name)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	size_t len = strlen(name);

	ck_assert_uint_le(len, LONGEST);
	memcpy(sun.sun_path, name, len);
	if (name[0] == '@')
		sun.sun_path[0] = '\0';
	peer = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	ck_assert_int_ge(peer, 0);
	len += offsetof(struct sockaddr_un, sun_path);
	ck_assert_int_eq(bind(peer, (struct sockaddr *)&sun,
	    (socklen_t)len), 0);
}

static void
open_for(const char *name)
{
	ck_assert_int_eq(setenv("NOTIFY_SOCKET", name, 1), 0);
	mk_notify_open(&notify);
}

static void
hears(const char *text)
{
	char got[256] = "";

	ck_assert_int_eq(recv(peer, got, sizeof(got) - 1, 0),
	    (int)strlen(text));
	ck_assert_str_eq(got, text);
}

START_TEST(nobody)
{
	setenv("WATCHDOG_USEC", "1000000", 1);
	mk_notify_open(&notify);
	ck_assert_int_eq(notify.fd, -1);
	ck_assert_int_eq(notify.watchdog_ms, 0);
	mk_notify(&notify, "READY=1");
	mk_notify_close(&notify);
	open_for(tree_path(SOCKET));
	ck_assert_int_eq(notify.fd, -1);
	mk_notify(&notify, "READY=1");
}
END_TEST

START_TEST(path)
{
	listen_at(tree_path(SOCKET));
	open_for(tree_path(SOCKET));
	ck_assert_int_ge(notify.fd, 0);
	ck_assert_int_ne(fcntl(notify.fd, F_GETFD) & FD_CLOEXEC, 0);
	ck_assert_int_eq(notify.watchdog_ms, 0);
	mk_notify(&notify, "READY=1\nSTATUS=watching");
	hears("READY=1\nSTATUS=watching");
	/* Who has gone does not stop us, nor kill us by SIGPIPE. */
	close(peer);
	peer = -1;
	mk_notify(&notify, "WATCHDOG=1");
	mk_notify_close(&notify);
	ck_assert_int_eq(notify.fd, -1);
	mk_notify_close(&notify);
}
END_TEST

START_TEST(abstract)
{
	char name[64];

	snprintf(name, sizeof(name), "@mk-test-%ld", (long)getpid());
	listen_at(name);
	open_for(name);
	ck_assert_int_ge(notify.fd, 0);
	mk_notify(&notify, "READY=1");
	hears("READY=1");
}
END_TEST

/* A name of as many bytes, '@' or the path included. */
static const char *
name_of(size_t len, char first)
{
	static char name[256];

	memset(name, 'x', len);
	name[len] = '\0';
	if (first == '@')
		snprintf(name, sizeof(name), "@mk-test-%ld-", (long)getpid());
	else
		strcpy(name, tree_path("/etc/"));
	ck_assert_uint_lt(strlen(name), len);
	name[strlen(name)] = 'x';
	return name;
}

START_TEST(long_names)
{
	char first = _i == 0 ? '/' : '@';

	listen_at(name_of(LONGEST, first));
	open_for(name_of(LONGEST, first));
	ck_assert_int_ge(notify.fd, 0);
	mk_notify(&notify, "x");
	hears("x");
	mk_notify_close(&notify);
	/* Cut, it would be the one that listens. */
	open_for(name_of(LONGEST + 1, first));
	ck_assert_int_eq(notify.fd, -1);
	open_for(name_of(LONGEST + 100, first));
	ck_assert_int_eq(notify.fd, -1);
}
END_TEST

START_TEST(no_names)
{
	static const char *const names[] = {
		"", "/", "@", "notify", "./notify", "vsock:2:1234", " /x"
	};

	ck_assert_int_eq(chdir(tree_path("/etc")), 0);
	listen_at("notify");
	open_for(names[_i]);
	ck_assert_int_eq(notify.fd, -1);
	ck_assert_int_eq(chdir("/"), 0);
}
END_TEST

static int64_t
watchdog(const char *usec, const char *pid)
{
	setenv("WATCHDOG_USEC", usec, 1);
	if (pid == NULL)
		unsetenv("WATCHDOG_PID");
	else
		setenv("WATCHDOG_PID", pid, 1);
	open_for(tree_path(SOCKET));
	ck_assert_int_ge(notify.fd, 0);
	mk_notify_close(&notify);
	open_for(tree_path(SOCKET));
	return notify.watchdog_ms;
}

START_TEST(watchdogs)
{
	char pid[24];

	listen_at(tree_path(SOCKET));
	ck_assert_int_eq(watchdog("30000000", NULL), 15000);
	ck_assert_int_eq(watchdog("1", NULL), 1);
	ck_assert_int_eq(watchdog("0", NULL), 0);
	ck_assert_int_eq(watchdog("", NULL), 0);
	ck_assert_int_eq(watchdog("-2000000", NULL), 0);
	ck_assert_int_eq(watchdog("2000000 ", NULL), 0);
	ck_assert_int_eq(watchdog("2000000s", NULL), 0);
	ck_assert_int_eq(watchdog("18446744073709551615", NULL), 0);
	ck_assert_int_eq(watchdog("9223372036854775807", NULL), 0);
	ck_assert_int_eq(watchdog("9000000000000000000", NULL),
	    4500000000000000);
	snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	ck_assert_int_eq(watchdog("2000000", pid), 1000);
	snprintf(pid, sizeof(pid), "%ld", (long)getppid());
	ck_assert_int_eq(watchdog("2000000", pid), 1000);
	ck_assert_int_eq(watchdog("2000000", "1234567890123"), 0);
	ck_assert_int_eq(watchdog("2000000", ""), 0);
	ck_assert_int_eq(watchdog("2000000", "x"), 0);
}
END_TEST

/* One who does not listen does not hold us up. */
START_TEST(full)
{
	int i;

	listen_at(tree_path(SOCKET));
	open_for(tree_path(SOCKET));
	/* Else there is no telling whose flag it is. */
	ck_assert_int_eq(fcntl(notify.fd, F_SETFL, 0), 0);
	for (i = 0; i < 10000; i++)
		mk_notify(&notify, "WATCHDOG=1");
	hears("WATCHDOG=1");
}
END_TEST

static int
confined(void)
{
	const struct mk_reach reach = { .n = 0 };
	struct mk_keeper keeper;
	struct mk_root root;
	struct mk_why why;

	if (mk_root_open(tree_dir, &root, &why) != 0 ||
	    mk_keeper_open(&root, &keeper, &why) != 0 ||
	    mk_keeper_confine(&root, &reach, &why) != 0)
		return 1;
	mk_notify(&notify, "STATUS=confined");
	return 0;
}

START_TEST(in_sandbox)
{
	char name[64];
	int status;
	pid_t pid;

	snprintf(name, sizeof(name), "@mk-test-%ld", (long)getpid());
	listen_at(_i == 0 ? tree_path(SOCKET) : name);
	open_for(_i == 0 ? tree_path(SOCKET) : name);
	fflush(NULL);
	pid = fork();
	ck_assert_int_ne(pid, -1);
	if (pid == 0)
		_exit(confined());
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	hears("STATUS=confined");
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("notify");
	TCase *t = tcase_create("notify");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, nobody);
	tcase_add_test(t, path);
	tcase_add_test(t, abstract);
	tcase_add_loop_test(t, long_names, 0, 2);
	tcase_add_loop_test(t, no_names, 0, 7);
	tcase_add_test(t, watchdogs);
	tcase_add_test(t, full);
	tcase_add_loop_test(t, in_sandbox, 0, 2);
	suite_add_tcase(s, t);
	return s;
}
