/* SPDX-License-Identifier: ISC */
#include "edge/map_edit.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "core/limits.h"
#include "edge/home.h"
#include "edge/identity.h"
#include "edge/judge.h"
#include "edge/map_lines.h"
#include "edge/source.h"

static int
no_memory(struct mk_why *why)
{
	return mk_fail(why, MK_E_SYSTEM, "map", "out of memory");
}

/* Its parent must be there, and is not reached through a link. */
static int
make_confdir(const struct mk_root *root, struct mk_why *why)
{
	char parent[] = MK_CONFDIR, *name = strrchr(parent, '/');
	int fd, made, r = MK_OK;

	*name++ = '\0';
	fd = mk_root_openat(root, parent[0] == '\0' ? "/" : parent,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC, RESOLVE_NO_SYMLINKS);
	if (fd == -1 && errno == ENOENT)
		return mk_fail(why, MK_E_CONFIG, "map", "there is no '%s%s' "
		    "to make '" MK_CONFDIR "' in", root->name, parent);
	if (fd == -1)
		return mk_open_fail(errno, parent, why);
	made = mk_map_edit_mkdirat(fd, name);
	if ((made != 0 && errno != EEXIST) || (made == 0 && fsync(fd) != 0))
		r = mk_fail(why, errno == EACCES || errno == EPERM ?
		    MK_E_PERM : MK_E_SYSTEM, "map", "cannot make '%s%s': %s",
		    root->name, MK_CONFDIR, strerror(errno));
	close(fd);
	return r;
}

/* The lock of a user's own directory does here as well: it is root's. */
static int
lock(struct mk_map_edit *edit, struct mk_why *why)
{
	struct mk_home home = { .fd = edit->dir, .lock = -1 };
	struct mk_why reason;
	int r;

	if (asprintf(&home.path, "%s%s", edit->root->name, MK_CONFDIR) == -1)
		return no_memory(why);
	r = mk_home_lock(&home, &reason);
	free(home.path);
	if (r != MK_OK)
		return mk_fail(why, r, "map", "%s", reason.detail);
	edit->lock = home.lock;
	return MK_OK;
}

int
mk_map_edit_open(const struct mk_root *root, bool make,
    struct mk_map_edit *ret_edit, struct mk_why *why)
{
	struct mk_map_edit edit = { .root = root, .lock = -1, .dir = -1 };
	struct mk_dir dir;
	int r;

	if (make && (r = make_confdir(root, why)) != MK_OK)
		return r;
	r = mk_dir_open(root, MK_CONFDIR, MK_OWNED_BY_ROOT, &dir, why);
	if (r != MK_OK)
		return r;
	edit.dir = dir.fd;
	edit.owner = dir.owner;
	if ((r = lock(&edit, why)) == MK_OK)
		*ret_edit = edit;
	else
		mk_map_edit_close(&edit);
	return r;
}

void
mk_map_edit_close(struct mk_map_edit *edit)
{
	mk_file_release(&edit->before);
	edit->before.data = NULL;
	if (edit->lock >= 0)
		close(edit->lock);
	if (edit->dir >= 0)
		close(edit->dir);
	edit->lock = edit->dir = -1;
}

/* Of a map that was split nothing is left but comments. */
static bool
names_anybody(const struct mk_map_place *map)
{
	struct mk_map_names names;
	struct mk_text_line line;
	size_t at = 0;

	while (map->file.data != NULL &&
	    mk_text_next(&map->file, &at, &line)) {
		if (mk_map_names(line.s, line.len, &names))
			return true;
	}
	return false;
}

/* Where a line of hers goes. */
static int
find_place(const struct mk_map_edit *edit, const char *encoded,
    struct mk_map_place *ret_place, struct mk_why *why)
{
	struct mk_map_place map = mk_map_place(edit), own;
	bool has_own;
	int r;

	r = mk_map_place_user(edit, encoded, &own, why);
	if (r != MK_OK && r != MK_E_ABSENT)
		return r;
	has_own = r == MK_OK;
	if (has_own && own.file.data != NULL) {
		*ret_place = own;
		return MK_OK;
	}
	r = mk_map_place_read(&map, why);
	if (r == MK_OK && has_own && !names_anybody(&map)) {
		mk_map_place_release(&map);
		*ret_place = own;
		return MK_OK;
	}
	if (has_own)
		mk_map_place_release(&own);
	if (r == MK_OK)
		*ret_place = map;
	return r;
}

static int
refuse_beside(const struct mk_map_place *p, unsigned number,
    const struct mk_map_entry *entry, struct mk_why *why)
{
	const char *root = p->dir.root->name;

	if (entry->udf == NULL)
		return mk_fail(why, MK_E_REFUSED, "map", "'%s' has a line "
		    "already, and a dash stands alone: %s%s/%s:%u",
		    entry->user, root, p->dir.path, p->name, number);
	return mk_fail(why, MK_E_REFUSED, "map", "'%s' has no Mesh keys by "
	    "order of the administrator: a dash in %s%s/%s:%u",
	    entry->user, root, p->dir.path, p->name, number);
}

