/* SPDX-License-Identifier: ISC */
/*
 * A directory as a portal: what lies there is as little trusted as what
 * comes from the network, so only its size and kind are judged.
 */
#ifndef MK_EDGE_PORTAL_DIR_H
#define MK_EDGE_PORTAL_DIR_H

#include <sys/types.h>

#include <stddef.h>

#include "core/udf.h"
#include "edge/root.h"

struct mk_portal_dir {
	const struct mk_root *root;
	const char *path;		/* absolute, below the root */
	size_t max;			/* bytes of a set */
};

/*
 * Reads DIR/.well-known/mmm/<UDF>.json, else DIR/<UDF>.json; a regular file
 * of at most 'max' bytes, opened without blocking.  MK_E_ABSENT if neither
 * is there, MK_E_TOOBIG, MK_E_PERM, MK_E_SYSTEM; a reason with each.
 */
int	mk_portal_dir_read(const struct mk_portal_dir *portal,
	    const struct mk_udf *udf, struct mk_file *ret_file,
	    struct mk_why *why);

/* Which directory a path leads to; zeros: none. */
struct mk_dir_id {
	dev_t dev;
	ino_t ino;
};

struct mk_dir_id mk_portal_dir_id(const struct mk_root *root,
	    const char *path);

#endif
