/* SPDX-License-Identifier: ISC */
/*
 * Profiles, accounts and nonces in the store.  Of a profile only the newest
 * version is kept, with what the rules need of it beside its bytes, so that
 * no set is verified again to be asked something.
 */
#include <string.h>

#include "cmd/portal_db.h"

#define ONLINE	(32u + MK_UDF_BYTES)	/* a public key, and its device */

/* Columns of a profile, as all its statements have them. */
enum {
	C_UDF, C_CHANGE, C_KEY, C_MASTER_TIME, C_MASTER, C_PERSONAL_TIME,
	C_PERSONAL, C_DIGEST, C_ONLINE, C_DELETED, C_BYTES
};

/* The keys once more from their points; NULL if it is damaged or memory
   is short. */
static const struct mk_online *
read_online(const struct portal_query *q, struct mk_arena *a, size_t *ret_n)
{
	const uint8_t *p = sqlite3_column_blob(q->stmt, C_ONLINE);
	size_t n = (size_t)sqlite3_column_bytes(q->stmt, C_ONLINE), i;
	struct mk_online *online;

	if (p == NULL || n % ONLINE != 0)
		return NULL;
	n /= ONLINE;
	online = mk_arena_array(a, n, sizeof(*online));
	for (i = 0; online != NULL && i < n; i++, p += ONLINE) {
		mk_pubkey_from_ed25519(p, &online[i].key);
		memcpy(online[i].device.b, p + 32, MK_UDF_BYTES);
	}
	*ret_n = n;
	return online;
}

static const struct mk_udf *
read_deleted(const struct portal_query *q, struct mk_arena *a, size_t *ret_n)
{
	const uint8_t *p = sqlite3_column_blob(q->stmt, C_DELETED);
	size_t n = (size_t)sqlite3_column_bytes(q->stmt, C_DELETED), i;
	struct mk_udf *udfs;

	if (n % MK_UDF_BYTES != 0)
		return NULL;
	n /= MK_UDF_BYTES;
	udfs = mk_arena_array(a, n, sizeof(*udfs));
	for (i = 0; udfs != NULL && i < n; i++, p += MK_UDF_BYTES)
		memcpy(udfs[i].b, p, MK_UDF_BYTES);
	*ret_n = n;
	return udfs;
}

static bool
read_version(const struct portal_query *q, struct mk_version *v)
{
	v->timed = true;
	v->master_time = sqlite3_column_int64(q->stmt, C_MASTER_TIME);
	v->personal_time = sqlite3_column_int64(q->stmt, C_PERSONAL_TIME);
	return portal_column_exact(q, C_KEY, v->key, MK_DIGEST) &&
	    portal_column_exact(q, C_MASTER, v->master, MK_DIGEST) &&
	    portal_column_exact(q, C_PERSONAL, v->personal, MK_DIGEST);
}

static int
read_profile(const struct portal_query *q, struct mk_arena *a,
    struct portal_profile *ret_profile, struct mk_why *why)
{
	struct portal_profile p = { 0 };

	p.change = (uint64_t)sqlite3_column_int64(q->stmt, C_CHANGE);
	if (!portal_column_udf(q, C_UDF, &p.udf) ||
	    !read_version(q, &p.version) ||
	    !portal_column_exact(q, C_DIGEST, p.digest, MK_DIGEST))
		return portal_db_damaged(q->store, why);
	p.online = read_online(q, a, &p.n_online);
	p.deleted = read_deleted(q, a, &p.n_deleted);
	if (p.online == NULL || p.deleted == NULL)
		return a->failed != 0 ? mk_arena_fail(a, why) :
		    portal_db_damaged(q->store, why);
	if (sqlite3_column_type(q->stmt, C_BYTES) != SQLITE_NULL) {
		p.set = portal_column_blob(q, C_BYTES, a, &p.set_len);
		if (p.set == NULL)
			return mk_arena_fail(a, why);
	}
	*ret_profile = p;
	return 0;
}

static int
find_profile(struct portal_query *q, struct mk_arena *a,
    const struct mk_udf *udf, struct portal_profile *ret_profile,
    struct mk_why *why)
{
	int r;

	portal_bind_udf(q, udf);
	r = portal_query_step(q, why);
	if (r == 0)
		r = read_profile(q, a, ret_profile, why);
	portal_query_end(q);
	return r;
}

