/* SPDX-License-Identifier: ISC */
/*
 * Between the files of setup's trial logins.
 */
#ifndef MK_CMD_SETUP_TRIAL_H
#define MK_CMD_SETUP_TRIAL_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "cmd/setup.h"
#include "core/buf.h"
#include "core/udf.h"

/* Only in the mounts of the mesh's trial, which no other process sees. */
#define SETUP_TRIAL_KEY		MK_CONFDIR "/.trial-key"

/*
 * setup_login.c: one login.  sshd is run for a single connection that comes
 * from a client of ours; nothing else on the host can have it.  Both have
 * ended when it returns.
 */
struct setup_login {
	const char *sshd;	/* its path */
	const char *user;
	const char *key;	/* a private key's file; NULL: the agent's */
	bool agent;		/* ssh may ask the one of SSH_AUTH_SOCK */
	bool terminal;		/* ssh may ask the person there */
	unsigned seconds;
	struct mk_buf said_ssh, said_sshd;	/* up to their maximum, the
						   rest lost */
	bool connected;
};

/*
 * 0: it came to its end, whatever that was.  MK_E_STALE: it did not, and
 * was ended.  MK_E_ABSENT: there is no ssh here.  MK_E_SYSTEM.
 */
int	setup_login_run(struct setup_login *login, struct mk_why *why);

/* For each signal that would end us; setup_login_run() sets its own. */
void	setup_login_signals(void (*handler)(int));

/*
 * setup_heard.c: what sshd's log at LogLevel VERBOSE says of one login.
 */
struct setup_heard {
	enum {
		SETUP_KEPT_OUT,
		SETUP_HALF_IN,	/* the key was right, and is not enough */
		SETUP_IN
	} end;
	bool certificate;
	char *fingerprint;	/* malloc'd, "SHA256:..."; NULL: kept out */
	char *where;		/* malloc'd: "FILE:LINE", "COMMAND:LINE", or of
				   a certificate also the file of its CA; NULL:
				   sshd does not say */
};

/* MK_E_SYSTEM for want of memory. */
int	setup_heard_read(const char *log, struct setup_heard *ret_heard,
	    struct mk_why *why);
void	setup_heard_release(struct setup_heard *heard);

/* Whether 'where' is a line that this AuthorizedKeysCommand printed. */
bool	setup_heard_command(const char *where, const char *command);

/* The lines that say something to a person, cleaned, each indented. */
void	setup_heard_show(const char *log, struct mk_buf *out);

/*
 * Whose the other end of a connection on the loopback is, if a line of
 * /proc/net/tcp is about it.  One that is being closed is nobody's.
 */
bool	setup_heard_peer(const char *line, unsigned from_port,
	    unsigned to_port, uid_t *ret_uid);

/*
 * setup_profile.c: a profile of one device with one SSH key, all of its own
 * secrets forgotten as soon as it is signed.
 */
struct setup_profile {
	struct mk_udf udf;
	struct mk_buf set;
};

/* Of the public key in a line as ssh-keygen(1) writes it. */
int	setup_profile_make(const char *line, struct setup_profile *ret_profile,
	    struct mk_why *why);
void	setup_profile_release(struct setup_profile *profile);

/* Its fingerprint, as sshd tells it; malloc'd. */
int	setup_profile_key(const char *line, char **ret_fingerprint,
	    struct mk_why *why);

/*
 * setup_mounts.c: empty file systems over the configuration and the stores,
 * for this process and its children only; they go with them.
 */

/* The configuration is a copy, but for "identity map".  MK_E_ABSENT: there
   can be none. */
int	setup_mounts_enter(const struct mk_root *root, struct mk_why *why);

/* The map and the cache. */
int	setup_mounts_fill(const struct mk_root *root, const char *user,
	    const struct setup_profile *profile, struct mk_why *why);

#endif
