/* SPDX-License-Identifier: ISC */
/*
 * Files of the edge that are replaced whole: a temporary file in the same
 * directory, synced, renamed, the directory synced.  Temporary names begin
 * with ".mk-", which no name of ours does, so that what a crash leaves can
 * be swept.
 */
#ifndef MK_EDGE_TEMP_H
#define MK_EDGE_TEMP_H

#include <sys/types.h>

#include "edge/root.h"

struct mk_why;

/* Where a file is to stand, and as whose; all of it is the caller's. */
struct mk_target {
	int dir;
	const char *path;	/* of the directory, for messages */
	const char *name;
	mode_t mode;
	uid_t owner;		/* MK_UID_NONE: who runs us */
};

/*
 * Readers see the old or the new one, never a torn one.  MK_E_PERM,
 * MK_E_SYSTEM; on failure the old file stays and no temporary file is left.
 */
int	mk_temp_replace(const struct mk_target *target,
	    const struct mk_content *content, struct mk_why *why);

/* The reason for a directory that cannot be written to, from errno. */
int	mk_temp_failed(const struct mk_target *target, struct mk_why *why);

/*
 * Removes what a crash left.  Only behind a lock: another process may be
 * writing.
 */
void	mk_temp_sweep(int dir);

#endif
