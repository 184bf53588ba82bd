/* SPDX-License-Identifier: ISC */
#include "edge/ssh_dir.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/err.h"
#include "edge/child.h"
#include "edge/home.h"
#include "edge/judge.h"
#include "edge/temp.h"
#include "edge/terminal.h"

#define MAKING		".mk-keygen"	/* where ssh-keygen writes */
#define KEYGEN_SECONDS	60u
#define KEYGEN_SAYS	4096u		/* bytes of its output */
#define PUB		".pub"
#define OTHERS_WRITE	(S_IWGRP | S_IWOTH)

/*
 * An OpenSSH private key up to the name of its cipher: lines of base64 of
 * "openssh-key-v1", a NUL and the string "none" if it has no passphrase.
 * What follows is not read.
 */
#define UNLOCKED	"-----BEGIN OPENSSH PRIVATE KEY-----\n" \
			"b3BlbnNzaC1rZXktdjEAAAAABG5vbmUA"

static int
no_memory(struct mk_why *why)
{
	return mk_fail(why, MK_E_SYSTEM, "ssh", "out of memory");
}

static int
failed(const char *what, const struct mk_ssh_dir *dir, const char *name,
    struct mk_why *why)
{
	int err = errno;

	return mk_fail(why,
	    err == EACCES || err == EPERM ? MK_E_PERM : MK_E_SYSTEM, "ssh",
	    "cannot %s '%s/%s': %s", what, dir->path, name, strerror(err));
}

/*
 * As ssh judges its configuration: root's is as good as the user's, where
 * we do not write.
 */
static int
judge(const struct stat *st, bool root_too, const char *path,
    struct mk_why *why)
{
	return mk_judge(st, geteuid(), geteuid(), path, why) != MK_OK ?
	    MK_E_PERM : st->st_uid == geteuid() || root_too ? MK_OK :
	    mk_fail(why, MK_E_PERM, "ssh",
	    "cannot write '%s': owned by root", path);
}

static int
open_directory(struct mk_ssh_dir *dir, bool make, struct mk_why *why)
{
	struct stat st;

	if (make && mkdir(dir->path, 0700) != 0 && errno != EEXIST)
		return mk_fail(why, MK_E_SYSTEM, "ssh",
		    "cannot make '%s': %s", dir->path, strerror(errno));
	dir->fd = open(dir->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir->fd == -1 && errno == ENOENT && make)
		return mk_fail(why, MK_E_PERM, "ssh",
		    "cannot use '%s': a symbolic link that leads nowhere",
		    dir->path);
	if (dir->fd == -1)
		return mk_open_fail(errno, dir->path, why);
	if (fstat(dir->fd, &st) != 0)
		return mk_fail(why, MK_E_SYSTEM, "ssh",
		    "cannot examine '%s': %s", dir->path, strerror(errno));
	return judge(&st, false, dir->path, why);
}

int
mk_ssh_dir_open(bool make, struct mk_ssh_dir *ret_dir, struct mk_why *why)
{
	struct mk_ssh_dir dir = { .fd = -1 };
	struct mk_ssh_dir home = { .fd = -1 };
	int r;

	r = mk_home_of_user(&home.path, why);
	if (r != MK_OK)
		return r;
	dir.path = mk_ssh_dir_name(&home, ".ssh");
	free(home.path);
	if (dir.path == NULL)
		return no_memory(why);
	r = open_directory(&dir, make, why);
	if (r == MK_OK)
		*ret_dir = dir;
	else
		mk_ssh_dir_close(&dir);
	return r;
}

void
mk_ssh_dir_close(struct mk_ssh_dir *dir)
{
	if (dir->fd >= 0)
		close(dir->fd);
	free(dir->path);
	dir->path = NULL;
	dir->fd = -1;
}

