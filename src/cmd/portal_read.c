/* SPDX-License-Identifier: ISC */
/*
 * Reading: sets as they are stored, and which of them have changed.  What
 * is answered needs no trust, so nothing here is signed.
 */
#include <config.h>

#include <string.h>

#include <sodium.h>

#include "cmd/meshportal.h"
#include "core/limits.h"
#include "core/portal.h"
#include "core/write.h"

#define JSON	".json"
#define ACCOUNT	"account/"

static void
put_limit(struct mk_buf *out, const char *name, uint64_t n)
{
	if (out->data[out->len - 1] != '{')
		mk_buf_putc(out, ',');
	mk_put_name(out, name);
	mk_buf_putu(out, n);
}

void
portal_hello(struct portal_serving *s)
{
	struct mk_buf *out = portal_answer_begin(s, 201);

	mk_buf_putc(out, ',');
	mk_put_text(out, "Version", PACKAGE_VERSION,
	    strlen(PACKAGE_VERSION));
	mk_buf_putc(out, ',');
	mk_put_time(out, "Time", s->call->now);
	mk_buf_puts(out, ",\"Limits\":{");
	put_limit(out, "Set", MK_SET_MAX);
	put_limit(out, "Devices", MK_DEVICES_MAX);
	put_limit(out, "Request", PORTAL_REQUEST_MAX);
	put_limit(out, "Body", PORTAL_BODY_MAX);
	put_limit(out, "ConnectionRequest", PORTAL_PENDING_SIZE);
	put_limit(out, "Pending", PORTAL_PENDING_MAX);
	put_limit(out, "PendingOfAddress", PORTAL_PENDING_ADDRESS);
	put_limit(out, "PendingOfAddressInAll", PORTAL_PENDING_ORIGIN);
	put_limit(out, "PendingInAll", PORTAL_PENDING_ALL);
	put_limit(out, "Results", PORTAL_RESULTS_MAX);
	put_limit(out, "Result", PORTAL_RESULT_SIZE);
	put_limit(out, "Accounts", PORTAL_ACCOUNTS_MAX);
	put_limit(out, "Profiles", s->p->max_profiles);
	put_limit(out, "Size", s->p->max_size);
	put_limit(out, "Waiting", PORTAL_WAITING_MAX);
	put_limit(out, "Identifiers", MK_CHANGES_IDS);
	put_limit(out, "Wait", MK_CHANGES_WAIT);
	put_limit(out, "Slack", MK_REQUEST_SLACK);
	mk_buf_putc(out, '}');
	portal_answer_end(s);
}

/* The reply is the set itself: it begins with {"GetResponse". */
static void
answer_set(struct portal_serving *s, const struct mk_udf *udf, int status)
{
	struct portal_profile profile;
	uint64_t length;
	int r;

	r = portal_store_length(s->p->store, udf, &length, &s->why);
	if (r == MK_E_ABSENT) {
		portal_answer(s, 404, "there is no such profile");
		return;
	}
	/* Before it is read: a large one costs as much as many small ones. */
	if (r == 0 && length >= PORTAL_PRICE_ANSWER &&
	    portal_pace(s, PORTAL_RATE_READ,
	    (unsigned)(length / PORTAL_PRICE_ANSWER)) != 0) {
		s->reply->cacheable = false;
		return;
	}
	if (r == 0)
		r = portal_store_set(s->p->store, s->a, udf, &profile,
		    &s->why);
	if (r == 0) {
		mk_buf_put(&s->reply->text, profile.set, profile.set_len);
		r = mk_buf_check(&s->reply->text, &s->why, "answer");
	}
	if (r != 0) {
		portal_answer_error(s, MK_E_SYSTEM, 503);
		return;
	}
	s->reply->status = status;
	s->reply->etag[0] = '"';
	(void)sodium_bin2hex(s->reply->etag + 1, sizeof(s->reply->etag) - 1,
	    profile.digest, MK_DIGEST);
	(void)strcat(s->reply->etag, "\"");
}

static void
answer_account(struct portal_serving *s, int status)
{
	struct portal_account account;
	int r;

	r = portal_store_account(s->p->store, &s->req.account, &account,
	    &s->why);
	if (r == MK_E_ABSENT || (r == 0 && account.closed))
		portal_answer(s, 404, "there is no such account");
	else if (r != 0)
		portal_answer_error(s, r, 503);
	else
		answer_set(s, &account.udf, status);
}

void
portal_get(struct portal_serving *s)
{
	if (s->req.has_udf)
		answer_set(s, &s->req.udf, 201);
	else
		answer_account(s, 201);
	s->reply->etag[0] = '\0';
}

