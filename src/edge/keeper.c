/* SPDX-License-Identifier: ISC */
/*
 * One keeper at a time, in directories of its own.
 */
#include "edge/clock.h"
#include "edge/keeper.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "edge/judge.h"
#include "edge/temp.h"

#define LOCK	".lock"

#define RACES_MAX	4	/* lock files replaced while we look */
#define NAP_MS		20

/* The helper of sshd is another user. */
static int
check_open(const struct mk_dir *dir, struct mk_why *why)
{
	const char *q = mk_path_quote(dir->root->name);
	struct stat st;

	if (fstat(dir->fd, &st) == 0 && (st.st_mode & 0555) == 0555)
		return MK_OK;
	return mk_fail(why, MK_E_PERM, "store", "cannot use '%s%s': others "
	    "cannot read it; run: chmod a+rx %s%s%s%s", dir->root->name,
	    dir->path, q, dir->root->name, dir->path, q);
}

static int
check_own(const struct mk_dir *dir, struct mk_why *why)
{
	const struct mk_root *root = dir->root;
	const char *q = mk_path_quote(root->name);
	unsigned long self = geteuid();
	const struct passwd *pw;

	/* Elsewhere the memory would not be the one that logins read. */
	if (dir->owner == self)
		return check_open(dir, why);
	if (root->fd >= 0)
		return mk_fail(why, MK_E_PERM, "store",
		    "cannot use '%s%s': owned by uid %lu, not by uid %lu; "
		    "run: chown %lu %s%s%s%s", root->name, dir->path,
		    (unsigned long)dir->owner, self, self, q, root->name,
		    dir->path, q);
	pw = getpwnam(MK_KEEPER_USER);
	if (pw != NULL && pw->pw_uid == dir->owner)
		return mk_fail(why, MK_E_PERM, "store", "cannot use '%s': "
		    "it belongs to meshkeys; run this as root", dir->path);
	return mk_fail(why, MK_E_PERM, "store",
	    "cannot use '%s': owned by uid %lu, not by uid %lu; "
	    "run: chown meshkeys %s", dir->path, (unsigned long)dir->owner,
	    self, dir->path);
}

/* One of the stores, as mk_store_open() left it. */
static int
check_store(const struct mk_dir *dir, int failed,
    const struct mk_why *reason, struct mk_why *why)
{
	if (failed == MK_E_ABSENT)
		return mk_store_absent(dir->root, dir->path, why);
	if (failed != 0)
		return mk_fail(why, failed, reason->stage, "%s",
		    reason->detail);
	return check_own(dir, why);
}

static int
lock_failed(const struct mk_dir *dir, struct mk_why *why)
{
	return mk_fail(why, MK_E_SYSTEM, MK_KEEPER_STAGE,
	    "cannot lock '%s/%s': %s", dir->path, LOCK, strerror(errno));
}

/*
 * Nobody else may even read the file: who can open it can lock it, and so
 * keep every profile of the host from news.
 */
static int
judge_lock(const struct mk_dir *dir, int fd, struct mk_why *why)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return lock_failed(dir, why);
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid())
		return mk_fail(why, MK_E_PERM, MK_KEEPER_STAGE,
		    "cannot lock '%s/%s': not a file of ours", dir->path,
		    LOCK);
	if ((st.st_mode & 07777) != 0600 && fchmod(fd, 0600) != 0)
		return lock_failed(dir, why);
	return MK_OK;
}

