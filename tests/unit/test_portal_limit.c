/* SPDX-License-Identifier: ISC */
/* How often somebody may ask. */
#include <stdio.h>
#include <string.h>

#include "cmd/meshportal.h"
#include "unit/unit.h"

#define READ	PORTAL_RATE_READ
#define WRITE	PORTAL_RATE_WRITE

static struct portal_limits *limits;

static void
setup(void)
{
	struct mk_why why;

	ck_assert_int_eq(portal_limits_new(&limits, &why), 0);
	portal_limits_set(limits, READ, 3, 1000);
}

static void
teardown(void)
{
	portal_limits_free(limits);
}

static unsigned
take(const char *who, int64_t now)
{
	const struct portal_toll toll = { READ, who, 1 };

	return portal_limits_take(limits, &toll, now);
}

START_TEST(burst_and_refill)
{
	ck_assert_uint_eq(take("192.0.2.1", 5000), 0);
	ck_assert_uint_eq(take("192.0.2.1", 5000), 0);
	ck_assert_uint_eq(take("192.0.2.1", 5000), 0);
	/* The wait is told rounded up, and is enough. */
	ck_assert_uint_eq(take("192.0.2.1", 5000), 1);
	ck_assert_uint_eq(take("192.0.2.1", 5999), 1);
	ck_assert_uint_eq(take("192.0.2.1", 6000), 0);
	ck_assert_uint_eq(take("192.0.2.1", 6000), 1);
	/* No more than a full bucket, however long. */
	ck_assert_uint_eq(take("192.0.2.1", 900000), 0);
	ck_assert_uint_eq(take("192.0.2.1", 900000), 0);
	ck_assert_uint_eq(take("192.0.2.1", 900000), 0);
	ck_assert_uint_eq(take("192.0.2.1", 900000), 1);
	portal_limits_set(limits, READ, 1, 90000);
	ck_assert_uint_eq(take("192.0.2.2", 0), 0);
	ck_assert_uint_eq(take("192.0.2.2", 500), 90);
}
END_TEST

/* A new host with many users asks for all of their sets, and an office has
   several. */
START_TEST(usual_reading)
{
	const struct portal_toll toll = { READ, "192.0.2.9", 1 };
	struct portal_limits *usual;
	struct mk_why why;
	unsigned i;

	ck_assert_int_eq(portal_limits_new(&usual, &why), 0);
	for (i = 0; i < 10000; i++)
		ck_assert_uint_eq(portal_limits_take(usual, &toll, 0), 0);
	portal_limits_free(usual);
}
END_TEST

static void
drain(const char *who)
{
	while (take(who, 0) == 0)
		;
}

START_TEST(price)
{
	struct portal_toll toll = { READ, "192.0.2.1", 2 };

	ck_assert_uint_eq(portal_limits_take(limits, &toll, 0), 0);
	/* Nothing is taken until all of them are there. */
	ck_assert_uint_eq(portal_limits_take(limits, &toll, 0), 1);
	ck_assert_uint_eq(portal_limits_take(limits, &toll, 1000), 0);
	/* What a bucket never holds costs a full one. */
	toll.tokens = 100;
	ck_assert_uint_eq(portal_limits_take(limits, &toll, 1000), 3);
	ck_assert_uint_eq(portal_limits_take(limits, &toll, 4000), 0);
	ck_assert_uint_eq(take("192.0.2.1", 4000), 1);
}
END_TEST

START_TEST(each_for_itself)
{
	const struct portal_toll other = { WRITE, "192.0.2.1", 1 };

	drain("192.0.2.1");
	ck_assert_uint_eq(take("192.0.2.2", 0), 0);
	ck_assert_uint_eq(take("alice@example.com", 0), 0);
	drain("alice@example.com");
	ck_assert_uint_eq(take("bob@example.com", 0), 0);
	/* Another rate is another bucket. */
	ck_assert_uint_eq(portal_limits_take(limits, &other, 0), 0);
}
END_TEST

START_TEST(one_site_is_one)
{
	drain("2001:db8::1");
	ck_assert_uint_ne(take("2001:db8::2", 0), 0);
	ck_assert_uint_ne(take("2001:db8::ffff:ffff:ffff:ffff", 0), 0);
	ck_assert_uint_eq(take("2001:db8:0:1::1", 0), 0);
	drain("192.0.2.1");
	ck_assert_uint_ne(take("::ffff:192.0.2.1", 0), 0);
	ck_assert_uint_eq(take("::ffff:192.0.2.2", 0), 0);
}
END_TEST

START_TEST(origins)
{
	char out[PORTAL_ORIGIN];

	portal_origin("192.0.2.1", out);
	ck_assert_str_eq(out, "192.0.2.1");
	portal_origin("::ffff:192.0.2.1", out);
	ck_assert_str_eq(out, "192.0.2.1");
	portal_origin("2001:db8:1:2:3:4:5:6", out);
	ck_assert_str_eq(out, "2001:db8:1:2::/64");
	portal_origin("", out);
	ck_assert_str_eq(out, "");
}
END_TEST

/* A flood of others does not give the one that floods most new tokens. */
START_TEST(table_is_bounded)
{
	char who[32];
	unsigned i, given = 0;

	portal_limits_set(limits, READ, 1000, 1000);
	for (i = 0; i < 1000; i++)
		ck_assert_uint_eq(take("192.0.2.1", 0), 0);
	for (i = 0; i < 100000; i++) {
		(void)snprintf(who, sizeof(who), "10.%u.%u.%u", i >> 16,
		    i >> 8 & 255, i & 255);
		(void)take(who, 0);
		given += take("192.0.2.1", 0) == 0;
	}
	ck_assert_uint_eq(given, 0);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("portal_limit");
	TCase *t = tcase_create("portal_limit");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, burst_and_refill);
	tcase_add_test(t, usual_reading);
	tcase_add_test(t, price);
	tcase_add_test(t, each_for_itself);
	tcase_add_test(t, one_site_is_one);
	tcase_add_test(t, origins);
	tcase_add_test(t, table_is_bounded);
	suite_add_tcase(s, t);
	return s;
}
