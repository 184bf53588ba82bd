/* SPDX-License-Identifier: ISC */
/*
 * The journal of changes: a line that says what it is, one for the state,
 * and one for each change, oldest first.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/err.h"
#include "edge/judge.h"
#include "edge/undo_impl.h"
#include "edge/words.h"

#define NAME		"journal"
#define MAGIC		"meshkeys-setup-undo"
#define JOURNAL_MAX	(64u << 10)
#define HEX		"0123456789abcdef"

static const char *const states[] = {
	[MK_UNDO_NONE] = NULL,
	[MK_UNDO_BEGUN] = "begun",
	[MK_UNDO_UNCONFIRMED] = "unconfirmed",
	[MK_UNDO_DONE] = "done"
};

static const char *const kinds[MK_UNDO_KINDS] = {
	[MK_UNDO_MADE] = "made",
	[MK_UNDO_KEPT] = "kept",
	[MK_UNDO_MADE_DIR] = "dir"
};

void
mk_undo_digest(const uint8_t *data, size_t len, char out[2 * MK_SHA512 + 1])
{
	uint8_t sum[MK_SHA512];
	size_t i;

	mk_sha512(data, len, sum);
	for (i = 0; i < sizeof(sum); i++) {
		*out++ = HEX[sum[i] >> 4];
		*out++ = HEX[sum[i] & 15];
	}
	*out = '\0';
}

struct mk_undo_name
mk_undo_kept(const struct mk_undo_entry *entry)
{
	struct mk_undo_name name;

	(void)snprintf(name.text, sizeof(name.text), "%u.kept",
	    entry->number);
	return name;
}

static bool
read_head(const struct mk_words *w)
{
	return w->n == 2 && strcmp(w->word[0], MAGIC) == 0 &&
	    strcmp(w->word[1], "1") == 0;
}

static bool
read_state(struct mk_undo *u, const struct mk_words *w)
{
	uint64_t t, id, uptime;
	size_t i;

	if (w->n != 7 || strcmp(w->word[0], "state") != 0 ||
	    !mk_number_parse(w->word[2], INT64_MAX, &t) ||
	    !mk_number_parse(w->word[3], INT64_MAX, &id) ||
	    strlen(w->word[5]) >= sizeof(u->boot) ||
	    !mk_number_parse(w->word[6], INT64_MAX, &uptime))
		return false;
	for (i = MK_UNDO_BEGUN; i <= MK_UNDO_DONE; i++) {
		if (strcmp(w->word[1], states[i]) == 0)
			u->state = (enum mk_undo_state)i;
	}
	u->time = (int64_t)t;
	u->id = (int64_t)id;
	u->uptime = (int64_t)uptime;
	(void)snprintf(u->boot, sizeof(u->boot), "%s", w->word[5]);
	u->home = strcmp(w->word[4], "home") == 0;
	return u->state != MK_UNDO_NONE;
}

static bool
read_entry(struct mk_undo *u, const struct mk_words *w)
{
	struct mk_undo_entry *e = &u->entries[u->n];
	uint64_t number;
	size_t kind;

	if (u->n == MK_UNDO_MAX || w->n != 4 ||
	    !mk_number_parse(w->word[1], 1000, &number) ||
	    w->word[3][0] != '/')
		return false;
	for (kind = 0; kind < MK_UNDO_KINDS; kind++) {
		if (strcmp(w->word[0], kinds[kind]) == 0)
			break;
	}
	if (kind == MK_UNDO_KINDS ||
	    (kind != MK_UNDO_MADE_DIR &&
	    (strlen(w->word[2]) != sizeof(e->digest) - 1 ||
	    strspn(w->word[2], HEX) != sizeof(e->digest) - 1)))
		return false;
	e->kind = (enum mk_undo_kind)kind;
	e->number = (unsigned)number;
	(void)snprintf(e->digest, sizeof(e->digest), "%s",
	    kind == MK_UNDO_MADE_DIR ? "" : w->word[2]);
	e->path = strdup(w->word[3]);
	if (e->path == NULL)
		return false;
	u->n++;
	return true;
}

static bool
read_line(struct mk_undo *u, unsigned line, const struct mk_words *w)
{
	if (line == 1)
		return read_head(w);
	return line == 2 ? read_state(u, w) : read_entry(u, w);
}

static bool
read_lines(struct mk_undo *u, const struct mk_file *file)
{
	char *cursor = (char *)file->data, *end = cursor + file->len, *text;
	struct mk_words w;
	unsigned line = 0;
	size_t len;

	while ((text = mk_line_next(&cursor, end, &len)) != NULL) {
		if (strlen(text) != len ||
		    mk_words_split(text, &w, NULL) != MK_OK ||
		    !read_line(u, ++line, &w))
			return false;
	}
	return line >= 2;
}

int
mk_undo_read(struct mk_undo *undo, struct mk_why *why)
{
	struct mk_file file;
	int r;

	r = mk_dir_read(&undo->dir, NAME, JOURNAL_MAX, &file, why);
	if (r == MK_E_ABSENT)
		return MK_OK;
	if (r == MK_OK) {
		r = read_lines(undo, &file) ? MK_OK : MK_E_TOOBIG;
		mk_file_release(&file);
	}
	/* What it does not say cannot be taken back, nor guessed. */
	if (r == MK_E_TOOBIG)
		return mk_fail(why, MK_E_SYSTEM, "undo",
		    "'%s%s/" NAME "' is damaged; put back by hand what its "
		    "lines name, then run: rm -r %s%s", undo->root->name,
		    MK_UNDO_DIR, undo->root->name, MK_UNDO_DIR);
	return r;
}

int
mk_undo_write(const struct mk_undo *undo, struct mk_why *why)
{
	const struct mk_undo_entry *e;
	struct mk_content content = { .mtime = -1, .sync = MK_SYNC };
	struct mk_buf text;
	int r;

	mk_buf_init(&text, JOURNAL_MAX);
	mk_buf_puts(&text, MAGIC " 1\nstate ");
	mk_buf_puts(&text, states[undo->state]);
	mk_buf_putc(&text, ' ');
	mk_buf_putu(&text, (uint64_t)undo->time);
	mk_buf_putc(&text, ' ');
	mk_buf_putu(&text, (uint64_t)undo->id);
	mk_buf_puts(&text, undo->home ? " home " : " - ");
	mk_buf_puts(&text, undo->boot);
	mk_buf_putc(&text, ' ');
	mk_buf_putu(&text, (uint64_t)undo->uptime);
	mk_buf_putc(&text, '\n');
	for (e = undo->entries; e < undo->entries + undo->n; e++) {
		mk_buf_puts(&text, kinds[e->kind]);
		mk_buf_putc(&text, ' ');
		mk_buf_putu(&text, e->number);
		mk_buf_putc(&text, ' ');
		mk_buf_puts(&text, e->digest[0] != '\0' ? e->digest : "-");
		mk_buf_putc(&text, ' ');
		mk_buf_puts(&text, e->path);
		mk_buf_putc(&text, '\n');
	}
	r = mk_buf_check(&text, why, "undo");
	content.data = (const uint8_t *)text.data;
	content.len = text.len;
	if (r == MK_OK)
		r = mk_dir_replace(&undo->dir, NAME, &content, why);
	mk_buf_release(&text);
	return r;
}
