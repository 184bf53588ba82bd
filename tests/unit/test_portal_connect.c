/* SPDX-License-Identifier: ISC */
/*
 * Devices that connect: each rule broken once, the status, and that nothing
 * has changed.
 */
#include <stdio.h>
#include <string.h>

#include "unit/portal_case.h"
#include "unit/unit.h"

#define START	"{\"SignedConnectionRequest\":"

static const struct case_signer alice = { 0 };
static const struct case_request bob = { 0 };
static const struct case_version plain = { 0 };

static size_t
count(const char *text)
{
	const char *p = pc.reply.text.data, *end = p + pc.reply.text.len;
	size_t n = 0;

	while ((p = memmem(p, (size_t)(end - p), text,
	    strlen(text))) != NULL) {
		p += strlen(text);
		n++;
	}
	return n;
}

/* How many wait, as alice is told. */
static size_t
waiting(void)
{
	case_pending(&alice);
	ck_assert_int_eq(case_post(), 201);
	return count(START);
}

static int
status_of(const struct mk_udf *device)
{
	struct mk_account account;

	ck_assert(mk_account_parse(ALICE, strlen(ALICE), &account));
	mk_buf_cut(&pc.body, 0);
	mk_connect_status_write(&account, device, &pc.body);
	return case_post();
}

START_TEST(start)
{
	struct mk_udf device;
	uint8_t digest[MK_DIGEST];

	case_start(&bob, ALICE, digest, &device);
	case_refused(404);
	case_alice(&plain);
	case_start(&(struct case_request){ .witness = true }, ALICE, digest,
	    &device);
	ck_assert_int_eq(case_post(), 201);
	/* The same once more is no other request. */
	case_refused(201);
	ck_assert_uint_eq(waiting(), 1);
	ck_assert(case_tells("\"Witness\":\"YSB3aXRuZXNz"));
	ck_assert_int_eq(status_of(&device), 201);
	ck_assert(!case_tells("SignedConnectionResult"));
}
END_TEST

START_TEST(start_refused)
{
	struct mk_udf other = made_udf(1);
	const struct {
		struct case_request r;
		int status;
	} bad[] = {
	    { { .parent = &other }, 400 },
	    { { .signer = "mallory" }, 400 },
	    { { .time = MADE_NOW - 86400 }, 400 },
	    { { .time = MADE_NOW + 601 }, 400 },
	    { { .pad = 40 }, 413 } };
	size_t i;

	case_alice(&plain);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		case_start(&bad[i].r, ALICE, NULL, NULL);
		case_refused(bad[i].status);
	}
	case_start(&(struct case_request){ .time = MADE_NOW + 600,
	    .pad = 10 }, ALICE, NULL, NULL);
	ck_assert_int_eq(case_post(), 201);
	case_start(&(struct case_request){ .device = "carol",
	    .time = MADE_NOW - 86399 }, ALICE, NULL, NULL);
	ck_assert_int_eq(case_post(), 201);
}
END_TEST

START_TEST(start_deleted)
{
	struct case_version v = { .n_deleted = 1 };
	struct mk_pubkey key;

	made_key("bob", "device0", &key, NULL);
	v.deleted = &key.udf;
	case_alice(&v);
	case_start(&bob, ALICE, NULL, NULL);
	case_refused(409);
	/* One that is listed may ask for a new SSH key. */
	case_start(&(struct case_request){ .device = "alice" }, ALICE, NULL,
	    NULL);
	ck_assert_int_eq(case_post(), 201);
}
END_TEST

START_TEST(start_again)
{
	struct case_request r = { .time = MADE_NOW - 10 };

	case_alice(&plain);
	case_start(&r, ALICE, NULL, NULL);
	ck_assert_int_eq(case_post(), 201);
	/* Another one of that time could not be told apart. */
	case_start(&r, ALICE, NULL, NULL);
	case_refused(409);
	r.time -= 1;
	case_start(&r, ALICE, NULL, NULL);
	case_refused(409);
	r.time += 2;
	case_start(&r, ALICE, NULL, NULL);
	ck_assert_int_eq(case_post(), 201);
	ck_assert_uint_eq(waiting(), 1);
}
END_TEST

static int
start_as(unsigned n)
{
	struct case_request r = { 0 };
	char device[32];

	(void)snprintf(device, sizeof(device), "device %u", n);
	r.device = device;
	case_start(&r, ALICE, NULL, NULL);
	return case_post();
}

START_TEST(room)
{
	unsigned n = 0;

	case_alice(&plain);
	for (; n < PORTAL_PENDING_ADDRESS; n++)
		ck_assert_int_eq(start_as(n), 201);
	case_start(&bob, ALICE, NULL, NULL);
	case_refused(429);
	/* What takes the place of another needs none. */
	pc.now++;
	ck_assert_int_eq(start_as(0), 201);
	pc.address = "192.0.2.2";
	for (; n < PORTAL_PENDING_MAX; n++)
		ck_assert_int_eq(start_as(n), 201);
	pc.address = "192.0.2.3";
	case_start(&bob, ALICE, NULL, NULL);
	case_refused(429);
	ck_assert_uint_eq(waiting(), PORTAL_PENDING_MAX);
}
END_TEST

