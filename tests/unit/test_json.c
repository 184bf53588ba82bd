/* SPDX-License-Identifier: ISC */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/err.h"
#include "core/json.h"
#include "core/json_scan.h"
#include "core/limits.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define CAP		(64u << 20)

static struct mk_arena arena;
static struct mk_json_notes notes;
static struct mk_why why;
static char *text;

static void
setup(void)
{
	mk_arena_init(&arena, CAP);
	memset(&notes, 0, sizeof(notes));
	memset(&why, 0, sizeof(why));
	text = NULL;
}

static void
teardown(void)
{
	mk_arena_release(&arena);
	free(text);
}

/* Parses a heap copy of exactly 'len' bytes, which lives to the next one. */
static int
parse(const char *s, size_t len, const struct mk_json **ret_json)
{
	free(text);
	text = malloc(len + (len == 0));
	ck_assert_ptr_nonnull(text);
	memcpy(text, s, len);
	return mk_json_parse(&arena, &(struct mk_json_text){ .s = text,
	    .len = len, .stage = "parse", .notes = &notes }, ret_json, &why);
}

static const struct mk_json *
good(const char *s)
{
	const struct mk_json *json = NULL;
	int r = parse(s, strlen(s), &json);

	ck_assert_msg(r == 0, "%s: %s", s, why.detail);
	ck_assert_ptr_nonnull(json);
	return json;
}

static void
bad(const char *s, size_t len)
{
	const struct mk_json *json = NULL;
	struct mk_json_notes none = { 0, 0, 0 };
	int r;

	why.detail[0] = '\0';
	r = parse(s, len, &json);
	ck_assert_msg(r == MK_E_REFUSED, "accepted: %.*s", (int)len, s);
	ck_assert_ptr_null(json);
	ck_assert_mem_eq(&notes, &none, sizeof(none));
	ck_assert_str_eq(why.stage, "parse");
	ck_assert_str_ne(why.detail, "");
}

/* Refused by the scan alone, whatever the parser would say. */
static void
bad_scan(const char *s, size_t len)
{
	size_t raw_lf = 4711;

	bad(s, len);
	ck_assert_msg(mk_json_scan(text, len, "parse", &raw_lf, NULL) ==
	    MK_E_REFUSED, "accepted: %.*s", (int)len, s);
	ck_assert_uint_eq(raw_lf, 4711);
}

static bool
is_str(const struct mk_json *json, const char *s, size_t len)
{
	return json != NULL && json->type == MK_JSON_STRING &&
	    json->len == len && memcmp(json->str, s, len) == 0;
}

START_TEST(tree)
{
	const struct mk_json *top, *j;

	top = good(" {\"a\" :[1,-2.5e+3,\"x\",true,false,null,[],{}],\r\n"
	    "\t\"\" : \"\", \"b\":{\"c\":\"d\"} } ");
	ck_assert_int_eq(top->type, MK_JSON_OBJECT);
	ck_assert_uint_eq(top->count, 3);
	ck_assert_ptr_null(top->name);
	ck_assert_ptr_null(top->next);
	j = mk_json_member(top, "a");
	ck_assert_int_eq(j->type, MK_JSON_ARRAY);
	ck_assert_uint_eq(j->count, 8);
	j = j->child;
	ck_assert_int_eq(j->type, MK_JSON_NUMBER);
	ck_assert_uint_eq(j->len, 1);
	ck_assert_int_eq(j->str[0], '1');
	ck_assert_ptr_null(j->name);
	j = j->next;
	ck_assert_uint_eq(j->len, 7);
	ck_assert_mem_eq(j->str, "-2.5e+3", 7);
	j = j->next;
	ck_assert(mk_json_is(j, "x"));
	j = j->next;
	ck_assert_int_eq(j->type, MK_JSON_TRUE);
	j = j->next;
	ck_assert_int_eq(j->type, MK_JSON_FALSE);
	j = j->next;
	ck_assert_int_eq(j->type, MK_JSON_NULL);
	j = j->next;
	ck_assert_int_eq(j->type, MK_JSON_ARRAY);
	ck_assert_uint_eq(j->count, 0);
	j = j->next;
	ck_assert_int_eq(j->type, MK_JSON_OBJECT);
	ck_assert_ptr_null(j->child);
	ck_assert_ptr_null(j->next);
	ck_assert(mk_json_is(mk_json_member(top, ""), ""));
	j = mk_json_member(mk_json_member(top, "b"), "c");
	ck_assert(mk_json_is(j, "d"));
}
END_TEST

