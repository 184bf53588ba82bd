/* SPDX-License-Identifier: ISC */
/*
 * Making changes: first the old file gets a second name among the entries,
 * then the journal says what will be done, then it is done.  Each step is
 * synced before the next.  Taking them back is in undo_all.c.
 */
#include "edge/undo.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/err.h"
#include "edge/judge.h"
#include "edge/temp.h"
#include "edge/undo_impl.h"

#define JOURNAL_MODE	0700
#define BOOT_ID		"/proc/sys/kernel/random/boot_id"
#define NS		INT64_C(1000000000)

int
mk_undo_place_open(const struct mk_root *root, const char *path,
    struct mk_undo_place *ret_place, struct mk_why *why)
{
	const char *slash = strrchr(path, '/');
	struct mk_undo_place place;
	int r;

	if (slash == NULL || slash == path || slash[1] == '\0')
		return mk_fail(why, MK_E_BUG, "undo", "'%s' is no path of a "
		    "file", path);
	place.name = slash + 1;
	place.parent = strndup(path, (size_t)(slash - path));
	if (place.parent == NULL)
		return mk_fail(why, MK_E_SYSTEM, "undo", "out of memory");
	r = mk_dir_open(root, place.parent, MK_OWNED_BY_ROOT, &place.dir,
	    why);
	if (r != MK_OK) {
		free(place.parent);
		return r;
	}
	*ret_place = place;
	return MK_OK;
}

void
mk_undo_place_close(struct mk_undo_place *place)
{
	mk_dir_close(&place->dir);
	free(place->parent);
}

int
mk_undo_open(const struct mk_root *root, struct mk_undo **ret_undo,
    struct mk_why *why)
{
	struct mk_undo *u = calloc(1, sizeof(*u));
	int r;

	if (u == NULL)
		return mk_fail(why, MK_E_SYSTEM, "undo", "out of memory");
	u->root = root;
	u->dir.fd = -1;
	u->state = MK_UNDO_NONE;
	r = mk_dir_open(root, MK_UNDO_DIR, MK_OWNED_BY_ROOT, &u->dir, why);
	if (r == MK_OK)
		r = mk_undo_read(u, why);
	if (r == MK_E_ABSENT)
		r = MK_OK;
	if (r == MK_OK)
		*ret_undo = u;
	else
		mk_undo_close(u);
	return r;
}

void
mk_undo_close(struct mk_undo *undo)
{
	size_t i;

	if (undo == NULL)
		return;
	for (i = 0; i < undo->n; i++)
		free(undo->entries[i].path);
	mk_dir_close(&undo->dir);
	free(undo);
}

enum mk_undo_state
mk_undo_state(const struct mk_undo *undo)
{
	return undo->state;
}

int64_t
mk_undo_time(const struct mk_undo *undo)
{
	return undo->time;
}

