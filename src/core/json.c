/* SPDX-License-Identifier: ISC */
/*
 * Text passes the strict scan (json_scan.h) before the parser sees it, so
 * that here only the grammar, the member names and the lengths are left.
 *
 * yajl takes its memory from the arena: it is under the cap, freed with
 * the tree, and a failure leaves yajl by a jump, since yajl does not look
 * at what its allocator returns.
 */
#include "core/json.h"

#include <setjmp.h>
#include <string.h>

#include <sodium.h>
#include <yajl/yajl_parse.h>

#include "core/arena.h"
#include "core/err.h"
#include "core/json_scan.h"
#include "core/limits.h"
#include "core/sort.h"

/* Up to so many members are compared each with each, more are sorted. */
#define FEW_MEMBERS	8

/* Nodes are taken by the dozen, in small texts fewer. */
#define NODES_AT_ONCE	64u
#define BYTES_PER_NODE	16u		/* of text, at least, in most */

struct level {
	struct mk_json *node;
	struct mk_json *last;		/* its newest child */
};

struct reader {
	struct mk_arena *a;
	const char *text;		/* as yajl gets it */
	size_t len;
	const char *stage;
	struct mk_why *why;
	int failed;			/* MK_E_* of a callback */
	struct mk_json *root;
	struct mk_json *spare;		/* nodes not used yet */
	size_t n_spare;
	struct level open[MK_JSON_DEPTH];
	unsigned depth;
	const char *name;		/* of the member that comes next */
	uint32_t name_len;
	struct mk_json_notes notes;
	jmp_buf no_memory;
};

/* What yajl allocated, with the size that a later realloc must copy. */
struct chunk {
	size_t size;
	_Alignas(max_align_t) unsigned char data[];
};

static void *
yajl_take(void *ctx, size_t size)
{
	struct reader *r = ctx;
	struct chunk *c = NULL;

	if (size <= SIZE_MAX - sizeof(*c))
		c = mk_arena_alloc(r->a, sizeof(*c) + size);
	if (c == NULL)
		longjmp(r->no_memory, 1);
	c->size = size;
	return c->data;
}

static void *
yajl_retake(void *ctx, void *p, size_t size)
{
	unsigned char *data = yajl_take(ctx, size);
	const struct chunk *old;

	if (p != NULL) {
		old = (const struct chunk *)(const void *)
		    ((const unsigned char *)p - offsetof(struct chunk, data));
		memcpy(data, p, old->size < size ? old->size : size);
	}
	return data;
}

/* The arena frees it. */
static void
yajl_drop(void *ctx, void *p)
{
	(void)ctx;
	(void)p;
}

/* Ends the parse with the reason why the arena gave no memory. */
static int
stop_no_memory(struct reader *r)
{
	r->failed = mk_arena_fail(r->a, r->why);
	return 0;
}

static int
stop(struct reader *r, int code, const char *reason)
{
	r->failed = mk_fail(r->why, code, r->stage, "%s", reason);
	return 0;
}

/*
 * What is not part of the text lies in a buffer of yajl that the next
 * token overwrites.  NULL without memory.
 */
static const char *
keep(struct reader *r, const void *s, size_t len)
{
	uintptr_t from = (uintptr_t)r->text, at = (uintptr_t)s;

	if (at >= from && at < from + r->len && len <= from + r->len - at)
		return s;
	return mk_arena_dup(r->a, s, len);
}

static void
note_length(struct mk_json_notes *notes, size_t len)
{
	if (len > MK_STRING_MAX)
		notes->long_strings++;
	if (len > MK_STRING_LONG)
		notes->huge_strings++;
}

static struct mk_json *
new_node(struct reader *r)
{
	size_t n = r->len / BYTES_PER_NODE + 1;

	if (r->n_spare == 0) {
		if (n > NODES_AT_ONCE)
			n = NODES_AT_ONCE;
		r->spare = mk_arena_array(r->a, n, sizeof(*r->spare));
		if (r->spare == NULL)
			return NULL;
		r->n_spare = n;
	}
	r->n_spare--;
	return r->spare++;
}

