/* SPDX-License-Identifier: ISC */
/*
 * The failure of an arena stays, so the cache is verified in one of its
 * own: a cache of nonsense must not keep a good set out.
 */
#include <string.h>

#include "core/accept.h"
#include "core/arena.h"
#include "core/digest.h"
#include "core/limits.h"
#include "core/set.h"
#include "core/verify.h"

/* Every key and every device: what policy skips later may still be wrong. */
static struct mk_demand
ask(const struct mk_held *held, const struct mk_bytes *set)
{
	const struct mk_holding *h = &held->holding;

	return (struct mk_demand){ .set = set->data, .set_len = set->len,
	    .udf = h->udf, .now = h->now, .build_time = h->build_time,
	    .seen = held->has_seen ? &held->seen : NULL,
	    .max_set = h->max_set, .max_devices = h->max_devices,
	    .key_types = MK_SSH_ALL, .open_all = true,
	    .even_expired = h->even_expired };
}

/* So that mk_seen_deleted() answers for a memory that was not parsed. */
static int
index_deleted(struct mk_arena *a, struct mk_seen *seen, struct mk_why *why)
{
	size_t i;
	int r;

	r = mk_udfset_init(a, seen->n_deleted, &seen->index, why);
	if (r != 0)
		return r;
	for (i = 0; i < seen->n_deleted; i++)
		mk_udfset_add(&seen->index, &seen->deleted[i], i);
	(void)mk_udfset_seal(&seen->index);
	return 0;
}

/* The memory once the set is in use; it has no etag. */
static int
advance(struct mk_arena *a, const struct mk_held *held,
    const struct mk_verified_view *view, struct mk_seen *ret_seen,
    struct mk_why *why)
{
	struct mk_profile_version now = { .version = &view->version,
	    .deleted = view->personal->deleted,
	    .n_deleted = view->personal->n_deleted };
	struct mk_seen seen;
	int r;

	if ((r = mk_seen_advance(a, held->has_seen ? &held->seen : NULL,
	    &now, &seen, why)) != 0 ||
	    (r = index_deleted(a, &seen, why)) != 0)
		return r;
	*ret_seen = seen;
	return 0;
}

static bool
same_deleted(const struct mk_seen *a, const struct mk_seen *b)
{
	return a->n_deleted == b->n_deleted && (a->n_deleted == 0 ||
	    memcmp(a->deleted, b->deleted,
	    a->n_deleted * sizeof(*a->deleted)) == 0);
}

/* Raises the memory to a cache that verifies, so is not older. */
static int
raise_memory(struct mk_arena *a, const struct mk_verified_view *view,
    struct mk_held *held, struct mk_why *why)
{
	enum mk_seen_order order = MK_SEEN_NEWER;
	struct mk_seen seen;
	int r;

	/* Known already, or it would not verify by a clock like this. */
	if (view->clock_stale)
		return 0;
	if ((held->has_seen && (r = mk_seen_judge(&held->seen,
	    &view->version, &order, why)) != 0) ||
	    (r = advance(a, held, view, &seen, why)) != 0)
		return r;
	if (order == MK_SEEN_SAME && same_deleted(&held->seen, &seen))
		return 0;
	held->seen = seen;
	held->has_seen = held->raised = true;
	return 0;
}

static int
look_at_cache(struct mk_arena *a, struct mk_held *held, struct mk_why *why)
{
	struct mk_demand demand = ask(held, &held->holding.cache);
	const struct mk_verified *verified;
	struct mk_arena own;
	int r;

	mk_arena_init(&own, mk_verify_memory(demand.set_len));
	r = mk_verify(&own, &demand, &verified, &held->cache_why);
	if (r == 0) {
		r = raise_memory(a, mk_verified_view(verified), held, why);
		held->cache_valid = r == 0;
	} else if (r == MK_E_REFUSED) {
		r = 0;
	} else {
		(void)mk_fail(why, r, held->cache_why.stage, "%s",
		    held->cache_why.detail);
	}
	mk_arena_release(&own);
	return r;
}

int
mk_hold(struct mk_arena *a, const struct mk_holding *h,
    struct mk_held *ret_held, struct mk_why *why)
{
	struct mk_held held = { .holding = *h };
	int r = 0;

