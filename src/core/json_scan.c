/* SPDX-License-Identifier: ISC */
#include "core/json_scan.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/err.h"
#include "core/limits.h"

#define FOLD	65u	/* a raw line feed and the 64 characters behind it */

struct scan {
	const uint8_t *text, *p, *end;
	const uint8_t *string;	/* where the open one begins */
	size_t folds;		/* raw line feeds in it */
	size_t raw_lf;		/* in all of them */
	unsigned depth;
	bool closed;		/* the outermost bracket has been closed */
	const char *stage;
	struct mk_why *why;
};

/* The words are ours and the offset is where the scan stands. */
static int
refuse(const struct scan *s, const char *what)
{
	return mk_fail(s->why, MK_E_REFUSED, s->stage,
	    "%s at byte %zu of the json", what, (size_t)(s->p - s->text));
}

/* Whether a byte of a string means itself and nothing else. */
static bool
is_plain(uint8_t c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/*
 * The top bit of some octet is set if an octet of 'v' is zero, and of none
 * if all are from 1 to 0x80.
 */
static uint64_t
any_zero(uint64_t v)
{
	return (v - 0x0101010101010101) & ~v;
}

/*
 * The first byte that is not plain.  Eight bytes at a time: a borrow may
 * cross into the next octet only from one that is not plain itself, so the
 * sum of the tests is zero exactly where all eight are.
 */
static const uint8_t *
skip_plain(const uint8_t *p, const uint8_t *end)
{
	const uint64_t ones = 0x0101010101010101;
	uint64_t v, odd;	/* top bits: something is not plain */

	while (end - p >= 8) {
		memcpy(&v, p, sizeof(v));
		odd = v | ((v - ones * 0x20) & ~v) |
		    any_zero(v ^ ones * '"') | any_zero(v ^ ones * '\\');
		if ((odd & ones * 0x80) != 0)
			break;
		p += 8;
	}
	while (p < end && is_plain(*p))
		p++;
	return p;
}

static bool
is_tail(const uint8_t *p, uint8_t min, uint8_t max)
{
	return *p >= min && *p <= max;
}

/*
 * The length of the UTF-8 sequence at 'p', 0 if it is none: RFC 3629
 * section 4, by which overlong forms, surrogates and what lies beyond
 * U+10FFFF have no second byte.
 */
static size_t
utf8_length(const uint8_t *p, const uint8_t *end)
{
	uint8_t min = 0x80, max = 0xbf;
	size_t n, i;

	if (*p >= 0xc2 && *p <= 0xdf)
		n = 2;
	else if (*p >= 0xe0 && *p <= 0xef)
		n = 3;
	else if (*p >= 0xf0 && *p <= 0xf4)
		n = 4;
	else
		return 0;
	if ((size_t)(end - p) < n)
		return 0;
	if (*p == 0xe0)
		min = 0xa0;
	else if (*p == 0xf0)
		min = 0x90;
	else if (*p == 0xed)
		max = 0x9f;
	else if (*p == 0xf4)
		max = 0x8f;
	if (!is_tail(p + 1, min, max))
		return 0;
	for (i = 2; i < n; i++) {
		if (!is_tail(p + i, 0x80, 0xbf))
			return 0;
	}
	return n;
}

static int
hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The code unit of a \uXXXX at 'p', or -1 if none is there. */
static int
unit_at(const uint8_t *p, const uint8_t *end)
{
	int unit = 0, v, i;

	if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
		return -1;
	for (i = 2; i < 6; i++) {
		v = hex_value(p[i]);
		if (v < 0)
			return -1;
		unit = unit << 4 | v;
	}
	return unit;
}

static int
scan_unit(struct scan *s)
{
	int unit = unit_at(s->p, s->end), low;

	if (unit < 0)
		return refuse(s, "malformed escape");
	/* Text that others cut at a NUL would not be the text we verified. */
	if (unit == 0)
		return refuse(s, "escaped nul");
	if (unit >= 0xd800 && unit <= 0xdbff) {
		low = unit_at(s->p + 6, s->end);
		if (low < 0xdc00 || low > 0xdfff)
			return refuse(s, "lone surrogate");
		s->p += 12;
		return 0;
	}
	if (unit >= 0xdc00 && unit <= 0xdfff)
		return refuse(s, "lone surrogate");
	s->p += 6;
	return 0;
}

/*
 * All escapes are judged here, not by the parser: it may be given a line
 * feed as the two characters \n, which a backslash before it would spoil.
 */
static int
scan_escape(struct scan *s)
{
	if (s->end - s->p < 2)
		return refuse(s, "string without end");
	if (s->p[1] == 'u')
		return scan_unit(s);
	if (s->p[1] == '\0' || strchr("\"\\/bfnrt", s->p[1]) == NULL)
		return refuse(s, "malformed escape");
	s->p += 2;
	return 0;
}

/*
 * A raw line feed: the writer of 2016 and 2017 put one before every 64
 * characters of a binary value, and nowhere else.
 */
static int
scan_fold(struct scan *s)
{
	if ((size_t)(s->p - s->string) != s->folds * FOLD)
		return refuse(s, "raw line feed out of its place");
	s->folds++;
	s->p++;
	return 0;
}

/* What stands in a string and is neither plain nor its end. */
static int
scan_odd(struct scan *s)
{
	size_t n;

	if (*s->p == '\\')
		return scan_escape(s);
	if (*s->p == '\n')
		return scan_fold(s);
	if (*s->p == '\0')
		return refuse(s, "nul");
	if (*s->p < 0x20)
		return refuse(s, "control character in a string");
	n = utf8_length(s->p, s->end);
	if (n == 0)
		return refuse(s, "malformed utf-8");
	s->p += n;
	return 0;
}

/* At the closing quote: all line feeds are there, or none. */
static int
end_string(struct scan *s)
{
	size_t len = (size_t)(s->p - s->string);

	if (s->folds > 0 && (s->folds != (len + FOLD - 1) / FOLD ||
	    len % FOLD == 1))
		return refuse(s, "raw line feed out of its place");
	s->raw_lf += s->folds;
	s->p++;
	return 0;
}

/* From behind the opening quote to behind the closing one. */
static int
scan_string(struct scan *s)
{
	int r;

	s->string = s->p;
	s->folds = 0;
	for (;;) {
		s->p = skip_plain(s->p, s->end);
		if (s->p == s->end)
			return refuse(s, "string without end");
		if (*s->p == '"')
			return end_string(s);
		r = scan_odd(s);
		if (r != 0)
			return r;
	}
}

static int
scan_bracket(struct scan *s)
{
	if (*s->p == '[' || *s->p == '{') {
		if (s->depth == MK_JSON_DEPTH)
			return mk_fail(s->why, MK_E_REFUSED, s->stage,
			    "more than %u open brackets at byte %zu of the "
			    "json", MK_JSON_DEPTH, (size_t)(s->p - s->text));
		s->depth++;
	} else {
		if (s->depth == 0)
			return refuse(s, "bracket that was never opened");
		s->closed = --s->depth == 0;
	}
	s->p++;
	return 0;
}

/* One byte between strings, or a string. */
static int
scan_outside(struct scan *s)
{
	uint8_t c = *s->p;

	if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
		s->p++;
		return 0;
	}
	if (c == '\0')
		return refuse(s, "nul");
	if (c < 0x20 || c >= 0x7f)
		return refuse(s, "byte that is no json");
	/* A second text would be one that other readers may prefer. */
	if (s->closed)
		return refuse(s, "something behind the end");
	switch (c) {
	case '"':
		s->p++;
		return scan_string(s);
	case '[':
	case '{':
	case ']':
	case '}':
		return scan_bracket(s);
	default:
		s->p++;
		return 0;
	}
}

int
mk_json_scan(const char *text, size_t len, const char *stage,
    size_t *ret_raw_lf, struct mk_why *why)
{
	struct scan s = { .stage = stage, .why = why };
	int r;

	s.text = s.p = (const uint8_t *)text;
	s.end = s.p + len;
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		return refuse(&s, "byte order mark");
	while (s.p < s.end) {
		r = scan_outside(&s);
		if (r != 0)
			return r;
	}
	if (s.depth > 0)
		return refuse(&s, "unclosed bracket");
	*ret_raw_lf = s.raw_lf;
	return 0;
}