int
portal_store_profile(struct portal_store *store, struct mk_arena *a,
    const struct mk_udf *udf, struct portal_profile *ret_profile,
    struct mk_why *why)
{
	struct portal_query q = portal_query_begin(store, SQL_PROFILE);

	return find_profile(&q, a, udf, ret_profile, why);
}

int
portal_store_set(struct portal_store *store, struct mk_arena *a,
    const struct mk_udf *udf, struct portal_profile *ret_profile,
    struct mk_why *why)
{
	struct portal_query q = portal_query_begin(store, SQL_PROFILE_SET);

	return find_profile(&q, a, udf, ret_profile, why);
}

/* One number, of a profile or of all. */
static int
ask_number(struct portal_query *q, uint64_t *ret_n, struct mk_why *why)
{
	int r;

	r = portal_query_step(q, why);
	if (r == 0)
		*ret_n = (uint64_t)sqlite3_column_int64(q->stmt, 0);
	portal_query_end(q);
	return r;
}

int
portal_store_change(struct portal_store *store, const struct mk_udf *udf,
    uint64_t *ret_change, struct mk_why *why)
{
	struct portal_query q = portal_query_begin(store,
	    SQL_PROFILE_CHANGE);

	portal_bind_udf(&q, udf);
	return ask_number(&q, ret_change, why);
}

int
portal_store_length(struct portal_store *store, const struct mk_udf *udf,
    uint64_t *ret_length, struct mk_why *why)
{
	struct portal_query q = portal_query_begin(store, SQL_PROFILE_SIZE);

	portal_bind_udf(&q, udf);
	return ask_number(&q, ret_length, why);
}

int
portal_store_size(struct portal_store *store, uint64_t *ret_size,
    struct mk_why *why)
{
	struct portal_query q = portal_query_begin(store, SQL_SIZE);

	return ask_number(&q, ret_size, why);
}

static int
put_last(struct portal_store *store, uint64_t last, struct mk_why *why)
{
	struct portal_query q = portal_query_begin(store, SQL_LAST);

	portal_bind_int(&q, (int64_t)last);
	return portal_query_run(&q, why);
}

static void
bind_profile(struct portal_query *q, const struct portal_profile *p,
    const struct mk_buf *online, const struct mk_buf *deleted)
{
	portal_bind_udf(q, &p->udf);
	portal_bind_int(q, (int64_t)p->change);
	portal_bind_blob(q, p->version.key, MK_DIGEST);
	portal_bind_int(q, p->version.master_time);
	portal_bind_blob(q, p->version.master, MK_DIGEST);
	portal_bind_int(q, p->version.personal_time);
	portal_bind_blob(q, p->version.personal, MK_DIGEST);
	portal_bind_blob(q, p->digest, MK_DIGEST);
	portal_bind_blob(q, online->data, online->len);
	portal_bind_blob(q, deleted->data, deleted->len);
	portal_bind_blob(q, p->set, p->set_len);
}

static void
pack(const struct portal_profile *p, struct mk_buf *online,
    struct mk_buf *deleted)
{
	size_t i;

	for (i = 0; i < p->n_online; i++) {
		mk_buf_put(online, p->online[i].key.ed25519, 32);
		mk_buf_put(online, p->online[i].device.b, MK_UDF_BYTES);
	}
	for (i = 0; i < p->n_deleted; i++)
		mk_buf_put(deleted, p->deleted[i].b, MK_UDF_BYTES);
}

int
portal_store_put(struct portal_store *store, struct portal_profile *profile,
    struct mk_why *why)
{
	struct mk_buf online, deleted;
	struct portal_query q;
	int r;

	mk_buf_init(&online, MK_ONLINE_MAX * ONLINE);
	mk_buf_init(&deleted, MK_DELETED_MAX * MK_UDF_BYTES);
	pack(profile, &online, &deleted);
	if ((r = mk_buf_check(&online, why, "store")) != 0 ||
	    (r = mk_buf_check(&deleted, why, "store")) != 0)
		goto out;
	profile->change = store->last + 1;
	q = portal_query_begin(store, SQL_PROFILE_PUT);
	bind_profile(&q, profile, &online, &deleted);
	if ((r = portal_query_run(&q, why)) == 0 &&
	    (r = put_last(store, profile->change, why)) == 0)
		store->last = profile->change;
out:
	mk_buf_release(&online);
	mk_buf_release(&deleted);
	return r;
}

