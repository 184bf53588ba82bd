/* SPDX-License-Identifier: ISC */
/* The portal's database: whose it is, what survives, what is forgotten. */
#include <sys/resource.h>
#include <sys/wait.h>

#include <signal.h>
#include <sqlite3.h>

#include "cmd/meshportal.h"
#include "core/limits.h"
#include "unit/make_set.h"
#include "unit/tree.h"
#include "unit/unit.h"

#define DIR_NAME	"/portal"
#define DB		DIR_NAME "/portal.db"

static struct portal_store *store;
static struct mk_arena arena;
static struct mk_why why;

static struct portal_store *
open_store(bool write)
{
	struct portal_store *s = NULL;
	int r = portal_store_open(tree_path(DIR_NAME), write, &s, &why);

	ck_assert_msg(r == 0, "%s", why.detail);
	return s;
}

static int
open_fails(bool write)
{
	struct portal_store *s = NULL;
	int r = portal_store_open(tree_path(DIR_NAME), write, &s, &why);

	ck_assert_ptr_null(s);
	ck_assert_int_eq(why.code, r);
	return r;
}

static void
reopen(void)
{
	portal_store_close(store);
	store = open_store(true);
}

static void
setup(void)
{
	tree_setup();
	mk_arena_init(&arena, (size_t)64 << 20);
	store = open_store(true);
}

static void
teardown(void)
{
	portal_store_close(store);
	mk_arena_release(&arena);
	tree_teardown();
}

static mode_t
mode_of(const char *name)
{
	struct stat st;

	ck_assert_int_eq(lstat(tree_path(name), &st), 0);
	return st.st_mode & 07777;
}

/* Any profile; its bytes are nobody's business here. */
static struct portal_profile
profile(unsigned n, const char *text)
{
	static struct mk_online online[2];
	static struct mk_udf deleted[2];
	struct portal_profile p = { .udf = made_udf(n),
	    .set = (const uint8_t *)text, .set_len = strlen(text),
	    .online = online, .n_online = 2, .deleted = deleted,
	    .n_deleted = 2 };

	p.version = (struct mk_version){ .timed = true,
	    .master_time = MADE_NOW, .personal_time = MADE_NOW + n };
	memset(p.version.personal, (int)n, MK_DIGEST);
	memset(p.digest, (int)n + 1, MK_DIGEST);
	made_key("alice", "online0", &online[0].key, NULL);
	made_key("alice", "online1", &online[1].key, NULL);
	online[0].device = made_udf(1000);
	online[1].device = made_udf(1001);
	deleted[0] = made_udf(1002);
	deleted[1] = made_udf(1003);
	return p;
}

static uint64_t
put(unsigned n, const char *text)
{
	struct portal_profile p = profile(n, text);

	ck_assert_int_eq(portal_store_begin(store, &why), 0);
	ck_assert_int_eq(portal_store_put(store, &p, &why), 0);
	ck_assert_int_eq(portal_store_commit(store, &why), 0);
	return p.change;
}

START_TEST(modes)
{
	struct portal_store *other;

	ck_assert_uint_eq(mode_of(DIR_NAME), 0700);
	ck_assert_uint_eq(mode_of(DB), 0600);
	put(1, "{}");
	ck_assert_uint_eq(mode_of(DB "-wal"), 0600);
	ck_assert_uint_eq(mode_of(DIR_NAME "/lock"), 0600);
	/* One to write, any to read. */
	ck_assert_int_eq(open_fails(true), MK_E_STALE);
	other = open_store(false);
	ck_assert_str_eq(portal_store_id(other), portal_store_id(store));
	portal_store_close(other);
	ck_assert_int_eq(open_fails(true), MK_E_STALE);
}
END_TEST

