/* SPDX-License-Identifier: ISC */
/*
 * Who waits for which profile.  Whoever asks decides how many wait and for
 * what, so each step is bounded: entering and leaving cost as much as the
 * fingerprints of the one waiter, a change costs those who wait for it and
 * one chain of the table, and the next to be woken stands at the top of a
 * heap.
 *
 * A fingerprint is kept as a keyed hash of 64 bits, under a key that nobody
 * else knows.  Two with the same one wake each other's waiters, who find
 * that nothing has changed for them; that harms nobody.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/meshportal.h"
#include "core/limits.h"

#define BUCKETS		(1u << 16)
#define NO_PLACE	SIZE_MAX	/* not in the heap */

/* One waiter in the chain of one fingerprint. */
struct watch {
	struct watch *next, **link;
	struct portal_waiter *waiter;
	uint64_t key;
};

struct portal_waiter {
	int64_t until;
	size_t place;			/* in the heap */
	portal_wake *wake;
	void *arg;
	struct portal_waiter *woken;	/* the next one, while waking */
	size_t n;
	struct watch watches[];
};

struct portal_waiting {
	uint8_t key[crypto_shorthash_KEYBYTES];
	struct watch *buckets[BUCKETS];
	struct portal_waiter *heap[PORTAL_WAITING_MAX];
	size_t n;
};

int
portal_waiting_new(struct portal_waiting **ret_waiting, struct mk_why *why)
{
	struct portal_waiting *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return mk_fail(why, MK_E_SYSTEM, "memory", "out of memory");
	randombytes_buf(w->key, sizeof(w->key));
	*ret_waiting = w;
	return 0;
}

static uint64_t
key_of(const struct portal_waiting *w, const struct mk_udf *udf)
{
	uint64_t key;

	_Static_assert(sizeof(key) == crypto_shorthash_BYTES, "64 bits");
	(void)crypto_shorthash((uint8_t *)&key, udf->b, sizeof(udf->b),
	    w->key);
	return key;
}

static void
put(struct portal_waiting *w, size_t place, struct portal_waiter *waiter)
{
	w->heap[place] = waiter;
	waiter->place = place;
}

static void
sift_up(struct portal_waiting *w, size_t place, struct portal_waiter *waiter)
{
	size_t above;

	for (; place > 0; place = above) {
		above = (place - 1) / 2;
		if (w->heap[above]->until <= waiter->until)
			break;
		put(w, place, w->heap[above]);
	}
	put(w, place, waiter);
}

static void
sift_down(struct portal_waiting *w, size_t place,
    struct portal_waiter *waiter)
{
	size_t below;

	for (; (below = 2 * place + 1) < w->n; place = below) {
		if (below + 1 < w->n &&
		    w->heap[below + 1]->until < w->heap[below]->until)
			below++;
		if (waiter->until <= w->heap[below]->until)
			break;
		put(w, place, w->heap[below]);
	}
	put(w, place, waiter);
}

/* Enters one fingerprint, unless the same one has just been entered. */
static void
watch_for(struct portal_waiting *w, struct portal_waiter *waiter,
    uint64_t key)
{
	struct watch **bucket = &w->buckets[key % BUCKETS];
	struct watch *watch;

	/*
	 * What this waiter has in the chain stands at its front.  Without
	 * this a request could fill one chain with one name.
	 */
	for (watch = *bucket; watch != NULL && watch->waiter == waiter;
	    watch = watch->next) {
		if (watch->key == key)
			return;
	}
	watch = &waiter->watches[waiter->n++];
	watch->waiter = waiter;
	watch->key = key;
	watch->next = *bucket;
	watch->link = bucket;
	if (watch->next != NULL)
		watch->next->link = &watch->next;
	*bucket = watch;
}

int
portal_waiting_add(struct portal_waiting *w,
    const struct portal_wanted *wanted, struct portal_waiter **ret_waiter,
    struct mk_why *why)
{
	struct portal_waiter *waiter;
	size_t i;

	if (w->n == PORTAL_WAITING_MAX)
		return mk_fail(why, MK_E_STALE, "waiting",
		    "%u requests wait already", PORTAL_WAITING_MAX);
	if (wanted->n > MK_CHANGES_IDS)
		return mk_fail(why, MK_E_REFUSED, "waiting",
		    "more than %u fingerprints", MK_CHANGES_IDS);
	waiter = calloc(1, sizeof(*waiter) +
	    wanted->n * sizeof(waiter->watches[0]));
	if (waiter == NULL)
		return mk_fail(why, MK_E_SYSTEM, "memory", "out of memory");
	waiter->until = wanted->until;
	waiter->wake = wanted->wake;
	waiter->arg = wanted->arg;
	for (i = 0; i < wanted->n; i++)
		watch_for(w, waiter, key_of(w, &wanted->udfs[i]));
	sift_up(w, w->n++, waiter);
	*ret_waiter = waiter;
	return 0;
}

/* Out of the table and the heap; the memory stays. */
static void
leave(struct portal_waiting *w, struct portal_waiter *waiter)
{
	struct portal_waiter *last;
	struct watch *watch;
	size_t i, place = waiter->place;

	for (i = 0; i < waiter->n; i++) {
		watch = &waiter->watches[i];
		*watch->link = watch->next;
		if (watch->next != NULL)
			watch->next->link = watch->link;
	}
	last = w->heap[--w->n];
	waiter->place = NO_PLACE;
	if (last == waiter)
		return;
	if (last->until < waiter->until)
		sift_up(w, place, last);
	else
		sift_down(w, place, last);
}

static void
wake(struct portal_waiting *w, struct portal_waiter *waiter)
{
	portal_wake *call = waiter->wake;
	void *arg = waiter->arg;

	leave(w, waiter);
	free(waiter);
	call(arg);
}

void
portal_waiting_drop(struct portal_waiting *w, struct portal_waiter *waiter)
{
	if (waiter == NULL)
		return;
	leave(w, waiter);
	free(waiter);
}

void
portal_waiting_changed(struct portal_waiting *w, const struct mk_udf *udf)
{
	uint64_t key = key_of(w, udf);
	struct portal_waiter *waiter, *woken = NULL;
	struct watch *watch;

	/* To wake one takes others of its watches out of the same chain. */
	for (watch = w->buckets[key % BUCKETS]; watch != NULL;
	    watch = watch->next) {
		if (watch->key != key)
			continue;
		watch->waiter->woken = woken;
		woken = watch->waiter;
	}
	while ((waiter = woken) != NULL) {
		woken = waiter->woken;
		wake(w, waiter);
	}
}

int64_t
portal_waiting_tick(struct portal_waiting *w, int64_t now)
{
	while (w->n > 0 && w->heap[0]->until <= now)
		wake(w, w->heap[0]);
	return w->n == 0 ? -1 : w->heap[0]->until - now;
}

void
portal_waiting_end(struct portal_waiting *w)
{
	while (w->n > 0)
		wake(w, w->heap[0]);
}

void
portal_waiting_free(struct portal_waiting *w)
{
	if (w == NULL)
		return;
	while (w->n > 0)
		portal_waiting_drop(w, w->heap[w->n - 1]);
	free(w);
}
