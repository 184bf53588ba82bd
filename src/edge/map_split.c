/* SPDX-License-Identifier: ISC */
/*
 * From the map to users/.  The new files are written into a directory of
 * their own and synced together, since 100,000 times one file would take
 * minutes; then each is renamed into users/, where the same lines of the
 * map stop to count without being missed, and at last the map is replaced.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "core/limits.h"
#include "core/sort.h"
#include "edge/identity.h"
#include "edge/judge.h"
#include "edge/map_lines.h"
#include "edge/source.h"
#include "edge/temp.h"
#include "edge/words.h"

#define STAGE	".mk-split"	/* no name of the map's, nor of users/ */

/* A line on its way: the comments above it, and what is behind its user. */
struct move {
	char *name;		/* of the file; malloc'd */
	size_t number;
	struct mk_text_line comments;	/* len alone counts */
	struct mk_text_line rest;
};

struct split {
	struct mk_map_edit *edit;
	struct mk_file map;
	struct mk_dir users;
	int stage;		/* -1: not open */
	struct move *moves;
	size_t n, room;
	struct mk_buf left;	/* what stays in the map */
};

static int
split_failed(const char *what, struct mk_why *why)
{
	return mk_fail(why, errno == EACCES || errno == EPERM ? MK_E_PERM :
	    MK_E_SYSTEM, "map", "cannot %s: %s", what, strerror(errno));
}

static int
no_memory(struct mk_why *why)
{
	return mk_fail(why, MK_E_SYSTEM, "map", "out of memory");
}

