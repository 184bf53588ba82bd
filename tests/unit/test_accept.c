/* SPDX-License-Identifier: ISC */
/*
 * What may enter the cache of a host, given what is there: caches and
 * memories that are absent, older, newer, damaged or of another time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/accept.h"
#include "core/digest.h"
#include "core/limits.h"
#include "core/timestamp.h"
#include "make_set.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define T(h)		(MADE_NOW - 100 * MADE_HOUR + (h) * MADE_HOUR)
#define LATER		(MADE_NOW + 2 * MK_DAY)
#define SETS		4

static struct made sets[SETS];
static struct mk_arena arena;
static struct mk_buf memory;
static struct mk_holding holding;
static struct mk_held held;
static struct mk_accepted accepted;
static struct mk_why why;

static void
setup(void)
{
	memset(sets, 0, sizeof(sets));
	mk_arena_init(&arena, mk_verify_memory(MK_SET_MAX));
	mk_buf_init(&memory, MK_SEEN_MAX);
	holding = (struct mk_holding){ .now = MADE_NOW,
	    .build_time = MADE_NOW - 30 * MK_DAY, .max_set = MK_SET_MAX,
	    .max_devices = MK_DEVICES_MAX };
}

static void
teardown(void)
{
	size_t i;

	for (i = 0; i < SETS; i++)
		made_release(&sets[i]);
	mk_buf_release(&memory);
	mk_arena_release(&arena);
}

static struct made *
make_of(size_t i, const struct recipe *recipe)
{
	made_release(&sets[i]);
	made_set(recipe, &sets[i]);
	holding.udf = sets[i].udf;
	return &sets[i];
}

/* Two devices with a key each. */
static struct made *
make(size_t i, int64_t updated, const char *description)
{
	struct recipe r = { .n_devices = 2, .n_keys = 1,
	    .master_updated = T(0), .updated = updated,
	    .description = description };

	return make_of(i, &r);
}

static struct mk_bytes
bytes(const struct made *made)
{
	return (struct mk_bytes){ (const uint8_t *)made->set.data,
	    made->set.len };
}

/* The memory of the host is of this version, perhaps with tombstones. */
static void
remember(const struct made *made, const struct mk_udf *deleted, size_t n)
{
	struct mk_seen seen = { .version = made_version(made),
	    .deleted = deleted, .n_deleted = n };

	mk_buf_cut(&memory, 0);
	mk_seen_render(&seen, &memory);
	ck_assert_int_eq(memory.failed, 0);
	holding.seen = (struct mk_bytes){ (const uint8_t *)memory.data,
	    memory.len };
}

/* It also has an etag, of these bytes. */
static void
remember_etag(const struct made *made, struct mk_bytes of)
{
	struct mk_seen seen = { .version = made_version(made),
	    .etag = "\"e\"" };

	mk_sha512(of.data, of.len, seen.etag_digest);
	mk_buf_cut(&memory, 0);
	mk_seen_render(&seen, &memory);
	holding.seen = (struct mk_bytes){ (const uint8_t *)memory.data,
	    memory.len };
}

static bool
is_version(const struct mk_seen *seen, const struct made *made)
{
	struct mk_version v = made_version(made);
	enum mk_seen_order order;

	return mk_seen_judge(seen, &v, &order, NULL) == 0 &&
	    order == MK_SEEN_SAME;
}

/* Looks; what it says of an invalid cache must have these words. */
static void
hold(bool valid, bool raised, const char *words)
{
	int r = mk_hold(&arena, &holding, &held, &why);

	ck_assert_msg(r == 0, "%s", why.detail);
	ck_assert_int_eq(held.cache_valid, valid);
	ck_assert_int_eq(held.raised, raised);
	ck_assert_int_eq(held.cache_why.code == 0, valid);
	if (!valid)
		ck_assert_msg(strstr(held.cache_why.detail, words) != NULL,
		    "'%s' for '%s'", held.cache_why.detail, words);
}

