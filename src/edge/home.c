/* SPDX-License-Identifier: ISC */
#include "edge/clock.h"
#include "edge/home.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <sodium.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/err.h"
#include "edge/judge.h"
#include "edge/temp.h"

#define LOCK		".lock"
#define LOCK_MS		10000
#define NAP_MS		20
#define RACES_MAX	4	/* lock files replaced while we look */
#define PASSWD_MAX	65536u	/* bytes of a line of passwd */

#define OTHERS		(S_IRWXG | S_IRWXO)

static int
no_memory(struct mk_why *why)
{
	return mk_fail(why, MK_E_SYSTEM, "home", "out of memory");
}

/*
 * What a root shell took over from a user's environment does not lead root
 * into that user's files.
 */
static bool
is_own_directory(const char *path)
{
	struct stat st;

	return path != NULL && path[0] == '/' && stat(path, &st) == 0 &&
	    S_ISDIR(st.st_mode) && st.st_uid == geteuid();
}

static int
home_of_passwd(char **ret_path, struct mk_why *why)
{
	struct passwd pw, *found = NULL;
	char *room, *path = NULL;
	int err;

	room = malloc(PASSWD_MAX);
	if (room == NULL)
		return no_memory(why);
	err = getpwuid_r(getuid(), &pw, room, PASSWD_MAX, &found);
	if (found != NULL && pw.pw_dir[0] == '/')
		path = strdup(pw.pw_dir);
	free(room);
	if (path != NULL) {
		*ret_path = path;
		return MK_OK;
	}
	if (err != 0)
		return mk_fail(why, MK_E_SYSTEM, "home",
		    "cannot look up uid %lu: %s", (unsigned long)getuid(),
		    strerror(err));
	return found != NULL && pw.pw_dir[0] == '/' ? no_memory(why) :
	    mk_fail(why, MK_E_CONFIG, "home",
	    "uid %lu has no home directory; run: export HOME=DIRECTORY",
	    (unsigned long)getuid());
}

int
mk_home_of_user(char **ret_path, struct mk_why *why)
{
	const char *home = getenv("HOME");
	char *path;

	if (!is_own_directory(home))
		return home_of_passwd(ret_path, why);
	path = strdup(home);
	if (path == NULL)
		return no_memory(why);
	*ret_path = path;
	return MK_OK;
}

static char *
join(const char *path, const char *name)
{
	size_t size = strlen(path) + strlen(name) + 2;
	char *joined = malloc(size);

	if (joined != NULL)
		(void)snprintf(joined, size, "%s/%s", path, name);
	return joined;
}

int
mk_home_path(char **ret_path, struct mk_why *why)
{
	const char *data = getenv("XDG_DATA_HOME");
	char *home = NULL, *path;
	int r = MK_OK;

	if (data != NULL && data[0] == '/') {
		path = join(data, "meshkeys");
	} else {
		r = mk_home_of_user(&home, why);
		path = r != MK_OK ? NULL :
		    join(home, ".local/share/meshkeys");
	}
	free(home);
	if (r != MK_OK)
		return r;
	if (path == NULL)
		return no_memory(why);
	*ret_path = path;
	return MK_OK;
}

static int
home_failed(const char *what, const char *path, struct mk_why *why)
{
	int err = errno;

	return mk_fail(why,
	    err == EACCES || err == EPERM ? MK_E_PERM : MK_E_SYSTEM, "home",
	    "cannot %s '%s': %s", what, path, strerror(err));
}