START_TEST(unsafe)
{
	static const char *const open_to_others[] = { DIR_NAME, DB,
	    DIR_NAME "/lock" };
	mode_t mode;
	size_t i;

	portal_store_close(store);
	for (i = 0; i < 3; i++) {
		mode = mode_of(open_to_others[i]);
		ck_assert_int_eq(chmod(tree_path(open_to_others[i]),
		    mode | 040), 0);
		ck_assert_int_eq(open_fails(true), MK_E_PERM);
		ck_assert_ptr_nonnull(strstr(why.detail, "run: chmod go= "));
		ck_assert_int_eq(chmod(tree_path(open_to_others[i]), mode),
		    0);
	}
	ck_assert_int_eq(rename(tree_path(DB), tree_path("/real")), 0);
	ck_assert_int_eq(open_fails(false), MK_E_CONFIG);
	ck_assert_int_eq(symlink(tree_path("/real"), tree_path(DB)), 0);
	ck_assert_int_eq(open_fails(true), MK_E_PERM);
	ck_assert_int_eq(open_fails(false), MK_E_PERM);
	ck_assert_int_eq(unlink(tree_path(DB)), 0);
	tree_text(DB, "this is no database, but long enough to be read as "
	    "the head of one, which it is not, as anybody can see");
	ck_assert_int_eq(chmod(tree_path(DB), 0600), 0);
	ck_assert_int_eq(open_fails(true), MK_E_SYSTEM);
	ck_assert_ptr_nonnull(strstr(why.detail, "is damaged"));
	ck_assert_int_eq(unlink(tree_path(DB)), 0);
	store = open_store(true);
}
END_TEST

static void
pragma(const char *text)
{
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(tree_path(DB), &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, text, NULL, NULL, NULL),
	    SQLITE_OK);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

/* A database of somebody else, or of a time to come, is left alone. */
START_TEST(not_ours)
{
	portal_store_close(store);
	pragma("PRAGMA user_version = 2");
	ck_assert_int_eq(open_fails(true), MK_E_SYSTEM);
	ck_assert_ptr_nonnull(strstr(why.detail, "has form 2"));
	pragma("PRAGMA application_id = 7");
	ck_assert_int_eq(open_fails(true), MK_E_SYSTEM);
	ck_assert_ptr_nonnull(strstr(why.detail, "not the database of"));
	ck_assert_int_eq(unlink(tree_path(DB)), 0);
	store = open_store(true);
}
END_TEST

START_TEST(profiles)
{
	struct portal_profile p;
	struct mk_udf udf = made_udf(7), other = made_udf(8);
	uint64_t change = 0, n = 9;

	ck_assert_int_eq(portal_store_set(store, &arena, &udf, &p, &why),
	    MK_E_ABSENT);
	ck_assert_int_eq(portal_store_change(store, &udf, &change, &why),
	    MK_E_ABSENT);
	ck_assert_uint_eq(put(7, "first"), 1);
	ck_assert_uint_eq(put(8, "other"), 2);
	ck_assert_uint_eq(put(7, "second"), 3);
	reopen();
	ck_assert_uint_eq(portal_store_last(store), 3);
	ck_assert_int_eq(portal_store_profiles(store, &n, &why), 0);
	ck_assert_uint_eq(n, 2);
	ck_assert_int_eq(portal_store_set(store, &arena, &udf, &p, &why), 0);
	ck_assert_str_eq((const char *)p.set, "second");
	ck_assert_uint_eq(p.change, 3);
	ck_assert_uint_eq(p.n_online, 2);
	ck_assert_mem_eq(p.online, profile(7, "").online,
	    2 * sizeof(*p.online));
	ck_assert_uint_eq(p.n_deleted, 2);
	ck_assert_int_eq(mk_udf_cmp(&p.deleted[1],
	    &profile(7, "").deleted[1]), 0);
	ck_assert_int_eq(p.version.personal_time, MADE_NOW + 7);
	ck_assert_int_eq(p.version.personal[63], 7);
	ck_assert_int_eq(p.digest[0], 8);
	ck_assert_int_eq(portal_store_profile(store, &arena, &other, &p,
	    &why), 0);
	ck_assert_ptr_null(p.set);
}
END_TEST

