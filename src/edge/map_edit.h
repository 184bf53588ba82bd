/* SPDX-License-Identifier: ISC */
/*
 * Changing who is who: the map and users/, one change at a time behind a
 * lock, each file replaced whole, comments and the order of lines kept.
 * What the files say is read by edge/identity.h; this only edits lines.
 */
#ifndef MK_EDGE_MAP_EDIT_H
#define MK_EDGE_MAP_EDIT_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>

#include "core/udf.h"
#include "edge/root.h"

struct mk_config;
struct mk_why;

#define MK_MAP_PATH_MAX	(sizeof(MK_CONFDIR "/users/") + 255)

/* /etc/meshkeys, locked by /etc/meshkeys/.lock, 0600. */
struct mk_map_edit {
	const struct mk_root *root;
	int lock, dir;		/* -1: not open */
	uid_t owner;		/* of the directory */
	char path[MK_MAP_PATH_MAX];	/* the file of the last mk_map_add() */
	struct mk_file before;	/* what it held, or data NULL: absent */
};

/*
 * Waits up to ten seconds for who else is at it, then MK_E_STALE.  With
 * 'make' an absent directory is made, 0755.  MK_E_ABSENT, MK_E_PERM,
 * MK_E_SYSTEM.
 */
int	mk_map_edit_open(const struct mk_root *root, bool make,
	    struct mk_map_edit *ret_edit, struct mk_why *why);
void	mk_map_edit_close(struct mk_map_edit *edit);

/* A line to be: "-" has no udf. */
struct mk_map_entry {
	const char *user;	/* decoded */
	const struct mk_udf *udf;	/* NULL: "-", no Mesh keys */
	char *const *options;	/* "option=value", checked */
	size_t n_options;
};

/*
 * Adds a line: in users/USER if that is there, or if users/ is and no map
 * that names anybody; else at the end of the map.  *ret_path is the file,
 * edit->path.
 * MK_E_REFUSED if that user and fingerprint stand there already, or one of
 * the two is a dash; MK_E_CONFIG with the repair command for a file with
 * DOS line ends or a byte order mark; MK_E_PERM, MK_E_SYSTEM.
 */
int	mk_map_add(struct mk_map_edit *edit, const struct mk_map_entry *entry,
	    const char **ret_path, struct mk_why *why);

/* Puts that file back as it was before the last mk_map_add(). */
int	mk_map_take_back(struct mk_map_edit *edit, struct mk_why *why);

/*
 * Takes lines of a user out, all or those of one profile; whatever spelling
 * a line has that her login would take for hers.  A users/ file that has no
 * line left is removed.  *ret_n counts the lines.
 */
int	mk_map_remove(struct mk_map_edit *edit, const char *user,
	    const struct mk_udf *udf, size_t *ret_n, struct mk_why *why);

/*
 * Moves every line of the map to users/, comments of a user's line with it;
 * the map keeps what is left of comments, and users whose names are too
 * long for a file.  All lines must be good ones.  MK_E_REFUSED, and nothing
 * is changed, if users/ has other lines for one of them.  A crash leaves
 * each user in both places or in one, never in none.  *ret_n counts users.
 */
int	mk_map_split_up(struct mk_map_edit *edit, size_t *ret_n,
	    struct mk_why *why);

/*
 * A fingerprint as people type and paste it: any case, blanks and dashes
 * anywhere.  MK_E_USAGE: below the reason the text stands again, and below
 * that a caret points at the first letter that cannot be, or to where
 * letters are missing or too many; why->detail has line feeds then.  Of
 * something else than a key it is MK_E_REFUSED.
 */
int	mk_udf_read_typed(const char *typed, struct mk_udf *ret_udf,
	    struct mk_why *why);

#endif
