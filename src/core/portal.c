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
	    (r = mk_at_printable(&at, "Store", 1, MK_CHANGES_STORE,
	    &changes.store)) != 0 ||
	    (r = mk_at_number(&at, "Next", &changes.next)) != 0 ||
	    (r = read_reset(&at, &changes.reset)) != 0 ||
	    (r = mk_at_udfs(&at, "Identifiers", MK_CHANGES_IDS,
	    &changes.udfs, &changes.n)) != 0)
		return r;
	*ret_changes = changes;
	return 0;
}
