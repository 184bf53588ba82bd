/* SPDX-License-Identifier: ISC */
/*
 * Versions and clocks (mesh-profile-set(5), VERSIONS): what a memory and a
 * clock that may be wrong let through.
 */
#include <string.h>

#include "core/timestamp.h"
#include "make_set.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define BUILD		T(5)

static struct made made;
static struct mk_arena arena;
static struct mk_seen seen;
static struct mk_demand demand;
static const struct mk_verified_view *view;
static struct mk_why why;

static void
setup(void)
{
	memset(&made, 0, sizeof(made));
	memset(&seen, 0, sizeof(seen));
	mk_arena_init(&arena, 0);
}

static void
teardown(void)
{
	mk_arena_release(&arena);
	made_release(&made);
}

static void
make(int64_t master, int64_t personal, const char *description)
{
	struct recipe r = { .n_devices = 2, .n_keys = 1,
	    .master_updated = master, .updated = personal,
	    .description = description };

	made_release(&made);
	made_set(&r, &made);
	demand = made_demand(&made);
	demand.seen = &seen;
}

static int
verify(void)
{
	mk_arena_release(&arena);
	return made_verify(&arena, &demand, &view, &why);
}

static void
accept(bool stale)
{
	int r = verify();

	ck_assert_msg(r == 0, "%s: %s", why.stage, why.detail);
	ck_assert_int_eq(view->clock_stale, stale);
}

static void
refuse(const char *words)
{
	int r = verify();

	ck_assert_msg(r == MK_E_REFUSED, "code %d for '%s'", r, words);
	ck_assert_str_eq(why.stage, "version");
	ck_assert_msg(strstr(why.detail, words) != NULL, "'%s' for '%s'",
	    why.detail, words);
}

#define T(h)	(MADE_NOW - 100 * MADE_HOUR + (h) * MADE_HOUR)

/* What was seen, what comes, what becomes of it (NULL: accepted). */
static const struct step {
	int64_t seen_master, seen_personal;
	const char *seen_text;
	int64_t master, personal;
	const char *text, *words;
} steps[] = {
	{ T(1), T(2), "a", T(1), T(2), "a", NULL },
	{ T(1), T(2), "a", T(1), T(3), "b", NULL },
	{ T(1), T(2), "a", T(2), T(3), "a", NULL },
	/* A later M is newer whatever its P. */
	{ T(1), T(9), "a", T(2), T(3), "b", NULL },
	{ T(1), T(2), "a", T(2), T(2), "b", NULL },
	{ T(2), T(3), "a", T(1), T(9), "b", "MasterProfile is older" },
	{ T(2), T(3), "a", T(1), T(3), "a", "MasterProfile is older" },
	{ T(1), T(3), "a", T(1), T(2), "b", "PersonalProfile is older" },
	{ T(1), T(3), "a", T(1), T(2), "a", "PersonalProfile is older" },
	{ T(1), T(3), "a", T(1), T(3), "b", "PersonalProfile has the time" },
};

START_TEST(versions)
{
	const struct step *s = &steps[_i];

	make(s->seen_master, s->seen_personal, s->seen_text);
	seen.version = made_version(&made);
	make(s->master, s->personal, s->text);
	if (s->words != NULL)
		refuse(s->words);
	else
		accept(false);
}
END_TEST

/* The same time of M with another content, even with a newer P. */
START_TEST(master_equivocation)
{
	make(T(1), T(2), "a");
	seen.version = made_version(&made);
	seen.version.master[5] ^= 1;
	refuse("MasterProfile has the time");
	make(T(1), T(3), "a");
	refuse("MasterProfile has the time");
	make(T(2), T(3), "a");
	accept(false);
}
END_TEST

START_TEST(other_master_key)
{
	make(T(1), T(2), "a");
	seen.version = made_version(&made);
	seen.version.key[63] ^= 0x80;
	refuse("another master key");
	make(T(3), T(3), "a");
	refuse("another master key");
}
END_TEST

