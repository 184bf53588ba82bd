/* SPDX-License-Identifier: ISC */
/*
 * Answers, and what is told of them in the log: a line with a stable tail.
 * Reading, and what nobody needs to mind, is told at debug only.
 */
#include <stdio.h>
#include <string.h>

#include "cmd/meshportal.h"
#include "core/write.h"
#include "edge/log.h"

#define TAIL_MAX	4096u
#define AGAIN		30u	/* seconds, after a failure of ours */

void
portal_refuse(struct portal_reply *reply, int status,
    const char *description)
{
	memset(reply, 0, sizeof(*reply));
	reply->status = status;
	mk_buf_init(&reply->text, PORTAL_ANSWER_MAX);
	mk_buf_puts(&reply->text, "{\"ErrorResponse\":{\"Status\":");
	mk_buf_putu(&reply->text, (uint64_t)status);
	mk_buf_putc(&reply->text, ',');
	mk_put_text(&reply->text, "StatusDescription", description,
	    strlen(description));
	mk_buf_puts(&reply->text, "}}");
}

struct mk_buf *
portal_answer_begin(struct portal_serving *s, int status)
{
	mk_buf_cut(&s->reply->text, 0);
	s->reply->status = status;
	mk_response_begin(s->req.what, status, "done", &s->reply->text);
	return &s->reply->text;
}

void
portal_answer_end(struct portal_serving *s)
{
	int e;

	mk_response_end(&s->reply->text);
	e = mk_buf_check(&s->reply->text, &s->why, "answer");
	if (e != 0)
		portal_answer_error(s, MK_E_SYSTEM, 0);
}

void
portal_answer(struct portal_serving *s, int status, const char *description)
{
	struct mk_buf *text = &s->reply->text;

	/* A text that failed stays so; this one is short. */
	mk_buf_release(text);
	mk_buf_init(text, PORTAL_ANSWER_MAX);
	s->reply->status = status;
	mk_response_begin(s->req.what, status, description, text);
	mk_response_end(text);
}

void
portal_answer_later(struct portal_serving *s, unsigned seconds,
    const char *description)
{
	portal_answer(s, 429, description);
	s->reply->retry_after = seconds;
}

void
portal_answer_error(struct portal_serving *s, int e, int refused)
{
	if (e == MK_E_REFUSED) {
		portal_answer(s, refused, s->why.detail);
		return;
	}
	mk_log(LOG_ERR, "%s: %s; event=portal.failed", s->why.stage,
	    s->why.detail);
	portal_answer(s, 503, "the portal cannot do this now");
	s->reply->retry_after = AGAIN;
}

void
portal_sweep(struct portal *p, int64_t now, int64_t ticks)
{
	struct mk_why why = { 0 };

	if (portal_store_sweep(p->store, now, ticks, &why) != 0)
		mk_log(LOG_ERR, "%s: %s; event=portal.error", why.stage,
		    why.detail);
}

void
portal_serving_begin(struct portal_serving *s)
{
	struct portal_reply *reply = s->reply;

	memset(reply, 0, sizeof(*reply));
	mk_buf_init(&reply->text, PORTAL_ANSWER_MAX);
	/* For what is sent, and for one set or all that waits. */
	mk_arena_init(s->a, mk_verify_memory(s->call->body.len) +
	    2 * PORTAL_BODY_MAX);
}

/* What changed is told, and what an owner might want to hear of. */
static int
level_of(const struct portal_serving *s)
{
	if (s->reply->status == 401 || s->reply->status == 409)
		return LOG_INFO;
	return s->told ? LOG_INFO : LOG_DEBUG;
}

static void
log_it(const struct portal_serving *s, const char *event)
{
	const struct mk_udf *id = s->set.view != NULL ? &s->set.profile.udf :
	    s->req.has_udf ? &s->req.udf : NULL;
	char name[48], status[16], udf[MK_UDF_TEXT + 1] = "";
	const char *what = "done";
	struct mk_buf tail;

	if (id != NULL)
		mk_udf_format(id, udf);
	(void)snprintf(name, sizeof(name), "portal.%s", event);
	(void)snprintf(status, sizeof(status), "%d", s->reply->status);
	mk_buf_init(&tail, TAIL_MAX);
	mk_log_value(&tail, "event", name);
	mk_log_value(&tail, "status", status);
	mk_log_value(&tail, "udf", id != NULL ? udf : NULL);
	mk_log_value(&tail, "account",
	    s->req.has_account ? s->req.account.text : NULL);
	mk_log_value(&tail, "address", s->call->address);
	if (s->reply->status >= 400)
		what = s->why.code != 0 ? s->why.detail : "refused";
	mk_log(level_of(s), "%s; %s", what,
	    tail.data != NULL ? tail.data : "");
	mk_buf_release(&tail);
}

void
portal_serving_end(struct portal_serving *s, const char *event)
{
	if (!s->reply->waits)
		log_it(s, event);
	mk_arena_release(s->a);
}
