/* SPDX-License-Identifier: ISC */
/*
 * What differs between two sets, by devices and keys that are known to be
 * in one of them, in both or in neither.
 */
#include <string.h>

#include "core/compare.h"
#include "core/limits.h"
#include "make_set.h"
#include "unit.h"

static struct made sets[2];
static struct mk_arena arenas[2], arena;
static const struct mk_verified_view *views[2];
static const struct mk_device_change *changes;
static size_t n_changes;
static struct mk_why why;

static void
setup(void)
{
	memset(sets, 0, sizeof(sets));
	memset(arenas, 0, sizeof(arenas));
	memset(views, 0, sizeof(views));
	mk_arena_init(&arena, MK_ARENA_FLOOR);
}

static void
teardown(void)
{
	size_t i;

	for (i = 0; i < 2; i++) {
		mk_arena_release(&arenas[i]);
		made_release(&sets[i]);
	}
	mk_arena_release(&arena);
}

static void
make(size_t i, const struct recipe *r)
{
	struct mk_demand demand;

	made_set(r, &sets[i]);
	demand = made_demand(&sets[i]);
	ck_assert_int_eq(made_verify(&arenas[i], &demand, &views[i], &why),
	    0);
}

static void
compare(const struct mk_seen *seen)
{
	struct mk_comparison c = { .old = views[0], .now = views[1],
	    .seen = seen };
	size_t i;

	ck_assert_int_eq(mk_compare(&arena, &c, &changes, &n_changes, &why),
	    0);
	for (i = 1; i < n_changes; i++)
		ck_assert_int_lt(mk_udf_cmp(&changes[i - 1].device,
		    &changes[i].device), 0);
}

static size_t
count(enum mk_change change)
{
	size_t n = 0, i;

	for (i = 0; i < n_changes; i++)
		n += changes[i].change == change;
	return n;
}

static const struct mk_device_change *
change_of(const struct mk_udf *device)
{
	size_t i;

	for (i = 0; i < n_changes; i++) {
		if (mk_udf_cmp(&changes[i].device, device) == 0)
			return &changes[i];
	}
	ck_abort_msg("the device is not among the changes");
	return NULL;
}

START_TEST(nothing_differs)
{
	const struct recipe r = { .n_devices = 3, .n_keys = 2, .n_bare = 2 };
	size_t i;

	make(0, &r);
	make(1, &r);
	compare(NULL);
	ck_assert_uint_eq(n_changes, 5);
	ck_assert_uint_eq(count(MK_DEVICE_SAME), 5);
	for (i = 0; i < n_changes; i++)
		ck_assert(!changes[i].deleted);
	for (i = 0; i < 3; i++)
		ck_assert_uint_eq(change_of(&views[1]->personal->
		    devices[i].id)->n_keys, 2);
	ck_assert_uint_eq(change_of(&views[1]->personal->
	    devices[3].id)->n_keys, 0);
}
END_TEST

START_TEST(no_other_set)
{
	const struct recipe r = { .n_devices = 2, .n_keys = 1,
	    .description = "a\tb" };

	make(1, &r);
	compare(NULL);
	ck_assert_uint_eq(n_changes, 2);
	ck_assert_uint_eq(count(MK_DEVICE_ADDED), 2);
	ck_assert_str_eq(changes[0].comment, "a?b");
}
END_TEST

START_TEST(added_and_removed)
{
	const struct recipe less = { .n_devices = 2, .n_keys = 1 };
	const struct recipe more = { .n_devices = 5, .n_keys = 1 };
	const struct mk_verified_view *first;

	make(0, &less);
	make(1, &more);
	compare(NULL);
	ck_assert_uint_eq(n_changes, 5);
	ck_assert_uint_eq(count(MK_DEVICE_SAME), 2);
	ck_assert_uint_eq(count(MK_DEVICE_ADDED), 3);
	ck_assert_int_eq(change_of(&views[1]->personal->
	    devices[4].id)->change, MK_DEVICE_ADDED);
	/* And the other way round. */
	first = views[0];
	views[0] = views[1];
	views[1] = first;
	compare(NULL);
	ck_assert_uint_eq(n_changes, 5);
	ck_assert_uint_eq(count(MK_DEVICE_REMOVED), 3);
	ck_assert_int_eq(change_of(&views[0]->personal->
	    devices[4].id)->change, MK_DEVICE_REMOVED);
}
END_TEST

