/* SPDX-License-Identifier: ISC */
/*
 * Accounts and the profiles that they name.  An account is a name for a
 * fingerprint, given to whoever comes first; it never says who somebody is.
 */
#include "cmd/meshportal.h"
#include "core/members.h"
#include "edge/log.h"

#define TELL	60000	/* milliseconds between two lines: strangers ask */

/* What a set is, against the one that is stored. */
struct verdict {
	bool store;			/* newer */
	unsigned tokens;		/* for what it is larger */
};

static void
put_account(const struct portal_serving *s, struct mk_buf *out)
{
	struct portal_account account;
	struct mk_why why;
	const char *reason = NULL;
	int r;

	if (!s->req.has_account)
		reason = "not the name of an account";
	else if ((r = portal_store_account(s->p->store, &s->req.account,
	    &account, &why)) == 0)
		reason = account.closed ? "reserved" : "taken";
	else if (r != MK_E_ABSENT)
		reason = "the portal cannot tell now";
	mk_buf_puts(out, reason == NULL ? ",\"Valid\":true" :
	    ",\"Valid\":false,\"Reason\":\"");
	if (reason != NULL) {
		mk_buf_puts(out, reason);
		mk_buf_putc(out, '"');
	}
}

void
portal_validate(struct portal_serving *s)
{
	put_account(s, portal_answer_begin(s, 201));
	portal_answer_end(s);
}

/* Whether the name may become, or is, one of the profile. */
static int
check_name(struct portal_serving *s, bool *ret_is_new)
{
	struct portal_accounts n;
	struct portal_account account;
	int r;

	r = portal_store_account(s->p->store, &s->req.account, &account,
	    &s->why);
	*ret_is_new = r == MK_E_ABSENT;
	/* Reserved or not, a name stays with its master. */
	if (r == 0 && mk_udf_cmp(&account.udf, &s->set.profile.udf) != 0)
		return mk_fail(&s->why, MK_E_REFUSED, "account",
		    "the name is taken");
	if (r != MK_E_ABSENT)
		return r;
	if ((r = portal_store_accounts(s->p->store, &s->set.profile.udf, &n,
	    &s->why)) != 0)
		return r;
	if (n.open + n.closed >= PORTAL_ACCOUNTS_MAX)
		return mk_fail(&s->why, MK_E_REFUSED, "account",
		    "over the limit of %u accounts of one profile",
		    PORTAL_ACCOUNTS_MAX);
	return n.all < s->p->max_profiles ? 0 : mk_fail(&s->why,
	    MK_E_TOOBIG, "account", "there is no room for more accounts");
}

/*
 * What is stored is paid by what it adds, in steps, so that neither many
 * profiles nor one that grows fills the disk; *ret_tokens is for the steps.
 */
static int
check_size(struct portal_serving *s, uint64_t old, unsigned *ret_tokens)
{
	uint64_t len = s->set.profile.set_len, size;
	uint64_t steps = len / PORTAL_PRICE_KEEP;
	uint64_t had = old / PORTAL_PRICE_KEEP;
	int r;

	*ret_tokens = steps > had ? (unsigned)(steps - had) : 0;
	if (len <= old || (old > 0 && len <= PORTAL_SIZE_FREE))
		return 0;
	if ((r = portal_store_size(s->p->store, &size, &s->why)) != 0)
		return r;
	/* A deletion gets through, as it makes no set much larger. */
	return size < s->p->max_size ? 0 : mk_fail(&s->why, MK_E_TOOBIG,
	    "store", "there is no room for more or larger sets");
}

/* The set against the one that is stored; what is to become of it. */
static int
check_version(struct portal_serving *s, struct verdict *ret_verdict)
{
	struct verdict v = { 0 };
	uint64_t old_len = 0;
	enum portal_order order = PORTAL_NEWER;
	struct portal_profile old;
	uint64_t n;
	int r;

	r = portal_store_profile(s->p->store, s->a, &s->set.profile.udf,
	    &old, &s->why);
	if (r == 0)
		r = portal_set_judge(&old, &s->set, &order, &s->why);
	else if (r == MK_E_ABSENT && (r = portal_store_profiles(s->p->store,
	    &n, &s->why)) == 0 && n >= s->p->max_profiles)
		r = mk_fail(&s->why, MK_E_TOOBIG, "account",
		    "there is no room for more profiles");
	if (r != 0 || order != PORTAL_NEWER)
		goto out;
	r = portal_store_length(s->p->store, &s->set.profile.udf, &old_len,
	    &s->why);
	if (r == 0 || r == MK_E_ABSENT)
		r = check_size(s, old_len, &v.tokens);
	v.store = true;
out:
	if (r == 0)
		*ret_verdict = v;
	return r;
}

