/* SPDX-License-Identifier: ISC */
/*
 * Between the files of meshkeys setup and unsetup.
 */
#ifndef MK_CMD_SETUP_H
#define MK_CMD_SETUP_H

#include <stdbool.h>
#include <stdint.h>

#include "cmd/meshkeys.h"
#include "edge/map_edit.h"
#include "edge/sshd.h"
#include "edge/sshd_config.h"
#include "edge/undo.h"

#define SETUP_DROPIN		MK_SSHD_DROPINS "/10-meshkeys.conf"
#define SETUP_AKC_USER		"meshkeys-akc"
#define SETUP_HELPER		MK_LIBEXECDIR "/mesh-authorized-keys"
#define SETUP_WATCHDOG		60	/* seconds until it is taken back */

struct setup {
	struct meshkeys *m;
	struct mk_root root;		/* the system's own */
	struct mk_sshd sshd;
	struct mk_sshd_lines lines;	/* before anything is changed */
	struct mk_map_edit lock;
	struct mk_undo *undo;
	char *login;			/* malloc'd: who logs in for trial */
	bool locked;			/* 'lock' is open */
	bool home;			/* /etc/meshkeys was made for this */
	bool force;			/* also what was changed since is taken
					   back, and saved beside */
	bool reload;			/* sshd may have read what we wrote */
	const char *ended;		/* the unit of sshd that did not live
					   through that */
	bool told;			/* the object of --json is printed */
};

/* setup_open.c: root, the log, the lock and the journal; 'make' the
   directory that they lie in.  MK_E_ABSENT: it is not there. */
int	setup_open(struct setup *s, bool make);
void	setup_close(struct setup *s);

/* sshd, and the lines of its configuration. */
int	setup_find_sshd(struct setup *s, struct mk_why *why);

/* SIGINT, SIGTERM, SIGQUIT and SIGHUP only set a mark, which is MK_E_STALE
   at the next step. */
void	setup_hold_signals(void);
int	setup_stopped(struct mk_why *why);

/* setup_say.c: tells a step, on standard output at once; not with --json. */
void	setup_say(const struct setup *s, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

/* With --json: all that was told, in one object with that result; only the
   first one counts. */
int	setup_tell_end(struct setup *s, const char *result);

/* One line of the log with event=meshkeys.EVENT: 'text', or a reason. */
void	setup_log(const struct setup *s, const char *event, const char *text,
	    const struct mk_why *why);

/* setup_write.c: what sshd is told, the same as sshd_config.d/ of the
   sources. */
enum setup_dropin {
	SETUP_DROPIN_ABSENT,
	SETUP_DROPIN_OURS,	/* byte for byte */
	SETUP_DROPIN_OTHER	/* and m->hint shows it */
};

int	setup_dropin_look(const struct setup *s,
	    enum setup_dropin *ret_dropin, struct mk_why *why);
int	setup_dropin_write(const struct setup *s, struct mk_why *why);

/*
 * Who held AuthorizedKeysCommand before us, by sshd -T for a user whom no
 * Match block names, and outside of ours.
 */
struct setup_holder {
	char *command;		/* malloc'd; NULL: nobody */
	char *user;		/* malloc'd; whom it runs as */
	const char *name;	/* "SSSD", or NULL for one not known */
	char *why_not;		/* malloc'd: why it cannot be the chain; NULL:
				   it can */
};

/* setup_holder.c */
int	setup_holder_find(const struct setup *s,
	    struct setup_holder *ret_holder, struct mk_why *why);
void	setup_holder_release(struct setup_holder *holder);

/* setup_write.c: the command as the chain of meshkeys.conf.  MK_E_CONFIG if
   there is another one. */
int	setup_chain_add(const struct setup *s,
	    const struct setup_holder *holder, struct mk_why *why);

/* setup_verify.c: sshd's word for it, and that of meshkeys check. */
int	setup_verify(const struct setup *s, struct mk_why *why);
int	setup_check(const struct setup *s, bool must, struct mk_why *why);

/* setup_who.c: fills s->login; and whether the way in can be proved at all,
   before anything is changed. */
int	setup_who_logs_in(struct setup *s, struct mk_why *why);
int	setup_way_in_ready(const struct setup *s, struct mk_why *why);

/* setup_people.c: users and directories, by systemd-sysusers and
   systemd-tmpfiles or by useradd and our own hands. */
int	setup_people(const struct setup *s, struct mk_why *why);

/*
 * setup_trial.c: logins through a second sshd, run for one connection of
 * the loopback each ("sshd -i"), with the configuration as it lies in
 * /etc/ssh now; no session is opened, so no shell or forced command runs.
 * What sshd and ssh said is in m->hint if it fails: MK_E_REFUSED, or
 * MK_E_STALE after half a minute.
 */

/*
 * With a key of a profile made for this and thrown away, that the helper
 * finds in private mounts over /etc/meshkeys and the stores: sshd, the
 * helper's path, user and sandbox, and everything from a fingerprint to a
 * key.  MK_E_ABSENT where there can be no such mounts, key or client, with
 * the reason.  MK_E_CONFIG: for that user sshd does not run our helper.
 */
int	setup_trial_mesh(const struct setup *s, const char *user,
	    struct mk_why *why);

/*
 * As 'user' with the key in a file, or NULL those of the agent, by a key or
 * the CA of a certificate that stands in a file of sshd's, and not by its
 * AuthorizedKeysCommand: the way in if the helper fails.  Told by
 * setup_say().  All else is a failure: MK_E_ABSENT if it cannot be proved,
 * MK_E_USAGE without any key, MK_E_NOPROFILE if there is no such file.
 */
int	setup_trial_way_in(const struct setup *s, const char *user,
	    const char *key, struct mk_why *why);

/* setup_reload.c: another program of this host.  What it said on standard
   error is the reason, MK_E_SYSTEM; MK_E_ABSENT if it is not here. */
int	setup_run(const char *const *argv, struct mk_why *why);

/* Its exit status alone; -1 if it did not run to its end. */
int	setup_ask(const char *const *argv);

/* Whether it is systemd that runs this host. */
bool	setup_has_systemd(void);

/*
 * Makes the running sshd read its configuration, if that is one which it
 * takes: MK_E_CONFIG, and it is left alone.  MK_E_SYSTEM: it did not live on;
 * the next call starts it again, where that can be done.  None that runs is
 * no failure.
 */
int	setup_reload(struct setup *s, struct mk_why *why);

/* setup_watchdog.c: takes all back after SETUP_WATCHDOG seconds unless it
   is confirmed. */
int	setup_watchdog_leave(const struct setup *s, struct mk_why *why);
void	setup_watchdog_end(void);

/* From a login through sshd that began after the setup only. */
int	setup_confirm(struct setup *s);

/* meshkeys_unsetup.c: takes all back: the files, and sshd reads its
   configuration again.  MK_E_CONFIG: the files are back, and sshd refuses
   them. */
int	setup_take_back(struct setup *s, struct mk_why *why);

#endif
