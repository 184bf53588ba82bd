/* SPDX-License-Identifier: ISC */
/* The rules of the portal protocol for reading, and for who waits. */
#include <stdio.h>
#include <string.h>

#include "core/digest.h"
#include "core/portal.h"
#include "unit/portal_case.h"
#include "unit/unit.h"

#define T0	MADE_UPDATED

static const struct case_signer alice = { 0 };
static struct made first, second;

static void
setup(void)
{
	struct case_version v = { .updated = T0 };

	case_setup();
	case_set(&v, &first);
	v = (struct case_version){ .updated = T0 + 60,
	    .previous = &first };
	case_set(&v, &second);
}

static void
teardown(void)
{
	made_release(&first);
	made_release(&second);
	case_teardown();
}

static void
create(void)
{
	case_create(&alice, &first);
	ck_assert_int_eq(case_post(), 201);
}

START_TEST(reading)
{
	static const char *const absent[] = { "", ".json", "x.json",
	    "account/", "account/.json", "account/bob@example.com.json",
	    "account/../portal.db", "../portal.db", "portal.db",
	    "account/alice%40example.com", "lock.json",
	    "MAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA.json" };
	char text[128], udf[MK_UDF_TEXT + 1], etag[140];
	uint8_t digest[MK_DIGEST];
	struct mk_buf hex;
	size_t i;

	create();
	for (i = 0; i < sizeof(absent) / sizeof(absent[0]); i++) {
		ck_assert_int_eq(case_read(absent[i]), 404);
		ck_assert_str_eq(pc.reply.etag, "");
	}
	case_stored(&first);
	ck_assert(pc.reply.cacheable);
	mk_sha512((const uint8_t *)first.set.data, first.set.len, digest);
	mk_buf_init(&hex, 200);
	mk_buf_hex(&hex, digest, sizeof(digest));
	(void)snprintf(etag, sizeof(etag), "\"%s\"", hex.data);
	mk_buf_release(&hex);
	ck_assert_str_eq(pc.reply.etag, etag);
	ck_assert_int_eq(case_read("account/" ALICE ".json"), 200);
	ck_assert_str_eq(pc.reply.etag, etag);
	ck_assert_int_eq(case_read("account/%41lice@Example.com.json"), 200);
	mk_udf_format(&first.udf, udf);
	(void)snprintf(text, sizeof(text),
	    "{\"Get\":{\"Identifier\":\"%s\"}}", udf);
	ck_assert_int_eq(case_say(text), 201);
	ck_assert_uint_eq(pc.reply.text.len, first.set.len);
	ck_assert_int_eq(case_say("{\"Get\":{\"Account\":\"ALICE@"
	    "example.com\"}}"), 201);
	ck_assert_mem_eq(pc.reply.text.data, first.set.data, first.set.len);
	ck_assert(!pc.reply.cacheable);
	ck_assert_int_eq(case_say("{\"Get\":{\"Account\":\"bob@"
	    "example.com\"}}"), 404);
	ck_assert(case_tells("{\"GetResponse\":{\"Status\":404"));
}
END_TEST

/* One question about alice and somebody who is not here. */
static int
changes(const char *store, uint64_t since, unsigned wait, bool stranger)
{
	struct mk_udf other = made_udf(77);

	mk_buf_cut(&pc.body, 0);
	mk_changes_begin(store, since, wait, &pc.body);
	mk_changes_add(&first.udf, &pc.body);
	if (stranger)
		mk_changes_add(&other, &pc.body);
	mk_changes_end(&pc.body);
	return case_post();
}

/* The answer, as the refresher reads it. */
static void
answered(uint64_t next, bool reset, size_t n)
{
	const struct mk_bytes text = {
	    .data = (const uint8_t *)pc.reply.text.data,
	    .len = pc.reply.text.len };
	struct mk_changes c;
	struct mk_arena a;
	struct mk_why why;

	ck_assert(!pc.reply.waits);
	ck_assert_int_eq(pc.reply.status, 201);
	mk_arena_init(&a, MK_ARENA_FLOOR);
	ck_assert_int_eq(mk_changes_parse(&a, &text, &c, &why), 0);
	ck_assert_str_eq(c.store, portal_store_id(pc.portal.store));
	ck_assert_uint_eq(c.next, next);
	ck_assert(c.reset == reset);
	ck_assert_uint_eq(c.n, n);
	mk_arena_release(&a);
}

START_TEST(news)
{
	const char *id = portal_store_id(pc.portal.store);

	create();
	/* Another Store, and one that is ahead of what is here. */
	changes("", 0, 60, false);
	answered(1, true, 0);
	changes("other", 1, 60, true);
	answered(1, true, 1);
	changes(id, 2, 60, false);
	answered(1, true, 0);
	changes(id, 0, 60, false);
	answered(1, false, 1);
	changes(id, 1, 0, false);
	answered(1, false, 0);
	/* What is not stored is always named. */
	changes(id, 1, 60, true);
	answered(1, false, 1);
	case_publish(&second);
	ck_assert_int_eq(case_post(), 201);
	changes(id, 1, 60, false);
	answered(2, false, 1);
	/* The same set again is no change. */
	case_publish(&second);
	ck_assert_int_eq(case_post(), 201);
	changes(id, 2, 0, false);
	answered(2, false, 0);
}
END_TEST

static void
wake(void *arg)
{
	unsigned *woken = arg;

	++*woken;
}

START_TEST(waiting)
{
	struct portal_wanted wanted = { .until = INT64_MAX, .wake = wake };
	struct portal_waiter *waiter;
	struct portal_call again;
	unsigned woken = 0;
	struct mk_why why;

	create();
	changes(portal_store_id(pc.portal.store), 1, 60, false);
	ck_assert(pc.reply.waits);
	ck_assert_uint_eq(pc.reply.wait, 60);
	ck_assert_uint_eq(pc.reply.n_udfs, 1);
	ck_assert_int_eq(mk_udf_cmp(pc.reply.udfs, &first.udf), 0);
	wanted.udfs = pc.reply.udfs;
	wanted.n = 1;
	wanted.arg = &woken;
	ck_assert_int_eq(portal_waiting_add(pc.portal.waiting, &wanted,
	    &waiter, &why), 0);
	/* Its time over, it is answered whatever there is. */
	again = (struct portal_call){ .body = {
	    .data = (const uint8_t *)pc.body.data, .len = pc.body.len },
	    .address = CASE_ADDRESS, .now = pc.now };
	mk_buf_release(&pc.reply.text);
	portal_serve_changes(&pc.portal, &pc.arena, &again, &pc.reply);
	answered(1, false, 0);
	/* Who is refused wakes nobody, nor who says the same again. */
	case_publish(&first);
	ck_assert_int_eq(case_post(), 201);
	ck_assert_uint_eq(woken, 0);
	case_publish(&second);
	ck_assert_int_eq(case_post(), 201);
	ck_assert_uint_eq(woken, 1);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("portal_read");
	TCase *t = tcase_create("portal_read");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, reading);
	tcase_add_test(t, news);
	tcase_add_test(t, waiting);
	suite_add_tcase(s, t);
	return s;
}
