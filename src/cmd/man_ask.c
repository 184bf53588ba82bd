/* SPDX-License-Identifier: ISC */
/*
 * Asking the portal, through the fetching process.  What it answers is
 * never believed; what it says in words is shown cleaned and cut.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/meshman.h"
#include "core/portal.h"
#include "net/discover.h"

#define URL_MAX		4096u
#define LATER_MAX	64u
#define WAIT_MS		180000	/* longer than a transaction may take */

static int
no_portal(struct meshman *m)
{
	return mk_fail(&m->why, MK_E_CONFIG, "portal", "no portal is known: "
	    "the profile has no account; add --portal URL");
}

static int
discover(struct meshman *m)
{
	struct meshman_state *s = &m->state;
	const char *domain = mk_account_domain(&s->account);
	struct mk_why why = { 0 };
	struct mk_buf url;
	int e;

	mk_buf_init(&url, URL_MAX);
	e = mk_discover(domain, &url, &why);
	if (e == 0)
		e = mk_buf_check(&url, &why, "portal");
	if (e != 0)
		e = mk_fail(&m->why, e, "portal", "cannot find the portal "
		    "of '%s': %s; to name it, add --portal URL", domain,
		    why.detail);
	else if ((s->portal = strdup(url.data)) == NULL)
		e = mk_fail(&m->why, MK_E_SYSTEM, "memory", "out of memory");
	else
		s->portal_found = true;
	mk_buf_release(&url);
	return e;
}

/* Only what transactions can be posted to. */
static int
check_portal(struct meshman *m, const char *url)
{
	struct mk_buf name;
	int e;

	mk_buf_init(&name, URL_MAX);
	e = mk_portal_name(url, &name, &m->why);
	mk_buf_release(&name);
	return e;
}

static int
take_option(struct meshman *m)
{
	struct meshman_state *s = &m->state;
	char *url;
	int e;

	if (s->portal != NULL && strcmp(s->portal, m->opt.portal) == 0)
		return 0;
	if ((e = check_portal(m, m->opt.portal)) != 0)
		return e;
	if ((url = strdup(m->opt.portal)) == NULL)
		return mk_fail(&m->why, MK_E_SYSTEM, "memory",
		    "out of memory");
	free(s->portal);
	s->portal = url;
	s->portal_found = false;
	m->portal_new = true;
	return 0;
}

int
meshman_portal(struct meshman *m)
{
	if (m->opt.portal != NULL)
		return take_option(m);
	if (m->state.portal != NULL)
		return 0;
	return m->state.has_account ? discover(m) : no_portal(m);
}

void
meshman_reply_release(struct meshman_reply *reply)
{
	free(reply->text);
	memset(reply, 0, sizeof(*reply));
}

/* Whether it was carried out nobody knows. */
static int
unreachable(struct meshman *m, const char *reason)
{
	return mk_fail(&m->why, MK_E_STALE, "portal", "'%s' gives no answer: "
	    "%s", m->state.portal, reason);
}

static int
take_answer(struct meshman *m, struct mk_fetch_answer *answer,
    struct meshman_reply *ret_reply)
{
	if (m->opt.debug)
		meshman_warn("'%s': status %d, %zu bytes%s%s",
		    m->state.portal, answer->status, answer->len,
		    answer->error != NULL ? ", " : "",
		    answer->error != NULL ? answer->error : "");
	if (answer->outcome != MK_FETCH_DONE)
		return unreachable(m, answer->error);
	ret_reply->status = answer->status;
	ret_reply->retry_after = answer->retry_after;
	ret_reply->text = (uint8_t *)(uintptr_t)answer->body;
	ret_reply->len = answer->len;
	answer->body = NULL;
	return 0;
}

/* One request at a time, so that its answer is the next one. */
static int
exchange(struct meshman *m, const struct mk_fetch_request *req,
    struct meshman_reply *ret_reply)
{
	struct mk_fetch_answer answer;
	int e;

