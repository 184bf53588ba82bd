/* SPDX-License-Identifier: ISC */
/* Who waits for which profile: each woken once, by the right event. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/meshportal.h"
#include "core/limits.h"
#include "unit/unit.h"

#define MANY	300u

static struct portal_waiting *waiting;
static unsigned woken[PORTAL_WAITING_MAX + 1];

static void
setup(void)
{
	struct mk_why why;

	ck_assert_int_ne(sodium_init(), -1);
	memset(woken, 0, sizeof(woken));
	ck_assert_int_eq(portal_waiting_new(&waiting, &why), 0);
}

static void
teardown(void)
{
	portal_waiting_free(waiting);
}

static void
count(void *arg)
{
	(*(unsigned *)arg)++;
}

static struct mk_udf
udf_of(unsigned n)
{
	struct mk_udf udf = { .b = { MK_UDF_KEY } };

	udf.b[1] = (uint8_t)(n >> 16);
	udf.b[2] = (uint8_t)(n >> 8);
	udf.b[3] = (uint8_t)n;
	return udf;
}

/* Waiter 'who' waits for n profiles from 'first' on. */
static struct portal_waiter *
wait_for(unsigned who, int64_t until, unsigned first, unsigned n)
{
	static struct mk_udf udfs[MK_CHANGES_IDS];
	struct portal_wanted wanted = { .udfs = udfs, .n = n,
	    .until = until, .wake = count, .arg = &woken[who] };
	struct portal_waiter *waiter = NULL;
	struct mk_why why;
	unsigned i;

	for (i = 0; i < n; i++)
		udfs[i] = udf_of(first + i);
	ck_assert_int_eq(portal_waiting_add(waiting, &wanted, &waiter, &why),
	    0);
	ck_assert_ptr_nonnull(waiter);
	return waiter;
}

static void
change(unsigned n)
{
	struct mk_udf udf = udf_of(n);

	portal_waiting_changed(waiting, &udf);
}

START_TEST(changed_wakes_those_who_wait_for_it)
{
	(void)wait_for(0, 1000, 10, 3);
	(void)wait_for(1, 1000, 12, 3);
	(void)wait_for(2, 1000, 14, 3);
	change(9);
	ck_assert_uint_eq(woken[0] + woken[1] + woken[2], 0);
	change(12);
	ck_assert_uint_eq(woken[0], 1);
	ck_assert_uint_eq(woken[1], 1);
	ck_assert_uint_eq(woken[2], 0);
	/* They are gone: no second call, not by time either. */
	change(12);
	change(10);
	ck_assert_int_eq(portal_waiting_tick(waiting, 500), 500);
	ck_assert_int_eq(portal_waiting_tick(waiting, 1000), -1);
	ck_assert_uint_eq(woken[0], 1);
	ck_assert_uint_eq(woken[1], 1);
	ck_assert_uint_eq(woken[2], 1);
}
END_TEST

/* In every order of times, each when its own has come and not before. */
START_TEST(tick_wakes_in_the_order_of_time)
{
	unsigned i, until[MANY], now;

	for (i = 0; i < MANY; i++) {
		until[i] = 1 + (i * 7919) % 1009;
		(void)wait_for(i, until[i], i, 1);
	}
	for (now = 0; now <= 1009; now++) {
		(void)portal_waiting_tick(waiting, now);
		for (i = 0; i < MANY; i++)
			ck_assert_uint_eq(woken[i], until[i] <= now);
	}
	ck_assert_int_eq(portal_waiting_tick(waiting, now), -1);
}
END_TEST

START_TEST(tick_tells_how_long)
{
	struct portal_waiter *first, *third;

	ck_assert_int_eq(portal_waiting_tick(waiting, 0), -1);
	(void)wait_for(0, 300, 0, 1);
	third = wait_for(1, 500, 0, 1);
	first = wait_for(2, 200, 0, 1);
	ck_assert_int_eq(portal_waiting_tick(waiting, 50), 150);
	portal_waiting_drop(waiting, first);
	ck_assert_int_eq(portal_waiting_tick(waiting, 50), 250);
	portal_waiting_drop(waiting, third);
	ck_assert_int_eq(portal_waiting_tick(waiting, 50), 250);
	ck_assert_int_eq(portal_waiting_tick(waiting, 300), -1);
	ck_assert_uint_eq(woken[0], 1);
	ck_assert_uint_eq(woken[1] + woken[2], 0);
}
END_TEST

