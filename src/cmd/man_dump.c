/* SPDX-License-Identifier: ISC */
/*
 * meshman /dump: the payloads of the profile set, laid out for reading.
 * What is inside of a payload and signed again is shown below it.  Strings
 * are shown as JSON with every byte that is not printable ASCII escaped, so
 * that nothing a stranger wrote reaches the terminal as it is.
 */
#include <string.h>

#include "cmd/meshman.h"
#include "core/json.h"
#include "core/set.h"

#define WIDTH	4u		/* spaces of a level */

/* A payload, or what is in it. */
struct dump {
	struct meshman *m;
	struct mk_arena arena;
	struct mk_json_notes notes;
};

static void
put_indent(struct mk_buf *out, unsigned level)
{
	unsigned i;

	for (i = 0; i < level * WIDTH; i++)
		mk_buf_putc(out, ' ');
}

/* As ASCII: other characters byte by byte, which nothing parses. */
static void
put_string(struct mk_buf *out, const char *s, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	mk_buf_putc(out, '"');
	for (i = 0; i < len; i++) {
		const unsigned char c = (unsigned char)s[i];

		if (c == '"' || c == '\\')
			mk_buf_putc(out, '\\');
		if (c >= ' ' && c <= '~') {
			mk_buf_putc(out, (char)c);
			continue;
		}
		mk_buf_puts(out, "\\x");
		mk_buf_putc(out, digits[c >> 4]);
		mk_buf_putc(out, digits[c & 15]);
	}
	mk_buf_putc(out, '"');
}

static void
put_scalar(struct mk_buf *out, const struct mk_json *j)
{
	switch (j->type) {
	case MK_JSON_STRING:
		put_string(out, j->str, j->len);
		break;
	case MK_JSON_NUMBER:
		show_clean(out, j->str, j->len);
		break;
	case MK_JSON_TRUE:
		mk_buf_puts(out, "true");
		break;
	case MK_JSON_FALSE:
		mk_buf_puts(out, "false");
		break;
	default:
		mk_buf_puts(out, "null");
	}
}

static bool
is_envelope(const struct mk_json *j)
{
	return j->type == MK_JSON_OBJECT &&
	    mk_json_member(j, "SignedData") != NULL;
}

static void	put_value(struct dump *d, const struct mk_json *j,
		    unsigned level);

/* No deeper than the JSON reader lets a text be. */
static void
put_children(struct dump *d, const struct mk_json *j, unsigned level)
{
	struct mk_buf *out = &d->m->out;
	const struct mk_json *child;

	for (child = j->child; child != NULL; child = child->next) {
		put_indent(out, level + 1);
		if (j->type == MK_JSON_OBJECT) {
			put_string(out, child->name, child->name_len);
			mk_buf_puts(out, ": ");
		}
		put_value(d, child, level + 1);
		mk_buf_puts(out, child->next != NULL ? ",\n" : "\n");
	}
	put_indent(out, level);
}

/* Opened in its place; one that does not open is shown as it stands. */
static bool
put_envelope(struct dump *d, const struct mk_json *j, unsigned level)
{
	const struct mk_envelope_place place = { .stage = "dump",
	    .notes = &d->notes };
	struct mk_json_text text = { .stage = "dump", .notes = &d->notes };
	const struct mk_json *payload;
	struct mk_envelope env;
	char kid[MK_UDF_TEXT + 1];

	if (mk_envelope_open(&d->arena, j, &place, &env, NULL) != 0)
		return false;
	text.s = (const char *)env.payload;
	text.len = env.payload_len;
	if (mk_json_parse(&d->arena, &text, &payload, NULL) != 0)
		return false;
	mk_udf_format(&env.kid, kid);
	mk_buf_puts(&d->m->out, "signed by ");
	mk_buf_puts(&d->m->out, kid);
	mk_buf_putc(&d->m->out, ' ');
	put_value(d, payload, level);
	return true;
}

static void
put_value(struct dump *d, const struct mk_json *j, unsigned level)
{
	struct mk_buf *out = &d->m->out;

	if (is_envelope(j) && put_envelope(d, j, level))
		return;
	if (j->type != MK_JSON_OBJECT && j->type != MK_JSON_ARRAY) {
		put_scalar(out, j);
		return;
	}
	if (j->child == NULL) {
		mk_buf_puts(out, j->type == MK_JSON_OBJECT ? "{}" : "[]");
		return;
	}
	mk_buf_puts(out, j->type == MK_JSON_OBJECT ? "{\n" : "[\n");
	put_children(d, j, level);
	mk_buf_putc(out, j->type == MK_JSON_OBJECT ? '}' : ']');
}

static int
dump_text(struct meshman *m)
{
	struct dump d = { .m = m };
	const struct mk_json_text text = {
	    .s = (const char *)m->profile.set.data,
	    .len = m->profile.set.len, .stage = "dump", .notes = &d.notes };
	const struct mk_json *json;
	int e;

	mk_arena_init(&d.arena, mk_verify_memory(m->profile.set.len));
	if ((e = mk_json_parse(&d.arena, &text, &json, &m->why)) == 0) {
		put_value(&d, json, 0);
		mk_buf_putc(&m->out, '\n');
	}
	mk_arena_release(&d.arena);
	return e;
}

int
meshman_dump(struct meshman *m)
{
	if (!m->opt.json)
		return dump_text(m);
	mk_buf_put(&m->out, m->profile.set.data, m->profile.set.len);
	mk_buf_putc(&m->out, '\n');
	return 0;
}
