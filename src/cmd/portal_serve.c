/* SPDX-License-Identifier: ISC */
/*
 * From the bytes of a request to the bytes of an answer: how often, of which
 * form, by whom, and then the one transaction that it is.
 *
 * The order keeps strangers cheap: an address pays before its bytes are
 * parsed, a set is verified before the store is touched, a signature is
 * checked before its nonce is stored, and an account pays only for what its
 * owner has signed.  A change is one transaction of the store with the nonce
 * in it; whatever is refused leaves no more than a nonce.
 */
#include <string.h>

#include "cmd/meshportal.h"

static const struct service {
	void (*serve)(struct portal_serving *);
	const char *event;
	enum portal_rate rate;
	bool has_set;
	bool writes;
} services[MK_TRANSACTIONS] = {
	[MK_HELLO] = { portal_hello, "hello", PORTAL_RATE_READ,
	    false, false },
	[MK_VALIDATE_ACCOUNT] = { portal_validate, "validate-account",
	    PORTAL_RATE_READ, false, false },
	[MK_CREATE_ACCOUNT] = { portal_create, "create-account",
	    PORTAL_RATE_WRITE, true, true },
	[MK_DELETE_ACCOUNT] = { portal_delete, "delete-account",
	    PORTAL_RATE_WRITE, false, true },
	[MK_GET] = { portal_get, "get", PORTAL_RATE_READ, false, false },
	[MK_PUBLISH] = { portal_publish, "publish", PORTAL_RATE_WRITE,
	    true, true },
	[MK_CONNECT_START] = { portal_connect_start, "connect-start",
	    PORTAL_RATE_WRITE, false, true },
	[MK_CONNECT_PENDING] = { portal_connect_pending, "connect-pending",
	    PORTAL_RATE_WRITE, false, true },
	[MK_CONNECT_COMPLETE] = { portal_connect_complete,
	    "connect-complete", PORTAL_RATE_WRITE, false, true },
	[MK_CONNECT_STATUS] = { portal_connect_status, "connect-status",
	    PORTAL_RATE_READ, false, false },
	[MK_CHANGES] = { portal_changes, "changes", PORTAL_RATE_READ,
	    false, false }
};

/* Seconds to wait. */
static unsigned
take_tokens(const struct portal_serving *s, enum portal_rate rate,
    const char *who, unsigned tokens)
{
	const struct portal_toll toll = { rate, who, tokens };

	return s->p->limits == NULL ? 0 : portal_limits_take(s->p->limits,
	    &toll, s->call->ticks);
}

/* What it costs to parse and verify grows with the bytes. */
static unsigned
price_of(const struct portal_call *call, enum portal_rate rate)
{
	return 1 + (unsigned)(call->body.len / (rate == PORTAL_RATE_READ ?
	    PORTAL_PRICE_READ : PORTAL_PRICE_WRITE));
}

int
portal_pace(struct portal_serving *s, enum portal_rate rate,
    unsigned tokens)
{
	unsigned wait = take_tokens(s, rate, s->call->address, tokens);

	if (wait == 0)
		return 0;
	portal_answer_later(s, wait, "too many requests from this address");
	return MK_E_REFUSED;
}

int
portal_pace_account(struct portal_serving *s, const char *who)
{
	unsigned wait = take_tokens(s, PORTAL_RATE_WRITE, who, 1);

	if (wait == 0)
		return 0;
	portal_answer_later(s, wait, "too many requests of this account");
	return MK_E_REFUSED;
}

int
portal_find(struct portal_serving *s, struct portal_profile *ret_profile)
{
	struct portal_account account;
	int r;

	r = portal_store_account(s->p->store, &s->req.account, &account,
	    &s->why);
	if (r == MK_E_ABSENT || (r == 0 && account.closed)) {
		portal_answer(s, 404, "there is no such account");
		return MK_E_ABSENT;
	}
	if (r == 0 && ret_profile != NULL)
		r = portal_store_profile(s->p->store, s->a, &account.udf,
		    ret_profile, &s->why);
	if (r != 0)
		portal_answer_error(s, r, 503);
	return r;
}

