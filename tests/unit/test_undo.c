/* SPDX-License-Identifier: ISC */
/*
 * Changes that are taken back, whenever the power fails: every call that
 * changes a file is ours here, and the process can end before any of them.
 */
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <time.h>

#include "core/err.h"
#include "edge/undo.h"
#include "unit/tree.h"
#include "unit/unit.h"

#define DROPINS	"/etc/ssh/sshd_config.d"
#define DROPIN	DROPINS "/10-meshkeys.conf"
#define CONF	MK_CONFDIR "/meshkeys.conf"
#define NEW	"Match User *,!root\n"
#define CHAIN	"fresh-for 5m\nchain /bin/true\n"
#define STEPS	1000

static struct mk_root root;
static struct mk_why why;
static long calls, last_call;	/* the process ends before that one */

static void
step(void)
{
	if (last_call > 0 && ++calls == last_call)
		_exit(99);
}

int
linkat(int from, const char *name, int to, const char *other, int flags)
{
	step();
	return (int)syscall(SYS_linkat, from, name, to, other, flags);
}

int
unlinkat(int dir, const char *name, int flags)
{
	step();
	return (int)syscall(SYS_unlinkat, dir, name, flags);
}

int
renameat(int from, const char *name, int to, const char *other)
{
	step();
	return (int)syscall(SYS_renameat2, from, name, to, other, 0);
}

int
mkdirat(int dir, const char *name, mode_t mode)
{
	step();
	return (int)syscall(SYS_mkdirat, dir, name, mode);
}

int
fsync(int fd)
{
	step();
	return (int)syscall(SYS_fsync, fd);
}

static void
setup(void)
{
	const struct timespec times[2] = { { 1000000, 1 },
	    { 1000000000, 123456789 } };

	tree_setup();
	tree_mkdir("/etc/ssh");
	tree_text(CONF, "fresh-for 5m\n");
	ck_assert_int_eq(chmod(tree_path(CONF), 0640), 0);
	ck_assert_int_eq(utimensat(AT_FDCWD, tree_path(CONF), times, 0), 0);
	ck_assert_int_eq(mk_root_open(tree_dir, &root, &why), 0);
	root.name = "";
	memset(&why, 0, sizeof(why));
	calls = last_call = 0;
}

static void
teardown(void)
{
	mk_root_close(&root);
	tree_teardown();
}

static bool
holds(const char *path, const char *text)
{
	char got[4096] = "";
	FILE *f = fopen(tree_path(path), "r");

	if (f == NULL)
		return false;
	(void)!fread(got, 1, sizeof(got) - 1, f);
	ck_assert_int_eq(fclose(f), 0);
	return strcmp(got, text) == 0;
}

static bool
is_there(const char *path)
{
	struct stat st;

	return lstat(tree_path(path), &st) == 0;
}

static unsigned found_entries;

static int
count_entry(const char *path, const struct stat *st, int type,
    struct FTW *ftw)
{
	(void)path, (void)st, (void)type, (void)ftw;
	found_entries++;
	return 0;
}

/* Everything below the root, itself too. */
static unsigned
entries(void)
{
	found_entries = 0;
	ck_assert_int_eq(nftw(tree_dir, count_entry, 16, FTW_PHYS), 0);
	return found_entries;
}

static unsigned entries_before;