	if (!m->courier_started)
		return mk_fail(&m->why, MK_E_BUG, "courier",
		    "this word has no network");
	if ((e = mk_courier_send(&m->courier, req, &m->why)) != 0)
		return e;
	e = mk_courier_receive(&m->courier, WAIT_MS, &answer, &m->why);
	if (e == MK_E_ABSENT)
		return unreachable(m, "it takes too long");
	if (e != 0)
		return e;
	e = take_answer(m, &answer, ret_reply);
	mk_courier_release(&answer);
	return e;
}

int
meshman_post(struct meshman *m, const struct mk_buf *body,
    struct meshman_reply *ret_reply)
{
	struct mk_fetch_request req = { .id = 1 };
	struct mk_buf url;
	int e;

	if ((e = meshman_portal(m)) != 0 ||
	    (e = mk_buf_check(body, &m->why, "request")) != 0)
		return e;
	mk_buf_init(&url, URL_MAX);
	mk_portal_post_url(m->state.portal, &url);
	if ((e = mk_buf_check(&url, &m->why, "portal")) == 0) {
		req.url = url.data;
		req.post = body->data;
		e = exchange(m, &req, ret_reply);
	}
	mk_buf_release(&url);
	return e;
}

/* When it wants to be asked again, if it said so. */
static const char *
when(const struct meshman_reply *reply, char later[LATER_MAX])
{
	later[0] = '\0';
	if (reply->retry_after > 0)
		(void)snprintf(later, LATER_MAX, "; run it again in %u "
		    "second%s", reply->retry_after,
		    reply->retry_after == 1 ? "" : "s");
	return later;
}

static bool
is_done(int status)
{
	return status >= 200 && status < 300;
}

/* Of HTTP and of the answer, should they differ. */
static int
worse(int a, int b)
{
	if (is_done(a) != is_done(b))
		return is_done(a) ? b : a;
	return a > b ? a : b;
}

static int
code_of(int status)
{
	if (is_done(status))
		return 0;
	/* No portal says so, and nothing was promised. */
	if (status < 400)
		return MK_E_STALE;
	switch (status) {
	case 401:
	case 403:
		return MK_E_PERM;
	case 404:
		return MK_E_NOPROFILE;
	case 409:
		return MESHMAN_E_CONFLICT;
	case 408:
	case 429:
		return MK_E_STALE;
	default:
		return status < 500 ? MK_E_REFUSED : MK_E_STALE;
	}
}

static int
judge(struct meshman *m, const struct meshman_reply *reply, int status,
    const char *description)
{
	char later[LATER_MAX];
	int e = code_of(status);

	if (e == 0)
		return 0;
	return mk_fail(&m->why, e, "portal", "'%s' says %d%s%s%s",
	    m->state.portal, status, description[0] != '\0' ? ": " : "",
	    description, when(reply, later));
}

/* What is no answer of a portal says nothing about the transaction. */
static int
not_an_answer(struct meshman *m, const struct meshman_reply *reply,
    const struct mk_why *why)
{
	char later[LATER_MAX];

	return mk_fail(&m->why, MK_E_STALE, "portal", "'%s' does not answer "
	    "as a portal, with status %d: %s%s", m->state.portal,
	    reply->status, why->detail, when(reply, later));
}

int
meshman_misanswered(struct meshman *m, int e)
{
	struct mk_why why = m->why;

	if (e != MK_E_REFUSED)
		return e;
	return mk_fail(&m->why, MK_E_STALE, "portal", "'%s' does not answer "
	    "as a portal: %s", m->state.portal, why.detail);
}

static int
read_answer(struct meshman *m, const char *transaction,
    const struct meshman_reply *reply, struct mk_arena *a,
    struct mk_answer *ret_answer)
{
	struct mk_why why = { 0 };
	struct mk_bytes text = { .len = reply->len };
	struct mk_answer answer;
	int e;

