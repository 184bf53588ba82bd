/* SPDX-License-Identifier: ISC */
/*
 * Each set becomes a sorted list of devices and keys, and the two lists are
 * merged: a stranger decides how long they are.
 */
#include <string.h>

#include "core/arena.h"
#include "core/compare.h"
#include "core/err.h"
#include "core/seen.h"
#include "core/sort.h"
#include "core/verify.h"

/* A device, or one key of it. */
struct entry {
	struct mk_udf device;
	const struct mk_verified_key *key;	/* NULL: the device itself */
};

struct list {
	struct entry *e;
	size_t n, i;			/* what comes next */
};

/* The entries of one device in a list. */
struct group {
	const struct entry *e;
	size_t n;
};

/* A host has an entry in the SSHProfile, but no key. */
static bool
has_blob(const struct entry *e)
{
	return e->key != NULL && !e->key->ssh->host;
}

static int
compare_keys(const struct entry *a, const struct entry *b)
{
	const struct mk_sshkey *x, *y;

	if (!has_blob(a) || !has_blob(b))
		return has_blob(a) - has_blob(b);
	x = &a->key->ssh->key;
	y = &b->key->ssh->key;
	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return memcmp(x->blob, y->blob, x->len);
}

static int
compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int r = mk_udf_cmp(&x->device, &y->device);

	return r != 0 ? r : compare_keys(x, y);
}

static int
make_list(struct mk_arena *a, const struct mk_verified_view *view,
    struct list *ret_list, struct mk_why *why)
{
	struct list list = { 0 };
	size_t n, i;

	n = view == NULL ? 0 : view->personal->n_devices + view->n_keys;
	list.e = mk_arena_array(a, n, sizeof(*list.e));
	if (list.e == NULL)
		return mk_arena_fail(a, why);
	for (i = 0; n > 0 && i < view->personal->n_devices; i++)
		list.e[list.n++].device = view->personal->devices[i].id;
	for (i = 0; n > 0 && i < view->n_keys; i++) {
		/* 2016/2017: of a device that is not listed, never used. */
		if (view->keys[i].verdict == MK_KEY_NOT_LISTED)
			continue;
		list.e[list.n].device = view->keys[i].ssh->device;
		list.e[list.n++].key = &view->keys[i];
	}
	mk_sort(list.e, list.n, sizeof(*list.e), compare_entries);
	*ret_list = list;
	return 0;
}

static struct group
next_group(struct list *list)
{
	struct group g = { .e = list->e + list->i };

	while (list->i < list->n && mk_udf_cmp(&list->e[list->i].device,
	    &g.e->device) == 0) {
		list->i++;
		g.n++;
	}
	return g;
}

static size_t
count_keys(const struct group *g)
{
	size_t n = 0, i;

	for (i = 0; i < g->n; i++)
		n += has_blob(&g->e[i]);
	return n;
}

static bool
same_keys(const struct group *a, const struct group *b)
{
	size_t n = count_keys(a), i;

	if (n != count_keys(b))
		return false;
	for (i = 1; i <= n; i++) {
		if (compare_keys(&a->e[a->n - i], &b->e[b->n - i]) != 0)
			return false;
	}
	return true;
}

static const char *
comment_of(const struct group *g)
{
	size_t i;

	for (i = 0; i < g->n; i++) {
		if (g->e[i].key != NULL && g->e[i].key->comment[0] != '\0')
			return g->e[i].key->comment;
	}
	return "";
}

/* Which of the two lists has the next device: <0 old, >0 now, 0 both. */
static int
whose_turn(const struct list *old, const struct list *now)
{
	if (old->i == old->n || now->i == now->n)
		return old->i < old->n ? -1 : 1;
	return mk_udf_cmp(&old->e[old->i].device, &now->e[now->i].device);
}

static struct mk_device_change
next_change(struct list *old, struct list *now, const struct mk_seen *seen)
{
	struct mk_device_change change = { .change = MK_DEVICE_ADDED };
	int turn = whose_turn(old, now);
	struct group before, g;

	if (turn < 0) {
		g = next_group(old);
		change.change = MK_DEVICE_REMOVED;
	} else {
		g = next_group(now);
	}
	if (turn == 0) {
		before = next_group(old);
		change.change = same_keys(&before, &g) ? MK_DEVICE_SAME :
		    MK_DEVICE_KEYS;
	}
	change.device = g.e->device;
	change.n_keys = count_keys(&g);
	change.comment = comment_of(&g);
	change.deleted = seen != NULL &&
	    mk_seen_deleted(seen, &change.device);
	return change;
}

int
mk_compare(struct mk_arena *a, const struct mk_comparison *c,
    const struct mk_device_change **ret_changes, size_t *ret_n,
    struct mk_why *why)
{
	struct mk_device_change *changes;
	struct list old, now;
	size_t n = 0;
	int r;

	if ((r = make_list(a, c->old, &old, why)) != 0 ||
	    (r = make_list(a, c->now, &now, why)) != 0)
		return r;
	changes = mk_arena_array(a, old.n + now.n, sizeof(*changes));
	if (changes == NULL)
		return mk_arena_fail(a, why);
	while (old.i < old.n || now.i < now.n)
		changes[n++] = next_change(&old, &now, c->seen);
	*ret_changes = changes;
	*ret_n = n;
	return 0;
}