/* A conflict, or nowhere to put it. */
static void
answer_verdict(struct portal_serving *s, int r)
{
	if (r != MK_E_TOOBIG) {
		portal_answer_error(s, r, 409);
		return;
	}
	if (s->call->ticks >= s->p->told_full) {
		mk_log(LOG_WARNING, "%s; event=portal.full", s->why.detail);
		s->p->told_full = s->call->ticks + TELL;
	}
	portal_answer(s, 503, s->why.detail);
}

/* The room for a new account, and for what the set has grown by. */
static int
pay(struct portal_serving *s, const struct verdict *v, bool is_new)
{
	unsigned tokens = v->tokens + (is_new ? 1 : 0);

	return tokens == 0 ? 0 : portal_pace(s, PORTAL_RATE_CREATE, tokens);
}

/* After all checks: what is refused leaves no nonce of a stranger's. */
static void
store_account(struct portal_serving *s, bool store)
{
	struct portal_account account = { .name = s->req.account,
	    .udf = s->set.profile.udf };
	int r;

	if (portal_burn(s) != 0)
		return;
	if ((store && (r = portal_store_put(s->p->store,
	    &s->set.profile, &s->why)) != 0) ||
	    (r = portal_store_put_account(s->p->store, &account,
	    &s->why)) != 0) {
		portal_answer_error(s, r, 503);
		return;
	}
	s->changed = store;
	s->told = true;
	portal_answer(s, 201, "done");
}

void
portal_create(struct portal_serving *s)
{
	struct verdict v = { 0 };
	bool is_new = false;
	int r;

	if (portal_check_signed(s, &s->set.profile) != 0)
		return;
	if ((r = check_name(s, &is_new)) == 0)
		r = check_version(s, &v);
	if (r != 0)
		answer_verdict(s, r);
	else if (pay(s, &v, is_new) == 0)
		store_account(s, v.store);
}

void
portal_delete(struct portal_serving *s)
{
	struct portal_account account = { .name = s->req.account,
	    .closed = true };
	struct portal_profile profile;
	int r;

	if (portal_admit(s, &profile) != 0)
		return;
	account.udf = profile.udf;
	if ((r = portal_store_put_account(s->p->store, &account,
	    &s->why)) != 0 ||
	    (r = portal_store_drop_queue(s->p->store, &s->req.account,
	    &s->why)) != 0)
		portal_answer_error(s, r, 503);
	else
		portal_answer(s, 201, "done");
	s->told = r == 0;
}

/* Whose the entries say that they are; nothing is proved by it. */
static bool
claimed(const struct mk_json *entries, struct mk_udf *ret_udf)
{
	const struct mk_json *e, *personal, *id;

	for (e = entries->child; e != NULL; e = e->next) {
		personal = e->type == MK_JSON_OBJECT ?
		    mk_json_member(e, "SignedPersonalProfile") : NULL;
		id = personal != NULL && personal->type == MK_JSON_OBJECT ?
		    mk_json_member(personal, "Identifier") : NULL;
		if (id != NULL && id->type == MK_JSON_STRING)
			return mk_udf_parse(id->str, id->len, ret_udf);
	}
	return false;
}

static int
check_known(struct portal_serving *s, const struct mk_udf *udf)
{
	struct portal_accounts n;
	int r;

	r = portal_store_accounts(s->p->store, udf, &n, &s->why);
	if (r != 0) {
		portal_answer_error(s, r, 503);
	} else if (n.open == 0) {
		portal_answer(s, 404, "no account here has that profile");
		r = MK_E_ABSENT;
	}
	return r;
}

int
portal_publish_known(struct portal_serving *s)
{
	struct mk_udf udf;

	/* What does not even say so is refused when it is read. */
	return claimed(s->req.entries, &udf) ? check_known(s, &udf) : 0;
}

void
portal_publish(struct portal_serving *s)
{
	struct verdict v = { 0 };
	char udf[MK_UDF_TEXT + 1];
	int r;

	if (check_known(s, &s->set.profile.udf) != 0)
		return;
	mk_udf_format(&s->set.profile.udf, udf);
	r = check_version(s, &v);
	if (r != 0) {
		answer_verdict(s, r);
		return;
	}
	/* The owner pays for what is new; anybody can repeat the rest. */
	if (v.store && (portal_pace_account(s, udf) != 0 ||
	    pay(s, &v, false) != 0))
		return;
	if (v.store && (r = portal_store_put(s->p->store,
	    &s->set.profile, &s->why)) != 0) {
		portal_answer_error(s, r, 503);
		return;
	}
	s->changed = s->told = v.store;
	portal_answer(s, 201, "done");
}
