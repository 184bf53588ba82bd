/* SPDX-License-Identifier: ISC */
/*
 * The files that are edited, read and written whole.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "core/limits.h"
#include "edge/identity.h"
#include "edge/map_lines.h"
#include "edge/source.h"

void
mk_map_place_release(struct mk_map_place *p)
{
	mk_file_release(&p->file);
	if (p->in_users)
		mk_dir_close(&p->dir);
}

int
mk_map_place_read(struct mk_map_place *p, struct mk_why *why)
{
	int r = mk_map_edit_read(&p->dir, p->name, &p->file, why);

	return r == MK_E_ABSENT ? MK_OK : r;
}

int
mk_map_place_write(const struct mk_map_place *p, const void *data, size_t len,
    struct mk_why *why)
{
	const struct mk_content content = { .data = data, .len = len,
	    .mtime = -1, .sync = MK_SYNC };

	return mk_dir_replace(&p->dir, p->name, &content, why);
}

int
mk_map_place_unlink(const struct mk_map_place *p, struct mk_why *why)
{
	if ((unlinkat(p->dir.fd, p->name, 0) == 0 || errno == ENOENT) &&
	    fsync(p->dir.fd) == 0)
		return MK_OK;
	return mk_fail(why, errno == EACCES || errno == EPERM ? MK_E_PERM :
	    MK_E_SYSTEM, "map", "cannot remove '%s/%s': %s", p->dir.path,
	    p->name, strerror(errno));
}

struct mk_map_place
mk_map_place(const struct mk_map_edit *edit)
{
	struct mk_map_place p = { .dir = mk_map_edit_dir(edit), .name = "map" };

	return p;
}

int
mk_map_place_user(const struct mk_map_edit *edit, const char *name,
    struct mk_map_place *ret_place, struct mk_why *why)
{
	struct mk_map_place p = { .in_users = true };
	int r;

	if (strlen(name) > MK_USERFILE_NAME)
		return MK_E_ABSENT;
	memcpy(p.name, name, strlen(name) + 1);
	r = mk_map_edit_users(edit, false, &p.dir, why);
	if (r != MK_OK)
		return r;
	if ((r = mk_map_place_read(&p, why)) == MK_OK)
		*ret_place = p;
	else
		mk_map_place_release(&p);
	return r;
}

bool
mk_map_place_hers(const struct mk_map_place *p, const struct mk_text_line *line,
    const char *user)
{
	struct mk_map_names names;
	unsigned i;

	if (p->in_users)
		return true;
	if (!mk_map_names(line->s, line->len, &names))
		return false;
	for (i = 0; i < names.n; i++) {
		if (strcmp(names.name[i], user) == 0)
			return true;
	}
	return false;
}

int
mk_map_encode(const char *user, char **ret_encoded, struct mk_why *why)
{
	const size_t len = strlen(user);
	char *encoded;

	if (len == 0 || len > MK_USERNAME_MAX ||
	    strpbrk(user, ":\n") != NULL)
		return mk_fail(why, MK_E_USAGE, "user", "a user name has 1 "
		    "to %u bytes, and neither a colon nor a line feed",
		    MK_USERNAME_MAX);
	encoded = malloc(3 * len + 1);
	if (encoded == NULL)
		return mk_fail(why, MK_E_SYSTEM, "map", "out of memory");
	mk_name_encode(user, encoded);
	*ret_encoded = encoded;
	return MK_OK;
}