START_TEST(generation_switch)
{
	make(T(1), T(2), "a");
	seen.version = made_version(&made);
	seen.version.timed = false;
	seen.version.master_time = MK_TIME_NONE;
	seen.version.personal_time = MK_TIME_NONE;
	refuse("another generation");
}
END_TEST

START_TEST(clock_before_build)
{
	make(T(1), T(2), "a");
	demand.seen = NULL;
	demand.build_time = demand.now = BUILD;
	accept(false);
	demand.now = BUILD - 1;
	refuse("before the build");
	demand.now = 0;
	refuse("before the build");
	demand.now = BUILD - 1;
	demand.seen = &seen;
	seen.version = made_version(&made);
	accept(true);
	demand.now = 0;
	accept(true);
	/* A newer one is not the newest seen. */
	make(T(1), T(3), "b");
	demand.build_time = BUILD;
	demand.now = BUILD - 1;
	refuse("before the build");
	demand.now = BUILD;
	accept(false);
}
END_TEST

START_TEST(dated_ahead)
{
	const int64_t ahead = MADE_NOW + MK_DAY;

	make(T(1), ahead, "a");
	demand.seen = NULL;
	accept(false);
	make(T(1), ahead + 1, "a");
	demand.seen = NULL;
	refuse("ahead of the clock");
	make(ahead + 1, ahead + 1, "a");
	demand.seen = NULL;
	refuse("ahead of the clock");
	/* Seen in the years when the clock was right. */
	seen.version = made_version(&made);
	demand.seen = &seen;
	accept(true);
	demand.now++;
	accept(false);
	/* Newer than what was seen, and ahead. */
	make(ahead + 1, ahead + 2, "a");
	refuse("ahead of the clock");
	/* The build floors the clock. */
	demand.now = 0;
	demand.build_time = ahead + 2 - MK_DAY;
	seen.version = made_version(&made);
	accept(true);
}
END_TEST

/* A memory of a far future is no damage; what is older stays refused. */
START_TEST(memory_ahead)
{
	make(T(1), T(2), "a");
	seen.version = made_version(&made);
	seen.version.personal_time = MADE_NOW + 1000 * MK_DAY;
	refuse("PersonalProfile is older");
}
END_TEST

static void
make_expiring(int64_t expires, bool no_ssh)
{
	struct recipe r = { .n_devices = 1, .n_keys = 1, .expires = expires,
	    .no_ssh = no_ssh };

	made_release(&made);
	made_set(&r, &made);
	demand = made_demand(&made);
}

START_TEST(expiry)
{
	bool no_ssh = _i != 0;

	make_expiring(MADE_NOW + 1, no_ssh);
	accept(false);
	ck_assert_int_eq(view->expires, MADE_NOW + 1);
	make_expiring(MADE_NOW, no_ssh);
	refuse("expired");
	make_expiring(MADE_NOW - 1, no_ssh);
	refuse("expired");
	/* A clock that was set back does not revive it. */
	demand.now = MADE_NOW - 2;
	accept(false);
	seen.version = view->version;
	demand.seen = &seen;
	demand.build_time = MADE_NOW - 1;
	refuse("expired");
	demand.build_time = MADE_NOW - 2;
	accept(false);
}
END_TEST

/* To be signed anew it verifies; all else that is wrong stays wrong. */
START_TEST(even_expired)
{
	bool no_ssh = _i != 0;

	make_expiring(MADE_NOW + 1, no_ssh);
	demand.even_expired = true;
	accept(false);
	ck_assert(!view->expired);
	make_expiring(MADE_NOW, no_ssh);
	demand.even_expired = true;
	accept(false);
	ck_assert(view->expired);
	ck_assert_int_eq(view->expires, MADE_NOW);
	seen.version = view->version;
	seen.version.personal_time++;
	demand.seen = &seen;
	refuse("PersonalProfile is older");
	seen.version.personal_time--;
	accept(false);
	ck_assert(view->expired);
	seen.version.personal[0] ^= 1;
	refuse("PersonalProfile has the time");
	demand.seen = NULL;
	demand.build_time = MADE_NOW + 1;
	refuse("the clock stands before");
}
END_TEST

