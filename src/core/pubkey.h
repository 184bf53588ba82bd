/* SPDX-License-Identifier: ISC */
/*
 * The key objects of profiles, in the three generations
 * (mesh-profile-set(5), KEYS AND FINGERPRINTS).  The fingerprint that an
 * object claims is recomputed, never believed.
 */
#ifndef MK_CORE_PUBKEY_H
#define MK_CORE_PUBKEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/rsa.h"
#include "core/udf.h"

struct mk_arena;
struct mk_json;
struct mk_why;

#define MK_DIGEST	64	/* SHA-512 */

/* One generation rules a whole set; it follows from the master's envelope. */
enum mk_generation {
	MK_GEN_2016,		/* RSA, UDF over SPKI, bare signature */
	MK_GEN_2017,		/* RSA, UDF over PKCS#1, signed digest */
	MK_GEN_CURRENT		/* Ed25519 */
};

struct mk_pubkey {
	enum mk_generation gen;
	struct mk_udf udf;		/* recomputed */
	uint8_t digest[MK_DIGEST];	/* of the DER form */
	uint8_t ed25519[32];		/* MK_GEN_CURRENT */
	struct mk_rsa rsa;		/* else; points into the arena */
};

/* Where an object stands decides which members it may have. */
enum mk_pubkey_place {
	MK_PLACE_PLAIN,		/* master and device keys */
	MK_PLACE_ONLINE,	/* in OnlineSignatureKeys: also DeviceUDF */
	MK_PLACE_SSH		/* in an SSHProfile; mk_sshkey_parse() is
				   to judge the point */
};

/* How a key object is to be read. */
struct mk_pubkey_form {
	enum mk_generation gen;
	enum mk_pubkey_place place;
	const char *stage;		/* a word for the reason */
};

/*
 * Reads a key object.  What the key points to lives in 'a'.  MK_E_REFUSED
 * with the reason if it is not exactly of its form or claims another UDF.
 */
int	mk_pubkey_read(struct mk_arena *a, const struct mk_json *obj,
	    const struct mk_pubkey_form *form, struct mk_pubkey *ret_key,
	    struct mk_why *why);

/* The key object's fields from an Ed25519 public key. */
void	mk_pubkey_from_ed25519(const uint8_t pk[32],
	    struct mk_pubkey *ret_key);

#endif