	if (h->seen.data != NULL) {
		r = mk_seen_parse(a, h->seen.data, h->seen.len, &held.seen,
		    why);
		if (r != 0)
			return r;
		held.has_seen = true;
	}
	if (h->cache.data == NULL) {
		(void)mk_fail(&held.cache_why, MK_E_NOPROFILE, "cache",
		    "there is no cached set");
		*ret_held = held;
		return 0;
	}
	mk_sha512(h->cache.data, h->cache.len, held.cache_digest);
	if (held.seen.etag != NULL && memcmp(held.seen.etag_digest,
	    held.cache_digest, MK_DIGEST) == 0) {
		held.etag = held.seen.etag;
		held.cache_valid = true;
	} else if ((r = look_at_cache(a, &held, why)) != 0) {
		return r;
	}
	*ret_held = held;
	return 0;
}

/*
 * Whether a memory can hold the etag, and If-None-Match send it, as it
 * stands: RFC 9110 section 8.8.3, printable ASCII, not weak.
 */
static bool
etag_fits(const char *s)
{
	size_t n = strnlen(s, MK_ETAG_MAX + 1), i;

	if (n < 2 || n > MK_ETAG_MAX || s[0] != '"' || s[n - 1] != '"')
		return false;
	for (i = 1; i < n - 1; i++) {
		if (s[i] < '!' || s[i] > '~' || s[i] == '"')
			return false;
	}
	return true;
}

static int
put_etag(struct mk_arena *a, const char *etag,
    const uint8_t digest[MK_DIGEST], struct mk_seen *seen,
    struct mk_why *why)
{
	seen->etag = NULL;
	if (etag == NULL || !etag_fits(etag))
		return 0;
	seen->etag = mk_arena_dup(a, etag, strlen(etag));
	if (seen->etag == NULL)
		return mk_arena_fail(a, why);
	memcpy(seen->etag_digest, digest, MK_DIGEST);
	return 0;
}

/* Another set than the one in use. */
static int
take(struct mk_arena *a, const struct mk_held *held,
    const struct mk_bytes *set, struct mk_accepted *accepted,
    struct mk_why *why)
{
	struct mk_demand demand = ask(held, set);
	const struct mk_verified *verified;
	int r;

	if ((r = mk_verify(a, &demand, &verified, why)) != 0)
		return r;
	accepted->news = MK_NEWS_ACCEPTED;
	accepted->view = mk_verified_view(verified);
	/* By a wrong clock only what is remembered verifies: no advance. */
	if (accepted->view->clock_stale)
		return 0;
	return advance(a, held, accepted->view, &accepted->seen, why);
}

int
mk_accept(struct mk_arena *a, const struct mk_held *held,
    const struct mk_offered_set *offered, struct mk_accepted *ret_accepted,
    struct mk_why *why)
{
	struct mk_accepted accepted = { .news = MK_NEWS_SAME,
	    .seen = held->seen };
	int r;

	mk_sha512(offered->set.data, offered->set.len, accepted.digest);
	/* What is in use was verified; the same bytes are it again. */
	if ((!held->cache_valid || memcmp(held->cache_digest,
	    accepted.digest, MK_DIGEST) != 0) &&
	    (r = take(a, held, &offered->set, &accepted, why)) != 0)
		return r;
	r = put_etag(a, offered->etag, accepted.digest, &accepted.seen, why);
	if (r == 0)
		*ret_accepted = accepted;
	return r;
}

int
mk_accept_anyway(struct mk_arena *a, const struct mk_held *held,
    const struct mk_bytes *set, struct mk_accepted *ret_accepted,
    struct mk_why *why)
{
	struct mk_demand demand = ask(held, set);
	struct mk_accepted accepted = { .news = MK_NEWS_ACCEPTED };
	const struct mk_verified *verified;
	int r;

	demand.seen = NULL;
	if ((r = mk_verify(a, &demand, &verified, why)) != 0)
		return r;
	accepted.view = mk_verified_view(verified);
	/* A device that was deleted here stays so, whatever comes back. */
	r = advance(a, held, accepted.view, &accepted.seen, why);
	if (r == 0)
		*ret_accepted = accepted;
	return r;
}

int
mk_claimed_udf(struct mk_arena *a, const struct mk_bytes *set,
    struct mk_udf *ret_udf, struct mk_why *why)
{
	struct mk_json_notes notes = { 0 };
	struct mk_json_text text = { .s = (const char *)set->data,
	    .len = set->len, .stage = "set", .notes = &notes };
	const struct mk_json *id;
	struct mk_set parsed;
	int r;

	if ((r = mk_set_parse(a, &text, &parsed, why)) != 0)
		return r;
	id = mk_json_member(parsed.personal, "Identifier");
	if (id == NULL || id->type != MK_JSON_STRING ||
	    !mk_udf_parse(id->str, id->len, ret_udf) ||
	    mk_udf_type(ret_udf) != MK_UDF_KEY)
		return mk_fail(why, MK_E_REFUSED, "set",
		    "it does not say whose it is");
	return 0;
}
