/* SPDX-License-Identifier: ISC */
/*
 * What the programs share that write the stores of a host: becoming the
 * user who owns them, looking at what lies there of a profile, and keeping
 * what is newer (mesh-profile-set(5), VERSIONS and THE MEMORY OF A HOST).
 * The set is written before the memory: a crash between the two leaves a
 * set that is newer than the memory, and the next look raises the memory
 * to it.
 */
#ifndef MK_CMD_KEEP_H
#define MK_CMD_KEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/accept.h"
#include "edge/config.h"
#include "edge/keeper.h"
#include "edge/root.h"

/* What the command line says. */
struct keep_place {
	const char *ident;		/* the program, for the log */
	const char *root_dir;		/* --root, or NULL */
	const char *config_file;	/* --config, or NULL */
};

struct keep {
	struct keep_place place;
	bool dry_run;			/* nothing is written */
	struct mk_root root;
	struct mk_config config;
	struct mk_keeper keeper;
};

/* So that keep_close() is right for one that was never opened. */
#define KEEP_CLOSED { .root = { .fd = -1 }, .keeper = { .lock = -1, \
	.store = { .cache = { .fd = -1 }, .memory = { .fd = -1 } } } }

/* The root and the log; then who owns the stores, for good. */
int	keep_become(struct keep *k, const struct keep_place *place,
	    struct mk_why *why);

/* The configuration and the stores. */
int	keep_open(struct keep *k, struct mk_why *why);
void	keep_close(struct keep *k);

/* The beginning of the SHA-512 of the bytes of a set. */
#define KEEP_MARK	32

/* The bytes in the cache, and the file that had them. */
struct keep_mark {
	bool known;
	uint8_t bytes[KEEP_MARK];
	bool stamped;
	struct mk_stamp stamp;
};

/* What lies here of a profile. */
struct keep_here {
	struct mk_file cache, seen;
	struct mk_holding holding;
	struct mk_held held;		/* lives in the arena, and in these */
	struct mk_why damage;		/* with a code: the memory is damaged
					   and was passed over */
};

/* Looks at it; keep_here_release() when done. */
int	keep_look(const struct keep *k, const struct mk_udf *udf,
	    struct mk_arena *a, struct keep_here *ret_here,
	    struct mk_why *why);
void	keep_here_release(struct keep_here *here);

/*
 * The same for an administrator who may replace the memory: one that is
 * damaged is passed over, and ret_here->damage says so.
 */
int	keep_look_anyway(const struct keep *k, const struct mk_udf *udf,
	    struct mk_arena *a, struct keep_here *ret_here,
	    struct mk_why *why);

/*
 * Writes a set that was accepted into the cache, then the memory and the
 * list of keys, and forgets the last refusal.  The lock is held.
 */
int	keep_write(const struct keep *k, const struct mk_udf *udf,
	    const struct mk_bytes *set, const struct mk_accepted *accepted,
	    struct mk_why *why);

/* What a portal is asked with. */
struct keep_question {
	char *etag;			/* malloc'd; NULL: the whole set */
	struct keep_mark mark;		/* of the bytes in the cache */
};

/*
 * Before a portal is asked: the memory catches up with the cache.  Once a
 * day the whole set is asked for, so that its keys are noted.
 */
int	keep_raise(const struct keep *k, const struct mk_udf *udf,
	    struct keep_question *ret_question, struct mk_why *why);

/* What became of a set that came. */
struct keep_taken {
	enum mk_news news;
	struct keep_mark mark;		/* of the bytes in the cache now */
};

/*
 * Judges what came for a profile, and keeps it if it is newer; the same
 * set again is a confirmation.  MK_E_REFUSED: it must stay out.
 */
int	keep_take(const struct keep *k, const struct mk_udf *udf,
	    const struct mk_offered_set *offered,
	    struct keep_taken *ret_taken, struct mk_why *why);

/*
 * A portal has confirmed the bytes in the cache: their time moves, and so
 * does the stamp of *mark.  MK_E_STALE if they are not those that it was
 * asked about; they are read again only if the file is another one.
 */
int	keep_confirm(const struct keep *k, const struct mk_udf *udf,
	    struct keep_mark *mark, struct mk_why *why);

#endif
