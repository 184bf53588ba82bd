/* SPDX-License-Identifier: ISC */
#include "edge/map_lines.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "core/limits.h"
#include "edge/judge.h"
#include "edge/source.h"
#include "edge/temp.h"
#include "edge/words.h"

bool
mk_text_next(const struct mk_file *file, size_t *at,
    struct mk_text_line *ret_line)
{
	const char *s = (const char *)file->data + *at, *lf;
	size_t left = file->len - *at;

	if (left == 0)
		return false;
	lf = memchr(s, '\n', left);
	ret_line->s = s;
	ret_line->len = lf == NULL ? left : (size_t)(lf - s);
	ret_line->whole = ret_line->len + (lf != NULL);
	*at += ret_line->whole;
	return true;
}

bool
mk_text_entry(const struct mk_text_line *line, bool in_map,
    struct mk_text_entry *ret_entry)
{
	const struct mk_where where = { "", 0 };
	struct mk_text_entry entry = { .denied = false };
	char *copy = strndup(line->s, line->len), *word;
	struct mk_words words;
	struct mk_why why;
	bool content = true;

	if (copy == NULL)
		return false;
	if (strlen(copy) == line->len &&
	    mk_line_split(copy, line->len, &where, &words, &why) == MK_OK) {
		content = words.n > 0;
		word = words.n > (in_map ? 1 : 0) ? words.word[in_map] : "";
		entry.denied = strcmp(word, "-") == 0;
		entry.has_udf = mk_udf_parse_typed(word, strlen(word),
		    &entry.udf);
	}
	free(copy);
	if (content)
		*ret_entry = entry;
	return content;
}

int
mk_text_check(const struct mk_root *root, const char *path,
    const struct mk_file *file, struct mk_why *why)
{
	const char *q = *mk_path_quote(root->name) != '\0' ?
	    mk_path_quote(root->name) : mk_path_quote(path);
	struct mk_text_line line;
	unsigned number = 0;
	size_t at = 0;

	if (file->len >= 3 && memcmp(file->data, "\xef\xbb\xbf", 3) == 0)
		return mk_fail(why, MK_E_CONFIG, "map",
		    "%s%s:1: a byte order mark; run: "
		    "sed -i '1s/^\\xef\\xbb\\xbf//' %s%s%s%s", root->name,
		    path, q, root->name, path, q);
	while (mk_text_next(file, &at, &line)) {
		number++;
		if (line.len > 0 && line.s[line.len - 1] == '\r')
			return mk_fail(why, MK_E_CONFIG, "map",
			    "%s%s:%u: DOS line end; run: "
			    "sed -i 's/\\r$//' %s%s%s%s", root->name, path,
			    number, q, root->name, path, q);
	}
	return MK_OK;
}

struct mk_dir
mk_map_edit_dir(const struct mk_map_edit *edit)
{
	const struct mk_dir dir = { edit->root, MK_CONFDIR, edit->dir,
	    edit->owner };

	return dir;
}

static int
make_failed(const char *name, struct mk_why *why)
{
	return mk_fail(why, errno == EACCES || errno == EPERM ? MK_E_PERM :
	    MK_E_SYSTEM, "map", "cannot make '" MK_CONFDIR "/%s': %s", name,
	    strerror(errno));
}

int
mk_map_edit_mkdirat(int dir, const char *name)
{
	/* The mask of who runs us would keep the helper out. */
	const mode_t mask = umask(022);
	int r = mkdirat(dir, name, 0755);

	(void)umask(mask);
	return r;
}

int
mk_map_edit_mkdir(const struct mk_map_edit *edit, const char *name,
    struct mk_why *why)
{
	int fd;

	if (mk_map_edit_mkdirat(edit->dir, name) != 0)
		return errno == EEXIST ? MK_OK : make_failed(name, why);
	fd = openat(edit->dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC);
	if (fd == -1 ||
	    (geteuid() == 0 && fchown(fd, edit->owner, -1) != 0) ||
	    fsync(edit->dir) != 0) {
		(void)make_failed(name, why);
		if (fd != -1)
			close(fd);
		return why->code;
	}
	close(fd);
	return MK_OK;
}

int
mk_map_edit_users(const struct mk_map_edit *edit, bool make,
    struct mk_dir *ret_dir, struct mk_why *why)
{
	int r;

	if (make && (r = mk_map_edit_mkdir(edit, "users", why)) != MK_OK)
		return r;
	r = mk_dir_open(edit->root, MK_USERSDIR, MK_OWNED_BY_ROOT, ret_dir,
	    why);
	if (r == MK_OK)
		mk_temp_sweep(ret_dir->fd);
	return r;
}

int
mk_map_edit_read(const struct mk_dir *dir, const char *name,
    struct mk_file *ret_file, struct mk_why *why)
{
	const bool in_users = strcmp(dir->path, MK_USERSDIR) == 0;
	char path[MK_MAP_PATH_MAX];
	struct mk_file file;
	int r;

	r = mk_dir_read(dir, name, in_users ? MK_USERFILE_MAX : MK_MAP_MAX,
	    &file, why);
	if (r == MK_E_TOOBIG)
		r = why->code = MK_E_CONFIG;
	if (r != MK_OK)
		return r;
	(void)snprintf(path, sizeof(path), "%s/%s", dir->path, name);
	r = mk_text_check(dir->root, path, &file, why);
	if (r == MK_OK)
		*ret_file = file;
	else
		mk_file_release(&file);
	return r;
}
