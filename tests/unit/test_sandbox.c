/* SPDX-License-Identifier: ISC */
/* What is given up, tried in children that may die of it. */
#include <config.h>

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/err.h"
#include "edge/confine.h"
#include "edge/log.h"
#include "edge/sandbox.h"
#include "unit/unit.h"

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset	444
#endif

#define MIB	(1u << 20)

static int fds[2];	/* a pipe, to be used in the sandbox */
static int pair[2];	/* a connected socket, as that of the log */

/* Runs a test in a child; gives its wait status. */
static int
in_child(int (*test)(void))
{
	int status;
	pid_t pid;

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	pid = fork();
	ck_assert_int_ne(pid, -1);
	if (pid == 0)
		_exit(test());
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

static int
status_of(int (*test)(void))
{
	int status = in_child(test);

	ck_assert_msg(WIFEXITED(status), "killed by signal %d",
	    WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	return WEXITSTATUS(status);
}

static int
limits(void)
{
	struct rlimit lim;
	sigset_t set;
	int high, fd;

	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	signal(SIGALRM, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	high = fcntl(fds[0], F_DUPFD, 100);
	close(0);
	close(2);
	if (mk_process_limits(7, NULL) != 0)
		return 1;
	for (fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) == -1)
			return 2;
	}
	if (fcntl(high, F_GETFD) != -1)
		return 3;
	if (getrlimit(RLIMIT_CORE, &lim) != 0 || lim.rlim_cur != 0)
		return 4;
	if (getrlimit(RLIMIT_CPU, &lim) != 0 || lim.rlim_cur != 7)
		return 5;
	if (alarm(0) == 0)
		return 6;
	if (signal(SIGPIPE, SIG_DFL) != SIG_IGN ||
	    signal(SIGALRM, SIG_DFL) != SIG_DFL ||
	    signal(SIGCHLD, SIG_DFL) != SIG_DFL)
		return 7;
	sigprocmask(SIG_SETMASK, NULL, &set);
	return sigismember(&set, SIGALRM) ? 8 : 0;
}

START_TEST(process_limits)
{
	ck_assert_int_eq(status_of(limits), 0);
}
END_TEST

#ifdef SYS_close_range
/* As on a kernel that cannot close many descriptors at once. */
static int
old_kernel(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close_range, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
	};
	struct sock_fprog program = { 4, filter };
	int fd;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0)
		return 0;
	if ((fd = limits()) != 0)
		return fd;
	if (pipe(fds) != 0 || mk_process_isolate(fds[1], NULL) != 0)
		return 10;
	for (fd = 0; fd < 200; fd++) {
		if ((fcntl(fd, F_GETFD) != -1) != (fd == fds[1]))
			return 11;
	}
	return 0;
}

START_TEST(process_limits_old_kernel)
{
	ck_assert_int_eq(status_of(old_kernel), 0);
}
END_TEST
#endif

static int
hang(void)
{
	if (mk_process_limits(1, NULL) != 0)
		return 1;
	for (;;)
		pause();
}

START_TEST(wall_time)
{
	int status = in_child(hang);

	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM);
}
END_TEST

/* A file that is larger than the output ends the process. */
static int
flood(void)
{
	int fd = fileno(tmpfile());
	char block[4096] = "";

	if (mk_sandbox_close(64 * MIB, sizeof(block), NULL) != 0)
		return 1;
	if (write(fd, block, sizeof(block)) != sizeof(block))
		return 2;
	(void)!write(fd, block, sizeof(block));
	return 3;
}

START_TEST(output)
{
	int status = in_child(flood);

	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ);
}
END_TEST

#if MK_SANDBOX

