/* SPDX-License-Identifier: ISC */
/*
 * From looking at what is there to the last file written, one keeper at a
 * time; what a portal does meanwhile is not waited for inside.
 */
#include <config.h>

#include "cmd/keep.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/digest.h"
#include "core/keylog.h"
#include "core/limits.h"
#include "core/sshkey.h"
#include "core/verify.h"
#include "edge/log.h"

int
keep_become(struct keep *k, const struct keep_place *place,
    struct mk_why *why)
{
	int e;

	k->place = *place;
	mk_log_ident(place->ident);
	if ((e = mk_root_open(place->root_dir, &k->root, why)) != 0)
		return e;
	mk_log_open(&k->root, place->ident, LOG_INFO);
	return mk_keeper_become(&k->root, why);
}

int
keep_open(struct keep *k, struct mk_why *why)
{
	int e;

	e = mk_config_load(&k->root, k->place.config_file, &k->config, why);
	if (e != 0)
		return e;
	mk_log_level(k->config.log_level);
	return mk_keeper_open(&k->root, &k->keeper, why);
}

void
keep_close(struct keep *k)
{
	mk_keeper_close(&k->keeper);
	mk_config_release(&k->config);
	mk_root_close(&k->root);
	mk_log_close();
}

static int
begin(const struct keep *k, struct mk_why *why)
{
	return k->dry_run ? 0 : mk_keeper_lock(&k->keeper, why);
}

static void
end(const struct keep *k)
{
	if (!k->dry_run)
		mk_keeper_unlock(&k->keeper);
}

/* Nothing there is as good as nothing readable for a set, not for memory. */
static int
read_here(const struct keep *k, struct keep_here *here, struct mk_why *why)
{
	const struct mk_store *store = &k->keeper.store;
	const struct mk_udf *udf = &here->holding.udf;
	int e;

	e = mk_store_set(store, udf, k->config.max_set, &here->cache, why);
	if (e != 0 && e != MK_E_NOPROFILE)
		mk_log(LOG_WARNING, "%s: %s", why->stage, why->detail);
	if (here->damage.code != 0)
		return 0;
	e = mk_store_seen(store, udf, &here->seen, why);
	return e == MK_E_ABSENT ? 0 : e;
}

/* 'damage' NULL, or why the memory is passed over. */
static struct keep_here
unseen(const struct keep *k, const struct mk_udf *udf,
    const struct mk_why *damage)
{
	struct keep_here here = { .holding = { .udf = *udf,
	    .now = time(NULL), .build_time = MK_BUILD_TIME,
	    .max_set = k->config.max_set,
	    .max_devices = k->config.max_devices } };

	if (damage != NULL)
		here.damage = *damage;
	return here;
}

static int
look(const struct keep *k, struct mk_arena *a, struct keep_here *here,
    struct mk_why *why)
{
	int e;

	if ((e = read_here(k, here, why)) == 0) {
		here->holding.cache = (struct mk_bytes){ here->cache.data,
		    here->cache.len };
		here->holding.seen = (struct mk_bytes){ here->seen.data,
		    here->seen.len };
		e = mk_hold(a, &here->holding, &here->held, why);
		/* The helper is another user, and has to read it. */
		if (e == 0 && here->seen.closed)
			here->held.raised = true;
	}
	if (e != 0)
		keep_here_release(here);
	return e;
}

int
keep_look(const struct keep *k, const struct mk_udf *udf, struct mk_arena *a,
    struct keep_here *ret_here, struct mk_why *why)
{
	struct keep_here here = unseen(k, udf, NULL);
	int e;

	if ((e = look(k, a, &here, why)) == 0)
		*ret_here = here;
	return e;
}

int
keep_look_anyway(const struct keep *k, const struct mk_udf *udf,
    struct mk_arena *a, struct keep_here *ret_here, struct mk_why *why)
{
	struct keep_here here = unseen(k, udf, NULL);
	struct mk_why reason;
	int e;

	e = look(k, a, &here, &reason);
	/* Only its bytes are passed over: what cannot be read may be good. */
	if (e == MK_E_SYSTEM && strcmp(reason.stage, MK_SEEN_STAGE) == 0) {
		here = unseen(k, udf, &reason);
		e = look(k, a, &here, &reason);
	}
	if (e != 0)
		return mk_fail(why, e, reason.stage, "%s", reason.detail);
	*ret_here = here;
	return 0;
}

void
keep_here_release(struct keep_here *here)
{
	mk_file_release(&here->cache);
	mk_file_release(&here->seen);
}

/* The lock is held. */
static struct keep_mark
mark_of(const struct keep *k, const struct mk_udf *udf,
    const uint8_t *digest)
{
	struct keep_mark mark = { .known = digest != NULL };

	if (mark.known) {
		memcpy(mark.bytes, digest, KEEP_MARK);
		mark.stamped = mk_store_stamp(&k->keeper.store, udf,
		    &mark.stamp);
	}
	return mark;
}

