/* SPDX-License-Identifier: ISC */
/*
 * meshkeys setup: looks at everything, changes files with a way back, has
 * it proved that one can log in, and only then makes the running sshd read
 * it.  Whatever fails, and whatever ends it, all is taken back.
 */
#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/setup.h"
#include "edge/terminal.h"

#define INCLUDE		"Include " MK_SSHD_DROPINS "/*.conf"

struct plan {
	struct setup_holder holder;
	enum setup_dropin dropin;
	bool chain;
};

static int
need_include(const struct setup *s, struct mk_why *why)
{
	struct mk_buf *hint = &s->m->hint;

	if (s->lines.includes)
		return 0;
	mk_buf_puts(hint, "nothing was changed; this line at the top of "
	    MK_SSHD_CONFIG ",\nbefore every Match, is needed:\n\n    "
	    INCLUDE "\n\nthen run: sshd -t && meshkeys setup\n");
	return mk_fail(why, MK_E_CONFIG, "sshd", "'%s' does not include "
	    "'%s/*.conf' outside of a Match block", MK_SSHD_CONFIG,
	    MK_SSHD_DROPINS);
}

static int
need_own_dropin(const struct setup *s, struct plan *p, struct mk_why *why)
{
	int e = setup_dropin_look(s, &p->dropin, why);

	if (e == 0 && p->dropin == SETUP_DROPIN_OTHER)
		e = mk_fail(why, MK_E_CONFIG, "sshd", "'%s' is there and not "
		    "what setup writes; if nobody needs it, run: rm %s",
		    SETUP_DROPIN, SETUP_DROPIN);
	return e;
}

static int
need_helper(const struct setup *s, struct mk_why *why)
{
	int e = mk_program_check(&s->root, SETUP_HELPER, why);

	return e == 0 ? 0 : mk_fail(why, e, "helper", "%s", why->detail);
}

/* What is shown is another's text. */
static void
tell_holder(const struct setup *s, const struct setup_holder *h)
{
	setup_say(s, "AuthorizedKeysCommand is held by %s: %s (user %s)",
	    h->name != NULL ? h->name : "another program", h->command,
	    h->user != NULL ? h->user : "none");
	setup_say(s, "for root it stays in force");
	if (h->why_not != NULL)
		setup_say(s, "it cannot be kept behind ours: %s",
		    h->why_not);
}

static int
ask(const struct setup *s, struct plan *p, struct mk_why *why)
{
	bool yes = false;
	int e = 0;

	if (s->m->json || !mk_terminal_there())
		return mk_fail(why, MK_E_USAGE, "setup", "AuthorizedKeys"
		    "Command is held by '%s'; say --chain to keep it behind "
		    "ours%s, or --no-chain to give it up",
		    p->holder.command, p->holder.why_not == NULL ? "" :
		    " (which it cannot be)");
	if (p->holder.why_not == NULL) {
		e = mk_terminal_yes("Keep it behind ours, as the chain? "
		    "[y/N] ", &yes, why);
		p->chain = e == 0 && yes;
	}
	if (e == 0 && !p->chain)
		e = mk_terminal_yes("Give it up for everybody but root? "
		    "[y/N] ", &yes, why);
	if (e == 0 && !yes)
		e = mk_fail(why, MK_E_USAGE, "setup", "nothing was changed: "
		    "somebody else holds AuthorizedKeysCommand");
	return e;
}

static int
decide_chain(const struct setup *s, struct plan *p, struct mk_why *why)
{
	const struct meshkeys *m = s->m;
	int e;

	if ((e = setup_holder_find(s, &p->holder, why)) != 0)
		return e;
	if (p->holder.command == NULL) {
		setup_say(s, "nobody holds AuthorizedKeysCommand%s",
		    m->chain ? ": there is nothing to chain" : "");
		return 0;
	}
	tell_holder(s, &p->holder);
	if (m->no_chain)
		return 0;
	if (!m->chain)
		return ask(s, p, why);
	if (p->holder.why_not != NULL)
		return mk_fail(why, MK_E_REFUSED, "chain", "'%s' cannot be "
		    "the chain: %s", p->holder.command, p->holder.why_not);
	p->chain = true;
	return 0;
}

/* Behind the -f of a command line, or NULL. */
static char *
config_of(const char *line)
{
	const char *p = strstr(line, " -f");

	if (p == NULL)
		return NULL;
	p += strlen(" -f");
	p += strspn(p, " ");
	return strndup(p, strcspn(p, " "));
}

/* The drop-in would not be read, and all that is proved be of no use. */
static int
need_own_config(struct mk_why *why)
{
	struct mk_sshd_running running;
	char *config;
	int e = 0;

	if (mk_sshd_running(NULL, &running, NULL) != 0)
		return 0;
	config = config_of(running.line);
	if (config != NULL && strcmp(config, MK_SSHD_CONFIG) != 0)
		e = mk_fail(why, MK_E_CONFIG, "sshd", "sshd (process %ld) "
		    "runs with the configuration '%s', and setup works with "
		    "'%s' only", running.pid, config, MK_SSHD_CONFIG);
	free(config);
	mk_sshd_running_release(&running);
	return e;
}

