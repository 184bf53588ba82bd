/* SPDX-License-Identifier: ISC */
#include <string.h>
#include <time.h>

#include "core/timestamp.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

START_TEST(known_times)
{
	static const struct {
		const char *text;
		int64_t t;
	} v[] = {
		{ "2015-01-01T00:00:00Z", 1420070400 },
		{ "2016-02-29T12:00:00Z", 1456747200 },
		{ "2018-04-09T00:00:00Z", 1523232000 },
		{ "2038-01-19T03:14:08Z", 2147483648 },
		{ "2100-03-01T00:00:00Z", 4107542400 },
		{ "2199-12-31T23:59:59Z", 7258118399 }
	};
	char out[MK_TIME_LEN + 1];
	int64_t t;
	size_t i;

	for (i = 0; i < COUNT(v); i++) {
		ck_assert(mk_time_parse(v[i].text, MK_TIME_LEN, &t));
		ck_assert_int_eq(t, v[i].t);
		mk_time_format(t, out);
		ck_assert_str_eq(out, v[i].text);
	}
}
END_TEST

START_TEST(refused_texts)
{
	static const char *const bad[] = {
		"", "-", "?", "2014-12-31T23:59:59Z", "2200-01-01T00:00:00Z",
		"2018-00-01T00:00:00Z", "2018-13-01T00:00:00Z",
		"2018-01-00T00:00:00Z", "2018-01-32T00:00:00Z",
		"2018-04-31T00:00:00Z", "2018-02-29T00:00:00Z",
		"2100-02-29T00:00:00Z", "2018-01-01T24:00:00Z",
		"2018-01-01T00:60:00Z", "2016-12-31T23:59:60Z",
		"2018-01-01t00:00:00Z", "2018-01-01T00:00:00z",
		"2018-01-01 00:00:00Z", "2018-01-01T00:00:00",
		"2018-01-01T00:00:00.0Z", "2018-01-01T00:00:00+00:00",
		"2018-1-01T00:00:00Z", " 2018-01-01T00:00:00Z",
		"2018-01-01T00:00:00Z ", "+018-01-01T00:00:00Z",
		"2018-01-01T00:00:0 Z", "20180101T000000Z",
		"02018-01-01T00:00:00Z"
	};
	int64_t t = 4711;
	size_t i;

	for (i = 0; i < COUNT(bad); i++)
		ck_assert_msg(!mk_time_parse(bad[i], strlen(bad[i]), &t),
		    "%s", bad[i]);
	ck_assert_int_eq(t, 4711);
}
END_TEST

START_TEST(every_corruption)
{
	static const char good[] = "2018-06-15T12:34:56Z";
	char copy[MK_TIME_LEN + 1], back[MK_TIME_LEN + 1];
	int64_t t;
	size_t i;
	int c;

	for (i = 0; i < MK_TIME_LEN; i++) {
		for (c = 0; c < 256; c++) {
			memcpy(copy, good, sizeof(copy));
			copy[i] = (char)c;
			if (!mk_time_parse(copy, MK_TIME_LEN, &t))
				continue;
			/* What is let in has one spelling only. */
			mk_time_format(t, back);
			ck_assert_str_eq(back, copy);
		}
	}
}
END_TEST

/* Every day of the years of the form, against the C library. */
START_TEST(every_day)
{
	const int64_t first = 1420070400, last = 7258118399;
	char out[MK_TIME_LEN + 1], want[MK_TIME_LEN + 12];
	int64_t t, back;
	struct tm tm;
	time_t clock;

	for (t = first; t <= last; t += 86399 - t % 17) {
		clock = (time_t)t;
		ck_assert_ptr_nonnull(gmtime_r(&clock, &tm));
		strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%SZ", &tm);
		mk_time_format(t, out);
		ck_assert_str_eq(out, want);
		ck_assert(mk_time_parse(out, MK_TIME_LEN, &back));
		ck_assert_int_eq(back, t);
	}
}
END_TEST

START_TEST(outside_the_form)
{
	static const int64_t outside[] = {
		1420070399, 7258118400, 0, -1, INT64_MAX, INT64_MIN + 1
	};
	char out[MK_TIME_LEN + 1];
	size_t i;

	for (i = 0; i < COUNT(outside); i++) {
		mk_time_format(outside[i], out);
		ck_assert_str_eq(out, "?");
	}
	mk_time_format(MK_TIME_NONE, out);
	ck_assert_str_eq(out, "-");
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("timestamp");
	TCase *t = tcase_create("timestamp");

	tcase_add_test(t, known_times);
	tcase_add_test(t, refused_texts);
	tcase_add_test(t, every_corruption);
	tcase_add_test(t, every_day);
	tcase_add_test(t, outside_the_form);
	suite_add_tcase(s, t);
	return s;
}
