/* SPDX-License-Identifier: ISC */
/* Between the files of edge/undo.h. */
#ifndef MK_EDGE_UNDO_IMPL_H
#define MK_EDGE_UNDO_IMPL_H

#include "core/digest.h"
#include "edge/undo.h"

#define MK_UNDO_DIR	MK_CONFDIR "/setup.undo"
#define MK_UNDO_MAX	16u	/* entries of one journal */
#define MK_UNDO_BOOT	37	/* with its NUL: as the kernel tells it */

enum mk_undo_kind {
	MK_UNDO_MADE,		/* a file where there was none */
	MK_UNDO_KEPT,		/* one in place of another, kept as N.kept */
	MK_UNDO_MADE_DIR,
	MK_UNDO_KINDS
};

struct mk_undo_entry {
	enum mk_undo_kind kind;
	unsigned number;
	char digest[2 * MK_SHA512 + 1];	/* of what we wrote; "" for none */
	char *path;			/* malloc'd */
};

struct mk_undo {
	const struct mk_root *root;
	struct mk_dir dir;		/* MK_UNDO_DIR; fd -1: not there */
	enum mk_undo_state state;
	int64_t time, id;
	char boot[MK_UNDO_BOOT];	/* which one; "-": not known */
	int64_t uptime;			/* in it, nanoseconds */
	bool home;
	struct mk_undo_entry entries[MK_UNDO_MAX];
	size_t n;
};

/* Reads the journal of an open directory; state MK_UNDO_NONE if there is
   none.  MK_E_SYSTEM for one that is damaged. */
int	mk_undo_read(struct mk_undo *undo, struct mk_why *why);

/* Replaces it, synced. */
int	mk_undo_write(const struct mk_undo *undo, struct mk_why *why);

/* The name under which the file of an entry is kept. */
struct mk_undo_name {
	char text[32];
};

struct mk_undo_name mk_undo_kept(const struct mk_undo_entry *entry);

void	mk_undo_digest(const uint8_t *data, size_t len,
	    char out[2 * MK_SHA512 + 1]);

/* The directory that a path of an entry lies in, and its name there. */
struct mk_undo_place {
	struct mk_dir dir;
	char *parent;			/* malloc'd */
	const char *name;		/* in the path */
};

/* MK_E_ABSENT as mk_dir_open(). */
int	mk_undo_place_open(const struct mk_root *root, const char *path,
	    struct mk_undo_place *ret_place, struct mk_why *why);
void	mk_undo_place_close(struct mk_undo_place *place);

#endif