/* All that can be known before anything is changed. */
static int
look(struct setup *s, struct plan *p)
{
	struct mk_why *why = &s->m->why;
	int e;

	if ((e = setup_find_sshd(s, why)) != 0)
		return e;
	e = mk_sshd_test(&s->sshd, NULL, why);
	if (e != 0)
		return mk_fail(why, e, "sshd", "sshd refuses its "
		    "configuration as it is, before any change: %s",
		    why->detail);
	if ((e = need_own_config(why)) != 0 ||
	    (e = need_include(s, why)) != 0 ||
	    (e = need_own_dropin(s, p, why)) != 0 ||
	    (e = need_helper(s, why)) != 0 ||
	    (e = decide_chain(s, p, why)) != 0 ||
	    (e = setup_who_logs_in(s, why)) != 0 ||
	    (e = setup_way_in_ready(s, why)) != 0)
		return e;
	return setup_stopped(why);
}

static int
change(struct setup *s, const struct plan *p)
{
	struct mk_why *why = &s->m->why;
	int e;

	if ((e = setup_people(s, why)) != 0 ||
	    (e = setup_stopped(why)) != 0)
		return e;
	if (p->chain && (e = setup_chain_add(s, &p->holder, why)) != 0)
		return e;
	if (p->dropin == SETUP_DROPIN_OURS) {
		setup_say(s, "'%s' is there already, byte for byte: it "
		    "stays, also after unsetup", SETUP_DROPIN);
		return setup_stopped(why);
	}
	if ((e = mk_undo_dir(s->undo, MK_SSHD_DROPINS, 0755, why)) != 0 ||
	    (e = setup_dropin_write(s, why)) != 0)
		return e;
	setup_say(s, "wrote '%s'", SETUP_DROPIN);
	return setup_stopped(why);
}

static int
prove_way_in(const struct setup *s, struct mk_why *why)
{
	const struct meshkeys *m = s->m;
	const char *user = m->way_in != NULL ? m->way_in : "root";
	int e;

	if (strcmp(user, "console") == 0) {
		setup_say(s, "the way in, if the helper fails, is the "
		    "console: that is not proved");
		return 0;
	}
	e = setup_trial_way_in(s, user, m->key, why);
	if (e == 0)
		setup_say(s, "so %s is a way in that does not need the "
		    "helper", user);
	return e == MK_E_ABSENT ? mk_fail(why, MK_E_CONFIG, "way-in", "%s",
	    why->detail) : e;
}

static int
prove_mesh(const struct setup *s, struct mk_why *why)
{
	int e;

	if (s->login == NULL) {
		setup_say(s, "warning: no login was tried: this host has no "
		    "user for it; name one by --login");
		return 0;
	}
	e = setup_trial_mesh(s, s->login, why);
	if (e == 0)
		setup_say(s, "%s can log in by a key of a profile that was "
		    "made for this trial", s->login);
	else if (e == MK_E_ABSENT)
		setup_say(s, "warning: no login by a profile was tried: %s",
		    why->detail);
	return e == MK_E_ABSENT ? 0 : e;
}

static int
prove(const struct setup *s)
{
	struct mk_why *why = &s->m->why;
	int e;

	if ((e = setup_verify(s, why)) != 0 ||
	    (e = setup_stopped(why)) != 0 ||
	    (e = setup_check(s, true, why)) != 0 ||
	    (e = setup_stopped(why)) != 0 ||
	    (e = prove_way_in(s, why)) != 0 ||
	    (e = setup_stopped(why)) != 0 ||
	    (e = prove_mesh(s, why)) != 0)
		return e;
	return setup_stopped(why);
}

/*
 * The watchdog before the reload, so that there is no moment at which the
 * new configuration is in force and nobody would take it back; the time
 * behind which a login is a new one is that after it.
 */
static int
put_in_force(struct setup *s)
{
	const enum mk_undo_state end = s->m->yes ? MK_UNDO_DONE :
	    MK_UNDO_UNCONFIRMED;
	struct mk_why *why = &s->m->why;
	int e;

	if (!s->m->yes && ((e = setup_watchdog_leave(s, why)) != 0 ||
	    (e = mk_undo_enter(s->undo, end, why)) != 0))
		return e;
	s->reload = true;
	if ((e = setup_reload(s, why)) != 0 ||
	    (e = setup_stopped(why)) != 0)
		return e;
	return mk_undo_enter(s->undo, end, why);
}

/* Whether root is who logs in to confirm it. */
static bool
is_by_root(const struct meshkeys *m)
{
	return m->way_in == NULL || strcmp(m->way_in, "root") == 0;
}

static void
tell_next(const struct setup *s)
{
	if (!s->m->yes)
		setup_say(s, "to keep it, log in anew within %u seconds and "
		    "run there%s: meshkeys setup --confirm", SETUP_WATCHDOG,
		    is_by_root(s->m) ? "" : ", by sudo or as root");
	setup_say(s, "then say who has which profile: meshkeys map add USER "
	    "FINGERPRINT");
	setup_say(s, "and where it comes from, by a line in "
	    MK_CONFDIR "/meshkeys.conf: portal URL");
	setup_say(s, "have the portals asked: %s",
	    setup_has_systemd() ?
	    "systemctl enable --now mesh-refresh.timer" :
	    "install -m 0644 /usr/share/meshkeys/cron/mesh-refresh "
	    "/etc/cron.d/");
	setup_say(s, "and look whether she could log in: meshkeys check "
	    "USER");
}

