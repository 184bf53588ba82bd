/* SPDX-License-Identifier: ISC */
#include <string.h>
#include <strings.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/limits.h"
#include "core/members.h"
#include "core/portal.h"

#define WELL_KNOWN	"/.well-known/mmm/"
#define FILE_SCHEME	"file:"

#define STAGE		"changes"

/* 2^53 has 16 digits; beyond it not every reader has the same number. */
#define NEXT_DIGITS	16u
#define NEXT_END	((uint64_t)1 << 53)

enum mk_portal_kind
mk_portal_kind(const char *portal)
{
	return strncasecmp(portal, FILE_SCHEME, strlen(FILE_SCHEME)) == 0 ?
	    MK_PORTAL_FILE : MK_PORTAL_HTTP;
}

const char *
mk_portal_dir(const char *portal)
{
	const char *path = portal + strlen(FILE_SCHEME);

	while (path[0] == '/' && path[1] == '/')
		path++;
	return path;
}

/* Slashes at the end of a configured URL are nobody's intention. */
static void
put_base(const char *portal, struct mk_buf *out)
{
	size_t len = strlen(portal);

	while (len > 0 && portal[len - 1] == '/')
		len--;
	mk_buf_put(out, portal, len);
	mk_buf_puts(out, WELL_KNOWN);
}

void
mk_portal_url(const char *portal, const struct mk_udf *udf,
    struct mk_buf *out)
{
	char text[MK_UDF_TEXT + 1];

	mk_udf_format(udf, text);
	put_base(portal, out);
	mk_buf_puts(out, text);
	mk_buf_puts(out, ".json");
}

void
mk_portal_post_url(const char *portal, struct mk_buf *out)
{
	put_base(portal, out);
}

void
mk_portal_get(const struct mk_udf *udf, struct mk_buf *out)
{
	char text[MK_UDF_TEXT + 1];

	mk_udf_format(udf, text);
	mk_buf_puts(out, "{\"Get\":{\"Identifier\":\"");
	mk_buf_puts(out, text);
	mk_buf_puts(out, "\"}}");
}

/* The characters are those that mk_changes_parse() lets pass. */
static void
put_store(const char *store, struct mk_buf *out)
{
	for (; *store != '\0'; store++) {
		if (*store == '"' || *store == '\\')
			mk_buf_putc(out, '\\');
		mk_buf_putc(out, *store);
	}
}

void
mk_changes_begin(const char *store, uint64_t since, unsigned wait,
    struct mk_buf *out)
{
	mk_buf_puts(out, "{\"Changes\":{\"Store\":\"");
	put_store(store, out);
	mk_buf_puts(out, "\",\"Since\":");
	mk_buf_putu(out, since);
	mk_buf_puts(out, ",\"Wait\":");
	mk_buf_putu(out, wait);
	mk_buf_puts(out, ",\"Identifiers\":[");
}

void
mk_changes_add(const struct mk_udf *udf, struct mk_buf *out)
{
	char text[MK_UDF_TEXT + 1];

	if (out->len > 0 && out->data[out->len - 1] != '[')
		mk_buf_putc(out, ',');
	mk_udf_format(udf, text);
	mk_buf_putc(out, '"');
	mk_buf_puts(out, text);
	mk_buf_putc(out, '"');
}

void
mk_changes_end(struct mk_buf *out)
{
	mk_buf_puts(out, "]}}");
}

static int
check_status(const struct mk_at *at)
{
	const struct mk_json *m;
	int r;

	r = mk_at_member(at, "Status", MK_JSON_NUMBER, MK_REQUIRED, &m);
	if (r != 0)
		return r;
	/* As written: 2e2 is nobody's status. */
	if (m->len != 3 || (memcmp(m->str, "200", 3) != 0 &&
	    memcmp(m->str, "201", 3) != 0))
		return mk_fail(at->why, MK_E_REFUSED, at->stage,
		    "'Status' is neither 200 nor 201");
	return 0;
}

static bool
is_store(const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (s[i] < '!' || s[i] > '~')
			return false;
	}
	return len > 0 && len <= MK_CHANGES_STORE;
}

/* It is sent back and stored as it is: it must not break a line. */
static int
read_store(const struct mk_at *at, const char **ret_store)
{
	const struct mk_json *m;
	int r;

	r = mk_at_member(at, "Store", MK_JSON_STRING, MK_REQUIRED, &m);
	if (r != 0)
		return r;
	if (!is_store(m->str, m->len))
		return mk_fail(at->why, MK_E_REFUSED, at->stage,
		    "'Store' is not 1 to %u printable characters",
		    MK_CHANGES_STORE);
	*ret_store = mk_arena_dup(at->arena, m->str, m->len);
	return *ret_store != NULL ? 0 : mk_arena_fail(at->arena, at->why);
}