START_TEST(looking_up)
{
	const struct mk_json *top = good("{\"ab\":\"x\\u0041y\",\"n\":5}");

	ck_assert_ptr_null(mk_json_member(top, "a"));
	ck_assert_ptr_null(mk_json_member(top, "abc"));
	ck_assert_ptr_null(mk_json_member(top->child, "ab"));
	ck_assert_ptr_null(mk_json_member(NULL, "ab"));
	ck_assert(mk_json_is(mk_json_member(top, "ab"), "xAy"));
	ck_assert(!mk_json_is(mk_json_member(top, "ab"), "xA"));
	ck_assert(!mk_json_is(mk_json_member(top, "ab"), "xAyz"));
	ck_assert(!mk_json_is(mk_json_member(top, "n"), "5"));
	ck_assert(!mk_json_is(NULL, ""));
}
END_TEST

START_TEST(scalars_stand_alone)
{
	const struct mk_json *json;

	/* The parser keeps a number at the end in memory of its own. */
	json = good("1234567");
	ck_assert_int_eq(json->type, MK_JSON_NUMBER);
	ck_assert_uint_eq(json->len, 7);
	ck_assert_mem_eq(json->str, "1234567", 7);
	ck_assert_int_eq(good("null")->type, MK_JSON_NULL);
	ck_assert_int_eq(good(" true ")->type, MK_JSON_TRUE);
	ck_assert(mk_json_is(good("\"x\""), "x"));
}
END_TEST

START_TEST(escapes)
{
	static const struct {
		const char *in, *out;
	} v[] = {
		{ "\"\"", "" },
		{ "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t" },
		{ "\"\\u0001\\u001f\\u007F\"", "\x01\x1f\x7f" },
		{ "\"\\u00e9\\u20AC\\ud7ff\\ue000\"",
		    "\xc3\xa9\xe2\x82\xac\xed\x9f\xbf\xee\x80\x80" },
		{ "\"a\\ud83d\\ude00b\"", "a\xf0\x9f\x98\x80" "b" },
		{ "\"\\ud800\\udc00\\uDBFF\\uDFFF\"",
		    "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf" },
		{ "\"\\\\u0000\"", "\\u0000" },
		{ "\"\\\\ud800\"", "\\ud800" },
		{ "\"\\\\\\\\\"", "\\\\" },
		{ "\"\x7f\"", "\x7f" }
	};
	size_t i;

	for (i = 0; i < COUNT(v); i++)
		ck_assert_msg(mk_json_is(good(v[i].in), v[i].out), "%s",
		    v[i].in);
}
END_TEST

START_TEST(plain_strings_point_into_the_text)
{
	const struct mk_json *top = good("{\"name\":\"value\",\"e\":\"\\n\"}");

	ck_assert_ptr_eq(top->child->name, text + 2);
	ck_assert_ptr_eq(top->child->str, text + 9);
	ck_assert_uint_eq(notes.raw_lf, 0);
	ck_assert(mk_json_is(top->child->next, "\n"));
}
END_TEST

