/* SPDX-License-Identifier: ISC */
#include "edge/root.h"

#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "edge/judge.h"

#define RACES_MAX	16	/* renames met while resolving one path */

int
mk_root_open(const char *dir, struct mk_root *ret_root, struct mk_why *why)
{
	struct mk_root root = { -1, MK_UID_NONE, "" };

	if (dir != NULL) {
		root.fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (root.fd == -1 && (errno == ENOENT || errno == ENOTDIR))
			return mk_fail(why, MK_E_CONFIG, "root",
			    "cannot use '%s' as root: no such directory",
			    dir);
		if (root.fd == -1)
			return mk_open_fail(errno, dir, why);
		root.self = geteuid();
		root.name = strcmp(dir, "/") == 0 ? "" : dir;
	}
	*ret_root = root;
	return MK_OK;
}

void
mk_root_close(struct mk_root *root)
{
	if (root->fd >= 0)
		close(root->fd);
	root->fd = -1;
}

#if defined(SYS_openat2) && defined(RESOLVE_IN_ROOT)
static int
open_in_root(int fd, const char *path, int flags, uint64_t resolve)
{
	struct open_how how;
	int n, r = -1;

	memset(&how, 0, sizeof(how));
	how.flags = (unsigned)flags;
	how.resolve = RESOLVE_IN_ROOT | resolve;
	errno = EAGAIN;
	for (n = 0; r == -1 && errno == EAGAIN && n < RACES_MAX; n++)
		r = (int)syscall(SYS_openat2, fd, path, &how, sizeof(how));
	return r;
}
#else
static int
open_in_root(int fd, const char *path, int flags, uint64_t resolve)
{
	(void)fd, (void)path, (void)flags, (void)resolve;
	errno = ENOSYS;
	return -1;
}
#endif

int
mk_root_openat(const struct mk_root *root, const char *path, int flags,
    uint64_t resolve)
{
	if (root->fd >= 0)
		return open_in_root(root->fd, path, flags, resolve);
	return open(path, flags);
}

static int
judge_dir(const struct mk_dir *dir, const struct stat *st,
    enum mk_owner owner, struct mk_why *why)
{
	uid_t also = MK_UID_NONE;
	char path[PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "%s%s", dir->root->name, dir->path);
	/* Its parents are root's, so root gave a store to who owns it. */
	if (owner == MK_OWNED_BY_ANYONE)
		also = st->st_uid;
	r = mk_judge(st, dir->root->self, also, path, why);
	return r != MK_OK ? r : mk_judge_parents(dir, st, why);
}

/*
 * Whether there is a link that leads nowhere, as to a file system that is
 * not mounted: what lies there is not absent, and a refusal or a memory
 * behind it must not count as one.
 */
static bool
leads_nowhere(const struct mk_root *root, const char *path)
{
	int fd = mk_root_openat(root, path, O_PATH | O_NOFOLLOW | O_CLOEXEC,
	    0);

	if (fd == -1)
		return false;
	close(fd);
	return true;
}

static int
open_failed(const struct mk_root *root, const char *path, struct mk_why *why)
{
	int err = errno;

	if (err == ENOENT && leads_nowhere(root, path))
		return mk_fail(why, MK_E_PERM, "open",
		    "cannot use '%s': a symbolic link that leads nowhere",
		    path);
	if (err == ELOOP)
		return mk_fail(why, MK_E_PERM, "open",
		    "cannot use '%s': reached through a symbolic link", path);
	if (err == ENOTDIR)
		return mk_fail(why, MK_E_PERM, "open",
		    "cannot use '%s': not a directory", path);
	return mk_open_fail(err, path, why);
}

int
mk_dir_open(const struct mk_root *root, const char *path,
    enum mk_owner owner, struct mk_dir *ret_dir, struct mk_why *why)
{
	struct mk_dir dir = { root, path, -1, 0 };
	struct stat st;
	int r;

	/* A store is written to: nothing in an image may lead it astray. */
	dir.fd = mk_root_openat(root, path,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC,
	    owner == MK_OWNED_BY_ANYONE ? RESOLVE_NO_SYMLINKS : 0);
	if (dir.fd == -1)
		return open_failed(root, path, why);
	if (fstat(dir.fd, &st) != 0) {
		r = mk_fail(why, MK_E_SYSTEM, "open",
		    "cannot examine '%s': %s", path, strerror(errno));
		goto out;
	}
	dir.owner = st.st_uid;
	r = judge_dir(&dir, &st, owner, why);
out:
	if (r == MK_OK)
		*ret_dir = dir;
	else
		close(dir.fd);
	return r;
}

void
mk_dir_close(struct mk_dir *dir)
{
	if (dir->fd >= 0)
		close(dir->fd);
	dir->fd = -1;
}
