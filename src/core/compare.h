/* SPDX-License-Identifier: ISC */
/*
 * What differs between two sets of one profile, device by device, for an
 * administrator who is to decide between them.  Nothing is decided here.
 */
#ifndef MK_CORE_COMPARE_H
#define MK_CORE_COMPARE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/udf.h"

struct mk_arena;
struct mk_seen;
struct mk_verified_view;
struct mk_why;

enum mk_change {
	MK_DEVICE_SAME,
	MK_DEVICE_ADDED,
	MK_DEVICE_REMOVED,
	MK_DEVICE_KEYS		/* listed in both, with other SSH keys */
};

#define MK_CHANGES	4

struct mk_device_change {
	struct mk_udf device;
	enum mk_change change;
	bool deleted;		/* the memory says so: no key is printed */
	size_t n_keys;		/* its SSH keys, of a removed one the old */
	const char *comment;	/* printable ASCII, perhaps empty */
};

/* What is compared. */
struct mk_comparison {
	const struct mk_verified_view *old;	/* NULL: everything is new */
	const struct mk_verified_view *now;
	const struct mk_seen *seen;		/* indexed; NULL: none */
};

/*
 * Every device of either set once, sorted by its fingerprint.  They live in
 * 'a', their comments in the views.  MK_E_REFUSED over the cap of the arena,
 * MK_E_SYSTEM.
 */
int	mk_compare(struct mk_arena *a, const struct mk_comparison *c,
	    const struct mk_device_change **ret_changes, size_t *ret_n,
	    struct mk_why *why);

#endif
