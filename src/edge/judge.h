/* SPDX-License-Identifier: ISC */
/*
 * Between the files of edge/root.h: who may own what is opened, and the
 * words for what is refused.
 */
#ifndef MK_EDGE_JUDGE_H
#define MK_EDGE_JUDGE_H

#include <sys/stat.h>

#if __has_include(<linux/openat2.h>)
#include <linux/openat2.h>
#endif

#include "edge/root.h"

#ifndef RESOLVE_NO_SYMLINKS
#define RESOLVE_NO_SYMLINKS	0x04
#endif

#define MK_UID_NONE	((uid_t)-1)

/* Opened without blocking, never a terminal of ours, never through a link. */
#define MK_OPEN_FILE	(O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | \
			    O_CLOEXEC)

/*
 * Refuses what others than root, 'self' and 'owner' (MK_UID_NONE: nobody)
 * own, and what group or others may write.  MK_E_PERM with the repair
 * command.
 */
int	mk_judge(const struct stat *st, uid_t self, uid_t owner,
	    const char *path, struct mk_why *why);

/* Judges every parent of an open directory 'st' up to the root. */
int	mk_judge_parents(const struct mk_dir *dir, const struct stat *st,
	    struct mk_why *why);

/*
 * Why a file or directory could not be opened, from errno: MK_E_ABSENT
 * without a reason, MK_E_PERM, MK_E_SYSTEM.
 */
int	mk_open_fail(int err, const char *path, struct mk_why *why);

/* The quote around a path in a command if a shell would take it apart, else
   "". */
const char *mk_path_quote(const char *path);

/*
 * open(2), resolved inside the root if there is one.  'resolve' adds flags
 * of openat2(2) that count only there.  A descriptor, or -1 and errno.
 */
int	mk_root_openat(const struct mk_root *root, const char *path,
	    int flags, uint64_t resolve);

/*
 * Reads an open file that was judged already, whole.  MK_E_TOOBIG,
 * MK_E_SYSTEM.
 */
int	mk_read_judged(int fd, const char *path, size_t max,
	    struct mk_file *ret_file, struct mk_why *why);

/* mk_dir_open() and mk_dir_read() for a file that is alone there. */
int	mk_path_read(const struct mk_root *root, const char *path,
	    size_t max, struct mk_file *ret_file, struct mk_why *why);

#endif
