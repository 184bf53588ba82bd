/* SPDX-License-Identifier: ISC */
/*
 * Signed envelopes (mesh-profile-set(5), ENVELOPE AND SIGNATURE): JWS in
 * the Mesh's own arrangement.  What a signature covers are the decoded
 * bytes; nothing is ever re-serialised.
 */
#ifndef MK_CORE_ENVELOPE_H
#define MK_CORE_ENVELOPE_H

#include <stddef.h>
#include <stdint.h>

#include "core/pubkey.h"

struct mk_arena;
struct mk_buf;
struct mk_json;
struct mk_json_notes;
struct mk_why;

struct mk_envelope {
	enum mk_generation gen;		/* by its shape */
	const char *id;			/* the outer Identifier, unsigned */
	size_t id_len;
	const uint8_t *payload;		/* decoded */
	size_t payload_len;
	uint8_t digest[MK_DIGEST];	/* SHA-512 of the payload */
	struct mk_udf kid;		/* who claims to have signed */
	const uint8_t *covered;		/* the bytes that sig is over */
	size_t covered_len;
	const uint8_t *sig;
	size_t sig_len;
};

/* Where an envelope stands. */
struct mk_envelope_place {
	const char *stage;		/* a word for the reason */
	struct mk_json_notes *notes;	/* of the whole set */
	const char *tag;		/* the payload's, to read its body;
					   NULL: any, the body's name */
};

/*
 * Takes an envelope apart: exactly its members, exactly one signature, all
 * base64 strict, the algorithm that of its generation, the digest in the
 * protected part that of the payload.  No signature is checked yet.
 * MK_E_REFUSED or MK_E_SYSTEM.
 */
int	mk_envelope_open(struct mk_arena *a, const struct mk_json *obj,
	    const struct mk_envelope_place *place,
	    struct mk_envelope *ret_env, struct mk_why *why);

/*
 * Lets the payload of an envelope be longer than other strings; once for
 * each place where one may stand, opened or not.
 */
void	mk_envelope_claim(const struct mk_json *obj,
	    struct mk_json_notes *notes);

/*
 * Leaves an envelope closed: its outer Identifier must be the UDF of a key.
 * Claims its payload.
 */
int	mk_envelope_skip(const struct mk_json *obj,
	    const struct mk_envelope_place *place, struct mk_udf *ret_id,
	    struct mk_why *why);

/* Whether 'key' made the signature; its kid must be the key's UDF. */
int	mk_envelope_verify(const struct mk_envelope *env,
	    const struct mk_pubkey *key, const char *stage,
	    struct mk_why *why);

/*
 * Parses the payload: one tagged object with the tag that its place
 * requires, whose Identifier is the outer one.  *ret_body is the object
 * behind the tag.
 */
int	mk_envelope_body(struct mk_arena *a, const struct mk_envelope *env,
	    const struct mk_envelope_place *place,
	    const struct mk_json **ret_body, struct mk_why *why);

#endif
