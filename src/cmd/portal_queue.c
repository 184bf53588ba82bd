/* SPDX-License-Identifier: ISC */
/*
 * Devices that ask to be connected, and what they were answered: one
 * request and one result of a device at an account, for a limited time.
 */
#include "cmd/portal_db.h"

#define JUMP	60	/* seconds; clocks are set by less all the time */

/* Columns, as all statements have them. */
enum {
	C_ACCOUNT, C_DEVICE, C_ASKED, C_DIGEST, C_WITNESS, C_ENVELOPE,
	C_CAME, C_ADDRESS
};

static int
read_row(const struct portal_query *q, struct mk_arena *a,
    struct portal_pending *ret_pending, struct mk_why *why)
{
	struct portal_pending p = { 0 };
	const char *address;

	p.has_witness = sqlite3_column_type(q->stmt, C_WITNESS) !=
	    SQLITE_NULL;
	if (!portal_column_account(q, C_ACCOUNT, &p.account) ||
	    !portal_column_udf(q, C_DEVICE, &p.device) ||
	    !portal_column_exact(q, C_DIGEST, p.digest, MK_DIGEST) ||
	    (p.has_witness && !portal_column_exact(q, C_WITNESS, p.witness,
	    MK_WITNESS)))
		return portal_db_damaged(q->store, why);
	p.asked = sqlite3_column_int64(q->stmt, C_ASKED);
	p.came = sqlite3_column_int64(q->stmt, C_CAME);
	p.text = portal_column_blob(q, C_ENVELOPE, a, &p.len);
	address = (const char *)sqlite3_column_text(q->stmt, C_ADDRESS);
	p.address = mk_arena_dup(a, address, (size_t)sqlite3_column_bytes(
	    q->stmt, C_ADDRESS));
	if (p.text == NULL || p.address == NULL)
		return mk_arena_fail(a, why);
	*ret_pending = p;
	return 0;
}

/* All parameters that requests and results have in common. */
static void
bind_row(struct portal_query *q, const struct portal_pending *p)
{
	portal_bind_text(q, p->account.text);
	portal_bind_udf(q, &p->device);
	portal_bind_int(q, p->asked);
	portal_bind_blob(q, p->digest, MK_DIGEST);
	if (p->has_witness)
		portal_bind_blob(q, p->witness, MK_WITNESS);
	else
		q->n++;		/* no value */
	portal_bind_blob(q, p->text, p->len);
}

/* A statement about one device of an account. */
static struct portal_query
query_of(struct portal_store *store, enum portal_sql sql,
    const struct portal_pending *p)
{
	struct portal_query q = portal_query_begin(store, sql);

	portal_bind_text(&q, p->account.text);
	portal_bind_udf(&q, &p->device);
	return q;
}

static int
drop(struct portal_store *store, enum portal_sql sql,
    const struct portal_pending *p, struct mk_why *why)
{
	struct portal_query q = query_of(store, sql, p);

	return portal_query_run(&q, why);
}

static int
read_one(struct portal_query *q, struct mk_arena *a,
    struct portal_pending *ret_pending, struct mk_why *why)
{
	int r;

	r = portal_query_step(q, why);
	if (r == 0)
		r = read_row(q, a, ret_pending, why);
	portal_query_end(q);
	return r;
}

int
portal_store_put_pending(struct portal_store *store,
    const struct portal_pending *pending, struct mk_why *why)
{
	struct portal_query q = portal_query_begin(store, SQL_PENDING_PUT);
	int r;

	bind_row(&q, pending);
	portal_bind_text(&q, pending->address);
	r = portal_query_run(&q, why);
	return r != 0 ? r : drop(store, SQL_RESULT_DROP, pending, why);
}

int
portal_store_waits(struct portal_store *store, struct mk_arena *a,
    struct portal_pending *pending, struct mk_why *why)
{
	struct portal_query q = query_of(store, SQL_PENDING_ONE, pending);

	return read_one(&q, a, pending, why);
}

int
portal_store_result(struct portal_store *store, struct mk_arena *a,
    struct portal_pending *pending, struct mk_why *why)
{
	struct portal_query q = query_of(store, SQL_RESULT, pending);

	return read_one(&q, a, pending, why);
}

int
portal_store_pending(struct portal_store *store, struct mk_arena *a,
    const struct mk_account *account, struct portal_queue *ret_queue,
    struct mk_why *why)
{
	struct portal_query q = portal_query_begin(store, SQL_PENDING);
	struct portal_pending *list;
	size_t n = 0;
	int r;