START_TEST(refused_by_the_grammar)
{
	static const char *const v[] = {
		"", " ", "\n", "{", "[", "}", "]", "[}", "{]", "[]]", "[1",
		"[1,]", "[,1]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}",
		"{a:1}", "{'a':1}", "{1:1}", "[1 2]", "[01]", "[+1]", "[.5]",
		"[1.]", "[1e]", "[-]", "[0x1]", "[NaN]", "[Infinity]",
		"[True]", "[nul]", "[truex]", "tru", "-", "1.", "01",
		"/**/1", "1//", "[1/*x*/]", "#", "{}{}", "[][]", "{}1",
		"1 2", "1[", "{} x", "{},", "1 \"", "1 tru", "\"a\" \"b\"",
		"{}\"a", "{}tru", "true false", "\"", "\"a", "\"\\",
		"\"\\\"", "\"\\u", "\"\\u004", "[\"a\"", "[\"a", "\"a\\\"]"
	};
	size_t i;

	for (i = 0; i < COUNT(v); i++)
		bad(v[i], strlen(v[i]));
}
END_TEST

START_TEST(refused_by_the_scan)
{
	static const struct {
		const char *s;
		size_t len;
	} v[] = {
#define S(s)	{ s, sizeof(s) - 1 }
		S("\xef\xbb\xbf[]"), S("\xef\xbb\xbf"), S("\xff\xfe[\0]\0"),
		S("[]\0"), S("\0"), S("\0[]"), S("[\0]"), S("\"a\0b\""),
		S("{\"a\0\":1}"), S("\"\\u0000\""), S("\"a\\u0000b\""),
		S("{\"\\u0000\":1}"), S("[\v]"), S("[\f]"), S("\v[]"),
		S("[]\f"), S("[1]\x1a"), S("[\x7f]"), S("[\xa0]"),
		S("[\xc2\xa0]"), S("\"\t\""), S("\"\r\""), S("\"\x1f\""),
		S("\"\x01\""), S("\"aaaaaaaaaaaaaaaa\taaaaaaaaaaaa\""),
		S("\"\\ud800\""), S("\"\\udc00\""), S("\"\\udfff\""),
		S("\"\\udbff\""), S("\"\\ud800\\ud800\""),
		S("\"\\ud800x\""), S("\"\\ud800\\n\""),
		S("\"\\udc00\\ud800\""), S("\"\\ud800\\u0041\""),
		S("\"\\ud800\\ue000\""), S("\"\\ud83d\\ude0\""),
		S("\"\\ud83d\\"), S("\"\\x41\""), S("\"\\'\""),
		S("\"\\U0041\""),
		S("\"\\\n\""), S("\"\\\0\""), S("\"\\u00g0\""),
		S("\"\\u 041\""), S("\"\\u+041\""), S("{}{}"), S("[][]"),
		S("{}1"), S("{} x"), S("{},"), S("{}tru"), S("{}\"a\""),
		S("]"), S("[]]"), S("[{}"), S("\"a"), S("[\"a\\\"]")
	};
	size_t i;

	for (i = 0; i < COUNT(v); i++)
		bad_scan(v[i].s, v[i].len);
}
END_TEST

