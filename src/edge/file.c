/* SPDX-License-Identifier: ISC */
/*
 * Reading files, whole or in pieces.  The size that a file claims is only a
 * hint for the first allocation; what counts is what is read.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "edge/judge.h"

#define PIECE	65536u		/* bytes read at once for a taker */

/* An open file, what messages call it, and how it is read. */
struct source {
	int fd;
	const char *path;
	size_t max;
	const struct mk_taker *taker;	/* NULL: it is read whole */
};

static int
too_big(const struct source *s, struct mk_why *why)
{
	return mk_fail(why, MK_E_TOOBIG, "read",
	    "cannot use '%s': larger than %zu bytes", s->path, s->max);
}

static int
system_failed(const struct source *s, struct mk_why *why)
{
	return mk_fail(why, MK_E_SYSTEM, "read", "cannot read '%s': %s",
	    s->path, strerror(errno));
}

/* Room for one byte more than 'max' tells a file that grew over it. */
static bool
grow(const struct source *s, struct mk_file *file, size_t *size)
{
	size_t more = *size > s->max / 2 ? s->max + 2 : *size * 2;
	uint8_t *data = realloc(file->data, more);

	if (data == NULL)
		return false;
	file->data = data;
	*size = more;
	return true;
}

/* Reads into the room behind file->len, all but a byte for a NUL. */
static ssize_t
read_some(const struct source *s, struct mk_file *file, size_t size, off_t at)
{
	ssize_t n;

	do {
		n = pread(s->fd, file->data + file->len,
		    size - file->len - 1, at);
	} while (n == -1 && errno == EINTR);
	if (n > 0)
		file->len += (size_t)n;
	return n;
}

/* From the beginning to the end; 'size' bytes are allocated. */
static int
read_all(const struct source *s, struct mk_file *file, size_t *size,
    struct mk_why *why)
{
	ssize_t n;

	file->len = 0;
	do {
		if (file->len + 1 == *size && !grow(s, file, size))
			return system_failed(s, why);
		n = read_some(s, file, *size, (off_t)file->len);
		if (n == -1)
			return system_failed(s, why);
		if (file->len > s->max)
			return too_big(s, why);
	} while (n > 0);
	file->data[file->len] = '\0';
	return MK_OK;
}

/* The whole lines that are there, and at the end of the file what is left. */
static int
hand_over(const struct source *s, struct mk_file *file, bool end,
    struct mk_why *why)
{
	const uint8_t *lf = memrchr(file->data, '\n', file->len);
	size_t len = lf == NULL ? 0 : (size_t)(lf + 1 - file->data);
	int r;

	if (end)
		len = file->len;
	if (len == 0)
		return MK_OK;
	r = s->taker->take(s->taker->ctx, (char *)file->data, len, why);
	file->len -= len;
	memmove(file->data, file->data + len, file->len);
	return r;
}

/* The same in pieces; the room grows only for a line that is longer. */
static int
read_pieces(const struct source *s, struct mk_file *file, size_t *size,
    struct mk_why *why)
{
	off_t at = 0;
	ssize_t n;
	int r;

	s->taker->begin(s->taker->ctx);
	file->len = 0;
	do {
		if (file->len + 1 == *size && !grow(s, file, size))
			return system_failed(s, why);
		n = read_some(s, file, *size, at);
		if (n == -1)
			return system_failed(s, why);
		at += n;
		if ((uint64_t)at > s->max)
			return too_big(s, why);
		r = hand_over(s, file, n == 0, why);
	} while (r == MK_OK && n > 0);
	return r;
}

static bool
changed(const struct stat *a, const struct stat *b)
{
	return a->st_size != b->st_size ||
	    a->st_mtim.tv_sec != b->st_mtim.tv_sec ||
	    a->st_mtim.tv_nsec != b->st_mtim.tv_nsec;
}

/*
 * Reads a judged file.  One that is edited in place meanwhile is read once
 * more, and refused rather than taken in halves.
 */
static int
read_judged(const struct source *s, const struct stat *st,
    struct mk_file *ret_file, struct mk_why *why)
{
	struct mk_file file = { NULL, 0, 0 };
	struct stat before, after = *st;
	size_t size;
	int tries, r;

	if (st->st_size > 0 && (uint64_t)st->st_size > s->max)
		return too_big(s, why);
	size = (size_t)st->st_size + 2;
	if (s->taker != NULL && size > PIECE)
		size = PIECE;
	file.data = malloc(size);
	if (file.data == NULL)
		return system_failed(s, why);
	tries = 0;
	do {
		before = after;
		if (s->taker != NULL)
			r = read_pieces(s, &file, &size, why);
		else
			r = read_all(s, &file, &size, why);
		/* What was refused may have been half of something. */
		if (fstat(s->fd, &after) != 0) {
			r = system_failed(s, why);
			goto out;
		}
	} while (changed(&before, &after) && ++tries < 2);
	if (changed(&before, &after))
		r = mk_fail(why, MK_E_SYSTEM, "read",
		    "cannot read '%s': it is being changed", s->path);
	if (r != MK_OK)
		goto out;
	file.mtime = after.st_mtim.tv_sec;
	file.closed = (after.st_mode & 0444) != 0444;
	*ret_file = file;
	file.data = NULL;
out:
	free(file.data);
	return r;
}

