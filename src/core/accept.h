/* SPDX-License-Identifier: ISC */
/*
 * Whether a set that a portal sent may enter the cache of a host: it
 * verifies from its fingerprint with every device opened, and is newer than
 * the memory and than the verified cache (mesh-profile-set(5), VERSIONS).
 * Bytes in, a verdict and new bytes out; nothing is written here.
 */
#ifndef MK_CORE_ACCEPT_H
#define MK_CORE_ACCEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/seen.h"
#include "core/udf.h"

struct mk_arena;
struct mk_verified_view;

/* Raw bytes; NULL where there are none. */
struct mk_bytes {
	const uint8_t *data;
	size_t len;
};

/* What a host has of a profile, and what it is about to decide with. */
struct mk_holding {
	struct mk_udf udf;
	int64_t now, build_time;	/* seconds since 1970 */
	size_t max_set;
	unsigned max_devices;
	bool even_expired;		/* never for a host: to sign it anew */
	struct mk_bytes cache;		/* the set in use */
	struct mk_bytes seen;		/* the memory */
};

/* A holding that has been looked at. */
struct mk_held {
	struct mk_holding holding;	/* whose bytes outlive it */
	bool has_seen;
	struct mk_seen seen;		/* raised to a newer cache */
	bool raised;			/* seen has to be written */
	bool cache_valid;		/* it verifies, and is the newest */
	uint8_t cache_digest[MK_DIGEST]; /* of its bytes, if any */
	struct mk_why cache_why;	/* with a code if it is not valid */
	const char *etag;		/* to ask with; NULL unless it
					   belongs to the cache bytes */
};

/*
 * Looks at what is there: parses the memory (damaged: MK_E_SYSTEM),
 * verifies the cache unless the memory says that it was written for just
 * these bytes, and raises the memory to a cache that is newer, which mends
 * a crash between the two renames.  A cache that does not verify is no
 * error.  Everything lives in 'a', which needs no more than
 * mk_verify_memory() of what will be offered: the cache is verified in an
 * arena of its own.  MK_E_SYSTEM.
 */
int	mk_hold(struct mk_arena *a, const struct mk_holding *h,
	    struct mk_held *ret_held, struct mk_why *why);

enum mk_news {
	MK_NEWS_SAME,		/* the very bytes that are in use */
	MK_NEWS_ACCEPTED	/* newer, or the first, or a good cache again */
};

/* What a portal sent. */
struct mk_offered_set {
	struct mk_bytes set;
	const char *etag;		/* with its quotes, or NULL */
};

/* What is to be written, cache first, then seen. */
struct mk_accepted {
	enum mk_news news;
	struct mk_seen seen;		/* with the etag given */
	const struct mk_verified_view *view;	/* NULL for the same */
	uint8_t digest[MK_DIGEST];	/* of the bytes offered */
};

/*
 * Judges what a portal sent for the holding.  The payloads in use in other
 * bytes are accepted, so that an etag always belongs to the cache.  It is
 * remembered if it is strong, printable and short enough, else left out.
 * MK_E_REFUSED with the reason for anything that must stay out;
 * MK_E_SYSTEM.
 */
int	mk_accept(struct mk_arena *a, const struct mk_held *held,
	    const struct mk_offered_set *offered,
	    struct mk_accepted *ret_accepted, struct mk_why *why);

/*
 * The same by order of an administrator who knows what the memory says
 * against it: the set verifies in every respect but the memory, and is what
 * is remembered from now on.  Deletions of both stay, no etag does.
 * MK_E_REFUSED, MK_E_SYSTEM.
 */
int	mk_accept_anyway(struct mk_arena *a, const struct mk_held *held,
	    const struct mk_bytes *set, struct mk_accepted *ret_accepted,
	    struct mk_why *why);

/*
 * The fingerprint that a set says it is of, to choose what it is verified
 * from.  Nothing is proved by it.  MK_E_REFUSED, MK_E_SYSTEM.
 */
int	mk_claimed_udf(struct mk_arena *a, const struct mk_bytes *set,
	    struct mk_udf *ret_udf, struct mk_why *why);

#endif
