/* SPDX-License-Identifier: ISC */
/*
 * What the process that keeps the stores needs besides edge/cache.h:
 * becoming the user who owns them, one keeper at a time, and its sandbox.
 */
#ifndef MK_EDGE_KEEPER_H
#define MK_EDGE_KEEPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "edge/cache.h"

struct mk_everyone;

/*
 * Run by root, becomes the user 'meshkeys', or below a --root the numeric
 * owner of its cache directory (root only if that and DIR are root's), for
 * good: groups, gid, uid.  Run by another user, changes nothing.
 * MK_E_CONFIG if there is no such user.
 */
int	mk_keeper_become(const struct mk_root *root, struct mk_why *why);

#define MK_KEEPER_USER	"meshkeys"

/* The stores of who writes them, and the file that is locked meanwhile. */
struct mk_keeper {
	struct mk_store store;
	int lock;			/* -1: not open */
};

/*
 * Opens the stores to write.  Refuses directories that are not our own
 * (MK_E_PERM) or absent (MK_E_CONFIG, with the repair command).  Sweeps
 * temporary files that a crash left, unless another keeper is writing.
 */
int	mk_keeper_open(const struct mk_root *root,
	    struct mk_keeper *ret_keeper, struct mk_why *why);
void	mk_keeper_close(struct mk_keeper *keeper);

/*
 * One keeper at a time: from looking at what is there of a profile to the
 * last file written, on /var/lib/meshkeys/.lock.  Waits for another one up
 * to MK_KEEPER_WAIT seconds, then MK_E_STALE.
 */
#define MK_KEEPER_WAIT	10
#define MK_KEEPER_STAGE	"lock"	/* of the reason, if that was it */

int	mk_keeper_lock(const struct mk_keeper *keeper, struct mk_why *why);
void	mk_keeper_unlock(const struct mk_keeper *keeper);

/*
 * Removes from the cache what no mapping names and no portal has confirmed
 * for a day: sets and noted refusals of profiles that 'everyone' does not
 * have.  Nothing else, and never anything of the memory; nothing at all if
 * 'everyone' may lack somebody (no profile, a bad line, nss).  The lock is
 * held.  Returns how many files.
 */
size_t	mk_keeper_prune(const struct mk_keeper *keeper,
	    const struct mk_everyone *everyone, int64_t now);

/* What a keeper may read besides what is its own. */
struct mk_reach {
	const char *config_file;	/* of --config, or NULL */
	const char *const *dirs;	/* portals, below the root */
	size_t n;
	bool reads_only;		/* and writes nothing */
};

/*
 * Confines the process: writing below the two stores only, reading below
 * them, the directories that hold MK_CONFDIR, MK_PASSWD and the file of
 * --config, and those of 'reach'; no socket, no new program (seccomp denies
 * with EPERM), as far as the kernel has it.
 */
int	mk_keeper_confine(const struct mk_root *root,
	    const struct mk_reach *reach, struct mk_why *why);

/* The set into the cache, its mtime now; then the memory; then the keys. */
int	mk_store_put_set(const struct mk_store *store,
	    const struct mk_udf *udf, const uint8_t *data, size_t len,
	    struct mk_why *why);
int	mk_store_keys(const struct mk_store *store, const struct mk_udf *udf,
	    struct mk_file *ret_file, struct mk_why *why);
/* When the keys were written, seconds since 1970; MK_E_ABSENT. */
int	mk_store_keys_time(const struct mk_store *store,
	    const struct mk_udf *udf, int64_t *ret_time);
int	mk_store_put_keys(const struct mk_store *store,
	    const struct mk_udf *udf, const uint8_t *data, size_t len,
	    struct mk_why *why);

/* Moves the mtime of the cached set to now: a portal has confirmed it. */
int	mk_store_confirm(const struct mk_store *store,
	    const struct mk_udf *udf, struct mk_why *why);

/*
 * The last refusal of a profile, /var/cache/meshkeys/<UDF>.refused, so that
 * it is logged once an hour: notes it and returns whether to log it now.
 */
bool	mk_store_note_refusal(const struct mk_store *store,
	    const struct mk_udf *udf, const struct mk_why *refusal,
	    int64_t now);

/* What was noted, when it was logged last. */
struct mk_refusal {
	int64_t time;			/* seconds since 1970 */
	int status;			/* as sysexits(3) */
	char reason[sizeof(((struct mk_why *)NULL)->detail)];
};

/* MK_E_ABSENT if there is none; MK_E_SYSTEM, MK_E_PERM: it is of no use. */
int	mk_store_refusal(const struct mk_store *store,
	    const struct mk_udf *udf, struct mk_refusal *ret_refusal);
void	mk_store_forget_refusal(const struct mk_store *store,
	    const struct mk_udf *udf);

#endif