START_TEST(transactions)
{
	struct portal_profile p = profile(1, "one");
	uint64_t change;

	put(2, "two");
	ck_assert_int_eq(portal_store_begin(store, &why), 0);
	ck_assert_int_eq(portal_store_put(store, &p, &why), 0);
	ck_assert_uint_eq(portal_store_last(store), 2);
	portal_store_rollback(store);
	ck_assert_uint_eq(portal_store_last(store), 1);
	ck_assert_int_eq(portal_store_change(store, &p.udf, &change, &why),
	    MK_E_ABSENT);
	ck_assert_uint_eq(put(1, "one"), 2);
}
END_TEST

/* Killed in the middle of it: what was committed is there, no half. */
START_TEST(killed)
{
	struct portal_profile p = profile(5, "half");
	uint64_t change = 0;
	int status;
	pid_t pid;

	portal_store_close(store);
	pid = fork();
	ck_assert_int_ne(pid, -1);
	if (pid == 0) {
		store = open_store(true);
		put(4, "whole");
		(void)portal_store_begin(store, &why);
		(void)portal_store_put(store, &p, &why);
		(void)kill(getpid(), SIGKILL);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
	store = open_store(true);
	ck_assert_uint_eq(portal_store_last(store), 1);
	ck_assert_int_eq(portal_store_change(store, &p.udf, &change, &why),
	    MK_E_ABSENT);
	p.udf = made_udf(4);
	ck_assert_int_eq(portal_store_change(store, &p.udf, &change, &why),
	    0);
}
END_TEST

static void
shell(const char *command)
{
	int status = system(command);

	ck_assert_int_eq(status, 0);
}

static void
copy(const char *from, const char *to, bool over)
{
	char command[3 * PATH_MAX];

	(void)snprintf(command, sizeof(command), "cp -p '%s' '%s.new' && "
	    "%s '%s.new' '%s'", tree_path(from), tree_path(to),
	    over ? "cp" : "mv", tree_path(to), tree_path(to));
	shell(command);
}

START_TEST(store_id)
{
	char id[65];

	ck_assert_uint_eq(strlen(portal_store_id(store)), 32);
	(void)snprintf(id, sizeof(id), "%s", portal_store_id(store));
	put(1, "one");
	reopen();
	ck_assert_str_eq(portal_store_id(store), id);
	portal_store_close(store);
	/* A backup in its place is another file, whatever is in it. */
	copy(DB, "/backup", false);
	copy("/backup", DB, false);
	store = open_store(true);
	ck_assert_str_ne(portal_store_id(store), id);
	ck_assert_uint_eq(portal_store_last(store), 1);
}
END_TEST

/* A whole machine that was put back: the same file, another boot. */
START_TEST(store_id_boot)
{
	char id[65];

	put(1, "one");
	(void)snprintf(id, sizeof(id), "%s", portal_store_id(store));
	portal_store_close(store);
	pragma("UPDATE store SET boot = 'x'");
	store = open_store(true);
	ck_assert_str_ne(portal_store_id(store), id);
	ck_assert_uint_eq(portal_store_last(store), 1);
}
END_TEST

/* Damage is an error wherever it is met, and never an absent row. */
START_TEST(damaged)
{
	static uint8_t junk[4096];
	struct mk_udf udf = made_udf(1);
	struct portal_profile p;
	struct portal_store *s;
	int fd, r;
	off_t at, size;

	put(1, "one");
	portal_store_close(store);
	memset(junk, 0x5a, sizeof(junk));
	fd = open(tree_path(DB), O_RDWR);
	ck_assert_int_ne(fd, -1);
	size = lseek(fd, 0, SEEK_END);
	ck_assert_int_gt(size, 2 * 4096);
	for (at = 4096; at < size; at += 4096)
		ck_assert_int_eq(pwrite(fd, junk, 4096, at), 4096);
	close(fd);
	r = portal_store_open(tree_path(DIR_NAME), true, &s, &why);
	if (r == 0) {
		r = portal_store_set(s, &arena, &udf, &p, &why);
		portal_store_close(s);
	}
	ck_assert_int_eq(r, MK_E_SYSTEM);
	ck_assert_ptr_nonnull(strstr(why.detail, "is damaged"));
	ck_assert_int_eq(unlink(tree_path(DB)), 0);
	store = open_store(true);
}
END_TEST

/* The same file with what it had before: the lock file knows better. */
START_TEST(store_id_over)
{
	char id[65];

	put(1, "one");
	(void)snprintf(id, sizeof(id), "%s", portal_store_id(store));
	portal_store_close(store);
	copy(DB, "/backup", false);
	store = open_store(true);
	put(2, "two");
	portal_store_close(store);
	copy("/backup", DB, true);
	store = open_store(true);
	ck_assert_uint_eq(portal_store_last(store), 1);
	ck_assert_str_ne(portal_store_id(store), id);
	(void)snprintf(id, sizeof(id), "%s", portal_store_id(store));
	put(2, "again");
	reopen();
	ck_assert_str_eq(portal_store_id(store), id);
}
END_TEST

static struct mk_account
account_of(const char *name)
{
	struct mk_account account;

	ck_assert(mk_account_parse(name, strlen(name), &account));
	return account;
}

START_TEST(accounts)
{
	struct portal_account a = { .name = account_of("a@example.com"),
	    .udf = made_udf(1) }, got;
	struct portal_accounts n;

	ck_assert_int_eq(portal_store_account(store, &a.name, &got, &why),
	    MK_E_ABSENT);
	ck_assert_int_eq(portal_store_put_account(store, &a, &why), 0);
	a.name = account_of("b@example.com");
	ck_assert_int_eq(portal_store_put_account(store, &a, &why), 0);
	a.closed = true;
	ck_assert_int_eq(portal_store_put_account(store, &a, &why), 0);
	ck_assert_int_eq(portal_store_account(store, &a.name, &got, &why),
	    0);
	ck_assert(got.closed);
	ck_assert_str_eq(got.name.text, "b@example.com");
	ck_assert_int_eq(mk_udf_cmp(&got.udf, &a.udf), 0);
	ck_assert_int_eq(portal_store_accounts(store, &a.udf, &n, &why), 0);
	ck_assert_uint_eq(n.open, 1);
	ck_assert_uint_eq(n.closed, 1);
	ck_assert_uint_eq(n.all, 2);
	a.udf = made_udf(2);
	ck_assert_int_eq(portal_store_accounts(store, &a.udf, &n, &why), 0);
	ck_assert_uint_eq(n.open + n.closed, 0);
}
END_TEST

/* Both clocks go alike. */
static int
sweep(int64_t now)
{
	return portal_store_sweep(store, now, (now - MADE_NOW) * 1000, &why);
}

START_TEST(nonces)
{
	uint8_t nonce[MK_REQUEST_NONCE] = { 1 };
	struct mk_udf a = made_udf(1), b = made_udf(2);

	ck_assert_int_eq(portal_store_nonce(store, &a, nonce, MADE_NOW,
	    &why), 0);
	ck_assert_int_eq(portal_store_nonce(store, &a, nonce, MADE_NOW,
	    &why), MK_E_REFUSED);
	ck_assert_int_eq(portal_store_nonce(store, &b, nonce, MADE_NOW,
	    &why), 0);
	reopen();
	ck_assert_int_eq(sweep(MADE_NOW + 1200),
	    0);
	ck_assert_int_eq(portal_store_nonce(store, &a, nonce, MADE_NOW,
	    &why), MK_E_REFUSED);
	ck_assert_int_eq(sweep(MADE_NOW + 1201),
	    0);
	ck_assert_int_eq(portal_store_nonce(store, &a, nonce, MADE_NOW,
	    &why), 0);
}
END_TEST

/* A clock that went ahead and comes back makes no nonce good again. */
START_TEST(clock_set)
{
	uint8_t nonce[MK_REQUEST_NONCE] = { 1 };
	struct mk_udf a = made_udf(1);
	const int64_t day = MADE_NOW + 86400;

	ck_assert_int_eq(sweep(MADE_NOW), 0);
	ck_assert_int_eq(portal_store_nonce(store, &a, nonce, MADE_NOW,
	    &why), 0);
	ck_assert_int_eq(portal_store_sweep(store, day, 60000, &why), 0);
	ck_assert_int_eq(portal_store_sweep(store, day + 60, 120000, &why),
	    0);
	ck_assert_int_eq(sweep(MADE_NOW + 180), 0);
	ck_assert_int_eq(portal_store_nonce(store, &a, nonce,
	    MADE_NOW + 180, &why), MK_E_REFUSED);
	/* It is swept all the same, when nothing was set for long enough. */
	ck_assert_int_eq(sweep(MADE_NOW + 1379), 0);
	ck_assert_int_eq(portal_store_nonce(store, &a, nonce,
	    MADE_NOW + 1379, &why), MK_E_REFUSED);
	ck_assert_int_eq(sweep(MADE_NOW + 1380), 0);
	ck_assert_int_eq(portal_store_nonce(store, &a, nonce,
	    MADE_NOW + 1380, &why), 0);
}
END_TEST

static struct portal_pending
pending(const char *account, unsigned device, const char *text)
{
	struct portal_pending p = { .account = account_of(account),
	    .device = made_udf(device), .asked = MADE_NOW,
	    .came = MADE_NOW, .text = (const uint8_t *)text,
	    .len = strlen(text), .address = "192.0.2.1" };

	memset(p.digest, (int)device, sizeof(p.digest));
	return p;
}

START_TEST(queue)
{
	struct portal_pending p = pending("a@example.com", 1, "one"), got;
	struct portal_queue all;
	struct portal_counts n;

	ck_assert_int_eq(portal_store_put_pending(store, &p, &why), 0);
	p = pending("a@example.com", 2, "two");
	p.address = "192.0.2.2";
	p.has_witness = true;
	p.witness[5] = 5;
	ck_assert_int_eq(portal_store_put_pending(store, &p, &why), 0);
	p = pending("b@example.com", 2, "three");
	ck_assert_int_eq(portal_store_put_pending(store, &p, &why), 0);
	/* Who asks again is the last. */
	p = pending("a@example.com", 1, "four");
	ck_assert_int_eq(portal_store_put_pending(store, &p, &why), 0);
	reopen();
	ck_assert_int_eq(portal_store_pending(store, &arena, &p.account,
	    &all, &why), 0);
	ck_assert_uint_eq(all.n, 2);
	ck_assert_str_eq((const char *)all.list[0].text, "two");
	ck_assert(all.list[0].has_witness && all.list[0].witness[5] == 5);
	ck_assert_str_eq((const char *)all.list[1].text, "four");
	ck_assert(!all.list[1].has_witness);
	ck_assert_int_eq(portal_store_count_pending(store, &p.account,
	    "192.0.2.1", &n, &why), 0);
	ck_assert_uint_eq(n.account, 2);
	ck_assert_uint_eq(n.address, 1);
	ck_assert_uint_eq(n.origin, 2);
	ck_assert_uint_eq(n.all, 3);
	/* A result takes the request away, a new request the result. */
	p = pending("a@example.com", 1, "result");
	ck_assert_int_eq(portal_store_put_result(store, &p, &why), 0);
	got = p;
	ck_assert_int_eq(portal_store_waits(store, &arena, &got, &why),
	    MK_E_ABSENT);
	got = p;
	ck_assert_int_eq(portal_store_result(store, &arena, &got, &why),
	    0);
	ck_assert_str_eq((const char *)got.text, "result");
	ck_assert_int_eq(portal_store_put_pending(store, &p, &why), 0);
	got = p;
	ck_assert_int_eq(portal_store_result(store, &arena, &got, &why),
	    MK_E_ABSENT);
	ck_assert_int_eq(portal_store_drop_queue(store, &p.account, &why),
	    0);
	ck_assert_int_eq(portal_store_count_pending(store, &p.account,
	    "192.0.2.1", &n, &why), 0);
	ck_assert_uint_eq(n.account, 0);
	ck_assert_uint_eq(n.all, 1);
}
END_TEST

START_TEST(lapse)
{
	struct portal_pending p = pending("a@example.com", 1, "one"), got;
	unsigned i;

	ck_assert_int_eq(portal_store_put_pending(store, &p, &why), 0);
	ck_assert_int_eq(sweep(MADE_NOW + 86400),
	    0);
	got = p;
	ck_assert_int_eq(portal_store_waits(store, &arena, &got, &why),
	    0);
	ck_assert_int_eq(sweep(MADE_NOW + 86401),
	    0);
	got = p;
	ck_assert_int_eq(portal_store_waits(store, &arena, &got, &why),
	    MK_E_ABSENT);
	/* The oldest go. */
	ck_assert_int_eq(portal_store_begin(store, &why), 0);
	for (i = 0; i <= PORTAL_RESULTS_MAX; i++) {
		p.device = made_udf(i);
		ck_assert_int_eq(portal_store_put_result(store, &p, &why),
		    0);
	}
	ck_assert_int_eq(portal_store_commit(store, &why), 0);
	p.device = made_udf(0);
	got = p;
	ck_assert_int_eq(portal_store_result(store, &arena, &got, &why),
	    MK_E_ABSENT);
	p.device = made_udf(1);
	got = p;
	ck_assert_int_eq(portal_store_result(store, &arena, &got, &why),
	    0);
	ck_assert_int_eq(sweep(MADE_NOW + 7 * 86400 + 1), 0);
	got = p;
	ck_assert_int_eq(portal_store_result(store, &arena, &got, &why),
	    MK_E_ABSENT);
}
END_TEST

/* A disk that is full: an error, nothing half, and then on as before. */
START_TEST(full_disk)
{
	struct rlimit was, limit;
	static char big[1 << 20];
	struct portal_profile p;
	uint64_t change;
	int r;

	put(1, "one");
	memset(big, 'x', sizeof(big) - 1);
	p = profile(2, big);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &was), 0);
	limit = was;
	limit.rlim_cur = 256 << 10;
	(void)signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ck_assert_int_eq(portal_store_begin(store, &why), 0);
	r = portal_store_put(store, &p, &why);
	if (r == 0)
		r = portal_store_commit(store, &why);
	ck_assert_int_eq(r, MK_E_SYSTEM);
	portal_store_rollback(store);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &was), 0);
	ck_assert_uint_eq(portal_store_last(store), 1);
	ck_assert_int_eq(portal_store_change(store, &p.udf, &change, &why),
	    MK_E_ABSENT);
	ck_assert_uint_eq(put(2, big), 2);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("portal_store");
	TCase *t = tcase_create("portal_store");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, modes);
	tcase_add_test(t, unsafe);
	tcase_add_test(t, not_ours);
	tcase_add_test(t, profiles);
	tcase_add_test(t, transactions);
	tcase_add_test(t, killed);
	tcase_add_test(t, store_id);
	tcase_add_test(t, store_id_over);
	tcase_add_test(t, store_id_boot);
	tcase_add_test(t, damaged);
	tcase_add_test(t, accounts);
	tcase_add_test(t, nonces);
	tcase_add_test(t, clock_set);
	tcase_add_test(t, queue);
	tcase_add_test(t, lapse);
	tcase_add_test(t, full_disk);
	suite_add_tcase(s, t);
	return s;
}
