/* SPDX-License-Identifier: ISC */
/*
 * Statements.  A failure to prepare or to bind is met by the step, so that
 * who binds much checks once.
 */
#include <string.h>

#include "cmd/portal_db.h"
#include "core/udf.h"

static const char *const sql[SQL_STATEMENTS] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_BEGIN_READ] = "BEGIN",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_LAST] = "UPDATE store SET last = ?",
#define PROFILE	"SELECT udf, change, key, master_time, master, " \
	    "personal_time, personal, digest, online, deleted, "
	[SQL_PROFILE] = PROFILE "NULL FROM profile WHERE udf = ?",
	[SQL_PROFILE_SET] = PROFILE "bytes FROM profile WHERE udf = ?",
	[SQL_PROFILE_EACH] = PROFILE "bytes FROM profile",
	[SQL_PROFILE_PUT] = "INSERT INTO profile (udf, change, key, "
	    "master_time, master, personal_time, personal, digest, online, "
	    "deleted, bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
	    "ON CONFLICT (udf) DO UPDATE SET change = excluded.change, "
	    "key = excluded.key, master_time = excluded.master_time, "
	    "master = excluded.master, "
	    "personal_time = excluded.personal_time, "
	    "personal = excluded.personal, digest = excluded.digest, "
	    "online = excluded.online, deleted = excluded.deleted, "
	    "bytes = excluded.bytes",
	[SQL_PROFILE_CHANGE] = "SELECT change FROM profile WHERE udf = ?",
	/* The length stands in front of the bytes, which are not read. */
	[SQL_PROFILE_SIZE] = "SELECT length(bytes) FROM profile "
	    "WHERE udf = ?",
	[SQL_SIZE] = "SELECT (page_count - freelist_count) * page_size "
	    "FROM pragma_page_count, pragma_freelist_count, "
	    "pragma_page_size",
	/* No row ever goes, so the last number is how many there are. */
	[SQL_PROFILE_COUNT] = "SELECT ifnull(max(n), 0) FROM profile",
	[SQL_ACCOUNT] = "SELECT name, udf, closed FROM account "
	    "WHERE name = ?",
	[SQL_ACCOUNT_EACH] = "SELECT name, udf, closed FROM account",
	[SQL_ACCOUNT_PUT] = "INSERT INTO account (name, udf, closed) "
	    "VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET "
	    "udf = excluded.udf, closed = excluded.closed",
	[SQL_ACCOUNT_COUNT] = "SELECT "
	    "(SELECT count(*) FROM account WHERE udf = ?1 AND closed = 0), "
	    "(SELECT count(*) FROM account WHERE udf = ?1 AND closed = 1), "
	    "(SELECT ifnull(max(n), 0) FROM account)",
	[SQL_NONCE] = "INSERT INTO nonce (signer, nonce, came) "
	    "VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
	[SQL_NONCE_SWEEP] = "DELETE FROM nonce WHERE came < ?",
#define PENDING	"SELECT account, device, asked, digest, witness, envelope, "
	[SQL_PENDING] = PENDING "0, address FROM pending WHERE account = ? "
	    "ORDER BY n",
	[SQL_PENDING_ONE] = PENDING "0, address FROM pending "
	    "WHERE account = ? AND device = ?",
	/* A new number: who asks again stands behind the others. */
	[SQL_PENDING_PUT] = "REPLACE INTO pending (account, device, asked, "
	    "digest, witness, envelope, address) "
	    "VALUES (?, ?, ?, ?, ?, ?, ?)",
	[SQL_PENDING_DROP] = "DELETE FROM pending "
	    "WHERE account = ? AND device = ?",
	[SQL_PENDING_DROP_ALL] = "DELETE FROM pending WHERE account = ?",
	[SQL_PENDING_COUNT] = "SELECT "
	    "(SELECT count(*) FROM pending WHERE account = ?1), "
	    "(SELECT count(*) FROM pending WHERE address = ?2 "
	    "AND account = ?1), "
	    "(SELECT count(*) FROM pending WHERE address = ?2), "
	    "(SELECT count(*) FROM pending)",
	[SQL_PENDING_SWEEP] = "DELETE FROM pending WHERE asked < ?",
	[SQL_RESULT] = PENDING "came, '' FROM result "
	    "WHERE account = ? AND device = ?",
	[SQL_RESULT_PUT] = "REPLACE INTO result (account, device, asked, "
	    "digest, witness, envelope, came) VALUES (?, ?, ?, ?, ?, ?, ?)",
	[SQL_RESULT_DROP] = "DELETE FROM result "
	    "WHERE account = ? AND device = ?",
	[SQL_RESULT_DROP_ALL] = "DELETE FROM result WHERE account = ?",
	[SQL_RESULT_TRIM] = "DELETE FROM result WHERE n IN (SELECT n "
	    "FROM result WHERE account = ? ORDER BY n DESC "
	    "LIMIT -1 OFFSET ?)",
	[SQL_RESULT_SWEEP] = "DELETE FROM result WHERE came < ?",
};

