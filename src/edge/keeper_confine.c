/* SPDX-License-Identifier: ISC */
/*
 * What is left to the process that reads what strangers send: the two
 * stores, and reading what it may have to read again.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "edge/confine.h"
#include "edge/judge.h"
#include "edge/keeper.h"

#ifndef MK_SANDBOX
#error config.h says whether programs confine themselves
#endif

struct places {
	const struct mk_root *root;
	struct mk_place *place;
	size_t n;
};

#if MK_SANDBOX
/* Takes over the descriptor of a place, or -1 and errno. */
static int
add_open(struct places *places, const char *path, int fd, bool write,
    struct mk_why *why)
{
	/* What cannot be had now is told by whoever wants to read it. */
	if (fd == -1 && !write)
		return MK_OK;
	if (fd == -1)
		return mk_fail(why, MK_E_SYSTEM, "sandbox",
		    "cannot keep '%s': %s", path, strerror(errno));
	places->place[places->n].fd = fd;
	places->place[places->n++].use = write ? MK_PLACE_WRITE :
	    MK_PLACE_READ;
	return MK_OK;
}

static int
add_place(struct places *places, const char *path, bool write,
    struct mk_why *why)
{
	return add_open(places, path, mk_root_openat(places->root, path,
	    O_PATH | O_DIRECTORY | O_CLOEXEC,
	    write ? RESOLVE_NO_SYMLINKS : 0), write, why);
}

/*
 * The directory of a file and not the file, which is another one after each
 * change; ours may be replaced as a whole.  What root alone may read there
 * stays closed to us.
 */
static int
add_parent(struct places *places, const char *path, struct mk_why *why)
{
	char parent[sizeof(MK_PASSWD MK_CONFDIR)];

	*strrchr(strcpy(parent, path), '/') = '\0';
	return add_place(places, parent[0] == '\0' ? "/" : parent, false,
	    why);
}

/* That of --config stands where it stands, whatever the root. */
static int
add_config(struct places *places, const char *file, struct mk_why *why)
{
	const char *slash = strrchr(file, '/');
	char *parent;
	int fd;

	if (slash == NULL)
		parent = strdup(".");
	else
		parent = strndup(file, slash == file ? 1 : slash - file);
	if (parent == NULL)
		return mk_fail(why, MK_E_SYSTEM, "sandbox", "out of memory");
	fd = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
	free(parent);
	return add_open(places, file, fd, false, why);
}

static int
add_places(struct places *places, const struct mk_reach *reach,
    struct mk_why *why)
{
	size_t i;
	int r;

	r = add_place(places, MK_CACHEDIR, !reach->reads_only, why);
	if (r == MK_OK)
		r = add_place(places, MK_STATEDIR, !reach->reads_only, why);
	if (r == MK_OK)
		r = add_place(places, MK_CONFDIR, false, why);
	if (r == MK_OK)
		r = add_parent(places, MK_CONFDIR, why);
	if (r == MK_OK)
		r = add_parent(places, MK_PASSWD, why);
	if (r == MK_OK && reach->config_file != NULL)
		r = add_config(places, reach->config_file, why);
	for (i = 0; r == MK_OK && i < reach->n; i++)
		r = add_place(places, reach->dirs[i], false, why);
	return r;
}

static int
confine(struct places *places, const struct mk_reach *reach,
    struct mk_why *why)
{
	size_t i;
	int r;

	places->place = calloc(reach->n + 6, sizeof(*places->place));
	if (places->place == NULL)
		return mk_fail(why, MK_E_SYSTEM, "sandbox", "out of memory");
	r = add_places(places, reach, why);
	if (r == MK_OK)
		r = mk_landlock_keep(places->place, places->n, why);
	for (i = 0; i < places->n; i++)
		close(places->place[i].fd);
	free(places->place);
	return r == MK_OK ? mk_seccomp_keep(why) : r;
}
#else
/* The sanitizers need threads and files of their own. */
static int
confine(struct places *places, const struct mk_reach *reach,
    struct mk_why *why)
{
	(void)places, (void)reach, (void)why;
	return MK_OK;
}
#endif

int
mk_keeper_confine(const struct mk_root *root, const struct mk_reach *reach,
    struct mk_why *why)
{
	struct places places = { root, NULL, 0 };
	int r = mk_privileges_close(why);

	return r == MK_OK ? confine(&places, reach, why) : r;
}