/* Whether the line may stand beside those of hers that are there. */
static int
check_others(const struct mk_map_place *p, const struct mk_map_entry *entry,
    struct mk_why *why)
{
	struct mk_text_line line;
	struct mk_text_entry e;
	unsigned number = 0;
	size_t at = 0;

	while (p->file.data != NULL && mk_text_next(&p->file, &at, &line)) {
		number++;
		if (!mk_map_place_hers(p, &line, entry->user) ||
		    !mk_text_entry(&line, !p->in_users, &e))
			continue;
		if (e.has_udf && entry->udf != NULL &&
		    mk_udf_cmp(&e.udf, entry->udf) == 0)
			return mk_fail(why, MK_E_REFUSED, "map", "'%s' has "
			    "this fingerprint already: %s%s/%s:%u",
			    entry->user, p->dir.root->name, p->dir.path,
			    p->name, number);
		if (e.denied || entry->udf == NULL)
			return refuse_beside(p, number, entry, why);
	}
	return MK_OK;
}

/* With its quotes, so that the splitter gives the same word again. */
static int
put_option(struct mk_buf *out, const char *option, struct mk_why *why)
{
	const char *p;

	for (p = option; *p != '\0'; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return mk_fail(why, MK_E_USAGE, "map", "an option "
			    "with control character 0x%02x",
			    (unsigned char)*p);
	}
	mk_buf_putc(out, ' ');
	if (strpbrk(option, " \"\\#") == NULL) {
		mk_buf_puts(out, option);
		return MK_OK;
	}
	mk_buf_putc(out, '"');
	for (p = option; *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			mk_buf_putc(out, '\\');
		mk_buf_putc(out, *p);
	}
	mk_buf_putc(out, '"');
	return MK_OK;
}

static int
put_line(struct mk_buf *out, const char *encoded,
    const struct mk_map_entry *entry, struct mk_why *why)
{
	char udf[MK_UDF_TEXT + 1] = "-";
	size_t i;
	int r;

	if (entry->udf != NULL)
		mk_udf_format(entry->udf, udf);
	if (encoded != NULL) {
		mk_buf_puts(out, encoded);
		mk_buf_putc(out, ' ');
	}
	mk_buf_puts(out, udf);
	for (i = 0; i < entry->n_options; i++) {
		if ((r = put_option(out, entry->options[i], why)) != MK_OK)
			return r;
	}
	mk_buf_putc(out, '\n');
	return MK_OK;
}

static int
append(const struct mk_map_place *p, const char *encoded,
    const struct mk_map_entry *entry, struct mk_why *why)
{
	const size_t max = p->in_users ? MK_USERFILE_MAX : MK_MAP_MAX;
	struct mk_buf text;
	int r;

	mk_buf_init(&text, max);
	mk_buf_put(&text, p->file.data, p->file.len);
	if (p->file.len > 0 && p->file.data[p->file.len - 1] != '\n')
		mk_buf_putc(&text, '\n');
	r = put_line(&text, p->in_users ? NULL : encoded, entry, why);
	if (r == MK_OK)
		r = mk_buf_check(&text, why, "map");
	if (r == MK_OK)
		r = mk_map_place_write(p, text.data, text.len, why);
	mk_buf_release(&text);
	return r;
}

/* What was there, for mk_map_take_back(). */
static void
remember(struct mk_map_edit *edit, struct mk_map_place *p)
{
	(void)snprintf(edit->path, sizeof(edit->path), "%s/%s", p->dir.path,
	    p->name);
	mk_file_release(&edit->before);
	edit->before = p->file;
	p->file.data = NULL;
}

int
mk_map_add(struct mk_map_edit *edit, const struct mk_map_entry *entry,
    const char **ret_path, struct mk_why *why)
{
	struct mk_map_place p;
	char *encoded;
	int r;

	if ((r = mk_map_encode(entry->user, &encoded, why)) != MK_OK)
		return r;
	r = find_place(edit, encoded, &p, why);
	if (r == MK_OK) {
		r = check_others(&p, entry, why);
		if (r == MK_OK)
			r = append(&p, encoded, entry, why);
		if (r == MK_OK) {
			remember(edit, &p);
			*ret_path = edit->path;
		}
		mk_map_place_release(&p);
	}
	free(encoded);
	return r;
}

int
mk_map_take_back(struct mk_map_edit *edit, struct mk_why *why)
{
	const char *name = strrchr(edit->path, '/');
	struct mk_map_place p = mk_map_place(edit);
	int r;

	if (name == NULL)
		return mk_fail(why, MK_E_BUG, "map", "nothing was added");
	if (strcmp(edit->path, MK_MAPFILE) != 0) {
		r = mk_map_edit_users(edit, false, &p.dir, why);
		if (r != MK_OK)
			return r;
		p.in_users = true;
		(void)snprintf(p.name, sizeof(p.name), "%s", name + 1);
	}
	r = edit->before.data == NULL ? mk_map_place_unlink(&p, why) :
	    mk_map_place_write(&p, edit->before.data, edit->before.len, why);
	mk_map_place_release(&p);
	return r;
}

