/* SPDX-License-Identifier: ISC */
/*
 * Watches are on directories, since most files are replaced and not
 * written to.  inotify(7) only says when to look: what counts is looked up
 * by name each time, so that a missed or a belated event does no harm.  The
 * files of users/, which may be many, are the exception.
 */
#include "edge/lookout.h"

#include <sys/inotify.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "edge/judge.h"
#include "edge/source.h"

#define CONFIG_NAME	"meshkeys.conf"

/*
 * Not each write to a file that is open still: half a map is no news.
 */
#define EVENTS	(IN_CREATE | IN_DELETE | IN_CLOSE_WRITE | IN_ATTRIB | \
		    IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR)

/*
 * More than the kernel keeps by default.  Who fills the queue faster than
 * it is read finds us back in the main loop all the same.
 */
#define READS_MAX	256
#define READ_BYTES	16384

#define PLACES_MAX	5
#define FILES_MAX	2

/* What a name led to. */
struct mark {
	bool there;
	dev_t dev;
	ino_t ino;
	mode_t mode;
	uid_t uid;
	off_t size;
	struct timespec mtime, ctime;
};

/* A directory and the files that count in it. */
struct place {
	char *path;
	bool as_it_stands;	/* not below the root */
	bool quiet;		/* changes in it are ours: its times count */
	bool any_file;		/* each file counts; only events tell */
	const char *file[FILES_MAX];
	unsigned n_files;
	int wd;			/* -1: not watched */
	struct mark self;
	struct mark files[FILES_MAX];
};

struct mk_lookout {
	const struct mk_root *root;
	char *config_name;
	int fd;
	struct place places[PLACES_MAX];
	unsigned n;
};

static struct mark
mark_of(const struct stat *st, bool times)
{
	struct mark m = { .there = true, .dev = st->st_dev,
	    .ino = st->st_ino, .mode = st->st_mode, .uid = st->st_uid };

	if (times) {
		m.size = st->st_size;
		m.mtime = st->st_mtim;
		m.ctime = st->st_ctim;
	}
	return m;
}

static bool
same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool
same(const struct mark *a, const struct mark *b)
{
	return a->there == b->there && a->dev == b->dev &&
	    a->ino == b->ino && a->mode == b->mode && a->uid == b->uid &&
	    a->size == b->size && same_time(&a->mtime, &b->mtime) &&
	    same_time(&a->ctime, &b->ctime);
}

/* Sets a mark to what is there now; whether that is something else. */
static bool
update(struct mark *mark, const struct stat *st, bool times)
{
	struct mark now = { .there = false };
	bool changed;

	if (st != NULL)
		now = mark_of(st, times);
	changed = !same(mark, &now);
	*mark = now;
	return changed;
}

static bool
look_at_files(struct place *p, int fd)
{
	bool changed = false;
	struct stat st;
	unsigned i;

	for (i = 0; i < p->n_files; i++) {
		if (fd >= 0 && fstatat(fd, p->file[i], &st,
		    AT_SYMLINK_NOFOLLOW) == 0)
			changed |= update(&p->files[i], &st, true);
		else
			changed |= update(&p->files[i], NULL, true);
	}
	return changed;
}

/* Two places may be one directory, and then have one watch. */
static void
drop_watch(struct mk_lookout *l, struct place *p)
{
	int wd = p->wd;
	unsigned i;

	p->wd = -1;
	if (wd == -1)
		return;
	for (i = 0; i < l->n; i++) {
		if (l->places[i].wd == wd)
			return;
	}
	(void)inotify_rm_watch(l->fd, wd);
}

/*
 * The kernel gives the same number for a directory that is watched already,
 * so to ask each time tells which one the name leads to now, even where a
 * new one has the inode of the old one.  By descriptor, since inotify(7)
 * knows of no root; without /proc there is no watch.
 */
static bool
watch(struct mk_lookout *l, struct place *p, int dir)
{
	char link[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
	int wd = -1;

	if (l->fd >= 0 && dir >= 0) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", dir);
		wd = inotify_add_watch(l->fd, link, EVENTS);
	}
	if (wd == p->wd)
		return false;
	drop_watch(l, p);
	p->wd = wd;
	return true;
}

static int
open_place(const struct mk_lookout *l, const struct place *p)
{
	const int flags = O_PATH | O_DIRECTORY | O_CLOEXEC;

	return p->as_it_stands ? open(p->path, flags) :
	    mk_root_openat(l->root, p->path, flags, 0);
}