static int
offer(const struct made *made, const char *etag)
{
	struct mk_offered_set offered = { bytes(made), etag };

	/* Some tests change their mind about time and limits. */
	held.holding = holding;
	memset(&accepted, 0, sizeof(accepted));
	memset(&why, 0, sizeof(why));
	return mk_accept(&arena, &held, &offered, &accepted, &why);
}

/* Offers; it is taken, and remembered as what it is. */
static void
take(const struct made *made, enum mk_news news)
{
	uint8_t digest[MK_DIGEST];
	int r = offer(made, "\"new\"");

	ck_assert_msg(r == 0, "%s: %s", why.stage, why.detail);
	ck_assert_int_eq(accepted.news, news);
	ck_assert(is_version(&accepted.seen, made));
	ck_assert_int_eq(accepted.view == NULL, news == MK_NEWS_SAME);
	ck_assert_str_eq(accepted.seen.etag, "\"new\"");
	mk_sha512((const uint8_t *)made->set.data, made->set.len, digest);
	ck_assert_mem_eq(accepted.digest, digest, MK_DIGEST);
	ck_assert_mem_eq(accepted.seen.etag_digest, digest, MK_DIGEST);
}

static void
refuse(const struct made *made, const char *words)
{
	int r = offer(made, "\"new\"");

	ck_assert_msg(r == MK_E_REFUSED, "code %d for '%s'", r, words);
	ck_assert_msg(strstr(why.detail, words) != NULL, "'%s' for '%s'",
	    why.detail, words);
	ck_assert_ptr_null(accepted.view);
}

START_TEST(nothing_there)
{
	struct made *first = make(0, T(2), "a");
	struct mk_seen parsed;
	struct mk_buf out;

	hold(false, false, "no cached set");
	ck_assert_int_eq(held.cache_why.code, MK_E_NOPROFILE);
	ck_assert(!held.has_seen);
	ck_assert_ptr_null(held.etag);
	take(first, MK_NEWS_ACCEPTED);
	ck_assert_uint_eq(accepted.view->n_keys, 2);
	/* What is remembered can be read again. */
	mk_buf_init(&out, MK_SEEN_MAX);
	mk_seen_render(&accepted.seen, &out);
	ck_assert_int_eq(mk_seen_parse(&arena, (const uint8_t *)out.data,
	    out.len, &parsed, &why), 0);
	ck_assert(is_version(&parsed, first));
	ck_assert_str_eq(parsed.etag, "\"new\"");
	mk_buf_release(&out);
}
END_TEST

START_TEST(damaged_memory)
{
	static const char *const texts[] = { "", "mesh-seen 1\n", "x" };
	size_t i;

	holding.cache = bytes(make(0, T(2), "a"));
	for (i = 0; i < COUNT(texts); i++) {
		holding.seen = (struct mk_bytes){
		    (const uint8_t *)texts[i], strlen(texts[i]) };
		ck_assert_int_eq(mk_hold(&arena, &holding, &held, &why),
		    MK_E_SYSTEM);
	}
}
END_TEST

/* The cache alone is a first sight, and nothing below it is taken. */
START_TEST(cache_without_memory)
{
	struct made *cache = make(0, T(2), "a");

	holding.cache = bytes(cache);
	hold(true, true, NULL);
	ck_assert(held.has_seen && is_version(&held.seen, cache));
	ck_assert_ptr_null(held.etag);
	take(cache, MK_NEWS_SAME);
	refuse(make(1, T(1), "b"), "PersonalProfile is older");
	refuse(make(1, T(2), "b"), "has the time");
	take(make(1, T(3), "b"), MK_NEWS_ACCEPTED);
}
END_TEST

/* A crash after the rename of the cache. */
START_TEST(cache_ahead_of_memory)
{
	struct made *old = make(0, T(1), "a"), *cache = make(1, T(2), "b");

	remember_etag(old, bytes(old));
	holding.cache = bytes(cache);
	hold(true, true, NULL);
	ck_assert(is_version(&held.seen, cache));
	ck_assert_ptr_null(held.etag);
	ck_assert_ptr_null(held.seen.etag);
	refuse(old, "is older");
	take(cache, MK_NEWS_SAME);
}
END_TEST