static int
open_lock(const struct mk_dir *dir, int *ret_fd, struct mk_why *why)
{
	int fd, r;

	fd = openat(dir->fd, LOCK, O_RDWR | O_CREAT | O_NOFOLLOW |
	    O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
	if (fd == -1 && (errno == ELOOP || errno == ENXIO))
		return mk_fail(why, MK_E_PERM, MK_KEEPER_STAGE,
		    "cannot lock '%s/%s': not a file of ours", dir->path,
		    LOCK);
	if (fd == -1)
		return lock_failed(dir, why);
	r = judge_lock(dir, fd, why);
	if (r == MK_OK)
		*ret_fd = fd;
	else
		close(fd);
	return r;
}

/* Whether the file that is open is the one that the name leads to. */
static bool
is_named(const struct mk_keeper *keeper)
{
	struct stat a, b;

	return fstat(keeper->lock, &a) == 0 &&
	    fstatat(keeper->store.memory.fd, LOCK, &b,
	    AT_SYMLINK_NOFOLLOW) == 0 &&
	    a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* The file that has the name now, under the same number; not locked. */
static int
reopen_lock(const struct mk_keeper *keeper, struct mk_why *why)
{
	const struct mk_dir *dir = &keeper->store.memory;
	int fd = -1, r;

	r = open_lock(dir, &fd, why);
	if (r != MK_OK)
		return r;
	if (dup3(fd, keeper->lock, O_CLOEXEC) == -1)
		r = lock_failed(dir, why);
	close(fd);
	return r;
}

/*
 * A watcher has the file open for months.  Should it be removed or restored
 * from a backup meanwhile, the next process locks another file, and both
 * would keep; so a lock counts only on the file that has the name, and the
 * one that has it is opened anew.  (Who removes the file while somebody
 * works lets a second one in: whoever may do that may do worse.)
 */
static int
try_lock(const struct mk_keeper *keeper, struct mk_why *why)
{
	const struct mk_dir *dir = &keeper->store.memory;
	int n, r;

	for (n = 0; n < RACES_MAX; n++) {
		if (flock(keeper->lock, LOCK_EX | LOCK_NB) != 0) {
			if (errno != EWOULDBLOCK && errno != EINTR)
				return lock_failed(dir, why);
			break;
		}
		if (is_named(keeper))
			return MK_OK;
		r = reopen_lock(keeper, why);
		if (r != MK_OK) {
			mk_keeper_unlock(keeper);
			return r;
		}
	}
	return mk_fail(why, MK_E_STALE, MK_KEEPER_STAGE,
	    "another process keeps '%s'", dir->path);
}

/* In naps, since flock(2) itself waits for ever and not for a while. */
int
mk_keeper_lock(const struct mk_keeper *keeper, struct mk_why *why)
{
	const struct timespec nap = { 0, NAP_MS * 1000000 };
	int64_t end = mk_clock_ms() + MK_KEEPER_WAIT * 1000;
	int r;

	for (;;) {
		r = try_lock(keeper, why);
		if (r != MK_E_STALE || mk_clock_ms() >= end)
			return r;
		(void)nanosleep(&nap, NULL);
	}
}

void
mk_keeper_unlock(const struct mk_keeper *keeper)
{
	(void)flock(keeper->lock, LOCK_UN);
}

/* Behind the lock, so that no other keeper is writing them. */
static int
sweep_stores(const struct mk_keeper *keeper, struct mk_why *why)
{
	int r = try_lock(keeper, why);

	/* Whoever keeps now has swept, or will once more. */
	if (r == MK_E_STALE)
		return MK_OK;
	if (r != MK_OK)
		return r;
	mk_temp_sweep(keeper->store.cache.fd);
	mk_temp_sweep(keeper->store.memory.fd);
	mk_keeper_unlock(keeper);
	return MK_OK;
}

static int
check_stores(const struct mk_store *store, struct mk_why *why)
{
	int r;

	r = check_store(&store->cache, store->cache_failed,
	    &store->cache_why, why);
	if (r == MK_OK)
		r = check_store(&store->memory, store->memory_failed,
		    &store->memory_why, why);
	return r;
}

int
mk_keeper_open(const struct mk_root *root, struct mk_keeper *ret_keeper,
    struct mk_why *why)
{
	struct mk_keeper keeper = { .lock = -1 };
	struct mk_why busy;
	int r;

	mk_store_open(root, &keeper.store);
	r = check_stores(&keeper.store, why);
	if (r == MK_OK)
		r = open_lock(&keeper.store.memory, &keeper.lock, why);
	if (r == MK_OK && (r = sweep_stores(&keeper, &busy)) != MK_OK)
		r = mk_fail(why, r, busy.stage, "%s", busy.detail);
	if (r == MK_OK)
		*ret_keeper = keeper;
	else
		mk_keeper_close(&keeper);
	return r;
}

void
mk_keeper_close(struct mk_keeper *keeper)
{
	mk_store_close(&keeper->store);
	if (keeper->lock >= 0)
		close(keeper->lock);
	keeper->lock = -1;
}
