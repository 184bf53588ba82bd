/* SPDX-License-Identifier: ISC */
/*
 * The time in which a setup can be confirmed.  What takes all back if
 * nobody does: a timer of systemd, which outlives every session, or else a
 * process of its own.  And setup --confirm: only who has come in by the new
 * configuration can say that one can.
 */
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd/setup.h"

#define UNIT		"meshkeys-rollback"
#define DESCRIPTORS_MAX	4096

void
setup_watchdog_end(void)
{
	const char *const argv[] = { "systemctl", "--quiet", "stop",
	    UNIT ".timer", NULL };

	if (setup_has_systemd())
		(void)setup_ask(argv);
}

static int
find_self(char path[PATH_MAX], struct mk_why *why)
{
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);

	if (n <= 0)
		return mk_fail(why, MK_E_SYSTEM, "watchdog",
		    "cannot tell where this program is: %s",
		    strerror(errno));
	path[n] = '\0';
	/* Gone, as by an upgrade of the package that goes on meanwhile. */
	if (access(path, X_OK) != 0)
		return mk_fail(why, MK_E_SYSTEM, "watchdog", "cannot run "
		    "'%s': %s", path, strerror(errno));
	return 0;
}

/* A timer is late by up to a minute unless it is told not to be. */
static int
by_systemd(const char *self, struct mk_why *why)
{
	char after[64];
	const char *const argv[] = { "systemd-run", "--quiet", "--collect",
	    "--unit=" UNIT, after, "--timer-property=AccuracySec=1s", self,
	    "unsetup", "--unconfirmed", NULL };

	(void)snprintf(after, sizeof(after), "--on-active=%u",
	    SETUP_WATCHDOG);
	/* That of an earlier setup, confirmed since, may still tick. */
	setup_watchdog_end();
	return setup_run(argv, why);
}

/*
 * That it waits for may be confirmed, taken back, and begun anew since; or
 * its setup was killed before it could note that it waits.  What cannot be
 * read is left to unsetup, which tells the log.
 */
static bool
waits(int64_t id)
{
	struct mk_undo *undo;
	struct mk_root root;
	bool is;

	if (mk_root_open(NULL, &root, NULL) != 0 ||
	    mk_undo_open(&root, &undo, NULL) != 0)
		return true;
	is = mk_undo_state(undo) != MK_UNDO_DONE && mk_undo_id(undo) == id;
	mk_undo_close(undo);
	return is;
}

/*
 * It lives no longer than it is let live: what ends it, as the end of the
 * session or of the whole system does, makes it take all back at once.
 */
static _Noreturn void
watch(const char *self, int64_t id)
{
	struct timespec end;

	(void)clock_gettime(CLOCK_BOOTTIME, &end);
	end.tv_sec += SETUP_WATCHDOG;
	while (clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, &end,
	    NULL) == EINTR && setup_stopped(NULL) == 0)
		continue;
	if (waits(id))
		(void)execl(self, "meshkeys", "unsetup", "--unconfirmed",
		    (char *)NULL);
	_exit(0);
}

/* Neither the lock nor the terminal goes with it. */
static void
leave_all(void)
{
	int fd;

	for (fd = 0; fd < DESCRIPTORS_MAX; fd++)
		(void)close(fd);
	(void)!open("/dev/null", O_RDWR);
	(void)!dup(STDIN_FILENO);
	(void)!dup(STDIN_FILENO);
	(void)!chdir("/");
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGINT, SIG_DFL);
	(void)signal(SIGQUIT, SIG_DFL);
}

static int
by_process(const char *self, int64_t id, struct mk_why *why)
{
	int status = 0;
	pid_t pid, r, dog;

	pid = fork();
	if (pid == 0) {
		if (setsid() == -1)
			_exit(1);
		dog = fork();
		if (dog == 0) {
			leave_all();
			watch(self, id);
		}
		_exit(dog == -1 ? 1 : 0);
	}
	do {
		r = pid == -1 ? -1 : waitpid(pid, &status, 0);
	} while (r == -1 && pid != -1 && errno == EINTR);
	if (r == -1 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return mk_fail(why, MK_E_SYSTEM, "watchdog", "cannot start "
		    "the process that would take this back");
	return 0;
}

int
setup_watchdog_leave(const struct setup *s, struct mk_why *why)
{
	char self[PATH_MAX];
	int e;

	if ((e = find_self(self, why)) != 0)
		return e;
	if (setup_has_systemd() && by_systemd(self, why) == 0) {
		setup_say(s, "in %u seconds the timer " UNIT " takes all of "
		    "this back, unless it is confirmed", SETUP_WATCHDOG);
		return 0;
	}
	if (setup_has_systemd())
		setup_say(s, "systemd has no timer for the way back (%s); a "
		    "process waits instead", why->detail);
	e = by_process(self, mk_undo_id(s->undo), why);
	if (e == 0)
		setup_say(s, "in %u seconds a process in the background "
		    "takes all of this back, unless it is confirmed",
		    SETUP_WATCHDOG);
	return e;
}

static int
confirm(struct setup *s, struct mk_why *why)
{
	int e;

	if (!mk_undo_before(s->undo, mk_sshd_login_start((long)getpid())))
		return mk_fail(why, MK_E_REFUSED, "confirm", "this is no "
		    "login through sshd that began after the setup; log in "
		    "anew, not through tmux, screen or the shared connection "
		    "of an old login, and run there: meshkeys setup "
		    "--confirm");
	if ((e = mk_undo_enter(s->undo, MK_UNDO_DONE, why)) != 0)
		return e;
	setup_watchdog_end();
	setup_say(s, "confirmed: it stays as it is set up");
	setup_log(s, "setup", "confirmed from a new login", NULL);
	return setup_tell_end(s, "confirmed");
}

int
setup_confirm(struct setup *s)
{
	struct mk_why *why = &s->m->why;

	switch (mk_undo_state(s->undo)) {
	case MK_UNDO_UNCONFIRMED:
		return confirm(s, why);
	case MK_UNDO_DONE:
		setup_say(s, "it is confirmed already");
		return setup_tell_end(s, "confirmed");
	case MK_UNDO_BEGUN:
		return mk_fail(why, MK_E_STALE, "confirm", "the last setup "
		    "was interrupted; run: meshkeys setup");
	case MK_UNDO_NONE:
	default:
		return mk_fail(why, MK_E_STALE, "confirm", "nothing is set "
		    "up, or it was taken back; run: meshkeys setup");
	}
}
