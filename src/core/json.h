/* SPDX-License-Identifier: ISC */
/*
 * Strict JSON (RFC 8259) to a tree, over yajl's event parser.  json.c is
 * the only reader that includes yajl; what yajl lets pass is refused by a
 * scan before it: a BOM, NUL raw or as \u0000, ill-formed UTF-8 (overlong
 * forms, surrogates), lone surrogate escapes, controls raw in strings or
 * between tokens.  Duplicate members (after unescaping), depth over
 * MK_JSON_DEPTH and anything behind the text are refused too.
 *
 * Two things are not decided here, because what they mean depends on the
 * master key: raw line feeds in strings (only 2016/2017 sets have them) and
 * strings longer than MK_STRING_MAX (allowed at few places).  Both are
 * counted in struct mk_json_notes, which sums over all texts of one set.
 */
#ifndef MK_CORE_JSON_H
#define MK_CORE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mk_arena;
struct mk_why;

enum mk_json_type {
	MK_JSON_OBJECT,
	MK_JSON_ARRAY,
	MK_JSON_STRING,
	MK_JSON_NUMBER,		/* text as written, in str */
	MK_JSON_TRUE,
	MK_JSON_FALSE,
	MK_JSON_NULL
};

struct mk_json {
	struct mk_json *next;	/* sibling, in the order of the text */
	struct mk_json *child;	/* first element or member */
	const char *name;	/* member name, unescaped; not NUL-ended */
	const char *str;	/* string or number; not NUL-ended */
	uint32_t name_len, len;
	uint32_t count;		/* children */
	enum mk_json_type type;
};

struct mk_json_notes {
	unsigned raw_lf;	/* raw line feeds inside strings */
	unsigned long_strings;	/* over MK_STRING_MAX and not yet claimed */
	unsigned huge_strings;	/* over MK_STRING_LONG and not yet claimed */
};

/* What is to be parsed. */
struct mk_json_text {
	const char *s;
	size_t len;
	const char *stage;		/* a word for the reason */
	struct mk_json_notes *notes;	/* added to */
};

/*
 * Parses a text.  The tree lives in 'a' and points into text->s, which must
 * outlive it.  MK_E_REFUSED with the reason, or MK_E_SYSTEM.
 */
int	mk_json_parse(struct mk_arena *a, const struct mk_json_text *text,
	    const struct mk_json **ret_json, struct mk_why *why);

/* The member of that name of an object, or NULL. */
const struct mk_json *mk_json_member(const struct mk_json *obj,
	    const char *name);

/* Whether a string is exactly the NUL-ended 's'; false for other types. */
bool	mk_json_is(const struct mk_json *str, const char *s);

/*
 * Takes a string off the counts of *notes, at a place where it may be long:
 * up to MK_STRING_LONG, or to any length where 'any' is true.
 */
void	mk_json_claim(const struct mk_json *str, bool any,
	    struct mk_json_notes *notes);

/*
 * Adds the long strings and names of a part of a tree to *notes, as parsing
 * it alone would; raw line feeds are not known any more.
 */
void	mk_json_count(const struct mk_json *json,
	    struct mk_json_notes *notes);

/*
 * Whether nothing is left that no text of the current form has, once all of
 * them are parsed and what may be long is claimed.  MK_E_REFUSED.
 */
int	mk_json_settle(const struct mk_json_notes *notes, const char *stage,
	    struct mk_why *why);

#endif
