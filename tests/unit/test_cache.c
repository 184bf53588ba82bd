/* SPDX-License-Identifier: ISC */
/* The stores, and how their absence and damage are told apart. */
#include "core/err.h"
#include "core/limits.h"
#include "edge/cache.h"
#include "unit/tree.h"
#include "unit/unit.h"

#define F1	"MA6SH-QRVCQ-DA2ND-PJ4J7-SW3KF-VYCQU"
#define SET	MK_CACHEDIR "/" F1 ".json"
#define SEEN	MK_STATEDIR "/" F1 ".seen"

static struct mk_root root;
static struct mk_store store;
static struct mk_file file;
static struct mk_udf udf;
static struct mk_why why;

static void
setup(void)
{
	tree_setup();
	ck_assert_int_eq(mk_root_open(tree_dir, &root, &why), 0);
	root.name = "";		/* messages as without a --root */
	mk_store_open(&root, &store);
	ck_assert(mk_udf_parse(F1, MK_UDF_TEXT, &udf));
}

static void
teardown(void)
{
	mk_store_close(&store);
	mk_root_close(&root);
	tree_teardown();
}

static void
reopen(void)
{
	mk_store_close(&store);
	mk_store_open(&root, &store);
}

START_TEST(sets)
{
	const struct timespec times[2] = { { 1000, 0 }, { 2000, 0 } };

	ck_assert_int_eq(mk_store_set(&store, &udf, 9, &file, &why),
	    MK_E_NOPROFILE);
	ck_assert_str_eq(why.detail,
	    "no profile set '" SET "'");
	tree_text(SET, "{}");
	ck_assert_int_eq(utimensat(AT_FDCWD, tree_path(SET), times, 0), 0);
	ck_assert_int_eq(mk_store_set(&store, &udf, 2, &file, &why), 0);
	ck_assert_str_eq((char *)file.data, "{}");
	ck_assert_int_eq(file.mtime, 2000);
	mk_file_release(&file);
	ck_assert_int_eq(mk_store_set(&store, &udf, 1, &file, &why),
	    MK_E_REFUSED);
	ck_assert_int_eq(why.code, MK_E_REFUSED);
	chmod(tree_path(SET), 0666);
	ck_assert_int_eq(mk_store_set(&store, &udf, 9, &file, &why),
	    MK_E_PERM);
}
END_TEST

START_TEST(memory)
{
	static char big[MK_SEEN_MAX + 1];

	ck_assert_int_eq(mk_store_seen(&store, &udf, &file, &why),
	    MK_E_ABSENT);
	ck_assert_int_eq(mk_store_remember(&store, &udf,
	    (const uint8_t *)"x\n", 2, &why), 0);
	ck_assert_int_eq(mk_store_seen(&store, &udf, &file, &why), 0);
	ck_assert_str_eq((char *)file.data, "x\n");
	mk_file_release(&file);
	memset(big, 'x', sizeof(big));
	tree_bytes(SEEN, big, sizeof(big) - 1);
	ck_assert_int_eq(mk_store_seen(&store, &udf, &file, &why), 0);
	mk_file_release(&file);
	tree_bytes(SEEN, big, sizeof(big));
	ck_assert_int_eq(mk_store_seen(&store, &udf, &file, &why),
	    MK_E_SYSTEM);
	/* Never "no memory" for one that others could have removed. */
	chmod(tree_path(SEEN), 0666);
	ck_assert_int_eq(mk_store_seen(&store, &udf, &file, &why),
	    MK_E_PERM);
}
END_TEST

START_TEST(directories)
{
	chmod(tree_path(MK_CACHEDIR), 0777);
	chmod(tree_path(MK_STATEDIR), 0775);
	reopen();
	ck_assert_int_eq(mk_store_set(&store, &udf, 9, &file, &why),
	    MK_E_PERM);
	ck_assert_ptr_nonnull(strstr(why.detail, "go-w " MK_CACHEDIR));
	ck_assert_int_eq(mk_store_seen(&store, &udf, &file, &why),
	    MK_E_PERM);
	ck_assert_ptr_nonnull(strstr(why.detail, "g-w " MK_STATEDIR));
	ck_assert_int_eq(mk_store_remember(&store, &udf,
	    (const uint8_t *)"x", 1, &why), MK_E_PERM);
	ck_assert_int_eq(rmdir(tree_path(MK_CACHEDIR)), 0);
	ck_assert_int_eq(rmdir(tree_path(MK_STATEDIR)), 0);
	reopen();
	ck_assert_int_eq(mk_store_set(&store, &udf, 9, &file, &why),
	    MK_E_NOPROFILE);
	ck_assert_int_eq(mk_store_seen(&store, &udf, &file, &why),
	    MK_E_ABSENT);
	ck_assert_int_eq(mk_store_remember(&store, &udf,
	    (const uint8_t *)"x", 1, &why), MK_E_SYSTEM);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("cache");
	TCase *t = tcase_create("cache");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, sets);
	tcase_add_test(t, memory);
	tcase_add_test(t, directories);
	suite_add_tcase(s, t);
	return s;
}
