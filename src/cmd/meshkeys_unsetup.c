/* SPDX-License-Identifier: ISC */
/*
 * meshkeys unsetup: every file as it was before setup; what the watchdog
 * runs; and the way back of a setup that fails.
 */
#include <string.h>
#include <unistd.h>

#include "cmd/setup.h"

#define TRIES		30	/* of the watchdog, ten seconds each */

static bool
changed(void *arg, const char *path)
{
	const struct setup *s = arg;

	if (s->force)
		setup_say(s, "'%s' was changed since", path);
	return s->force;
}

static void
undone(void *arg, const char *path, const char *what)
{
	setup_say(arg, "'%s': %s", path, what);
}

/* The files are as before, whatever becomes of this. */
static int
reload(struct setup *s, struct mk_why *why)
{
	int e;

	if (s->sshd.program == NULL && mk_sshd_find(&s->sshd, why) != 0)
		return 0;
	e = setup_reload(s, why);
	/* Who could log in to start it again, if this is the watchdog? */
	if (e != 0 && s->ended != NULL)
		e = setup_reload(s, why);
	return e != MK_E_CONFIG ? e : mk_fail(why, e, "sshd", "the files are "
	    "as before, but %s", why->detail);
}

/* Nobody holds the lock but us, and who waits for it looks again. */
static void
remove_home(struct setup *s)
{
	if (s->locked)
		(void)unlinkat(s->lock.dir, ".lock", 0);
	if (s->home)
		(void)rmdir(MK_CONFDIR);
}

int
setup_take_back(struct setup *s, struct mk_why *why)
{
	const struct mk_undo_asker asker = { .changed = changed,
	    .undone = undone, .arg = s };
	int e;

	if ((e = mk_undo_all(s->undo, &asker, why)) != 0)
		return e;
	setup_watchdog_end();
	if (s->reload)
		e = reload(s, why);
	remove_home(s);
	return e;
}

/* The watchdog does not give up because somebody edits the map. */
static int
begin(struct setup *s)
{
	struct meshkeys *m = s->m;
	int e, tries = m->unconfirmed ? TRIES : 1;

	do {
		setup_close(s);
		s->m = m;
		e = setup_open(s, false);
	} while (e == MK_E_STALE && --tries > 0);
	return e;
}

/* What a crash or a refusal left of the lock goes too. */
static int
nothing(struct setup *s)
{
	if (s->undo != NULL && mk_undo_state(s->undo) == MK_UNDO_NONE)
		(void)setup_take_back(s, NULL);
	setup_say(s, "there is nothing to take back");
	return setup_tell_end(s, "nothing");
}

static int
take_back(struct setup *s)
{
	struct meshkeys *m = s->m;
	const char *event = m->unconfirmed ? "rollback" : "unsetup";
	int e;

	s->force = m->yes || m->unconfirmed;
	s->reload = true;
	e = setup_take_back(s, &m->why);
	if (e == MK_E_REFUSED)
		mk_buf_puts(&m->hint, "to put it back all the same and keep "
		    "what is there beside it, run:\n"
		    "    meshkeys unsetup --yes\n");
	if (e != 0) {
		setup_log(s, event, NULL, &m->why);
		return e;
	}
	setup_say(s, "what stays: the map, the cache and the memory of "
	    "profiles, and the users");
	setup_log(s, event, m->unconfirmed ? "not confirmed in time: all "
	    "that was set up is taken back" : "all that was set up is taken "
	    "back", NULL);
	return setup_tell_end(s, "taken-back");
}

int
meshkeys_unsetup(struct meshkeys *m)
{
	struct setup s;
	int e;

	memset(&s, 0, sizeof(s));
	s.root.fd = -1;
	s.m = m;
	setup_hold_signals();
	e = begin(&s);
	if (e == MK_E_ABSENT)
		e = nothing(&s);
	else if (e == 0 && (mk_undo_state(s.undo) == MK_UNDO_NONE ||
	    (m->unconfirmed && mk_undo_state(s.undo) == MK_UNDO_DONE)))
		e = nothing(&s);
	else if (e == 0)
		e = take_back(&s);
	else if (m->unconfirmed)
		/* Nobody sees what the watchdog says. */
		setup_log(&s, "rollback", NULL, &m->why);
	if (e != 0)
		(void)setup_tell_end(&s, "failed");
	setup_close(&s);
	return e;
}
