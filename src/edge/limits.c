/* SPDX-License-Identifier: ISC */
#include "edge/sandbox.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "edge/confine.h"

#define DESCRIPTORS_MAX	4096	/* closed one by one */

static int
failed(const char *what, struct mk_why *why)
{
	return mk_fail(why, MK_E_SYSTEM, "limits", "cannot %s: %s", what,
	    strerror(errno));
}

/*
 * Else the first file that is opened would be taken for standard output.
 * The lowest free descriptor is the one that is missing.
 */
static int
fill_standard(struct mk_why *why)
{
	int fd;

	for (fd = 0; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) != -1)
			continue;
		if (open("/dev/null", O_RDWR) != fd)
			return failed("open '/dev/null'", why);
	}
	return MK_OK;
}

/* Both included; one by one on a kernel before 5.9. */
static void
close_between(unsigned low, unsigned high)
{
	struct rlimit limit;

#ifdef SYS_close_range
	if (syscall(SYS_close_range, low, high, 0U) == 0)
		return;
#endif
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 ||
	    limit.rlim_cur > DESCRIPTORS_MAX)
		limit.rlim_cur = DESCRIPTORS_MAX;
	for (; low <= high && low < limit.rlim_cur; low++)
		(void)close((int)low);
}

int
mk_privileges_close(struct mk_why *why)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
		return MK_OK;
	return mk_fail(why, MK_E_SYSTEM, "sandbox",
	    "cannot give up new privileges: %s", strerror(errno));
}

int
mk_limit_lower(int resource, rlim_t value, struct mk_why *why)
{
	struct rlimit now;

	if (getrlimit(resource, &now) != 0)
		return failed("get limits", why);
	if (now.rlim_max != RLIM_INFINITY && now.rlim_max < value)
		value = now.rlim_max;
	now.rlim_cur = now.rlim_max = value;
	return setrlimit(resource, &now) == 0 ? MK_OK :
	    failed("set limits", why);
}

/*
 * SIGALRM must end us, whatever the parent did with it, and a child that is
 * not waited for tells nobody how it ended.
 */
static int
set_alarm(unsigned seconds)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigaddset(&set, SIGXCPU);
	if (signal(SIGALRM, SIG_DFL) == SIG_ERR ||
	    signal(SIGXCPU, SIG_DFL) == SIG_ERR ||
	    signal(SIGCHLD, SIG_DFL) == SIG_ERR ||
	    sigprocmask(SIG_UNBLOCK, &set, NULL) != 0)
		return -1;
	alarm(seconds);
	return 0;
}

/* What the limits were before; a program run in our place gets them. */
static struct {
	int resource;
	struct rlimit before;
	bool set;
} softened[] = {
	{ .resource = RLIMIT_CORE },
	{ .resource = RLIMIT_CPU }
};

static int
soften(size_t i, rlim_t value, struct mk_why *why)
{
	struct rlimit now;

	if (getrlimit(softened[i].resource, &softened[i].before) != 0)
		return failed("get limits", why);
	now = softened[i].before;
	if (now.rlim_cur == RLIM_INFINITY || now.rlim_cur > value)
		now.rlim_cur = value;
	if (setrlimit(softened[i].resource, &now) != 0)
		return failed("set limits", why);
	softened[i].set = true;
	return MK_OK;
}

void
mk_process_unlimit(void)
{
	size_t i;

	alarm(0);
	(void)signal(SIGPIPE, SIG_DFL);
	for (i = 0; i < sizeof(softened) / sizeof(softened[0]); i++) {
		if (softened[i].set)
			(void)setrlimit(softened[i].resource,
			    &softened[i].before);
	}
}

int
mk_process_isolate(int fd, struct mk_why *why)
{
	int other;

	for (other = 0; other <= STDERR_FILENO; other++) {
		if (other != fd)
			(void)close(other);
	}
	if (fd > STDERR_FILENO + 1)
		close_between(STDERR_FILENO + 1U, (unsigned)fd - 1U);
	close_between((unsigned)fd + 1U, ~0U);
	return fcntl(fd, F_GETFD) != -1 ? MK_OK :
	    failed("keep the pipe", why);
}

int
mk_process_limits(unsigned seconds, struct mk_why *why)
{
	int r;

	r = fill_standard(why);
	if (r != MK_OK)
		return r;
	close_between(STDERR_FILENO + 1U, ~0U);
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return failed("ignore SIGPIPE", why);
	/* A core would hold what the process read. */
	r = soften(0, 0, why);
	if (r == MK_OK && seconds > 0)
		r = soften(1, seconds, why);
	if (r != MK_OK)
		return r;
	if (set_alarm(seconds) != 0)
		return failed("set the alarm", why);
	return MK_OK;
}
