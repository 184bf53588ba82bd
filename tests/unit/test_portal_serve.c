/* SPDX-License-Identifier: ISC */
/*
 * The rules of the portal protocol, each broken once: the status, and that
 * nothing has changed.  Reading is in test_portal_read.c, devices that connect
 * are in test_portal_connect.c.
 */
#include <sys/resource.h>

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "core/limits.h"
#include "unit/portal_case.h"
#include "unit/tree.h"
#include "unit/unit.h"

#define T0	MADE_UPDATED
#define HEAD	"{\"SignedPersonalProfile\":"

static const struct case_signer alice = { 0 };
static struct made first, second;

static void
setup(void)
{
	struct case_version v = { .updated = T0 };

	case_setup();
	(void)snprintf(tree_dir, sizeof(tree_dir), "%s", case_dir());
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

START_TEST(forms)
{
	static const char *const bad[] = { "", "x", "[]", "{}",
	    "{\"Hello\":1}", "{\"Bye\":{}}", "{\"Hello\":{}}x",
	    "{\"Hello\":{},\"Get\":{}}", "{\"Get\":{}}",
	    "{\"Get\":{\"Account\":\"nobody\"}}",
	    "{\"Get\":{\"Identifier\":\"MAAAA\"}}",
	    "{\"DeleteAccount\":{\"Account\":\"" ALICE "\"}}",
	    "{\"SignedRequest\":{}}", "{\"Publish\":{}}",
	    "{\"Publish\":{\"Entries\":[]}}",
	    "{\"Publish\":{\"Entries\":[{}]}}",
	    ("{\"Changes\":{\"Store\":\"\",\"Since\":-1,\"Wait\":0,"
	    "\"Identifiers\":[]}}") };
	size_t i;

	create();
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		mk_buf_cut(&pc.body, 0);
		mk_buf_puts(&pc.body, bad[i]);
		case_refused(400);
	}
	/* The tag is that of the transaction where one is named. */
	ck_assert_int_eq(case_say("{\"Publish\":{}}"), 400);
	ck_assert(case_tells("{\"PublishResponse\":{"));
	ck_assert_int_eq(case_say("{\"Bye\":{}}"), 400);
	ck_assert(case_tells("{\"ErrorResponse\":{"));
}
END_TEST

START_TEST(sizes)
{
	static char filler[PORTAL_REQUEST_MAX];

	create();
	memset(filler, ' ', sizeof(filler) - 1);
	mk_buf_cut(&pc.body, 0);
	mk_buf_puts(&pc.body, "{\"Hello\":{}}");
	mk_buf_puts(&pc.body, filler);
	case_refused(413);
	case_publish(&first);
	mk_buf_puts(&pc.body, filler);
	ck_assert_int_eq(case_post(), 201);
}
END_TEST

/* A set with so many members that nobody knows. */
static void
fat_set(unsigned n, struct made *ret_made)
{
	struct mk_buf text;
	struct made_edit edit = { "personal", "\"SignedMasterProfile\":",
	    NULL };
	struct recipe r = { .n_devices = 1, .n_keys = 1, .edits = &edit,
	    .n_edits = 1, .updated = T0 + 60 };
	char name[32], filler[1001];
	unsigned i;

	mk_buf_init(&text, 16u << 20);
	memset(filler, 'x', 1000);
	filler[1000] = '\0';
	for (i = 0; i < n; i++) {
		(void)snprintf(name, sizeof(name), "\"X%u\":\"", i);
		mk_buf_puts(&text, name);
		mk_buf_puts(&text, filler);
		mk_buf_puts(&text, "\",");
	}
	mk_buf_puts(&text, edit.from);
	edit.to = text.data;
	made_set(&r, ret_made);
	mk_buf_release(&text);
}

START_TEST(set_sizes)
{
	struct made fat;

	create();
	fat_set(3200, &fat);
	ck_assert_uint_gt(fat.set.len, MK_SET_MAX);
	case_publish(&fat);
	case_refused(413);
	case_create(&alice, &fat);
	case_refused(413);
	made_release(&fat);
	fat_set(3000, &fat);
	ck_assert_uint_lt(fat.set.len, MK_SET_MAX);
	case_create(&(struct case_signer){ .account = "fat@example.com" },
	    &fat);
	/* Its version does not take the first into account. */
	case_refused(409);
	made_release(&fat);
}
END_TEST