/* A directory that a crash takes away again takes its keys with it. */
static void
sync_parent(char *path)
{
	char *end = strrchr(path, '/');
	int fd;

	*end = '\0';
	fd = open(end == path ? "/" : path,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*end = '/';
	if (fd == -1)
		return;
	(void)fsync(fd);
	close(fd);
}

/* mkdir -p; 'path' is put together again. */
static int
make_all(char *path, struct mk_why *why)
{
	char *p = path, c;
	int r = MK_OK;

	do {
		p += strspn(p, "/");
		p += strcspn(p, "/");
		c = *p;
		*p = '\0';
		if (mkdir(path, 0700) == 0)
			sync_parent(path);
		else if (errno != EEXIST && access(path, F_OK) != 0)
			r = home_failed("make", path, why);
		*p = c;
	} while (r == MK_OK && c != '\0');
	return r;
}

/* Open kernels say ENOTDIR for a symbolic link too. */
static int
open_failed(const char *path, struct mk_why *why)
{
	int err = errno;
	struct stat st;

	if ((err == ENOTDIR || err == ELOOP) && lstat(path, &st) == 0)
		return mk_fail(why, MK_E_PERM, "home",
		    "cannot use '%s': it is %s", path,
		    S_ISLNK(st.st_mode) ? "a symbolic link" :
		    "not a directory");
	return mk_open_fail(err, path, why);
}

/* Nobody but its owner has any business with what lies here. */
static int
judge_own(const struct stat *st, const char *path, struct mk_why *why)
{
	const char *q = mk_path_quote(path);

	if (st->st_uid != geteuid())
		return mk_fail(why, MK_E_PERM, "home",
		    "cannot use '%s': owned by uid %lu, not by uid %lu",
		    path, (unsigned long)st->st_uid,
		    (unsigned long)geteuid());
	if ((st->st_mode & OTHERS) == 0)
		return MK_OK;
	return mk_fail(why, MK_E_PERM, "home",
	    "cannot use '%s': group or others may use it too; "
	    "run: chmod %s %s%s%s", path,
	    S_ISDIR(st->st_mode) ? "go=" : "600", q, path, q);
}

static int
open_directory(const char *path, int *ret_fd, struct mk_why *why)
{
	struct stat st;
	int fd, r;

	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return open_failed(path, why);
	r = fstat(fd, &st) != 0 ? home_failed("examine", path, why) :
	    judge_own(&st, path, why);
	if (r != MK_OK)
		close(fd);
	else
		*ret_fd = fd;
	return r;
}

int
mk_home_open(const char *path, bool make, struct mk_home *ret_home,
    struct mk_why *why)
{
	struct mk_home home = { .fd = -1, .lock = -1 };
	size_t len = strlen(path);
	int r;

	if (path[0] != '/')
		return mk_fail(why, MK_E_CONFIG, "home",
		    "cannot use '%s': not an absolute path", path);
	/* With a slash behind it a symbolic link would be followed. */
	while (len > 1 && path[len - 1] == '/')
		len--;
	home.path = strndup(path, len);
	if (home.path == NULL)
		return no_memory(why);
	r = make ? make_all(home.path, why) : MK_OK;
	if (r == MK_OK)
		r = open_directory(home.path, &home.fd, why);
	if (r == MK_OK)
		*ret_home = home;
	else
		mk_home_close(&home);
	return r;
}

void
mk_home_close(struct mk_home *home)
{
	if (home->lock >= 0)
		close(home->lock);
	if (home->fd >= 0)
		close(home->fd);
	free(home->path);
	home->path = NULL;
	home->fd = home->lock = -1;
}

/*
 * Opens a file that is to be ours alone.  One of two names could be read
 * and written where nobody looks.
 */
static int
open_own(const struct mk_home *home, const char *name, int flags,
    int *ret_fd, struct mk_why *why)
{
	char path[PATH_MAX];
	struct stat st;
	int fd, r;

	/* Only for messages. */
	(void)snprintf(path, sizeof(path), "%s/%s", home->path, name);
	if (strchr(name, '/') != NULL)
		return mk_fail(why, MK_E_BUG, "home",
		    "'%s' is not a file name", name);
	fd = openat(home->fd, name, O_NOFOLLOW | O_NONBLOCK | O_NOCTTY |
	    O_CLOEXEC | flags, 0600);
	if (fd == -1)
		return mk_open_fail(errno, path, why);
	if (fstat(fd, &st) != 0)
		r = home_failed("examine", path, why);
	else if (!S_ISREG(st.st_mode))
		r = mk_fail(why, MK_E_PERM, "home",
		    "cannot use '%s': not a regular file", path);
	else if (st.st_nlink > 1)
		r = mk_fail(why, MK_E_PERM, "home",
		    "cannot use '%s': it has %lu names", path,
		    (unsigned long)st.st_nlink);
	else
		r = judge_own(&st, path, why);
	if (r != MK_OK)
		close(fd);
	else
		*ret_fd = fd;
	return r;
}

static int
file_failed(const char *what, const struct mk_home *home, const char *name,
    struct mk_why *why)
{
	int err = errno;

	return mk_fail(why,
	    err == EACCES || err == EPERM ? MK_E_PERM : MK_E_SYSTEM, "home",
	    "cannot %s '%s/%s': %s", what, home->path, name, strerror(err));
}

/* In naps, since flock(2) itself waits for ever and not for a while. */
static int
wait_lock(const struct mk_home *home, int fd, struct mk_why *why)
{
	const struct timespec nap = { 0, NAP_MS * 1000000 };
	const int64_t end = mk_clock_ms() + LOCK_MS;

	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return home_failed("lock", home->path, why);
		if (mk_clock_ms() >= end)
			return mk_fail(why, MK_E_STALE, "home",
			    "cannot lock '%s/" LOCK "': another process "
			    "holds it, and may be waiting for its user",
			    home->path);
		(void)nanosleep(&nap, NULL);
	}
	return MK_OK;
}

