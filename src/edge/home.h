/* SPDX-License-Identifier: ISC */
/*
 * A directory of a user's own, which nobody else may read: the state of
 * meshman(1).  Files are 0600, the directory 0700, everything is the
 * caller's; one process at a time; every file is replaced whole.
 */
#ifndef MK_EDGE_HOME_H
#define MK_EDGE_HOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "edge/root.h"

struct mk_why;

struct mk_home {
	char *path;		/* malloc'd, absolute; for messages */
	int fd;
	int lock;		/* -1: not locked */
};

/*
 * $XDG_DATA_HOME/meshkeys, or ~/.local/share/meshkeys if that is empty,
 * unset or not absolute.  ~ is $HOME, else the home directory of the real
 * user.  malloc'd.  MK_E_CONFIG, MK_E_SYSTEM.
 */
int	mk_home_path(char **ret_path, struct mk_why *why);

/* ~ alone. */
int	mk_home_of_user(char **ret_path, struct mk_why *why);

/*
 * Opens the directory; 'make': makes it and its parents, 0700, if absent.
 * MK_E_ABSENT without a reason, MK_E_PERM with the repair command if it is
 * another's or others may look into it, MK_E_SYSTEM.  Files that a crash
 * left half-written are swept once it is locked.
 */
int	mk_home_open(const char *path, bool make, struct mk_home *ret_home,
	    struct mk_why *why);
void	mk_home_close(struct mk_home *home);

/*
 * One at a time, for as long as it is open: waits up to 10 s, then
 * MK_E_STALE.  No lock survives its process.
 */
int	mk_home_lock(struct mk_home *home, struct mk_why *why);

/*
 * Reads a file.  MK_E_ABSENT without a reason; MK_E_PERM with the repair
 * command unless it is regular, our own, of one name, and nobody else may
 * read or write it; MK_E_TOOBIG, MK_E_SYSTEM.
 */
int	mk_home_read(const struct mk_home *home, const char *name,
	    size_t max, struct mk_file *ret_file, struct mk_why *why);

struct mk_guarded {
	uint8_t *data;		/* of sodium_malloc(), a NUL behind 'len' */
	size_t len;
};

/* The same into memory for secrets; sodium_free() for its data. */
int	mk_home_read_secret(const struct mk_home *home, const char *name,
	    size_t max, struct mk_guarded *ret_secret, struct mk_why *why);

/*
 * Replaces a file whole, 0600, synced, its directory too: after a crash
 * there is the old one or the new one.  MK_E_PERM, MK_E_SYSTEM.
 */
int	mk_home_write(const struct mk_home *home, const char *name,
	    const void *data, size_t len, struct mk_why *why);

/* Removes a file, synced; one that is absent is no error. */
int	mk_home_remove(const struct mk_home *home, const char *name,
	    struct mk_why *why);

#endif