/* A node at its place in the tree; NULL without memory. */
static struct mk_json *
add_node(struct reader *r, enum mk_json_type type)
{
	struct mk_json *node = new_node(r);
	struct level *top;

	if (node == NULL)
		return NULL;
	node->type = type;
	node->name = r->name;
	node->name_len = r->name_len;
	r->name = NULL;
	r->name_len = 0;
	if (r->depth == 0) {
		r->root = node;
		return node;
	}
	top = &r->open[r->depth - 1];
	if (top->last != NULL)
		top->last->next = node;
	else
		top->node->child = node;
	top->last = node;
	top->node->count++;
	return node;
}

static int
add_plain(struct reader *r, enum mk_json_type type)
{
	return add_node(r, type) != NULL ? 1 : stop_no_memory(r);
}

static int
add_text(struct reader *r, enum mk_json_type type, const void *s, size_t len)
{
	struct mk_json *node = add_node(r, type);

	if (node == NULL)
		return stop_no_memory(r);
	node->str = keep(r, s, len);
	if (node->str == NULL)
		return stop_no_memory(r);
	node->len = (uint32_t)len;
	return 1;
}

static int
open_level(struct reader *r, enum mk_json_type type)
{
	struct mk_json *node;

	/* The scan has counted already; here it guards the array. */
	if (r->depth == MK_JSON_DEPTH)
		return stop(r, MK_E_REFUSED, "too many open brackets");
	node = add_node(r, type);
	if (node == NULL)
		return stop_no_memory(r);
	r->open[r->depth].node = node;
	r->open[r->depth].last = NULL;
	r->depth++;
	return 1;
}

static int
cmp_names(const struct mk_json *a, const struct mk_json *b)
{
	if (a->name_len != b->name_len)
		return a->name_len < b->name_len ? -1 : 1;
	return memcmp(a->name, b->name, a->name_len);
}

/*
 * A member among many.  Names lie all over a text that may be large, and
 * most of them differ in the hash already; what is wrong with the hash, or
 * made to collide, costs time and changes no answer.
 */
struct named {
	uint64_t hash;
	const struct mk_json *member;
};

static struct named
name_of(const struct mk_json *m)
{
	static const uint8_t key[crypto_shorthash_KEYBYTES];
	struct named named = { .member = m };

	crypto_shorthash((uint8_t *)&named.hash, (const uint8_t *)m->name,
	    m->name_len, key);
	return named;
}

static int
cmp_named(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return cmp_names(x->member, y->member);
}

static bool
few_repeat(const struct mk_json *obj)
{
	const struct mk_json *m, *other;

	for (m = obj->child; m != NULL; m = m->next) {
		for (other = m->next; other != NULL; other = other->next) {
			if (cmp_names(m, other) == 0)
				return true;
		}
	}
	return false;
}

/* 0 with the answer, or -1 without memory. */
static int
many_repeat(struct reader *r, const struct mk_json *obj, bool *ret_repeat)
{
	struct named *sorted;
	const struct mk_json *m;
	size_t i = 0;
	bool repeat = false;

	sorted = mk_arena_array(r->a, obj->count, sizeof(*sorted));
	if (sorted == NULL)
		return -1;
	for (m = obj->child; m != NULL; m = m->next)
		sorted[i++] = name_of(m);
	mk_sort(sorted, i, sizeof(*sorted), cmp_named);
	for (i = 1; i < obj->count && !repeat; i++)
		repeat = cmp_named(&sorted[i - 1], &sorted[i]) == 0;
	*ret_repeat = repeat;
	return 0;
}

static int
on_null(void *ctx)
{
	return add_plain(ctx, MK_JSON_NULL);
}

