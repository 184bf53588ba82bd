/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "edge/map_lines.h"
#include "edge/source.h"

/* What is to be taken out. */
struct removal {
	const char *user;
	const struct mk_udf *udf;	/* NULL: all */
	bool trial;			/* nothing is written */
	size_t n;			/* lines found so far */
};

/* The text without the lines; how many are left in a file of users/. */
static void
filter(const struct mk_map_place *p, struct removal *removal,
    struct mk_buf *text, size_t *ret_left)
{
	struct mk_text_line line;
	struct mk_text_entry e;
	size_t at = 0, left = 0;
	bool out;

	while (mk_text_next(&p->file, &at, &line)) {
		out = mk_map_place_hers(p, &line, removal->user) &&
		    mk_text_entry(&line, !p->in_users, &e) &&
		    (removal->udf == NULL || (e.has_udf &&
		    mk_udf_cmp(&e.udf, removal->udf) == 0));
		if (out)
			removal->n++;
		else
			mk_buf_put(text, line.s, line.whole);
		left += p->in_users && !out && mk_text_entry(&line, false, &e);
	}
	*ret_left = left;
}

/* A file of users/ decides by being there, so an empty one goes as well. */
static int
edit_place(const struct mk_map_place *p, struct removal *removal,
    struct mk_why *why)
{
	const size_t before = removal->n;
	struct mk_buf text;
	size_t left;
	int r;

	mk_buf_init(&text, p->file.len + 1);
	filter(p, removal, &text, &left);
	r = mk_buf_check(&text, why, "map");
	if (r != MK_OK || removal->trial) {
		mk_buf_release(&text);
		return r;
	}
	if (p->in_users && left == 0 &&
	    (removal->n > before || removal->udf == NULL)) {
		removal->n += removal->n == before;
		r = mk_map_place_unlink(p, why);
	} else if (removal->n > before) {
		r = mk_map_place_write(p, text.data, text.len, why);
	}
	mk_buf_release(&text);
	return r;
}

static int
remove_from_file(const struct mk_map_edit *edit, const char *name,
    struct removal *removal, struct mk_why *why)
{
	struct mk_map_place p;
	int r;

	r = mk_map_place_user(edit, name, &p, why);
	if (r != MK_OK)
		return r == MK_E_ABSENT ? MK_OK : r;
	if (p.file.data != NULL)
		r = edit_place(&p, removal, why);
	mk_map_place_release(&p);
	return r;
}

/* As map.c finds a file that is misnamed. */
static bool
is_other_file(const char *name, const char *encoded)
{
	return strcmp(name, encoded) != 0 && strchr(name, '/') == NULL &&
	    strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static int
remove_from_users(const struct mk_map_edit *edit, const char *encoded,
    struct removal *removal, struct mk_why *why)
{
	char *lower = strdup(encoded);
	int r;

	if (lower == NULL)
		return mk_fail(why, MK_E_SYSTEM, "map", "out of memory");
	mk_name_lower(lower);
	r = remove_from_file(edit, encoded, removal, why);
	if (r == MK_OK && is_other_file(removal->user, encoded))
		r = remove_from_file(edit, removal->user, removal, why);
	if (r == MK_OK && is_other_file(lower, encoded))
		r = remove_from_file(edit, lower, removal, why);
	free(lower);
	return r;
}

/*
 * The map first: what decides goes last, so that a crash in between lets
 * nobody in by a line that did not count before.
 */
static int
remove_everywhere(const struct mk_map_edit *edit, const char *encoded,
    struct removal *removal, struct mk_why *why)
{
	struct mk_map_place map = mk_map_place(edit);
	int r;

	r = mk_map_place_read(&map, why);
	if (r == MK_OK && map.file.data != NULL)
		r = edit_place(&map, removal, why);
	mk_map_place_release(&map);
	return r == MK_OK ? remove_from_users(edit, encoded, removal, why) :
	    r;
}

/* One place that cannot be edited keeps the others as they are. */
int
mk_map_remove(struct mk_map_edit *edit, const char *user,
    const struct mk_udf *udf, size_t *ret_n, struct mk_why *why)
{
	struct removal trial = { .user = user, .udf = udf, .trial = true };
	struct removal removal = { .user = user, .udf = udf };
	char *encoded;
	int r;

	if ((r = mk_map_encode(user, &encoded, why)) != MK_OK)
		return r;
	r = remove_everywhere(edit, encoded, &trial, why);
	if (r == MK_OK)
		r = remove_everywhere(edit, encoded, &removal, why);
	free(encoded);
	if (r == MK_OK)
		*ret_n = removal.n;
	return r;
}
