/* SPDX-License-Identifier: ISC */
/* Log lines as the daemons get them, below a root of our own. */
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>

#include "core/buf.h"
#include "core/err.h"
#include "edge/log.h"
#include "edge/root.h"
#include "unit/tree.h"
#include "unit/unit.h"

#define JOURNAL	"/run/systemd/journal/socket"
#define SYSLOG	"/dev/log"

static struct mk_root root;
static struct mk_why why;
static char got[8192];

static void
setup(void)
{
	tree_setup();
	tree_mkdir("/run/systemd/journal");
	tree_mkdir("/dev");
	ck_assert_int_eq(mk_root_open(tree_dir, &root, &why), 0);
}

static void
teardown(void)
{
	mk_log_close();
	mk_root_close(&root);
	tree_teardown();
}

static int
listen_at(const char *name, int type)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_NONBLOCK, 0);

	ck_assert_uint_lt(strlen(tree_path(name)), sizeof(sun.sun_path));
	strcpy(sun.sun_path, tree_path(name));
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	if (type == SOCK_STREAM)
		ck_assert_int_eq(listen(fd, 1), 0);
	return fd;
}

/* The next message, "" if there is none. */
static const char *
next(int fd)
{
	ssize_t n = recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT);

	got[n < 0 ? 0 : n] = '\0';
	return got;
}

START_TEST(journal)
{
	char want[256];
	int fd = listen_at(JOURNAL, SOCK_DGRAM);

	(void)listen_at(SYSLOG, SOCK_DGRAM);
	mk_log_open(&root, "mesh-test", LOG_INFO);
	ck_assert_str_eq(next(fd), "");
	mk_log(LOG_NOTICE, "refused '%s'", "a\nMESSAGE=b\xc3");
	snprintf(want, sizeof(want), "PRIORITY=5\nSYSLOG_FACILITY=10\n"
	    "SYSLOG_IDENTIFIER=mesh-test\nSYSLOG_PID=%ld\n"
	    "MESSAGE=refused 'a?MESSAGE=b?'\n", (long)getpid());
	ck_assert_str_eq(next(fd), want);
}
END_TEST

START_TEST(syslog_socket)
{
	char want[256];
	int fd = listen_at(SYSLOG, SOCK_DGRAM);

	mk_log_open(&root, "mesh-test", LOG_INFO);
	mk_log(LOG_ERR, "x");
	snprintf(want, sizeof(want), "<83>mesh-test[%ld]: x",
	    (long)getpid());
	ck_assert_str_eq(next(fd), want);
}
END_TEST

START_TEST(stream_socket)
{
	int fd = listen_at(SYSLOG, SOCK_STREAM), conn;

	mk_log_open(&root, "mesh-test", LOG_INFO);
	conn = accept(fd, NULL, NULL);
	ck_assert_int_ne(conn, -1);
	mk_log(LOG_ERR, "x");
	ck_assert_ptr_nonnull(strstr(next(conn), "]: x"));
}
END_TEST

START_TEST(levels)
{
	int fd = listen_at(SYSLOG, SOCK_DGRAM);

	mk_log_open(&root, "mesh-test", LOG_NOTICE);
	mk_log(LOG_INFO, "quiet");
	mk_debug("quiet");
	ck_assert_str_eq(next(fd), "");
	mk_log_level(LOG_DEBUG);
	mk_log(LOG_DEBUG, "loud");
	ck_assert_ptr_nonnull(strstr(next(fd), ": loud"));
	mk_log_close();
	mk_log(LOG_ERR, "closed");
	ck_assert_str_eq(next(fd), "");
}
END_TEST

START_TEST(cut)
{
	char big[5000];
	int fd = listen_at(SYSLOG, SOCK_DGRAM);
	size_t n;

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	mk_log_open(&root, "mesh-test", LOG_INFO);
	mk_log(LOG_ERR, "%s", big);
	n = strlen(next(fd));
	ck_assert_uint_gt(n, 2000);
	ck_assert_uint_lt(n, 2400);
	ck_assert_str_eq(got + n - 4, "x...");
}
END_TEST

/* Nobody reads: messages get lost, and no call waits. */
START_TEST(never_blocks)
{
	int i;

	(void)listen_at(SYSLOG, SOCK_DGRAM);
	mk_log_open(&root, "mesh-test", LOG_INFO);
	for (i = 0; i < 5000; i++)
		mk_log(LOG_ERR, "message %d", i);
	mk_log_open(&root, "mesh-test", LOG_INFO);
	mk_log(LOG_ERR, "x");
}
END_TEST

START_TEST(no_daemon)
{
	mk_log_open(&root, "mesh-test", LOG_INFO);
	mk_log(LOG_ERR, "x");
}
END_TEST

START_TEST(debug)
{
	char text[256];
	int fds[2];
	ssize_t n;

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
	mk_log_open(&root, "mesh-test", LOG_ERR);
	mk_log_debug(true);
	mk_log(LOG_INFO, "one %d", 1);
	mk_debug("two\n");
	n = read(fds[0], text, sizeof(text) - 1);
	ck_assert_int_gt(n, 0);
	text[n] = '\0';
	ck_assert_str_eq(text, "mesh-test: one 1\nmesh-test: two?\n");
}
END_TEST

START_TEST(values)
{
	struct mk_buf b;

	mk_buf_init(&b, 1000);
	mk_log_value(&b, "event", "akc.match");
	mk_log_value(&b, "user", "a b=c\n%");
	mk_log_value(&b, "udf", NULL);
	mk_log_value(&b, "x", "-");
	ck_assert_str_eq(b.data,
	    "event=akc.match user=a%20b%3Dc%0A%25 udf=- x=%2D");
	mk_buf_release(&b);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("log");
	TCase *t = tcase_create("log");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, journal);
	tcase_add_test(t, syslog_socket);
	tcase_add_test(t, stream_socket);
	tcase_add_test(t, levels);
	tcase_add_test(t, cut);
	tcase_add_test(t, never_blocks);
	tcase_add_test(t, no_daemon);
	tcase_add_test(t, debug);
	tcase_add_test(t, values);
	suite_add_tcase(s, t);
	return s;
}