static bool
is_ours(const struct portal *p, const char *name)
{
	size_t i;

	for (i = 0; i < p->n_names; i++) {
		if (strcmp(p->names[i].data, name) == 0)
			return true;
	}
	return false;
}

/* Of the profile's online keys the one that the envelope names. */
static int
check_signature(struct portal_serving *s,
    const struct portal_profile *profile)
{
	struct mk_pubkey *keys;
	size_t i;

	keys = mk_arena_array(s->a, profile->n_online, sizeof(*keys));
	if (keys == NULL)
		return mk_arena_fail(s->a, &s->why);
	for (i = 0; i < profile->n_online; i++)
		keys[i] = profile->online[i].key;
	return mk_request_verify(&s->req, keys, profile->n_online, &s->why);
}

int
portal_check_signed(struct portal_serving *s,
    const struct portal_profile *profile)
{
	int64_t ahead = s->req.sig.time - s->call->now;
	int r;

	r = check_signature(s, profile);
	/* Made for another portal, it says nothing here. */
	if (r == 0 && !is_ours(s->p, s->req.sig.portal))
		r = mk_fail(&s->why, MK_E_REFUSED, "request",
		    "signed for a portal of another name");
	/* Nonces are forgotten after that time. */
	if (r == 0 && (ahead > MK_REQUEST_SLACK || ahead < -MK_REQUEST_SLACK))
		r = mk_fail(&s->why, MK_E_REFUSED, "request", "signed more "
		    "than %d seconds %s the portal's clock",
		    MK_REQUEST_SLACK, ahead > 0 ? "after" : "before");
	if (r != 0)
		portal_answer_error(s, r, 401);
	return r;
}

int
portal_burn(struct portal_serving *s)
{
	int r;

	r = portal_store_nonce(s->p->store, &s->req.sig.envelope.kid,
	    s->req.sig.nonce, s->call->now, &s->why);
	if (r != 0)
		portal_answer_error(s, r, 401);
	return r;
}

int
portal_admit(struct portal_serving *s, struct portal_profile *ret_profile)
{
	struct portal_profile profile;
	int r;

	if ((r = portal_find(s, &profile)) != 0 ||
	    (r = portal_check_signed(s, &profile)) != 0 ||
	    (r = portal_pace_account(s, s->req.account.text)) != 0 ||
	    (r = portal_burn(s)) != 0)
		return r;
	*ret_profile = profile;
	return 0;
}

/* The set as it is to be stored, in 's->a', verified in 'own'. */
static int
read_set(struct portal_serving *s, struct mk_arena *own)
{
	struct mk_bytes set;
	struct mk_buf text;
	int r;

	mk_buf_init(&text, PORTAL_BODY_MAX);
	r = mk_request_set(s->a, &s->req, &text, &s->why);
	if (r == 0 && text.len > MK_SET_MAX) {
		portal_answer(s, 413, "the set is over the limit of 4 MiB");
		r = MK_E_TOOBIG;
		goto out;
	}
	set.len = text.len;
	set.data = NULL;
	if (r == 0) {
		set.data = (uint8_t *)mk_arena_dup(s->a, text.data,
		    text.len);
		if (set.data == NULL)
			r = mk_arena_fail(s->a, &s->why);
	}
	mk_arena_init(own, mk_verify_memory(set.len));
	if (r == 0)
		r = portal_set_read(own, &set, s->call->now, &s->set,
		    &s->why);
	if (r != 0)
		portal_answer_error(s, r, 400);
out:
	mk_buf_release(&text);
	return r;
}

/* What answers with a failure of ours has changed nothing. */
static void
write_in_one(struct portal_serving *s, const struct service *service)
{
	int r;

	r = portal_store_begin(s->p->store, &s->why);
	if (r == 0) {
		service->serve(s);
		if (s->reply->status >= 500)
			r = MK_E_ABSENT;
		else
			r = portal_store_commit(s->p->store, &s->why);
	}
	if (r == 0)
		return;
	portal_store_rollback(s->p->store);
	s->changed = false;
	if (r != MK_E_ABSENT)
		portal_answer_error(s, r, 503);
}

