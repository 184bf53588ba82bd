/* SPDX-License-Identifier: ISC */
/* Keeping the stores: whose process it is, its lock, writes that are cut. */
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <time.h>

#include "core/err.h"
#include "edge/keeper.h"
#include "unit/tree.h"
#include "unit/unit.h"

#define F1	"MA6SH-QRVCQ-DA2ND-PJ4J7-SW3KF-VYCQU"
#define SET	MK_CACHEDIR "/" F1 ".json"
#define KEYS	MK_STATEDIR "/" F1 ".keys"
#define NOTE	MK_CACHEDIR "/" F1 ".refused"
#define LOCK	MK_STATEDIR "/.lock"
#define OWNER	12345	/* some user without a name */
#define KILLS	200
#define LARGE	(256u << 10)
#define T0	1500000000

static struct mk_root root;
static struct mk_keeper keeper;
static struct mk_udf udf;
static struct mk_why why;

static void
setup(void)
{
	tree_setup();
	ck_assert_int_eq(mk_root_open(tree_dir, &root, &why), 0);
	root.name = "";		/* messages as without a --root */
	ck_assert(mk_udf_parse(F1, MK_UDF_TEXT, &udf));
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
	ck_assert_msg(mk_keeper_open(&root, &keeper, &why) == 0,
	    "%s", why.detail);
}

static void
give_up(void)
{
	mk_keeper_close(&keeper);
}

/* What a child that runs the test exits with. */
static int
in_child(int (*test)(void))
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	ck_assert_int_ne(pid, -1);
	if (pid == 0)
		_exit(test());
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int
put(const char *text)
{
	return mk_store_put_set(&keeper.store, &udf, (const uint8_t *)text,
	    strlen(text), &why);
}

static void
set_mtime(const char *name, int64_t when)
{
	const struct timespec times[2] = { { 1000, 0 }, { when, 0 } };

	ck_assert_int_eq(utimensat(AT_FDCWD, tree_path(name), times, 0), 0);
}

static void
check_file(const char *name, const char *want)
{
	char text[4096] = "";
	FILE *f = fopen(tree_path(name), "r");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fread(text, 1, sizeof(text) - 1, f), strlen(want));
	fclose(f);
	ck_assert_str_eq(text, want);
}

static struct stat
stat_of(const char *name)
{
	struct stat st;

	ck_assert_int_eq(lstat(tree_path(name), &st), 0);
	return st;
}

/* Temporary files in a directory. */
static int
leftovers(const char *name)
{
	DIR *d = opendir(tree_path(name));
	const struct dirent *e;
	int n = 0;

	ck_assert_ptr_nonnull(d);
	while ((e = readdir(d)) != NULL)
		n += strncmp(e->d_name, ".mk-", 4) == 0;
	closedir(d);
	return n;
}

START_TEST(files)
{
	struct mk_file file;
	struct stat st;
	time_t before;

	keep();
	ck_assert_int_eq(mk_store_confirm(&keeper.store, &udf, &why),
	    MK_E_NOPROFILE);
	before = time(NULL) - 1;
	ck_assert_int_eq(put("{}"), 0);
	check_file(SET, "{}");
	st = stat_of(SET);
	ck_assert_int_ge(st.st_mtim.tv_sec, before);
	ck_assert_uint_eq(st.st_mode & 07777, 0644);
	ck_assert_int_eq(mk_store_keys(&keeper.store, &udf, &file, &why),
	    MK_E_ABSENT);
	ck_assert_int_eq(mk_store_put_keys(&keeper.store, &udf,
	    (const uint8_t *)"k\n", 2, &why), 0);
	check_file(KEYS, "k\n");
	ck_assert_int_eq(mk_store_keys(&keeper.store, &udf, &file, &why), 0);
	ck_assert_str_eq((char *)file.data, "k\n");
	mk_file_release(&file);
	chmod(tree_path(KEYS), 0666);
	ck_assert_int_eq(mk_store_keys(&keeper.store, &udf, &file, &why),
	    MK_E_PERM);
	give_up();
}
END_TEST

