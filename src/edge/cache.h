/* SPDX-License-Identifier: ISC */
/*
 * The stores on a host: /var/cache/meshkeys/<UDF>.json, raw as fetched, and
 * /var/lib/meshkeys/<UDF>.seen, the memory against rollback.
 */
#ifndef MK_EDGE_CACHE_H
#define MK_EDGE_CACHE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "core/err.h"
#include "core/udf.h"
#include "edge/root.h"

struct mk_store {
	struct mk_dir cache;
	struct mk_dir memory;
	int cache_failed;	/* 0 or why it could not be opened */
	int memory_failed;
	struct mk_why cache_why, memory_why;
};

/*
 * Opens both directories.  That one is absent or unsafe is told by the
 * reads, each with its own reason.
 */
void	mk_store_open(const struct mk_root *root, struct mk_store *ret_store);
void	mk_store_close(struct mk_store *store);

/*
 * The cached set.  MK_E_NOPROFILE if there is none, MK_E_PERM,
 * MK_E_REFUSED over 'max' bytes, MK_E_SYSTEM.
 */
int	mk_store_set(const struct mk_store *store, const struct mk_udf *udf,
	    size_t max, struct mk_file *ret_file, struct mk_why *why);

/*
 * The memory; MK_E_ABSENT on first sight, MK_E_PERM, MK_E_SYSTEM (also over
 * MK_SEEN_MAX: damaged).
 */
int	mk_store_seen(const struct mk_store *store, const struct mk_udf *udf,
	    struct mk_file *ret_file, struct mk_why *why);

/* Room for the name of a file of a profile. */
#define MK_STORE_NAME	(MK_UDF_TEXT + sizeof(".refused"))

/* Which file the cached set is, and when it was changed last. */
struct mk_stamp {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec changed;
};

bool	mk_store_stamp(const struct mk_store *store,
	    const struct mk_udf *udf, struct mk_stamp *ret_stamp);

/* "<UDF>" and a suffix of at most eight characters. */
void	mk_store_name(const struct mk_udf *udf, const char *suffix,
	    char out[MK_STORE_NAME]);

/* A directory of the stores is absent: MK_E_CONFIG, the repair command. */
int	mk_store_absent(const struct mk_root *root, const char *path,
	    struct mk_why *why);

/* Writes the memory, atomically. */
int	mk_store_remember(const struct mk_store *store,
	    const struct mk_udf *udf, const uint8_t *text, size_t len,
	    struct mk_why *why);

#endif
