/* SPDX-License-Identifier: ISC */
/*
 * A set of fingerprints to look things up in: filled, sealed once, then
 * searched in O(log n), since a stranger decides how many there are.
 */
#ifndef MK_CORE_UDFSET_H
#define MK_CORE_UDFSET_H

#include <stdbool.h>
#include <stddef.h>

#include "core/udf.h"

struct mk_arena;
struct mk_why;

struct mk_udfset_item {
	struct mk_udf udf;
	size_t index;		/* whatever the caller counts by */
};

struct mk_udfset {
	struct mk_udfset_item *items;
	size_t n, room;
};

/* An empty set with room for 'room'; lives in 'a'. */
int	mk_udfset_init(struct mk_arena *a, size_t room,
	    struct mk_udfset *ret_set, struct mk_why *why);

/* The caller adds no more than there is room for. */
void	mk_udfset_add(struct mk_udfset *set, const struct mk_udf *udf,
	    size_t index);

/* Sorts; returns whether all of them are distinct. */
bool	mk_udfset_seal(struct mk_udfset *set);

/* Of a sealed set: whether it holds 'udf'; its index if asked for. */
bool	mk_udfset_find(const struct mk_udfset *set, const struct mk_udf *udf,
	    size_t *ret_index);

#endif