static int
on_boolean(void *ctx, int value)
{
	return add_plain(ctx, value ? MK_JSON_TRUE : MK_JSON_FALSE);
}

static int
on_number(void *ctx, const char *s, size_t len)
{
	return add_text(ctx, MK_JSON_NUMBER, s, len);
}

static int
on_string(void *ctx, const unsigned char *s, size_t len)
{
	struct reader *r = ctx;

	note_length(&r->notes, len);
	return add_text(r, MK_JSON_STRING, s, len);
}

static int
on_map_key(void *ctx, const unsigned char *s, size_t len)
{
	struct reader *r = ctx;

	/* No place allows a long name, so nothing ever claims it. */
	note_length(&r->notes, len);
	r->name = keep(r, s, len);
	r->name_len = (uint32_t)len;
	return r->name != NULL ? 1 : stop_no_memory(r);
}

static int
on_start_map(void *ctx)
{
	return open_level(ctx, MK_JSON_OBJECT);
}

static int
on_end_map(void *ctx)
{
	struct reader *r = ctx;
	const struct mk_json *obj = r->open[--r->depth].node;
	bool repeat;

	if (obj->count <= FEW_MEMBERS)
		repeat = few_repeat(obj);
	else if (many_repeat(r, obj, &repeat) != 0)
		return stop_no_memory(r);
	/* Two readers could disagree on which of the two counts. */
	if (repeat)
		return stop(r, MK_E_REFUSED,
		    "two members of one name in the json");
	return 1;
}

static int
on_start_array(void *ctx)
{
	return open_level(ctx, MK_JSON_ARRAY);
}

static int
on_end_array(void *ctx)
{
	struct reader *r = ctx;

	r->depth--;
	return 1;
}

static const yajl_callbacks callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_boolean,
	.yajl_number = on_number,
	.yajl_string = on_string,
	.yajl_start_map = on_start_map,
	.yajl_map_key = on_map_key,
	.yajl_end_map = on_end_map,
	.yajl_start_array = on_start_array,
	.yajl_end_array = on_end_array,
};

/*
 * Gives the text to yajl; 0 or a negative code.  Nothing here changes
 * behind setjmp() that is read after the jump.
 */
static int
run_yajl(struct reader *r, size_t *ret_at)
{
	yajl_alloc_funcs alloc = {
		yajl_take, yajl_retake, yajl_drop, r
	};
	yajl_handle h;

	if (setjmp(r->no_memory) != 0)
		return mk_arena_fail(r->a, r->why);
	h = yajl_alloc(&callbacks, &alloc, r);
	/* The scan has looked at the UTF-8, and more strictly. */
	yajl_config(h, yajl_dont_validate_strings, 1);
	*ret_at = r->len;
	if (yajl_parse(h, (const unsigned char *)r->text, r->len) !=
	    yajl_status_ok) {
		*ret_at = yajl_get_bytes_consumed(h);
		return r->failed != 0 ? r->failed : MK_E_REFUSED;
	}
	if (yajl_complete_parse(h) != yajl_status_ok)
		return r->failed != 0 ? r->failed : MK_E_REFUSED;
	return 0;
}

/*
 * yajl wants line feeds in strings as \n.  A quote that no backslash
 * precedes begins or ends a string; the scan has seen that all end.
 */
static char *
escape_lfs(struct mk_arena *a, const char *text, size_t len, size_t raw_lf)
{
	char *copy = mk_arena_alloc(a, len + raw_lf), *p = copy;
	const char *end = text + len;
	bool inside = false;

	if (copy == NULL)
		return NULL;
	for (; text < end; text++) {
		if (inside && *text == '\n') {
			*p++ = '\\';
			*p++ = 'n';
			continue;
		}
		if (inside && *text == '\\')
			*p++ = *text++;
		else if (*text == '"')
			inside = !inside;
		*p++ = *text;
	}
	return copy;
}