int
portal_db_fail(const struct portal_store *store, const char *what,
    struct mk_why *why)
{
	int rc = sqlite3_errcode(store->db);

	if (rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB)
		return mk_fail(why, MK_E_SYSTEM, "store", "'%s' is damaged: "
		    "%s; put a copy in its place", store->path,
		    sqlite3_errmsg(store->db));
	return mk_fail(why, MK_E_SYSTEM, "store", "cannot %s '%s': %s",
	    what, store->path, sqlite3_errmsg(store->db));
}

int
portal_db_damaged(const struct portal_store *store, struct mk_why *why)
{
	return mk_fail(why, MK_E_SYSTEM, "store", "'%s' is damaged: a row "
	    "is not of its form; put a copy in its place", store->path);
}

struct portal_query
portal_query_begin(struct portal_store *store, enum portal_sql which)
{
	struct portal_query q = { .store = store, .rc = SQLITE_OK };

	if (store->stmt[which] == NULL)
		q.rc = sqlite3_prepare_v3(store->db, sql[which], -1,
		    SQLITE_PREPARE_PERSISTENT, &store->stmt[which], NULL);
	q.stmt = store->stmt[which];
	return q;
}

void
portal_bind_int(struct portal_query *q, int64_t n)
{
	if (q->rc == SQLITE_OK)
		q->rc = sqlite3_bind_int64(q->stmt, ++q->n, n);
}

void
portal_bind_text(struct portal_query *q, const char *s)
{
	if (q->rc == SQLITE_OK)
		q->rc = sqlite3_bind_text(q->stmt, ++q->n, s, -1,
		    SQLITE_STATIC);
}

/* A NULL pointer would be bound as no value. */
void
portal_bind_blob(struct portal_query *q, const void *data, size_t len)
{
	if (q->rc == SQLITE_OK)
		q->rc = sqlite3_bind_blob64(q->stmt, ++q->n,
		    data != NULL ? data : "", len, SQLITE_STATIC);
}

void
portal_bind_udf(struct portal_query *q, const struct mk_udf *udf)
{
	portal_bind_blob(q, udf->b, sizeof(udf->b));
}

int
portal_query_step(struct portal_query *q, struct mk_why *why)
{
	if (q->rc == SQLITE_OK)
		q->rc = sqlite3_step(q->stmt);
	switch (q->rc) {
	case SQLITE_ROW:
		q->rc = SQLITE_OK;
		return 0;
	case SQLITE_DONE:
		return MK_E_ABSENT;
	default:
		return portal_db_fail(q->store,
		    q->store->write ? "use" : "read", why);
	}
}

void
portal_query_end(struct portal_query *q)
{
	if (q->stmt == NULL)
		return;
	(void)sqlite3_reset(q->stmt);
	(void)sqlite3_clear_bindings(q->stmt);
}

int
portal_query_run(struct portal_query *q, struct mk_why *why)
{
	int r = portal_query_step(q, why);

	portal_query_end(q);
	return r == MK_E_ABSENT ? 0 : r;
}

bool
portal_column_exact(const struct portal_query *q, int column, void *out,
    size_t len)
{
	const void *data = sqlite3_column_blob(q->stmt, column);

	if (sqlite3_column_type(q->stmt, column) != SQLITE_BLOB ||
	    data == NULL ||
	    (size_t)sqlite3_column_bytes(q->stmt, column) != len)
		return false;
	memcpy(out, data, len);
	return true;
}

bool
portal_column_udf(const struct portal_query *q, int column,
    struct mk_udf *ret_udf)
{
	return portal_column_exact(q, column, ret_udf->b, MK_UDF_BYTES);
}

bool
portal_column_account(const struct portal_query *q, int column,
    struct mk_account *ret_account)
{
	const char *s = (const char *)sqlite3_column_text(q->stmt, column);

	return s != NULL && mk_account_parse(s,
	    (size_t)sqlite3_column_bytes(q->stmt, column), ret_account);
}

const uint8_t *
portal_column_blob(const struct portal_query *q, int column,
    struct mk_arena *a, size_t *ret_len)
{
	const char *data = sqlite3_column_blob(q->stmt, column);
	size_t len = (size_t)sqlite3_column_bytes(q->stmt, column);
	const uint8_t *copy;

	copy = (const uint8_t *)mk_arena_dup(a, data, len);
	if (copy != NULL)
		*ret_len = len;
	return copy;
}