bool
mk_ssh_dir_has(const struct mk_ssh_dir *dir, const char *name)
{
	struct stat st;

	return fstatat(dir->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

char *
mk_ssh_dir_name(const struct mk_ssh_dir *dir, const char *name)
{
	size_t size = strlen(dir->path) + strlen(name) + 2;
	char *path = malloc(size);

	if (path != NULL)
		(void)snprintf(path, size, "%s/%s", dir->path, name);
	return path;
}

static int
check_name(const char *name, struct mk_why *why)
{
	return strchr(name, '/') == NULL ? MK_OK : mk_fail(why, MK_E_BUG,
	    "ssh", "'%s' is not a file name", name);
}

static int
judge_file(const struct stat *st, bool root_too, const char *path,
    struct mk_why *why)
{
	if (!S_ISREG(st->st_mode))
		return mk_fail(why, MK_E_PERM, "ssh",
		    "cannot use '%s': not a regular file", path);
	return judge(st, root_too, path, why);
}

int
mk_ssh_dir_read(const struct mk_ssh_dir *dir, const char *name, size_t max,
    struct mk_file *ret_file, struct mk_why *why)
{
	char path[PATH_MAX];
	struct stat st;
	int fd, r;

	r = check_name(name, why);
	if (r != MK_OK)
		return r;
	/* Only for messages. */
	(void)snprintf(path, sizeof(path), "%s/%s", dir->path, name);
	fd = openat(dir->fd, name, MK_OPEN_FILE & ~O_NOFOLLOW);
	if (fd == -1)
		return mk_open_fail(errno, path, why);
	r = fstat(fd, &st) != 0 ? failed("examine", dir, name, why) :
	    judge_file(&st, true, path, why);
	if (r == MK_OK)
		r = mk_read_judged(fd, path, max, ret_file, why);
	close(fd);
	return r;
}

/* Replaces a file that is there already, at the end of all links. */
static int
replace_real(char *path, const struct mk_content *content,
    struct mk_why *why)
{
	char *name = strrchr(path, '/');
	struct mk_target target = { .owner = MK_UID_NONE };
	struct stat place, st;
	int r;

	*name++ = '\0';
	target.path = path;
	target.name = name;
	target.dir = open(path[0] == '\0' ? "/" : path,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (target.dir == -1)
		return mk_temp_failed(&target, why);
	if (fstat(target.dir, &place) != 0 || fstatat(target.dir, name, &st,
	    AT_SYMLINK_NOFOLLOW) != 0) {
		r = mk_temp_failed(&target, why);
		goto out;
	}
	target.mode = st.st_mode & 0777;
	/* Where others may rename nothing that is written is kept. */
	r = judge(&place, true, path, why);
	if (r == MK_OK) {
		name[-1] = '/';
		r = judge_file(&st, false, path, why);
		name[-1] = '\0';
	}
	if (r == MK_OK)
		r = mk_temp_replace(&target, content, why);
out:
	close(target.dir);
	return r;
}

static int
replace(const struct mk_ssh_dir *dir, const char *name,
    const struct mk_content *content, struct mk_why *why)
{
	char *path, *real;
	int r;

	path = mk_ssh_dir_name(dir, name);
	if (path == NULL)
		return no_memory(why);
	real = realpath(path, NULL);
	if (real != NULL)
		r = replace_real(real, content, why);
	else if (errno == ENOENT)
		r = mk_fail(why, MK_E_PERM, "ssh",
		    "cannot write '%s': a symbolic link that leads nowhere",
		    path);
	else
		r = failed("write", dir, name, why);
	free(real);
	free(path);
	return r;
}

int
mk_ssh_dir_write(const struct mk_ssh_dir *dir, const char *name,
    const void *data, size_t len, struct mk_why *why)
{
	const struct mk_content content = { .data = data, .len = len,
	    .mtime = -1, .sync = MK_SYNC };
	const struct mk_target target = { .dir = dir->fd, .path = dir->path,
	    .name = name, .mode = 0600, .owner = MK_UID_NONE };
	int r;

	r = check_name(name, why);
	if (r != MK_OK)
		return r;
	return mk_ssh_dir_has(dir, name) ?
	    replace(dir, name, &content, why) :
	    mk_temp_replace(&target, &content, why);
}

/*
 * The directory has one name, so that a key that nobody ever used does not
 * stay after a crash: whoever makes the next one removes it.
 */
static int
clear_making(const struct mk_ssh_dir *dir, struct mk_why *why)
{
	static const char *const files[] = { MAKING "/key",
	    MAKING "/key" PUB };
	struct stat st;
	size_t i;

	/* What is behind a link is not ours to remove. */
	if (fstatat(dir->fd, MAKING, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? MK_OK :
		    failed("examine", dir, MAKING, why);
	if (!S_ISDIR(st.st_mode))
		return mk_fail(why, MK_E_PERM, "ssh",
		    "'%s/" MAKING "' is in the way: not a directory",
		    dir->path);
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (unlinkat(dir->fd, files[i], 0) != 0 && errno != ENOENT)
			return failed("remove", dir, files[i], why);
	}
	return unlinkat(dir->fd, MAKING, AT_REMOVEDIR) == 0 ? MK_OK :
	    failed("remove", dir, MAKING, why);
}

/*
 * Its standard input is the terminal if it is to ask: with another one it
 * would rather ask a graphical program, and take a failure of that for an
 * empty passphrase.
 */
static int
run_keygen(const char *path, const char *comment, bool passphrase,
    struct mk_why *why)
{
	const char *const asking[] = { "ssh-keygen", "-q", "-t", "ed25519",
	    "-f", path, "-C", comment, NULL };
	const char *const silent[] = { "ssh-keygen", "-q", "-t", "ed25519",
	    "-f", path, "-C", comment, "-N", "", NULL };
	const struct mk_child child = {
		.argv = passphrase ? asking : silent,
		.terminal = passphrase,
		.seconds = passphrase ? 0 : KEYGEN_SECONDS
	};
	struct mk_buf out;
	int r, status;

	mk_buf_init(&out, KEYGEN_SAYS);
	r = mk_child_run(&child, &out, &status, why);
	mk_buf_release(&out);
	if (r == MK_OK && status != 0)
		r = mk_fail(why, MK_E_SYSTEM, "ssh",
		    "ssh-keygen failed with exit status %d", status);
	return r;
}

/* Whoever asked for a passphrase and typed none has no guarded key. */
static int
check_locked(const struct mk_ssh_dir *dir, int fd, struct mk_why *why)
{
	char head[sizeof(UNLOCKED) - 1];
	ssize_t n = pread(fd, head, sizeof(head), 0);

	if (n == -1)
		return failed("read", dir, MAKING "/key", why);
	if ((size_t)n == sizeof(head) &&
	    memcmp(head, UNLOCKED, sizeof(head)) != 0)
		return MK_OK;
	return mk_fail(why, MK_E_USAGE, "ssh",
	    "the new key was given up: its passphrase is empty");
}

/* ssh-keygen does not sync what it writes, and the key may be in a profile
   before the disk has it. */
static int
check_made(const struct mk_ssh_dir *dir, const char *name, bool locked,
    struct mk_why *why)
{
	struct stat st;
	int fd, r = MK_OK;

	fd = openat(dir->fd, name, MK_OPEN_FILE);
	if (fd == -1)
		return failed("find", dir, name, why);
	if (fstat(fd, &st) != 0 || fsync(fd) != 0)
		r = failed("sync", dir, name, why);
	else if (!S_ISREG(st.st_mode) || st.st_uid != geteuid())
		r = mk_fail(why, MK_E_SYSTEM, "ssh",
		    "'%s/%s' is not what ssh-keygen makes", dir->path, name);
	if (r == MK_OK && locked)
		r = check_locked(dir, fd, why);
	close(fd);
	return r;
}

static int
move(const struct mk_ssh_dir *dir, const char *from, const char *to,
    struct mk_why *why)
{
	if (renameat(dir->fd, from, dir->fd, to) != 0 || fsync(dir->fd) != 0)
		return failed("write", dir, to, why);
	return MK_OK;
}

static int
drop(const struct mk_ssh_dir *dir, const char *name, struct mk_why *why)
{
	if (unlinkat(dir->fd, name, 0) != 0)
		return errno == ENOENT ? MK_OK :
		    failed("remove", dir, name, why);
	return fsync(dir->fd) == 0 ? MK_OK :
	    failed("remove", dir, name, why);
}

/*
 * The private key last: it is what says that there is a pair.  The old one
 * goes first, or it would stand beside the public half of the new one.
 */
static int
place_new(const struct mk_ssh_dir *dir, bool locked, struct mk_why *why)
{
	int r;

	r = check_made(dir, MAKING "/key", locked, why);
	if (r == MK_OK)
		r = check_made(dir, MAKING "/key" PUB, false, why);
	if (r == MK_OK)
		r = drop(dir, MK_SSH_KEY_NEW, why);
	if (r == MK_OK)
		r = move(dir, MAKING "/key" PUB, MK_SSH_KEY_NEW PUB, why);
	if (r == MK_OK)
		r = move(dir, MAKING "/key", MK_SSH_KEY_NEW, why);
	return r;
}

int
mk_ssh_dir_keygen(const struct mk_ssh_dir *dir, const char *comment,
    bool passphrase, struct mk_why *why)
{
	char *path;
	int r;

	if (passphrase && !mk_terminal_there())
		return mk_fail(why, MK_E_USAGE, "ssh",
		    "cannot ask for a passphrase: there is no terminal");
	r = clear_making(dir, why);
	if (r != MK_OK)
		return r;
	if (mkdirat(dir->fd, MAKING, 0700) != 0)
		return failed("make", dir, MAKING, why);
	path = mk_ssh_dir_name(dir, MAKING "/key");
	r = path == NULL ? no_memory(why) :
	    run_keygen(path, comment, passphrase, why);
	free(path);
	if (r == MK_OK)
		r = place_new(dir, passphrase, why);
	/* The next one clears it, should it stay. */
	(void)clear_making(dir, NULL);
	return r;
}

static int
drop_old(const struct mk_ssh_dir *dir, struct mk_why *why)
{
	int r = drop(dir, MK_SSH_KEY_OLD PUB, why);

	return r != MK_OK ? r : drop(dir, MK_SSH_KEY_OLD, why);
}

/*
 * Hosts that have not followed yet take the old key alone.  A second name,
 * so that the first one is never gone; where there is none to be had, the
 * new key has to do.
 */
static int
keep_old(const struct mk_ssh_dir *dir, struct mk_why *why)
{
	int r = drop_old(dir, why);

	if (r != MK_OK || !mk_ssh_dir_has(dir, MK_SSH_KEY) ||
	    linkat(dir->fd, MK_SSH_KEY, dir->fd, MK_SSH_KEY_OLD, 0) != 0)
		return r;
	/* From now on its days are counted. */
	if (utimensat(dir->fd, MK_SSH_KEY_OLD, NULL,
	    AT_SYMLINK_NOFOLLOW) != 0)
		return failed("write", dir, MK_SSH_KEY_OLD, why);
	return mk_ssh_dir_has(dir, MK_SSH_KEY PUB) ?
	    move(dir, MK_SSH_KEY PUB, MK_SSH_KEY_OLD PUB, why) : MK_OK;
}

/*
 * ssh(1) offers what stands in the .pub file and signs with the private
 * key, which must fit; without a .pub file it takes the public half out of
 * the private one.  So the old .pub goes first, and then there is at each
 * moment a private key, the old or the new one, and beside it its own
 * public half or none.
 */
static int
adopt_private(const struct mk_ssh_dir *dir, struct mk_why *why)
{
	int r;

	r = keep_old(dir, why);
	if (r == MK_OK)
		r = drop(dir, MK_SSH_KEY PUB, why);
	return r != MK_OK ? r : move(dir, MK_SSH_KEY_NEW, MK_SSH_KEY, why);
}

int
mk_ssh_dir_adopt(const struct mk_ssh_dir *dir, struct mk_why *why)
{
	int r = MK_OK;

	if (mk_ssh_dir_has(dir, MK_SSH_KEY_NEW))
		r = adopt_private(dir, why);
	else if (!mk_ssh_dir_has(dir, MK_SSH_KEY))
		r = mk_fail(why, MK_E_ABSENT, "ssh",
		    "there is no key '%s/" MK_SSH_KEY_NEW "'", dir->path);
	/* Left of a new pair that was never whole: not this key's half. */
	else if (mk_ssh_dir_has(dir, MK_SSH_KEY PUB))
		r = drop(dir, MK_SSH_KEY_NEW PUB, why);
	if (r != MK_OK || !mk_ssh_dir_has(dir, MK_SSH_KEY_NEW PUB))
		return r;
	return move(dir, MK_SSH_KEY_NEW PUB, MK_SSH_KEY PUB, why);
}

int
mk_ssh_dir_expire(const struct mk_ssh_dir *dir, int64_t time,
    struct mk_why *why)
{
	struct stat st;

	if (fstatat(dir->fd, MK_SSH_KEY_OLD, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? MK_OK :
		    failed("examine", dir, MK_SSH_KEY_OLD, why);
	return st.st_mtim.tv_sec < time ? drop_old(dir, why) : MK_OK;
}
