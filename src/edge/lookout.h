/* SPDX-License-Identifier: ISC */
/*
 * Looking out for a change of what says who has which profile: the
 * configuration, the map, users/ and the local passwd file.
 */
#ifndef MK_EDGE_LOOKOUT_H
#define MK_EDGE_LOOKOUT_H

#include <stdbool.h>

struct mk_root;
struct mk_why;
struct mk_lookout;

/*
 * Starts to look out (inotify(7), where there is one; on file systems
 * without it only mk_lookout_changed() notices).  'config_file' is that of
 * --config, or NULL; 'root' must outlive it.  Begun before the files are
 * read, so that no change falls in between.  MK_E_SYSTEM.
 */
int	mk_lookout_new(const struct mk_root *root, const char *config_file,
	    struct mk_lookout **ret_lookout, struct mk_why *why);
void	mk_lookout_free(struct mk_lookout *lookout);

/* Readable when something may have changed; -1 if it cannot tell. */
int	mk_lookout_fd(const struct mk_lookout *lookout);

/*
 * Whether any of them is another one than at the last call or, the first
 * time, at mk_lookout_new(): by device, inode, size, times and, for users/,
 * by each of its files that inotify(7) told about.  Never blocks; also
 * starts anew to look at a directory that was replaced or has appeared.
 */
bool	mk_lookout_changed(struct mk_lookout *lookout);

#endif