/* Taken out from anywhere, what is left stays in order. */
START_TEST(drop_takes_out_of_the_middle)
{
	struct portal_waiter *waiters[MANY];
	unsigned i, now;

	for (i = 0; i < MANY; i++)
		waiters[i] = wait_for(i, 1 + (i * 31) % 101, 0, 2);
	for (i = 0; i < MANY; i += 3)
		portal_waiting_drop(waiting, waiters[(i * 7) % MANY]);
	for (now = 1; now <= 101; now++) {
		(void)portal_waiting_tick(waiting, now);
		for (i = 0; i < MANY; i++)
			ck_assert_uint_eq(woken[(i * 7) % MANY],
			    i % 3 != 0 && 1 + ((i * 7) % MANY * 31) % 101 <=
			    now);
	}
}
END_TEST

/* A name that stands often in one request is one name. */
START_TEST(same_name_twice)
{
	struct mk_udf udfs[4] = { udf_of(1), udf_of(2), udf_of(1),
	    udf_of(1) };
	struct portal_wanted wanted = { .udfs = udfs, .n = 4, .until = 10,
	    .wake = count, .arg = &woken[0] };
	struct portal_waiter *waiter;
	struct mk_why why;

	ck_assert_int_eq(portal_waiting_add(waiting, &wanted, &waiter, &why),
	    0);
	(void)wait_for(1, 10, 1, 2);
	change(1);
	ck_assert_uint_eq(woken[0], 1);
	ck_assert_uint_eq(woken[1], 1);
	change(2);
	ck_assert_uint_eq(woken[0], 1);
	ck_assert_uint_eq(woken[1], 1);
}
END_TEST

START_TEST(without_a_name_only_time_wakes)
{
	(void)wait_for(0, 10, 0, 0);
	change(0);
	ck_assert_uint_eq(woken[0], 0);
	(void)portal_waiting_tick(waiting, 10);
	ck_assert_uint_eq(woken[0], 1);
}
END_TEST

START_TEST(no_more_than_the_bound)
{
	struct mk_udf udfs[2] = { udf_of(1), udf_of(2) };
	struct portal_wanted wanted = { .udfs = udfs, .n = 2, .until = 10,
	    .wake = count, .arg = &woken[PORTAL_WAITING_MAX] };
	struct portal_waiter *waiter = NULL;
	struct mk_why why;
	unsigned i;

	for (i = 0; i < PORTAL_WAITING_MAX; i++)
		(void)wait_for(i, 100, 2 * i, 2);
	ck_assert_int_eq(portal_waiting_add(waiting, &wanted, &waiter, &why),
	    MK_E_STALE);
	ck_assert_ptr_null(waiter);
	change(0);
	ck_assert_int_eq(portal_waiting_add(waiting, &wanted, &waiter, &why),
	    0);
	portal_waiting_end(waiting);
	for (i = 0; i <= PORTAL_WAITING_MAX; i++)
		ck_assert_uint_eq(woken[i], 1);
	ck_assert_int_eq(portal_waiting_tick(waiting, 1000), -1);
	wanted.n = MK_CHANGES_IDS + 1;
	ck_assert_int_eq(portal_waiting_add(waiting, &wanted, &waiter, &why),
	    MK_E_REFUSED);
}
END_TEST

/* All that may wait, each for all that it may name. */
START_TEST(as_many_as_there_may_be)
{
	unsigned i, sum = 0;

	for (i = 0; i < PORTAL_WAITING_MAX; i++)
		(void)wait_for(i, 100 + i, i % 8 * MK_CHANGES_IDS,
		    MK_CHANGES_IDS);
	for (i = 0; i < MK_CHANGES_IDS; i++)
		change(8 * MK_CHANGES_IDS + i);
	for (i = 0; i < PORTAL_WAITING_MAX; i++)
		sum += woken[i];
	ck_assert_uint_eq(sum, 0);
	change(MK_CHANGES_IDS);
	for (i = 0; i < PORTAL_WAITING_MAX; i++)
		ck_assert_uint_eq(woken[i], i % 8 == 1);
	(void)portal_waiting_tick(waiting, 100 + PORTAL_WAITING_MAX / 2 - 1);
	for (i = 0; i < PORTAL_WAITING_MAX; i++)
		ck_assert_uint_eq(woken[i], i % 8 == 1 ||
		    i < PORTAL_WAITING_MAX / 2);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("portal_wait");
	TCase *tc = tcase_create("wait");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, changed_wakes_those_who_wait_for_it);
	tcase_add_test(tc, tick_wakes_in_the_order_of_time);
	tcase_add_test(tc, tick_tells_how_long);
	tcase_add_test(tc, drop_takes_out_of_the_middle);
	tcase_add_test(tc, same_name_twice);
	tcase_add_test(tc, without_a_name_only_time_wakes);
	tcase_add_test(tc, no_more_than_the_bound);
	tcase_add_test(tc, as_many_as_there_may_be);
	suite_add_tcase(s, tc);
	return s;
}
