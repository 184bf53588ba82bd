/* SPDX-License-Identifier: ISC */
/*
 * What setup, unsetup and the watchdog begin with: only one of them is at
 * it at a time, and a signal that would end it half-way ends it between two
 * steps, when what was done is taken back.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/setup.h"
#include "edge/log.h"

static int
lock(struct setup *s, bool make)
{
	struct meshkeys *m = s->m;
	bool home;
	int e;

	home = access(MK_CONFDIR, F_OK) != 0 && errno == ENOENT;
	e = mk_map_edit_open(&s->root, make, &s->lock, &m->why);
	if (e == MK_E_STALE)
		return mk_fail(&m->why, e, "setup", "another setup is at it, "
		    "or another change of '%s'; run it again when that has "
		    "ended", MK_CONFDIR);
	if (e == 0) {
		s->locked = true;
		s->home = home;
	}
	return e;
}

int
setup_open(struct setup *s, bool make)
{
	struct meshkeys *m = s->m;
	int e;

	s->root.fd = -1;
	if (m->place.root_dir != NULL || m->place.config_file != NULL)
		return mk_fail(&m->why, MK_E_USAGE, "setup", "%s works on "
		    "the running system only; leave away --%s",
		    m->command->cmd.name,
		    m->place.root_dir != NULL ? "root" : "config");
	if ((e = meshkeys_need_root(m)) != 0)
		return e;
	(void)umask(022);
	if ((e = mk_root_open(NULL, &s->root, &m->why)) != 0)
		return e;
	mk_log_open(&s->root, MESHKEYS_IDENT, LOG_INFO);
	if ((e = lock(s, make)) != 0)
		return e;
	e = mk_undo_open(&s->root, &s->undo, &m->why);
	if (e == 0 && mk_undo_home(s->undo))
		s->home = true;
	return e;
}

void
setup_close(struct setup *s)
{
	mk_undo_close(s->undo);
	mk_sshd_lines_release(&s->lines);
	mk_sshd_release(&s->sshd);
	if (s->locked)
		mk_map_edit_close(&s->lock);
	mk_root_close(&s->root);
	free(s->login);
	memset(s, 0, sizeof(*s));
	s->root.fd = -1;
}

int
setup_find_sshd(struct setup *s, struct mk_why *why)
{
	int e;

	e = mk_sshd_find(&s->sshd, why);
	if (e == MK_E_ABSENT)
		e = mk_fail(why, MK_E_CONFIG, "sshd", "there is no sshd on "
		    "this host; install the server of OpenSSH first");
	if (e != 0)
		return e;
	e = mk_sshd_lines_read(MK_SSHD_CONFIG, &s->lines, why);
	if (e == MK_E_ABSENT)
		e = mk_fail(why, MK_E_CONFIG, "sshd", "there is no '%s'",
		    MK_SSHD_CONFIG);
	return e;
}

static volatile sig_atomic_t caught;

static void
note(int number)
{
	caught = number;
}

void
setup_hold_signals(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct sigaction action, before;
	size_t i;

	memset(&action, 0, sizeof(action));
	action.sa_handler = note;
	sigemptyset(&action.sa_mask);
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		/* Who started us with nohup(1) meant it. */
		if (sigaction(numbers[i], NULL, &before) == 0 &&
		    before.sa_handler != SIG_IGN)
			(void)sigaction(numbers[i], &action, NULL);
	}
}

int
setup_stopped(struct mk_why *why)
{
	int number = caught;

	if (number == 0)
		return 0;
	return mk_fail(why, MK_E_STALE, "setup", "ended by signal %d",
	    number);
}
