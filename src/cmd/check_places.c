/* SPDX-License-Identifier: ISC */
/*
 * The directories of a host and the files that root writes there: that they
 * are, whose they are, and that the user of the helper gets at them, who is
 * nobody's friend.  A umask of 077 while they were made shuts her out.
 */
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/check.h"
#include "core/limits.h"
#include "edge/cache.h"
#include "edge/judge.h"
#include "edge/keeper.h"
#include "edge/source.h"

#define ROOM_FAIL	(64u << 10)	/* less free: nothing can be kept */
#define ROOM_WARN	(16u << 20)

struct place {
	const char *name;	/* of the finding */
	const char *path;
	enum mk_owner owner;
};

static const struct place places[] = {
	{ "confdir", MK_CONFDIR, MK_OWNED_BY_ROOT },
	{ "cachedir", MK_CACHEDIR, MK_OWNED_BY_ANYONE },
	{ "statedir", MK_STATEDIR, MK_OWNED_BY_ANYONE },
};

/* "COMMAND [QUOTE]ROOT PATH[QUOTE]", malloc'd; NULL: out of memory. */
static char *
command_on(const struct check_site *site, const char *command,
    const char *path)
{
	const char *root = site->root.name;
	const char *q = *mk_path_quote(root) != '\0' ? mk_path_quote(root) :
	    mk_path_quote(path);
	char *text;

	if (asprintf(&text, "%s %s%s%s%s", command, q, root, path, q) == -1)
		return NULL;
	return text;
}

static void
tell_on(struct check *c, const struct check_site *site,
    const struct place *place, const char *command, const char *what)
{
	char *repair = command_on(site, command, place->path);

	check_tell(c, CHECK_FAIL, place->name, repair, "'%s%s' %s",
	    site->root.name, place->path, what);
	free(repair);
}

/* The status of a path below the root, links followed. */
static int
status_of(const struct check_site *site, const char *path, struct stat *st)
{
	int fd = mk_root_openat(&site->root, path, O_PATH | O_CLOEXEC, 0);
	int r = fd == -1 ? -1 : fstat(fd, st);

	if (fd != -1)
		close(fd);
	return r;
}

/* Every directory on the way lets everybody pass. */
static bool
way_is_open(struct check *c, const struct check_site *site,
    const struct place *place)
{
	char *way = strdup(place->path), *slash;
	const struct place part = { .name = place->name, .path = way };
	bool open = true;
	struct stat st;

	if (way == NULL) {
		c->failed = MK_E_SYSTEM;
		return false;
	}
	for (slash = strchr(way + 1, '/'); open && slash != NULL;
	    slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (status_of(site, way, &st) == 0 &&
		    (st.st_mode & S_IXOTH) == 0) {
			tell_on(c, site, &part, "chmod o+x", "lets nobody "
			    "pass: the helper does not get through");
			open = false;
		}
		*slash = '/';
	}
	free(way);
	return open;
}

/* What the helper reads must be readable by everybody. */
static bool
is_open(struct check *c, const struct check_site *site,
    const struct place *place, const struct stat *st)
{
	const mode_t all = S_ISDIR(st->st_mode) ?
	    S_IROTH | S_IXOTH : S_IROTH;

	if ((st->st_mode & all) == all)
		return true;
	tell_on(c, site, place, S_ISDIR(st->st_mode) ? "chmod 755" :
	    "chmod 644", "is closed to the user of the helper");
	return false;
}

/* A store belongs to who fills it. */
static bool
is_keepers(struct check *c, const struct check_site *site,
    const struct place *place, const struct stat *st)
{
	const struct passwd *pw;

	if (place->owner == MK_OWNED_BY_ROOT || site->root.fd != -1)
		return true;
	pw = getpwnam(MK_KEEPER_USER);
	if (pw == NULL || pw->pw_uid == st->st_uid)
		return true;
	tell_on(c, site, place, "chown " MK_KEEPER_USER ":" MK_KEEPER_USER,
	    "does not belong to '" MK_KEEPER_USER "', who writes there");
	return false;
}

static void
tell_absent(struct check *c, const struct check_site *site,
    const struct place *place)
{
	tell_on(c, site, place, place->owner == MK_OWNED_BY_ROOT ||
	    site->root.fd != -1 ? "install -d -m 755" :
	    "install -d -o " MK_KEEPER_USER " -g " MK_KEEPER_USER " -m 755",
	    "is absent");
}

/* Whether there is room to keep news. */
static void
check_disk(struct check *c, const struct check_site *site,
    const struct mk_dir *dir)
{
	struct statvfs fs;
	uint64_t room;

	if (fstatvfs(dir->fd, &fs) != 0)
		return;
	room = (uint64_t)fs.f_bavail * fs.f_frsize;
	if ((fs.f_flag & ST_RDONLY) != 0)
		check_tell(c, CHECK_FAIL, "disk", NULL, "the file system of "
		    "'%s%s' is read-only: no news can be kept",
		    site->root.name, dir->path);
	else if (room < ROOM_FAIL || (fs.f_files > 0 && fs.f_favail == 0))
		check_tell(c, CHECK_FAIL, "disk", NULL, "the file system of "
		    "'%s%s' is full: no news can be kept", site->root.name,
		    dir->path);
	else if (room < ROOM_WARN)
		check_tell(c, CHECK_WARN, "disk", NULL, "the file system of "
		    "'%s%s' has %lu KiB left", site->root.name, dir->path,
		    (unsigned long)(room >> 10));
	else
		check_tell(c, CHECK_OK, "disk", NULL, "'%s%s' has room",
		    site->root.name, dir->path);
}

static void
check_place(struct check *c, const struct check_site *site,
    const struct place *place)
{
	struct mk_dir dir;
	struct mk_why why;
	struct stat st;
	int r;

	r = mk_dir_open(&site->root, place->path, place->owner, &dir, &why);
	if (r == MK_E_ABSENT) {
		tell_absent(c, site, place);
		return;
	}
	if (r != 0) {
		check_tell_why(c, CHECK_FAIL, place->name, &why);
		return;
	}
	if (fstat(dir.fd, &st) != 0)
		check_tell(c, CHECK_FAIL, place->name, NULL, "cannot examine "
		    "'%s%s': %s", site->root.name, place->path,
		    strerror(errno));
	else if (way_is_open(c, site, place) &&
	    is_open(c, site, place, &st) && is_keepers(c, site, place, &st))
		check_tell(c, CHECK_OK, place->name, NULL, "'%s%s' is there "
		    "and safe", site->root.name, place->path);
	if (place->owner == MK_OWNED_BY_ANYONE)
		check_disk(c, site, &dir);
	mk_dir_close(&dir);
}

/* Files of root's that are read at a login; their owners are judged by
   those who read them. */
static void
check_file(struct check *c, const struct check_site *site, const char *name,
    const char *path)
{
	const struct place place = { .name = name, .path = path };
	struct stat st;

	if (status_of(site, path, &st) == 0)
		(void)is_open(c, site, &place, &st);
}

void
check_places(struct check *c, const struct check_site *site)
{
	size_t i;

	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		check_place(c, site, &places[i]);
	check_file(c, site, "config", MK_CONFDIR "/meshkeys.conf");
	check_file(c, site, "map", MK_MAPFILE);
	check_file(c, site, "map", MK_USERSDIR);
}