START_TEST(cache_as_remembered)
{
	struct made *cache = make(0, T(2), "a");

	remember(cache, NULL, 0);
	holding.cache = bytes(cache);
	hold(true, false, NULL);
	refuse(make(1, T(1), "a"), "is older");
	take(cache, MK_NEWS_SAME);
	take(make(1, T(3), "b"), MK_NEWS_ACCEPTED);
}
END_TEST

START_TEST(cache_behind_memory)
{
	struct made *seen = make(0, T(3), "a"), *cache = make(1, T(2), "b");

	remember(seen, NULL, 0);
	holding.cache = bytes(cache);
	hold(false, false, "is older");
	ck_assert(is_version(&held.seen, seen));
	refuse(cache, "is older");
	take(seen, MK_NEWS_ACCEPTED);
	/* The same time, another content. */
	make(1, T(3), "b");
	holding.cache = bytes(cache);
	hold(false, false, "has the time");
	refuse(cache, "has the time");
	take(seen, MK_NEWS_ACCEPTED);
}
END_TEST

START_TEST(cache_missing_or_bad)
{
	struct made *seen = make(0, T(3), "a"), *bad = make(1, T(3), "a");

	remember(seen, NULL, 0);
	hold(false, false, "no cached set");
	take(seen, MK_NEWS_ACCEPTED);
	refuse(make(2, T(2), "a"), "is older");
	bad->set.data[bad->set.len / 2] ^= 1;
	holding.cache = bytes(bad);
	hold(false, false, "");
	take(seen, MK_NEWS_ACCEPTED);
	holding.cache.len = 0;
	hold(false, false, "");
	take(seen, MK_NEWS_ACCEPTED);
}
END_TEST

/* Bytes that the memory was written with are not verified again. */
START_TEST(written_together)
{
	static const uint8_t nonsense[] = "nonsense";
	struct mk_bytes cache = { nonsense, sizeof(nonsense) };
	struct made *seen = make(0, T(3), "a");

	remember_etag(seen, cache);
	holding.cache = cache;
	hold(true, false, NULL);
	ck_assert_str_eq(held.etag, "\"e\"");
	holding.cache.len--;
	hold(false, false, "");
	ck_assert_ptr_null(held.etag);
	holding.cache = bytes(seen);
	hold(true, false, NULL);
	ck_assert_ptr_null(held.etag);
	remember_etag(seen, bytes(seen));
	hold(true, false, NULL);
	ck_assert_str_eq(held.etag, "\"e\"");
	take(seen, MK_NEWS_SAME);
}
END_TEST

/* An etag stands for bytes, so the bytes have to come along. */
START_TEST(same_in_other_bytes)
{
	const struct made_edit edit = { "set", "{", "{ " };
	struct recipe r = { .n_devices = 2, .n_keys = 1,
	    .master_updated = T(0), .updated = T(2), .description = "a",
	    .edits = &edit, .n_edits = 1 };
	struct made *cache = make(0, T(2), "a"), *wide = make_of(1, &r);

	ck_assert_uint_eq(wide->set.len, cache->set.len + 1);
	remember_etag(cache, bytes(cache));
	holding.cache = bytes(cache);
	hold(true, false, NULL);
	take(wide, MK_NEWS_ACCEPTED);
	take(cache, MK_NEWS_SAME);
}
END_TEST

