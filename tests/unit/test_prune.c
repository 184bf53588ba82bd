/* SPDX-License-Identifier: ISC */
/* What leaves the cache, and how much must not. */
#include "core/err.h"
#include "edge/everyone.h"
#include "edge/keeper.h"
#include "unit/tree.h"
#include "unit/unit.h"

#define F1	"MA6SH-QRVCQ-DA2ND-PJ4J7-SW3KF-VYCQU"
#define F2	"MAFJL-LKNEA-TYWHV-OONKZ-KCBLE-TCRKQ"
#define F3	"MBGJL-LKNEA-TYWHV-OONKZ-KCBLE-TCRKQ"
#define F4	"MBGJL-LKNEA-TYWHV-OONKZ-KCBLE-TCRKA"
#define SET	MK_CACHEDIR "/" F1 ".json"
#define T0	1500000000

static struct mk_root root;
static struct mk_keeper keeper;
static struct mk_why why;

static void
setup(void)
{
	tree_setup();
	ck_assert_int_eq(mk_root_open(tree_dir, &root, &why), 0);
}

static void
teardown(void)
{
	mk_root_close(&root);
	tree_teardown();
}

static void
keep(void)
{
	ck_assert_msg(mk_keeper_open(&root, &keeper, &why) == 0, "%s",
	    why.detail);
}

static void
set_mtime(const char *name, int64_t when)
{
	const struct timespec times[2] = { { when, 0 }, { when, 0 } };

	ck_assert_int_eq(utimensat(AT_FDCWD, tree_path(name), times,
	    AT_SYMLINK_NOFOLLOW), 0);
}

/* Everybody whom a map of these lines names. */
static void
read_map(const char *text, struct mk_everyone *ret_all)
{
	struct mk_config config;

	tree_text(MK_CONFDIR "/map", text);
	ck_assert_int_eq(mk_config_load(&root, NULL, &config, &why), 0);
	ck_assert_int_eq(mk_everyone_read(&root, &config, NULL, ret_all,
	    &why), 0);
	mk_config_release(&config);
}

static bool
exists(const char *name)
{
	struct stat st;

	return lstat(tree_path(name), &st) == 0;
}

#define PRUNE_NOW	((int64_t)T0 + 10 * 86400)

static const char *const never_pruned[] = {
	MK_CACHEDIR "/" F1 ".json", MK_CACHEDIR "/" F1 ".refused",
	MK_CACHEDIR "/" F2 ".seen", MK_CACHEDIR "/" F2 ".keys",
	MK_CACHEDIR "/" F2, MK_CACHEDIR "/" F2 ".json~",
	MK_CACHEDIR "/" F2 ".json.old", MK_CACHEDIR "/x" F2 ".json",
	MK_CACHEDIR "/" F2 ".JSON", MK_CACHEDIR "/." F2 ".json",
	MK_CACHEDIR "/ma6shqrvcqda2ndpj4j7sw3kfvycqu.json",
	MK_CACHEDIR "/ma6sh-qrvcq-da2nd-pj4j7-sw3kf-vycqx.json",
	MK_CACHEDIR "/MA6SH-QRVCQ-DA2ND-PJ4J7-SW3KF.json",
	MK_CACHEDIR "/RA6SH-QRVCQ-DA2ND-PJ4J7-SW3KF-VYCQU.json",
	MK_CACHEDIR "/.lock", MK_CACHEDIR "/readme",
	MK_STATEDIR "/" F2 ".seen", MK_STATEDIR "/" F2 ".keys",
	MK_STATEDIR "/" F2 ".json", MK_STATEDIR "/" F2 ".refused",
	MK_STATEDIR "/.lock"
};

#define N_NEVER	(sizeof(never_pruned) / sizeof(never_pruned[0]))