START_TEST(hello)
{
	ck_assert_int_eq(case_say("{\"Hello\":{}}"), 201);
	ck_assert(case_tells("\"Version\":\""));
	ck_assert(case_tells("\"Time\":\"2026-03-01T12:00:00Z\""));
	ck_assert(case_tells("\"Limits\":{\"Set\":4194304,"));
}
END_TEST

static int
ask_for(const char *name)
{
	char text[128];

	(void)snprintf(text, sizeof(text),
	    "{\"ValidateAccount\":{\"Account\":\"%s\"}}", name);
	return case_say(text);
}

START_TEST(validate)
{
	ck_assert_int_eq(ask_for("Alice@Example.COM"), 201);
	ck_assert(case_tells("\"Valid\":true"));
	create();
	ck_assert_int_eq(ask_for("Alice@Example.COM"), 201);
	ck_assert(case_tells("\"Valid\":false,\"Reason\":\"taken\""));
	ck_assert_int_eq(ask_for("a b@example.com"), 201);
	ck_assert(case_tells("\"Valid\":false"));
}
END_TEST

START_TEST(create_signed)
{
	struct case_signer by[] = {
	    { .seed = "mallory" },
	    { .role = "master" },
	    { .role = "device0" },
	    { .portal = "other.example:443" },
	    { .portal = "127.0.0.1:443" },
	    { .time = MADE_NOW + 601 },
	    { .time = MADE_NOW - 601 } };
	size_t i;

	for (i = 0; i < sizeof(by) / sizeof(by[0]); i++) {
		case_create(&by[i], &first);
		case_refused(401);
	}
	case_create(&(struct case_signer){ .time = MADE_NOW + 600 },
	    &first);
	ck_assert_int_eq(case_post(), 201);
	case_stored(&first);
	case_create(&(struct case_signer){ .time = MADE_NOW - 600,
	    .portal = "portal.example:443" }, &first);
	ck_assert_int_eq(case_post(), 201);
}
END_TEST

START_TEST(nonces)
{
	struct mk_why why;

	create();
	case_create(&(struct case_signer){ .nonce = 7 }, &first);
	ck_assert_int_eq(case_post(), 201);
	case_refused(401);
	ck_assert(case_tells("came before"));
	case_reopen();
	case_refused(401);
	/* Swept, it is refused by its Time. */
	pc.now += 1201;
	ck_assert_int_eq(portal_store_sweep(pc.portal.store, pc.now,
	    pc.now * 1000, &why), 0);
	case_refused(401);
	ck_assert(case_tells("before the portal's clock"));
	case_pending(&(struct case_signer){ .nonce = 8 });
	ck_assert_int_eq(case_post(), 201);
	case_refused(401);
}
END_TEST

START_TEST(create_set)
{
	static const struct recipe bad[] = {
	    { .n_devices = 1, .n_keys = 1, .forged = "personal" },
	    { .n_devices = 1, .n_keys = 1, .forged = "master" },
	    { .n_devices = 1, .n_keys = 1, .forged = "ssh" },
	    /* A host that looks at one key only would not see it. */
	    { .n_devices = 1, .n_bare = 1, .forged = "device1" },
	    { .n_devices = 1, .expires = MADE_NOW },
	    { .n_devices = 1, .updated = INT64_C(7000000000) } };
	struct made set;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		made_set(&bad[i], &set);
		case_create(&alice, &set);
		case_refused(400);
		made_release(&set);
	}
}
END_TEST

START_TEST(create_names)
{
	struct recipe r = { .seed = "mallory", .n_devices = 1 };
	struct case_signer by = { .seed = "mallory" };
	struct made mallory;
	char name[32];
	unsigned i;

	create();
	made_set(&r, &mallory);
	case_create(&by, &mallory);
	case_refused(409);
	ck_assert(case_tells("the name is taken"));
	/* Twice the same is no conflict, nor is another name. */
	case_create(&alice, &first);
	ck_assert_int_eq(case_post(), 201);
	for (i = 1; i < PORTAL_ACCOUNTS_MAX; i++) {
		(void)snprintf(name, sizeof(name), "a%u@example.com", i);
		case_create(&(struct case_signer){ .account = name },
		    &first);
		ck_assert_int_eq(case_post(), 201);
	}
	case_create(&(struct case_signer){ .account = "z@example.com" },
	    &first);
	case_refused(409);
	made_release(&mallory);
}
END_TEST

