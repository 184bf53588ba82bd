/* SPDX-License-Identifier: ISC */
/*
 * The security decision, second half: what a host's own policy lets
 * through of the verified sets of one user.  Bytes and a clock in, lines
 * and reasons out.
 */
#ifndef MK_CORE_DECIDE_H
#define MK_CORE_DECIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/udf.h"

struct mk_offer;
struct mk_record;
struct mk_verified_view;

enum mk_when_stale {
	MK_STALE_ALLOW,
	MK_STALE_RESTRICT,
	MK_STALE_DENY
};

/* What meshkeys.conf says and a line of the map may override. */
struct mk_policy {
	char *portal;			/* not used by any decision */
	char *options;			/* "" or a checked list */
	unsigned key_types;		/* bits of enum mk_sshkey_type */
	enum mk_when_stale when_stale;
	int64_t max_signed_age;		/* seconds; -1: none */
	int64_t not_before;		/* MK_TIME_NONE: none; map only */
};

/* One profile of the user, as the edge found it. */
struct mk_found {
	struct mk_udf udf;
	const struct mk_policy *policy;
	int failed;			/* 0, or why there are no bytes; the
					   memory counts even so */
	struct mk_why why;		/* with failed */
	const uint8_t *set;
	size_t set_len;
	int64_t mtime;			/* last confirmed by a portal */
	const uint8_t *seen;		/* NULL: no memory of this profile */
	size_t seen_len;
};

/* What stands before the keys of a profile; those of a stale set may be
   restricted. */
void	mk_policy_lead(const struct mk_policy *policy, bool stale,
	    struct mk_buf *out);

/*
 * Who wants to see how each verified set was judged: called once for each,
 * after it, whatever came of it.
 */
struct mk_onlooker {
	void (*see)(void *arg, const struct mk_verified_view *view,
	    const struct mk_record *rec);
	void *arg;
};

struct mk_question {
	int64_t now, build_time;	/* seconds since 1970 */
	int64_t fresh_for;		/* seconds */
	int64_t stale_for;		/* seconds; -1: never too stale */
	size_t max_set;
	unsigned max_devices;
	const struct mk_offer *offer;	/* NULL: every key */
	const struct mk_found *found;	/* in the order of the lines */
	size_t n_found;
	const struct mk_onlooker *onlooker;	/* NULL at a login */
};

#define MK_AGE_NONE	INT64_MIN	/* there was no set */

/* What was decided about one profile. */
struct mk_record {
	struct mk_udf udf;
	int code;			/* 0 or MK_E_* */
	struct mk_why why;		/* with code */
	int64_t set_time;		/* P.Updated of a verified set */
	int64_t age;			/* seconds since mtime, MK_AGE_NONE */
	bool stale;
	bool matched;			/* the offered key is hers */
	struct mk_udf device;		/* with matched */
	size_t n_keys;			/* usable keys, before merging */
};

struct mk_answer {
	int code;			/* 0 or the first failure */
	struct mk_why why;		/* of a failure of no one profile */
	bool matched;			/* the offered key is printed */
	bool refused;			/* any profile failed */
	struct mk_record *records;	/* one each, same order */
	size_t n_records;
	struct mk_buf lines;		/* whole, with line feeds */
};

/*
 * Decides.  Each profile is decided by itself; a key that stands in two
 * gets the options of both.  *ret_answer is always filled and to be
 * released; with a code other than 0 its lines are empty.
 */
void	mk_decide(const struct mk_question *q, struct mk_answer *ret_answer);

void	mk_answer_release(struct mk_answer *answer);

#endif