	text.data = (const uint8_t *)mk_arena_dup(a,
	    (const char *)reply->text, reply->len);
	if (text.data == NULL)
		return meshman_misanswered(m, mk_arena_fail(a, &m->why));
	e = mk_answer_read(a, &text, transaction, &answer, &why);
	if (e == MK_E_SYSTEM)
		return mk_fail(&m->why, e, why.stage, "%s", why.detail);
	if (e != 0)
		return not_an_answer(m, reply, &why);
	e = judge(m, reply, worse(reply->status, answer.status),
	    answer.description);
	if (e == 0)
		*ret_answer = answer;
	return e;
}

int
meshman_transact(struct meshman *m, const char *transaction,
    const struct mk_buf *body, struct mk_arena *a,
    struct mk_answer *ret_answer)
{
	struct meshman_reply reply = { 0 };
	int e;

	if (m->opt.debug)
		meshman_warn("%s, %zu bytes", transaction, body->len);
	if ((e = meshman_post(m, body, &reply)) != 0)
		return e;
	e = read_answer(m, transaction, &reply, a, ret_answer);
	meshman_reply_release(&reply);
	return e;
}

int
meshman_set_refused(struct meshman *m, int e)
{
	struct mk_why why = m->why;

	if (e != MK_E_REFUSED)
		return e;
	return mk_fail(&m->why, e, why.stage, "'%s' sends a set that is "
	    "refused: %s", m->state.portal, why.detail);
}

/* Of a set: there it is, there is none, or who knows. */
static int
judge_get(struct meshman *m, struct meshman_reply *reply)
{
	char later[LATER_MAX];
	int e = 0;

	if (reply->status == 404 || reply->status == 410)
		e = mk_fail(&m->why, MK_E_NOPROFILE, "portal",
		    "'%s' knows no such profile", m->state.portal);
	else if (reply->status != 200 && reply->status != 201)
		e = mk_fail(&m->why, MK_E_STALE, "portal",
		    "'%s' answers with status %d%s", m->state.portal,
		    reply->status, when(reply, later));
	if (e != 0)
		meshman_reply_release(reply);
	return e;
}

static int
get(struct meshman *m, const struct mk_buf *url,
    struct meshman_reply *ret_reply)
{
	struct mk_fetch_request req = { .id = 1, .url = url->data };
	struct meshman_reply reply = { 0 };
	int e;

	if ((e = mk_buf_check(url, &m->why, "portal")) != 0 ||
	    (e = exchange(m, &req, &reply)) != 0 ||
	    (e = judge_get(m, &reply)) != 0)
		return e;
	*ret_reply = reply;
	return 0;
}

int
meshman_get(struct meshman *m, const struct mk_udf *udf,
    struct meshman_reply *ret_reply)
{
	struct mk_buf url;
	int e;

	if ((e = meshman_portal(m)) != 0)
		return e;
	mk_buf_init(&url, URL_MAX);
	mk_portal_url(m->state.portal, udf, &url);
	e = get(m, &url, ret_reply);
	mk_buf_release(&url);
	return e;
}

int
meshman_get_account(struct meshman *m, struct meshman_reply *ret_reply)
{
	struct mk_buf url;
	int e;

	if ((e = meshman_portal(m)) != 0)
		return e;
	mk_buf_init(&url, URL_MAX);
	mk_account_url(m->state.portal, &m->state.account, &url);
	e = get(m, &url, ret_reply);
	mk_buf_release(&url);
	return e;
}

int
meshman_signing(struct meshman *m, const struct mk_secret *online,
    struct mk_buf *name, struct mk_signing *ret_signing)
{
	struct mk_signing s = { .account = &m->state.account,
	    .signer = mk_secret_signer(online), .time = meshman_now() };
	int e;

	if (s.time < 0)
		return mk_fail(&m->why, MK_E_STALE, "clock",
		    "the clock stands before the build of this program");
	if ((e = meshman_portal(m)) != 0 ||
	    (e = mk_portal_name(m->state.portal, name, &m->why)) != 0 ||
	    (e = mk_buf_check(name, &m->why, "portal")) != 0)
		return e;
	s.portal = name->data;
	randombytes_buf(s.nonce, sizeof(s.nonce));
	*ret_signing = s;
	return 0;
}
