/* SPDX-License-Identifier: ISC */
/*
 * The read side of a portal as files, for any web server: what GET answers,
 * byte for byte, under the names that GET has.  Servers decode the path of a
 * URL, so that the names of accounts stand as they are.
 *
 * Each file is replaced whole, and only if it differs, so that an export
 * that breaks off leaves old files and new ones, all of them good, and the
 * next one does the rest.  All are of one state of the store.  What is
 * removed has a name of our own form and is not in the store any more.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd/meshportal.h"
#include "core/limits.h"
#include "edge/root.h"

#define JSON		".json"
#define TEMPORARY	".mk-"		/* edge/root.h: what a crash left */
#define OLD		3600		/* seconds, nobody writes so long */
#define FILE_NAME	(MK_ACCOUNT_MAX + sizeof(JSON))

struct export {
	struct portal_store *store;
	struct mk_root root;
	struct mk_dir profiles, accounts;
	char *paths[2];			/* of them, for messages */
	struct portal_exported n;
};

static int
failed(const char *what, const char *path, struct mk_why *why)
{
	return mk_fail(why, errno == EACCES || errno == EPERM ? MK_E_PERM :
	    MK_E_SYSTEM, "export", "cannot %s '%s': %s", what, path,
	    strerror(errno));
}

/* A directory that a web server can read; one that is there stays so. */
static int
open_dir(int at, const char *name, const char *path, int *ret_fd,
    struct mk_why *why)
{
	bool made = mkdirat(at, name, 0755) == 0;
	int fd;

	if (!made && errno != EEXIST)
		return failed("make", path, why);
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC |
	    (at == AT_FDCWD ? 0 : O_NOFOLLOW));
	if (fd == -1)
		return failed("open", path, why);
	/* Whatever the umask is. */
	if (made && (fchmod(fd, 0755) != 0 || fsync(fd) != 0)) {
		close(fd);
		return failed("make", path, why);
	}
	*ret_fd = fd;
	return 0;
}

static int
take_dir(struct export *e, int fd, const char *path, struct mk_dir *ret_dir,
    struct mk_why *why)
{
	struct stat st;

	ret_dir->fd = fd;
	if (fstat(fd, &st) != 0)
		return failed("open", path, why);
	*ret_dir = (struct mk_dir){ .root = &e->root, .path = path,
	    .fd = fd, .owner = st.st_uid };
	return 0;
}

static int
open_dirs(struct export *e, const char *out, struct mk_why *why)
{
	int top = -1, known = -1, fd = -1, r;

	if (asprintf(&e->paths[0], "%s/.well-known/mmm", out) == -1 ||
	    asprintf(&e->paths[1], "%s/account", e->paths[0]) == -1)
		return mk_fail(why, MK_E_SYSTEM, "export", "out of memory");
	if ((r = open_dir(AT_FDCWD, out, out, &top, why)) != 0 ||
	    (r = open_dir(top, ".well-known", e->paths[0], &known,
	    why)) != 0 ||
	    (r = open_dir(known, "mmm", e->paths[0], &fd, why)) != 0 ||
	    (r = take_dir(e, fd, e->paths[0], &e->profiles, why)) != 0)
		goto out;
	r = open_dir(fd, "account", e->paths[1], &fd, why);
	if (r == 0)
		r = take_dir(e, fd, e->paths[1], &e->accounts, why);
out:
	if (top != -1)
		close(top);
	if (known != -1)
		close(known);
	return r;
}

static bool
is_same(const struct mk_dir *dir, const char *name,
    const struct portal_profile *p)
{
	struct mk_file file;
	bool same;

	if (mk_dir_read(dir, name, MK_SET_MAX, &file, NULL) != 0)
		return false;
	same = !file.closed && file.len == p->set_len &&
	    memcmp(file.data, p->set, p->set_len) == 0;
	mk_file_release(&file);
	return same;
}

static int
put_file(struct export *e, const struct mk_dir *dir, const char *name,
    const struct portal_profile *p, struct mk_why *why)
{
	const struct mk_content content = { .data = p->set,
	    .len = p->set_len, .mtime = -1, .sync = MK_SYNC_SOON };
	int r;

	if (is_same(dir, name, p)) {
		e->n.kept++;
		return 0;
	}
	r = mk_dir_replace(dir, name, &content, why);
	if (r == 0)
		e->n.written++;
	return r;
}

static int
put_profile(void *arg, const struct portal_profile *p, struct mk_why *why)
{
	struct export *e = arg;
	char name[FILE_NAME], udf[MK_UDF_TEXT + 1];

	mk_udf_format(&p->udf, udf);
	(void)snprintf(name, sizeof(name), "%s" JSON, udf);
	return put_file(e, &e->profiles, name, p, why);
}