static struct keep_mark
mark_here(const struct keep *k, const struct mk_held *held)
{
	return mark_of(k, &held->holding.udf,
	    held->holding.cache.data != NULL ? held->cache_digest : NULL);
}

static int
remember(const struct keep *k, const struct mk_udf *udf,
    const struct mk_seen *seen, struct mk_why *why)
{
	struct mk_buf text;
	int e;

	mk_buf_init(&text, MK_SEEN_MAX);
	mk_seen_render(seen, &text);
	if ((e = mk_buf_check(&text, why, "store")) == 0)
		e = mk_store_remember(&k->keeper.store, udf,
		    (const uint8_t *)text.data, text.len, why);
	mk_buf_release(&text);
	return e;
}

/* Whether the list of seen keys was written within the last day. */
static bool
keys_are_fresh(const struct keep *k, const struct mk_udf *udf)
{
	int64_t written, age;

	if (mk_store_keys_time(&k->keeper.store, udf, &written) != 0)
		return false;
	age = time(NULL) - written;
	return age >= 0 && age < MK_DAY;
}

static int
write_keys(const struct keep *k, const struct mk_udf *udf,
    const struct mk_verified_view *view, struct mk_why *why)
{
	const struct mk_store *store = &k->keeper.store;
	struct mk_keylog log = { .view = view, .now = time(NULL) };
	struct mk_file file = { 0 };
	size_t left_out = 0;
	struct mk_arena a;
	struct mk_buf text;
	int e;

	e = mk_store_keys(store, udf, &file, why);
	if (e != 0 && e != MK_E_ABSENT)
		return e;
	log.old = (struct mk_bytes){ file.data, file.len };
	mk_arena_init(&a, mk_verify_memory(k->config.max_set + file.len));
	mk_buf_init(&text, MK_KEYLOG_BYTES);
	if ((e = mk_keylog_update(&a, &log, &text, &left_out, why)) == 0 &&
	    (e = mk_buf_check(&text, why, "keys")) == 0)
		e = mk_store_put_keys(store, udf, (const uint8_t *)text.data,
		    text.len, why);
	if (e == 0 && left_out > 0)
		mk_log(LOG_WARNING, "keys: the list of seen keys is full, "
		    "%zu left out", left_out);
	mk_buf_release(&text);
	mk_arena_release(&a);
	mk_file_release(&file);
	return e;
}

/*
 * Every key of a device goes into the list of all keys ever seen.  That it
 * could not be written keeps no set out.
 */
static void
note_keys(const struct keep *k, const struct mk_udf *udf,
    const struct mk_verified_view *view)
{
	struct mk_why why;

	if (write_keys(k, udf, view, &why) != 0)
		mk_log(LOG_ERR, "%s: %s", why.stage, why.detail);
}

/* The keys of a set that came into the cache by another hand. */
static void
note_cache(const struct keep *k, const struct keep_here *here)
{
	const struct mk_holding *h = &here->holding;
	struct mk_demand demand = { .set = h->cache.data,
	    .set_len = h->cache.len, .udf = h->udf, .now = h->now,
	    .build_time = h->build_time, .max_set = h->max_set,
	    .max_devices = h->max_devices, .key_types = MK_SSH_ALL,
	    .open_all = true };
	const struct mk_verified *verified;
	struct mk_arena a;

	mk_arena_init(&a, mk_verify_memory(h->cache.len));
	if (h->cache.data != NULL &&
	    mk_verify(&a, &demand, &verified, NULL) == 0)
		note_keys(k, &h->udf, mk_verified_view(verified));
	mk_arena_release(&a);
}

/*
 * Cache first, then the memory.  The keys in between: raising the memory
 * after a crash notes them once more.
 */
int
keep_write(const struct keep *k, const struct mk_udf *udf,
    const struct mk_bytes *set, const struct mk_accepted *accepted,
    struct mk_why *why)
{
	int e;

	e = mk_store_put_set(&k->keeper.store, udf, set->data, set->len, why);
	if (e != 0)
		return e;
	mk_store_forget_refusal(&k->keeper.store, udf);
	note_keys(k, udf, accepted->view);
	return remember(k, udf, &accepted->seen, why);
}

/* The same set again: its time moves, and perhaps the etag it came with. */
static int
keep_same(const struct keep *k, const struct keep_here *here,
    const struct mk_accepted *accepted, struct mk_why *why)
{
	const struct mk_udf *udf = &here->holding.udf;
	const struct mk_held *held = &here->held;
	const char *now = accepted->seen.etag, *before = held->etag;
	int e;

	if ((e = mk_store_confirm(&k->keeper.store, udf, why)) != 0)
		return e;
	mk_store_forget_refusal(&k->keeper.store, udf);
	if (held->raised || !keys_are_fresh(k, udf))
		note_cache(k, here);
	if (!held->raised && (now == before ||
	    (now != NULL && before != NULL && strcmp(now, before) == 0)))
		return 0;
	return remember(k, udf, &accepted->seen, why);
}