/* Decimal digits only, although JSON has other ways. */
static bool
read_digits(const char *s, size_t len, uint64_t *ret_n)
{
	uint64_t n = 0;
	size_t i;

	if (len == 0 || len > NEXT_DIGITS)
		return false;
	for (i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		n = n * 10 + (uint64_t)(s[i] - '0');
	}
	*ret_n = n;
	return n < NEXT_END;
}

static int
read_next(const struct mk_at *at, uint64_t *ret_next)
{
	const struct mk_json *m;
	int r;

	r = mk_at_member(at, "Next", MK_JSON_NUMBER, MK_REQUIRED, &m);
	if (r == 0 && !read_digits(m->str, m->len, ret_next))
		r = mk_fail(at->why, MK_E_REFUSED, at->stage,
		    "'Next' is not a plain number below 2^53");
	return r;
}

static int
read_reset(const struct mk_at *at, bool *ret_reset)
{
	const struct mk_json *m = mk_json_member(at->obj, "Reset");

	/* A null or a 0 could be either; to guess would be to miss news. */
	if (m != NULL && m->type != MK_JSON_TRUE && m->type != MK_JSON_FALSE)
		return mk_fail(at->why, MK_E_REFUSED, at->stage,
		    "'Reset' is neither true nor false");
	*ret_reset = m != NULL && m->type == MK_JSON_TRUE;
	return 0;
}

static int
read_identifiers(const struct mk_at *at, struct mk_changes *changes)
{
	const struct mk_json *list, *m;
	struct mk_udf *udfs;
	int r;

	r = mk_at_member(at, "Identifiers", MK_JSON_ARRAY, MK_OPTIONAL,
	    &list);
	if (r != 0 || list == NULL)
		return r;
	if (list->count > MK_CHANGES_IDS)
		return mk_fail(at->why, MK_E_REFUSED, at->stage,
		    "'Identifiers' has %u elements, over the limit of %u",
		    (unsigned)list->count, MK_CHANGES_IDS);
	udfs = mk_arena_array(at->arena, list->count, sizeof(*udfs));
	if (udfs == NULL)
		return mk_arena_fail(at->arena, at->why);
	for (m = list->child; m != NULL; m = m->next) {
		r = mk_at_udf_value(at, m, MK_UDF_KEY, &udfs[changes->n]);
		if (r != 0)
			return r;
		changes->n++;
	}
	changes->udfs = udfs;
	return 0;
}

/* {"ChangesResponse": {...}}, without line feeds inside strings. */
static int
open_changes(struct mk_at *at, const struct mk_bytes *answer)
{
	struct mk_json_notes notes = { 0 };
	const struct mk_json_text text = {
		.s = (const char *)answer->data,
		.len = answer->len,
		.stage = at->stage,
		.notes = &notes
	};
	int r;

	if (answer->len > MK_CHANGES_MAX)
		return mk_fail(at->why, MK_E_REFUSED, at->stage,
		    "an answer over the limit of %u bytes", MK_CHANGES_MAX);
	if ((r = mk_json_parse(at->arena, &text, &at->obj, at->why)) != 0 ||
	    (r = mk_at_tagged(at, "ChangesResponse", &at->obj)) != 0)
		return r;
	if (notes.raw_lf > 0)
		return mk_fail(at->why, MK_E_REFUSED, at->stage,
		    "a line feed inside of a string");
	return mk_at_object(at);
}

int
mk_changes_parse(struct mk_arena *a, const struct mk_bytes *answer,
    struct mk_changes *ret_changes, struct mk_why *why)
{
	struct mk_at at = { .stage = STAGE, .arena = a, .why = why };
	struct mk_changes changes = { 0 };
	int r;

	if ((r = open_changes(&at, answer)) != 0 ||
	    (r = check_status(&at)) != 0 ||
	    (r = read_store(&at, &changes.store)) != 0 ||
	    (r = read_next(&at, &changes.next)) != 0 ||
	    (r = read_reset(&at, &changes.reset)) != 0 ||
	    (r = read_identifiers(&at, &changes)) != 0)
		return r;
	*ret_changes = changes;
	return 0;
}