int
mk_read_judged(int fd, const char *path, size_t max,
    struct mk_file *ret_file, struct mk_why *why)
{
	const struct source s = { .fd = fd, .path = path, .max = max };
	struct stat st;

	return fstat(fd, &st) != 0 ? system_failed(&s, why) :
	    read_judged(&s, &st, ret_file, why);
}

/* Judges what was opened, and reads it; closes it in any case. */
static int
read_opened(const struct source *s, uid_t self, uid_t owner,
    struct mk_file *ret_file, struct mk_why *why)
{
	struct stat st;
	int r;

	if (fstat(s->fd, &st) != 0)
		r = system_failed(s, why);
	else if (!S_ISREG(st.st_mode))
		r = mk_fail(why, MK_E_PERM, "open",
		    "cannot use '%s': not a regular file", s->path);
	else
		r = mk_judge(&st, self, owner, s->path, why);
	if (r == MK_OK)
		r = read_judged(s, &st, ret_file, why);
	close(s->fd);
	return r;
}

/* Permission denied has two usual causes, with a command for each. */
static int
open_denied(const struct mk_dir *dir, const char *name, const char *path,
    struct mk_why *why)
{
	const char *q = mk_path_quote(path);
	struct stat st;

	if (fstatat(dir->fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return mk_open_fail(EACCES, path, why);
	return mk_fail(why, MK_E_PERM, "open",
	    "cannot use '%s': permission denied; run: %s %s%s%s", path,
	    (st.st_mode & S_IROTH) == 0 ? "chmod a+r" : "restorecon -v",
	    q, path, q);
}

static int
read_in(const struct mk_dir *dir, const char *name, struct source *s,
    struct mk_file *ret_file, struct mk_why *why)
{
	char path[PATH_MAX];

	/* Only for messages: what is too long for it is opened all the same. */
	snprintf(path, sizeof(path), "%s%s/%s", dir->root->name,
	    strcmp(dir->path, "/") == 0 ? "" : dir->path, name);
	s->path = path;
	if (strchr(name, '/') != NULL)
		return mk_fail(why, MK_E_BUG, "open",
		    "'%s' is not a file name", name);
	s->fd = openat(dir->fd, name, MK_OPEN_FILE);
	if (s->fd == -1 && errno == EACCES)
		return open_denied(dir, name, path, why);
	if (s->fd == -1)
		return mk_open_fail(errno, path, why);
	return read_opened(s, dir->root->self, dir->owner, ret_file, why);
}

int
mk_dir_read(const struct mk_dir *dir, const char *name, size_t max,
    struct mk_file *ret_file, struct mk_why *why)
{
	struct source s = { .max = max };

	return read_in(dir, name, &s, ret_file, why);
}

int
mk_dir_scan(const struct mk_dir *dir, const char *name, size_t max,
    const struct mk_taker *taker, struct mk_why *why)
{
	struct source s = { .max = max, .taker = taker };
	struct mk_file room;
	int r;

	r = read_in(dir, name, &s, &room, why);
	if (r == MK_OK)
		mk_file_release(&room);
	return r;
}

int
mk_path_read(const struct mk_root *root, const char *path, size_t max,
    struct mk_file *ret_file, struct mk_why *why)
{
	const char *name = strrchr(path, '/') + 1;
	struct mk_dir dir;
	char *parent;
	int r;

	parent = strndup(path, name - 1 == path ? 1 : name - 1 - path);
	if (parent == NULL)
		return mk_fail(why, MK_E_SYSTEM, "open", "out of memory");
	r = mk_dir_open(root, parent, MK_OWNED_BY_ROOT, &dir, why);
	if (r == MK_OK) {
		r = mk_dir_read(&dir, name, max, ret_file, why);
		mk_dir_close(&dir);
	}
	free(parent);
	return r;
}

int
mk_file_read(const char *path, size_t max, struct mk_file *ret_file,
    struct mk_why *why)
{
	struct source s = { .fd = open(path, MK_OPEN_FILE), .path = path,
	    .max = max };

	if (s.fd == -1)
		return mk_open_fail(errno, path, why);
	/* Who calls may as well give us a file of her own. */
	return read_opened(&s, MK_UID_NONE, geteuid(), ret_file, why);
}

void
mk_file_release(struct mk_file *file)
{
	free(file->data);
	file->data = NULL;
	file->len = 0;
}