/* The place in the text as it came of a place in the copy of it. */
static size_t
place_before(const char *text, const char *copy, size_t at)
{
	size_t i, j;

	for (i = 0, j = 0; j < at; i++)
		j += text[i] == '\n' && copy[j] == '\\' ? 2 : 1;
	return i;
}

static int
parse(struct reader *r, const char *text)
{
	size_t at = 0;
	int code;

	code = run_yajl(r, &at);
	if (code != MK_E_REFUSED || r->failed != 0 || r->a->failed != 0)
		return code;
	if (r->text != text)
		at = place_before(text, r->text, at);
	return mk_fail(r->why, MK_E_REFUSED, r->stage,
	    "malformed json at byte %zu", at);
}

int
mk_json_parse(struct mk_arena *a, const struct mk_json_text *text,
    const struct mk_json **ret_json, struct mk_why *why)
{
	struct reader r = { .a = a, .text = text->s, .len = text->len,
	    .stage = text->stage, .why = why };
	size_t raw_lf;
	int code;

	if (text->len == 0)
		return mk_fail(why, MK_E_REFUSED, r.stage, "empty json");
	code = mk_json_scan(text->s, text->len, r.stage, &raw_lf, why);
	if (code != 0)
		return code;
	if (text->len > UINT32_MAX || raw_lf > UINT32_MAX - text->len)
		return mk_fail(why, MK_E_REFUSED, r.stage,
		    "json of more than %lu bytes",
		    (unsigned long)UINT32_MAX);
	if (raw_lf > 0) {
		r.text = escape_lfs(a, text->s, text->len, raw_lf);
		r.len = text->len + raw_lf;
		if (r.text == NULL)
			return mk_arena_fail(a, why);
	}
	code = parse(&r, text->s);
	if (code != 0)
		return code;
	text->notes->raw_lf += (unsigned)raw_lf;
	text->notes->long_strings += r.notes.long_strings;
	text->notes->huge_strings += r.notes.huge_strings;
	*ret_json = r.root;
	return 0;
}

const struct mk_json *
mk_json_member(const struct mk_json *obj, const char *name)
{
	const struct mk_json *m;
	size_t len = strlen(name);

	if (obj == NULL || obj->type != MK_JSON_OBJECT)
		return NULL;
	for (m = obj->child; m != NULL; m = m->next) {
		if (m->name_len == len && memcmp(m->name, name, len) == 0)
			return m;
	}
	return NULL;
}

bool
mk_json_is(const struct mk_json *str, const char *s)
{
	size_t len = strlen(s);

	return str != NULL && str->type == MK_JSON_STRING &&
	    str->len == len && memcmp(str->str, s, len) == 0;
}

/* One claim too many wraps the count, which then refuses the set. */
void
mk_json_claim(const struct mk_json *str, bool any,
    struct mk_json_notes *notes)
{
	if (str == NULL || str->type != MK_JSON_STRING ||
	    str->len <= MK_STRING_MAX)
		return;
	if (str->len > MK_STRING_LONG) {
		if (!any)
			return;
		notes->huge_strings--;
	}
	notes->long_strings--;
}

void
mk_json_count(const struct mk_json *json, struct mk_json_notes *notes)
{
	const struct mk_json *e;

	if (json->type == MK_JSON_STRING)
		note_length(notes, json->len);
	for (e = json->child; e != NULL; e = e->next) {
		if (json->type == MK_JSON_OBJECT)
			note_length(notes, e->name_len);
		mk_json_count(e, notes);
	}
}

int
mk_json_settle(const struct mk_json_notes *notes, const char *stage,
    struct mk_why *why)
{
	if (notes->raw_lf > 0)
		return mk_fail(why, MK_E_REFUSED, stage,
		    "a raw line feed in a string");
	if (notes->long_strings > 0 || notes->huge_strings > 0)
		return mk_fail(why, MK_E_REFUSED, stage,
		    "a string over the limit of %u bytes", MK_STRING_MAX);
	return 0;
}