/* What the path names: a fingerprint or an account. */
static bool
read_path(const char *path, struct mk_request *req)
{
	size_t len = strlen(path), tail = strlen(JSON);

	if (len < tail || strcmp(path + len - tail, JSON) != 0)
		return false;
	len -= tail;
	if (strncmp(path, ACCOUNT, strlen(ACCOUNT)) == 0) {
		req->has_account = mk_account_from_url(path +
		    strlen(ACCOUNT), len - strlen(ACCOUNT), &req->account);
		return req->has_account;
	}
	req->has_udf = mk_udf_parse(path, len, &req->udf);
	return req->has_udf;
}

void
portal_read(struct portal *p, struct mk_arena *a, const char *path,
    const struct portal_call *call, struct portal_reply *ret_reply)
{
	struct mk_arena own;
	struct portal_serving s = { .p = p, .a = &own, .out = a,
	    .call = call, .req = { .what = MK_GET }, .reply = ret_reply };

	portal_serving_begin(&s);
	ret_reply->cacheable = true;
	if (portal_pace(&s, PORTAL_RATE_READ, 1) != 0)
		ret_reply->cacheable = false;
	else if (!read_path(path, &s.req))
		portal_answer(&s, 404, "there is nothing of that name");
	else if (s.req.has_udf)
		answer_set(&s, &s.req.udf, 200);
	else
		answer_account(&s, 200);
	portal_serving_end(&s, "read");
}

/* Those that changed behind 'since', and those that are not here. */
static int
find_changed(struct portal_serving *s, uint64_t since, struct mk_buf *names)
{
	uint64_t change;
	size_t i;
	int r;

	for (i = 0; i < s->req.n_udfs; i++) {
		r = portal_store_change(s->p->store, &s->req.udfs[i],
		    &change, &s->why);
		if (r != 0 && r != MK_E_ABSENT)
			return r;
		if (r == 0 && change <= since)
			continue;
		mk_changes_add(&s->req.udfs[i], names);
	}
	return mk_buf_check(names, &s->why, "changes");
}

static void
answer_changes(struct portal_serving *s, bool reset,
    const struct mk_buf *names)
{
	const char *id = portal_store_id(s->p->store);
	struct mk_buf *out = portal_answer_begin(s, 201);

	mk_buf_putc(out, ',');
	mk_put_text(out, "Store", id, strlen(id));
	mk_buf_puts(out, ",\"Next\":");
	mk_buf_putu(out, portal_store_last(s->p->store));
	mk_buf_puts(out, reset ? ",\"Reset\":true" : ",\"Reset\":false");
	mk_buf_puts(out, ",\"Identifiers\":");
	mk_buf_put(out, names->data, names->len);
	mk_buf_putc(out, ']');
	portal_answer_end(s);
}

/* To be asked again: the fingerprints are all that is kept of it. */
static void
let_wait(struct portal_serving *s)
{
	struct mk_udf *udfs;

	udfs = mk_arena_array(s->out, s->req.n_udfs, sizeof(*udfs));
	if (udfs == NULL) {
		(void)mk_arena_fail(s->out, &s->why);
		portal_answer_error(s, MK_E_SYSTEM, 503);
		return;
	}
	memcpy(udfs, s->req.udfs, s->req.n_udfs * sizeof(*udfs));
	s->reply->waits = true;
	s->reply->wait = s->req.wait;
	s->reply->udfs = udfs;
	s->reply->n_udfs = s->req.n_udfs;
}

void
portal_changes(struct portal_serving *s)
{
	uint64_t last = portal_store_last(s->p->store);
	/* Another row of changes, or one that went back: nothing that was
	   told before counts, and all is asked for anew. */
	bool reset = strcmp(s->req.store, portal_store_id(s->p->store)) !=
	    0 || s->req.since > last;
	struct mk_buf names;
	int r;

	mk_buf_init(&names, MK_CHANGES_MAX);
	mk_buf_putc(&names, '[');
	r = portal_store_look(s->p->store, &s->why);
	if (r == 0) {
		r = find_changed(s, reset ? last : s->req.since, &names);
		portal_store_rollback(s->p->store);
	}
	if (r != 0)
		portal_answer_error(s, MK_E_SYSTEM, 503);
	else if (!reset && names.len == 1 && s->req.wait > 0 &&
	    s->req.n_udfs > 0 && !s->again)
		let_wait(s);
	else
		answer_changes(s, reset, &names);
	mk_buf_release(&names);
}
