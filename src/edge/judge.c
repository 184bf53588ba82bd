/* SPDX-License-Identifier: ISC */
#include "edge/judge.h"

#include <sys/types.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"

#define DEPTH_MAX	64	/* directories above one of ours */

const char *
mk_path_quote(const char *path)
{
	static const char plain[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789/._-+%@:,";

	if (path[strspn(path, plain)] == '\0')
		return "";
	return strchr(path, '\'') == NULL ? "'" : "\"";
}

int
mk_judge(const struct stat *st, uid_t self, uid_t owner, const char *path,
    struct mk_why *why)
{
	static const char *const whose[] = {
		"others", "group", "group and others"
	};
	static const char *const mode[] = { "o-w", "g-w", "go-w" };
	const char *q = mk_path_quote(path);
	unsigned which;

	if (st->st_uid != 0 && st->st_uid != self && st->st_uid != owner)
		return mk_fail(why, MK_E_PERM, "open",
		    "cannot use '%s': owned by uid %lu; "
		    "run: chown %lu %s%s%s", path, (unsigned long)st->st_uid,
		    owner == MK_UID_NONE ? 0UL : (unsigned long)owner,
		    q, path, q);
	if ((st->st_mode & (S_IWGRP | S_IWOTH)) == 0)
		return MK_OK;
	which = (st->st_mode & S_IWGRP) == 0 ? 0 :
	    (st->st_mode & S_IWOTH) == 0 ? 1 : 2;
	return mk_fail(why, MK_E_PERM, "open",
	    "cannot use '%s': writable by %s; run: chmod %s %s%s%s",
	    path, whose[which], mode[which], q, path, q);
}

/* The path behind a descriptor, without a slash at its end. */
static size_t
real_path(int fd, char out[PATH_MAX])
{
	char link[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, out, PATH_MAX - 1);
	if (n <= 0 || out[0] != '/')
		return 0;
	while (n > 0 && out[n - 1] == '/')
		n--;
	out[n] = '\0';
	return (size_t)n;
}

/*
 * The name below the root of the directory 'up' levels above: the real one,
 * or the dots that lead to it where /proc cannot tell.
 */
static void
name_below(const struct mk_dir *dir, unsigned up, char out[PATH_MAX])
{
	char top[PATH_MAX] = "";
	size_t n, skip = 0;

	n = real_path(dir->fd, out);
	if (n > 0 && dir->root->fd >= 0)
		skip = real_path(dir->root->fd, top);
	if (n == 0 || strncmp(out, top, skip) != 0) {
		n = (size_t)snprintf(out, PATH_MAX, "%s", dir->path);
		for (; up > 0 && n + 4 < PATH_MAX; up--, n += 3)
			memcpy(out + n, "/..", 4);
		return;
	}
	memmove(out, out + skip, n - skip + 1);
	for (; up > 0; up--)
		*strrchr(out, '/') = '\0';
	if (out[0] == '\0')
		memcpy(out, "/", 2);
}

static bool
same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* MK_E_ABSENT: it is the root, and there is nothing above. */
static int
judge_parent(const struct mk_dir *dir, unsigned up, const struct stat *top,
    struct stat *last, struct mk_why *why)
{
	char dots[3 * DEPTH_MAX + 1], below[PATH_MAX], name[PATH_MAX];
	struct stat st;
	unsigned i;

	for (i = 0; i < up; i++)
		memcpy(dots + 3 * i, "../", 4);
	if (fstatat(dir->fd, dots, &st, 0) != 0)
		return mk_fail(why, MK_E_SYSTEM, "open",
		    "cannot look above '%s': %s", dir->path, strerror(errno));
	if (top != NULL && same(&st, top))
		return MK_E_ABSENT;
	if (same(&st, last))
		return top == NULL ? MK_E_ABSENT : mk_fail(why, MK_E_PERM,
		    "open", "cannot use '%s': outside of the root",
		    dir->path);
	*last = st;
	if (mk_judge(&st, dir->root->self, MK_UID_NONE, "", NULL) == MK_OK)
		return MK_OK;
	name_below(dir, up, below);
	snprintf(name, sizeof(name), "%s%s", dir->root->name, below);
	return mk_judge(&st, dir->root->self, MK_UID_NONE, name, why);
}

int
mk_judge_parents(const struct mk_dir *dir, const struct stat *st,
    struct mk_why *why)
{
	struct stat root, last = *st;
	const struct stat *top = NULL;
	unsigned up;
	int r;

	if (dir->root->fd >= 0) {
		if (fstat(dir->root->fd, &root) != 0)
			return mk_fail(why, MK_E_SYSTEM, "open",
			    "cannot examine the root: %s", strerror(errno));
		if (same(&last, &root))
			return MK_OK;
		top = &root;
	}
	for (up = 1; up <= DEPTH_MAX; up++) {
		r = judge_parent(dir, up, top, &last, why);
		if (r != MK_OK)
			return r == MK_E_ABSENT ? MK_OK : r;
	}
	return mk_fail(why, MK_E_PERM, "open",
	    "cannot use '%s': more than %d directories above", dir->path,
	    DEPTH_MAX);
}

int
mk_open_fail(int err, const char *path, struct mk_why *why)
{
	switch (err) {
	case ENOENT:
		return MK_E_ABSENT;
	case ELOOP:
		return mk_fail(why, MK_E_PERM, "open",
		    "cannot use '%s': is a symbolic link", path);
	case ENOTDIR:
		return mk_fail(why, MK_E_PERM, "open",
		    "cannot use '%s': not in a directory", path);
	case ENXIO:
	case ENODEV:
		return mk_fail(why, MK_E_PERM, "open",
		    "cannot use '%s': not a regular file", path);
	case EACCES:
	case EPERM:
		return mk_fail(why, MK_E_PERM, "open",
		    "cannot use '%s': permission denied; run: namei -l %s%s%s",
		    path, mk_path_quote(path), path, mk_path_quote(path));
	case EXDEV:
		return mk_fail(why, MK_E_PERM, "open",
		    "cannot use '%s': outside of the root", path);
	case ENOSYS:
		return mk_fail(why, MK_E_SYSTEM, "open",
		    "cannot use '%s': the kernel has no openat2, which "
		    "--root needs", path);
	default:
		return mk_fail(why, MK_E_SYSTEM, "open",
		    "cannot open '%s': %s", path, strerror(err));
	}
}