START_TEST(confirms)
{
	time_t before = time(NULL) - 1;
	struct stat st;

	keep();
	ck_assert_int_eq(put("{}"), 0);
	set_mtime(SET, T0);
	ck_assert_int_eq(mk_store_confirm(&keeper.store, &udf, &why), 0);
	st = stat_of(SET);
	ck_assert_int_ge(st.st_mtim.tv_sec, before);
	ck_assert_int_eq(st.st_atim.tv_sec, 1000);
	check_file(SET, "{}");
	/* Nothing behind a link is made to look confirmed. */
	tree_text("/etc/other", "x");
	set_mtime("/etc/other", T0);
	ck_assert_int_eq(unlink(tree_path(SET)), 0);
	ck_assert_int_eq(symlink(tree_path("/etc/other"), tree_path(SET)),
	    0);
	ck_assert_int_eq(mk_store_confirm(&keeper.store, &udf, &why),
	    MK_E_PERM);
	ck_assert_int_eq(stat_of("/etc/other").st_mtim.tv_sec, T0);
	ck_assert_int_eq(unlink(tree_path(SET)), 0);
	ck_assert_int_eq(mkfifo(tree_path(SET), 0644), 0);
	ck_assert_int_eq(mk_store_confirm(&keeper.store, &udf, &why),
	    MK_E_PERM);
	give_up();
}
END_TEST

static bool
notes(int code, const char *detail, int64_t now)
{
	struct mk_why refusal;

	mk_fail(&refusal, code, "test", "%s", detail);
	return mk_store_note_refusal(&keeper.store, &udf, &refusal, now);
}

/* What is read of such a text; its reason, or NULL. */
static const char *
read_note(const char *text)
{
	static struct mk_refusal refusal;

	tree_text(NOTE, text);
	set_mtime(NOTE, T0);
	memset(&refusal, 0, sizeof(refusal));
	if (mk_store_refusal(&keeper.store, &udf, &refusal) != MK_OK)
		return NULL;
	ck_assert_int_eq(refusal.time, T0);
	ck_assert_int_eq(refusal.status, 65);
	return refusal.reason;
}

START_TEST(reads_refusals)
{
	struct mk_refusal refusal;
	size_t max = sizeof(refusal.reason) - 1;
	char *text = malloc(max + 6);

	ck_assert_ptr_nonnull(text);
	keep();
	mk_store_forget_refusal(&keeper.store, &udf);
	ck_assert_int_eq(mk_store_refusal(&keeper.store, &udf, &refusal),
	    MK_E_ABSENT);
	ck_assert(notes(MK_E_STALE, "no portal, it seems", T0));
	ck_assert_int_eq(mk_store_refusal(&keeper.store, &udf, &refusal), 0);
	ck_assert_int_eq(refusal.status, 75);
	ck_assert_int_eq(refusal.time, T0);
	ck_assert_str_eq(refusal.reason, "no portal, it seems");
	ck_assert_str_eq(read_note("65 forged\n"), "forged");
	ck_assert_str_eq(read_note("65 \n"), "");
	ck_assert_ptr_null(read_note(""));
	ck_assert_ptr_null(read_note("65\n"));
	ck_assert_ptr_null(read_note("65 forged"));
	ck_assert_ptr_null(read_note("a5 forged\n"));
	ck_assert_ptr_null(read_note("6 forged\n"));
	ck_assert_ptr_null(read_note("65 a\nb\n"));
	ck_assert_ptr_null(read_note("65 a\033[31m\n"));
	memset(text, 'x', max + 6);
	memcpy(text, "65 ", 3);
	strcpy(text + 3 + max, "\n");
	ck_assert_uint_eq(strlen(read_note(text)), max);
	strcpy(text + 3 + max, "x\n");
	ck_assert_ptr_null(read_note(text));
	free(text);
	give_up();
}
END_TEST

