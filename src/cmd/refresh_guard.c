/* SPDX-License-Identifier: ISC */
/*
 * The process that systemd knows of a watcher.  A watcher gives up what it
 * does not need; when a change of the map needs more, for example another
 * directory, it ends and a new one is started.  This one reads nothing.
 */
#include <sys/prctl.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "cmd/refresh.h"
#include "core/err.h"
#include "edge/log.h"

#define PAUSE	1	/* seconds between two starts, at least */

static void
all_signals(sigset_t *set)
{
	(void)sigemptyset(set);
	(void)sigaddset(set, SIGHUP);
	(void)sigaddset(set, SIGINT);
	(void)sigaddset(set, SIGTERM);
	(void)sigaddset(set, SIGCHLD);
}

/* In the new process: it does not outlive this one. */
static void
follow(pid_t guard)
{
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != guard)
		_exit(mk_exit_code(MK_E_SYSTEM));
}

/* Hands signals on until the watcher has ended; its status. */
static int
attend(pid_t watcher, const sigset_t *set)
{
	int sig, status;
	pid_t r;

	for (;;) {
		r = waitpid(watcher, &status, WNOHANG);
		if (r == watcher)
			return status;
		if (r == -1 && errno != EINTR)
			exit(mk_exit_code(MK_E_SYSTEM));
		sig = sigwaitinfo(set, NULL);
		if (sig > 0 && sig != SIGCHLD)
			(void)kill(watcher, sig);
	}
}

static int
exit_status(int status)
{
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	mk_log(LOG_ERR, "the watcher was ended by signal %d; "
	    "event=refresh.error", WTERMSIG(status));
	return mk_exit_code(MK_E_BUG);
}

void
refresh_guard(void)
{
	const struct timespec pause = { .tv_sec = PAUSE };
	const pid_t self = getpid();
	sigset_t set;
	pid_t pid;
	int e;

	all_signals(&set);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	/* Else nobody could wait for a child. */
	(void)signal(SIGCHLD, SIG_DFL);
	for (;;) {
		pid = fork();
		if (pid == 0) {
			follow(self);
			return;
		}
		if (pid == -1)
			exit(mk_exit_code(MK_E_SYSTEM));
		e = exit_status(attend(pid, &set));
		if (e != REFRESH_AGAIN)
			exit(e);
		(void)nanosleep(&pause, NULL);
	}
}
