/* SPDX-License-Identifier: ISC */
/* The splitter, and the small values of configuration files. */
#include <string.h>

#include "core/err.h"
#include "edge/words.h"
#include "unit/unit.h"

static struct mk_why why;
static struct mk_words words;
static char line[1024];

static int
split(const char *s)
{
	strcpy(line, s);
	return mk_words_split(line, &words, &why);
}

/* The words joined by '|'. */
static const char *
joined(const char *s)
{
	static char out[1024];
	unsigned i;

	ck_assert_int_eq(split(s), 0);
	out[0] = '\0';
	for (i = 0; i < words.n; i++) {
		strcat(out, words.word[i]);
		strcat(out, "|");
	}
	return out;
}

START_TEST(splits)
{
	ck_assert_str_eq(joined(""), "");
	ck_assert_str_eq(joined(" \t "), "");
	ck_assert_str_eq(joined("# a b"), "");
	ck_assert_str_eq(joined("a"), "a|");
	ck_assert_str_eq(joined("  a\tb  "), "a|b|");
	ck_assert_str_eq(joined("a #b"), "a|");
	ck_assert_str_eq(joined("a#b c"), "a#b|c|");
	ck_assert_str_eq(joined("\"a b\" c"), "a b|c|");
	ck_assert_str_eq(joined("x=\"a b\"c d"), "x=a bc|d|");
	ck_assert_str_eq(joined("\"\" \"#\""), "|#|");
	ck_assert_str_eq(joined("\"a\\\"b\\\\\" \\\"\\\\"), "a\"b\\|\"\\|");
	ck_assert_str_eq(joined("\xc3\xbcnal"), "\xc3\xbcnal|");
	ck_assert_str_eq(joined("o=\"from=\\\"10.0.0.0/8\\\",restrict\""),
	    "o=from=\"10.0.0.0/8\",restrict|");
}
END_TEST

START_TEST(refuses)
{
	static const char *const bad[] = {
		"a \"b", "\"", "a\\b", "a\\", "\"\\n\"", "a\rb", "a\r",
		"a\x7f", "a # \x01", "\x1b[0m"
	};
	char many[2 * MK_LINE_WORDS + 3] = "";
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_int_eq(split(bad[i]), MK_E_CONFIG);
		ck_assert_int_eq(why.code, MK_E_CONFIG);
	}
	for (i = 0; i < MK_LINE_WORDS; i++)
		strcat(many, "a ");
	ck_assert_int_eq(split(many), 0);
	ck_assert_uint_eq(words.n, MK_LINE_WORDS);
	strcat(many, "a");
	ck_assert_int_eq(split(many), MK_E_CONFIG);
}
END_TEST

START_TEST(says_where)
{
	const struct mk_where where = { "/etc/x", 7 };
	char text[] = "a\r", nul[] = "a\0b", open[] = "\"a";

	ck_assert_int_eq(mk_line_split(text, 2, &where, &words, &why),
	    MK_E_CONFIG);
	ck_assert_str_eq(why.detail,
	    "/etc/x:7: DOS line end; run: sed -i 's/\\r$//' /etc/x");
	ck_assert_int_eq(mk_line_split(nul, 3, &where, &words, &why),
	    MK_E_CONFIG);
	ck_assert_str_eq(why.detail, "/etc/x:7: a NUL byte");
	ck_assert_int_eq(mk_line_split(open, 2, &where, &words, &why),
	    MK_E_CONFIG);
	ck_assert_str_eq(why.detail,
	    "/etc/x:7: a double quote is not closed");
}
END_TEST

START_TEST(lines)
{
	char text[] = "one\n\nt\0o\nend";
	char *cursor = text, *end = text + sizeof(text) - 1;
	size_t len;

	ck_assert_str_eq(mk_line_next(&cursor, end, &len), "one");
	ck_assert_uint_eq(len, 3);
	ck_assert_str_eq(mk_line_next(&cursor, end, &len), "");
	ck_assert_uint_eq(len, 0);
	ck_assert_str_eq(mk_line_next(&cursor, end, &len), "t");
	ck_assert_uint_eq(len, 3);
	ck_assert_str_eq(mk_line_next(&cursor, end, &len), "end");
	ck_assert_uint_eq(len, 3);
	ck_assert_ptr_null(mk_line_next(&cursor, end, &len));
}
END_TEST

START_TEST(durations)
{
	static const struct {
		const char *s;
		int64_t seconds;
	} good[] = {
		{ "0", 0 }, { "90", 90 }, { "90s", 90 }, { "15m", 900 },
		{ "12h", 43200 }, { "7d", 604800 }, { "2w", 1209600 },
		{ "3652d", 315532800 }, { "0w", 0 }
	};
	static const char *const bad[] = {
		"", "s", "m", "-1", "+1", "1 s", " 1", "1y", "1M", "1.5h",
		"1h30m", "3653d", "0x10", "99999999999999999999", "1\n"
	};
	int64_t t;
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ck_assert(mk_duration_parse(good[i].s, &t));
		ck_assert_int_eq(t, good[i].seconds);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!mk_duration_parse(bad[i], &t), "%s", bad[i]);
}
END_TEST

START_TEST(numbers)
{
	uint64_t n;

	ck_assert(mk_number_parse("0", 0, &n));
	ck_assert(mk_number_parse("18446744073709551615", UINT64_MAX, &n));
	ck_assert(n == UINT64_MAX);
	ck_assert(!mk_number_parse("18446744073709551616", UINT64_MAX, &n));
	ck_assert(mk_number_parse("10", 10, &n));
	ck_assert(!mk_number_parse("11", 10, &n));
	ck_assert(!mk_number_parse("", 10, &n));
	ck_assert(!mk_number_parse("1k", 10000, &n));
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("words");
	TCase *t = tcase_create("words");

	tcase_add_test(t, splits);
	tcase_add_test(t, refuses);
	tcase_add_test(t, says_where);
	tcase_add_test(t, lines);
	tcase_add_test(t, durations);
	tcase_add_test(t, numbers);
	suite_add_tcase(s, t);
	return s;
}