/* Versions count for a set without an SSHProfile too. */
START_TEST(versions_without_ssh)
{
	struct recipe r = { .n_devices = 1, .no_ssh = true,
	    .master_updated = T(1), .updated = T(2) };

	made_set(&r, &made);
	seen.version = made_version(&made);
	seen.version.personal_time++;
	demand = made_demand(&made);
	demand.seen = &seen;
	refuse("PersonalProfile is older");
}
END_TEST

/* A device that was ever deleted is never printed again. */
START_TEST(tombstones)
{
	struct mk_udf gone[2];
	struct mk_pubkey key;
	struct mk_arena a;

	mk_arena_init(&a, 1 << 20);
	make(T(1), T(2), "a");
	seen.version = made_version(&made);
	made_key("alice", "device1", &key, NULL);
	gone[0] = made_udf(1);
	gone[1] = key.udf;
	ck_assert_int_eq(mk_udfset_init(&a, 2, &seen.index, &why), 0);
	mk_udfset_add(&seen.index, &gone[0], 0);
	mk_udfset_add(&seen.index, &gone[1], 1);
	ck_assert(mk_udfset_seal(&seen.index));
	seen.deleted = gone;
	seen.n_deleted = 2;
	/* Also by one who signs on without the deletion. */
	make(T(1), T(3), "b");
	accept(false);
	ck_assert_int_eq(view->keys[0].verdict, MK_KEY_USABLE);
	ck_assert_int_eq(view->keys[1].verdict, MK_KEY_TOMBSTONE);
	mk_arena_release(&a);
}
END_TEST

START_TEST(deleted_and_listed)
{
	struct mk_udf gone[3] = { made_udf(1), made_udf(2), made_udf(3) };
	struct recipe r = { .n_devices = 2, .n_keys = 1, .deleted = gone,
	    .n_deleted = 3 };
	struct mk_pubkey key;

	made_set(&r, &made);
	demand = made_demand(&made);
	accept(false);
	ck_assert_uint_eq(view->personal->n_deleted, 3);
	made_release(&made);
	made_key("alice", "device1", &key, NULL);
	gone[2] = key.udf;
	made_set(&r, &made);
	demand = made_demand(&made);
	ck_assert_int_eq(verify(), MK_E_REFUSED);
	ck_assert_ptr_nonnull(strstr(why.detail, "both listed and deleted"));
}
END_TEST

START_TEST(deleted_limit)
{
	struct mk_udf gone[MK_DELETED_MAX + 1];
	struct recipe r = { .n_devices = 1, .n_keys = 1, .deleted = gone,
	    .n_deleted = MK_DELETED_MAX };
	unsigned i;

	for (i = 0; i <= MK_DELETED_MAX; i++)
		gone[i] = made_udf(i);
	made_set(&r, &made);
	demand = made_demand(&made);
	accept(false);
	made_release(&made);
	r.n_deleted++;
	made_set(&r, &made);
	demand = made_demand(&made);
	ck_assert_int_eq(verify(), MK_E_REFUSED);
	ck_assert_ptr_nonnull(strstr(why.detail, "limit of 1024"));
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("verify_time");
	TCase *tc = tcase_create("verify_time");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, versions, 0, (int)COUNT(steps));
	tcase_add_test(tc, master_equivocation);
	tcase_add_test(tc, other_master_key);
	tcase_add_test(tc, generation_switch);
	tcase_add_test(tc, clock_before_build);
	tcase_add_test(tc, dated_ahead);
	tcase_add_test(tc, memory_ahead);
	tcase_add_loop_test(tc, expiry, 0, 2);
	tcase_add_loop_test(tc, even_expired, 0, 2);
	tcase_add_test(tc, versions_without_ssh);
	tcase_add_test(tc, tombstones);
	tcase_add_test(tc, deleted_and_listed);
	tcase_add_test(tc, deleted_limit);
	suite_add_tcase(s, tc);
	return s;
}