int
portal_store_profiles(struct portal_store *store, uint64_t *ret_n,
    struct mk_why *why)
{
	struct portal_query q = portal_query_begin(store, SQL_PROFILE_COUNT);

	return ask_number(&q, ret_n, why);
}

static int
read_account(const struct portal_query *q, struct portal_account *ret_account,
    struct mk_why *why)
{
	struct portal_account account = { 0 };

	if (!portal_column_account(q, 0, &account.name) ||
	    !portal_column_udf(q, 1, &account.udf))
		return portal_db_damaged(q->store, why);
	account.closed = sqlite3_column_int(q->stmt, 2) != 0;
	*ret_account = account;
	return 0;
}

int
portal_store_account(struct portal_store *store,
    const struct mk_account *name, struct portal_account *ret_account,
    struct mk_why *why)
{
	struct portal_query q = portal_query_begin(store, SQL_ACCOUNT);
	int r;

	portal_bind_text(&q, name->text);
	r = portal_query_step(&q, why);
	if (r == 0)
		r = read_account(&q, ret_account, why);
	portal_query_end(&q);
	return r;
}

int
portal_store_put_account(struct portal_store *store,
    const struct portal_account *account, struct mk_why *why)
{
	struct portal_query q = portal_query_begin(store, SQL_ACCOUNT_PUT);

	portal_bind_text(&q, account->name.text);
	portal_bind_udf(&q, &account->udf);
	portal_bind_int(&q, account->closed);
	return portal_query_run(&q, why);
}

int
portal_store_accounts(struct portal_store *store, const struct mk_udf *udf,
    struct portal_accounts *ret_accounts, struct mk_why *why)
{
	struct portal_query q = portal_query_begin(store, SQL_ACCOUNT_COUNT);
	int r;

	portal_bind_udf(&q, udf);
	r = portal_query_step(&q, why);
	if (r == 0)
		*ret_accounts = (struct portal_accounts){
		    .open = (uint64_t)sqlite3_column_int64(q.stmt, 0),
		    .closed = (uint64_t)sqlite3_column_int64(q.stmt, 1),
		    .all = (uint64_t)sqlite3_column_int64(q.stmt, 2) };
	portal_query_end(&q);
	return r;
}

int
portal_store_nonce(struct portal_store *store, const struct mk_udf *signer,
    const uint8_t nonce[MK_REQUEST_NONCE], int64_t now, struct mk_why *why)
{
	struct portal_query q = portal_query_begin(store, SQL_NONCE);
	int r;

	portal_bind_udf(&q, signer);
	portal_bind_blob(&q, nonce, MK_REQUEST_NONCE);
	portal_bind_int(&q, now);
	r = portal_query_run(&q, why);
	if (r == 0 && sqlite3_changes(store->db) == 0)
		return mk_fail(why, MK_E_REFUSED, "request",
		    "this request came before");
	return r;
}

static int
each_profile(struct portal_store *store, portal_each_profile *profile,
    void *arg, struct mk_why *why)
{
	struct portal_query q = portal_query_begin(store, SQL_PROFILE_EACH);
	struct portal_profile p;
	struct mk_arena a;
	int r;

	mk_arena_init(&a, MK_SET_MAX + MK_ARENA_FLOOR);
	while ((r = portal_query_step(&q, why)) == 0 &&
	    (r = read_profile(&q, &a, &p, why)) == 0 &&
	    (r = profile(arg, &p, why)) == 0)
		mk_arena_release(&a);
	mk_arena_release(&a);
	portal_query_end(&q);
	return r == MK_E_ABSENT ? 0 : r;
}

int
portal_store_each(struct portal_store *store, portal_each_profile *profile,
    portal_each_account *account, void *arg, struct mk_why *why)
{
	struct portal_account one;
	struct portal_query q;
	int r;

	r = each_profile(store, profile, arg, why);
	if (r != 0)
		return r;
	q = portal_query_begin(store, SQL_ACCOUNT_EACH);
	while ((r = portal_query_step(&q, why)) == 0 &&
	    (r = read_account(&q, &one, why)) == 0 &&
	    (r = account(arg, &one, why)) == 0)
		;
	portal_query_end(&q);
	return r == MK_E_ABSENT ? 0 : r;
}