START_TEST(etags)
{
	static const char *const good[] = { "\"\"", "\"x\"", "\"!#~\\\"" };
	static const char *const bad[] = { "", "\"", "x", "\"x", "x\"",
	    "W/\"x\"", "\"a\"b\"", "\"a b\"", "\"a\177\"", "\"a\n\"",
	    "\"\303\266\"", "\"x\" " };
	struct made *cache = make(0, T(2), "a");
	char etag[MK_ETAG_MAX + 2];
	size_t i;

	remember_etag(cache, bytes(cache));
	holding.cache = bytes(cache);
	hold(true, false, NULL);
	for (i = 0; i < COUNT(good); i++) {
		ck_assert_int_eq(offer(cache, good[i]), 0);
		ck_assert_str_eq(accepted.seen.etag, good[i]);
	}
	for (i = 0; i < COUNT(bad); i++) {
		ck_assert_int_eq(offer(cache, bad[i]), 0);
		ck_assert_msg(accepted.seen.etag == NULL, "'%s'", bad[i]);
	}
	ck_assert_int_eq(offer(cache, NULL), 0);
	ck_assert_ptr_null(accepted.seen.etag);
	memset(etag, 'x', sizeof(etag));
	etag[0] = etag[MK_ETAG_MAX - 1] = '"';
	etag[MK_ETAG_MAX] = '\0';
	ck_assert_int_eq(offer(cache, etag), 0);
	ck_assert_str_eq(accepted.seen.etag, etag);
	etag[MK_ETAG_MAX - 1] = 'x';
	etag[MK_ETAG_MAX] = '"';
	etag[MK_ETAG_MAX + 1] = '\0';
	ck_assert_int_eq(offer(cache, etag), 0);
	ck_assert_ptr_null(accepted.seen.etag);
}
END_TEST

START_TEST(expired)
{
	struct recipe r = { .n_devices = 1, .n_keys = 1,
	    .master_updated = T(0), .updated = T(2), .expires = T(4) };
	struct made *old = make_of(0, &r), *new = make(1, T(3), "a");

	holding.cache = bytes(old);
	hold(false, false, "expired");
	ck_assert(!held.has_seen);
	refuse(old, "expired");
	take(new, MK_NEWS_ACCEPTED);
	/* Nor is it taken because it is there and was in use. */
	holding.now = T(3);
	hold(true, true, NULL);
	holding.now = T(4);
	hold(false, false, "expired");
	refuse(old, "expired");
	take(new, MK_NEWS_ACCEPTED);
}
END_TEST

/* Whoever signs profiles takes it, and remembers it, to sign it anew. */
START_TEST(even_expired)
{
	struct recipe r = { .n_devices = 1, .n_keys = 1,
	    .master_updated = T(0), .updated = T(2), .expires = T(4) };
	struct made *old = make_of(0, &r), *new = make(1, T(3), "a");

	holding.even_expired = true;
	holding.cache = bytes(old);
	hold(true, true, NULL);
	ck_assert(is_version(&held.seen, old));
	holding.cache = (struct mk_bytes){ NULL, 0 };
	hold(false, false, "no cached set");
	take(old, MK_NEWS_ACCEPTED);
	ck_assert(accepted.view->expired);
	ck_assert(is_version(&accepted.seen, old));
	remember(new, NULL, 0);
	hold(false, false, "no cached set");
	refuse(old, "older");
}
END_TEST

/* Never remembered, unless it is already; then it is kept as it is. */
START_TEST(dated_ahead)
{
	struct made *ahead = make(0, LATER, "a"), *next;
	struct made *now = make(1, T(3), "b");

	holding.cache = bytes(ahead);
	hold(false, false, "ahead of the clock");
	ck_assert(!held.has_seen);
	refuse(ahead, "ahead of the clock");
	take(now, MK_NEWS_ACCEPTED);
	remember(ahead, NULL, 0);
	hold(true, false, NULL);
	take(ahead, MK_NEWS_SAME);
	next = make(2, LATER + 1, "c");
	refuse(next, "ahead of the clock");
	refuse(now, "is older");
	holding.cache = bytes(next);
	hold(false, false, "ahead of the clock");
	ck_assert(is_version(&held.seen, ahead));
	take(ahead, MK_NEWS_ACCEPTED);
}
END_TEST

/* A clock before the build knows only what is remembered. */
START_TEST(clock_before_build)
{
	struct mk_udf gone = made_udf(1);
	struct recipe r = { .n_devices = 1, .n_keys = 1,
	    .master_updated = T(0), .updated = T(2), .deleted = &gone,
	    .n_deleted = 1 };
	struct made *cache = make_of(0, &r);

	holding.now = 0;
	holding.build_time = T(5);
	holding.cache = bytes(cache);
	hold(false, false, "before the build");
	ck_assert(!held.has_seen);
	refuse(cache, "before the build");
	remember(cache, NULL, 0);
	hold(true, false, NULL);
	ck_assert_uint_eq(held.seen.n_deleted, 0);
	take(cache, MK_NEWS_SAME);
	refuse(make(1, T(3), "b"), "before the build");
	holding.cache = (struct mk_bytes){ NULL, 0 };
	hold(false, false, "no cached set");
	take(cache, MK_NEWS_ACCEPTED);
	ck_assert_uint_eq(accepted.seen.n_deleted, 0);
}
END_TEST