static int
put_account(void *arg, const struct portal_account *account,
    struct mk_why *why)
{
	struct export *e = arg;
	struct portal_profile p;
	char name[FILE_NAME];
	struct mk_arena a;
	int r;

	if (account->closed)
		return 0;
	(void)snprintf(name, sizeof(name), "%s" JSON, account->name.text);
	mk_arena_init(&a, MK_SET_MAX + MK_ARENA_FLOOR);
	r = portal_store_set(e->store, &a, &account->udf, &p, why);
	if (r == MK_E_ABSENT)
		r = mk_fail(why, MK_E_SYSTEM, "export", "the account '%s' "
		    "has no profile", account->name.text);
	if (r == 0)
		r = put_file(e, &e->accounts, name, &p, why);
	mk_arena_release(&a);
	return r;
}

/* Whether a name of our form is still that of something stored. */
typedef int is_stored(struct portal_store *store, const char *name,
    size_t len, bool *ret_ours, struct mk_why *why);

static int
profile_stored(struct portal_store *store, const char *name, size_t len,
    bool *ret_ours, struct mk_why *why)
{
	struct mk_udf udf;
	uint64_t change;

	*ret_ours = mk_udf_parse(name, len, &udf);
	return *ret_ours ? portal_store_change(store, &udf, &change, why) :
	    0;
}

static int
account_stored(struct portal_store *store, const char *name, size_t len,
    bool *ret_ours, struct mk_why *why)
{
	struct portal_account account;
	struct mk_account parsed;
	int r;

	/* We write the one form of a name, in lower case. */
	*ret_ours = mk_account_parse(name, len, &parsed) &&
	    strncmp(parsed.text, name, len) == 0;
	if (!*ret_ours)
		return 0;
	r = portal_store_account(store, &parsed, &account, why);
	return r == 0 && account.closed ? MK_E_ABSENT : r;
}

static bool
is_left_over(const struct mk_dir *dir, const char *name)
{
	struct stat st;

	return strncmp(name, TEMPORARY, strlen(TEMPORARY)) == 0 &&
	    fstatat(dir->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode) && st.st_mtime < time(NULL) - OLD;
}

/* MK_E_ABSENT: it is to go. */
static int
judge_name(struct export *e, const struct mk_dir *dir, const char *name,
    is_stored *stored, struct mk_why *why)
{
	size_t len = strlen(name), tail = strlen(JSON);
	bool ours = false;

	if (is_left_over(dir, name))
		return MK_E_ABSENT;
	if (len <= tail || strcmp(name + len - tail, JSON) != 0)
		return 0;
	return stored(e->store, name, len - tail, &ours, why);
}

static int
remove_others(struct export *e, const struct mk_dir *dir, is_stored *stored,
    struct mk_why *why)
{
	int fd = openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd != -1 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	int r = 0;

	if (d == NULL) {
		if (fd != -1)
			close(fd);
		return failed("read", dir->path, why);
	}
	while (r == 0 && (errno = 0, entry = readdir(d)) != NULL) {
		r = judge_name(e, dir, entry->d_name, stored, why);
		if (r != MK_E_ABSENT)
			continue;
		r = 0;
		if (unlinkat(dir->fd, entry->d_name, 0) == 0)
			e->n.removed++;
		else if (errno != ENOENT)
			r = failed("clean", dir->path, why);
	}
	if (r == 0 && errno != 0)
		r = failed("read", dir->path, why);
	closedir(d);
	/* Everything that was renamed and removed, at once. */
	if (r == 0 && fsync(dir->fd) != 0)
		r = failed("write", dir->path, why);
	return r;
}

int
portal_export(struct portal_store *store, const char *out,
    struct portal_exported *ret_exported, struct mk_why *why)
{
	struct export e = { .store = store,
	    .root = { .fd = -1, .self = geteuid(), .name = "" },
	    .profiles = { .fd = -1 }, .accounts = { .fd = -1 } };
	int r;

	if ((r = open_dirs(&e, out, why)) != 0 ||
	    (r = portal_store_look(store, why)) != 0)
		goto out;
	if ((r = portal_store_each(store, put_profile, put_account, &e,
	    why)) == 0 &&
	    (r = remove_others(&e, &e.profiles, profile_stored,
	    why)) == 0 &&
	    (r = remove_others(&e, &e.accounts, account_stored, why)) == 0)
		*ret_exported = e.n;
	portal_store_rollback(store);
out:
	mk_dir_close(&e.profiles);
	mk_dir_close(&e.accounts);
	free(e.paths[0]);
	free(e.paths[1]);
	return r;
}