/* Whether the name still leads to it: else somebody may lock another one. */
static bool
is_named(const struct mk_home *home, int fd)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 &&
	    fstatat(home->fd, LOCK, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
	    a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

int
mk_home_lock(struct mk_home *home, struct mk_why *why)
{
	int fd = -1, n, r;

	if (home->lock >= 0)
		return MK_OK;
	for (n = 0; n < RACES_MAX; n++) {
		r = open_own(home, LOCK, O_RDWR | O_CREAT, &fd, why);
		if (r != MK_OK)
			return r;
		r = wait_lock(home, fd, why);
		if (r == MK_OK && is_named(home, fd)) {
			home->lock = fd;
			mk_temp_sweep(home->fd);
			return MK_OK;
		}
		close(fd);
		if (r != MK_OK)
			return r;
	}
	return mk_fail(why, MK_E_STALE, "home",
	    "cannot lock '%s/" LOCK "': it is replaced again and again",
	    home->path);
}

int
mk_home_read(const struct mk_home *home, const char *name, size_t max,
    struct mk_file *ret_file, struct mk_why *why)
{
	char path[PATH_MAX];
	int fd, r;

	r = open_own(home, name, O_RDONLY, &fd, why);
	if (r != MK_OK)
		return r;
	(void)snprintf(path, sizeof(path), "%s/%s", home->path, name);
	r = mk_read_judged(fd, path, max, ret_file, why);
	close(fd);
	return r;
}

/* Fills 'room' as far as the file goes; -1 and errno. */
static ssize_t
fill(int fd, uint8_t *data, size_t room)
{
	size_t len = 0;
	ssize_t n;

	do {
		n = read(fd, data + len, room - len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		len += (size_t)n;
	} while (n != 0 && len < room);
	return (ssize_t)len;
}

int
mk_home_read_secret(const struct mk_home *home, const char *name,
    size_t max, struct mk_guarded *ret_secret, struct mk_why *why)
{
	uint8_t *data;
	ssize_t n;
	int fd, r;

	r = open_own(home, name, O_RDONLY, &fd, why);
	if (r != MK_OK)
		return r;
	/* One byte to tell that it is larger; a NUL takes its place. */
	data = sodium_malloc(max + 1);
	if (data == NULL) {
		close(fd);
		return no_memory(why);
	}
	n = fill(fd, data, max + 1);
	if (n == -1)
		r = file_failed("read", home, name, why);
	else if ((size_t)n > max)
		r = mk_fail(why, MK_E_TOOBIG, "home",
		    "cannot use '%s/%s': larger than %zu bytes", home->path,
		    name, max);
	close(fd);
	if (r != MK_OK) {
		sodium_free(data);
		return r;
	}
	data[n] = '\0';
	ret_secret->data = data;
	ret_secret->len = (size_t)n;
	return MK_OK;
}

int
mk_home_write(const struct mk_home *home, const char *name,
    const void *data, size_t len, struct mk_why *why)
{
	const struct mk_target target = {
		.dir = home->fd,
		.path = home->path,
		.name = name,
		.mode = 0600,
		.owner = MK_UID_NONE
	};
	const struct mk_content content = {
		.data = data,
		.len = len,
		.mtime = -1,
		.sync = MK_SYNC
	};

	return mk_temp_replace(&target, &content, why);
}

int
mk_home_remove(const struct mk_home *home, const char *name,
    struct mk_why *why)
{
	if (strchr(name, '/') != NULL)
		return mk_fail(why, MK_E_BUG, "home",
		    "'%s' is not a file name", name);
	if (unlinkat(home->fd, name, 0) != 0)
		return errno == ENOENT ? MK_OK :
		    file_failed("remove", home, name, why);
	return fsync(home->fd) == 0 ? MK_OK :
	    file_failed("remove", home, name, why);
}