START_TEST(refusals)
{
	keep();
	mk_store_forget_refusal(&keeper.store, &udf);
	ck_assert(notes(MK_E_REFUSED, "forged", T0));
	check_file(NOTE, "65 forged\n");
	ck_assert_int_eq(stat_of(NOTE).st_mtim.tv_sec, T0);
	ck_assert(!notes(MK_E_REFUSED, "forged", T0));
	ck_assert(!notes(MK_E_REFUSED, "forged", T0 + 3600));
	/* The time of the line in the log, not of the last refusal. */
	ck_assert_int_eq(stat_of(NOTE).st_mtim.tv_sec, T0);
	ck_assert(notes(MK_E_REFUSED, "forged", T0 + 3601));
	ck_assert(!notes(MK_E_REFUSED, "forged", T0 + 3602));
	ck_assert(notes(MK_E_REFUSED, "forge", T0 + 3602));
	ck_assert(notes(MK_E_STALE, "forge", T0 + 3602));
	check_file(NOTE, "75 forge\n");
	/* A clock that was set back must not silence us for years. */
	ck_assert(notes(MK_E_STALE, "forge", T0));
	ck_assert(!notes(MK_E_STALE, "forge", T0));
	mk_store_forget_refusal(&keeper.store, &udf);
	ck_assert_int_eq(access(tree_path(NOTE), F_OK), -1);
	ck_assert(notes(MK_E_STALE, "forge", T0));
	tree_text(NOTE, "75 forge\nmore, and so long that it is no note of "
	    "ours");
	set_mtime(NOTE, T0);
	ck_assert(notes(MK_E_STALE, "forge", T0));
	ck_assert(!notes(MK_E_STALE, "forge", T0));
	give_up();
	/* No place to note it: always told. */
	mk_store_close(&keeper.store);
	ck_assert(notes(MK_E_STALE, "forge", T0));
	mk_store_forget_refusal(&keeper.store, &udf);
}
END_TEST

START_TEST(absent)
{
	ck_assert_int_eq(rmdir(tree_path(MK_STATEDIR)), 0);
	ck_assert_int_eq(mk_keeper_open(&root, &keeper, &why),
	    MK_E_CONFIG);
	ck_assert_str_eq(why.detail, "no directory '" MK_STATEDIR
	    "'; run: install -d -m 755 " MK_STATEDIR);
	ck_assert_int_eq(rmdir(tree_path(MK_CACHEDIR)), 0);
	ck_assert_int_eq(mk_keeper_open(&root, &keeper, &why),
	    MK_E_CONFIG);
	ck_assert_ptr_nonnull(strstr(why.detail, MK_CACHEDIR));
	if (geteuid() == 0)
		ck_assert_int_eq(mk_keeper_become(&root, &why), MK_E_CONFIG);
}
END_TEST

START_TEST(lock_file)
{
	struct mk_keeper other;

	keep();
	ck_assert_uint_eq(stat_of(LOCK).st_mode & 07777, 0600);
	ck_assert_int_ne(fcntl(keeper.lock, F_GETFD) & FD_CLOEXEC, 0);
	give_up();
	ck_assert_int_eq(keeper.lock, -1);
	ck_assert_int_eq(mk_keeper_lock(&keeper, &why), MK_E_SYSTEM);
	/* One that anyone may open could be locked by anyone. */
	chmod(tree_path(LOCK), 0666);
	keep();
	ck_assert_uint_eq(stat_of(LOCK).st_mode & 07777, 0600);
	give_up();
	ck_assert_int_eq(unlink(tree_path(LOCK)), 0);
	tree_text("/etc/other", "");
	ck_assert_int_eq(symlink("/etc/other", tree_path(LOCK)), 0);
	ck_assert_int_eq(mk_keeper_open(&root, &other, &why), MK_E_PERM);
	ck_assert_int_eq(unlink(tree_path(LOCK)), 0);
	ck_assert_int_eq(mkfifo(tree_path(LOCK), 0644), 0);
	ck_assert_int_eq(mk_keeper_open(&root, &other, &why), MK_E_PERM);
}
END_TEST

