/* SPDX-License-Identifier: ISC */
/*
 * Between the files of the portal's store: an open database and its
 * prepared statements.
 */
#ifndef MK_CMD_PORTAL_DB_H
#define MK_CMD_PORTAL_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "cmd/meshportal.h"

enum portal_sql {
	SQL_BEGIN,
	SQL_BEGIN_READ,
	SQL_COMMIT,
	SQL_ROLLBACK,
	SQL_LAST,
	SQL_PROFILE,
	SQL_PROFILE_SET,
	SQL_PROFILE_PUT,
	SQL_PROFILE_CHANGE, SQL_PROFILE_SIZE, SQL_SIZE,
	SQL_PROFILE_COUNT,
	SQL_PROFILE_EACH,
	SQL_ACCOUNT,
	SQL_ACCOUNT_PUT,
	SQL_ACCOUNT_COUNT,
	SQL_ACCOUNT_EACH,
	SQL_NONCE,
	SQL_NONCE_SWEEP,
	SQL_PENDING,
	SQL_PENDING_ONE,
	SQL_PENDING_PUT,
	SQL_PENDING_DROP,
	SQL_PENDING_DROP_ALL,
	SQL_PENDING_COUNT,
	SQL_PENDING_SWEEP,
	SQL_RESULT,
	SQL_RESULT_PUT,
	SQL_RESULT_DROP,
	SQL_RESULT_DROP_ALL,
	SQL_RESULT_TRIM,
	SQL_RESULT_SWEEP,
	SQL_STATEMENTS
};

#define PORTAL_STORE_ID	32u		/* characters */

struct portal_store {
	sqlite3 *db;
	sqlite3_stmt *stmt[SQL_STATEMENTS];	/* prepared when first used */
	char *path;			/* of the database, for messages */
	int lock;			/* -1: not open to write */
	bool write;
	char id[PORTAL_STORE_ID + 1];
	uint64_t last;			/* the newest change */
	uint64_t committed;		/* of what is committed */
	bool swept;			/* before, at that difference of: */
	int64_t drift;			/* the clocks, in seconds */
	int64_t steady;			/* ticks, from when on it counts */
};

/* MK_E_SYSTEM with what the database says about its last failure. */
int	portal_db_fail(const struct portal_store *store, const char *what,
	    struct mk_why *why);
/* A row that we never wrote. */
int	portal_db_damaged(const struct portal_store *store,
	    struct mk_why *why);

/* A statement in use. */
struct portal_query {
	struct portal_store *store;
	sqlite3_stmt *stmt;		/* NULL: it could not be prepared */
	int n;				/* parameters bound so far */
	int rc;				/* of the library, sticky */
};

/* Parameters are bound one after another; what is bound outlives the end. */
struct portal_query portal_query_begin(struct portal_store *store,
	    enum portal_sql sql);
void	portal_bind_int(struct portal_query *q, int64_t n);
void	portal_bind_text(struct portal_query *q, const char *s);
void	portal_bind_blob(struct portal_query *q, const void *data,
	    size_t len);
void	portal_bind_udf(struct portal_query *q, const struct mk_udf *udf);

/* 0: a row; MK_E_ABSENT: no further one; MK_E_SYSTEM. */
int	portal_query_step(struct portal_query *q, struct mk_why *why);
void	portal_query_end(struct portal_query *q);
/* One that has no rows, from its step to its end. */
int	portal_query_run(struct portal_query *q, struct mk_why *why);

/* Columns of the row.  False: not a blob of that length. */
bool	portal_column_exact(const struct portal_query *q, int column,
	    void *out, size_t len);
bool	portal_column_udf(const struct portal_query *q, int column,
	    struct mk_udf *ret_udf);
bool	portal_column_account(const struct portal_query *q, int column,
	    struct mk_account *ret_account);
/* A copy in 'a'; NULL as mk_arena_alloc(). */
const uint8_t *portal_column_blob(const struct portal_query *q, int column,
	    struct mk_arena *a, size_t *ret_len);

#endif
