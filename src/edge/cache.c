/* SPDX-License-Identifier: ISC */
#include "edge/cache.h"

#include <string.h>

#include "core/limits.h"

/* A fingerprint and a suffix; nothing a stranger chooses is in a name. */
static void
file_name(const struct mk_udf *udf, const char *suffix,
    char out[MK_UDF_TEXT + 8])
{
	mk_udf_format(udf, out);
	strcpy(out + MK_UDF_TEXT, suffix);
}

static int
open_store(const struct mk_root *root, const char *path,
    struct mk_dir *dir, struct mk_why *why)
{
	dir->root = root;
	dir->path = path;
	dir->fd = -1;
	return mk_dir_open(root, path, MK_OWNED_BY_ANYONE, dir, why);
}

void
mk_store_open(const struct mk_root *root, struct mk_store *ret_store)
{
	memset(ret_store, 0, sizeof(*ret_store));
	ret_store->cache_failed = open_store(root, MK_CACHEDIR,
	    &ret_store->cache, &ret_store->cache_why);
	ret_store->memory_failed = open_store(root, MK_STATEDIR,
	    &ret_store->memory, &ret_store->memory_why);
}

void
mk_store_close(struct mk_store *store)
{
	mk_dir_close(&store->cache);
	mk_dir_close(&store->memory);
}

/* Reads a file of a store that may not have been opened. */
static int
read_file(const struct mk_dir *dir, const char *name, size_t max,
    struct mk_file *ret_file, struct mk_why *why)
{
	if (dir->fd == -1)
		return MK_E_ABSENT;
	return mk_dir_read(dir, name, max, ret_file, why);
}

static int
tell(const struct mk_why *from, struct mk_why *why)
{
	return mk_fail(why, from->code, from->stage, "%s", from->detail);
}

int
mk_store_set(const struct mk_store *store, const struct mk_udf *udf,
    size_t max, struct mk_file *ret_file, struct mk_why *why)
{
	char name[MK_UDF_TEXT + 8];
	int r;

	if (store->cache_failed != 0 && store->cache_failed != MK_E_ABSENT)
		return tell(&store->cache_why, why);
	file_name(udf, ".json", name);
	r = read_file(&store->cache, name, max, ret_file, why);
	if (r == MK_E_ABSENT)
		return mk_fail(why, MK_E_NOPROFILE, "cache",
		    "no profile set '%s/%s'", MK_CACHEDIR, name);
	if (r == MK_E_TOOBIG)
		return mk_fail(why, MK_E_REFUSED, "cache",
		    "'%s/%s' is larger than max-set, %zu bytes", MK_CACHEDIR,
		    name, max);
	return r;
}

int
mk_store_seen(const struct mk_store *store, const struct mk_udf *udf,
    struct mk_file *ret_file, struct mk_why *why)
{
	char name[MK_UDF_TEXT + 8];
	int r;

	/* Guessing "never seen" here would let a rollback through. */
	if (store->memory_failed != 0 && store->memory_failed != MK_E_ABSENT)
		return tell(&store->memory_why, why);
	file_name(udf, ".seen", name);
	r = read_file(&store->memory, name, MK_SEEN_MAX, ret_file, why);
	if (r == MK_E_TOOBIG)
		return mk_fail(why, MK_E_SYSTEM, "seen",
		    "'%s/%s' is damaged: larger than %u bytes", MK_STATEDIR,
		    name, MK_SEEN_MAX);
	return r;
}

int
mk_store_remember(const struct mk_store *store, const struct mk_udf *udf,
    const uint8_t *text, size_t len, struct mk_why *why)
{
	const struct mk_content content = { text, len, -1 };
	char name[MK_UDF_TEXT + 8];

	if (store->memory_failed == MK_E_ABSENT)
		return mk_fail(why, MK_E_SYSTEM, "seen",
		    "cannot write in '%s': no such directory", MK_STATEDIR);
	if (store->memory_failed != 0)
		return tell(&store->memory_why, why);
	file_name(udf, ".seen", name);
	return mk_dir_replace(&store->memory, name, &content, why);
}
