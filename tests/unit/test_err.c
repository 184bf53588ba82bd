/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "core/err.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

START_TEST(reason_and_code)
{
	struct mk_why why;

	ck_assert_int_eq(mk_fail(&why, MK_E_STALE, "age", "cache of %d days",
	    8), MK_E_STALE);
	ck_assert_int_eq(why.code, MK_E_STALE);
	ck_assert_str_eq(why.stage, "age");
	ck_assert_str_eq(why.detail, "cache of 8 days");
	ck_assert_int_eq(mk_fail(NULL, MK_E_PERM, "age", "%s", "x"),
	    MK_E_PERM);
}
END_TEST

/* More is said of it, in its own words. */
START_TEST(told_further)
{
	struct mk_why why;

	mk_fail(&why, MK_E_REFUSED, "set", "too large");
	mk_fail(&why, MK_E_STALE, why.stage, "no good: %s", why.detail);
	ck_assert_int_eq(why.code, MK_E_STALE);
	ck_assert_str_eq(why.stage, "set");
	ck_assert_str_eq(why.detail, "no good: too large");
}
END_TEST

START_TEST(only_printable_ascii)
{
	struct mk_why why;
	char all[256];
	size_t i;

	for (i = 0; i < 255; i++)
		all[i] = (char)(i + 1);
	all[255] = '\0';
	mk_fail(&why, MK_E_BUG, "s", "%s", all);
	ck_assert_uint_eq(strlen(why.detail), 255);
	for (i = 0; i < 255; i++) {
		if (i + 1 >= 0x20 && i + 1 <= 0x7e)
			ck_assert_int_eq(why.detail[i], (char)(i + 1));
		else
			ck_assert_int_eq(why.detail[i], '?');
	}
}
END_TEST

START_TEST(long_reason_is_cut)
{
	struct mk_why why;
	char text[2 * sizeof(why.detail)];

	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	mk_fail(&why, MK_E_BUG, "s", "%s", text);
	ck_assert_uint_eq(strlen(why.detail), sizeof(why.detail) - 1);
}
END_TEST

START_TEST(reason_quotes_itself)
{
	struct mk_why why;

	mk_fail(&why, MK_E_BUG, "s", "first");
	mk_fail(&why, MK_E_BUG, "s", "second: %s", why.detail);
	ck_assert_str_eq(why.detail, "second: first");
}
END_TEST

START_TEST(exit_codes)
{
	static const int pairs[][2] = {
		{ MK_OK, 0 }, { MK_E_USAGE, 64 }, { MK_E_REFUSED, 65 },
		{ MK_E_NOPROFILE, 66 }, { MK_E_BUG, 70 }, { MK_E_SYSTEM, 71 },
		{ MK_E_STALE, 75 }, { MK_E_PERM, 77 }, { MK_E_CONFIG, 78 },
		{ MK_E_ABSENT, 70 }, { MK_E_TOOBIG, 70 }, { 1, 70 },
		{ 65, 70 }, { -67, 70 }, { -79, 70 }
	};
	size_t i;

	for (i = 0; i < COUNT(pairs); i++)
		ck_assert_int_eq(mk_exit_code(pairs[i][0]), pairs[i][1]);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("err");
	TCase *t = tcase_create("err");

	tcase_add_test(t, reason_and_code);
	tcase_add_test(t, told_further);
	tcase_add_test(t, only_printable_ascii);
	tcase_add_test(t, long_reason_is_cut);
	tcase_add_test(t, reason_quotes_itself);
	tcase_add_test(t, exit_codes);
	suite_add_tcase(s, t);
	return s;
}
