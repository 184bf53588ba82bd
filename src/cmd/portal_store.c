/* SPDX-License-Identifier: ISC */
/*
 * The database of a portal: that it is ours, in a directory of ours, with
 * one writer, and which Store it is.
 *
 * A Store id stands for one row of changes that only grows.  Hosts count on
 * it: silence about a profile confirms it.  So a file that may lack changes
 * that were told gets another id.  A copy is told by its device, inode and
 * time of birth; one that was copied over the old file, by the number of the
 * last change that the lock file remembers beside it; and a whole machine
 * that was put back to an earlier state, by having been booted since.
 */
#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "cmd/portal_db.h"

#define DATABASE	"portal.db"
#define LOCK		"lock"
#define OURS		0x6d657368	/* application_id: "mesh" */
#define FORM		1		/* user_version */
#define BUSY		500		/* ms; nobody else writes */
#define MARK_MAX	64u
#define BOOT_ID		"/proc/sys/kernel/random/boot_id"
#define BOOT_MAX	36u

static const char schema[] =
    "CREATE TABLE store (id TEXT NOT NULL, last INTEGER NOT NULL,"
    " device INTEGER NOT NULL, inode INTEGER NOT NULL,"
    " born INTEGER NOT NULL, boot TEXT NOT NULL);"
    "INSERT INTO store VALUES ('', 0, 0, 0, 0, '');"
    /* The long ones stand last, so that no other column is behind them. */
    "CREATE TABLE profile (n INTEGER PRIMARY KEY,"
    " udf BLOB NOT NULL UNIQUE, change INTEGER NOT NULL,"
    " key BLOB NOT NULL, master_time INTEGER NOT NULL,"
    " master BLOB NOT NULL, personal_time INTEGER NOT NULL,"
    " personal BLOB NOT NULL, digest BLOB NOT NULL,"
    " online BLOB NOT NULL, deleted BLOB NOT NULL, bytes BLOB NOT NULL);"
    "CREATE TABLE account (n INTEGER PRIMARY KEY,"
    " name TEXT NOT NULL UNIQUE, udf BLOB NOT NULL,"
    " closed INTEGER NOT NULL);"
    "CREATE INDEX account_of ON account (udf, closed);"
    "CREATE TABLE nonce (signer BLOB NOT NULL, nonce BLOB NOT NULL,"
    " came INTEGER NOT NULL, PRIMARY KEY (signer, nonce)) WITHOUT ROWID;"
    "CREATE INDEX nonce_came ON nonce (came);"
    "CREATE TABLE pending (n INTEGER PRIMARY KEY, account TEXT NOT NULL,"
    " device BLOB NOT NULL, asked INTEGER NOT NULL, address TEXT NOT NULL,"
    " digest BLOB NOT NULL, witness BLOB, envelope BLOB NOT NULL,"
    " UNIQUE (account, device));"
    "CREATE INDEX pending_asked ON pending (asked);"
    "CREATE INDEX pending_address ON pending (address, account);"
    "CREATE TABLE result (n INTEGER PRIMARY KEY, account TEXT NOT NULL,"
    " device BLOB NOT NULL, asked INTEGER NOT NULL, came INTEGER NOT NULL,"
    " digest BLOB NOT NULL, witness BLOB, envelope BLOB NOT NULL,"
    " UNIQUE (account, device));"
    "CREATE INDEX result_came ON result (came);";

/* A directory on its way to be a store. */
struct place {
	const char *name;		/* as it was given */
	int fd;
	bool write;
	struct mk_why *why;
};

static int
place_fail(const struct place *p, const char *what, const char *name)
{
	return mk_fail(p->why, errno == EACCES || errno == EPERM ?
	    MK_E_PERM : MK_E_SYSTEM, "store", "cannot %s '%s%s%s': %s", what,
	    p->name, *name != '\0' ? "/" : "", name, strerror(errno));
}

