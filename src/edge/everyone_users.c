/* SPDX-License-Identifier: ISC */
/*
 * Everybody whom users/ names.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "core/sort.h"
#include "edge/reader.h"
#include "edge/words.h"

/* A file that is unsafe or cannot be read costs its own user only. */
static int
take_user_file(struct mk_reader *rd, const struct mk_dir *dir,
    const char *name, struct mk_roll_user *user)
{
	struct mk_asked ask = mk_reader_ask(rd, user);
	struct mk_why why;
	int r;

	ask.encoded = name;
	ask.encoded_len = strlen(name);
	ask.teller = &rd->teller;
	r = mk_users_take(&ask, dir, &why);
	r = mk_reader_take(rd, user, &ask, r, &why);
	if (r != MK_OK)
		rd->teller.tell(rd, &why);
	return MK_OK;
}

static void
pass_user_file(const struct mk_reader *rd, const char *name,
    const struct mk_roll_user *user)
{
	char path[sizeof(MK_USERSDIR "/") + MK_USERFILE_NAME];
	const struct mk_where where = { path, 0 };

	(void)snprintf(path, sizeof(path), MK_USERSDIR "/%s", name);
	mk_reader_pass(rd, user, "users", &where);
}

/*
 * A file under a name that is no encoding, or not the one we write.  A
 * login meets it if that is her name as it stands, or her encoded one in
 * lower case; it cannot list the directory for others.
 */
static int
read_misnamed(struct mk_reader *rd, const struct mk_dir *dir,
    const char *name, char *raw, struct mk_why *why)
{
	char encoded[3 * MK_USERFILE_NAME + 1];
	struct mk_why reason;
	int r;

	mk_name_encode(raw, encoded);
	(void)mk_users_misnamed(dir, name, encoded, &reason);
	mk_name_lower(encoded);
	r = mk_reader_name(rd, name, why);
	if (r == MK_OK && strcmp(encoded, name) == 0)
		r = mk_reader_name(rd, raw, why);
	if (r == MK_OK)
		rd->teller.tell(rd, &reason);
	return r;
}

static int
read_user(struct mk_reader *rd, const struct mk_dir *dir, const char *name,
    struct mk_why *why)
{
	char raw[MK_USERFILE_NAME + 1], encoded[3 * MK_USERFILE_NAME + 1];
	struct mk_roll_user *user;
	int r;

	if (!mk_name_decode(name, raw))
		memcpy(raw, name, strlen(name) + 1);
	mk_name_encode(raw, encoded);
	if (strcmp(encoded, name) != 0)
		return read_misnamed(rd, dir, name, raw, why);
	r = mk_roll_user(&rd->roll, raw, &user, why);
	if (r != MK_OK)
		return r;
	if (!mk_reader_passes(rd, user))
		r = take_user_file(rd, dir, name, user);
	else
		pass_user_file(rd, name, user);
	/* A user of that very name would have to be written otherwise. */
	if (r == MK_OK && strcmp(raw, name) != 0)
		r = mk_reader_name(rd, name, why);
	return r;
}

struct names {
	char **name;
	size_t n, room;
};

static int
add_name(struct names *names, const char *name)
{
	size_t room = names->room == 0 ? 64 : 2 * names->room;
	char **more;

	if (names->n == names->room) {
		more = reallocarray(names->name, room, sizeof(*more));
		if (more == NULL)
			return -1;
		names->name = more;
		names->room = room;
	}
	names->name[names->n] = strdup(name);
	return names->name[names->n++] == NULL ? -1 : 0;
}

/*
 * The files of an open directory.  What begins with a dot is no encoding
 * but an editor's own, and what is longer than a name can be is nobody's.
 */
static int
list_names(DIR *d, struct names *names)
{
	const struct dirent *e;

	while (errno = 0, (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.' ||
		    strlen(e->d_name) > MK_USERFILE_NAME)
			continue;
		if (add_name(names, e->d_name) != 0)
			return -1;
	}
	return errno == 0 ? 0 : -1;
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* In the order of their names, so that each run has the same first line. */
static int
read_users_in(struct mk_reader *rd, const struct mk_dir *dir,
    struct mk_why *why)
{
	struct names names = { NULL, 0, 0 };
	DIR *d = NULL;
	size_t i;
	int fd, r;

	fd = openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		d = fdopendir(fd);
	if (d == NULL || list_names(d, &names) != 0) {
		r = mk_fail(why, MK_E_SYSTEM, "identity",
		    "cannot list '%s': %s", dir->path, strerror(errno));
		goto out;
	}
	mk_sort(names.name, names.n, sizeof(*names.name), compare_names);
	r = MK_OK;
	for (i = 0; r == MK_OK && i < names.n; i++)
		r = read_user(rd, dir, names.name[i], why);
out:
	for (i = 0; i < names.n; i++)
		free(names.name[i]);
	free(names.name);
	if (d != NULL)
		closedir(d);
	else if (fd >= 0)
		close(fd);
	return r;
}

int
mk_reader_users(struct mk_reader *rd, struct mk_why *why)
{
	struct mk_dir dir;
	int r;

	rd->source++;
	r = mk_dir_open(rd->root, MK_USERSDIR, MK_OWNED_BY_ROOT, &dir, why);
	if (r == MK_E_ABSENT)
		return MK_OK;
	if (r != MK_OK)
		return r;
	r = read_users_in(rd, &dir, why);
	mk_dir_close(&dir);
	return r;
}
