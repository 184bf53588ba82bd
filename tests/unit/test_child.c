/* SPDX-License-Identifier: ISC */
/* Running other programs. */
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
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

/* Beyond its maximum it is read and lost, so that nobody waits. */
START_TEST(errors)
{
	const char *const argv[] = { "sh", "-c", "echo no >&2; echo yes; "
	    "head -c 300000 /dev/zero | tr '\\0' x >&2; exit 6", NULL };
	struct mk_buf err;
	const struct mk_child child = { .argv = argv, .seconds = 20,
	    .err = &err };

	mk_buf_init(&err, 10);
	ck_assert_int_eq(mk_child_run(&child, &out, &status, &why), 0);
	ck_assert_int_eq(status, 6);
	ck_assert_str_eq(out.data, "yes\n");
	ck_assert_str_eq(err.data, "no\nxxxxxxx");
	mk_buf_release(&err);
}
END_TEST

START_TEST(environment)
{
	char one[] = "ONE=1 2", *const env[] = { one, NULL };
	const char *const argv[] = { "env", NULL };
	const struct mk_child child = { .argv = argv, .seconds = 20,
	    .env = env };

	ck_assert_int_eq(mk_child_run(&child, &out, &status, &why), 0);
	ck_assert_str_eq(out.data, "ONE=1 2\n");
}
END_TEST

/* What is no program no shell gets to read. */
START_TEST(no_shell)
{
	char path[] = "/var/tmp/mk-test-XXXXXX";
	const char *const argv[] = { path, NULL };
	const struct mk_child child = { .argv = argv, .seconds = 20 };
	int fd = mkstemp(path);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(write(fd, "echo run\n", 9), 9);
	ck_assert_int_eq(fchmod(fd, 0755), 0);
	close(fd);
	ck_assert_int_eq(mk_child_run(&child, &out, &status, &why),
	    MK_E_SYSTEM);
	ck_assert_uint_eq(out.len, 0);
	unlink(path);
}
END_TEST

/* As sshd runs a command, and with no way back. */
START_TEST(another)
{
	const char *const argv[] = { "sh", "-c", "id -u; id -g; id -G; pwd; "
	    "umask; grep ^CapEff /proc/self/status | tr -d '\t 0'; "
	    "grep -E '^[UG]id:' /proc/self/status | tr '\t' ' '", NULL };
	const struct mk_child_as as = { "daemon", 1, 1 };
	const struct mk_child child = { .argv = argv, .seconds = 20,
	    .as = &as };
	const gid_t group = 4;

	(void)umask(0);
	if (geteuid() != 0) {
		ck_assert_int_eq(mk_child_run(&child, &out, &status, &why),
		    MK_E_PERM);
		return;
	}
	ck_assert_int_eq(setgroups(1, &group), 0);
	ck_assert_int_eq(mk_child_run(&child, &out, &status, &why), 0);
	ck_assert_ptr_nonnull(out.data);
	ck_assert_str_eq(out.data, "1\n1\n1\n/\n0022\nCapEff:\n"
	    "Uid: 1 1 1 1\nGid: 1 1 1 1\n");
}
END_TEST

/* What it has started ends with it. */
START_TEST(another_too_long)
{
	const char *const argv[] = { "sh", "-c", "sleep 31 & echo $!; wait",
	    NULL };
	const struct mk_child_as as = { "daemon", 1, 1 };
	const struct mk_child child = { .argv = argv, .seconds = 1,
	    .as = &as };
	int ended = 0;

	if (geteuid() != 0)
		return;
	/* So that its orphan becomes ours. */
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
	ck_assert_int_eq(mk_child_run(&child, &out, &status, &why),
	    MK_E_STALE);
	ck_assert_ptr_nonnull(out.data);
	ck_assert_int_gt(waitpid((pid_t)strtol(out.data, NULL, 10), &ended,
	    0), 0);
	ck_assert(WIFSIGNALED(ended));
}
END_TEST

/* What is told of it, by nothing but its standard output. */
static int
tell_of_it(void *arg)
{
	const int *fd = arg;

	dprintf(STDOUT_FILENO, "%u %d\n", (unsigned)geteuid(),
	    fcntl(*fd, F_GETFD));
	return 7;
}

START_TEST(called)
{
	int fd = dup(STDERR_FILENO);
	const char *const argv[] = { "a function", NULL };
	const struct mk_child_as as = { "daemon", 1, 1 };
	const struct mk_child child = { .argv = argv, .call = tell_of_it,
	    .arg = &fd, .seconds = 20, .as = geteuid() == 0 ? &as : NULL };
	char expected[64];

	snprintf(expected, sizeof(expected), "%u -1\n",
	    geteuid() == 0 ? 1U : (unsigned)geteuid());
	ck_assert_int_eq(mk_child_run(&child, &out, &status, &why), 0);
	ck_assert_str_eq(out.data, expected);
	ck_assert_int_eq(status, 7);
	close(fd);
}
END_TEST

/* Traced by one that does not let go, so that it cannot be waited for. */
static int
be_held(void *arg)
{
	int *ready = arg;
	const pid_t me = getpid();

	(void)prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
	if (fork() == 0) {
		*ready = ptrace(PTRACE_SEIZE, me, 0, 0) == 0 ? 1 : -1;
		sleep(30);
		_exit(0);
	}
	for (;;)
		pause();
}

START_TEST(held)
{
	const char *const argv[] = { "a function", NULL };
	int *ready = mmap(NULL, sizeof(*ready), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	const struct mk_child child = { .argv = argv, .call = be_held,
	    .arg = ready, .seconds = 1 };

	ck_assert_ptr_ne(ready, MAP_FAILED);
	/* It comes back at all: the test has a limit, below the tracer's. */
	ck_assert_int_eq(mk_child_run(&child, &out, &status, &why),
	    MK_E_STALE);
	ck_assert_int_ne(*ready, 0);
	munmap(ready, sizeof(*ready));
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
	tcase_add_test(t, errors);
	tcase_add_test(t, environment);
	tcase_add_test(t, no_shell);
	tcase_add_test(t, another);
	tcase_add_test(t, another_too_long);
	tcase_add_test(t, called);
	suite_add_tcase(s, t);
	t = tcase_create("held");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 25);
	tcase_add_test(t, held);
	suite_add_tcase(s, t);
	return s;
}
