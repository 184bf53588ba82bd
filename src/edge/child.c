/* SPDX-License-Identifier: ISC */
#include "edge/child.h"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/err.h"
#include "edge/clock.h"

#define TICK_MS		50	/* how often we look whether it has ended */
#define END_MS		2000	/* from SIGTERM to SIGKILL */
#define PIECE		4096u
#define DESCRIPTORS_MAX	65536	/* on a kernel without close_range(2) */

struct run {
	const struct mk_child *child;
	struct mk_buf *out;
	pid_t pid;		/* 0: it has been waited for */
	int in, from, err;	/* our ends; -1: closed */
	int status;
	size_t sent;
	int64_t deadline;	/* -1: none */
};

/* Its ends of the pipes; -1: none. */
struct ends {
	int in, out, err;
};

static int
failed(const struct mk_child *c, struct mk_why *why)
{
	return mk_fail(why, MK_E_SYSTEM, "child", "cannot run '%s': %s",
	    c->argv[0], strerror(errno));
}

static void
nap(void)
{
	const struct timespec t = { .tv_nsec = 5000000 };

	(void)nanosleep(&t, NULL);
}

static void
shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Where a standard descriptor is closed, a pipe must not take its place. */
static int
make_pipe(int fd[2])
{
	int i, high, r = 0;

	if (pipe2(fd, O_CLOEXEC) != 0)
		return -1;
	for (i = 0; i < 2; i++) {
		if (fd[i] > STDERR_FILENO)
			continue;
		high = fcntl(fd[i], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		close(fd[i]);
		fd[i] = high;
		if (high == -1)
			r = -1;
	}
	return r;
}

/* Everything behind the standard ones is closed by the exec. */
static void
close_on_exec(void)
{
	int fd;

#if defined(SYS_close_range) && defined(CLOSE_RANGE_CLOEXEC)
	if (syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
		return;
#endif
	for (fd = STDERR_FILENO + 1; fd < DESCRIPTORS_MAX; fd++)
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static void
default_signals(void)
{
	sigset_t none;
	int i;

	for (i = 1; i < NSIG; i++)
		(void)signal(i, SIG_DFL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* All ids of all kinds, so that there is no way back. */
static bool
become_user(const struct mk_child_as *as)
{
	/* Nor to our terminal, that it could type at. */
	(void)setsid();
	/* Groups first: without root they cannot be given up. */
	if (initgroups(as->name, as->gid) != 0 ||
	    setresgid(as->gid, as->gid, as->gid) != 0 ||
	    setresuid(as->uid, as->uid, as->uid) != 0 || chdir("/") != 0)
		return false;
	(void)umask(022);
	if (as->uid == 0 || setresuid(0, 0, 0) != 0)
		return true;
	errno = EPERM;
	return false;
}

static bool
standard_ones(const struct mk_child *c, int in, int out, int err)
{
	if (in == -1)
		in = open(c->terminal ? "/dev/tty" : "/dev/null", O_RDWR);
	return in != -1 && dup2(in, STDIN_FILENO) != -1 &&
	    dup2(out, STDOUT_FILENO) != -1 &&
	    (err == -1 || dup2(err, STDERR_FILENO) != -1);
}

static void
execute(const struct mk_child *c)
{
	/* exec changes none of it; its types are older. */
	char *const *argv = (char *const *)(uintptr_t)c->argv;
	char *const *env = c->env != NULL ? c->env : environ;

	/* A path is not handed to a shell if it is no program. */
	if (strchr(argv[0], '/') != NULL)
		(void)execve(argv[0], argv, env);
	else
		(void)execvpe(argv[0], argv, env);
}

/* What the exec does for a program. */
static void __attribute__((noreturn))
call(const struct mk_child *c, int tell)
{
	int fd;

	close(tell);
#if defined(SYS_close_range)
	if (syscall(SYS_close_range, 3U, ~0U, 0U) == 0)
		_exit(c->call(c->arg));
#endif
	for (fd = STDERR_FILENO + 1; fd < DESCRIPTORS_MAX; fd++)
		close(fd);
	_exit(c->call(c->arg));
}

/* In the new process.  What 'tell' gets is the errno of its failure. */
static void __attribute__((noreturn))
become(const struct mk_child *c, const struct ends *its, int tell)
{
	int err;

	default_signals();
	if (standard_ones(c, its->in, its->out, its->err) &&
	    (c->as == NULL || become_user(c->as))) {
		if (c->call != NULL)
			call(c, tell);
		close_on_exec();
		execute(c);
	}
	err = errno;
	(void)!write(tell, &err, sizeof(err));
	_exit(127);
}

/* Until the program runs, or does not. */
static int
heard(const struct mk_child *c, int fd, struct mk_why *why)
{
	ssize_t n;
	int err;

	do {
		n = read(fd, &err, sizeof(err));
	} while (n == -1 && errno == EINTR);
	if (n == 0)
		return MK_OK;
	if (n == (ssize_t)sizeof(err))
		errno = err;
	if (n == (ssize_t)sizeof(err) && err == ENOENT)
		return mk_fail(why, MK_E_ABSENT, "child",
		    "cannot run '%s': there is no such program",
		    c->argv[0]);
	return failed(c, why);
}

/* Pipes for what is asked for; what has been made stays so on failure. */
static int
make_pipes(struct run *run, struct ends *its)
{
	const struct mk_child *c = run->child;
	int fd[2];

	if (c->in != NULL) {
		if (make_pipe(fd) != 0)
			return -1;
		its->in = fd[0];
		run->in = fd[1];
	}
	if (make_pipe(fd) != 0)
		return -1;
	run->from = fd[0];
	its->out = fd[1];
	if (c->err == NULL)
		return 0;
	if (make_pipe(fd) != 0)
		return -1;
	run->err = fd[0];
	its->err = fd[1];
	return 0;
}

static int
do_not_wait(const struct run *run)
{
	const int fds[] = { run->in, run->from, run->err };
	size_t i;

	for (i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0 && fcntl(fds[i], F_SETFL, O_NONBLOCK) != 0)
			return -1;
	return 0;
}

static int
start(struct run *run, struct mk_why *why)
{
	struct ends its = { -1, -1, -1 };
	const struct mk_child *c = run->child;
	int tell[2] = { -1, -1 }, r = MK_OK;

	if (make_pipes(run, &its) != 0 || make_pipe(tell) != 0 ||
	    (run->pid = fork()) == -1) {
		r = failed(c, why);
		run->pid = 0;
	}
	if (r == MK_OK && run->pid == 0)
		become(c, &its, tell[1]);
	shut(&its.in);
	shut(&its.out);
	shut(&its.err);
	shut(&tell[1]);
	if (r == MK_OK)
		r = heard(c, tell[0], why);
	shut(&tell[0]);
	if (r == MK_OK && do_not_wait(run) != 0)
		r = failed(c, why);
	return r;
}

/* Whether it has ended; only that process is waited for. */
static bool
ended(struct run *run)
{
	pid_t r;

	if (run->pid == 0)
		return true;
	do {
		r = waitpid(run->pid, &run->status, WNOHANG);
	} while (r == -1 && errno == EINTR);
	if (r == 0)
		return false;
	if (r == -1)
		run->status = -1;
	run->pid = 0;
	return true;
}

static void
put_an_end(struct run *run)
{
	const int64_t end = mk_clock_ms() + END_MS;
	pid_t whom;

	if (ended(run))
		return;
	/* In a session of its own what it has started ends with it. */
	whom = run->child->as != NULL ? -run->pid : run->pid;
	(void)kill(whom, SIGTERM);
	while (!ended(run) && mk_clock_ms() < end)
		nap();
	if (run->pid == 0)
		return;
	(void)kill(whom, SIGKILL);
	/* A file system or a tracer of its user's may hold it for ever; then
	   it is left to whoever reaps when we have ended. */
	while (!ended(run) && mk_clock_ms() < end + END_MS)
		nap();
}

/* Who does not read to the end has read enough. */
static void
feed(struct run *run)
{
	const struct mk_child *c = run->child;
	ssize_t n = 0;

	while (run->sent < c->in_len && n != -1) {
		n = write(run->in, c->in + run->sent, c->in_len - run->sent);
		if (n > 0)
			run->sent += (size_t)n;
	}
	if (run->sent == c->in_len ||
	    (n == -1 && errno != EAGAIN && errno != EINTR))
		shut(&run->in);
}

static int
take(struct run *run, struct mk_why *why)
{
	uint8_t piece[PIECE];
	ssize_t n;

	while ((n = read(run->from, piece, sizeof(piece))) > 0) {
		mk_buf_put(run->out, piece, (size_t)n);
		if (run->out->failed != 0)
			return mk_buf_check(run->out, why, "child");
	}
	if (n == 0)
		shut(&run->from);
	else if (errno != EAGAIN && errno != EINTR)
		return failed(run->child, why);
	return MK_OK;
}

/* What is beyond the maximum is lost, so that it does not block. */
static int
take_err(struct run *run, struct mk_why *why)
{
	struct mk_buf *err = run->child->err;
	char piece[PIECE];
	size_t room;
	ssize_t n;

	while ((n = read(run->err, piece, sizeof(piece))) > 0) {
		room = err->max - err->len;
		mk_buf_put(err, piece, (size_t)n < room ? (size_t)n : room);
	}
	if (n == 0)
		shut(&run->err);
	else if (errno != EAGAIN && errno != EINTR)
		return failed(run->child, why);
	return mk_buf_check(err, why, "child");
}

static int
wait_some(const struct run *run, struct mk_why *why)
{
	struct pollfd p[3] = {
		{ .fd = run->in, .events = POLLOUT },
		{ .fd = run->from, .events = POLLIN },
		{ .fd = run->err, .events = POLLIN }
	};
	int64_t left = TICK_MS;

	if (run->deadline >= 0)
		left = run->deadline - mk_clock_ms();
	if (left <= 0)
		return mk_fail(why, MK_E_STALE, "child",
		    "'%s' did not end within %u seconds",
		    run->child->argv[0], run->child->seconds);
	if (run->in < 0 && run->from < 0 && run->err < 0)
		nap();
	else if (poll(p, 3, left < TICK_MS ? (int)left : TICK_MS) == -1 &&
	    errno != EINTR)
		return failed(run->child, why);
	return MK_OK;
}

/*
 * To the end of the program, and not of its output: what it leaves behind
 * in the background may keep that open for ever.
 */
static int
follow(struct run *run, struct mk_why *why)
{
	bool over = false;
	int r = MK_OK;

	while (r == MK_OK && !over) {
		over = ended(run);
		if (run->in >= 0)
			feed(run);
		if (run->from >= 0)
			r = take(run, why);
		if (r == MK_OK && run->err >= 0)
			r = take_err(run, why);
		if (r == MK_OK && !over)
			r = wait_some(run, why);
	}
	return r;
}

int
mk_child_run(const struct mk_child *child, struct mk_buf *out,
    int *ret_status, struct mk_why *why)
{
	struct run run = { .child = child, .out = out, .in = -1, .from = -1,
	    .err = -1, .deadline = child->seconds == 0 ? -1 :
	    mk_clock_ms() + (int64_t)child->seconds * 1000 };
	struct sigaction ignore = { .sa_handler = SIG_IGN }, before;
	int r;

	if (child->as != NULL && geteuid() != 0)
		return mk_fail(why, MK_E_PERM, "child", "cannot run '%s' as "
		    "'%s': only root can", child->argv[0], child->as->name);
	sigemptyset(&ignore.sa_mask);
	(void)sigaction(SIGPIPE, &ignore, &before);
	r = start(&run, why);
	if (r == MK_OK)
		r = follow(&run, why);
	put_an_end(&run);
	shut(&run.in);
	shut(&run.from);
	shut(&run.err);
	(void)sigaction(SIGPIPE, &before, NULL);
	if (r != MK_OK)
		return r;
	if (run.status == -1)
		return mk_fail(why, MK_E_SYSTEM, "child",
		    "cannot tell how '%s' ended", child->argv[0]);
	*ret_status = WIFEXITED(run.status) ? WEXITSTATUS(run.status) :
	    128 + WTERMSIG(run.status);
	return MK_OK;
}
