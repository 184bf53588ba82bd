/* SPDX-License-Identifier: ISC */
/* Running other programs. */
#include <sys/wait.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/err.h"
#include "edge/child.h"
#include "unit/unit.h"

#define LARGE	(1u << 20)

static struct mk_buf out;
static struct mk_why why;
static int status;

static void
setup(void)
{
	memset(&why, 0, sizeof(why));
	mk_buf_init(&out, LARGE);
	status = -1;
}

static void
teardown(void)
{
	mk_buf_release(&out);
}

/* Runs a line of sh(1) that reads 'in'. */
static int
sh(const char *line, const void *in, size_t len, unsigned seconds)
{
	const char *const argv[] = { "sh", "-c", line, NULL };
	const struct mk_child child = { .argv = argv, .in = in,
	    .in_len = len, .seconds = seconds };

	return mk_child_run(&child, &out, &status, &why);
}

static void
assert_runs(const char *line, int expected, const char *text)
{
	mk_buf_cut(&out, 0);
	ck_assert_int_eq(sh(line, NULL, 0, 20), 0);
	ck_assert_int_eq(status, expected);
	ck_assert_str_eq(out.data == NULL ? "" : out.data, text);
}

START_TEST(ends)
{
	assert_runs("exit 0", 0, "");
	assert_runs("echo hello; exit 3", 3, "hello\n");
	assert_runs("kill -TERM $$", 128 + SIGTERM, "");
	assert_runs("exec >&-; exit 7", 7, "");
	/* Without input there is none. */
	assert_runs("cat; echo done", 0, "done\n");
	assert_runs("readlink /proc/self/fd/0", 0, "/dev/null\n");
}
END_TEST

START_TEST(absent)
{
	const char *const argv[] = { "no-such-program-here", NULL };
	const struct mk_child child = { .argv = argv };

	ck_assert_int_eq(mk_child_run(&child, &out, &status, &why),
	    MK_E_ABSENT);
	ck_assert_str_eq(why.detail, "cannot run 'no-such-program-here': "
	    "there is no such program");
	ck_assert_int_eq(status, -1);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
}
END_TEST

START_TEST(not_a_program)
{
	const char *const argv[] = { "/dev/null", NULL };
	const struct mk_child child = { .argv = argv };

	ck_assert_int_eq(mk_child_run(&child, &out, &status, &why),
	    MK_E_SYSTEM);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
}
END_TEST

/* No shell takes arguments apart. */
START_TEST(arguments)
{
	const char *const argv[] = { "printf", "%s.", "a b", "$HOME;", "",
	    NULL };
	const struct mk_child child = { .argv = argv, .seconds = 20 };

	ck_assert_int_eq(mk_child_run(&child, &out, &status, &why), 0);
	ck_assert_str_eq(out.data, "a b.$HOME;..");
}
END_TEST

/* More than a pipe holds, both ways at once. */
START_TEST(through)
{
	char *in = malloc(LARGE);

	ck_assert_ptr_nonnull(in);
	memset(in, 'x', LARGE);
	ck_assert_int_eq(sh("cat", in, LARGE, 20), 0);
	ck_assert_uint_eq(out.len, LARGE);
	ck_assert_int_eq(memcmp(in, out.data, LARGE), 0);
	/* One that does not read it ends no one. */
	mk_buf_cut(&out, 0);
	ck_assert_int_eq(sh("exec <&-; echo hello; exit 4", in, LARGE, 20),
	    0);
	ck_assert_int_eq(status, 4);
	ck_assert_str_eq(out.data, "hello\n");
	free(in);
}
END_TEST

START_TEST(too_much)
{
	const time_t begun = time(NULL);

	ck_assert_int_eq(sh("exec yes", NULL, 0, 20), MK_E_REFUSED);
	ck_assert_int_lt(time(NULL) - begun, 5);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
}
END_TEST

START_TEST(too_long)
{
	const time_t begun = time(NULL);

	ck_assert_int_eq(sh("exec sleep 30", NULL, 0, 1), MK_E_STALE);
	ck_assert_str_eq(why.detail, "'sh' did not end within 1 seconds");
	/* One that closed its output, and one that will not listen. */
	ck_assert_int_eq(sh("exec >&-; exec sleep 30", NULL, 0, 1),
	    MK_E_STALE);
	ck_assert_int_eq(sh("trap '' TERM; while :; do sleep 1; done", NULL,
	    0, 1), MK_E_STALE);
	ck_assert_int_lt(time(NULL) - begun, 12);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
}
END_TEST

/* Who stays behind with our pipe does not hold us up. */
START_TEST(background)
{
	const time_t begun = time(NULL);

	ck_assert_int_eq(sh("sleep 15 & echo hello", NULL, 0, 0), 0);
	ck_assert_str_eq(out.data, "hello\n");
	ck_assert_int_lt(time(NULL) - begun, 10);
}
END_TEST

/* Nothing of ours is open there but the standard ones, wherever it is. */
START_TEST(descriptors)
{
	int low = open("/dev/null", O_RDONLY), high;

	ck_assert_int_ne(low, -1);
	high = fcntl(low, F_DUPFD, 200);
	ck_assert_int_ne(high, -1);
	ck_assert_int_eq(sh("for fd in /proc/$$/fd/*; do "
	    "echo ${fd##*/}; done", NULL, 0, 20), 0);
	/* The shell may have some of its own, lower ones. */
	ck_assert_ptr_nonnull(strstr(out.data, "0\n1\n2\n"));
	ck_assert_ptr_null(strstr(out.data, "200\n"));
	close(low);
	close(high);
}
END_TEST

START_TEST(closed_standard)
{
	int saved[3], fd;

	for (fd = 0; fd < 3; fd++)
		saved[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 10);
	for (fd = 0; fd < 3; fd++)
		close(fd);
	(void)sh("cat; exit 5", "hello", 5, 20);
	for (fd = 0; fd < 3; fd++) {
		(void)dup2(saved[fd], fd);
		close(saved[fd]);
	}
	ck_assert_int_eq(status, 5);
	ck_assert_str_eq(out.data, "hello");
	mk_buf_cut(&out, 0);
	saved[0] = fcntl(0, F_DUPFD_CLOEXEC, 10);
	close(0);
	(void)sh("cat; echo done", NULL, 0, 20);
	(void)dup2(saved[0], 0);
	close(saved[0]);
	ck_assert_str_eq(out.data, "done\n");
}
END_TEST

/* What we block or ignore it does not; and our own ways stay. */
START_TEST(signals)
{
	struct sigaction act;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	ck_assert_int_eq(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	(void)signal(SIGINT, SIG_IGN);
	assert_runs("kill -TERM $$", 128 + SIGTERM, "");
	assert_runs("kill -INT $$", 128 + SIGINT, "");
	assert_runs("kill -PIPE $$", 128 + SIGPIPE, "");
	ck_assert_int_eq(sigaction(SIGPIPE, NULL, &act), 0);
	ck_assert_ptr_eq((void *)(uintptr_t)act.sa_handler,
	    (void *)(uintptr_t)SIG_DFL);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("child");
	TCase *t = tcase_create("child");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, ends);
	tcase_add_test(t, absent);
	tcase_add_test(t, not_a_program);
	tcase_add_test(t, arguments);
	tcase_add_test(t, through);
	tcase_add_test(t, too_much);
	tcase_add_test(t, too_long);
	tcase_add_test(t, background);
	tcase_add_test(t, descriptors);
	tcase_add_test(t, closed_standard);
	tcase_add_test(t, signals);
	suite_add_tcase(s, t);
	return s;
}