	list = mk_arena_array(a, PORTAL_PENDING_MAX, sizeof(*list));
	if (list == NULL)
		return mk_arena_fail(a, why);
	portal_bind_text(&q, account->text);
	while ((r = portal_query_step(&q, why)) == 0 &&
	    n < PORTAL_PENDING_MAX &&
	    (r = read_row(&q, a, &list[n], why)) == 0)
		n++;
	portal_query_end(&q);
	if (r != 0 && r != MK_E_ABSENT)
		return r;
	*ret_queue = (struct portal_queue){ .list = list, .n = n };
	return 0;
}

int
portal_store_count_pending(struct portal_store *store,
    const struct mk_account *account, const char *address,
    struct portal_counts *ret_counts, struct mk_why *why)
{
	struct portal_query q = portal_query_begin(store, SQL_PENDING_COUNT);
	int r;

	portal_bind_text(&q, account->text);
	portal_bind_text(&q, address);
	r = portal_query_step(&q, why);
	if (r == 0)
		*ret_counts = (struct portal_counts){
		    .account = (uint64_t)sqlite3_column_int64(q.stmt, 0),
		    .address = (uint64_t)sqlite3_column_int64(q.stmt, 1),
		    .origin = (uint64_t)sqlite3_column_int64(q.stmt, 2),
		    .all = (uint64_t)sqlite3_column_int64(q.stmt, 3) };
	portal_query_end(&q);
	return r;
}

int
portal_store_put_result(struct portal_store *store,
    const struct portal_pending *result, struct mk_why *why)
{
	struct portal_query q = portal_query_begin(store, SQL_RESULT_PUT);
	int r;

	bind_row(&q, result);
	portal_bind_int(&q, result->came);
	if ((r = portal_query_run(&q, why)) != 0 ||
	    (r = drop(store, SQL_PENDING_DROP, result, why)) != 0)
		return r;
	q = portal_query_begin(store, SQL_RESULT_TRIM);
	portal_bind_text(&q, result->account.text);
	portal_bind_int(&q, PORTAL_RESULTS_MAX);
	return portal_query_run(&q, why);
}

int
portal_store_drop_queue(struct portal_store *store,
    const struct mk_account *account, struct mk_why *why)
{
	struct portal_query q;
	int r;

	q = portal_query_begin(store, SQL_PENDING_DROP_ALL);
	portal_bind_text(&q, account->text);
	if ((r = portal_query_run(&q, why)) != 0)
		return r;
	q = portal_query_begin(store, SQL_RESULT_DROP_ALL);
	portal_bind_text(&q, account->text);
	return portal_query_run(&q, why);
}

/*
 * Whether what looks old is old.  A clock that goes ahead by mistake and
 * comes back would make nonces good again, and requests lapse that nobody
 * has seen.  What is not set back for as long as nonces live is right.
 */
static bool
is_steady(struct portal_store *store, int64_t now, int64_t ticks)
{
	int64_t drift = now - ticks / 1000, set = drift - store->drift;

	if (store->swept && (set > JUMP || set < -JUMP))
		store->steady = ticks + 2000 * (int64_t)MK_REQUEST_SLACK;
	store->swept = true;
	store->drift = drift;
	return ticks >= store->steady;
}

int
portal_store_sweep(struct portal_store *store, int64_t now, int64_t ticks,
    struct mk_why *why)
{
	static const struct {
		enum portal_sql sql;
		int64_t life;
	} old[] = {
		/* What is older is refused by its Time, whichever way the
		   two clocks differ. */
		{ SQL_NONCE_SWEEP, 2 * MK_REQUEST_SLACK },
		{ SQL_PENDING_SWEEP, MK_CONNECT_LIFE },
		{ SQL_RESULT_SWEEP, PORTAL_RESULT_LIFE }
	};
	struct portal_query q;
	size_t i;
	int r;

	if (!is_steady(store, now, ticks))
		return 0;
	r = portal_store_begin(store, why);
	for (i = 0; r == 0 && i < sizeof(old) / sizeof(old[0]); i++) {
		q = portal_query_begin(store, old[i].sql);
		portal_bind_int(&q, now - old[i].life);
		r = portal_query_run(&q, why);
	}
	if (r == 0)
		r = portal_store_commit(store, why);
	if (r != 0)
		portal_store_rollback(store);
	return r;
}