START_TEST(create_room)
{
	struct recipe r = { .seed = "bob", .n_devices = 1 };
	struct case_signer by = { .seed = "bob",
	    .account = "bob@example.com" };
	struct made bob;

	pc.portal.max_profiles = 1;
	create();
	made_set(&r, &bob);
	case_create(&by, &bob);
	case_refused(503);
	case_create(&(struct case_signer){ .account = "a@example.com" },
	    &first);
	case_refused(503);
	pc.portal.max_profiles = 2;
	case_create(&by, &bob);
	ck_assert_int_eq(case_post(), 201);
	made_release(&bob);
}
END_TEST

/* A fingerprint that is known is stored by the rules of Publish. */
START_TEST(create_known)
{
	struct case_version v = { .updated = T0 + 30 };
	struct made wild;

	case_create(&alice, &second);
	ck_assert_int_eq(case_post(), 201);
	case_create(&alice, &first);
	case_refused(409);
	case_set(&v, &wild);
	case_create(&(struct case_signer){ .account = "b@example.com" },
	    &wild);
	case_refused(409);
	made_release(&wild);
	v = (struct case_version){ .updated = T0 + 90,
	    .previous = &second };
	case_set(&v, &wild);
	case_create(&(struct case_signer){ .account = "b@example.com" },
	    &wild);
	ck_assert_int_eq(case_post(), 201);
	case_stored(&wild);
	made_release(&wild);
}
END_TEST

START_TEST(delete)
{
	struct recipe r = { .seed = "mallory", .n_devices = 1 };
	struct case_signer bad[] = { { .seed = "mallory" },
	    { .role = "master" }, { .portal = "other.example:443" },
	    { .time = MADE_NOW - 601 } };
	struct made mallory;
	size_t i;

	case_delete(&alice);
	case_refused(404);
	create();
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		case_delete(&bad[i]);
		case_refused(401);
	}
	case_delete(&alice);
	ck_assert_int_eq(case_post(), 201);
	/* The fingerprint and its newest version stay, the name does not. */
	case_stored(&first);
	ck_assert_int_eq(case_read("account/" ALICE ".json"), 404);
	ck_assert_int_eq(case_say("{\"Get\":{\"Account\":\"" ALICE "\"}}"),
	    404);
	case_publish(&second);
	case_refused(404);
	case_delete(&alice);
	case_refused(404);
	case_pending(&alice);
	case_refused(404);
	/* Reserved for that master. */
	made_set(&r, &mallory);
	case_create(&(struct case_signer){ .seed = "mallory" }, &mallory);
	case_refused(409);
	made_release(&mallory);
	case_create(&alice, &second);
	ck_assert_int_eq(case_post(), 201);
	ck_assert_int_eq(case_read("account/" ALICE ".json"), 200);
	case_stored(&second);
}
END_TEST

/* An online key of the set that is stored now, not of one before. */
START_TEST(key_that_left)
{
	struct case_version v = { .updated = T0, .n_online = 2 };
	struct case_signer gone = { .role = "online1" };
	struct made two, one;

	case_set(&v, &two);
	v = (struct case_version){ .updated = T0 + 60,
	    .master_updated = T0 + 60, .previous = &two };
	case_set(&v, &one);
	case_create(&gone, &two);
	ck_assert_int_eq(case_post(), 201);
	case_pending(&gone);
	ck_assert_int_eq(case_post(), 201);
	case_publish(&one);
	ck_assert_int_eq(case_post(), 201);
	case_pending(&gone);
	case_refused(401);
	case_delete(&gone);
	case_refused(401);
	/* Nor with the set that still listed it. */
	case_create(&gone, &two);
	case_refused(409);
	case_pending(&alice);
	ck_assert_int_eq(case_post(), 201);
	made_release(&two);
	made_release(&one);
}
END_TEST

START_TEST(publish)
{
	case_publish(&first);
	case_refused(404);
	create();
	case_publish(&second);
	ck_assert_int_eq(case_post(), 201);
	case_stored(&second);
	case_refused(201);
	/* Older than what is stored. */
	case_publish(&first);
	case_refused(409);
	case_stored(&second);
}
END_TEST