/* The user of a good line, encoded; malloc'd. */
static int
read_user(const struct mk_text_line *line, const struct mk_where *where,
    char **ret_name, struct mk_why *why)
{
	char *copy = strndup(line->s, line->len), *name = NULL;
	struct mk_words words;
	int r;

	if (copy == NULL)
		return no_memory(why);
	r = mk_map_split(copy, line->len, where, &words, why);
	if (r == MK_OK && words.n < 2)
		r = mk_fail(why, MK_E_CONFIG, "map",
		    "%s%s:%u: no fingerprint", mk_where_root(where),
		    where->path, where->line);
	if (r == MK_OK && (!mk_name_decode(words.word[0], copy) ||
	    copy[0] == '\0' || strlen(copy) > MK_USERNAME_MAX))
		r = mk_fail(why, MK_E_CONFIG, "map",
		    "%s%s:%u: not a user name", mk_where_root(where),
		    where->path, where->line);
	if (r == MK_OK && (name = malloc(3 * strlen(copy) + 1)) == NULL)
		r = no_memory(why);
	if (r == MK_OK) {
		mk_name_encode(copy, name);
		*ret_name = name;
	}
	free(copy);
	return r;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Behind the first word of a line that the splitter takes. */
static struct mk_text_line
behind_user(const struct mk_text_line *line)
{
	const char *p = line->s, *end = p + line->len;
	struct mk_text_line rest;
	bool quoted = false;

	while (p < end && is_blank(*p))
		p++;
	for (; p < end && (quoted || !is_blank(*p)); p++) {
		if (*p == '"')
			quoted = !quoted;
		if (*p == '\\' && p + 1 < end)
			p++;
	}
	while (p < end && is_blank(*p))
		p++;
	rest.s = p;
	rest.len = rest.whole = (size_t)(end - p);
	return rest;
}

static int
add_move(struct split *split, const struct move *move, struct mk_why *why)
{
	size_t room = split->room == 0 ? 64 : 2 * split->room;
	struct move *more;

	if (split->n == split->room) {
		more = reallocarray(split->moves, room, sizeof(*more));
		if (more == NULL)
			return no_memory(why);
		split->moves = more;
		split->room = room;
	}
	split->moves[split->n++] = *move;
	return MK_OK;
}

/* One line that names a user, the comments above it in 'move'. */
static int
take_line(struct split *split, const struct mk_text_line *line,
    struct move *move, const struct mk_where *where, struct mk_why *why)
{
	int r;

	if ((r = read_user(line, where, &move->name, why)) != MK_OK)
		return r;
	if (strlen(move->name) > MK_USERFILE_NAME) {
		free(move->name);
		mk_buf_put(&split->left, move->comments.s,
		    move->comments.len);
		mk_buf_put(&split->left, line->s, line->whole);
		return MK_OK;
	}
	move->number = where->line;
	move->rest = behind_user(line);
	if ((r = add_move(split, move, why)) != MK_OK)
		free(move->name);
	return r;
}

/* Comments belong to the line right below them. */
static int
take_map(struct split *split, struct mk_why *why)
{
	struct mk_where where = { MK_MAPFILE, 0,
	    split->edit->root->name };
	struct move move = { NULL };
	struct mk_map_names names;
	struct mk_text_line line;
	size_t at = 0;
	int r;

	while (mk_text_next(&split->map, &at, &line)) {
		where.line++;
		if (mk_map_names(line.s, line.len, &names)) {
			r = take_line(split, &line, &move, &where, why);
			if (r != MK_OK)
				return r;
			move.comments.len = 0;
			continue;
		}
		if (memchr(line.s, '#', line.len) != NULL) {
			if (move.comments.len == 0)
				move.comments.s = line.s;
			move.comments.len += line.whole;
			continue;
		}
		mk_buf_put(&split->left, move.comments.s, move.comments.len);
		mk_buf_put(&split->left, line.s, line.whole);
		move.comments.len = 0;
	}
	mk_buf_put(&split->left, move.comments.s, move.comments.len);
	return mk_buf_check(&split->left, why, "map");
}

static int
compare_moves(const void *a, const void *b)
{
	const struct move *x = a, *y = b;
	int d = strcmp(x->name, y->name);

	return d != 0 ? d : (x->number > y->number) - (x->number < y->number);
}

/* How many lines from 'i' on are of one user. */
static size_t
group_of(const struct split *split, size_t i)
{
	size_t n = 1;

	while (i + n < split->n &&
	    strcmp(split->moves[i].name, split->moves[i + n].name) == 0)
		n++;
	return n;
}

static void
put_group(const struct split *split, size_t i, size_t n, struct mk_buf *out)
{
	const struct move *m = &split->moves[i];

	for (; n > 0; m++, n--) {
		mk_buf_put(out, m->comments.s, m->comments.len);
		mk_buf_put(out, m->rest.s, m->rest.len);
		mk_buf_putc(out, '\n');
	}
}

/*
 * A file that is there must be what a split before this one has written and
 * could not end: else it says who she is, and the map does not.
 */
static int
compare_old(const struct split *split, const char *name,
    const struct mk_buf *text, bool *ret_there, struct mk_why *why)
{
	struct mk_file old;
	int r;

	*ret_there = false;
	r = mk_map_edit_read(&split->users, name, &old, why);
	if (r == MK_E_ABSENT)
		return MK_OK;
	if (r != MK_OK)
		return r;
	*ret_there = old.len == text->len &&
	    memcmp(old.data, text->data, old.len) == 0;
	mk_file_release(&old);
	if (*ret_there)
		return MK_OK;
	return mk_fail(why, MK_E_REFUSED, "map", "nothing was moved: '"
	    MK_USERSDIR "/%s' is there already, with other lines than the "
	    "map; remove one of the two", name);
}

static int
stage_group(const struct split *split, size_t i, size_t n,
    struct mk_why *why)
{
	const struct mk_target target = { .dir = split->stage,
	    .path = MK_CONFDIR "/" STAGE, .name = split->moves[i].name,
	    .mode = 0644, .owner = geteuid() == 0 ? split->edit->owner :
	    MK_UID_NONE };
	struct mk_content content = { .mtime = -1, .sync = MK_SYNC_NEVER };
	struct mk_buf text;
	bool there;
	int r;

	mk_buf_init(&text, MK_USERFILE_MAX);
	put_group(split, i, n, &text);
	r = mk_buf_check(&text, why, "map");
	if (r == MK_OK)
		r = compare_old(split, target.name, &text, &there, why);
	content.data = (const uint8_t *)text.data;
	content.len = text.len;
	if (r == MK_OK && !there)
		r = mk_temp_replace(&target, &content, why);
	mk_buf_release(&text);
	return r;
}

/* All of it on the disk before a name of it counts. */
static int
stage_all(const struct split *split, size_t *ret_users, struct mk_why *why)
{
	size_t i, n, users = 0;
	int r;

	for (i = 0; i < split->n; i += n, users++) {
		n = group_of(split, i);
		if ((r = stage_group(split, i, n, why)) != MK_OK)
			return r;
	}
	if (syncfs(split->stage) != 0)
		return split_failed("sync '" MK_CONFDIR "'", why);
	*ret_users = users;
	return MK_OK;
}

static int
move_all(const struct split *split, struct mk_why *why)
{
	const char *name;
	size_t i;

	for (i = 0; i < split->n; i += group_of(split, i)) {
		name = split->moves[i].name;
		if (renameat(split->stage, name, split->users.fd, name) != 0
		    && errno != ENOENT)
			return split_failed("move files to '" MK_USERSDIR
			    "'", why);
	}
	if (fsync(split->users.fd) != 0)
		return split_failed("sync '" MK_USERSDIR "'", why);
	return MK_OK;
}

/* What a split that was interrupted has left; it never counted. */
static int
clear_stage(int fd, struct mk_why *why)
{
	const struct dirent *e;
	int copy = dup(fd), r = MK_OK;
	DIR *d = copy == -1 ? NULL : fdopendir(copy);

	if (d == NULL) {
		if (copy != -1)
			close(copy);
		return split_failed("list '" MK_CONFDIR "/" STAGE "'", why);
	}
	rewinddir(d);
	while (r == MK_OK && (e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") != 0 &&
		    strcmp(e->d_name, "..") != 0 &&
		    unlinkat(fd, e->d_name, 0) != 0)
			r = split_failed("empty '" MK_CONFDIR "/" STAGE "'",
			    why);
	}
	closedir(d);
	return r;
}

static int
open_stage(struct split *split, struct mk_why *why)
{
	int r;

	r = mk_map_edit_mkdir(split->edit, STAGE, why);
	if (r != MK_OK)
		return r;
	split->stage = openat(split->edit->dir, STAGE,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (split->stage == -1)
		return split_failed("open '" MK_CONFDIR "/" STAGE "'", why);
	return clear_stage(split->stage, why);
}

static void
close_stage(struct split *split)
{
	struct mk_why why;

	if (split->stage == -1)
		return;
	(void)clear_stage(split->stage, &why);
	(void)unlinkat(split->edit->dir, STAGE, AT_REMOVEDIR);
	close(split->stage);
}

static int
replace_map(const struct split *split, struct mk_why *why)
{
	const struct mk_content content = {
	    .data = (const uint8_t *)split->left.data,
	    .len = split->left.len, .mtime = -1, .sync = MK_SYNC };
	const struct mk_dir dir = mk_map_edit_dir(split->edit);

	return mk_dir_replace(&dir, "map", &content, why);
}

static int
do_split(struct split *split, size_t *ret_n, struct mk_why *why)
{
	size_t users;
	int r;

	if ((r = take_map(split, why)) != MK_OK)
		return r;
	mk_sort(split->moves, split->n, sizeof(*split->moves),
	    compare_moves);
	if ((r = mk_map_edit_users(split->edit, true, &split->users,
	    why)) != MK_OK ||
	    (r = open_stage(split, why)) != MK_OK ||
	    (r = stage_all(split, &users, why)) != MK_OK ||
	    (r = move_all(split, why)) != MK_OK ||
	    (r = replace_map(split, why)) != MK_OK)
		return r;
	*ret_n = users;
	return MK_OK;
}

int
mk_map_split_up(struct mk_map_edit *edit, size_t *ret_n, struct mk_why *why)
{
	struct split split = { .edit = edit, .users = { .fd = -1 },
	    .stage = -1 };
	const struct mk_dir dir = mk_map_edit_dir(edit);
	size_t i;
	int r;

	r = mk_map_edit_read(&dir, "map", &split.map, why);
	if (r == MK_E_ABSENT) {
		*ret_n = 0;
		return MK_OK;
	}
	if (r != MK_OK)
		return r;
	mk_buf_init(&split.left, split.map.len + 1);
	r = do_split(&split, ret_n, why);
	close_stage(&split);
	mk_dir_close(&split.users);
	for (i = 0; i < split.n; i++)
		free(split.moves[i].name);
	free(split.moves);
	mk_buf_release(&split.left);
	mk_file_release(&split.map);
	return r;
}
