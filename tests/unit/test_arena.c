/* SPDX-License-Identifier: ISC */
#include <stdint.h>
#include <string.h>

#include "core/arena.h"
#include "core/err.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

/* AddressSanitizer shall give NULL for what cannot be had, as malloc does. */
const char	*__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

START_TEST(zeroed_and_aligned)
{
	struct mk_arena a;
	unsigned char *p;
	size_t size, i;

	mk_arena_init(&a, 1 << 20);
	for (size = 0; size < 100; size++) {
		p = mk_arena_alloc(&a, size);
		ck_assert_ptr_nonnull(p);
		ck_assert_uint_eq((uintptr_t)p % _Alignof(max_align_t), 0);
		for (i = 0; i < size; i++)
			ck_assert_uint_eq(p[i], 0);
		memset(p, 0xff, size);
	}
	ck_assert_uint_gt(a.used, 4950);
	ck_assert_int_eq(a.failed, 0);
	mk_arena_release(&a);
	ck_assert_uint_eq(a.used, 0);
	ck_assert_ptr_null(a.blocks);
}
END_TEST

START_TEST(cap_holds)
{
	struct mk_arena a;
	struct mk_why why;
	unsigned n = 0;

	mk_arena_init(&a, 10000);
	while (mk_arena_alloc(&a, 100) != NULL)
		n++;
	ck_assert_uint_gt(n, 50);
	ck_assert_uint_le(n, 99);
	ck_assert_uint_le(a.used, 10000);
	ck_assert_int_eq(mk_arena_fail(&a, &why), MK_E_REFUSED);
	ck_assert_ptr_nonnull(strstr(why.detail, "10000"));
	/* It stays failed until the release, and works after it. */
	ck_assert_ptr_null(mk_arena_alloc(&a, 0));
	mk_arena_release(&a);
	ck_assert_ptr_nonnull(mk_arena_alloc(&a, 100));
	mk_arena_release(&a);
}
END_TEST

START_TEST(cap_is_exact)
{
	struct mk_arena a;
	size_t need;

	mk_arena_init(&a, 1000);
	mk_arena_alloc(&a, 100);
	need = a.used;
	mk_arena_release(&a);
	mk_arena_init(&a, need);
	ck_assert_ptr_nonnull(mk_arena_alloc(&a, 100));
	mk_arena_release(&a);
	mk_arena_init(&a, need - 1);
	ck_assert_ptr_null(mk_arena_alloc(&a, 100));
	mk_arena_release(&a);
	mk_arena_init(&a, 0);
	ck_assert_ptr_null(mk_arena_alloc(&a, 0));
	mk_arena_release(&a);
}
END_TEST

START_TEST(no_product_wraps)
{
	static const size_t bad[][2] = {
		{ SIZE_MAX, 2 }, { 2, SIZE_MAX }, { SIZE_MAX / 2 + 2, 2 },
		{ SIZE_MAX, 1 }, { (size_t)1 << 32, (size_t)1 << 32 }
	};
	struct mk_arena a;
	size_t i;

	for (i = 0; i < COUNT(bad); i++) {
		mk_arena_init(&a, 1 << 20);
		ck_assert_ptr_null(mk_arena_array(&a, bad[i][0], bad[i][1]));
		ck_assert_int_eq(mk_arena_fail(&a, NULL), MK_E_REFUSED);
		mk_arena_release(&a);
	}
	ck_assert_ptr_nonnull(mk_arena_array(&a, SIZE_MAX, 0));
	ck_assert_ptr_nonnull(mk_arena_array(&a, 0, SIZE_MAX));
	ck_assert_ptr_nonnull(mk_arena_array(&a, 10, 10));
	mk_arena_release(&a);
}
END_TEST

START_TEST(no_memory_is_no_refusal)
{
	struct mk_arena a;
	struct mk_why why;

	/* More than any address space has, below the cap. */
	mk_arena_init(&a, SIZE_MAX);
	ck_assert_ptr_null(mk_arena_alloc(&a, PTRDIFF_MAX / 2));
	ck_assert_int_eq(mk_arena_fail(&a, &why), MK_E_SYSTEM);
	ck_assert_str_eq(why.detail, "out of memory");
	mk_arena_release(&a);
	ck_assert_int_eq(mk_arena_fail(&a, NULL), MK_E_BUG);
}
END_TEST

START_TEST(copies)
{
	struct mk_arena a;
	char *p;

	mk_arena_init(&a, 1000);
	p = mk_arena_dup(&a, "ab\0cd", 5);
	ck_assert_mem_eq(p, "ab\0cd", 6);
	ck_assert_str_eq(mk_arena_dup(&a, NULL, 0), "");
	ck_assert_ptr_null(mk_arena_dup(&a, "", SIZE_MAX));
	ck_assert_int_eq(a.failed, MK_E_REFUSED);
	mk_arena_release(&a);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("arena");
	TCase *t = tcase_create("arena");

	tcase_add_test(t, zeroed_and_aligned);
	tcase_add_test(t, cap_holds);
	tcase_add_test(t, cap_is_exact);
	tcase_add_test(t, no_product_wraps);
	tcase_add_test(t, no_memory_is_no_refusal);
	tcase_add_test(t, copies);
	suite_add_tcase(s, t);
	return s;
}
