/* SPDX-License-Identifier: ISC */
#include "edge/cache.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/keylog.h"
#include "core/limits.h"
#include "core/seen.h"
#include "edge/judge.h"
#include "edge/keeper.h"

/* A fingerprint and a suffix; nothing a stranger chooses is in a name. */
void
mk_store_name(const struct mk_udf *udf, const char *suffix,
    char out[MK_STORE_NAME])
{
	mk_udf_format(udf, out);
	strcpy(out + MK_UDF_TEXT, suffix);
}

int
mk_store_absent(const struct mk_root *root, const char *path,
    struct mk_why *why)
{
	const char *q = mk_path_quote(root->name);

	if (root->fd >= 0)
		return mk_fail(why, MK_E_CONFIG, "store",
		    "no directory '%s%s'; run: install -d -m 755 %s%s%s%s",
		    root->name, path, q, root->name, path, q);
	return mk_fail(why, MK_E_CONFIG, "store", "no directory '%s'; "
	    "run: install -d -o meshkeys -g meshkeys -m 755 %s", path, path);
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
	char name[MK_STORE_NAME];
	int r;

	if (store->cache_failed != 0 && store->cache_failed != MK_E_ABSENT)
		return tell(&store->cache_why, why);
	mk_store_name(udf, ".json", name);
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
	char name[MK_STORE_NAME];
	int r;

	/* Guessing "never seen" here would let a rollback through. */
	if (store->memory_failed != 0 && store->memory_failed != MK_E_ABSENT)
		return tell(&store->memory_why, why);
	mk_store_name(udf, ".seen", name);
	r = read_file(&store->memory, name, MK_SEEN_MAX, ret_file, why);
	if (r == MK_E_TOOBIG)
		return mk_fail(why, MK_E_SYSTEM, MK_SEEN_STAGE,
		    "'%s/%s' is damaged: larger than %u bytes", MK_STATEDIR,
		    name, MK_SEEN_MAX);
	return r;
}

/* What is written is told to whoever runs the keeper, absence too. */
static int
check_memory(const struct mk_store *store, struct mk_why *why)
{
	if (store->memory_failed == MK_E_ABSENT)
		return mk_fail(why, MK_E_SYSTEM, "store",
		    "cannot write in '%s': no such directory", MK_STATEDIR);
	if (store->memory_failed != 0)
		return tell(&store->memory_why, why);
	return MK_OK;
}

static int
check_cache(const struct mk_store *store, struct mk_why *why)
{
	if (store->cache_failed == MK_E_ABSENT)
		return mk_fail(why, MK_E_SYSTEM, "cache",
		    "cannot write in '%s': no such directory", MK_CACHEDIR);
	if (store->cache_failed != 0)
		return tell(&store->cache_why, why);
	return MK_OK;
}

static int
put_memory(const struct mk_store *store, const char *name,
    const struct mk_content *content, struct mk_why *why)
{
	int r = check_memory(store, why);

	if (r != MK_OK)
		return r;
	return mk_dir_replace(&store->memory, name, content, why);
}

int
mk_store_remember(const struct mk_store *store, const struct mk_udf *udf,
    const uint8_t *text, size_t len, struct mk_why *why)
{
	const struct mk_content content = { .data = text, .len = len,
	    .mtime = -1 };
	char name[MK_STORE_NAME];

	mk_store_name(udf, ".seen", name);
	return put_memory(store, name, &content, why);
}

/* A lag harms nobody, and what is written next syncs the directory. */
int
mk_store_put_keys(const struct mk_store *store, const struct mk_udf *udf,
    const uint8_t *data, size_t len, struct mk_why *why)
{
	const struct mk_content content = { .data = data, .len = len,
	    .mtime = -1, .sync = MK_SYNC_SOON };
	char name[MK_STORE_NAME];

	mk_store_name(udf, ".keys", name);
	return put_memory(store, name, &content, why);
}

int
mk_store_put_set(const struct mk_store *store, const struct mk_udf *udf,
    const uint8_t *data, size_t len, struct mk_why *why)
{
	const struct mk_content content = { .data = data, .len = len,
	    .mtime = -1 };
	char name[MK_STORE_NAME];
	int r;

	r = check_cache(store, why);
	if (r != MK_OK)
		return r;
	mk_store_name(udf, ".json", name);
	return mk_dir_replace(&store->cache, name, &content, why);
}

