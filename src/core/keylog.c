/* SPDX-License-Identifier: ISC */
/*
 * A line is known by its key, "type base64", which has one spelling, and
 * its device.  Old keys stay where they stand in the old bytes; a line of
 * them is only judged, never decoded for good.
 */
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/base64.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/keylog.h"
#include "core/sort.h"
#include "core/sshsig.h"
#include "core/timestamp.h"
#include "core/verify.h"

#define STAGE		"keys"
#define LINE_ARENA	(64u << 10)	/* to judge one key */
#define PROOFS_MAX	512u		/* judged at once; the rest later */

/* The file on its way. */
struct keylog {
	struct mk_arena *arena;
	const struct mk_keylog *log;
	int64_t now;			/* or MK_TIME_NONE */
	struct mk_keylog_line *lines;
	size_t n;
	const struct mk_keylog_line **sorted;	/* the old ones */
	size_t n_sorted;
	unsigned proofs;		/* judged */
	struct mk_why *why;
};

static int
damaged(unsigned number, struct mk_why *why)
{
	return mk_fail(why, MK_E_SYSTEM, STAGE,
	    "the list of keys seen is damaged at line %u", number);
}

/* The text up to the next space, which is stepped over; the last is 'n'. */
static bool
next_word(struct mk_text *rest, struct mk_text *ret_word)
{
	const char *space;

	if (rest->len == 0)
		return false;
	space = memchr(rest->s, ' ', rest->len);
	if (space == NULL)
		return false;
	*ret_word = (struct mk_text){ rest->s, (size_t)(space - rest->s) };
	rest->s += ret_word->len + 1;
	rest->len -= ret_word->len + 1;
	return true;
}

static bool
read_time(const struct mk_text *word, int64_t *ret_t)
{
	if (word->len == 1 && word->s[0] == '-') {
		*ret_t = MK_TIME_NONE;
		return true;
	}
	return mk_time_parse(word->s, word->len, ret_t);
}

static bool
text_is(const struct mk_text *text, const char *want)
{
	return text->len == strlen(want) &&
	    memcmp(text->s, want, text->len) == 0;
}

/* "type base64 device first-seen last-seen proof" */
static bool
read_words(struct mk_text rest, struct mk_keylog_line *line)
{
	struct mk_text type, base64, device, first, last;

	if (!next_word(&rest, &type) || !next_word(&rest, &base64) ||
	    !next_word(&rest, &device) || !next_word(&rest, &first) ||
	    !next_word(&rest, &last))
		return false;
	line->text = type.s;
	line->len = type.len + 1 + base64.len;
	line->proof = text_is(&rest, "yes");
	return (line->proof || text_is(&rest, "no")) &&
	    mk_udf_parse(device.s, device.len, &line->device) &&
	    mk_udf_type(&line->device) == MK_UDF_KEY &&
	    read_time(&first, &line->first) &&
	    read_time(&last, &line->last);
}

/* A key of the file has the form that the set gave it. */
static bool
show_line(const struct mk_keylog_line *line,
    const struct mk_keylog_reader *reader)
{
	struct mk_sshkey key;
	struct mk_arena own;
	int r;

	mk_arena_init(&own, LINE_ARENA);
	r = mk_sshkey_parse_text(&own, line->text, line->len, &key, NULL);
	if (r == 0)
		reader->see(reader->arg, line, &key);
	mk_arena_release(&own);
	return r == 0;
}

int
mk_keylog_each(const struct mk_bytes *file,
    const struct mk_keylog_reader *reader, struct mk_why *why)
{
	struct mk_text left = { (const char *)file->data, file->len }, text;
	struct mk_keylog_line line = { .number = 0 };
	const char *lf;

	if (file->len > MK_KEYLOG_BYTES)
		return mk_fail(why, MK_E_SYSTEM, STAGE, "the list of keys "
		    "seen is damaged: over %u bytes", MK_KEYLOG_BYTES);
	while (left.len > 0) {
		if (line.number++ == MK_KEYLOG_MAX)
			return damaged(line.number, why);
		lf = memchr(left.s, '\n', left.len);
		if (lf == NULL)
			return damaged(line.number, why);
		text = (struct mk_text){ left.s, (size_t)(lf - left.s) };
		left.s += text.len + 1;
		left.len -= text.len + 1;
		if (!read_words(text, &line) || !show_line(&line, reader))
			return damaged(line.number, why);
	}
	return 0;
}

/* There is room for all that mk_keylog_each() shows. */
static void
take_old(void *arg, const struct mk_keylog_line *line,
    const struct mk_sshkey *key)
{
	struct keylog *k = arg;

	(void)key;
	k->lines[k->n++] = *line;
}

static int
read_old(struct keylog *k)
{
	const struct mk_keylog_reader reader = { take_old, k };

	return mk_keylog_each(&k->log->old, &reader, k->why);
}

static int
compare(const void *a, const void *b)
{
	const struct mk_keylog_line *const *first = a, *x = *first;
	const struct mk_keylog_line *const *second = b, *y = *second;
	int c;

	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	c = memcmp(x->text, y->text, x->len);
	return c != 0 ? c : mk_udf_cmp(&x->device, &y->device);
}