/* Writes what was accepted, if anything is written at all. */
static int
keep_accepted(const struct keep *k, const struct keep_here *here,
    const struct mk_bytes *set, const struct mk_accepted *accepted,
    struct mk_why *why)
{
	const struct mk_udf *udf = &here->holding.udf;

	if (k->dry_run)
		return 0;
	if (accepted->news == MK_NEWS_SAME)
		return keep_same(k, here, accepted, why);
	return keep_write(k, udf, set, accepted, why);
}

int
keep_take(const struct keep *k, const struct mk_udf *udf,
    const struct mk_offered_set *offered, struct keep_taken *ret_taken,
    struct mk_why *why)
{
	struct mk_accepted accepted;
	struct keep_here here;
	struct mk_arena a;
	int e;

	if ((e = begin(k, why)) != 0)
		return e;
	mk_arena_init(&a, mk_verify_memory(2 * k->config.max_set));
	if ((e = keep_look(k, udf, &a, &here, why)) == 0) {
		e = mk_accept(&a, &here.held, offered, &accepted, why);
		if (e == 0)
			e = keep_accepted(k, &here, &offered->set, &accepted,
			    why);
		keep_here_release(&here);
	}
	if (e == 0) {
		ret_taken->news = accepted.news;
		ret_taken->mark = mark_of(k, udf, accepted.digest);
	}
	mk_arena_release(&a);
	end(k);
	return e;
}

static bool
same_bytes(const struct keep_mark *a, const struct keep_mark *b)
{
	return a->known && b->known &&
	    memcmp(a->bytes, b->bytes, KEEP_MARK) == 0;
}

/* Whether the file is the one that had the bytes, and was left alone. */
static bool
same_file(const struct keep *k, const struct mk_udf *udf,
    const struct keep_mark *mark)
{
	const struct mk_stamp *was = &mark->stamp;
	struct mk_stamp is;

	return mark->known && mark->stamped &&
	    mk_store_stamp(&k->keeper.store, udf, &is) &&
	    is.dev == was->dev && is.ino == was->ino &&
	    is.size == was->size &&
	    is.changed.tv_sec == was->changed.tv_sec &&
	    is.changed.tv_nsec == was->changed.tv_nsec;
}

/* Another file: perhaps the same bytes all the same. */
static int
look_again(const struct keep *k, const struct mk_udf *udf,
    const struct keep_mark *mark, struct mk_why *why)
{
	struct keep_mark now = { .known = false };
	struct keep_here here;
	struct mk_arena a;
	int e;

	mk_arena_init(&a, mk_verify_memory(k->config.max_set));
	if ((e = keep_look(k, udf, &a, &here, why)) == 0) {
		now = mark_here(k, &here.held);
		keep_here_release(&here);
	}
	mk_arena_release(&a);
	if (e == 0 && !same_bytes(&now, mark))
		e = mk_fail(why, MK_E_STALE, "portal",
		    "the portal confirms bytes that are not here");
	return e;
}

int
keep_confirm(const struct keep *k, const struct mk_udf *udf,
    struct keep_mark *mark, struct mk_why *why)
{
	int e;

	if ((e = begin(k, why)) != 0)
		return e;
	if (!same_file(k, udf, mark))
		e = look_again(k, udf, mark, why);
	if (e == 0 && !k->dry_run)
		e = mk_store_confirm(&k->keeper.store, udf, why);
	if (e == 0 && !k->dry_run) {
		mk_store_forget_refusal(&k->keeper.store, udf);
		*mark = mark_of(k, udf, mark->bytes);
	}
	end(k);
	return e;
}

static int
raise_memory(const struct keep *k, const struct keep_here *here,
    struct mk_why *why)
{
	if (!here->held.raised || k->dry_run)
		return 0;
	note_cache(k, here);
	return remember(k, &here->holding.udf, &here->held.seen, why);
}

int
keep_raise(const struct keep *k, const struct mk_udf *udf,
    struct keep_question *ret_question, struct mk_why *why)
{
	struct keep_question question = { 0 };
	struct keep_here here;
	struct mk_arena a;
	int e;

	if ((e = begin(k, why)) != 0)
		return e;
	mk_arena_init(&a, mk_verify_memory(k->config.max_set));
	if ((e = keep_look(k, udf, &a, &here, why)) == 0) {
		e = raise_memory(k, &here, why);
		question.mark = mark_here(k, &here.held);
		if (e == 0 && here.held.etag != NULL && keys_are_fresh(k, udf))
			question.etag = strdup(here.held.etag);
		keep_here_release(&here);
	}
	mk_arena_release(&a);
	end(k);
	if (e == 0)
		*ret_question = question;
	else
		free(question.etag);
	return e;
}
