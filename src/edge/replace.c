/* SPDX-License-Identifier: ISC */
/*
 * Replacing a file whole.  Temporary names begin with ".mk-", which no
 * name of ours does, so that what a crash leaves can be swept.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "edge/judge.h"

#define NAME_TRIES	64

struct temp {
	const struct mk_dir *dir;
	const char *name;	/* what it will be */
	char own[64];
	int fd;
};

static int
write_failed(const struct mk_dir *dir, const char *name, struct mk_why *why)
{
	int err = errno;

	return mk_fail(why,
	    err == EACCES || err == EPERM ? MK_E_PERM : MK_E_SYSTEM, "write",
	    "cannot write '%s/%s': %s", dir->path, name, strerror(err));
}

/*
 * What is written below a --root is not reached through any link of the
 * image: the path without links must lead to the same directory.
 */
static int
check_place(const struct mk_dir *dir, const char *name, struct mk_why *why)
{
	struct stat a, b;
	int fd, r = MK_OK;

	if (dir->root->fd < 0)
		return MK_OK;
	fd = mk_root_openat(dir->root, dir->path,
	    O_PATH | O_DIRECTORY | O_CLOEXEC, RESOLVE_NO_SYMLINKS);
	if (fd == -1 && errno == ELOOP)
		return mk_fail(why, MK_E_PERM, "write",
		    "cannot write '%s/%s': reached through a symbolic link",
		    dir->path, name);
	if (fd == -1 || fstat(fd, &a) != 0 || fstat(dir->fd, &b) != 0)
		r = write_failed(dir, name, why);
	else if (a.st_dev != b.st_dev || a.st_ino != b.st_ino)
		r = mk_fail(why, MK_E_SYSTEM, "write",
		    "cannot write '%s/%s': the directory was moved",
		    dir->path, name);
	if (fd >= 0)
		close(fd);
	return r;
}

static int
temp_create(struct temp *t, struct mk_why *why)
{
	static unsigned counter;
	unsigned n;

	for (n = 0; n < NAME_TRIES; n++) {
		snprintf(t->own, sizeof(t->own), ".mk-%ld-%u.tmp",
		    (long)getpid(), counter++);
		t->fd = openat(t->dir->fd, t->own, O_WRONLY | O_CREAT |
		    O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (t->fd >= 0)
			return MK_OK;
		if (errno != EEXIST)
			break;
	}
	return write_failed(t->dir, t->name, why);
}

static int
write_all(const struct temp *t, const struct mk_content *content,
    struct mk_why *why)
{
	const uint8_t *data = content->data;
	size_t len = content->len;
	ssize_t n;

	for (; len > 0; data += n, len -= (size_t)n) {
		n = write(t->fd, data, len);
		if (n == -1 && errno != EINTR)
			return write_failed(t->dir, t->name, why);
		if (n == -1)
			n = 0;
	}
	return MK_OK;
}

/* Owner before mode: chown(2) takes mode bits away. */
static int
temp_finish(const struct temp *t, const struct mk_content *content,
    struct mk_why *why)
{
	const struct timespec times[2] = {
		{ .tv_sec = 0, .tv_nsec = UTIME_OMIT },
		{ .tv_sec = (time_t)content->mtime, .tv_nsec = 0 }
	};

	if ((geteuid() == 0 && fchown(t->fd, t->dir->owner, -1) != 0) ||
	    fchmod(t->fd, 0644) != 0 ||
	    (content->mtime >= 0 && futimens(t->fd, times) != 0) ||
	    (content->sync != MK_SYNC_NEVER && fsync(t->fd) != 0) ||
	    renameat(t->dir->fd, t->own, t->dir->fd, t->name) != 0)
		return write_failed(t->dir, t->name, why);
	return MK_OK;
}

int
mk_dir_replace(const struct mk_dir *dir, const char *name,
    const struct mk_content *content, struct mk_why *why)
{
	struct temp t = { .dir = dir, .name = name, .fd = -1 };
	int r;

	if (strchr(name, '/') != NULL)
		return mk_fail(why, MK_E_BUG, "write",
		    "'%s' is not a file name", name);
	r = check_place(dir, name, why);
	if (r == MK_OK)
		r = temp_create(&t, why);
	if (r != MK_OK)
		return r;
	r = write_all(&t, content, why);
	if (r == MK_OK)
		r = temp_finish(&t, content, why);
	if (r != MK_OK)
		unlinkat(dir->fd, t.own, 0);
	else if (content->sync == MK_SYNC && fsync(dir->fd) != 0)
		r = write_failed(dir, name, why);
	close(t.fd);
	return r;
}