static void
dispatch(struct portal_serving *s, const struct service *service)
{
	struct mk_arena own = { 0 };

	if (!service->has_set && s->call->body.len > PORTAL_REQUEST_MAX) {
		portal_answer(s, 413, "the request is over the limit of "
		    "256 KiB");
		return;
	}
	if (service->rate == PORTAL_RATE_WRITE &&
	    s->call->body.len <= PORTAL_REQUEST_MAX &&
	    portal_pace(s, PORTAL_RATE_WRITE, 1) != 0)
		return;
	if (service->has_set && !s->req.is_signed &&
	    portal_publish_known(s) != 0)
		return;
	if (service->has_set && read_set(s, &own) != 0)
		goto out;
	if (service->writes)
		write_in_one(s, service);
	else
		service->serve(s);
out:
	mk_arena_release(&own);
}

/* The transaction that a body begins with, for the tag of a refusal. */
static bool
guess(const struct mk_bytes *body, enum mk_transaction *ret_what)
{
	const uint8_t *name = memchr(body->data, '"', body->len), *end;
	const char *known;
	size_t len, i;

	if (name == NULL)
		return false;
	name++;
	len = body->len - (size_t)(name - body->data);
	end = memchr(name, '"', len);
	if (end == NULL)
		return false;
	len = (size_t)(end - name);
	for (i = 0; i < MK_TRANSACTIONS; i++) {
		known = mk_transaction_name((enum mk_transaction)i);
		if (strlen(known) == len && memcmp(known, name, len) == 0) {
			*ret_what = (enum mk_transaction)i;
			return true;
		}
	}
	return false;
}

/* The same refusal, under no transaction's name. */
static void
take_tag_off(struct portal_serving *s)
{
	unsigned after = s->reply->retry_after;
	int status = s->reply->status;

	mk_buf_release(&s->reply->text);
	portal_refuse(s->reply, status, status == 400 ? s->why.detail :
	    status == 429 ? "too many requests from this address" :
	    "the portal cannot do this now");
	s->reply->retry_after = after;
}

/* How often, and what it is: all that is done with any bytes. */
static int
admit(struct portal_serving *s)
{
	enum portal_rate rate = s->call->body.len > PORTAL_REQUEST_MAX ?
	    PORTAL_RATE_WRITE : PORTAL_RATE_READ;
	bool known = guess(&s->call->body, &s->req.what);
	int r = 0;

	if (!s->again)
		r = portal_pace(s, rate, price_of(s->call, rate));
	if (r == 0 && (r = mk_request_read(s->a, &s->call->body, &s->req,
	    &s->why)) != 0)
		portal_answer_error(s, r, 400);
	if (r != 0 && !known)
		take_tag_off(s);
	return r;
}

static void
serve(struct portal_serving *s)
{
	const char *event = "request";

	portal_serving_begin(s);
	if (admit(s) == 0) {
		event = services[s->req.what].event;
		dispatch(s, &services[s->req.what]);
	}
	/* Only now: who is woken may ask at once. */
	if (s->changed && s->p->waiting != NULL)
		portal_waiting_changed(s->p->waiting, &s->set.profile.udf);
	portal_serving_end(s, event);
}

void
portal_serve(struct portal *p, struct mk_arena *a,
    const struct portal_call *call, struct portal_reply *ret_reply)
{
	struct mk_arena own;
	struct portal_serving s = { .p = p, .a = &own, .out = a,
	    .call = call, .reply = ret_reply };

	serve(&s);
}

void
portal_serve_changes(struct portal *p, struct mk_arena *a,
    const struct portal_call *call, struct portal_reply *ret_reply)
{
	struct mk_arena own;
	struct portal_serving s = { .p = p, .a = &own, .out = a,
	    .call = call, .reply = ret_reply, .again = true };

	serve(&s);
}