/* What was ever deleted stays so, also for a memory just raised. */
START_TEST(tombstones)
{
	struct mk_udf old = made_udf(1), gone;
	struct recipe r = { .n_devices = 1, .n_keys = 1,
	    .master_updated = T(0), .updated = T(2), .deleted = &gone,
	    .n_deleted = 1 };
	struct mk_pubkey device;
	struct made *cache, *back;

	made_key("alice", "device1", &device, NULL);
	gone = device.udf;
	cache = make_of(0, &r);
	remember(make(1, T(1), "a"), &old, 1);
	holding.cache = bytes(cache);
	hold(true, true, NULL);
	ck_assert_uint_eq(held.seen.n_deleted, 2);
	ck_assert(mk_udf_cmp(&held.seen.deleted[0], &old) == 0);
	ck_assert(mk_seen_deleted(&held.seen, &old));
	ck_assert(mk_seen_deleted(&held.seen, &gone));
	take(cache, MK_NEWS_SAME);
	ck_assert_uint_eq(accepted.seen.n_deleted, 2);
	back = make(1, T(3), "a");
	take(back, MK_NEWS_ACCEPTED);
	ck_assert_uint_eq(accepted.seen.n_deleted, 2);
	ck_assert(mk_seen_deleted(&accepted.seen, &gone));
	ck_assert_int_eq(accepted.view->keys[0].verdict, MK_KEY_USABLE);
	ck_assert_int_eq(accepted.view->keys[1].verdict, MK_KEY_TOMBSTONE);
	/* The version is known, but not what it deletes. */
	remember(cache, NULL, 0);
	hold(true, true, NULL);
	ck_assert(mk_seen_deleted(&held.seen, &gone));
	remember(cache, &gone, 1);
	hold(true, false, NULL);
	/* As many of others. */
	remember(cache, &old, 1);
	hold(true, true, NULL);
	ck_assert_uint_eq(held.seen.n_deleted, 2);
}
END_TEST

START_TEST(limits_and_roots)
{
	struct recipe r = { .seed = "alice", .n_devices = 2, .n_keys = 1 };
	struct made *set = make_of(0, &r), *bob;

	hold(false, false, "");
	holding.max_devices = 1;
	refuse(set, "over the limit");
	holding.max_devices = 2;
	take(set, MK_NEWS_ACCEPTED);
	holding.max_set = set->set.len - 1;
	refuse(set, "over the limit");
	holding.cache = bytes(set);
	hold(false, false, "over the limit");
	holding.max_set++;
	hold(true, true, NULL);
	r.seed = "somebody";
	bob = make_of(1, &r);
	holding.udf = set->udf;
	refuse(bob, "another fingerprint");
	holding.cache = bytes(bob);
	hold(false, false, "another fingerprint");
}
END_TEST

/* A cache that uses all its memory leaves enough for a good set. */
START_TEST(greedy_cache)
{
	struct made_edit edit = { "personal", "\"Applications\":[", NULL };
	struct recipe r = { .n_devices = 2, .n_keys = 1,
	    .master_updated = T(0), .updated = T(1), .edits = &edit,
	    .n_edits = 1 };
	struct made *set = make(0, T(2), "a");
	struct mk_buf many;

	mk_buf_init(&many, MK_SET_MAX);
	mk_buf_puts(&many, edit.from);
	while (many.len < MK_SET_MAX / 3)
		mk_buf_puts(&many, "{},");
	edit.to = many.data;
	holding.cache = bytes(make_of(1, &r));
	arena.cap = mk_verify_memory(set->set.len);
	hold(false, false, "bytes of memory");
	ck_assert_uint_gt(arena.cap, arena.used);
	take(set, MK_NEWS_ACCEPTED);
	mk_buf_release(&many);
}
END_TEST