/*
 * The secrets are few, but what is here decides what hosts hear: nobody
 * else may look or write.
 */
static int
judge(const struct place *p, const struct stat *st, const char *name)
{
	bool is_dir = *name == '\0';

	if (is_dir ? !S_ISDIR(st->st_mode) : !S_ISREG(st->st_mode))
		return mk_fail(p->why, MK_E_PERM, "store", "cannot use "
		    "'%s%s%s': not a %s", p->name, is_dir ? "" : "/", name,
		    is_dir ? "directory" : "regular file");
	if (st->st_uid != geteuid())
		return mk_fail(p->why, MK_E_PERM, "store", "cannot use "
		    "'%s%s%s': it belongs to another user; run meshportal as "
		    "uid %ju", p->name, is_dir ? "" : "/", name,
		    (uintmax_t)st->st_uid);
	if ((st->st_mode & 077) != 0)
		return mk_fail(p->why, MK_E_PERM, "store", "cannot use "
		    "'%s%s%s': open to others; %srun: chmod go= '%s%s%s'",
		    p->name, is_dir ? "" : "/", name,
		    is_dir ? "if nothing else is kept there, " : "",
		    p->name, is_dir ? "" : "/", name);
	return 0;
}

static int
open_place(struct place *p)
{
	struct stat st;

	if (p->write && mkdir(p->name, 0700) != 0 && errno != EEXIST)
		return place_fail(p, "make", "");
	p->fd = open(p->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->fd == -1 && errno == ENOENT)
		return mk_fail(p->why, MK_E_CONFIG, "store",
		    "there is no '%s': is that the directory of a portal?",
		    p->name);
	if (p->fd == -1 || fstat(p->fd, &st) != 0)
		return place_fail(p, "open", "");
	return judge(p, &st, "");
}

