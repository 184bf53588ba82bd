/* SPDX-License-Identifier: ISC */
/*
 * The transactions of the portal protocol, the portal's side: what a
 * stranger posted, taken apart, and the text of answers.  Nothing is
 * decided here but form and signatures.
 */
#ifndef MK_CORE_REQUEST_H
#define MK_CORE_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/account.h"
#include "core/connect.h"
#include "core/envelope.h"
#include "core/json.h"
#include "core/transact.h"

struct mk_arena;
struct mk_buf;
struct mk_why;

enum mk_transaction {
	MK_HELLO,
	MK_VALIDATE_ACCOUNT,
	MK_CREATE_ACCOUNT,		/* signed */
	MK_DELETE_ACCOUNT,		/* signed */
	MK_GET,
	MK_PUBLISH,
	MK_CONNECT_START,
	MK_CONNECT_PENDING,		/* signed */
	MK_CONNECT_COMPLETE,		/* signed */
	MK_CONNECT_STATUS,
	MK_CHANGES,
	MK_TRANSACTIONS
};

/* "Hello", ... */
const char *mk_transaction_name(enum mk_transaction what);

/* What stands in the envelope of a signed transaction. */
struct mk_signed_part {
	struct mk_envelope envelope;
	const char *portal;		/* NUL-ended */
	uint8_t nonce[MK_REQUEST_NONCE];
	int64_t time;
};

/* Members that a transaction does not have are zero. */
struct mk_request {
	enum mk_transaction what;
	bool is_signed;
	struct mk_signed_part sig;
	bool has_account;		/* ValidateAccount: whether what was
					   given has the form of one */
	struct mk_account account;
	bool has_udf;			/* Identifier, or DeviceUDF */
	struct mk_udf udf;
	const struct mk_json *entries;	/* an array */
	const struct mk_json *object;	/* SignedConnectionRequest, -Result */
	bool has_witness;
	uint8_t witness[MK_WITNESS];
	/* Changes */
	const char *store;		/* NUL-ended */
	uint64_t since;
	unsigned wait;			/* seconds */
	const struct mk_udf *udfs;
	size_t n_udfs;
	struct mk_json_notes notes;	/* of the text that holds entries or
					   object; envelopes claim, and
					   nothing else of it is long */
};

/*
 * Reads a body.  The tree lives in 'a' and points into the text.  Exactly
 * one transaction; those that must be signed are, and the others are not;
 * members have their types, unknown ones are ignored; what a signature
 * covers is what is read.  No signature is checked.  MK_E_REFUSED,
 * MK_E_SYSTEM.
 */
int	mk_request_read(struct mk_arena *a, const struct mk_bytes *body,
	    struct mk_request *ret_request, struct mk_why *why);

/* Whether one of the keys signed it, the one that its kid names. */
int	mk_request_verify(const struct mk_request *req,
	    const struct mk_pubkey *keys, size_t n, struct mk_why *why);

/*
 * The set of a Publish or CreateAccount as it is to be stored: what
 * mk_set_choose() leaves of it, compact, as mk_set_write().  Nothing is
 * verified.  MK_E_REFUSED, also where two envelopes of one application have
 * the digest listed; MK_E_SYSTEM.
 */
int	mk_request_set(struct mk_arena *a, const struct mk_request *req,
	    struct mk_buf *out, struct mk_why *why);

/*
 * {"<what>Response":{"Status":N,"StatusDescription":"..."; further members
 * follow, each with its comma, and mk_response_end().  'description' is
 * ours, or NULL.
 */
void	mk_response_begin(enum mk_transaction what, int status,
	    const char *description, struct mk_buf *out);
void	mk_response_end(struct mk_buf *out);

#endif
