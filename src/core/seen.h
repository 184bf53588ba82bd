/* SPDX-License-Identifier: ISC */
/*
 * The memory of a host against rollback: /var/lib/meshkeys/<UDF>.seen
 * (mesh-profile-set(5), THE MEMORY OF A HOST).
 */
#ifndef MK_CORE_SEEN_H
#define MK_CORE_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/pubkey.h"
#include "core/udf.h"
#include "core/udfset.h"

struct mk_arena;
struct mk_buf;
struct mk_why;

/* What identifies one version of a profile set. */
struct mk_version {
	bool timed;			/* false in 2016/2017: pinned */
	uint8_t key[MK_DIGEST];		/* master key, DER, hashed */
	int64_t master_time;		/* MK_TIME_NONE unless timed */
	int64_t personal_time;
	uint8_t master[MK_DIGEST];	/* payloads, hashed */
	uint8_t personal[MK_DIGEST];
	uint8_t ssh[MK_DIGEST];		/* unless timed; of "" if none */
};

struct mk_seen {
	struct mk_version version;
	const struct mk_udf *deleted;	/* tombstones, oldest first */
	size_t n_deleted;
	struct mk_udfset index;		/* the same, of a parsed memory */
	const char *etag;		/* with its quotes, or NULL */
	uint8_t etag_digest[MK_DIGEST];	/* of the cache bytes it belongs to */
};

/* The stage of the reason for a damaged memory, and of no other. */
#define MK_SEEN_STAGE	"seen"

/*
 * Parses a .seen file, strictly; damage is MK_E_SYSTEM, never an absent
 * memory.  What *ret_seen points to lives in 'a'.
 */
int	mk_seen_parse(struct mk_arena *a, const uint8_t *bytes, size_t len,
	    struct mk_seen *ret_seen, struct mk_why *why);

/* The file's text.  'out' has a maximum of MK_SEEN_MAX. */
void	mk_seen_render(const struct mk_seen *seen, struct mk_buf *out);

enum mk_seen_order {
	MK_SEEN_SAME,		/* the very digests that were seen last */
	MK_SEEN_NEWER
};

/*
 * Judges a version against the newest seen: older, another content at the
 * same time (equivocation), another master key, another generation or
 * another content of a pinned set are MK_E_REFUSED with the reason.
 */
int	mk_seen_judge(const struct mk_seen *seen, const struct mk_version *v,
	    enum mk_seen_order *ret_order, struct mk_why *why);

/* Whether a parsed memory says that the device was ever deleted. */
bool	mk_seen_deleted(const struct mk_seen *seen,
	    const struct mk_udf *device);

/* A version and what its PersonalProfile calls deleted. */
struct mk_profile_version {
	const struct mk_version *version;
	const struct mk_udf *deleted;
	size_t n_deleted;
};

/*
 * The memory after accepting 'now': old tombstones and new ones, the oldest
 * fall out over MK_DELETED_MAX.  'old' may be NULL; the etag is dropped.
 * MK_E_REFUSED or MK_E_SYSTEM for want of memory.
 */
int	mk_seen_advance(struct mk_arena *a, const struct mk_seen *old,
	    const struct mk_profile_version *now, struct mk_seen *ret_seen,
	    struct mk_why *why);

#endif