START_TEST(prunes)
{
	struct mk_everyone all;
	size_t i;

	keep();
	read_map("alice " F1 "\n", &all);
	for (i = 0; i < N_NEVER; i++) {
		tree_text(never_pruned[i], "x");
		set_mtime(never_pruned[i], T0);
	}
	tree_text(MK_CACHEDIR "/" F2 ".json", "x");
	tree_text(MK_CACHEDIR "/" F2 ".refused", "x");
	tree_text(MK_CACHEDIR "/" F3 ".json", "x");
	tree_text(MK_CACHEDIR "/" F3 ".refused", "x");
	set_mtime(MK_CACHEDIR "/" F2 ".json", PRUNE_NOW - 86401);
	set_mtime(MK_CACHEDIR "/" F2 ".refused", PRUNE_NOW - 86401);
	set_mtime(MK_CACHEDIR "/" F3 ".json", PRUNE_NOW - 86400);
	set_mtime(MK_CACHEDIR "/" F3 ".refused", PRUNE_NOW + 1);
	/* Not a file, whatever its name. */
	tree_mkdir(MK_CACHEDIR "/" F4 ".json");
	set_mtime(MK_CACHEDIR "/" F4 ".json", T0);
	ck_assert_int_eq(symlink("readme", tree_path(MK_CACHEDIR "/" F4
	    ".refused")), 0);
	set_mtime(MK_CACHEDIR "/" F4 ".refused", T0);
	ck_assert_int_eq(mk_keeper_lock(&keeper, &why), 0);
	ck_assert_uint_eq(mk_keeper_prune(&keeper, &all, PRUNE_NOW), 2);
	ck_assert(!exists(MK_CACHEDIR "/" F2 ".json"));
	ck_assert(!exists(MK_CACHEDIR "/" F2 ".refused"));
	ck_assert(exists(MK_CACHEDIR "/" F3 ".json"));
	ck_assert(exists(MK_CACHEDIR "/" F3 ".refused"));
	ck_assert(exists(MK_CACHEDIR "/" F4 ".json"));
	ck_assert(exists(MK_CACHEDIR "/" F4 ".refused"));
	for (i = 0; i < N_NEVER; i++)
		ck_assert_msg(exists(never_pruned[i]), "%s", never_pruned[i]);
	ck_assert_uint_eq(mk_keeper_prune(&keeper, &all, PRUNE_NOW), 0);
	ck_assert_uint_eq(mk_keeper_prune(&keeper, &all, PRUNE_NOW + 2), 1);
	ck_assert(!exists(MK_CACHEDIR "/" F3 ".json"));
	/* A clock from before any of it. */
	ck_assert_uint_eq(mk_keeper_prune(&keeper, &all, 0), 0);
	mk_everyone_release(&all);
	mk_keeper_close(&keeper);
}
END_TEST

/* Whoever may be missing from the list is not forgotten. */
START_TEST(prunes_nothing)
{
	struct mk_everyone all;

	keep();
	tree_text(SET, "{}");
	set_mtime(SET, T0);
	read_map("", &all);
	ck_assert_uint_eq(mk_keeper_prune(&keeper, &all, PRUNE_NOW), 0);
	mk_everyone_release(&all);
	read_map("alice " F2 "\nbob " F1 " no=1\n", &all);
	ck_assert_uint_eq(all.n, 1);
	ck_assert_uint_eq(mk_keeper_prune(&keeper, &all, PRUNE_NOW), 0);
	mk_everyone_release(&all);
	tree_text(MK_CONFDIR "/meshkeys.conf", "identity map nss\n");
	read_map("alice " F2 "\n", &all);
	ck_assert_uint_eq(mk_keeper_prune(&keeper, &all, PRUNE_NOW), 0);
	mk_everyone_release(&all);
	tree_text(MK_CONFDIR "/meshkeys.conf", "identity map\n");
	read_map("alice " F2 "\n", &all);
	ck_assert_uint_eq(mk_keeper_prune(&keeper, &all, PRUNE_NOW), 1);
	ck_assert(!exists(SET));
	mk_everyone_release(&all);
	mk_keeper_close(&keeper);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("prune");
	TCase *t = tcase_create("prune");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, prunes);
	tcase_add_test(t, prunes_nothing);
	suite_add_tcase(s, t);
	return s;
}
