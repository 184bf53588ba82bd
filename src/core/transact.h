/* SPDX-License-Identifier: ISC */
/*
 * The transactions of the portal protocol, the side of who asks: requests,
 * also signed ones, and answers, which nobody believes.  Get by fingerprint
 * and Changes are in core/portal.h; the portal's side is core/request.h.
 */
#ifndef MK_CORE_TRANSACT_H
#define MK_CORE_TRANSACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/accept.h"
#include "core/account.h"
#include "core/connect.h"
#include "core/write.h"

struct mk_arena;
struct mk_buf;
struct mk_why;

#define MK_REQUEST_NONCE	32	/* bytes: 256 bits */
#define MK_REQUEST_SLACK	600	/* seconds around the portal's clock */

/* {"Hello":{}}, {"ValidateAccount":{"Account":..}}, {"Get":{..}} */
void	mk_hello_write(struct mk_buf *out);
void	mk_validate_write(const struct mk_account *account,
	    struct mk_buf *out);
void	mk_get_account_write(const struct mk_account *account,
	    struct mk_buf *out);

/*
 * {"Publish":{"Entries":[..]}}, with what mk_set_choose() leaves of a set.
 * Needs as much of 'a' as verifying the set.  MK_E_REFUSED, MK_E_SYSTEM.
 */
int	mk_publish_write(struct mk_arena *a, const struct mk_bytes *set,
	    struct mk_buf *out, struct mk_why *why);

/* {"ConnectStart":{..}}; 'witness' NULL without a PIN. */
void	mk_connect_start_write(const struct mk_account *account,
	    const struct mk_envelope *request, const uint8_t *witness,
	    struct mk_buf *out);
void	mk_connect_status_write(const struct mk_account *account,
	    const struct mk_udf *device, struct mk_buf *out);

/* What every signed transaction says besides its own members. */
struct mk_signing {
	const char *portal;		/* from mk_portal_name() */
	const struct mk_account *account;
	uint8_t nonce[MK_REQUEST_NONCE];
	int64_t time;			/* seconds since 1970 */
	struct mk_signer signer;	/* an online key */
};

/*
 * Host and port of a portal's URL, lower case, the port always told:
 * "portal.example:443", "[::1]:8443".  MK_E_CONFIG for what is no http(s)
 * URL.  mk_portal_name_parse() reads "HOST[:PORT]" into the same form, the
 * port being 443 if there is none.
 */
int	mk_portal_name(const char *portal, struct mk_buf *out,
	    struct mk_why *why);
bool	mk_portal_name_parse(const char *s, struct mk_buf *out);

/*
 * {"SignedRequest":E}.  The text goes to 'out'; the arena is for what is
 * between.  MK_E_REFUSED over a limit, MK_E_SYSTEM.
 */
int	mk_create_write(struct mk_arena *a, const struct mk_signing *s,
	    const struct mk_bytes *set, struct mk_buf *out,
	    struct mk_why *why);
int	mk_remove_write(struct mk_arena *a, const struct mk_signing *s,
	    struct mk_buf *out, struct mk_why *why);	/* DeleteAccount */
int	mk_pending_write(struct mk_arena *a, const struct mk_signing *s,
	    struct mk_buf *out, struct mk_why *why);	/* ConnectPending */

/* A result for one request, as it is posted. */
struct mk_result_out {
	const struct mk_envelope *result;
	const uint8_t *witness;		/* NULL without a PIN */
};

int	mk_complete_write(struct mk_arena *a, const struct mk_signing *s,
	    const struct mk_result_out *result, struct mk_buf *out,
	    struct mk_why *why);		/* ConnectComplete */

/* An answer. */
struct mk_answer {
	int status;			/* the member, 100 to 599 */
	const char *description;	/* printable ASCII, '?' for the rest,
					   cut, perhaps empty; NUL-ended */
	const struct mk_json *body;	/* the object behind the tag */
	struct mk_json_notes notes;	/* of the text; envelopes claim */
	size_t malformed;		/* elements that mk_answer_pending()
					   left out */
};

/*
 * Reads {"<transaction>Response":{"Status":N,..}}.  Points into the text
 * and lives in 'a'.  MK_E_REFUSED, MK_E_SYSTEM.
 */
int	mk_answer_read(struct mk_arena *a, const struct mk_bytes *text,
	    const char *transaction, struct mk_answer *ret_answer,
	    struct mk_why *why);

/* One element of Pending, and its witness if it has one. */
struct mk_pending {
	const struct mk_json *request;	/* SignedConnectionRequest */
	struct mk_json_notes notes;	/* of this object alone, so that
					   others cannot spoil it */
	bool has_witness;
	uint8_t witness[MK_WITNESS];
};

#define MK_PENDING_MAX	256u		/* of one answer */

/*
 * Those of an answer to ConnectPending; what is no element of the form is
 * left out and counted, so that one bad request hides no other.
 */
int	mk_answer_pending(struct mk_arena *a, struct mk_answer *answer,
	    const struct mk_pending **ret_pending, size_t *ret_n,
	    struct mk_why *why);

/* The one of an answer to ConnectStatus; its request is NULL if none yet. */
int	mk_answer_result(const struct mk_answer *answer,
	    struct mk_pending *ret_result, struct mk_why *why);

/* Hello: the portal's clock. */
int	mk_answer_time(const struct mk_answer *answer, int64_t *ret_time,
	    struct mk_why *why);

/* ValidateAccount: Valid, and Reason as description above. */
int	mk_answer_valid(struct mk_arena *a, const struct mk_answer *answer,
	    bool *ret_valid, const char **ret_reason, struct mk_why *why);

#endif
