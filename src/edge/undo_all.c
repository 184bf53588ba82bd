/* SPDX-License-Identifier: ISC */
/*
 * Taking changes back: first whether each file is still what we wrote, then
 * one after the other, newest first, each struck from the journal when it
 * is done.  A file that is kept is put back by rename(2), so the path never
 * leads to a part of it.  None of this needs room on the disk: a journal
 * that cannot be written stays as it was, and what was put back already is
 * found so the next time.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "core/limits.h"
#include "edge/temp.h"
#include "edge/undo_impl.h"

#define SAVE		".meshkeys-save"
#define SAVES_MAX	100

/* What stands at the path of an entry. */
enum found {
	FOUND_BEFORE,		/* what was there before */
	FOUND_OURS,
	FOUND_NOTHING,		/* where there was a file before */
	FOUND_CHANGED
};

static int
failed(const struct mk_undo_entry *entry, struct mk_why *why)
{
	return mk_fail(why, MK_E_SYSTEM, "undo", "cannot put back '%s': %s",
	    entry->path, strerror(errno));
}

/* Larger than what we write, or of other rights, is not ours either. */
static bool
is_ours(const struct mk_undo_entry *entry, const struct mk_undo_place *place)
{
	char digest[2 * MK_SHA512 + 1];
	struct mk_file file;

	if (mk_dir_read(&place->dir, place->name, MK_CONFIG_MAX + 4096,
	    &file, NULL) != MK_OK)
		return false;
	mk_undo_digest(file.data, file.len, digest);
	mk_file_release(&file);
	return strcmp(digest, entry->digest) == 0;
}

static enum found
look(const struct mk_undo *undo, const struct mk_undo_entry *entry,
    const struct mk_undo_place *place)
{
	const struct mk_undo_name kept = mk_undo_kept(entry);
	struct stat now, old;
	bool there, is_kept;

	there = fstatat(place->dir.fd, place->name, &now,
	    AT_SYMLINK_NOFOLLOW) == 0;
	if (entry->kind == MK_UNDO_MADE && !there)
		return FOUND_BEFORE;
	is_kept = entry->kind == MK_UNDO_KEPT &&
	    fstatat(undo->dir.fd, kept.text, &old, AT_SYMLINK_NOFOLLOW) == 0;
	/* Put back already, or never replaced. */
	if (entry->kind == MK_UNDO_KEPT && (!is_kept || (there &&
	    now.st_dev == old.st_dev && now.st_ino == old.st_ino)))
		return FOUND_BEFORE;
	if (!there)
		return FOUND_NOTHING;
	return is_ours(entry, place) ? FOUND_OURS : FOUND_CHANGED;
}

/* 0, -1, or 1: the name is taken by another file. */
static int
save_as(const struct mk_undo_place *place, const char *name,
    const struct stat *now)
{
	struct stat save;

	if (linkat(place->dir.fd, place->name, place->dir.fd, name, 0) == 0)
		return 0;
	if (errno != EEXIST || fstatat(place->dir.fd, name, &save,
	    AT_SYMLINK_NOFOLLOW) != 0)
		return -1;
	errno = EEXIST;
	return save.st_dev == now->st_dev && save.st_ino == now->st_ino ?
	    0 : 1;
}

/*
 * What others made of it gets another name; one that it has already from
 * before a crash is good.
 */
static int
keep_aside(const struct mk_undo_entry *entry,
    const struct mk_undo_place *place, struct mk_why *why)
{
	struct stat now;
	char *name;
	int n, r = 1;

	if (fstatat(place->dir.fd, place->name, &now,
	    AT_SYMLINK_NOFOLLOW) != 0)
		return failed(entry, why);
	for (n = 0; r == 1 && n < SAVES_MAX; n++) {
		if (asprintf(&name, n == 0 ? "%s" SAVE : "%s" SAVE "%d",
		    place->name, n) == -1)
			return mk_fail(why, MK_E_SYSTEM, "undo",
			    "out of memory");
		r = save_as(place, name, &now);
		free(name);
	}
	if (r != 0 || fsync(place->dir.fd) != 0)
		return mk_fail(why, MK_E_SYSTEM, "undo", "cannot save '%s' "
		    "as '%s" SAVE "': %s", entry->path, place->name,
		    strerror(errno));
	return MK_OK;
}

/* Two names of one file are not renamed: the kept one is a stray then. */
static int
put_back(const struct mk_undo *undo, const struct mk_undo_entry *entry,
    const struct mk_undo_place *place, struct mk_why *why)
{
	const struct mk_undo_name kept = mk_undo_kept(entry);

	if (entry->kind == MK_UNDO_MADE) {
		if (unlinkat(place->dir.fd, place->name, 0) != 0 &&
		    errno != ENOENT)
			return failed(entry, why);
	} else if (renameat(undo->dir.fd, kept.text, place->dir.fd,
	    place->name) != 0 && errno != ENOENT) {
		return failed(entry, why);
	}
	if (fsync(place->dir.fd) != 0 || fsync(undo->dir.fd) != 0)
		return failed(entry, why);
	return MK_OK;
}

static void
tell(const struct mk_undo_asker *asker, const char *path, const char *what)
{
	if (asker != NULL && asker->undone != NULL)
		asker->undone(asker->arg, path, what);
}

