/* SPDX-License-Identifier: ISC */
/*
 * The sshd of this host, asked by running it: what it would do with its
 * configuration for a user.  Nothing here guesses what sshd makes of a
 * file.
 */
#ifndef MK_EDGE_SSHD_H
#define MK_EDGE_SSHD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mk_why;

struct mk_sshd {
	char *program;			/* malloc'd path */
	unsigned major, minor;		/* of OpenSSH; 0 if it does not say */
};

/*
 * The sshd that runs, else the first of /usr/sbin, /usr/local/sbin and
 * /sbin.  MK_E_ABSENT with a reason if there is none, MK_E_SYSTEM.
 */
int	mk_sshd_find(struct mk_sshd *ret_sshd, struct mk_why *why);
void	mk_sshd_release(struct mk_sshd *sshd);

/* Whom the settings are asked for. */
struct mk_sshd_ask {
	const char *config;	/* NULL: the file that it takes itself */
	const char *user;	/* NULL: nobody whom a Match names */
	const char *host, *addr;	/* NULL: localhost, 127.0.0.1 */
};

struct mk_sshd_settings;

/*
 * "sshd -T": every setting in force.  MK_E_CONFIG with what sshd said if it
 * refuses its configuration, MK_E_USAGE for a name that it cannot be asked
 * about, MK_E_PERM (not root), MK_E_STALE, MK_E_SYSTEM.
 */
int	mk_sshd_settings(const struct mk_sshd *sshd,
	    const struct mk_sshd_ask *ask,
	    struct mk_sshd_settings **ret_settings, struct mk_why *why);
void	mk_sshd_settings_free(struct mk_sshd_settings *settings);

/*
 * The value of the i-th line of a keyword, given in lower case; NULL if
 * there are not so many.  "none" is told as it stands.
 */
const char *mk_sshd_get(const struct mk_sshd_settings *settings,
	    const char *keyword, size_t i);

/*
 * Whose an AuthorizedKeysCommand is, by the name of its program: "SSSD";
 * NULL for one that is not known.
 */
const char *mk_sshd_command_name(const char *command);

/* "sshd -t".  MK_E_CONFIG with what sshd said; the others too. */
int	mk_sshd_test(const struct mk_sshd *sshd, const char *config,
	    struct mk_why *why);

/* Times in nanoseconds since 1970. */
struct mk_sshd_running {
	long pid;
	char *program;		/* malloc'd path of what it executes */
	char *line;		/* malloc'd: its command line, a blank between
				   words, whose quotes are lost */
	int64_t started;
	int64_t read;		/* when it read its configuration; -1 where
				   its PidFile does not tell */
};

/*
 * The sshd that listens, in this host and not in a container of it: by its
 * PidFile and what runs under that number, else by the process table.
 * 'settings' may be NULL.  MK_E_ABSENT if there is none, MK_E_SYSTEM.
 */
int	mk_sshd_running(const struct mk_sshd_settings *settings,
	    struct mk_sshd_running *ret_running, struct mk_why *why);
void	mk_sshd_running_release(struct mk_sshd_running *running);

/*
 * When the connection began through which a process was logged in, in
 * nanoseconds since the boot: the start of the sshd that root runs for it.
 * A terminal that was left and taken up again, as by tmux(1), has none, and
 * a login through a shared connection has that of the first.  -1: none.
 */
int64_t	mk_sshd_login_start(long pid);

#endif
