/* SPDX-License-Identifier: ISC */
#include "edge/temp.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/err.h"
#include "edge/judge.h"

#define NAME_TRIES	64
#define HEAD		".mk-"
#define DIGITS		"0123456789"

struct temp {
	const struct mk_target *target;
	char own[64];
	int fd;
};

int
mk_temp_failed(const struct mk_target *target, struct mk_why *why)
{
	int err = errno;

	return mk_fail(why,
	    err == EACCES || err == EPERM ? MK_E_PERM : MK_E_SYSTEM, "write",
	    "cannot write '%s/%s': %s", target->path, target->name,
	    strerror(err));
}

static int
temp_create(struct temp *t, struct mk_why *why)
{
	static unsigned counter;
	unsigned n;

	for (n = 0; n < NAME_TRIES; n++) {
		snprintf(t->own, sizeof(t->own), HEAD "%ld-%u.tmp",
		    (long)getpid(), counter++);
		t->fd = openat(t->target->dir, t->own, O_WRONLY | O_CREAT |
		    O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (t->fd >= 0)
			return MK_OK;
		if (errno != EEXIST)
			break;
	}
	return mk_temp_failed(t->target, why);
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
			return mk_temp_failed(t->target, why);
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
	const struct mk_target *p = t->target;
	const struct timespec times[2] = {
		{ .tv_sec = 0, .tv_nsec = UTIME_OMIT },
		{ .tv_sec = (time_t)content->mtime, .tv_nsec = 0 }
	};

	if ((p->owner != MK_UID_NONE && fchown(t->fd, p->owner, -1) != 0) ||
	    fchmod(t->fd, p->mode) != 0 ||
	    (content->mtime >= 0 && futimens(t->fd, times) != 0) ||
	    (content->sync != MK_SYNC_NEVER && fsync(t->fd) != 0) ||
	    renameat(p->dir, t->own, p->dir, p->name) != 0)
		return mk_temp_failed(p, why);
	return MK_OK;
}

int
mk_temp_replace(const struct mk_target *target,
    const struct mk_content *content, struct mk_why *why)
{
	struct temp t = { .target = target, .fd = -1 };
	int r;

	if (strchr(target->name, '/') != NULL)
		return mk_fail(why, MK_E_BUG, "write",
		    "'%s' is not a file name", target->name);
	r = temp_create(&t, why);
	if (r != MK_OK)
		return r;
	r = write_all(&t, content, why);
	if (r == MK_OK)
		r = temp_finish(&t, content, why);
	if (r != MK_OK)
		unlinkat(target->dir, t.own, 0);
	else if (content->sync == MK_SYNC && fsync(target->dir) != 0)
		r = mk_temp_failed(target, why);
	close(t.fd);
	return r;
}

/* ".mk-PID-N.tmp", as above. */
static bool
is_leftover(const char *name)
{
	size_t n;

	if (strncmp(name, HEAD, strlen(HEAD)) != 0)
		return false;
	name += strlen(HEAD);
	n = strspn(name, DIGITS);
	if (n == 0 || name[n] != '-')
		return false;
	name += n + 1;
	n = strspn(name, DIGITS);
	return n > 0 && strcmp(name + n, ".tmp") == 0;
}

/* Where this fails nothing is lost but room, and writing will tell. */
void
mk_temp_sweep(int dir)
{
	const struct dirent *e;
	struct stat st;
	DIR *d;
	int fd;

	fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	d = fd == -1 ? NULL : fdopendir(fd);
	if (d == NULL) {
		if (fd != -1)
			close(fd);
		return;
	}
	while ((e = readdir(d)) != NULL) {
		if (is_leftover(e->d_name) &&
		    fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode) && st.st_uid == geteuid())
			(void)unlinkat(fd, e->d_name, 0);
	}
	closedir(d);
}
