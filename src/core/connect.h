/* SPDX-License-Identifier: ISC */
/*
 * Connecting a device (the portal protocol, ConnectionRequest and
 * ConnectionResult): payloads, and who must have signed them.  Both have an
 * Identifier, as every payload of an envelope has: the UDF of the key that
 * signs.
 */
#ifndef MK_CORE_CONNECT_H
#define MK_CORE_CONNECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/envelope.h"
#include "core/json.h"
#include "core/pin.h"
#include "core/profile.h"

struct mk_arena;
struct mk_buf;
struct mk_why;

#define MK_CONNECT_NONCE	32	/* bytes: 256 bits */
#define MK_CONNECT_LIFE		86400	/* seconds a request is good for */

/* ConnectionRequest. */
struct mk_connection_request {
	struct mk_udf parent;		/* ParentUDF: the master's */
	struct mk_envelope envelope;	/* Device: the SignedDeviceProfile */
	struct mk_device device;	/* and what is in it */
	bool has_online;		/* asks to be an administrator */
	struct mk_pubkey online;
	bool has_ssh;
	struct mk_ssh_device ssh;	/* of this very device */
	uint8_t nonce[MK_CONNECT_NONCE];
	int64_t time;
	char pin_id[MK_PIN_ID + 1];	/* "" if no PIN was used */
};

/* The payload's text; device, has_ssh and the others as above. */
void	mk_connection_request_write(const struct mk_connection_request *req,
	    struct mk_buf *out);

/* A signed object, taken apart and verified. */
struct mk_connection_read {
	struct mk_envelope envelope;
	struct mk_connection_request request;
};

/*
 * Reads a SignedConnectionRequest and verifies that the device in it signed
 * both its profile and the request, that Identifiers and UDFs agree, that
 * its keys are well formed and distinct (mesh-profile-set(5), a key has one
 * role), and that the SSH part speaks of this device.  Whether it has
 * lapsed, and whose ParentUDF it names, is the caller's, and so is a Proof.
 * Everything lives in 'a' and points into the text that 'obj' was parsed
 * from.  Counts in *notes are those of that whole text, or of this object
 * alone; the payload is claimed here, and nothing may be left.
 * MK_E_REFUSED, MK_E_SYSTEM.
 */
int	mk_connection_request_read(struct mk_arena *a,
	    const struct mk_json *obj, struct mk_json_notes *notes,
	    struct mk_connection_read *ret_read, struct mk_why *why);

/* ConnectionResult. */
struct mk_connection_result {
	uint8_t request[MK_DIGEST];	/* RequestDigest: SHA-512 of its
					   payload */
	struct mk_udf device;
	bool accepted;
};

/* 'signer' becomes the Identifier. */
void	mk_connection_result_write(const struct mk_connection_result *result,
	    const struct mk_udf *signer, struct mk_buf *out);

/* Who may have signed a result. */
struct mk_result_place {
	const struct mk_online *keys;
	size_t n;
	struct mk_json_notes *notes;
};

struct mk_result_read {
	struct mk_envelope envelope;	/* its digest goes into the witness */
	struct mk_connection_result result;
};

/*
 * Reads a SignedConnectionResult whose signer must be one of the keys, and
 * no other; the notes as above.  MK_E_REFUSED, MK_E_SYSTEM.
 */
int	mk_connection_result_read(struct mk_arena *a,
	    const struct mk_json *obj, const struct mk_result_place *place,
	    struct mk_result_read *ret_read, struct mk_why *why);

#endif