int
mk_store_keys(const struct mk_store *store, const struct mk_udf *udf,
    struct mk_file *ret_file, struct mk_why *why)
{
	char name[MK_STORE_NAME];
	int r;

	/* To start anew here would forget the keys of lost devices. */
	if (store->memory_failed != 0 && store->memory_failed != MK_E_ABSENT)
		return tell(&store->memory_why, why);
	mk_store_name(udf, ".keys", name);
	r = read_file(&store->memory, name, MK_KEYLOG_BYTES, ret_file, why);
	if (r == MK_E_TOOBIG)
		return mk_fail(why, MK_E_SYSTEM, "keys",
		    "'%s/%s' is damaged: larger than %u bytes", MK_STATEDIR,
		    name, MK_KEYLOG_BYTES);
	return r;
}

int
mk_store_keys_time(const struct mk_store *store, const struct mk_udf *udf,
    int64_t *ret_time)
{
	char name[MK_STORE_NAME];
	struct stat st;

	mk_store_name(udf, ".keys", name);
	if (store->memory.fd == -1 || fstatat(store->memory.fd, name, &st,
	    AT_SYMLINK_NOFOLLOW) != 0)
		return MK_E_ABSENT;
	*ret_time = st.st_mtime;
	return MK_OK;
}

bool
mk_store_stamp(const struct mk_store *store, const struct mk_udf *udf,
    struct mk_stamp *ret_stamp)
{
	char name[MK_STORE_NAME];
	struct stat st;

	mk_store_name(udf, ".json", name);
	if (store->cache.fd == -1 || fstatat(store->cache.fd, name, &st,
	    AT_SYMLINK_NOFOLLOW) != 0)
		return false;
	*ret_stamp = (struct mk_stamp){ st.st_dev, st.st_ino, st.st_size,
	    st.st_ctim };
	return true;
}

/* The time when a file was read says nothing and is left alone. */
static int
touch(int fd)
{
	static const struct timespec times[2] = {
		{ .tv_nsec = UTIME_OMIT }, { .tv_nsec = UTIME_NOW }
	};
	struct stat st;

	if (fstat(fd, &st) != 0)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return -1;
	}
	/* Who put it there by hand may have closed it to the helper. */
	if ((st.st_mode & 0444) != 0444 && fchmod(fd, 0644) != 0)
		return -1;
	return futimens(fd, times);
}

/*
 * A set that root has put here by hand is not ours to touch; the directory
 * is, so the same bytes become a file of our own.
 */
static int
take_over(const struct mk_dir *dir, const char *name, struct mk_why *why)
{
	struct mk_content content = { .mtime = -1 };
	struct mk_file file;
	int r;

	r = mk_dir_read(dir, name, MK_SET_CEILING, &file, why);
	if (r != MK_OK)
		return r;
	content.data = file.data;
	content.len = file.len;
	r = mk_dir_replace(dir, name, &content, why);
	mk_file_release(&file);
	return r;
}

int
mk_store_confirm(const struct mk_store *store, const struct mk_udf *udf,
    struct mk_why *why)
{
	char name[MK_STORE_NAME];
	int fd, r;

	r = check_cache(store, why);
	if (r != MK_OK)
		return r;
	mk_store_name(udf, ".json", name);
	fd = openat(store->cache.fd, name, MK_OPEN_FILE);
	if (fd == -1 && errno == ENOENT)
		return mk_fail(why, MK_E_NOPROFILE, "cache",
		    "no profile set '%s/%s'", MK_CACHEDIR, name);
	if (fd == -1)
		return mk_open_fail(errno, name, why);
	if (touch(fd) == 0)
		r = MK_OK;
	else if (errno == EPERM)
		r = take_over(&store->cache, name, why);
	else
		r = mk_fail(why, errno == EINVAL ? MK_E_PERM : MK_E_SYSTEM,
		    "cache",
		    "cannot confirm '%s/%s': %s", MK_CACHEDIR, name,
		    strerror(errno));
	close(fd);
	return r;
}