/* As setup() left it, to the nanosecond, and nothing beside it. */
static void
is_as_before(void)
{
	struct stat st;

	ck_assert(holds(CONF, "fresh-for 5m\n"));
	ck_assert_int_eq(stat(tree_path(CONF), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0640);
	ck_assert_uint_eq(st.st_nlink, 1);
	ck_assert_int_eq(st.st_mtim.tv_sec, 1000000000);
	ck_assert_int_eq(st.st_mtim.tv_nsec, 123456789);
	ck_assert(!is_there(DROPINS));
	ck_assert_uint_eq(entries(), entries_before);
}

static struct mk_undo *
opened(enum mk_undo_state state)
{
	struct mk_undo *undo;

	ck_assert_int_eq(mk_undo_open(&root, &undo, &why), 0);
	ck_assert_int_eq(mk_undo_state(undo), state);
	return undo;
}

static int
put(struct mk_undo *undo, const char *path, const char *text)
{
	return mk_undo_file(undo, path, (const uint8_t *)text, strlen(text),
	    &why);
}

/* What meshkeys setup does. */
static int
change(void)
{
	struct mk_undo *undo;
	int r;

	if ((r = mk_undo_open(&root, &undo, &why)) != 0)
		return r;
	if ((r = mk_undo_begin(undo, false, &why)) == 0 &&
	    (r = mk_undo_dir(undo, DROPINS, 0755, &why)) == 0 &&
	    (r = put(undo, DROPIN, NEW)) == 0 &&
	    (r = put(undo, CONF, CHAIN)) == 0)
		r = mk_undo_enter(undo, MK_UNDO_DONE, &why);
	mk_undo_close(undo);
	return r;
}

static int
take_back(void)
{
	struct mk_undo *undo;
	int r;

	if ((r = mk_undo_open(&root, &undo, &why)) != 0)
		return r;
	r = mk_undo_all(undo, NULL, &why);
	mk_undo_close(undo);
	return r;
}

/* In a process that ends at a call; its status, 99 if it came to that. */
static int
until(long call, int (*work)(void))
{
	int status;
	pid_t pid = fork();

	ck_assert_int_ne(pid, -1);
	if (pid == 0) {
		calls = 0;
		last_call = call;
		_exit(work() == 0 ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

START_TEST(changes_and_takes_back)
{
	struct mk_undo *undo;
	struct stat st;

	entries_before = entries();
	ck_assert_int_eq(change(), 0);
	ck_assert(holds(DROPIN, NEW));
	ck_assert(holds(CONF, CHAIN));
	ck_assert_int_eq(stat(tree_path(DROPIN), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0644);
	ck_assert_int_eq(stat(tree_path(MK_CONFDIR "/setup.undo"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	undo = opened(MK_UNDO_DONE);
	ck_assert_int_ne(mk_undo_id(undo), 0);
	ck_assert_int_le(llabs(mk_undo_time(undo) - time(NULL)), 60);
	ck_assert_int_eq(mk_undo_begin(undo, false, &why), MK_E_REFUSED);
	mk_undo_close(undo);
	ck_assert_int_eq(take_back(), 0);
	is_as_before();
	mk_undo_close(opened(MK_UNDO_NONE));
	ck_assert_int_eq(take_back(), 0);
}
END_TEST

START_TEST(states)
{
	struct mk_undo *undo = opened(MK_UNDO_NONE);
	int64_t id;

	ck_assert_int_eq(mk_undo_id(undo), 0);
	ck_assert_int_eq(mk_undo_enter(undo, MK_UNDO_DONE, &why), MK_E_BUG);
	ck_assert_int_eq(put(undo, DROPIN, NEW), MK_E_BUG);
	ck_assert_int_eq(mk_undo_begin(undo, true, &why), 0);
	id = mk_undo_id(undo);
	mk_undo_close(undo);
	undo = opened(MK_UNDO_BEGUN);
	ck_assert(mk_undo_home(undo));
	ck_assert_int_eq(mk_undo_enter(undo, MK_UNDO_UNCONFIRMED, &why), 0);
	mk_undo_close(undo);
	undo = opened(MK_UNDO_UNCONFIRMED);
	ck_assert_int_eq(mk_undo_id(undo), id);
	ck_assert(!mk_undo_before(undo, 0));
	ck_assert(mk_undo_before(undo, INT64_MAX));
	ck_assert_int_eq(mk_undo_enter(undo, MK_UNDO_NONE, &why), MK_E_BUG);
	ck_assert_int_eq(mk_undo_all(undo, NULL, &why), 0);
	ck_assert_int_eq(mk_undo_state(undo), MK_UNDO_NONE);
	ck_assert_int_eq(mk_undo_begin(undo, false, &why), 0);
	ck_assert_int_ne(mk_undo_id(undo), id);
	mk_undo_close(undo);
	ck_assert_int_eq(take_back(), 0);
}
END_TEST

/* However far it came, all of it is taken back. */
START_TEST(crash_of_changing)
{
	long n;
	int status = 99;

	entries_before = entries();
	for (n = 1; status == 99 && n < STEPS; n++) {
		status = until(n, change);
		ck_assert_msg(status == 99 || status == 0, "call %ld", n);
		ck_assert_msg(take_back() == 0, "call %ld: %s", n,
		    why.detail);
		is_as_before();
	}
	ck_assert_int_gt(n, 20);
	ck_assert_int_eq(status, 0);
}
END_TEST

/* It goes on where it was ended, and once more. */
START_TEST(crash_of_taking_back)
{
	long n;
	int status = 99;

	entries_before = entries();
	for (n = 1; status == 99 && n < STEPS; n++) {
		ck_assert_int_eq(change(), 0);
		status = until(n, take_back);
		ck_assert_msg(status == 99 || status == 0, "call %ld", n);
		if (n % 3 == 0)
			(void)until(3, take_back);
		ck_assert_msg(take_back() == 0, "call %ld: %s", n,
		    why.detail);
		is_as_before();
	}
	ck_assert_int_gt(n, 20);
	ck_assert_int_eq(status, 0);
}
END_TEST

/* A file that was kept, and no journal that says so. */
START_TEST(stray)
{
	entries_before = entries();
	tree_mkdir(MK_CONFDIR "/setup.undo");
	tree_text(MK_CONFDIR "/setup.undo/2.kept", "stray\n");
	tree_text(MK_CONFDIR "/setup.undo/3.kept", "stray\n");
	ck_assert_int_eq(change(), 0);
	ck_assert_int_eq(take_back(), 0);
	is_as_before();
}
END_TEST

static unsigned asked, told;

static bool
says_yes(void *arg, const char *path)
{
	ck_assert_str_eq(path, arg);
	asked++;
	return true;
}

static bool
says_no(void *arg, const char *path)
{
	ck_assert_str_eq(path, arg);
	asked++;
	return false;
}

static void
hear(void *arg, const char *path, const char *what)
{
	(void)arg;
	ck_assert_int_eq(path[0], '/');
	ck_assert_int_ne(what[0], '\0');
	told++;
}

static int
take_back_asking(const char *path, bool yes)
{
	const struct mk_undo_asker asker = { yes ? says_yes : says_no, hear,
	    (void *)(uintptr_t)path };
	struct mk_undo *undo = opened(MK_UNDO_DONE);
	int r;

	asked = told = 0;
	r = mk_undo_all(undo, &asker, &why);
	mk_undo_close(undo);
	return r;
}

START_TEST(changed_since)
{
	ck_assert_int_eq(change(), 0);
	tree_text(DROPIN, NEW "# mine\n");
	ck_assert_int_eq(take_back(), MK_E_REFUSED);
	ck_assert_str_eq(why.detail, "'" DROPIN "' was changed by somebody "
	    "since; nothing was taken back");
	ck_assert_int_eq(take_back_asking(DROPIN, false), MK_E_REFUSED);
	ck_assert_uint_eq(asked, 1);
	ck_assert_uint_eq(told, 0);
	ck_assert(holds(CONF, CHAIN));
	ck_assert_int_eq(take_back_asking(DROPIN, true), 0);
	ck_assert(holds(CONF, "fresh-for 5m\n"));
	ck_assert(!is_there(DROPIN));
	ck_assert(holds(DROPIN ".meshkeys-save", NEW "# mine\n"));
	/* The directory is not empty any more. */
	ck_assert_uint_eq(told, 4);
}
END_TEST

START_TEST(saved_twice)
{
	ck_assert_int_eq(change(), 0);
	tree_text(CONF ".meshkeys-save", "older\n");
	tree_text(CONF, "mine\n");
	ck_assert_int_eq(take_back_asking(CONF, true), 0);
	ck_assert(holds(CONF, "fresh-for 5m\n"));
	ck_assert(holds(CONF ".meshkeys-save", "older\n"));
	ck_assert(holds(CONF ".meshkeys-save1", "mine\n"));
}
END_TEST

START_TEST(removed_since)
{
	ck_assert_int_eq(change(), 0);
	ck_assert_int_eq(remove(tree_path(DROPIN)), 0);
	ck_assert_int_eq(remove(tree_path(CONF)), 0);
	ck_assert_int_eq(take_back(), MK_E_REFUSED);
	ck_assert_int_eq(take_back_asking(CONF, true), 0);
	ck_assert(holds(CONF, "fresh-for 5m\n"));
	ck_assert(!is_there(DROPINS));
}
END_TEST

/* Rights that others gave it are not ours: it counts as changed. */
START_TEST(opened_since)
{
	ck_assert_int_eq(change(), 0);
	ck_assert_int_eq(chmod(tree_path(DROPIN), 0666), 0);
	ck_assert_int_eq(take_back(), MK_E_REFUSED);
	ck_assert_int_eq(take_back_asking(DROPIN, true), 0);
}
END_TEST

START_TEST(refuses)
{
	struct mk_undo *undo = opened(MK_UNDO_NONE);

	tree_mkdir(DROPINS);
	ck_assert_int_eq(symlink("/etc/passwd", tree_path(DROPIN)), 0);
	ck_assert_int_eq(mk_undo_begin(undo, false, &why), 0);
	ck_assert_int_eq(put(undo, DROPIN, NEW), MK_E_PERM);
	ck_assert_int_eq(put(undo, DROPINS, NEW), MK_E_PERM);
	ck_assert_int_eq(put(undo, "/etc/none/x", NEW), MK_E_CONFIG);
	ck_assert_int_eq(put(undo, "/etc/a b", NEW), MK_E_BUG);
	ck_assert_int_eq(mk_undo_dir(undo, "/etc/none/x", 0755, &why),
	    MK_E_CONFIG);
	ck_assert_int_eq(mk_undo_dir(undo, CONF, 0755, &why), MK_E_PERM);
	ck_assert_int_eq(mk_undo_dir(undo, DROPINS, 0700, &why), 0);
	ck_assert_int_eq(put(undo, CONF, CHAIN), 0);
	ck_assert_int_eq(put(undo, CONF, CHAIN), MK_E_BUG);
	mk_undo_close(undo);
	ck_assert_int_eq(take_back(), 0);
	ck_assert(is_there(DROPIN));
}
END_TEST

/* The directory that was made is a link of somebody's now, or leads nowhere
   when it should be made. */
START_TEST(moved_since)
{
	ck_assert_int_eq(change(), 0);
	ck_assert_int_eq(rename(tree_path(DROPINS),
	    tree_path(DROPINS "2")), 0);
	ck_assert_int_eq(symlink(strrchr(DROPINS "2", '/') + 1,
	    tree_path(DROPINS)), 0);
	ck_assert_int_eq(take_back(), 0);
	ck_assert(!is_there(DROPIN));
	ck_assert(is_there(DROPINS));
	ck_assert_int_eq(rmdir(tree_path(DROPINS "2")), 0);
	ck_assert_int_eq(change(), MK_E_SYSTEM);
	ck_assert_int_eq(take_back(), 0);
	ck_assert(is_there(DROPINS));
}
END_TEST

/* Whoever edits the journal leaves a copy beside it. */
START_TEST(beside_the_journal)
{
	struct mk_undo *undo;

	ck_assert_int_eq(change(), 0);
	tree_text(MK_CONFDIR "/setup.undo/journal~", "x\n");
	ck_assert_int_eq(take_back(), 0);
	ck_assert(is_there(MK_CONFDIR "/setup.undo/journal~"));
	undo = opened(MK_UNDO_NONE);
	mk_undo_close(undo);
	ck_assert_int_eq(change(), 0);
	ck_assert_int_eq(take_back(), 0);
}
END_TEST

/* The way back needs no room on the disk. */
START_TEST(full_disk)
{
	struct rlimit before, none;
	int r;

	entries_before = entries();
	ck_assert_int_eq(change(), 0);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	(void)signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
	r = take_back();
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
	ck_assert_int_eq(r, 0);
	is_as_before();
}
END_TEST

/* Of another boot, or of none that is known. */
START_TEST(boots)
{
	struct mk_undo *undo;

	tree_mkdir(MK_CONFDIR "/setup.undo");
	tree_text(MK_CONFDIR "/setup.undo/journal", "meshkeys-setup-undo 1\n"
	    "state unconfirmed 1 1 - 1b4e28ba-2fa1-11d2-883f-0016d3cca427 "
	    "9000000000000000000\n");
	undo = opened(MK_UNDO_UNCONFIRMED);
	ck_assert(mk_undo_before(undo, 1));
	ck_assert(!mk_undo_before(undo, -1));
	mk_undo_close(undo);
	tree_text(MK_CONFDIR "/setup.undo/journal", "meshkeys-setup-undo 1\n"
	    "state unconfirmed 1 1 - - 1\n");
	undo = opened(MK_UNDO_UNCONFIRMED);
	ck_assert(!mk_undo_before(undo, INT64_MAX));
	mk_undo_close(undo);
}
END_TEST

static const char *const damages[] = {
	"", "x\n", "meshkeys-setup-undo 2\n", "meshkeys-setup-undo 1\n",
	"meshkeys-setup-undo 1\nstate never 1 1 - - 1\n",
	"meshkeys-setup-undo 1\nstate done x 1 - - 1\n",
	"meshkeys-setup-undo 1\nstate done 1 1 - - x\n",
	"meshkeys-setup-undo 1\nstate done 1 1 - - 1\nmade 1 ab /etc/x\n",
	"meshkeys-setup-undo 1\nstate done 1 1 - - 1\ndir 1 - etc/x\n",
	"meshkeys-setup-undo 1\nstate done 1 1 - - 1\nlink 1 - /etc/x\n",
	"meshkeys-setup-undo 1\nstate done 1 1 - - 1\ndir 1 -\n"
};

START_TEST(damaged)
{
	struct mk_undo *undo;

	tree_mkdir(MK_CONFDIR "/setup.undo");
	tree_text(MK_CONFDIR "/setup.undo/journal", damages[_i]);
	ck_assert_int_eq(mk_undo_open(&root, &undo, &why), MK_E_SYSTEM);
	ck_assert_ptr_nonnull(strstr(why.detail, "is damaged"));
	ck_assert_int_eq(chmod(tree_path(MK_CONFDIR "/setup.undo"), 0777),
	    0);
	ck_assert_int_eq(mk_undo_open(&root, &undo, &why), MK_E_PERM);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("undo");
	TCase *t = tcase_create("files");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, changes_and_takes_back);
	tcase_add_test(t, states);
	tcase_add_test(t, moved_since);
	tcase_add_test(t, beside_the_journal);
	tcase_add_test(t, full_disk);
	tcase_add_test(t, boots);
	tcase_add_test(t, crash_of_changing);
	tcase_add_test(t, crash_of_taking_back);
	tcase_add_test(t, stray);
	tcase_add_test(t, changed_since);
	tcase_add_test(t, saved_twice);
	tcase_add_test(t, removed_since);
	tcase_add_test(t, opened_since);
	tcase_add_test(t, refuses);
	tcase_add_loop_test(t, damaged, 0,
	    (int)(sizeof(damages) / sizeof(damages[0])));
	suite_add_tcase(s, t);
	return s;
}
