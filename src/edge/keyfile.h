/* SPDX-License-Identifier: ISC */
/*
 * Private Mesh keys: Ed25519 pairs in guarded memory, and the files that
 * hold them below the user's state directory, the master's under a
 * passphrase (argon2id, XSalsa20-Poly1305).
 */
#ifndef MK_EDGE_KEYFILE_H
#define MK_EDGE_KEYFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/pubkey.h"
#include "core/write.h"
#include "edge/home.h"

struct mk_why;

/* A pair.  'sk' is of sodium_malloc(), MK_ED25519_SECRET bytes. */
struct mk_secret {
	struct mk_pubkey pub;
	uint8_t *sk;		/* NULL: none */
};

/* A new one, of the system's random numbers. */
int	mk_secret_new(struct mk_secret *ret_secret, struct mk_why *why);
void	mk_secret_free(struct mk_secret *secret);

/* Borrowed from 'secret'. */
struct mk_signer mk_secret_signer(const struct mk_secret *secret);

/*
 * Writes a pair.  'pass' is NUL-ended, or NULL for a file that is guarded by
 * its mode alone.  Argon2id as of crypto_pwhash_*_MODERATE.
 */
int	mk_keyfile_write(const struct mk_home *home, const char *name,
	    const struct mk_secret *secret, const char *pass,
	    struct mk_why *why);

/* What a file says without its passphrase; nothing is proved by it. */
struct mk_keyfile_info {
	struct mk_udf udf;
	bool locked;		/* needs a passphrase */
};

/* MK_E_ABSENT without a reason; else as mk_home_read(). */
int	mk_keyfile_look(const struct mk_home *home, const char *name,
	    struct mk_keyfile_info *ret_info, struct mk_why *why);

/*
 * Reads a pair; its public half and UDF are computed, and are those that the
 * file says.  'pass' NULL if it has none.  MK_E_PERM for a wrong
 * passphrase, MK_E_SYSTEM for a damaged file; costs of argon2id beyond ours
 * are refused.
 */
int	mk_keyfile_read(const struct mk_home *home, const char *name,
	    const char *pass, struct mk_secret *ret_secret,
	    struct mk_why *why);

#endif