static double
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void
must_lock(const struct mk_keeper *k)
{
	memset(&why, 0, sizeof(why));
	ck_assert_msg(mk_keeper_lock(k, &why) == 0, "%s", why.detail);
}

/* Another one waits for as long as is said, and not with the store shut. */
START_TEST(waits)
{
	struct mk_keeper other;
	double before;

	keep();
	ck_assert_int_eq(mk_keeper_open(&root, &other, &why), 0);
	must_lock(&other);
	before = seconds();
	ck_assert_int_eq(mk_keeper_lock(&keeper, &why), MK_E_STALE);
	ck_assert_str_eq(why.detail, "another process keeps '"
	    MK_STATEDIR "'");
	/* It counts in milliseconds. */
	ck_assert(seconds() - before >= MK_KEEPER_WAIT - 0.1);
	ck_assert(seconds() - before < MK_KEEPER_WAIT + 5);
	mk_keeper_unlock(&other);
	before = seconds();
	must_lock(&keeper);
	/* Once more by the same one is nothing new. */
	must_lock(&keeper);
	ck_assert(seconds() - before < 5);
	mk_keeper_unlock(&keeper);
	must_lock(&other);
	/* Who ends has no lock any more. */
	mk_keeper_close(&other);
	must_lock(&keeper);
	give_up();
}
END_TEST

START_TEST(gets_it_meanwhile)
{
	const struct timespec nap = { 0, 300000000 };
	struct mk_keeper other;
	double before;
	int status;
	pid_t pid;

	keep();
	before = seconds();
	pid = fork();
	ck_assert_int_ne(pid, -1);
	if (pid == 0) {
		if (mk_keeper_open(&root, &other, &why) != 0 ||
		    mk_keeper_lock(&other, &why) != 0)
			_exit(1);
		tree_text("/etc/locked", "");
		nanosleep(&nap, NULL);
		_exit(0);
	}
	while (access(tree_path("/etc/locked"), F_OK) != 0)
		ck_assert(seconds() - before < 10);
	must_lock(&keeper);
	ck_assert(seconds() - before >= 0.25);
	ck_assert(seconds() - before < MK_KEEPER_WAIT);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	give_up();
}
END_TEST

/* A watcher must not hold on to a file that has no name any more. */
START_TEST(lock_replaced)
{
	struct mk_keeper other;
	ino_t ino;

	keep();
	ino = stat_of(LOCK).st_ino;
	ck_assert_int_eq(rename(tree_path(LOCK), tree_path("/etc/old")), 0);
	must_lock(&keeper);
	ck_assert_uint_ne(stat_of(LOCK).st_ino, ino);
	ck_assert_uint_eq(stat_of(LOCK).st_mode & 07777, 0600);
	ck_assert_int_ne(fcntl(keeper.lock, F_GETFD) & FD_CLOEXEC, 0);
	ck_assert_int_eq(mk_keeper_open(&root, &other, &why), 0);
	ck_assert_int_eq(flock(other.lock, LOCK_EX | LOCK_NB), -1);
	mk_keeper_unlock(&keeper);
	ck_assert_int_eq(rename(tree_path("/etc/old"), tree_path(LOCK)), 0);
	must_lock(&other);
	ck_assert_uint_eq(stat_of(LOCK).st_ino, ino);
	mk_keeper_unlock(&other);
	/* What stands there instead is not locked but told. */
	ck_assert_int_eq(unlink(tree_path(LOCK)), 0);
	ck_assert_int_eq(mkfifo(tree_path(LOCK), 0600), 0);
	ck_assert_int_eq(mk_keeper_lock(&keeper, &why), MK_E_PERM);
	ck_assert_int_eq(unlink(tree_path(LOCK)), 0);
	must_lock(&keeper);
	mk_keeper_close(&other);
	give_up();
}
END_TEST

