/* SPDX-License-Identifier: ISC */
/*
 * Other programs of this host, quiet ones that need no person; and making
 * the running sshd read its configuration: by systemd where that runs it,
 * else by SIGHUP.  Logins that are open go on in any case.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd/setup.h"
#include "edge/child.h"

#define SAID_MAX	4096u
#define SECONDS		60
#define LOOKS		10	/* times, a tenth of a second between */

static int
run(const char *const *argv, struct mk_buf *err, int *ret_status,
    struct mk_why *why)
{
	const struct mk_child child = { .argv = argv, .seconds = SECONDS,
	    .err = err };
	struct mk_buf out;
	int r;

	mk_buf_init(&out, SAID_MAX);
	r = mk_child_run(&child, &out, ret_status, why);
	mk_buf_release(&out);
	return r;
}

int
setup_run(const char *const *argv, struct mk_why *why)
{
	struct mk_buf err;
	int r, status;

	mk_buf_init(&err, SAID_MAX);
	r = run(argv, &err, &status, why);
	if (r == 0 && status != 0) {
		while (err.len > 0 && err.data[err.len - 1] == '\n')
			mk_buf_cut(&err, err.len - 1);
		r = mk_fail(why, MK_E_SYSTEM, "setup",
		    "'%s' failed with status %d%s%s", argv[0], status,
		    err.len > 0 ? ": " : "", err.len > 0 ? err.data : "");
	}
	mk_buf_release(&err);
	return r;
}

int
setup_ask(const char *const *argv)
{
	struct mk_buf err;
	int status = -1;

	mk_buf_init(&err, SAID_MAX);
	if (run(argv, &err, &status, NULL) != 0)
		status = -1;
	mk_buf_release(&err);
	return status;
}

bool
setup_has_systemd(void)
{
	return access("/run/systemd/system", F_OK) == 0;
}

static bool
is_active(const char *unit)
{
	const char *const argv[] = { "systemctl", "is-active", "--quiet",
	    unit, NULL };

	return setup_ask(argv) == 0;
}

/* Somebody else may have broken it, just now: one that runs goes on. */
static int
would_take(const struct setup *s, struct mk_why *why)
{
	int e = mk_sshd_test(&s->sshd, NULL, why);

	return e == 0 ? 0 : mk_fail(why, e, "sshd", "sshd was not told to "
	    "read its configuration, for it refuses that: %s", why->detail);
}

/* systemd only sends a signal, and what sshd makes of it takes a moment. */
static int
reload_unit(struct setup *s, const char *unit, struct mk_why *why)
{
	const char *const argv[] = { "systemctl", "reload", unit, NULL };
	const struct timespec moment = { .tv_sec = 1 };
	int e;

	if ((e = would_take(s, why)) != 0)
		return e;
	if ((e = setup_run(argv, why)) == 0)
		(void)nanosleep(&moment, NULL);
	if (!is_active(unit)) {
		s->ended = unit;
		return mk_fail(why, MK_E_SYSTEM, "sshd", "%s ended when it "
		    "was to read its configuration; run: systemctl restart "
		    "%s", unit, unit);
	}
	if (e == 0)
		setup_say(s, "sshd has read its configuration (%s)", unit);
	return e;
}

static int
start_unit(struct setup *s, struct mk_why *why)
{
	const char *const argv[] = { "systemctl", "restart", s->ended,
	    NULL };
	int e = setup_run(argv, why);

	if (e == 0)
		setup_say(s, "sshd was started again (%s)", s->ended);
	return e;
}

/* *ret_done false: systemd does not run it. */
static int
by_systemd(struct setup *s, bool *ret_done, struct mk_why *why)
{
	static const char *const services[] = { "ssh.service",
	    "sshd.service" };
	static const char *const sockets[] = { "ssh.socket", "sshd.socket" };
	size_t i;

	*ret_done = true;
	if (s->ended != NULL)
		return start_unit(s, why);
	for (i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
		if (is_active(services[i]))
			return reload_unit(s, services[i], why);
	}
	for (i = 0; i < sizeof(sockets) / sizeof(sockets[0]); i++) {
		if (!is_active(sockets[i]))
			continue;
		setup_say(s, "%s starts an sshd when somebody comes, and it "
		    "reads its configuration then: nothing to reload",
		    sockets[i]);
		return 0;
	}
	*ret_done = false;
	return 0;
}

/* It executes itself again, under the same number. */
static int
still_lives(const struct mk_sshd_running *before, struct mk_why *why)
{
	const struct timespec pause = { .tv_nsec = 100000000 };
	struct mk_sshd_running now;
	int i, e;

	for (i = 0; i < LOOKS; i++) {
		(void)nanosleep(&pause, NULL);
		if (kill((pid_t)before->pid, 0) != 0)
			break;
	}
	e = mk_sshd_running(NULL, &now, NULL);
	if (e == 0) {
		e = now.pid == before->pid ? 0 : MK_E_ABSENT;
		mk_sshd_running_release(&now);
	}
	if (i == LOOKS && e == 0)
		return 0;
	return mk_fail(why, MK_E_SYSTEM, "sshd", "sshd (process %ld) ended "
	    "when it was to read its configuration; start it as this host "
	    "does", before->pid);
}

static int
by_signal(const struct setup *s, const struct mk_sshd_running *running,
    struct mk_why *why)
{
	int e;

	if ((e = would_take(s, why)) != 0)
		return e;
	if (kill((pid_t)running->pid, SIGHUP) != 0)
		return mk_fail(why, MK_E_SYSTEM, "sshd", "cannot tell sshd "
		    "(process %ld) to read its configuration: %s",
		    running->pid, strerror(errno));
	if ((e = still_lives(running, why)) == 0)
		setup_say(s, "sshd has read its configuration (process %ld)",
		    running->pid);
	return e;
}

int
setup_reload(struct setup *s, struct mk_why *why)
{
	struct mk_sshd_running running;
	bool done = false;
	int e = 0;

	if (setup_has_systemd())
		e = by_systemd(s, &done, why);
	if (e != 0 || done)
		return e;
	e = mk_sshd_running(NULL, &running, why);
	if (e == MK_E_ABSENT) {
		setup_say(s, "no sshd runs here: it reads its configuration "
		    "when it is started");
		return 0;
	}
	if (e == 0) {
		e = by_signal(s, &running, why);
		mk_sshd_running_release(&running);
	}
	return e;
}