/* The watch before the look, so that nothing happens in between. */
static bool
look_at(struct mk_lookout *l, struct place *p)
{
	int fd = open_place(l, p);
	struct stat st;
	bool changed;

	changed = watch(l, p, fd);
	if (fd >= 0 && fstat(fd, &st) == 0)
		changed |= update(&p->self, &st, p->quiet);
	else
		changed |= update(&p->self, NULL, p->quiet);
	changed |= look_at_files(p, fd);
	if (fd >= 0)
		close(fd);
	return changed;
}

static bool
look(struct mk_lookout *l)
{
	bool changed = false;
	unsigned i;

	for (i = 0; i < l->n; i++)
		changed |= look_at(l, &l->places[i]);
	return changed;
}

static bool
counts(const struct place *p, const char *name)
{
	unsigned i;

	/* What begins with a dot is no user's file but an editor's own. */
	if (p->any_file)
		return name[0] != '.';
	for (i = 0; i < p->n_files; i++) {
		if (strcmp(p->file[i], name) == 0)
			return true;
	}
	return false;
}

/* Two versions in one tick of the clock look the same: the event counts. */
static bool
take_event(const struct mk_lookout *l, const struct inotify_event *e)
{
	unsigned i;

	if ((e->mask & IN_Q_OVERFLOW) != 0)
		return true;
	for (i = 0; i < l->n && e->len > 0; i++) {
		if (l->places[i].wd == e->wd && counts(&l->places[i], e->name))
			return true;
	}
	return false;
}

static bool
take_events(const struct mk_lookout *l)
{
	_Alignas(struct inotify_event) char room[READ_BYTES];
	const struct inotify_event *e;
	bool changed = false;
	ssize_t at, n;
	int reads;

	for (reads = 0; l->fd >= 0 && reads < READS_MAX; reads++) {
		n = read(l->fd, room, sizeof(room));
		if (n <= 0)
			break;
		for (at = 0; at < n; at += (ssize_t)(sizeof(*e) + e->len)) {
			e = (const struct inotify_event *)(room + at);
			changed |= take_event(l, e);
		}
	}
	return changed;
}

bool
mk_lookout_changed(struct mk_lookout *lookout)
{
	bool changed = take_events(lookout);

	return look(lookout) || changed;
}

/* The directory of a path; NULL without memory. */
static char *
parent_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return strdup(".");
	return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

static struct place *
add_place(struct mk_lookout *l, char *path)
{
	struct place *p = &l->places[l->n];

	if (path == NULL)
		return NULL;
	p->path = path;
	p->wd = -1;
	l->n++;
	return p;
}

static bool
add_config(struct mk_lookout *l, const char *file)
{
	const char *slash = strrchr(file, '/');
	struct place *p = add_place(l, parent_of(file));

	l->config_name = strdup(slash == NULL ? file : slash + 1);
	if (p == NULL || l->config_name == NULL)
		return false;
	p->as_it_stands = true;
	p->file[p->n_files++] = l->config_name;
	return true;
}

static bool
add_places(struct mk_lookout *l, const char *config_file)
{
	struct place *p;

	p = add_place(l, strdup(MK_CONFDIR));
	if (p == NULL)
		return false;
	p->quiet = true;
	p->file[p->n_files++] = strrchr(MK_MAPFILE, '/') + 1;
	if (config_file == NULL)
		p->file[p->n_files++] = CONFIG_NAME;
	else if (!add_config(l, config_file))
		return false;
	p = add_place(l, strdup(MK_USERSDIR));
	if (p == NULL)
		return false;
	p->quiet = p->any_file = true;
	p = add_place(l, parent_of(MK_PASSWD));
	if (p == NULL)
		return false;
	p->file[p->n_files++] = strrchr(MK_PASSWD, '/') + 1;
	/* Where the directory of our own may appear. */
	return add_place(l, parent_of(MK_CONFDIR)) != NULL;
}

int
mk_lookout_new(const struct mk_root *root, const char *config_file,
    struct mk_lookout **ret_lookout, struct mk_why *why)
{
	struct mk_lookout *lookout = calloc(1, sizeof(*lookout));

	if (lookout == NULL)
		return mk_fail(why, MK_E_SYSTEM, "lookout", "out of memory");
	lookout->root = root;
	lookout->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (!add_places(lookout, config_file)) {
		mk_lookout_free(lookout);
		return mk_fail(why, MK_E_SYSTEM, "lookout", "out of memory");
	}
	(void)look(lookout);
	*ret_lookout = lookout;
	return MK_OK;
}

void
mk_lookout_free(struct mk_lookout *lookout)
{
	unsigned i;

	if (lookout == NULL)
		return;
	for (i = 0; i < lookout->n; i++)
		free(lookout->places[i].path);
	free(lookout->config_name);
	if (lookout->fd >= 0)
		close(lookout->fd);
	free(lookout);
}

int
mk_lookout_fd(const struct mk_lookout *lookout)
{
	return lookout->fd;
}