/* UTF-8 by its definition, to compare the scan with. */
static size_t
encode(uint32_t c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

START_TEST(every_code_point)
{
	char s[6] = "\"";
	const struct mk_json *json;
	uint32_t c;
	size_t n;

	for (c = 0x80; c < 0x110400; c++) {
		if (c > 0x3000 && c < 0xd700 && c % 64 != 0)
			continue;
		if (c > 0x10100 && c < 0x10ff00 && c % 512 != 0)
			continue;
		n = encode(c, s + 1);
		s[n + 1] = '"';
		if ((c >= 0xd800 && c <= 0xdfff) || c > 0x10ffff) {
			bad_scan(s, n + 2);
			continue;
		}
		ck_assert_int_eq(parse(s, n + 2, &json), 0);
		ck_assert(is_str(json, s + 1, n));
		mk_arena_release(&arena);
	}
}
END_TEST

START_TEST(malformed_utf8)
{
	static const char *const v[] = {
		"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc3", "\xc3\x28",
		"\xe0\x80\x80", "\xe0\x9f\xbf", "\xe2\x82", "\xe2\x28\xa1",
		"\xe2\x82\x28", "\xed\xa0\x80", "\xed\xbf\xbf",
		"\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf", "\xf0\x9f\x98",
		"\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80",
		"\xfe", "\xff", "\xc3\xc3\xa9", "\xc3\xa9\xa9",
		"\xed\xa0\xbd\xed\xb8\x80"
	};
	char s[64];
	size_t i, pad;

	for (i = 0; i < COUNT(v); i++) {
		/* At every place of the words that the scan reads. */
		for (pad = 0; pad < 18; pad++) {
			snprintf(s, sizeof(s), "\"%.*s%s%.*s\"", (int)pad,
			    "aaaaaaaaaaaaaaaaaa", v[i], (int)(18 - pad),
			    "bbbbbbbbbbbbbbbbbb");
			bad_scan(s, strlen(s));
			/* And cut off in the middle. */
			bad_scan(s, 1 + pad + strlen(v[i]));
		}
		snprintf(s, sizeof(s), "[%s]", v[i]);
		bad_scan(s, strlen(s));
	}
}
END_TEST

/* Every byte at every place of a string that the scan reads in words. */
START_TEST(every_byte_in_a_string)
{
	char s[40];
	const struct mk_json *json;
	size_t at, raw_lf;
	int c, r;

	for (at = 1; at < 30; at++) {
		for (c = 0; c < 256; c++) {
			memset(s, 'a', sizeof(s));
			s[0] = s[31] = '"';
			s[at] = (char)c;
			notes.raw_lf = 0;
			r = parse(s, 32, &json);
			if ((c >= 0x20 && c < 0x80 && c != '"' && c != '\\') ||
			    (c == '\n' && at == 1))
				ck_assert_int_eq(r, 0);
			else if (c == '"')
				ck_assert_int_eq(r, MK_E_REFUSED);
			else
				ck_assert_int_eq(mk_json_scan(s, 32, "parse",
				    &raw_lf, NULL), MK_E_REFUSED);
			ck_assert_uint_eq(notes.raw_lf, c == '\n' && at == 1);
			if (r == 0)
				ck_assert(is_str(json, s + 1, 30));
			mk_arena_release(&arena);
		}
	}
}
END_TEST

START_TEST(depth)
{
	char s[2 * MK_JSON_DEPTH + 16];
	size_t n;

	for (n = 1; n <= MK_JSON_DEPTH + 2; n++) {
		memset(s, '[', n);
		memset(s + n, ']', n);
		s[2 * n] = '\0';
		if (n <= MK_JSON_DEPTH)
			good(s);
		else
			bad_scan(s, 2 * n);
	}
	ck_assert_ptr_nonnull(strstr(why.detail, "16"));
	/* Brackets in strings do not count, closed ones no more. */
	good("[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[\",[[]],[[]],[[]],[[]],[[]],"
	    "[[]],[[]],[[]],[[]],[[]],[[]],[[]],[[]],[[]],[[]],[[]],[[]]]");
}
END_TEST

START_TEST(deep_hostile_text)
{
	size_t n = 1 << 20, i;
	char *s = malloc(n);

	ck_assert_ptr_nonnull(s);
	memset(s, '[', n);
	bad(s, n);
	for (i = 0; i + 5 <= n; i += 5)
		memcpy(s + i, "{\"\":[", 5);
	bad(s, n);
	free(s);
}
END_TEST

START_TEST(repeated_members)
{
	static const char *const v[] = {
		"{\"a\":1,\"a\":1}", "{\"a\":1,\"b\":2,\"a\":3}",
		"{\"\":1,\"\":1}", "{\"a\":1,\"\\u0061\":1}",
		"{\"a/b\":1,\"a\\/b\":1}", "[{\"x\":{\"a\":1,\"a\":1}}]",
		"{\"\xc3\xa9\":1,\"\\u00e9\":1}",
		"{\"\nb\":1,\"\\nb\":1}"
	};
	size_t i;

	for (i = 0; i < COUNT(v); i++)
		bad(v[i], strlen(v[i]));
	good("{\"a\":1,\"A\":1,\"aa\":1,\"b\":{\"a\":1},\"\":{\"\":2}}");
	good("[{\"a\":1},{\"a\":1}]");
}
END_TEST

/* An object of 'n' members, the one at 'same' named as the one at 0. */
static char *
object(size_t n, size_t same, size_t *ret_len)
{
	char *s = malloc(n * 16 + 3), *p = s;
	size_t i;

	ck_assert_ptr_nonnull(s);
	*p++ = '{';
	for (i = 0; i < n; i++)
		p += sprintf(p, "%s\"m%zu\":%zu", i > 0 ? "," : "",
		    i > 0 && i == same ? 0 : i * 7919 % 1000003, i % 10);
	*p++ = '}';
	*ret_len = (size_t)(p - s);
	return s;
}

START_TEST(repeated_among_any_number)
{
	const struct mk_json *json;
	size_t n, same, len;
	char *s;

	for (n = 1; n < 24; n++) {
		for (same = 0; same < n; same++) {
			s = object(n, same, &len);
			if (same > 0) {
				bad(s, len);
			} else {
				ck_assert_int_eq(parse(s, len, &json), 0);
				ck_assert_uint_eq(json->count, n);
			}
			free(s);
		}
	}
}
END_TEST

START_TEST(half_a_million_members)
{
	const struct mk_json *json, *m;
	size_t len, i = 0;
	char *s = object(500000, 0, &len);

	ck_assert_int_eq(parse(s, len, &json), 0);
	ck_assert_uint_eq(json->count, 500000);
	/* In the order of the text, whatever was sorted. */
	for (m = json->child; m != NULL; m = m->next)
		ck_assert_int_eq(m->str[0], (char)('0' + i++ % 10));
	ck_assert_uint_eq(i, 500000);
	mk_arena_release(&arena);
	free(s);
	s = object(500000, 499999, &len);
	bad(s, len);
	free(s);
}
END_TEST

#define FOLDED	"\n0123456789abcdef0123456789abcdef" \
		"0123456789abcdef0123456789abcdef"

START_TEST(raw_line_feeds)
{
	const struct mk_json *top;

	top = good("{\n\"k\": \"" FOLDED "\nCD\", \"x\\\\\": \"\nAB\","
	    "\n\"t\": [\n1], \"\nl\": \"" FOLDED "\", \"n\": \"\\n\"\n}\n");
	ck_assert_uint_eq(notes.raw_lf, 5);
	ck_assert(mk_json_is(mk_json_member(top, "k"), FOLDED "\nCD"));
	ck_assert(mk_json_is(mk_json_member(top, "x\\"), "\nAB"));
	ck_assert(mk_json_is(mk_json_member(top, "n"), "\n"));
	ck_assert(mk_json_is(mk_json_member(top, "\nl"), FOLDED));
	/* Notes add up over the texts of a set; a refused text adds none. */
	good("\"\n-\"");
	ck_assert_uint_eq(notes.raw_lf, 6);
	good("[\n]");
	ck_assert_uint_eq(notes.raw_lf, 6);
}
END_TEST

/* Before every 64 characters, or nowhere. */
START_TEST(line_feeds_out_of_place)
{
	static const char *const v[] = {
		"\"\n\"", "\"A\n\"", "\"A\nB\"", "\"\n\nA\"", "\"\nA\n\"",
		"\"" FOLDED "\n\"", "\"" FOLDED "A\"", "\"" FOLDED "A\nB\"",
		"\"" FOLDED FOLDED "A\"", "{\"a\n\":1}", "\"\\n\nA\"",
		"\"\xc3\xa9\n\""
	};
	size_t i;

	for (i = 0; i < COUNT(v); i++)
		bad_scan(v[i], strlen(v[i]));
}
END_TEST

START_TEST(places_in_reasons)
{
	static const struct {
		const char *s, *place;
	} v[] = {
		{ "[1,\"\\ud800\"]", "byte 4 " },
		{ "[\"a\x01\"]", "byte 3 " },
		{ "[1,nope]", "byte 4" },
		{ "[\"\nA\",nope]", "byte 7" },
		{ "[\"\\n\",\"\nA\",nope]", "byte 12" },
		{ "[\"\n\"", "byte 3 " },
		{ "[\"\nA\"", "byte 5 " }
	};
	size_t i;

	for (i = 0; i < COUNT(v); i++) {
		bad(v[i].s, strlen(v[i].s));
		ck_assert_msg(strstr(why.detail, v[i].place) != NULL,
		    "%s: %s", v[i].s, why.detail);
		ck_assert_msg(strstr(why.detail, "nope") == NULL, "%s",
		    why.detail);
	}
}
END_TEST

/* [S,S...] with one string of each length, written as 'unit' each byte. */
static const struct mk_json *
strings(const size_t *lens, size_t n, const char *unit)
{
	const struct mk_json *json;
	size_t total = 2, i, k, len;
	char *s, *p;
	int r;

	for (i = 0; i < n; i++)
		total += lens[i] * strlen(unit) + 3;
	p = s = malloc(total);
	ck_assert_ptr_nonnull(s);
	*p++ = '[';
	for (i = 0; i < n; i++) {
		if (i > 0)
			*p++ = ',';
		*p++ = '"';
		for (k = 0; k < lens[i]; k++, p += strlen(unit))
			memcpy(p, unit, strlen(unit));
		*p++ = '"';
	}
	*p++ = ']';
	len = (size_t)(p - s);
	r = parse(s, len, &json);
	free(s);
	ck_assert_int_eq(r, 0);
	return json;
}

static bool
is_all(const struct mk_json *str, char c)
{
	uint32_t i;

	for (i = 0; i < str->len; i++) {
		if (str->str[i] != c)
			return false;
	}
	return true;
}

START_TEST(long_strings)
{
	static const size_t lens[] = {
		MK_STRING_MAX, MK_STRING_MAX + 1, MK_STRING_LONG,
		MK_STRING_LONG + 1
	};
	static const char *const units[] = { "A", "\\u0041", "\\n" };
	const struct mk_json *j, *first;
	size_t i;

	for (i = 0; i < COUNT(units); i++) {
		memset(&notes, 0, sizeof(notes));
		first = strings(lens, COUNT(lens), units[i])->child;
		ck_assert_uint_eq(notes.long_strings, 3);
		ck_assert_uint_eq(notes.huge_strings, 1);
		/* A place for 8 KiB takes all but the huge one. */
		for (j = first; j != NULL; j = j->next) {
			ck_assert(is_all(j, i < 2 ? 'A' : '\n'));
			mk_json_claim(j, false, &notes);
		}
		ck_assert_uint_eq(notes.long_strings, 1);
		ck_assert_uint_eq(notes.huge_strings, 1);
		mk_json_claim(first->next->next->next, true, &notes);
		ck_assert_uint_eq(notes.long_strings, 0);
		ck_assert_uint_eq(notes.huge_strings, 0);
		mk_json_claim(first, true, &notes);
		mk_json_claim(NULL, true, &notes);
		ck_assert_uint_eq(notes.long_strings, 0);
	}
}
END_TEST

START_TEST(lengths_are_bytes_unescaped)
{
	/* Three bytes each: 342 of them are 1,026. */
	static const size_t at[] = { 341, 342 };

	strings(at, 1, "\\u20ac");
	ck_assert_uint_eq(notes.long_strings, 0);
	strings(at + 1, 1, "\\u20ac");
	ck_assert_uint_eq(notes.long_strings, 1);
	strings(at, 2, "\xe2\x82\xac");
	ck_assert_uint_eq(notes.long_strings, 2);
}
END_TEST

START_TEST(long_names_are_never_claimed)
{
	const struct mk_json *top;
	char s[MK_STRING_LONG + 64];
	size_t len = MK_STRING_LONG + 1;

	memset(s, 'a', sizeof(s));
	memcpy(s, "{\"", 2);
	memcpy(s + 2 + len, "\":\"x\"}", 7);
	top = good(s);
	ck_assert_uint_eq(top->child->name_len, len);
	ck_assert_uint_eq(notes.long_strings, 1);
	ck_assert_uint_eq(notes.huge_strings, 1);
	mk_json_claim(top->child, true, &notes);
	ck_assert_uint_eq(notes.long_strings, 1);

	memset(s, '1', MK_STRING_LONG + 1);
	s[MK_STRING_LONG + 1] = '\0';
	mk_json_claim(good(s), true, &notes);
	ck_assert_uint_eq(notes.long_strings, 1);
}
END_TEST

/* Whatever memory is missing, the text is refused and nothing is lost. */
START_TEST(every_cap)
{
	static const char s[] = "{\"a\":[1,\"\\n\",\"\nb\"],\"\\t\":true,"
	    "\"1\":1,\"2\":1,\"3\":1,\"4\":1,\"5\":1,\"6\":1,\"7\":1,"
	    "\"8\":null,\"deep\":[[[[[[[[[[[[[\"\\u00e9\"]]]]]]]]]]]]]}";
	const struct mk_json *json;
	size_t cap, need;

	good(s);
	need = arena.used;
	mk_arena_release(&arena);
	memset(&notes, 0, sizeof(notes));
	for (cap = 0; cap < need; cap++) {
		mk_arena_init(&arena, cap);
		json = NULL;
		ck_assert_int_eq(parse(s, sizeof(s) - 1, &json),
		    MK_E_REFUSED);
		ck_assert_ptr_null(json);
		ck_assert_ptr_nonnull(strstr(why.detail, "memory"));
		ck_assert_uint_eq(notes.raw_lf, 0);
		mk_arena_release(&arena);
	}
	mk_arena_init(&arena, need);
	good(s);
}
END_TEST

START_TEST(every_prefix)
{
	static const char s[] = "{\"a\":[1,-0.5e-7,\"\\n\\u00e9\\ud83d\\ude00"
	    "\xf0\x9f\x98\x80\",\"\nb\"],\"c\":true,\"d\":null}";
	size_t n;

	for (n = 0; n < sizeof(s) - 1; n++)
		bad(s, n);
	good(s);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("json");
	TCase *t = tcase_create("json");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, tree);
	tcase_add_test(t, looking_up);
	tcase_add_test(t, scalars_stand_alone);
	tcase_add_test(t, escapes);
	tcase_add_test(t, plain_strings_point_into_the_text);
	tcase_add_test(t, refused_by_the_grammar);
	tcase_add_test(t, refused_by_the_scan);
	tcase_add_test(t, every_code_point);
	tcase_add_test(t, malformed_utf8);
	tcase_add_test(t, every_byte_in_a_string);
	tcase_add_test(t, depth);
	tcase_add_test(t, deep_hostile_text);
	tcase_add_test(t, repeated_members);
	tcase_add_test(t, repeated_among_any_number);
	tcase_add_test(t, half_a_million_members);
	tcase_add_test(t, raw_line_feeds);
	tcase_add_test(t, line_feeds_out_of_place);
	tcase_add_test(t, places_in_reasons);
	tcase_add_test(t, long_strings);
	tcase_add_test(t, lengths_are_bytes_unescaped);
	tcase_add_test(t, long_names_are_never_claimed);
	tcase_add_test(t, every_cap);
	tcase_add_test(t, every_prefix);
	suite_add_tcase(s, t);
	return s;
}