/* Which boot this is, or "-". */
static void
read_boot(char boot[MK_UNDO_BOOT])
{
	int fd = open(BOOT_ID, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd == -1 ? -1 : read(fd, boot, MK_UNDO_BOOT - 1);

	if (fd != -1)
		close(fd);
	boot[n > 0 ? n : 0] = '\0';
	if (n != MK_UNDO_BOOT - 1 ||
	    strspn(boot, "0123456789abcdef-") != MK_UNDO_BOOT - 1)
		(void)snprintf(boot, MK_UNDO_BOOT, "-");
}

/* A login of another boot is newer than all that was before that, and what
   is no login at all is not. */
bool
mk_undo_before(const struct mk_undo *undo, int64_t uptime)
{
	char boot[MK_UNDO_BOOT];

	read_boot(boot);
	if (uptime < 0 || strcmp(boot, "-") == 0 ||
	    strcmp(undo->boot, "-") == 0)
		return false;
	return strcmp(boot, undo->boot) != 0 || undo->uptime < uptime;
}

static void
set_state(struct mk_undo *undo, enum mk_undo_state state)
{
	struct timespec up;

	(void)clock_gettime(CLOCK_BOOTTIME, &up);
	read_boot(undo->boot);
	undo->uptime = (int64_t)up.tv_sec * NS + up.tv_nsec;
	undo->time = (int64_t)time(NULL);
	undo->state = state;
}

int64_t
mk_undo_id(const struct mk_undo *undo)
{
	return undo->state == MK_UNDO_NONE ? 0 : undo->id;
}

bool
mk_undo_home(const struct mk_undo *undo)
{
	return undo->home;
}

static int
make_home(struct mk_undo *undo, struct mk_why *why)
{
	struct mk_undo_place place;
	int r;

	if (undo->dir.fd >= 0)
		return MK_OK;
	r = mk_undo_place_open(undo->root, MK_UNDO_DIR, &place, why);
	if (r != MK_OK)
		return r;
	if ((mkdirat(place.dir.fd, place.name, JOURNAL_MODE) != 0 &&
	    errno != EEXIST) || fsync(place.dir.fd) != 0)
		r = mk_fail(why, MK_E_SYSTEM, "undo",
		    "cannot make '%s': %s", MK_UNDO_DIR, strerror(errno));
	mk_undo_place_close(&place);
	if (r == MK_OK)
		r = mk_dir_open(undo->root, MK_UNDO_DIR, MK_OWNED_BY_ROOT,
		    &undo->dir, why);
	if (r == MK_OK && fchmod(undo->dir.fd, JOURNAL_MODE) != 0)
		r = mk_fail(why, MK_E_SYSTEM, "undo",
		    "cannot use '%s': %s", MK_UNDO_DIR, strerror(errno));
	return r;
}

int
mk_undo_begin(struct mk_undo *undo, bool home, struct mk_why *why)
{
	struct timespec now;
	int r;

	if (undo->state != MK_UNDO_NONE)
		return mk_fail(why, MK_E_REFUSED, "undo", "there is "
		    "something to take back already");
	if ((r = make_home(undo, why)) != MK_OK)
		return r;
	mk_temp_sweep(undo->dir.fd);
	(void)clock_gettime(CLOCK_REALTIME, &now);
	undo->id = (int64_t)now.tv_sec * NS + now.tv_nsec;
	undo->home = home;
	set_state(undo, MK_UNDO_BEGUN);
	r = mk_undo_write(undo, why);
	if (r != MK_OK)
		undo->state = MK_UNDO_NONE;
	return r;
}

int
mk_undo_enter(struct mk_undo *undo, enum mk_undo_state state,
    struct mk_why *why)
{
	const enum mk_undo_state before = undo->state;
	int r;

	if (before == MK_UNDO_NONE || state == MK_UNDO_NONE)
		return mk_fail(why, MK_E_BUG, "undo", "nothing was begun");
	set_state(undo, state);
	r = mk_undo_write(undo, why);
	if (r != MK_OK)
		undo->state = before;
	return r;
}

/* The journal is a line of words: none of our paths needs quotes. */
static int
new_entry(struct mk_undo *undo, const char *path,
    struct mk_undo_entry *ret_entry, struct mk_why *why)
{
	size_t i;

	for (i = 0; i < undo->n; i++) {
		if (strcmp(undo->entries[i].path, path) == 0)
			return mk_fail(why, MK_E_BUG, "undo",
			    "'%s' was changed already", path);
	}
	if (undo->state == MK_UNDO_NONE || undo->n == MK_UNDO_MAX ||
	    strpbrk(path, " \t\"\\#\r\n") != NULL)
		return mk_fail(why, MK_E_BUG, "undo", "cannot note '%s'",
		    path);
	memset(ret_entry, 0, sizeof(*ret_entry));
	ret_entry->number = undo->n == 0 ? 1 :
	    undo->entries[undo->n - 1].number + 1;
	ret_entry->path = strdup(path);
	return ret_entry->path != NULL ? MK_OK :
	    mk_fail(why, MK_E_SYSTEM, "undo", "out of memory");
}

/* Takes the entry over, whatever happens. */
static int
note(struct mk_undo *undo, struct mk_undo_entry *entry, struct mk_why *why)
{
	int r;

	undo->entries[undo->n++] = *entry;
	r = mk_undo_write(undo, why);
	if (r != MK_OK)
		free(undo->entries[--undo->n].path);
	return r;
}

static int
cannot_keep(const char *path, struct mk_why *why)
{
	return mk_fail(why, MK_E_SYSTEM, "undo",
	    "cannot keep '%s' in '%s': %s", path, MK_UNDO_DIR,
	    strerror(errno));
}

/* The old file, if there is one, under its second name. */
static int
keep_old(const struct mk_undo *undo, const struct mk_undo_place *place,
    struct mk_undo_entry *entry, struct mk_why *why)
{
	const struct mk_undo_name kept = mk_undo_kept(entry);
	struct stat st;

	entry->kind = MK_UNDO_MADE;
	if (fstatat(place->dir.fd, place->name, &st,
	    AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? MK_OK :
		    cannot_keep(entry->path, why);
	if (!S_ISREG(st.st_mode))
		return mk_fail(why, MK_E_PERM, "undo",
		    "cannot replace '%s': not a regular file", entry->path);
	entry->kind = MK_UNDO_KEPT;
	/* One that was kept and never noted, before a crash. */
	(void)unlinkat(undo->dir.fd, kept.text, 0);
	if (linkat(place->dir.fd, place->name, undo->dir.fd, kept.text,
	    0) != 0 || fsync(undo->dir.fd) != 0)
		return cannot_keep(entry->path, why);
	return MK_OK;
}

int
mk_undo_file(struct mk_undo *undo, const char *path, const uint8_t *data,
    size_t len, struct mk_why *why)
{
	const struct mk_content content = { .data = data, .len = len,
	    .mtime = -1, .sync = MK_SYNC };
	struct mk_undo_place place;
	struct mk_undo_entry entry;
	int r;

	if ((r = new_entry(undo, path, &entry, why)) != MK_OK)
		return r;
	mk_undo_digest(data, len, entry.digest);
	r = mk_undo_place_open(undo->root, path, &place, why);
	if (r == MK_E_ABSENT)
		r = mk_fail(why, MK_E_CONFIG, "undo", "cannot write '%s': "
		    "there is no such directory", path);
	if (r != MK_OK) {
		free(entry.path);
		return r;
	}
	r = keep_old(undo, &place, &entry, why);
	if (r == MK_OK)
		r = note(undo, &entry, why);
	else
		free(entry.path);
	if (r == MK_OK)
		r = mk_dir_replace(&place.dir, place.name, &content, why);
	mk_undo_place_close(&place);
	return r;
}

/* Noted before it is made; 'made' with its mode whatever the umask says. */
static int
make_dir(struct mk_undo *undo, struct mk_undo_entry *entry,
    const struct mk_undo_place *place, mode_t mode, struct mk_why *why)
{
	int r;

	if ((r = note(undo, entry, why)) != MK_OK)
		return r;
	if (mkdirat(place->dir.fd, place->name, 0700) != 0 ||
	    fchmodat(place->dir.fd, place->name, mode, 0) != 0 ||
	    fsync(place->dir.fd) != 0)
		return mk_fail(why, MK_E_SYSTEM, "undo",
		    "cannot make '%s/%s': %s", place->parent, place->name,
		    strerror(errno));
	return MK_OK;
}

int
mk_undo_dir(struct mk_undo *undo, const char *path, mode_t mode,
    struct mk_why *why)
{
	struct mk_undo_place place;
	struct mk_undo_entry entry;
	struct stat st;
	int r;

	r = mk_undo_place_open(undo->root, path, &place, why);
	if (r == MK_E_ABSENT)
		return mk_fail(why, MK_E_CONFIG, "undo", "cannot make '%s': "
		    "there is no such directory above it", path);
	if (r != MK_OK)
		return r;
	if (fstatat(place.dir.fd, place.name, &st, 0) != 0) {
		r = new_entry(undo, path, &entry, why);
		entry.kind = MK_UNDO_MADE_DIR;
		if (r == MK_OK)
			r = make_dir(undo, &entry, &place, mode, why);
	} else if (!S_ISDIR(st.st_mode)) {
		r = mk_fail(why, MK_E_PERM, "undo",
		    "cannot use '%s': not a directory", path);
	}
	mk_undo_place_close(&place);
	return r;
}
