/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "core/arena.h"
#include "core/sort.h"
#include "core/udfset.h"

int
mk_udfset_init(struct mk_arena *a, size_t room, struct mk_udfset *ret_set,
    struct mk_why *why)
{
	struct mk_udfset_item *items;

	items = mk_arena_array(a, room, sizeof(*items));
	if (items == NULL)
		return mk_arena_fail(a, why);
	*ret_set = (struct mk_udfset){ .items = items, .room = room };
	return 0;
}

void
mk_udfset_add(struct mk_udfset *set, const struct mk_udf *udf, size_t index)
{
	if (set->n < set->room)
		set->items[set->n++] = (struct mk_udfset_item){ .udf = *udf,
		    .index = index };
}

static int
compare(const void *a, const void *b)
{
	const struct mk_udfset_item *x = a, *y = b;

	return mk_udf_cmp(&x->udf, &y->udf);
}

bool
mk_udfset_seal(struct mk_udfset *set)
{
	size_t i;

	if (set->n > 1)
		mk_sort(set->items, set->n, sizeof(*set->items), compare);
	for (i = 1; i < set->n; i++) {
		if (compare(&set->items[i - 1], &set->items[i]) == 0)
			return false;
	}
	return true;
}

bool
mk_udfset_find(const struct mk_udfset *set, const struct mk_udf *udf,
    size_t *ret_index)
{
	struct mk_udfset_item key = { .udf = *udf };
	const struct mk_udfset_item *found;

	/* A set that was never filled has no items to point to. */
	if (set->n == 0)
		return false;
	found = bsearch(&key, set->items, set->n, sizeof(*set->items),
	    compare);
	if (found == NULL)
		return false;
	if (ret_index != NULL)
		*ret_index = found->index;
	return true;
}