static int
computes(void)
{
	char *p, *q;

	if (mk_sandbox_close(64 * MIB, MIB, NULL) != 0)
		return 1;
	p = malloc(MIB);
	if (p == NULL)
		return 2;
	memset(p, 1, MIB);
	q = realloc(p, 8 * MIB);
	if (q == NULL)
		return 3;
	free(q);
	if (time(NULL) == (time_t)-1)
		return 4;
	if (write(fds[1], "x", 1) != 1)
		return 5;
	if (send(pair[0], "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL) != 1)
		return 6;
	mk_log(LOG_ERR, "nobody listens");
	close(fds[1]);
	exit(0);
}

START_TEST(open_descriptors_work)
{
	char c;

	ck_assert_int_eq(status_of(computes), 0);
	ck_assert_int_eq(read(fds[0], &c, 1), 1);
	ck_assert_int_eq(read(pair[1], &c, 1), 1);
}
END_TEST

static int
eats(void)
{
	volatile char *p;

	if (mk_sandbox_close(16 * MIB, MIB, NULL) != 0)
		return 1;
	p = malloc(17 * MIB);
	if (p != NULL)
		return 2;
	p = malloc(8 * MIB);
	return p == NULL ? 3 : 0;
}

START_TEST(memory)
{
	ck_assert_int_eq(status_of(eats), 0);
}
END_TEST

static int
opens(void)
{
	return open("/etc/passwd", O_RDONLY | O_CLOEXEC);
}

static int
opens_socket(void)
{
	return socket(AF_UNIX, SOCK_DGRAM, 0);
}

static int
maps_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED;
}

static int
makes_code(void)
{
	static char page[8192] __attribute__((aligned(4096)));

	return mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static int
forks(void)
{
	return (int)fork();
}

static int
executes(void)
{
	static char name[] = "/bin/true";
	char *argv[] = { name, NULL };

	return execv(name, argv);
}

static int
signals(void)
{
	return kill(getppid(), 0);
}

static int
sends_elsewhere(void)
{
	const struct sockaddr_un to = { AF_UNIX, "/nowhere" };

	return (int)sendto(pair[0], "x", 1, MSG_DONTWAIT,
	    (const struct sockaddr *)&to, sizeof(to));
}

static int
sends_message(void)
{
	struct iovec part = { fds, 1 };
	struct msghdr msg = { .msg_iov = &part, .msg_iovlen = 1 };

	return (int)sendmsg(pair[0], &msg, MSG_DONTWAIT);
}

/* Without the filter, which would be faster: Landlock alone. */
static int
opens_no_file(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    mk_landlock_close(NULL) != 0)
		return 1;
	if (open("/etc/passwd", O_RDONLY | O_CLOEXEC) != -1)
		return abi < 1 ? 0 : 2;
	if (abi < 1 || errno != EACCES)
		return 3;
	return write(fds[1], "x", 1) == 1 ? 0 : 4;
}

START_TEST(no_files)
{
	ck_assert_int_eq(status_of(opens_no_file), 0);
}
END_TEST

static int (*const forbidden[])(void) = {
	opens, opens_socket, maps_code, makes_code, forks, executes, signals,
	sends_elsewhere, sends_message
};

#define N_FORBIDDEN	(int)(sizeof(forbidden) / sizeof(forbidden[0]))

static int chosen;

static int
tries(void)
{
	if (mk_sandbox_close(64 * MIB, MIB, NULL) != 0)
		return 1;
	(void)forbidden[chosen]();
	return 2;
}

START_TEST(kills)
{
	int status;

	chosen = _i;
	status = in_child(tries);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), SIGSYS);
}
END_TEST

#endif

Suite *
mk_suite(void)
{
	Suite *s = suite_create("sandbox");
	TCase *t = tcase_create("sandbox");

	tcase_add_test(t, process_limits);
#ifdef SYS_close_range
	tcase_add_test(t, process_limits_old_kernel);
#endif
	tcase_add_test(t, wall_time);
	tcase_add_test(t, output);
#if MK_SANDBOX
	tcase_add_test(t, open_descriptors_work);
	tcase_add_test(t, memory);
	tcase_add_test(t, no_files);
	tcase_add_loop_test(t, kills, 0, N_FORBIDDEN);
#endif
	suite_add_tcase(s, t);
	return s;
}