START_TEST(sweeps)
{
	static const char *const stay[] = {
		MK_CACHEDIR "/.mk-1-2.tmpx", MK_CACHEDIR "/.mk-1-.tmp",
		MK_CACHEDIR "/.mk--2.tmp", MK_CACHEDIR "/.mk-1-2",
		MK_CACHEDIR "/.mk-1a-2.tmp", MK_STATEDIR "/x.mk-1-2.tmp",
		MK_STATEDIR "/" F1 ".seen"
	};
	struct mk_keeper other;
	size_t i;

	for (i = 0; i < sizeof(stay) / sizeof(stay[0]); i++)
		tree_text(stay[i], "x");
	tree_text(MK_CACHEDIR "/.mk-1-2.tmp", "x");
	tree_text(MK_CACHEDIR "/.mk-99999-0.tmp", "x");
	tree_text(MK_STATEDIR "/.mk-1-2.tmp", "x");
	tree_mkdir(MK_STATEDIR "/.mk-3-4.tmp");
	ck_assert_int_eq(symlink("x", tree_path(MK_STATEDIR "/.mk-5-6.tmp")),
	    0);
	keep();
	ck_assert_int_eq(leftovers(MK_CACHEDIR), 5);
	ck_assert_int_eq(leftovers(MK_STATEDIR), 2);
	for (i = 0; i < sizeof(stay) / sizeof(stay[0]); i++)
		ck_assert_int_eq(access(tree_path(stay[i]), F_OK), 0);
	/* What another one is writing just now is left to it. */
	must_lock(&keeper);
	tree_text(MK_CACHEDIR "/.mk-1-2.tmp", "x");
	ck_assert_int_eq(mk_keeper_open(&root, &other, &why), 0);
	ck_assert_int_eq(leftovers(MK_CACHEDIR), 6);
	mk_keeper_close(&other);
	give_up();
	keep();
	ck_assert_int_eq(leftovers(MK_CACHEDIR), 5);
	give_up();
}
END_TEST

START_TEST(foreign)
{
	if (geteuid() != 0)
		return;
	ck_assert_int_eq(chown(tree_path(MK_STATEDIR), OWNER, OWNER), 0);
	ck_assert_int_eq(mk_keeper_open(&root, &keeper, &why),
	    MK_E_PERM);
	ck_assert_str_eq(why.detail, "cannot use '" MK_STATEDIR "': owned "
	    "by uid 12345, not by uid 0; run: chown 0 " MK_STATEDIR);
	ck_assert_int_eq(access(tree_path(LOCK), F_OK), -1);
	ck_assert_int_eq(chown(tree_path(MK_STATEDIR), 0, 0), 0);
	ck_assert_int_eq(chown(tree_path(MK_CACHEDIR), OWNER, OWNER), 0);
	ck_assert_int_eq(mk_keeper_open(&root, &keeper, &why),
	    MK_E_PERM);
	chmod(tree_path(MK_CACHEDIR), 0777);
	ck_assert_int_eq(mk_keeper_open(&root, &keeper, &why),
	    MK_E_PERM);
	ck_assert_ptr_nonnull(strstr(why.detail, "chmod go-w"));
}
END_TEST

static void
give_stores(void)
{
	ck_assert_int_eq(chown(tree_path(MK_CACHEDIR), OWNER, OWNER + 1), 0);
	ck_assert_int_eq(chown(tree_path(MK_STATEDIR), OWNER, OWNER + 1), 0);
}