/* Makes a file that is not there, and judges the one that is. */
static int
judge_file(const struct place *p, const char *name)
{
	struct stat st;
	int fd;

	if (p->write) {
		fd = openat(p->fd, name, O_RDWR | O_CREAT | O_EXCL |
		    O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd == -1 && errno != EEXIST)
			return place_fail(p, "make", name);
		if (fd != -1)
			close(fd);
	}
	if (fstatat(p->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return judge(p, &st, name);
	if (errno != ENOENT)
		return place_fail(p, "open", name);
	return mk_fail(p->why, MK_E_CONFIG, "store", "there is no '%s/%s': "
	    "is that the directory of a portal?", p->name, name);
}

static int
take_lock(const struct place *p, struct portal_store *store)
{
	int r;

	r = judge_file(p, LOCK);
	if (r != 0)
		return r;
	store->lock = openat(p->fd, LOCK, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (store->lock == -1)
		return place_fail(p, "open", LOCK);
	if (flock(store->lock, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno != EWOULDBLOCK)
		return place_fail(p, "lock", LOCK);
	return mk_fail(p->why, MK_E_STALE, "store",
	    "another meshportal is at work in '%s'", p->name);
}

/*
 * What is there is looked at and not opened: the locks of a process on a
 * file go when it closes any descriptor of it, those of SQLite too.
 */
static int
find_database(const struct place *p, struct portal_store *store)
{
	char *dir;
	int r;

	r = judge_file(p, DATABASE);
	if (r != 0)
		return r;
	dir = realpath(p->name, NULL);
	if (dir == NULL || asprintf(&store->path, "%s/%s", dir,
	    DATABASE) == -1) {
		store->path = NULL;
		r = place_fail(p, "open", DATABASE);
	}
	free(dir);
	return r;
}

static int
execute(const struct portal_store *store, const char *text,
    struct mk_why *why)
{
	return sqlite3_exec(store->db, text, NULL, NULL, NULL) == SQLITE_OK ?
	    0 : portal_db_fail(store, "open", why);
}

/* The number that a pragma or another short question has. */
static int
ask(const struct portal_store *store, const char *text, int64_t *ret_n,
    struct mk_why *why)
{
	sqlite3_stmt *stmt = NULL;
	int r = 0;

	if (sqlite3_prepare_v2(store->db, text, -1, &stmt, NULL) !=
	    SQLITE_OK || sqlite3_step(stmt) != SQLITE_ROW)
		r = portal_db_fail(store, "open", why);
	else
		*ret_n = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return r;
}

/* Where it is not to be had, the answer is another mode and no error. */
static int
use_wal(const struct portal_store *store, struct mk_why *why)
{
	sqlite3_stmt *stmt = NULL;
	int r = 0;

	if (sqlite3_prepare_v2(store->db, "PRAGMA journal_mode = WAL", -1,
	    &stmt, NULL) != SQLITE_OK || sqlite3_step(stmt) != SQLITE_ROW)
		r = portal_db_fail(store, "open", why);
	else if (strcmp((const char *)sqlite3_column_text(stmt, 0),
	    "wal") != 0)
		r = mk_fail(why, MK_E_SYSTEM, "store", "cannot use '%s': its "
		    "file system has no shared memory for the write-ahead "
		    "log", store->path);
	sqlite3_finalize(stmt);
	return r;
}

static int
make_schema(const struct portal_store *store, struct mk_why *why)
{
	char form[96];
	int r;

	(void)snprintf(form, sizeof(form), "PRAGMA application_id = %d;"
	    "PRAGMA user_version = %d; COMMIT", OURS, FORM);
	if ((r = execute(store, "BEGIN IMMEDIATE", why)) != 0 ||
	    (r = execute(store, schema, why)) != 0)
		return r;
	return execute(store, form, why);
}

/* Nothing is written to what is not ours, not even how it is journaled. */
static int
check_schema(const struct portal_store *store, bool *ret_empty,
    struct mk_why *why)
{
	int64_t ours, form, tables;
	int r;

	if ((r = ask(store, "PRAGMA application_id", &ours, why)) != 0 ||
	    (r = ask(store, "PRAGMA user_version", &form, why)) != 0 ||
	    (r = ask(store, "SELECT count(*) FROM sqlite_schema", &tables,
	    why)) != 0)
		return r;
	*ret_empty = store->write && ours == 0 && form == 0 && tables == 0;
	if (*ret_empty)
		return 0;
	if (ours != OURS)
		return mk_fail(why, MK_E_SYSTEM, "store", "'%s' is not the "
		    "database of a portal", store->path);
	if (form != FORM)
		return mk_fail(why, MK_E_SYSTEM, "store", "'%s' has form "
		    "%jd, and this meshportal knows form %d only",
		    store->path, (intmax_t)form, FORM);
	return 0;
}

static int
open_database(struct portal_store *store, struct mk_why *why)
{
	int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW |
	    (store->write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY);
	bool empty = false;
	int r;

	if (sqlite3_open_v2(store->path, &store->db, flags, NULL) !=
	    SQLITE_OK)
		return store->db == NULL ? mk_fail(why, MK_E_SYSTEM, "store",
		    "out of memory") : portal_db_fail(store, "open", why);
	(void)sqlite3_extended_result_codes(store->db, 0);
	(void)sqlite3_busy_timeout(store->db, BUSY);
	(void)sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1,
	    NULL);
	if ((r = execute(store, "PRAGMA trusted_schema = OFF;"
	    "PRAGMA cell_size_check = ON", why)) != 0 ||
	    (r = check_schema(store, &empty, why)) != 0)
		return r;
	if (store->write && ((r = use_wal(store, why)) != 0 ||
	    (r = execute(store, "PRAGMA synchronous = FULL;"
	    "PRAGMA journal_size_limit = 67108864", why)) != 0))
		return r;
	return empty ? make_schema(store, why) : 0;
}

/* What the lock file remembers: "<id> <last>", or nothing. */
static bool
is_behind(const struct portal_store *store)
{
	char mark[MARK_MAX + 1] = "";
	uint64_t last;
	char *end;

	if (pread(store->lock, mark, MARK_MAX, 0) <= 0 ||
	    strncmp(mark, store->id, PORTAL_STORE_ID) != 0 ||
	    mark[PORTAL_STORE_ID] != ' ')
		return false;
	last = strtoull(mark + PORTAL_STORE_ID + 1, &end, 10);
	return end != mark + PORTAL_STORE_ID + 1 && last > store->last;
}

/*
 * Not synced: it is to outlive a copy over the database, and after a crash
 * of the machine it may be behind, which harms nothing.
 */
static void
leave_mark(const struct portal_store *store)
{
	char mark[MARK_MAX];
	int n;

	n = snprintf(mark, sizeof(mark), "%s %020" PRIu64 "\n", store->id,
	    store->last);
	if (pwrite(store->lock, mark, (size_t)n, 0) != n)
		return;		/* it is of use only after a mishap */
}

/* The file that this row of changes was last in, and when. */
struct file_id {
	int64_t device, inode, born;
	char boot[BOOT_MAX + 1];	/* hexadecimal digits and dashes */
};

/* "" where nobody tells: then that says nothing. */
static void
read_boot(char out[BOOT_MAX + 1])
{
	int fd = open(BOOT_ID, O_RDONLY | O_CLOEXEC);
	ssize_t n = -1;

	if (fd != -1) {
		n = read(fd, out, BOOT_MAX);
		close(fd);
	}
	if (n < 0)
		n = 0;
	out[n] = '\0';
	out[strspn(out, "0123456789abcdef-")] = '\0';
}

static bool
is_other(const struct file_id *a, const struct file_id *b)
{
	return a->device != b->device || a->inode != b->inode ||
	    a->born != b->born || strcmp(a->boot, b->boot) != 0;
}

static int
identify(const struct portal_store *store, struct file_id *ret_id,
    struct mk_why *why)
{
	struct statx st;

	if (statx(AT_FDCWD, store->path, AT_SYMLINK_NOFOLLOW,
	    STATX_INO | STATX_BTIME, &st) != 0)
		return mk_fail(why, MK_E_SYSTEM, "store",
		    "cannot open '%s': %s", store->path, strerror(errno));
	ret_id->device = (int64_t)st.stx_dev_major << 32 | st.stx_dev_minor;
	ret_id->inode = (int64_t)st.stx_ino;
	ret_id->born = 0;
	if ((st.stx_mask & STATX_BTIME) != 0)
		ret_id->born = st.stx_btime.tv_sec * INT64_C(1000000000) +
		    st.stx_btime.tv_nsec;
	read_boot(ret_id->boot);
	return 0;
}

static int
renew(struct portal_store *store, const struct file_id *id,
    struct mk_why *why)
{
	uint8_t random[PORTAL_STORE_ID / 2];
	char text[320];

	randombytes_buf(random, sizeof(random));
	(void)sodium_bin2hex(store->id, sizeof(store->id), random,
	    sizeof(random));
	(void)snprintf(text, sizeof(text), "UPDATE store SET id = '%s', "
	    "device = %jd, inode = %jd, born = %jd, boot = '%s'", store->id,
	    (intmax_t)id->device, (intmax_t)id->inode, (intmax_t)id->born,
	    id->boot);
	return execute(store, text, why);
}

static int
read_id(struct portal_store *store, struct file_id *ret_id,
    struct mk_why *why)
{
	sqlite3_stmt *stmt = NULL;
	int r = 0;

	if (sqlite3_prepare_v2(store->db, "SELECT id, last, device, inode, "
	    "born, boot FROM store", -1, &stmt, NULL) != SQLITE_OK ||
	    sqlite3_step(stmt) != SQLITE_ROW) {
		r = portal_db_fail(store, "open", why);
	} else {
		(void)snprintf(store->id, sizeof(store->id), "%s",
		    (const char *)sqlite3_column_text(stmt, 0));
		store->last = (uint64_t)sqlite3_column_int64(stmt, 1);
		ret_id->device = sqlite3_column_int64(stmt, 2);
		ret_id->inode = sqlite3_column_int64(stmt, 3);
		ret_id->born = sqlite3_column_int64(stmt, 4);
		(void)snprintf(ret_id->boot, sizeof(ret_id->boot), "%s",
		    (const char *)sqlite3_column_text(stmt, 5));
	}
	sqlite3_finalize(stmt);
	return r;
}

static int
settle_id(struct portal_store *store, struct mk_why *why)
{
	struct file_id was = { 0 }, is = { 0 };
	int r;

	if ((r = read_id(store, &was, why)) != 0 ||
	    (r = identify(store, &is, why)) != 0)
		return r;
	if (store->write && (strlen(store->id) != PORTAL_STORE_ID ||
	    is_other(&was, &is) || is_behind(store)) &&
	    (r = renew(store, &is, why)) != 0)
		return r;
	store->committed = store->last;
	if (store->write)
		leave_mark(store);
	return 0;
}

int
portal_store_open(const char *dir, bool write,
    struct portal_store **ret_store, struct mk_why *why)
{
	struct place p = { .name = dir, .fd = -1, .write = write,
	    .why = why };
	struct portal_store *store;
	int r;

	if (sodium_init() == -1)
		return mk_fail(why, MK_E_SYSTEM, "store",
		    "no random numbers");
	store = calloc(1, sizeof(*store));
	if (store == NULL)
		return mk_fail(why, MK_E_SYSTEM, "store", "out of memory");
	store->lock = -1;
	store->write = write;
	if ((r = open_place(&p)) == 0 &&
	    (!write || (r = take_lock(&p, store)) == 0) &&
	    (r = find_database(&p, store)) == 0 &&
	    (r = open_database(store, why)) == 0)
		r = settle_id(store, why);
	if (p.fd != -1)
		close(p.fd);
	if (r != 0)
		portal_store_close(store);
	else
		*ret_store = store;
	return r;
}

void
portal_store_close(struct portal_store *store)
{
	int i;

	if (store == NULL)
		return;
	for (i = 0; i < SQL_STATEMENTS; i++)
		sqlite3_finalize(store->stmt[i]);
	(void)sqlite3_close(store->db);
	if (store->lock != -1)
		close(store->lock);
	free(store->path);
	free(store);
}

const char *
portal_store_id(const struct portal_store *store)
{
	return store->id;
}

uint64_t
portal_store_last(const struct portal_store *store)
{
	return store->last;
}

int
portal_store_look(struct portal_store *store, struct mk_why *why)
{
	struct portal_query q = portal_query_begin(store, SQL_BEGIN_READ);

	return portal_query_run(&q, why);
}

int
portal_store_begin(struct portal_store *store, struct mk_why *why)
{
	struct portal_query q = portal_query_begin(store, SQL_BEGIN);

	store->committed = store->last;
	return portal_query_run(&q, why);
}

int
portal_store_commit(struct portal_store *store, struct mk_why *why)
{
	struct portal_query q = portal_query_begin(store, SQL_COMMIT);
	int r;

	r = portal_query_run(&q, why);
	if (r == 0 && store->write && store->committed != store->last)
		leave_mark(store);
	if (r == 0)
		store->committed = store->last;
	return r;
}

/* A full disk may have ended the transaction already. */
void
portal_store_rollback(struct portal_store *store)
{
	struct portal_query q;

	store->last = store->committed;
	if (sqlite3_get_autocommit(store->db) != 0)
		return;
	q = portal_query_begin(store, SQL_ROLLBACK);
	(void)portal_query_run(&q, NULL);
}