/* What may not follow the first. */
START_TEST(publish_conflicts)
{
	static const struct recipe stranger = { .n_devices = 3,
	    .updated = T0 };
	struct case_version bad[] = {
	    /* Newer, but the first is not among its Previous. */
	    { .updated = T0 + 60 },
	    { .updated = T0 + 60, .previous = &second },
	    /* The same, with a newer master: no recovery. */
	    { .updated = T0 + 60, .master_updated = T0 + 60,
	    .previous = &second },
	    /* An older master, whatever its P. */
	    { .updated = T0 + 60, .master_updated = T0 - 60,
	    .previous = &first },
	    /* The same time, another content: of M, of P. */
	    { .updated = T0 + 60, .previous = &first, .n_online = 2 } };
	struct made set;
	size_t i;

	create();
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		case_set(&bad[i], &set);
		case_publish(&set);
		case_refused(409);
		made_release(&set);
	}
	made_set(&stranger, &set);
	case_publish(&set);
	case_refused(409);
	ck_assert(case_tells("another content"));
	made_release(&set);
}
END_TEST

START_TEST(publish_recovery)
{
	struct case_version v = { .updated = T0 + 60,
	    .master_updated = T0 + 60 };
	struct made set;

	create();
	case_set(&v, &set);
	case_publish(&set);
	ck_assert_int_eq(case_post(), 201);
	case_stored(&set);
	made_release(&set);
}
END_TEST

/* An empty Previous is not an absent one. */
START_TEST(publish_empty_previous)
{
	static const struct made_edit edit = { "personal",
	    "\"SignedMasterProfile\":",
	    "\"Previous\":[],\"SignedMasterProfile\":" };
	static const struct recipe r = { .n_devices = 1, .updated = T0 + 60,
	    .master_updated = T0 + 60, .edits = &edit, .n_edits = 1 };
	struct made set;

	create();
	made_set(&r, &set);
	case_publish(&set);
	case_refused(409);
	made_release(&set);
}
END_TEST

START_TEST(publish_unverified)
{
	static const struct recipe bad[] = {
	    { .n_devices = 1, .forged = "personal", .updated = T0 + 60 },
	    { .n_devices = 1, .n_keys = 1, .forged = "ssh",
	    .updated = T0 + 60 },
	    { .n_devices = 1, .forged = "device0", .updated = T0 + 60 },
	    { .n_devices = 1, .personal_signer = "device0",
	    .updated = T0 + 60 },
	    { .n_devices = 1, .updated = T0 + 60, .expires = MADE_NOW } };
	struct made set;
	size_t i;

	create();
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		made_set(&bad[i], &set);
		case_publish(&set);
		case_refused(400);
		made_release(&set);
	}
	case_stored(&first);
}
END_TEST

static void
insert(const char *at, const char *text)
{
	char *p = memmem(pc.body.data, pc.body.len, at, strlen(at));
	struct mk_buf b;

	ck_assert_ptr_nonnull(p);
	mk_buf_init(&b, 16u << 20);
	mk_buf_put(&b, pc.body.data, (size_t)(p - pc.body.data));
	mk_buf_puts(&b, text);
	mk_buf_puts(&b, p);
	mk_buf_release(&pc.body);
	pc.body = b;
}

/* What stands beside the set is not kept, and changes nothing. */
START_TEST(publish_canonical)
{
	static const char junk[] = "{\"SignedApplicationProfile\":"
	    "{\"Identifier\":\"RAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA\"}},"
	    "{\"Advertisement\":{\"text\":\"buy this\"}},";

	create();
	case_publish(&second);
	insert(HEAD, junk);
	ck_assert_int_eq(case_post(), 201);
	case_stored(&second);
	insert(HEAD, " ");
	case_refused(201);
}
END_TEST

