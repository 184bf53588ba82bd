/* SPDX-License-Identifier: ISC */
/*
 * An AuthorizedKeysCommand run as sshd runs it: no shell, the line split
 * into words first and each word's tokens expanded then; the run-as user
 * with his groups and nothing else; "/" and umask 022; no descriptor but
 * the standard ones; PATH, USER, LOGNAME and HOME and no other variable.
 *
 * What sshd does not have, this has: a limit of time and of output.
 */
#ifndef MK_EDGE_AKC_RUN_H
#define MK_EDGE_AKC_RUN_H

#include "core/buf.h"

struct mk_why;

#define MK_AKC_SECONDS	20
#define MK_AKC_OUT_MAX	(1u << 20)
#define MK_AKC_ERR_MAX	4096u

struct mk_akc_ask {
	const char *command;	/* the line, as "sshd -T" tells it */
	const char *as;		/* AuthorizedKeysCommandUser; %u is known */
	const char *user;	/* who would log in */
	const char *type;	/* of the offered key: "ssh-ed25519"; */
	const char *key;	/* its blob in base64 */
};

struct mk_akc_result {
	int status;		/* exit status, or 128 and the signal */
	struct mk_buf out;	/* what sshd would read */
	struct mk_buf err;	/* its standard error, the first 4 KiB */
};

/*
 * Runs it to its end.  Root only.  *ret_result is released by the caller,
 * on success alone.  MK_E_CONFIG for a line that sshd would not run (an
 * unknown token, an open quote, a relative path); MK_E_ABSENT for an
 * account or a program that is not there; MK_E_STALE after 20 s;
 * MK_E_REFUSED for more than 1 MiB of output; MK_E_PERM, MK_E_SYSTEM.
 */
int	mk_akc_run(const struct mk_akc_ask *ask,
	    struct mk_akc_result *ret_result, struct mk_why *why);
void	mk_akc_result_release(struct mk_akc_result *result);

#endif