/* A file of the vectors, NUL-ended; NULL if there is none. */
static char *
read_vector(const char *name, size_t *ret_len)
{
	const char *src = getenv("MK_SRCDIR");
	char *data = calloc(1, MK_SET_MAX), path[4096];
	FILE *f;

	ck_assert_ptr_nonnull(data);
	(void)snprintf(path, sizeof(path), "%s/tests/vectors/%s",
	    src != NULL ? src : ".", name);
	f = fopen(path, "rb");
	if (f == NULL) {
		printf("# no '%s': skipped\n", name);
		free(data);
		return NULL;
	}
	*ret_len = fread(data, 1, MK_SET_MAX - 1, f);
	(void)fclose(f);
	return data;
}

static void
try_pinned(struct made *old)
{
	struct mk_seen other;
	struct mk_buf out;

	holding.cache = bytes(old);
	hold(true, true, NULL);
	ck_assert(!held.seen.version.timed);
	take(old, MK_NEWS_SAME);
	holding.cache = (struct mk_bytes){ NULL, 0 };
	remember(old, NULL, 0);
	hold(false, false, "");
	take(old, MK_NEWS_ACCEPTED);
	other = held.seen;
	other.version.ssh[0] ^= 1;
	mk_buf_init(&out, MK_SEEN_MAX);
	mk_seen_render(&other, &out);
	holding.seen = (struct mk_bytes){ (const uint8_t *)out.data,
	    out.len };
	hold(false, false, "");
	refuse(old, "pinned");
	holding.cache = bytes(old);
	hold(false, false, "pinned");
	mk_buf_release(&out);
}

/* Without times nothing is newer: the first content stays. */
START_TEST(pinned)
{
	struct made *old = &sets[0];
	size_t len, udf_len;
	char *set, *udf;

	set = read_vector("legacy-2017.json", &len);
	udf = read_vector("legacy-2017.udf", &udf_len);
	if (set != NULL && udf != NULL) {
		mk_buf_init(&old->set, MK_SET_MAX);
		mk_buf_put(&old->set, set, len);
		ck_assert(udf_len >= MK_UDF_TEXT);
		ck_assert(mk_udf_parse(udf, MK_UDF_TEXT, &old->udf));
		holding.udf = old->udf;
		try_pinned(old);
	}
	free(udf);
	free(set);
}
END_TEST

/* What the memory refuses gets in by order, and nothing else does. */
static void
anyway(const struct made *made)
{
	struct mk_bytes set = bytes(made);

	ck_assert_msg(mk_accept_anyway(&arena, &held, &set, &accepted,
	    &why) == 0, "%s: %s", why.stage, why.detail);
	ck_assert_int_eq(accepted.news, MK_NEWS_ACCEPTED);
	ck_assert(is_version(&accepted.seen, made));
	ck_assert_ptr_null(accepted.seen.etag);
}

START_TEST(by_order)
{
	struct made *seen = make(0, T(3), "a"), *old = make(1, T(1), "b");

	remember_etag(seen, bytes(seen));
	holding.cache = bytes(seen);
	hold(true, false, NULL);
	refuse(old, "is older");
	anyway(old);
	anyway(make(1, T(3), "b"));
	anyway(make(1, T(4), "c"));
	ck_assert_ptr_nonnull(accepted.view);
}
END_TEST