static int
becomes(void)
{
	uid_t u[3];
	gid_t g[3], list[8];

	if (mk_keeper_become(&root, &why) != 0)
		return 1;
	if (getresuid(&u[0], &u[1], &u[2]) != 0 || u[0] != OWNER ||
	    u[1] != OWNER || u[2] != OWNER)
		return 2;
	if (getresgid(&g[0], &g[1], &g[2]) != 0 || g[0] != OWNER + 1 ||
	    g[1] != OWNER + 1 || g[2] != OWNER + 1)
		return 3;
	if (getgroups(8, list) != 1 || list[0] != OWNER + 1)
		return 4;
	if (setuid(0) == 0 || setgid(0) == 0)
		return 5;
	if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		return 6;
	/* Once more changes nothing. */
	if (mk_keeper_become(&root, &why) != 0)
		return 7;
	if (mk_keeper_open(&root, &keeper, &why) != 0)
		return 8;
	return put("{}") == 0 ? 0 : 9;
}

static int
stays_root(void)
{
	if (mk_keeper_become(&root, &why) != 0)
		return 1;
	return geteuid() == 0 ? 0 : 2;
}

START_TEST(owner_below_root)
{
	if (geteuid() != 0)
		return;
	ck_assert_int_eq(in_child(stays_root), 0);
	/* Root does not work in an image that another user owns. */
	ck_assert_int_eq(chown(tree_dir, OWNER, OWNER), 0);
	ck_assert_int_eq(mk_keeper_become(&root, &why), MK_E_PERM);
	ck_assert_ptr_nonnull(strstr(why.detail,
	    "run: chown 12345 " MK_CACHEDIR));
	give_stores();
	ck_assert_int_eq(chown(tree_dir, 0, 0), 0);
	ck_assert_int_eq(in_child(becomes), 0);
	ck_assert_uint_eq(stat_of(SET).st_uid, OWNER);
}
END_TEST

static int
confirms_foreign(void)
{
	if (mk_keeper_become(&root, &why) != 0 ||
	    mk_keeper_open(&root, &keeper, &why) != 0)
		return 1;
	return mk_store_confirm(&keeper.store, &udf, &why) == 0 ? 0 : 2;
}

/* An administrator may have put a set there. */
START_TEST(set_of_root)
{
	time_t before = time(NULL) - 1;

	if (geteuid() != 0)
		return;
	tree_text(SET, "{}");
	set_mtime(SET, T0);
	give_stores();
	ck_assert_int_eq(in_child(confirms_foreign), 0);
	check_file(SET, "{}");
	ck_assert_int_ge(stat_of(SET).st_mtim.tv_sec, before);
	ck_assert_uint_eq(stat_of(SET).st_uid, OWNER);
}
END_TEST

static int
becomes_named(void)
{
	const struct mk_root system = { -1, (uid_t)-1, "" };
	const struct passwd *pw = getpwnam("meshkeys");
	int r = mk_keeper_become(&system, &why);

	if (pw == NULL)
		return r == MK_E_CONFIG && geteuid() == 0 &&
		    strstr(why.detail, "run: useradd") != NULL ? 0 : 1;
	return r == 0 && geteuid() == pw->pw_uid && setuid(0) != 0 ? 0 : 2;
}

START_TEST(named_user)
{
	if (geteuid() == 0)
		ck_assert_int_eq(in_child(becomes_named), 0);
}
END_TEST

static int
unprivileged(void)
{
	if (setgid(OWNER) != 0 || setuid(OWNER) != 0)
		return 1;
	if (mk_keeper_become(&root, &why) != 0 || geteuid() != OWNER)
		return 2;
	return mk_keeper_open(&root, &keeper, &why) == MK_E_PERM ?
	    0 : 3;
}

START_TEST(not_root)
{
	if (geteuid() == 0)
		ck_assert_int_eq(in_child(unprivileged), 0);
}
END_TEST