START_TEST(pending)
{
	struct case_signer bad[] = { { .seed = "mallory" },
	    { .role = "master" }, { .portal = "other.example:443" },
	    { .time = MADE_NOW + 601 } };
	size_t i;

	case_pending(&alice);
	case_refused(404);
	case_alice(&plain);
	case_start(&bob, ALICE, NULL, NULL);
	ck_assert_int_eq(case_post(), 201);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		case_pending(&bad[i]);
		case_refused(401);
	}
	pc.now += 86399;
	ck_assert_uint_eq(waiting(), 1);
	pc.now++;
	ck_assert_uint_eq(waiting(), 0);
}
END_TEST

/* A request of bob's that waits. */
struct asked {
	uint8_t digest[MK_DIGEST];
	struct mk_udf device;
};

static struct case_result
ask(struct asked *a)
{
	case_start(&bob, ALICE, a->digest, &a->device);
	ck_assert_int_eq(case_post(), 201);
	return (struct case_result){ .request = a->digest,
	    .device = &a->device };
}

START_TEST(complete)
{
	struct case_request later = { .time = MADE_NOW + 1 };
	struct case_result result;
	struct asked a;

	case_alice(&plain);
	result = ask(&a);
	result.witness = true;
	case_complete(&alice, &result);
	ck_assert_int_eq(case_post(), 201);
	ck_assert_uint_eq(waiting(), 0);
	ck_assert_int_eq(status_of(&a.device), 201);
	ck_assert_uint_eq(count("\"SignedConnectionResult\":"), 1);
	ck_assert_uint_eq(count("\"Witness\":\"YSB3aXRuZXNz"), 1);
	/* The same word again is done already, another one is too late. */
	case_complete(&alice, &result);
	case_refused(201);
	result.refused = true;
	case_complete(&alice, &result);
	case_refused(409);
	/* A later request waits again, and has no result yet. */
	case_start(&later, ALICE, NULL, NULL);
	ck_assert_int_eq(case_post(), 201);
	ck_assert_uint_eq(waiting(), 1);
	ck_assert_int_eq(status_of(&a.device), 201);
	ck_assert_uint_eq(count("\"SignedConnectionResult\":"), 0);
}
END_TEST

/* What was answered does not come back by being sent once more. */
START_TEST(replayed)
{
	struct case_request older = { .time = MADE_NOW - 1 };
	struct case_result result;
	struct mk_buf first;
	struct asked a;

	case_alice(&plain);
	result = ask(&a);
	mk_buf_init(&first, pc.body.max);
	mk_buf_put(&first, pc.body.data, pc.body.len);
	case_complete(&alice, &result);
	ck_assert_int_eq(case_post(), 201);
	mk_buf_cut(&pc.body, 0);
	mk_buf_put(&pc.body, first.data, first.len);
	case_refused(201);
	case_start(&older, ALICE, NULL, NULL);
	case_refused(409);
	ck_assert_uint_eq(waiting(), 0);
	mk_buf_release(&first);
}
END_TEST

START_TEST(complete_refused)
{
	static const uint8_t nothing[MK_DIGEST];
	struct case_signer bad[] = { { .seed = "mallory" },
	    { .role = "device0" }, { .portal = "other.example:443" },
	    { .time = MADE_NOW - 601 } };
	struct case_result result, wrong;
	struct mk_udf other = made_udf(3);
	struct asked a;
	size_t i;

	case_alice(&plain);
	result = ask(&a);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		case_complete(&bad[i], &result);
		case_refused(401);
	}
	/* The result itself is by nobody who may. */
	wrong = result;
	wrong.signer = "master";
	case_complete(&alice, &wrong);
	case_refused(401);
	wrong = result;
	wrong.request = nothing;
	case_complete(&alice, &wrong);
	case_refused(404);
	wrong = result;
	wrong.device = &other;
	case_complete(&alice, &wrong);
	case_refused(404);
	pc.now += 86400;
	case_complete(&alice, &result);
	case_refused(404);
	pc.now -= 86400;
	case_complete(&alice, &result);
	ck_assert_int_eq(case_post(), 201);
}
END_TEST

START_TEST(status)
{
	struct case_result result;
	struct mk_udf other = made_udf(3);
	struct asked a;

	ck_assert_int_eq(status_of(&other), 404);
	case_alice(&plain);
	ck_assert_int_eq(status_of(&other), 201);
	result = ask(&a);
	case_complete(&alice, &result);
	ck_assert_int_eq(case_post(), 201);
	pc.now += 7 * 86400 - 1;
	ck_assert_int_eq(status_of(&a.device), 201);
	ck_assert_uint_eq(count("\"SignedConnectionResult\":"), 1);
	pc.now++;
	ck_assert_int_eq(status_of(&a.device), 201);
	ck_assert_uint_eq(count("\"SignedConnectionResult\":"), 0);
	/* With the account goes what was asked of it. */
	pc.now = MADE_NOW;
	case_delete(&alice);
	ck_assert_int_eq(case_post(), 201);
	ck_assert_int_eq(status_of(&a.device), 404);
	case_start(&bob, ALICE, NULL, NULL);
	case_refused(404);
	case_alice(&plain);
	ck_assert_int_eq(status_of(&a.device), 201);
	ck_assert_uint_eq(count("\"SignedConnectionResult\":"), 0);
}
END_TEST

Suite *
mk_suite(void)
{
	const TTest *const tests[] = { start, start_refused, start_deleted,
	    start_again, room, pending, complete, replayed,
	    complete_refused, status };
	Suite *s = suite_create("portal_connect");
	TCase *t = tcase_create("portal_connect");
	size_t i;

	tcase_add_checked_fixture(t, case_setup, case_teardown);
	tcase_set_timeout(t, 60);
	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(t, tests[i]);
	suite_add_tcase(s, t);
	return s;
}
