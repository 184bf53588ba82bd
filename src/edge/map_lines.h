/* SPDX-License-Identifier: ISC */
/*
 * Between the files of edge/map_edit.h: the text of the map or of a file of
 * users/ as it stands, line by line, byte for byte.
 */
#ifndef MK_EDGE_MAP_LINES_H
#define MK_EDGE_MAP_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"
#include "core/udf.h"
#include "edge/map_edit.h"
#include "edge/root.h"
#include "edge/source.h"

struct mk_text_line {
	const char *s;
	size_t len;	/* without the line feed */
	size_t whole;	/* with it, if there is one */
};

/* The next one from *at on, which is 0 at first; false at the end. */
bool	mk_text_next(const struct mk_file *file, size_t *at,
	    struct mk_text_line *ret_line);

/* What a line says, if it is neither empty nor a comment. */
struct mk_text_entry {
	bool denied, has_udf;	/* neither: it cannot be used */
	struct mk_udf udf;
};

/*
 * Reads a line behind its user, or with 'in_map' behind its first word.
 * False for one that is empty or a comment, or for want of memory.
 */
bool	mk_text_entry(const struct mk_text_line *line, bool in_map,
	    struct mk_text_entry *ret_entry);

/*
 * Refuses what editing would spread or what a login refuses as a whole: DOS
 * line ends, a byte order mark; MK_E_CONFIG with the repair command.
 */
int	mk_text_check(const struct mk_root *root, const char *path,
	    const struct mk_file *file, struct mk_why *why);

/* The open directory as the readers know it; not to be closed. */
struct mk_dir mk_map_edit_dir(const struct mk_map_edit *edit);

/* users/, what a crash left there swept.  'make': made if absent. */
int	mk_map_edit_users(const struct mk_map_edit *edit, bool make,
	    struct mk_dir *ret_dir, struct mk_why *why);

/* mkdirat(2), 0755 from the first moment on: logins may be at it. */
int	mk_map_edit_mkdirat(int dir, const char *name);

/* Makes a directory, 0755, of the owner of its parent. */
int	mk_map_edit_mkdir(const struct mk_map_edit *edit, const char *name,
	    struct mk_why *why);

/*
 * Reads the map, or a file of users/, and checks its form.  MK_E_ABSENT,
 * MK_E_CONFIG (too large, too), MK_E_PERM, MK_E_SYSTEM.
 */
int	mk_map_edit_read(const struct mk_dir *dir, const char *name,
	    struct mk_file *ret_file, struct mk_why *why);

/* A file that is edited: the map, or one of users/. */
struct mk_map_place {
	struct mk_dir dir;
	bool in_users;		/* then 'dir' is to be closed */
	char name[MK_USERFILE_NAME + 1];
	struct mk_file file;	/* data NULL: absent */
};

/* The map, not yet read. */
struct mk_map_place mk_map_place(const struct mk_map_edit *edit);

/*
 * A file of users/, read if it is there.  MK_E_ABSENT: there is no users/,
 * or the name is too long for a file.
 */
int	mk_map_place_user(const struct mk_map_edit *edit, const char *name,
	    struct mk_map_place *ret_place, struct mk_why *why);
int	mk_map_place_read(struct mk_map_place *p, struct mk_why *why);
int	mk_map_place_write(const struct mk_map_place *p, const void *data,
	    size_t len, struct mk_why *why);
int	mk_map_place_unlink(const struct mk_map_place *p,
	    struct mk_why *why);
void	mk_map_place_release(struct mk_map_place *p);

/* Whether her login takes that line for hers. */
bool	mk_map_place_hers(const struct mk_map_place *p,
	    const struct mk_text_line *line, const char *user);

/* The name as it stands in files, malloc'd.  MK_E_USAGE for one that no
   account can have. */
int	mk_map_encode(const char *user, char **ret_encoded,
	    struct mk_why *why);

#endif