/* Writes sets of one letter, each its own, until it is killed. */
static void
write_for_ever(void)
{
	static uint8_t data[LARGE];
	uint8_t letter;

	for (letter = 'A';; letter = letter == 'Z' ? 'A' : letter + 1) {
		memset(data, letter, sizeof(data));
		if (mk_store_put_set(&keeper.store, &udf, data, sizeof(data),
		    &why) != 0)
			_exit(1);
	}
}

static void
kill_a_writer(void)
{
	const struct timespec nap = { 0, rand() % 4000 * 1000 };
	int status;
	pid_t pid = fork();

	ck_assert_int_ne(pid, -1);
	if (pid == 0)
		write_for_ever();
	nanosleep(&nap, NULL);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

START_TEST(killed)
{
	struct mk_file file;
	int i, left = 0;

	srand(7);
	for (i = 0; i < KILLS; i++) {
		keep();
		ck_assert_int_eq(leftovers(MK_CACHEDIR), 0);
		kill_a_writer();
		left += leftovers(MK_CACHEDIR);
		if (mk_store_set(&keeper.store, &udf, LARGE, &file,
		    &why) == 0) {
			ck_assert_uint_eq(file.len, LARGE);
			/* Of one letter, from the first to the last. */
			ck_assert_int_eq(memcmp(file.data, file.data + 1,
			    LARGE - 1), 0);
			mk_file_release(&file);
		} else
			ck_assert_int_eq(why.code, MK_E_NOPROFILE);
		give_up();
	}
	/* Else no writer was hit while it wrote. */
	ck_assert_int_gt(left, 0);
	ck_assert_int_eq(access(tree_path(SET), F_OK), 0);
}
END_TEST

static int
fills_disk(void)
{
	static uint8_t data[LARGE];
	struct mk_file file;

	if (unshare(CLONE_NEWNS) != 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("none", tree_path(MK_CACHEDIR), "tmpfs", 0,
	    "size=64k,mode=755") != 0)
		return 77;
	/* The root that was opened before leads to the other mounts. */
	mk_root_close(&root);
	if (mk_root_open(tree_dir, &root, &why) != 0 ||
	    mk_keeper_open(&root, &keeper, &why) != 0)
		return 1;
	memset(data, 'x', sizeof(data));
	if (mk_store_put_set(&keeper.store, &udf, data, 30000, &why) != 0)
		return 2;
	memset(data, 'y', sizeof(data));
	if (mk_store_put_set(&keeper.store, &udf, data, LARGE, &why) !=
	    MK_E_SYSTEM || strstr(why.detail, "No space left") == NULL)
		return 3;
	if (leftovers(MK_CACHEDIR) != 0)
		return 4;
	if (mk_store_set(&keeper.store, &udf, LARGE, &file, &why) != 0 ||
	    file.len != 30000 || file.data[0] != 'x')
		return 5;
	return 0;
}

START_TEST(disk_full)
{
	int r;

	if (geteuid() != 0)
		return;
	r = in_child(fills_disk);
	/* A container may keep mounting to itself. */
	if (r != 77)
		ck_assert_int_eq(r, 0);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("keeper");
	TCase *t = tcase_create("keeper");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, files);
	tcase_add_test(t, confirms);
	tcase_add_test(t, reads_refusals);
	tcase_add_test(t, refusals);
	tcase_add_test(t, absent);
	tcase_add_test(t, lock_file);
	tcase_add_test(t, waits);
	tcase_add_test(t, gets_it_meanwhile);
	tcase_add_test(t, lock_replaced);
	tcase_add_test(t, sweeps);
	tcase_add_test(t, foreign);
	tcase_add_test(t, owner_below_root);
	tcase_add_test(t, set_of_root);
	tcase_add_test(t, named_user);
	tcase_add_test(t, not_root);
	tcase_add_test(t, killed);
	tcase_add_test(t, disk_full);
	suite_add_tcase(s, t);
	return s;
}