/* An account's tokens are its owner's to spend. */
START_TEST(limits)
{
	struct mk_why why;

	create();
	ck_assert_int_eq(portal_limits_new(&pc.portal.limits, &why), 0);
	portal_limits_set(pc.portal.limits, PORTAL_RATE_WRITE, 2, 60000);
	portal_limits_set(pc.portal.limits, PORTAL_RATE_CREATE, 1, 60000);
	case_pending(&(struct case_signer){ .seed = "mallory" });
	case_refused(401);
	case_pending(&(struct case_signer){ .seed = "mallory" });
	case_refused(401);
	case_pending(&(struct case_signer){ .seed = "mallory" });
	case_refused(429);
	ck_assert_uint_eq(pc.reply.retry_after, 60);
	pc.address = "192.0.2.2";
	case_pending(&alice);
	ck_assert_int_eq(case_post(), 201);
	case_pending(&alice);
	ck_assert_int_eq(case_post(), 201);
	/* Now they are spent, from wherever; the nonce is not. */
	pc.address = "192.0.2.3";
	case_pending(&alice);
	case_refused(429);
	pc.now += 60;
	ck_assert_int_eq(case_post(), 201);
	pc.address = "192.0.2.4";
	case_create(&(struct case_signer){ .account = "a@example.com" },
	    &first);
	ck_assert_int_eq(case_post(), 201);
	case_create(&(struct case_signer){ .account = "b@example.com" },
	    &first);
	case_refused(429);
	portal_limits_set(pc.portal.limits, PORTAL_RATE_READ, 1, 60000);
	pc.address = "192.0.2.5";
	ck_assert_int_eq(case_read(case_path(&first)), 200);
	ck_assert_int_eq(case_read(case_path(&first)), 429);
	ck_assert(!pc.reply.cacheable);
	ck_assert_int_eq(case_say("nonsense"), 429);
	ck_assert(case_tells("{\"ErrorResponse\":{"));
	ck_assert_uint_eq(pc.reply.retry_after, 60);
}
END_TEST

/* Who repeats what is stored spends nothing of its owner's. */
START_TEST(limits_of_publish)
{
	struct mk_why why;
	unsigned i;

	create();
	ck_assert_int_eq(portal_limits_new(&pc.portal.limits, &why), 0);
	portal_limits_set(pc.portal.limits, PORTAL_RATE_WRITE, 2, 60000);
	case_publish(&first);
	for (i = 0; i < 2; i++)
		ck_assert_int_eq(case_post(), 201);
	case_refused(429);
	pc.address = "192.0.2.2";
	case_publish(&second);
	ck_assert_int_eq(case_post(), 201);
}
END_TEST

/* A set of many devices, of somebody else. */
static void
ask_large(struct made *ret_made)
{
	struct recipe r = { .seed = "bob", .n_devices = 90 };

	made_set(&r, ret_made);
	ck_assert_uint_gt(ret_made->set.len, PORTAL_PRICE_KEEP);
	case_create(&(struct case_signer){ .seed = "bob",
	    .account = "bob@example.com" }, ret_made);
}

/* What costs us more costs the one who asks more. */
START_TEST(prices)
{
	static char big[5 * PORTAL_PRICE_READ];
	struct made large;
	struct mk_why why;

	create();
	ask_large(&large);
	ck_assert_int_eq(case_post(), 201);
	ck_assert_int_eq(portal_limits_new(&pc.portal.limits, &why), 0);
	memset(big, ' ', sizeof(big) - 1);
	memcpy(big, "{\"Hello\":{}}", 12);
	portal_limits_set(pc.portal.limits, PORTAL_RATE_READ, 6, 60000);
	ck_assert_int_eq(case_say(big), 201);
	ck_assert_int_eq(case_say(big), 429);
	pc.address = "192.0.2.2";
	portal_limits_set(pc.portal.limits, PORTAL_RATE_READ,
	    2 + (unsigned)(large.set.len / PORTAL_PRICE_ANSWER), 60000);
	ck_assert_int_eq(case_read(case_path(&first)), 200);
	ck_assert_int_eq(case_read(case_path(&large)), 200);
	ck_assert_int_eq(case_read(case_path(&large)), 429);
	ck_assert(!pc.reply.cacheable && pc.reply.etag[0] == '\0');
	made_release(&large);
}
END_TEST