/* The reason for the failure stays, unless there is no way back. */
static int
go_back(struct setup *s, int code)
{
	struct meshkeys *m = s->m;
	struct mk_why reason = m->why, why;
	int e;

	setup_say(s, "%s: %s", reason.stage, reason.detail);
	setup_say(s, "taking back what was done");
	s->force = true;
	e = setup_take_back(s, &why);
	if (e != 0) {
		m->why = why;
		if (mk_undo_state(s->undo) != MK_UNDO_NONE)
			setup_say(s, "not all could be taken back; run: "
			    "meshkeys unsetup --yes");
	} else {
		m->why = reason;
	}
	setup_log(s, "setup", NULL, &reason);
	if (e != 0)
		setup_log(s, "setup", NULL, &why);
	(void)setup_tell_end(s, "taken-back");
	return e != 0 ? e : code;
}

static int
work(struct setup *s, struct plan *p)
{
	int e;

	if ((e = mk_undo_begin(s->undo, s->home, &s->m->why)) != 0)
		return e;
	if ((e = change(s, p)) != 0 || (e = prove(s)) != 0 ||
	    (e = put_in_force(s)) != 0)
		return go_back(s, e);
	tell_next(s);
	setup_log(s, "setup", s->m->yes ? "sshd asks for Mesh keys now" :
	    "sshd asks for Mesh keys now, for a minute unless that is "
	    "confirmed", NULL);
	return setup_tell_end(s, s->m->yes ? "done" : "unconfirmed");
}

static int
begin(struct setup *s)
{
	struct plan plan;
	int e;

	memset(&plan, 0, sizeof(plan));
	e = look(s, &plan);
	if (e == 0) {
		e = work(s, &plan);
	} else {
		/* The lock, and what was made for it. */
		(void)setup_take_back(s, NULL);
		if (e != MK_E_USAGE)
			setup_log(s, "setup", NULL, &s->m->why);
	}
	setup_holder_release(&plan.holder);
	return e;
}

/* Whether it is still as it would be written. */
static int
again(struct setup *s)
{
	struct mk_why *why = &s->m->why;
	enum setup_dropin dropin;
	int e;

	if ((e = setup_dropin_look(s, &dropin, why)) != 0)
		return e;
	if (dropin != SETUP_DROPIN_OURS)
		return mk_fail(why, MK_E_CONFIG, "setup", "it is set up, but "
		    "'%s' is %s since; run: meshkeys unsetup && meshkeys "
		    "setup", SETUP_DROPIN, dropin == SETUP_DROPIN_ABSENT ?
		    "gone" : "another one");
	if ((e = setup_find_sshd(s, why)) != 0 ||
	    (e = need_include(s, why)) != 0 ||
	    (e = setup_who_logs_in(s, why)) != 0 ||
	    (e = setup_verify(s, why)) != 0 ||
	    (e = setup_check(s, false, why)) != 0)
		return e;
	setup_say(s, "it is set up already");
	return setup_tell_end(s, "already");
}

static int
go_on_anew(struct setup *s)
{
	int e;

	setup_say(s, "an earlier setup was interrupted: taking that back "
	    "first");
	s->force = true;
	s->reload = true;
	if ((e = setup_take_back(s, &s->m->why)) != 0)
		return e;
	setup_log(s, "rollback", "an interrupted setup is taken back", NULL);
	/* With the lock and the directory, which went with it. */
	return 1;
}

static int
by_state(struct setup *s)
{
	switch (mk_undo_state(s->undo)) {
	case MK_UNDO_NONE:
		return begin(s);
	case MK_UNDO_BEGUN:
		return go_on_anew(s);
	case MK_UNDO_UNCONFIRMED:
		return mk_fail(&s->m->why, MK_E_STALE, "setup", "the last "
		    "setup waits to be confirmed; log in anew and run there: "
		    "meshkeys setup --confirm; or take it back: meshkeys "
		    "unsetup");
	case MK_UNDO_DONE:
	default:
		return again(s);
	}
}

int
meshkeys_setup(struct meshkeys *m)
{
	struct setup s;
	int e, tries = 0;

	memset(&s, 0, sizeof(s));
	s.root.fd = -1;
	setup_hold_signals();
	do {
		setup_close(&s);
		s.m = m;
		e = setup_open(&s, !m->confirm);
		if (e == MK_E_ABSENT)
			e = mk_fail(&m->why, MK_E_STALE, "confirm",
			    "nothing is set up; run: meshkeys setup");
		else if (e == 0)
			e = m->confirm ? setup_confirm(&s) : by_state(&s);
	} while (e == 1 && ++tries < 2);
	if (e != 0)
		(void)setup_tell_end(&s, "refused");
	setup_close(&s);
	return e;
}