START_TEST(by_order_not_everything)
{
	struct recipe r = { .n_devices = 1, .n_keys = 1,
	    .master_updated = T(0), .updated = T(1), .forged = "device0" };
	struct mk_bytes set;

	hold(false, false, "");
	memset(&accepted, 0, sizeof(accepted));
	set = bytes(make_of(1, &r));
	held.holding.udf = holding.udf;
	ck_assert_int_eq(mk_accept_anyway(&arena, &held, &set, &accepted,
	    &why), MK_E_REFUSED);
	ck_assert_str_eq(why.stage, "device");
	r.forged = NULL;
	r.expires = T(2);
	set = bytes(make_of(1, &r));
	ck_assert_int_eq(mk_accept_anyway(&arena, &held, &set, &accepted,
	    &why), MK_E_REFUSED);
	ck_assert_msg(strstr(why.detail, "expired") != NULL, "%s",
	    why.detail);
	r.expires = 0;
	r.updated = LATER;
	set = bytes(make_of(1, &r));
	ck_assert_int_eq(mk_accept_anyway(&arena, &held, &set, &accepted,
	    &why), MK_E_REFUSED);
	ck_assert_msg(strstr(why.detail, "24 hours") != NULL, "%s",
	    why.detail);
	set = bytes(make(1, T(1), "b"));
	held.holding.udf = made_udf(1);
	ck_assert_int_eq(mk_accept_anyway(&arena, &held, &set, &accepted,
	    &why), MK_E_REFUSED);
	ck_assert_ptr_null(accepted.view);
}
END_TEST

/* Deletions of both, the host's first. */
START_TEST(by_order_deletions)
{
	struct mk_udf mine[2] = { made_udf(1), made_udf(2) };
	struct mk_udf theirs[2] = { made_udf(2), made_udf(3) };
	struct recipe r = { .n_devices = 2, .n_keys = 1,
	    .master_updated = T(0), .updated = T(1), .deleted = theirs,
	    .n_deleted = 2 };

	remember(make(0, T(3), "a"), mine, 2);
	hold(false, false, "");
	anyway(make_of(1, &r));
	ck_assert_uint_eq(accepted.seen.n_deleted, 3);
	ck_assert(mk_seen_deleted(&accepted.seen, &mine[0]));
	ck_assert(mk_seen_deleted(&accepted.seen, &mine[1]));
	ck_assert(mk_seen_deleted(&accepted.seen, &theirs[1]));
}
END_TEST

START_TEST(claims)
{
	static const char *const texts[] = { "", "{}", "{\"GetResponse\":"
	    "{\"Status\":201,\"Entries\":[{\"SignedPersonalProfile\":"
	    "{\"Identifier\":\"M\"}}]}}", "{\"GetResponse\":"
	    "{\"Status\":201,\"Entries\":[{\"SignedPersonalProfile\":"
	    "{\"Identifier\":1}}]}}" };
	struct made *made = make(0, T(1), "a");
	struct mk_bytes set = bytes(made);
	struct mk_udf udf;
	size_t i;

	ck_assert_int_eq(mk_claimed_udf(&arena, &set, &udf, &why), 0);
	ck_assert_int_eq(mk_udf_cmp(&udf, &made->udf), 0);
	for (i = 0; i < COUNT(texts); i++) {
		set = (struct mk_bytes){ (const uint8_t *)texts[i],
		    strlen(texts[i]) };
		ck_assert_int_eq(mk_claimed_udf(&arena, &set, &udf, &why),
		    MK_E_REFUSED);
	}
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *suite = suite_create("accept");
	TCase *c = tcase_create("accept");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 60);
	tcase_add_test(c, nothing_there);
	tcase_add_test(c, damaged_memory);
	tcase_add_test(c, cache_without_memory);
	tcase_add_test(c, cache_ahead_of_memory);
	tcase_add_test(c, cache_as_remembered);
	tcase_add_test(c, cache_behind_memory);
	tcase_add_test(c, cache_missing_or_bad);
	tcase_add_test(c, written_together);
	tcase_add_test(c, same_in_other_bytes);
	tcase_add_test(c, etags);
	tcase_add_test(c, expired);
	tcase_add_test(c, even_expired);
	tcase_add_test(c, dated_ahead);
	tcase_add_test(c, clock_before_build);
	tcase_add_test(c, tombstones);
	tcase_add_test(c, limits_and_roots);
	tcase_add_test(c, greedy_cache);
	tcase_add_test(c, pinned);
	tcase_add_test(c, by_order);
	tcase_add_test(c, by_order_not_everything);
	tcase_add_test(c, by_order_deletions);
	tcase_add_test(c, claims);
	suite_add_tcase(suite, c);
	return suite;
}
