/* SPDX-License-Identifier: ISC */
/* The read side of a portal as files. */
#include "core/limits.h"
#include "unit/portal_case.h"
#include "unit/tree.h"
#include "unit/unit.h"

#define OUT		"/out"
#define SETS		OUT "/.well-known/mmm/"
#define ACCOUNTS	SETS "account/"

static struct portal_exported n;
static struct made first, second;

static void
setup(void)
{
	struct case_version v = { 0 };

	case_setup();
	(void)snprintf(tree_dir, sizeof(tree_dir), "%s", case_dir());
	case_set(&v, &first);
	v = (struct case_version){ .updated = MADE_NOW, .previous = &first };
	case_set(&v, &second);
}

static void
teardown(void)
{
	made_release(&first);
	made_release(&second);
	case_teardown();
}

/* As meshportal export: beside the portal that is at work. */
static int
export(struct mk_why *why)
{
	struct portal_store *store;
	int r;

	n = (struct portal_exported){ 0, 0, 0 };
	r = portal_store_open(tree_path("/portal"), false, &store, why);
	ck_assert_msg(r == 0, "%s", why->detail);
	r = portal_export(store, tree_path(OUT), &n, why);
	portal_store_close(store);
	return r;
}

static void
exported(uint64_t written, uint64_t removed, uint64_t kept)
{
	struct mk_why why;
	int r = export(&why);

	ck_assert_msg(r == 0, "%s", why.detail);
	ck_assert_uint_eq(n.written, written);
	ck_assert_uint_eq(n.removed, removed);
	ck_assert_uint_eq(n.kept, kept);
}

static const char *
file_of(const struct made *set)
{
	static char name[256];

	(void)snprintf(name, sizeof(name), SETS "%s", case_path(set));
	return name;
}

static void
holds(const char *name, const struct made *set)
{
	static char text[1 << 20];
	FILE *f = fopen(tree_path(name), "r");
	struct stat st;
	size_t len;

	ck_assert_msg(f != NULL, "no '%s'", name);
	len = fread(text, 1, sizeof(text), f);
	ck_assert_int_eq(fstat(fileno(f), &st), 0);
	fclose(f);
	ck_assert_uint_eq(st.st_mode & 07777, 0644);
	ck_assert_uint_eq(len, set->set.len);
	ck_assert_mem_eq(text, set->set.data, len);
}

static ino_t
inode_of(const char *name)
{
	struct stat st;

	ck_assert_int_eq(stat(tree_path(name), &st), 0);
	return st.st_ino;
}

static bool
there(const char *name)
{
	return access(tree_path(name), F_OK) == 0;
}

static void
create(const char *account)
{
	case_create(&(struct case_signer){ .account = account }, &first);
	ck_assert_int_eq(case_post(), 201);
}

START_TEST(life)
{
	ino_t was;

	umask(077);
	exported(0, 0, 0);
	create(ALICE);
	create("alice+mesh@example.com");
	exported(3, 0, 0);
	holds(file_of(&first), &first);
	holds(ACCOUNTS ALICE ".json", &first);
	holds(ACCOUNTS "alice+mesh@example.com.json", &first);
	/* What is as it was is not touched. */
	was = inode_of(file_of(&first));
	exported(0, 0, 3);
	ck_assert_uint_eq(inode_of(file_of(&first)), was);
	case_publish(&second);
	ck_assert_int_eq(case_post(), 201);
	exported(3, 0, 0);
	holds(file_of(&second), &second);
	holds(ACCOUNTS ALICE ".json", &second);
	/* An account that is closed goes, its profile stays. */
	case_delete(&(struct case_signer){ 0 });
	ck_assert_int_eq(case_post(), 201);
	exported(0, 1, 2);
	ck_assert(!there(ACCOUNTS ALICE ".json"));
	holds(file_of(&second), &second);
}
END_TEST

START_TEST(directories)
{
	static const char *const dirs[] = { OUT, OUT "/.well-known", SETS,
	    ACCOUNTS };
	struct stat st;
	size_t i;

	umask(077);
	exported(0, 0, 0);
	for (i = 0; i < 4; i++) {
		ck_assert_int_eq(stat(tree_path(dirs[i]), &st), 0);
		ck_assert_uint_eq(st.st_mode & 07777, 0755);
	}
	/* One that is there stays as its owner wants it. */
	ck_assert_int_eq(chmod(tree_path(OUT), 0750), 0);
	exported(0, 0, 0);
	ck_assert_int_eq(stat(tree_path(OUT), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0750);
}
END_TEST

START_TEST(others)
{
	static const char *const kept[] = { SETS "index.html",
	    SETS "x.json", SETS "MAAAA.json", SETS ".htaccess",
	    ACCOUNTS "Bob@example.com.json", ACCOUNTS "bob.json",
	    SETS ".mk-new" };
	static const char *const gone[] = {
	    SETS "MAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA.json",
	    ACCOUNTS "bob@example.com.json", SETS ".mk-old" };
	const struct timespec old[2] = { { 1000, 0 }, { 1000, 0 } };
	size_t i;

	create(ALICE);
	exported(2, 0, 0);
	for (i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		tree_text(kept[i], "mine");
	for (i = 0; i < sizeof(gone) / sizeof(gone[0]); i++)
		tree_text(gone[i], "of a profile that is no more");
	ck_assert_int_eq(utimensat(AT_FDCWD, tree_path(gone[2]), old, 0),
	    0);
	exported(0, 3, 2);
	for (i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		ck_assert_msg(there(kept[i]), "%s", kept[i]);
	for (i = 0; i < sizeof(gone) / sizeof(gone[0]); i++)
		ck_assert_msg(!there(gone[i]), "%s", gone[i]);
}
END_TEST

/* What somebody else put there is replaced, and never written through. */
START_TEST(in_the_way)
{
	struct mk_why why;

	create(ALICE);
	exported(2, 0, 0);
	tree_text("/precious", "precious");
	ck_assert_int_eq(unlink(tree_path(file_of(&first))), 0);
	ck_assert_int_eq(symlink(tree_path("/precious"),
	    tree_path(file_of(&first))), 0);
	tree_text(ACCOUNTS ALICE ".json", "half");
	exported(2, 0, 0);
	holds(file_of(&first), &first);
	ck_assert(there("/precious"));
	ck_assert_int_eq(chmod(tree_path(file_of(&first)), 0600), 0);
	exported(1, 0, 1);
	holds(file_of(&first), &first);
	/* Nor is a directory that is a link. */
	ck_assert_int_eq(rename(tree_path(OUT "/.well-known"),
	    tree_path("/elsewhere")), 0);
	ck_assert_int_eq(symlink(tree_path("/elsewhere"),
	    tree_path(OUT "/.well-known")), 0);
	ck_assert_int_ne(export(&why), 0);
	ck_assert_ptr_nonnull(strstr(why.detail, "cannot open"));
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("portal_export");
	TCase *t = tcase_create("portal_export");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, life);
	tcase_add_test(t, directories);
	tcase_add_test(t, others);
	tcase_add_test(t, in_the_way);
	suite_add_tcase(s, t);
	return s;
}