START_TEST(all_others)
{
	const struct recipe mine = { .n_devices = 3, .n_keys = 1 };
	const struct recipe other = { .n_devices = 4, .n_keys = 1,
	    .other = "other" };

	make(0, &mine);
	make(1, &other);
	compare(NULL);
	ck_assert_uint_eq(count(MK_DEVICE_REMOVED), 3);
	ck_assert_uint_eq(count(MK_DEVICE_ADDED), 4);
}
END_TEST

/* One key more, one less, and another one in its place. */
START_TEST(other_keys)
{
	const struct recipe one = { .n_devices = 2, .n_keys = 1 };
	const struct recipe two = { .n_devices = 2, .n_keys = 2 };
	struct mk_verified_key keys[2];
	struct mk_verified_view view;
	struct mk_ssh_device ssh;

	make(0, &one);
	make(1, &two);
	compare(NULL);
	ck_assert_uint_eq(count(MK_DEVICE_KEYS), 2);
	ck_assert_uint_eq(changes[0].n_keys, 2);
	mk_arena_release(&arenas[1]);
	made_release(&sets[1]);
	make(1, &one);
	/* As many keys, one of them of other bytes. */
	memcpy(keys, views[1]->keys, sizeof(keys));
	ssh = *keys[0].ssh;
	ssh.key.blob = keys[1].ssh->key.blob;
	keys[0].ssh = &ssh;
	view = *views[1];
	view.keys = keys;
	views[1] = &view;
	compare(NULL);
	ck_assert_uint_eq(count(MK_DEVICE_KEYS), 1);
	ck_assert_uint_eq(count(MK_DEVICE_SAME), 1);
	ck_assert_int_eq(change_of(&ssh.device)->change, MK_DEVICE_KEYS);
}
END_TEST

/* What the memory has deleted is told wherever it stands. */
START_TEST(deleted)
{
	const struct recipe r = { .n_devices = 3, .n_keys = 1 };
	struct mk_seen seen = { 0 };
	struct mk_udf udf;
	size_t i;

	make(1, &r);
	udf = views[1]->personal->devices[1].id;
	ck_assert_int_eq(mk_udfset_init(&arena, 1, &seen.index, &why), 0);
	mk_udfset_add(&seen.index, &udf, 0);
	ck_assert(mk_udfset_seal(&seen.index));
	compare(&seen);
	for (i = 0; i < n_changes; i++)
		ck_assert_int_eq(changes[i].deleted,
		    mk_udf_cmp(&changes[i].device, &udf) == 0);
	ck_assert_uint_eq(n_changes, 3);
}
END_TEST

START_TEST(no_memory)
{
	const struct recipe r = { .n_devices = 3, .n_keys = 1 };
	struct mk_comparison c = { 0 };

	make(0, &r);
	make(1, &r);
	c.old = views[0];
	c.now = views[1];
	mk_arena_release(&arena);
	mk_arena_init(&arena, 64);
	ck_assert_int_eq(mk_compare(&arena, &c, &changes, &n_changes, &why),
	    MK_E_REFUSED);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *suite = suite_create("compare");
	TCase *c = tcase_create("compare");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, nothing_differs);
	tcase_add_test(c, no_other_set);
	tcase_add_test(c, added_and_removed);
	tcase_add_test(c, all_others);
	tcase_add_test(c, other_keys);
	tcase_add_test(c, deleted);
	tcase_add_test(c, no_memory);
	suite_add_tcase(suite, c);
	return suite;
}