/* Disks are filled by bytes, not by profiles. */
START_TEST(room_for_bytes)
{
	struct made large;
	struct mk_why why;
	uint64_t size;

	create();
	ck_assert_int_eq(portal_store_size(pc.portal.store, &size, &why), 0);
	pc.portal.max_size = size;
	ask_large(&large);
	case_refused(503);
	/* Who is here may go on, as long as it is little. */
	case_publish(&second);
	ck_assert_int_eq(case_post(), 201);
	pc.portal.max_size = UINT64_MAX;
	ck_assert_int_eq(portal_limits_new(&pc.portal.limits, &why), 0);
	portal_limits_set(pc.portal.limits, PORTAL_RATE_CREATE, 2, 60000);
	made_release(&large);
	ask_large(&large);
	ck_assert_int_eq(case_post(), 201);
	made_release(&large);
	case_create(&(struct case_signer){ .account = "a@example.com" },
	    &second);
	case_refused(429);
}
END_TEST

/* No byte of a request is without meaning: one wrong, and it is refused. */
static void
flip_each(size_t step)
{
	uint8_t before[64], after[64];
	size_t i;
	int status;

	case_state(before);
	for (i = 0; i < pc.body.len; i += step) {
		pc.body.data[i] ^= 1 << i % 7;
		status = case_post();
		ck_assert_msg(status >= 400 && status < 500,
		    "%d at byte %zu", status, i);
		pc.body.data[i] ^= 1 << i % 7;
	}
	case_state(after);
	ck_assert_mem_eq(before, after, sizeof(before));
	ck_assert_int_eq(case_post(), 201);
}

START_TEST(flips)
{
	case_create(&alice, &first);
	flip_each(11);
	case_publish(&second);
	flip_each(7);
	case_start(&(struct case_request){ .witness = false }, ALICE, NULL,
	    NULL);
	flip_each(3);
	case_delete(&alice);
	flip_each(1);
}
END_TEST

static void
inside(const char *sql)
{
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(tree_path("/portal/portal.db"), &db),
	    SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL),
	    SQLITE_OK);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

/* What fails in the middle has stored neither set nor nonce. */
START_TEST(half)
{
	uint8_t before[64], after[64];

	inside("CREATE TRIGGER half BEFORE INSERT ON account BEGIN "
	    "SELECT RAISE(ABORT, 'no'); END");
	case_create(&alice, &first);
	case_state(before);
	ck_assert_int_eq(case_post(), 503);
	case_state(after);
	ck_assert_mem_eq(before, after, sizeof(before));
	inside("DROP TRIGGER half");
	ck_assert_int_eq(case_post(), 201);
	case_stored(&first);
}
END_TEST

static void
wake(void *arg)
{
	unsigned *woken = arg;

	++*woken;
}

/* A disk that is full is 503, and nothing half. */
START_TEST(full_disk)
{
	struct portal_wanted wanted = { .udfs = &first.udf, .n = 1,
	    .until = INT64_MAX, .wake = wake };
	struct portal_waiter *waiter;
	unsigned woken = 0;
	struct mk_why why;
	struct rlimit was, limit;
	uint8_t before[64], after[64];
	struct stat st;

	create();
	case_publish(&second);
	case_state(before);
	ck_assert_int_eq(stat(tree_path("/portal/portal.db-wal"), &st), 0);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &was), 0);
	limit = was;
	limit.rlim_cur = (rlim_t)st.st_size;
	(void)signal(SIGXFSZ, SIG_IGN);
	wanted.arg = &woken;
	ck_assert_int_eq(portal_waiting_add(pc.portal.waiting, &wanted,
	    &waiter, &why), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ck_assert_int_eq(case_post(), 503);
	ck_assert_uint_eq(woken, 0);
	ck_assert_uint_gt(pc.reply.retry_after, 0);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &was), 0);
	case_state(after);
	ck_assert_mem_eq(before, after, sizeof(before));
	case_stored(&first);
	case_publish(&second);
	ck_assert_int_eq(case_post(), 201);
	ck_assert_uint_eq(woken, 1);
	case_stored(&second);
}
END_TEST

Suite *
mk_suite(void)
{
	const TTest *const tests[] = { forms, sizes, set_sizes,
	    hello, validate, create_signed, nonces, create_set,
	    create_names, create_room, create_known, delete, key_that_left,
	    publish, publish_conflicts, publish_recovery,
	    publish_empty_previous, publish_unverified, publish_canonical,
	    limits, limits_of_publish, prices, room_for_bytes, flips,
	    half, full_disk };
	Suite *s = suite_create("portal_serve");
	TCase *t = tcase_create("portal_serve");
	size_t i;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(t, tests[i]);
	suite_add_tcase(s, t);
	return s;
}
