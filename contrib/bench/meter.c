/* SPDX-License-Identifier: ISC */
/*
 * Runs a command and tells what it cost, of each of its processes:
 *
 *   meter FILE COMMAND [ARGUMENT ...]
 *
 * FILE gets one more line, divided by spaces: microseconds of the clock, of
 * the processor for the user and for the system (with all children), the
 * exit status, and in KiB the most memory that the first process had
 * resident, and the largest of the others.  What a child of fork shares
 * with its parent counts in both.  The kernel keeps these peaks; they are
 * looked at every 5 ms, so what grows in the last 5 ms of a process may be
 * missed.
 */
#include <sys/resource.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOOK		5000000		/* nanoseconds */
#define DEPTH_MAX	4u		/* children of children */

struct peak {
	long first, others;		/* KiB */
};

extern char **environ;

static int64_t
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static int64_t
microseconds(const struct timeval *t)
{
	return (int64_t)t->tv_sec * 1000000 + t->tv_usec;
}

/* A file of a process in /proc, which may be gone: then NULL. */
static FILE *
open_proc(pid_t pid, const char *name)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", (int)pid,
	    (int)pid, name);
	return fopen(path, "re");
}

static long
peak_of(pid_t pid)
{
	FILE *f = open_proc(pid, "status");
	char line[128];
	long kib = 0;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "VmHWM: %ld kB", &kib) == 1)
			break;
	}
	if (f != NULL)
		fclose(f);
	return kib;
}

static void
look_at_children(pid_t pid, unsigned depth, long *largest)
{
	FILE *f = open_proc(pid, "children");
	long kib;
	int child;

	while (f != NULL && fscanf(f, "%d", &child) == 1) {
		kib = peak_of(child);
		if (kib > *largest)
			*largest = kib;
		if (depth < DEPTH_MAX)
			look_at_children(child, depth + 1, largest);
	}
	if (f != NULL)
		fclose(f);
}

/* The status of the command once it has ended. */
static int
follow(pid_t pid, struct peak *peak, struct rusage *usage)
{
	const struct timespec pause = { .tv_nsec = LOOK };
	sigset_t child;
	int status;
	long kib;
	pid_t r;

	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	while ((r = wait4(pid, &status, WNOHANG, usage)) == 0) {
		kib = peak_of(pid);
		if (kib > peak->first)
			peak->first = kib;
		look_at_children(pid, 0, &peak->others);
		(void)sigtimedwait(&child, NULL, &pause);
	}
	if (r != pid)
		err(71, "wait");
	return WIFEXITED(status) ? WEXITSTATUS(status) :
	    128 + WTERMSIG(status);
}

/* The signal waits for follow(), and is not held back in the command. */
static pid_t
start(char *argv[])
{
	posix_spawnattr_t attr;
	sigset_t child, before;
	pid_t pid;
	int r;

	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &child, &before);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigmask(&attr, &before);
	r = posix_spawnp(&pid, argv[0], NULL, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	if (r != 0)
		errx(71, "cannot run '%s': %s", argv[0], strerror(r));
	return pid;
}

int
main(int argc, char *argv[])
{
	struct peak peak = { 0, 0 };
	struct rusage usage;
	int64_t begun;
	int status;
	FILE *out;

	if (argc < 3) {
		fputs("usage: meter FILE COMMAND [ARGUMENT ...]\n", stderr);
		return 64;
	}
	out = fopen(argv[1], "ae");
	if (out == NULL)
		err(71, "%s", argv[1]);
	begun = now();
	status = follow(start(argv + 2), &peak, &usage);
	fprintf(out, "%lld %lld %lld %d %ld %ld\n",
	    (long long)(now() - begun),
	    (long long)microseconds(&usage.ru_utime),
	    (long long)microseconds(&usage.ru_stime), status, peak.first,
	    peak.others);
	if (fclose(out) != 0)
		err(71, "cannot write");
	return 0;
}
