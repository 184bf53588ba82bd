/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "core/arena.h"
#include "core/err.h"
#include "core/udfset.h"
#include "make_set.h"
#include "unit.h"

#define MANY	5000u

static struct mk_arena arena;
static struct mk_udfset set;

static void
setup(void)
{
	mk_arena_init(&arena, 1 << 20);
	memset(&set, 0, sizeof(set));
}

static void
teardown(void)
{
	mk_arena_release(&arena);
}

static void
start(size_t room)
{
	ck_assert_int_eq(mk_udfset_init(&arena, room, &set, NULL), 0);
}

/* Also one that was never set up. */
START_TEST(empty)
{
	struct mk_udf udf = made_udf(1);

	ck_assert(!mk_udfset_find(&set, &udf, NULL));
	ck_assert(mk_udfset_seal(&set));
	start(0);
	ck_assert(mk_udfset_seal(&set));
	ck_assert(!mk_udfset_find(&set, &udf, NULL));
	mk_udfset_add(&set, &udf, 0);
	ck_assert_uint_eq(set.n, 0);
}
END_TEST

START_TEST(many)
{
	struct mk_udf udf;
	size_t index = 0;
	unsigned i;

	start(MANY);
	for (i = 0; i < MANY; i++) {
		udf = made_udf(i);
		mk_udfset_add(&set, &udf, i);
	}
	ck_assert(mk_udfset_seal(&set));
	for (i = 0; i < MANY; i++) {
		udf = made_udf(i);
		ck_assert(mk_udfset_find(&set, &udf, &index));
		ck_assert_uint_eq(index, i);
		udf.b[MK_UDF_BYTES - 1] ^= 4;
		ck_assert(!mk_udfset_find(&set, &udf, NULL));
	}
}
END_TEST

START_TEST(repeated)
{
	struct mk_udf udf;
	unsigned i;

	start(101);
	for (i = 0; i < 100; i++) {
		udf = made_udf(i);
		mk_udfset_add(&set, &udf, i);
	}
	udf = made_udf(50);
	mk_udfset_add(&set, &udf, 100);
	ck_assert(!mk_udfset_seal(&set));
}
END_TEST

START_TEST(no_memory)
{
	struct mk_why why;

	ck_assert_int_eq(mk_udfset_init(&arena, 1 << 20, &set, &why),
	    MK_E_REFUSED);
	ck_assert_int_eq(why.code, MK_E_REFUSED);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("udfset");
	TCase *tc = tcase_create("udfset");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, empty);
	tcase_add_test(tc, many);
	tcase_add_test(tc, repeated);
	tcase_add_test(tc, no_memory);
	suite_add_tcase(s, tc);
	return s;
}