static int
undo_file(const struct mk_undo *undo, const struct mk_undo_entry *entry,
    const struct mk_undo_asker *asker, struct mk_why *why)
{
	struct mk_undo_place place;
	enum found found;
	int r;

	r = mk_undo_place_open(undo->root, entry->path, &place, why);
	if (r == MK_E_ABSENT && entry->kind == MK_UNDO_MADE)
		return MK_OK;
	if (r != MK_OK)
		return r != MK_E_ABSENT ? r : mk_fail(why, MK_E_SYSTEM,
		    "undo", "cannot put back '%s': its directory is gone",
		    entry->path);
	mk_temp_sweep(place.dir.fd);
	found = look(undo, entry, &place);
	if (found == FOUND_CHANGED) {
		r = keep_aside(entry, &place, why);
		if (r == MK_OK)
			tell(asker, entry->path, "saved beside");
	}
	if (r == MK_OK)
		r = put_back(undo, entry, &place, why);
	mk_undo_place_close(&place);
	if (r == MK_OK && found != FOUND_BEFORE)
		tell(asker, entry->path, entry->kind == MK_UNDO_MADE ?
		    "removed" : "as before");
	return r;
}

static int
undo_dir(const struct mk_undo *undo, const struct mk_undo_entry *entry,
    const struct mk_undo_asker *asker, struct mk_why *why)
{
	struct mk_undo_place place;
	int r;

	r = mk_undo_place_open(undo->root, entry->path, &place, why);
	if (r != MK_OK)
		return r == MK_E_ABSENT ? MK_OK : r;
	if (unlinkat(place.dir.fd, place.name, AT_REMOVEDIR) == 0)
		tell(asker, entry->path, "removed");
	else if (errno == ENOTEMPTY || errno == EEXIST)
		tell(asker, entry->path, "not empty, stays");
	/* A link or a mount of somebody's: nothing of ours is in the way. */
	else if (errno == ENOTDIR || errno == EBUSY)
		tell(asker, entry->path, "another one now, stays");
	else if (errno != ENOENT)
		r = failed(entry, why);
	if (r == MK_OK && fsync(place.dir.fd) != 0)
		r = failed(entry, why);
	mk_undo_place_close(&place);
	return r;
}

static int
ask(const struct mk_undo *undo, const struct mk_undo_entry *entry,
    const struct mk_undo_asker *asker, struct mk_why *why)
{
	struct mk_undo_place place;
	enum found found;

	if (entry->kind == MK_UNDO_MADE_DIR ||
	    mk_undo_place_open(undo->root, entry->path, &place, NULL) !=
	    MK_OK)
		return MK_OK;
	found = look(undo, entry, &place);
	mk_undo_place_close(&place);
	if (found == FOUND_BEFORE || found == FOUND_OURS)
		return MK_OK;
	if (asker != NULL && asker->changed != NULL &&
	    asker->changed(asker->arg, entry->path))
		return MK_OK;
	return mk_fail(why, MK_E_REFUSED, "undo", "'%s' %s since; nothing "
	    "was taken back", entry->path, found == FOUND_NOTHING ?
	    "was removed by somebody" : "was changed by somebody");
}

static int
ask_all(const struct mk_undo *undo, const struct mk_undo_asker *asker,
    struct mk_why *why)
{
	size_t i;
	int r = MK_OK;

	for (i = 0; r == MK_OK && i < undo->n; i++)
		r = ask(undo, &undo->entries[i], asker, why);
	return r;
}

/* What was kept and never noted, before a crash. */
static void
remove_strays(const struct mk_undo *undo)
{
	struct mk_undo_entry stray;

	for (stray.number = 1; stray.number <= MK_UNDO_MAX; stray.number++)
		(void)unlinkat(undo->dir.fd, mk_undo_kept(&stray).text, 0);
	mk_temp_sweep(undo->dir.fd);
}

/* The journal before its directory: that alone means nothing, and stays if
   somebody else has put a file there. */
static int
remove_journal(struct mk_undo *undo, struct mk_why *why)
{
	struct mk_undo_place place;
	int r;

	if ((r = mk_undo_place_open(undo->root, MK_UNDO_DIR, &place,
	    why)) != MK_OK)
		return r;
	remove_strays(undo);
	if ((unlinkat(undo->dir.fd, "journal", 0) != 0 && errno != ENOENT) ||
	    fsync(undo->dir.fd) != 0 ||
	    (unlinkat(place.dir.fd, place.name, AT_REMOVEDIR) != 0 &&
	    errno != ENOENT && errno != ENOTEMPTY && errno != EEXIST) ||
	    fsync(place.dir.fd) != 0)
		r = mk_fail(why, MK_E_SYSTEM, "undo", "cannot remove '%s': "
		    "%s", MK_UNDO_DIR, strerror(errno));
	mk_undo_place_close(&place);
	if (r == MK_OK) {
		mk_dir_close(&undo->dir);
		undo->state = MK_UNDO_NONE;
	}
	return r;
}

int
mk_undo_all(struct mk_undo *undo, const struct mk_undo_asker *asker,
    struct mk_why *why)
{
	const struct mk_undo_entry *e;
	int r;

	/* A directory without a journal is what a crash left. */
	if (undo->state == MK_UNDO_NONE)
		return undo->dir.fd == -1 ? MK_OK :
		    remove_journal(undo, why);
	if ((r = ask_all(undo, asker, why)) != MK_OK)
		return r;
	/* From here on it is neither finished nor waiting. */
	if (undo->state != MK_UNDO_BEGUN)
		(void)mk_undo_enter(undo, MK_UNDO_BEGUN, NULL);
	while (r == MK_OK && undo->n > 0) {
		e = &undo->entries[undo->n - 1];
		r = e->kind == MK_UNDO_MADE_DIR ?
		    undo_dir(undo, e, asker, why) :
		    undo_file(undo, e, asker, why);
		if (r != MK_OK)
			break;
		free(undo->entries[--undo->n].path);
		(void)mk_undo_write(undo, NULL);
	}
	return r == MK_OK ? remove_journal(undo, why) : r;
}
