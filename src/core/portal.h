/* SPDX-License-Identifier: ISC */
/*
 * Where a portal has what: the paths below the URL of a portal, the request
 * for one profile, and what changed (the portal protocol, "Reading", "Get"
 * and "Changes").
 */
#ifndef MK_CORE_PORTAL_H
#define MK_CORE_PORTAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/accept.h"
#include "core/udf.h"

struct mk_arena;
struct mk_buf;
struct mk_why;

enum mk_portal_kind {
	MK_PORTAL_HTTP,		/* https:// or http:// */
	MK_PORTAL_FILE		/* file:/DIR */
};

/* The kind of a portal whose form the configuration has judged. */
enum mk_portal_kind mk_portal_kind(const char *portal);

/* Of file:/DIR, file://DIR or file:///DIR: the absolute path /DIR. */
const char *mk_portal_dir(const char *portal);

/* <portal>/.well-known/mmm/<UDF>.json */
void	mk_portal_url(const char *portal, const struct mk_udf *udf,
	    struct mk_buf *out);

/* <portal>/.well-known/mmm/, where transactions are posted. */
void	mk_portal_post_url(const char *portal, struct mk_buf *out);

/* {"Get":{"Identifier":<UDF>}} */
void	mk_portal_get(const struct mk_udf *udf, struct mk_buf *out);

/*
 * {"Changes":{"Store":..,"Since":..,"Wait":..,"Identifiers":[..]}}, begun,
 * with one fingerprint after another, and ended.  'store' is "" and 'since'
 * 0 where nothing is known yet, else those of an answer; 'wait' is in
 * seconds, at most MK_CHANGES_WAIT.
 */
void	mk_changes_begin(const char *store, uint64_t since, unsigned wait,
	    struct mk_buf *out);
void	mk_changes_add(const struct mk_udf *udf, struct mk_buf *out);
void	mk_changes_end(struct mk_buf *out);

/* An answer to it. */
struct mk_changes {
	const char *store;		/* NUL-ended */
	uint64_t next;
	bool reset;
	const struct mk_udf *udfs;	/* that changed, as they came */
	size_t n;
};

/*
 * Reads {"ChangesResponse":{..}} of a portal, whom nobody believes: a Status
 * of 200 or 201, a Store of 1 to MK_CHANGES_STORE printable characters,
 * Next below 2^53, at most MK_CHANGES_IDS fingerprints of keys in their full
 * form, all in at most MK_CHANGES_MAX bytes.  What it points to lives in
 * 'a', to which MK_ARENA_FLOOR is enough.  MK_E_REFUSED for anything else,
 * MK_E_SYSTEM.
 */
int	mk_changes_parse(struct mk_arena *a, const struct mk_bytes *answer,
	    struct mk_changes *ret_changes, struct mk_why *why);

#endif
