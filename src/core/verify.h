/* SPDX-License-Identifier: ISC */
/*
 * The security decision, first half: from a fingerprint to the keys that a
 * profile set gives (mesh-profile-set(5), FROM THE FINGERPRINT TO THE
 * KEYS).  The second half, local policy, is core/decide.h.
 *
 * A struct mk_verified can be made only here, and only what is in one is
 * ever printed.
 */
#ifndef MK_CORE_VERIFY_H
#define MK_CORE_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/limits.h"
#include "core/profile.h"
#include "core/seen.h"

struct mk_arena;
struct mk_verified;
struct mk_why;

/* The key that a client offered: its blob, or SHA-256 of it. */
struct mk_offer {
	const uint8_t *blob;	/* NULL if only the digest is known */
	size_t len;
	uint8_t sha256[32];
};

bool	mk_offer_is(const struct mk_offer *offer,
	    const struct mk_sshkey *key);

/* What is asked of a set. */
struct mk_demand {
	const uint8_t *set;		/* the bytes; outlive the result */
	size_t set_len;
	struct mk_udf udf;		/* the root of trust */
	int64_t now, build_time;	/* seconds since 1970 */
	const struct mk_seen *seen;	/* NULL: never seen */
	size_t max_set;			/* bytes */
	unsigned max_devices;
	unsigned key_types;		/* bits of enum mk_sshkey_type */
	const struct mk_offer *offer;	/* NULL: every key is asked for */
	bool open_all;			/* verify every device, offer or not */
	bool even_expired;		/* never for a host: to sign it anew */
};

/* What becomes of one SSH key. */
enum mk_verdict {
	MK_KEY_USABLE,		/* to be printed, if policy lets the set */
	MK_KEY_NOT_OFFERED,	/* another key was asked for */
	MK_KEY_TYPE_REFUSED,	/* not in key-types */
	MK_KEY_WEAK,		/* RSA of fewer than 2048 bits */
	MK_KEY_TOMBSTONE,	/* of a device deleted earlier */
	MK_KEY_NOT_LISTED,	/* 2016/2017: of a device not in the profile */
	MK_KEY_HOST		/* a host has no key for logging in */
};

struct mk_verified_key {
	const struct mk_ssh_device *ssh;
	enum mk_verdict verdict;
	char comment[MK_TEXT_MAX + 1];	/* printable ASCII; usable keys */
};

/* A verified set as others may read it; lives as long as its arena. */
struct mk_verified_view {
	struct mk_udf udf;
	enum mk_generation gen;
	struct mk_version version;
	int64_t expires;		/* MK_TIME_NONE: never */
	bool clock_stale;	/* usable only as a stale set (section 5) */
	bool expired;		/* only where that was demanded */
	const struct mk_master *master;
	const struct mk_personal *personal;
	const struct mk_verified_key *keys;	/* order of the SSHProfile */
	size_t n_keys;
};

/*
 * Verifies a set from the fingerprint, all rules of the format in their
 * order, one refusal each.  Everything lives in 'a'.  MK_E_REFUSED (also
 * expired, unless even that is demanded), MK_E_SYSTEM.
 */
int	mk_verify(struct mk_arena *a, const struct mk_demand *demand,
	    const struct mk_verified **ret_verified, struct mk_why *why);

const struct mk_verified_view *mk_verified_view(const struct mk_verified *v);

/* Arena bytes that verifying a set of 'len' bytes may use. */
size_t	mk_verify_memory(size_t len);

#endif
