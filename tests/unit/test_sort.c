/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "core/sort.h"
#include "unit.h"

static size_t comparisons;

static int
compare(const void *a, const void *b)
{
	const unsigned *x = a, *y = b;

	comparisons++;
	return *x < *y ? -1 : *x > *y;
}

/* The same elements, in order. */
static void
check_sorted(unsigned *v, size_t n)
{
	unsigned long long before = 0, after = 0;
	size_t i;

	for (i = 0; i < n; i++)
		before += (unsigned long long)v[i] * v[i] + 1;
	mk_sort(v, n, sizeof(*v), compare);
	for (i = 0; i < n; i++)
		after += (unsigned long long)v[i] * v[i] + 1;
	ck_assert(before == after);
	for (i = 1; i < n; i++)
		ck_assert_uint_le(v[i - 1], v[i]);
}

START_TEST(all_small_orders)
{
	unsigned v[6], code, n, i, left;

	for (n = 0; n <= 6; n++) {
		for (code = 0; code < 46656; code++) {
			for (i = 0, left = code; i < n; i++, left /= 6)
				v[i] = left % 6;
			check_sorted(v, n);
		}
	}
}
END_TEST

START_TEST(shapes_that_are_bad_for_others)
{
	static unsigned v[20000];
	const size_t n = sizeof(v) / sizeof(v[0]);
	size_t i, shape;

	for (shape = 0; shape < 4; shape++) {
		for (i = 0; i < n; i++) {
			unsigned shapes[] = { (unsigned)i, (unsigned)(n - i),
			    7, (unsigned)(i % 2 ? i : n - i) };

			v[i] = shapes[shape];
		}
		comparisons = 0;
		check_sorted(v, n);
		/* 2 n log2 n, and not n squared. */
		ck_assert_uint_le(comparisons, 2 * n * 15);
	}
}
END_TEST

START_TEST(wide_elements)
{
	struct wide {
		unsigned key;
		char text[MK_SORT_ELEMENT - sizeof(unsigned)];
	} v[64];
	size_t i;

	for (i = 0; i < 64; i++) {
		v[i].key = (unsigned)(i * 37 % 64);
		memset(v[i].text, (int)v[i].key, sizeof(v[i].text));
	}
	mk_sort(v, 64, sizeof(v[0]), compare);
	for (i = 0; i < 64; i++) {
		ck_assert_uint_eq(v[i].key, i);
		ck_assert_int_eq(v[i].text[sizeof(v[i].text) - 1], (int)i);
	}
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("sort");
	TCase *tc = tcase_create("sort");

	tcase_add_test(tc, all_small_orders);
	tcase_add_test(tc, shapes_that_are_bad_for_others);
	tcase_add_test(tc, wide_elements);
	suite_add_tcase(s, tc);
	return s;
}