static int
sort_old(struct keylog *k)
{
	const struct mk_keylog_line *x, *y;
	size_t i;

	k->sorted = mk_arena_array(k->arena, k->n, sizeof(*k->sorted));
	if (k->sorted == NULL)
		return mk_arena_fail(k->arena, k->why);
	k->n_sorted = k->n;
	for (i = 0; i < k->n; i++)
		k->sorted[i] = &k->lines[i];
	mk_sort(k->sorted, k->n, sizeof(*k->sorted), compare);
	for (i = 1; i < k->n; i++) {
		x = k->sorted[i - 1];
		y = k->sorted[i];
		if (compare(&x, &y) == 0)
			return damaged(x->number > y->number ?
			    x->number : y->number, k->why);
	}
	return 0;
}

/* The old line of this key and device, or NULL. */
static struct mk_keylog_line *
find(const struct keylog *k, const struct mk_keylog_line *line)
{
	const struct mk_keylog_line *const *found;

	if (k->n_sorted == 0)
		return NULL;
	found = bsearch(&line, k->sorted, k->n_sorted, sizeof(*k->sorted),
	    compare);
	return found == NULL ? NULL : &k->lines[(*found)->number - 1];
}

/* "type base64" of a key, in the arena. */
static int
spell(const struct keylog *k, const struct mk_sshkey *key,
    struct mk_keylog_line *line)
{
	size_t base64 = MK_B64STD_LEN(key->len);
	char *s;

	line->len = key->name_len + 1 + base64;
	s = mk_arena_alloc(k->arena, line->len);
	if (s == NULL)
		return mk_arena_fail(k->arena, k->why);
	memcpy(s, key->name, key->name_len);
	s[key->name_len] = ' ';
	mk_b64std_encode(key->blob, key->len, s + key->name_len + 1);
	line->text = s;
	return 0;
}

/* One key of the set: its line gets a time, or it gets a line. */
static int
see(struct keylog *k, const struct mk_ssh_device *d, size_t *left_out)
{
	struct mk_keylog_line new = { .device = d->device,
	    .first = k->now }, *line;
	int r;

	if ((r = spell(k, &d->key, &new)) != 0)
		return r;
	line = find(k, &new);
	if (line == NULL && k->n == MK_KEYLOG_MAX) {
		(*left_out)++;
		return 0;
	}
	if (line == NULL) {
		line = &k->lines[k->n++];
		*line = new;
	}
	/* A clock that cannot be written down is no news of the key. */
	if (k->now != MK_TIME_NONE || line->number == 0)
		line->last = k->now;
	/* A wrong one is judged each time: it must not cost seconds. */
	line->proof = line->proof ||
	    (k->proofs++ < PROOFS_MAX &&
	    mk_proof_verify(&k->log->view->udf, d));
	return 0;
}

static int
see_all(struct keylog *k, size_t *ret_left_out)
{
	const struct mk_verified_view *view = k->log->view;
	size_t i;
	int r;

	for (i = 0; i < view->n_keys; i++) {
		/* A host logs in nowhere; the unlisted left long ago. */
		if (view->keys[i].verdict == MK_KEY_HOST ||
		    view->keys[i].verdict == MK_KEY_NOT_LISTED)
			continue;
		if ((r = see(k, view->keys[i].ssh, ret_left_out)) != 0)
			return r;
	}
	return 0;
}

static void
put_line(const struct mk_keylog_line *line, struct mk_buf *out)
{
	char udf[MK_UDF_TEXT + 1], t[MK_TIME_LEN + 1];

	mk_buf_put(out, line->text, line->len);
	mk_buf_putc(out, ' ');
	mk_udf_format(&line->device, udf);
	mk_buf_puts(out, udf);
	mk_buf_putc(out, ' ');
	mk_time_format(line->first, t);
	mk_buf_puts(out, t);
	mk_buf_putc(out, ' ');
	mk_time_format(line->last, t);
	mk_buf_puts(out, t);
	mk_buf_puts(out, line->proof ? " yes\n" : " no\n");
}

/* A clock outside the years of the form counts as none. */
static int64_t
writable(int64_t now)
{
	char t[MK_TIME_LEN + 1];

	mk_time_format(now, t);
	return t[0] == '?' ? MK_TIME_NONE : now;
}

int
mk_keylog_update(struct mk_arena *a, const struct mk_keylog *log,
    struct mk_buf *out, size_t *ret_left_out, struct mk_why *why)
{
	struct keylog k = { .arena = a, .log = log, .why = why,
	    .now = writable(log->now) };
	size_t left_out = 0, i;
	int r;

	k.lines = mk_arena_array(a, MK_KEYLOG_MAX, sizeof(*k.lines));
	if (k.lines == NULL)
		return mk_arena_fail(a, why);
	if ((r = read_old(&k)) != 0 ||
	    (r = sort_old(&k)) != 0 ||
	    (r = see_all(&k, &left_out)) != 0)
		return r;
	for (i = 0; i < k.n; i++)
		put_line(&k.lines[i], out);
	if ((r = mk_buf_check(out, why, STAGE)) == 0)
		*ret_left_out = left_out;
	return r;
}
