/* SPDX-License-Identifier: ISC */
/*
 * Changes to files of the host that can be taken back byte for byte, also
 * after a crash: /etc/meshkeys/setup.undo, 0700, holds a journal and what
 * files held before.  An entry is written and synced before the change that
 * it undoes is made.
 */
#ifndef MK_EDGE_UNDO_H
#define MK_EDGE_UNDO_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "edge/root.h"

struct mk_why;

enum mk_undo_state {
	MK_UNDO_NONE,		/* nothing was set up */
	MK_UNDO_BEGUN,		/* and not finished: interrupted */
	MK_UNDO_UNCONFIRMED,	/* finished, waiting for --confirm */
	MK_UNDO_DONE
};

struct mk_undo;

/* Opens the journal, if there is one; the lock of map_edit.h is held. */
int	mk_undo_open(const struct mk_root *root, struct mk_undo **ret_undo,
	    struct mk_why *why);
void	mk_undo_close(struct mk_undo *undo);

enum mk_undo_state mk_undo_state(const struct mk_undo *undo);

/* When that state was entered, seconds since 1970. */
int64_t	mk_undo_time(const struct mk_undo *undo);

/*
 * Whether that was before a moment of this boot, in nanoseconds since it:
 * unlike the time above this is right also if the clock was set in between.
 * A negative moment is none: false.
 */
bool	mk_undo_before(const struct mk_undo *undo, int64_t uptime);

/* Of this one and of none before or after it; 0: there is none. */
int64_t	mk_undo_id(const struct mk_undo *undo);

/*
 * Begins one; MK_E_REFUSED unless the state is MK_UNDO_NONE.  'home': that
 * /etc/meshkeys was made for it, which mk_undo_home() tells ever after: the
 * journal lies there, so the caller removes it at the very end.
 */
int	mk_undo_begin(struct mk_undo *undo, bool home, struct mk_why *why);
bool	mk_undo_home(const struct mk_undo *undo);

/* MK_E_BUG for MK_UNDO_NONE: only mk_undo_all() leads there. */
int	mk_undo_enter(struct mk_undo *undo, enum mk_undo_state state,
	    struct mk_why *why);

/*
 * Makes or replaces a file, 0644 of root's, once; the old file itself is
 * kept, under a second name on the same file system, and so with mode,
 * owner, times and labels.
 */
int	mk_undo_file(struct mk_undo *undo, const char *path,
	    const uint8_t *data, size_t len, struct mk_why *why);

/* Makes a directory of root's, if it is not there. */
int	mk_undo_dir(struct mk_undo *undo, const char *path, mode_t mode,
	    struct mk_why *why);

/*
 * What cannot be kept: a file that is not any more what we wrote.  Told for
 * each, before anything is taken back; true: put it back all the same, and
 * keep what is there beside it as PATH.meshkeys-save, or with a number
 * behind that.  'undone' hears of each file and directory.
 */
struct mk_undo_asker {
	bool (*changed)(void *arg, const char *path);
	void (*undone)(void *arg, const char *path, const char *what);
	void *arg;
};

/*
 * Takes everything back, newest first, and removes the journal at the end;
 * run again after a crash it goes on.  Directories that are not empty stay.
 * MK_E_REFUSED, with nothing taken back, for a file that was changed and
 * shall not be put back.
 */
int	mk_undo_all(struct mk_undo *undo, const struct mk_undo_asker *asker,
	    struct mk_why *why);

#endif
