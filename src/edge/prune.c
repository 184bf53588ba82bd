/* SPDX-License-Identifier: ISC */
/*
 * What nobody is mapped to leaves the cache after a day.  Its memory stays:
 * whoever is mapped again is not to be rolled back.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/limits.h"
#include "edge/everyone.h"
#include "edge/keeper.h"

/* A fingerprint as we write it, and a suffix of the cache's. */
static bool
is_ours(const char *name, struct mk_udf *ret_udf)
{
	const char *suffix = name + MK_UDF_TEXT;

	if (strlen(name) <= MK_UDF_TEXT ||
	    !mk_udf_parse(name, MK_UDF_TEXT, ret_udf) ||
	    mk_udf_type(ret_udf) != MK_UDF_KEY)
		return false;
	return strcmp(suffix, ".json") == 0 ||
	    strcmp(suffix, ".refused") == 0;
}

/* A time in the future tells nothing about the age. */
static bool
is_old(const struct stat *st, int64_t now)
{
	return S_ISREG(st->st_mode) && st->st_mtim.tv_sec <= now &&
	    now - st->st_mtim.tv_sec > MK_DAY;
}

static bool
is_superfluous(int fd, const char *name, const struct mk_everyone *everyone,
    int64_t now)
{
	struct mk_udf udf;
	struct stat st;

	return is_ours(name, &udf) &&
	    mk_everyone_find(everyone, &udf) == NULL &&
	    fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    is_old(&st, now);
}

/*
 * A set that was brought here by hand does not come back by itself.  So
 * nothing goes where 'everyone' may lack somebody: a bad line was skipped,
 * a source does not list its users, or the map is empty for a moment since
 * an editor is writing it.
 */
static bool
is_complete(const struct mk_everyone *everyone)
{
	return everyone->n > 0 && everyone->bad_lines == 0 &&
	    !everyone->unlisted;
}

size_t
mk_keeper_prune(const struct mk_keeper *keeper,
    const struct mk_everyone *everyone, int64_t now)
{
	const struct mk_dir *cache = &keeper->store.cache;
	const struct dirent *e;
	size_t n = 0;
	DIR *d;
	int fd;

	if (!is_complete(everyone))
		return 0;
	fd = openat(cache->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	d = fd == -1 ? NULL : fdopendir(fd);
	/* What stays costs room only. */
	if (d == NULL) {
		if (fd != -1)
			close(fd);
		return 0;
	}
	while ((e = readdir(d)) != NULL) {
		if (is_superfluous(fd, e->d_name, everyone, now))
			n += unlinkat(fd, e->d_name, 0) == 0;
	}
	closedir(d);
	return n;
}
