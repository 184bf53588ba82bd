/* SPDX-License-Identifier: ISC */
/*
 * Jobs, from their start to their end.  Portals on the network are asked
 * through the fetching process, a bounded number at a time; directories are
 * read here.  Nothing of a set is held for a job that is not under way, so
 * memory does not grow with the number of profiles.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/refresh.h"
#include "core/buf.h"
#include "edge/log.h"
#include "edge/portal_dir.h"

#define HTTP_OK			200
#define HTTP_CREATED		201
#define HTTP_NOT_MODIFIED	304
#define HTTP_BAD_REQUEST	400
#define HTTP_NOT_FOUND		404
#define HTTP_NO_METHOD		405
#define HTTP_TOO_MANY		429
#define HTTP_SERVER_ERROR	500
#define HTTP_NOT_IMPLEMENTED	501

/* Ends a job by a code: what must stay out is no failure of the portal. */
static void
end_by_code(struct refresh *r, struct refresh_job *job, int code,
    const struct mk_why *why)
{
	refresh_end(r, job, code == MK_E_REFUSED ? REFRESH_REFUSED :
	    REFRESH_FAILED, why);
}

static void
fail_job(struct refresh *r, struct refresh_job *job, const char *what)
{
	struct mk_why why;

	(void)mk_fail(&why, MK_E_STALE, "portal", "%s", what);
	refresh_end(r, job, REFRESH_FAILED, &why);
}

static void
fail_portal(struct refresh *r, struct refresh_job *job, const char *what)
{
	struct mk_why why;

	(void)mk_fail(&why, MK_E_STALE, "portal", "%s", what);
	refresh_end_portal(r, job, &why);
}

/*
 * A page for people instead of a set is the portal's mistake, or that of a
 * network that wants a login; nobody has forged anything.
 */
static bool
looks_like_a_set(const struct mk_bytes *set)
{
	size_t i;

	for (i = 0; i < set->len; i++) {
		if (set->data[i] == '\0' ||
		    strchr(" \t\r\n", set->data[i]) == NULL)
			return set->data[i] == '{';
	}
	return false;
}

static void
take_set(struct refresh *r, struct refresh_job *job,
    const struct mk_offered_set *offered)
{
	struct keep_taken taken;
	struct mk_why why;
	int e;

	if (!looks_like_a_set(&offered->set)) {
		fail_job(r, job, "what the portal sent is no profile set");
		return;
	}
	e = keep_take(&r->keep, &job->profile->udf, offered, &taken, &why);
	if (e != 0) {
		end_by_code(r, job, e, &why);
		return;
	}
	job->mark = taken.mark;
	refresh_end(r, job, taken.news == MK_NEWS_SAME ? REFRESH_CURRENT :
	    REFRESH_UPDATED, NULL);
}

/* What is taken or confirmed has raised the memory already. */
static void
read_directory(struct refresh *r, struct refresh_job *job)
{
	struct mk_portal_dir portal = { .root = &r->keep.root,
	    .path = mk_portal_dir(job->portal->url),
	    .max = r->keep.config.max_set };
	struct mk_offered_set offered = { 0 };
	struct keep_question question = { 0 };
	struct mk_file file;
	struct mk_why why;
	int e;

	e = mk_portal_dir_read(&portal, &job->profile->udf, &file, &why);
	if (e == 0) {
		offered.set = (struct mk_bytes){ file.data, file.len };
		take_set(r, job, &offered);
		mk_file_release(&file);
	} else {
		job->absent = e == MK_E_ABSENT;
		refresh_end(r, job, REFRESH_FAILED, &why);
	}
	/* The lock was waited for already. */
	if (job->result != REFRESH_CURRENT && job->result != REFRESH_UPDATED &&
	    refresh_now() >= r->held_up && keep_raise(&r->keep,
	    &job->profile->udf, &question, &why) == 0)
		free(question.etag);
}

static void
send_request(struct refresh *r, struct refresh_job *job, const char *etag)
{
	struct mk_fetch_request request = { .etag = etag };
	struct mk_buf url, body;
	struct mk_why why;
	int e;

	mk_buf_init(&url, MK_FETCH_URL);
	mk_buf_init(&body, MK_FETCH_POST);
	if (job->posted) {
		mk_portal_post_url(job->portal->url, &url);
		mk_portal_get(&job->profile->udf, &body);
		request.post = body.data;
	} else {
		mk_portal_url(job->portal->url, &job->profile->udf, &url);
	}
	request.id = refresh_id(r, (size_t)(job - r->work.jobs));
	request.url = url.data;
	if ((e = mk_buf_check(&url, &why, "portal")) == 0 &&
	    (e = mk_buf_check(&body, &why, "portal")) == 0)
		e = mk_courier_send(&r->courier, &request, &why);
	mk_buf_release(&url);
	mk_buf_release(&body);
	if (e != 0) {
		/* Half of a frame may be sent: nothing can follow it. */
		r->broken |= e == MK_E_SYSTEM;
		refresh_end(r, job, REFRESH_FAILED, &why);
		return;
	}
	job->asked_with_etag = etag != NULL;
	job->asked_epoch = refresh_feed_epoch(job);
	job->under_way = true;
	job->portal->under_way++;
	r->under_way++;
}

/* Whoever has named her waits for the set that nothing can fetch. */
static void
end_without_portal(struct refresh *r, struct refresh_job *job)
{
	char udf[MK_UDF_TEXT + 1];

	if (r->n_names > 0) {
		mk_udf_format(&job->profile->udf, udf);
		mk_log(LOG_NOTICE, "portal: none is configured for %s: "
		    "meshkeys.conf needs a line 'portal URL'; "
		    "event=refresh.portal", udf);
	}
	refresh_end(r, job, REFRESH_NO_PORTAL, NULL);
}

void
refresh_start(struct refresh *r, struct refresh_job *job)
{
	struct keep_question question = { 0 };
	struct mk_why why;
	int e;

	job->posted = job->named_again = false;
	job->asked_named = job->changed;
	if (job->portal != NULL && job->portal->kind == MK_PORTAL_FILE) {
		read_directory(r, job);
		return;
	}
	e = keep_raise(&r->keep, &job->profile->udf, &question, &why);
	job->mark = question.mark;
	if (e != 0)
		end_by_code(r, job, e, &why);
	else if (job->portal == NULL)
		end_without_portal(r, job);
	else
		send_request(r, job, question.etag);
	free(question.etag);
}

static void
take_confirmation(struct refresh *r, struct refresh_job *job)
{
	struct mk_why why;
	int e;

	if (!job->asked_with_etag) {
		fail_job(r, job, "the portal confirms what was not asked");
		return;
	}
	e = keep_confirm(&r->keep, &job->profile->udf, &job->mark, &why);
	if (e == 0)
		refresh_end(r, job, REFRESH_CURRENT, NULL);
	else
		end_by_code(r, job, e, &why);
}

/* A server that has no such file may still know the transaction. */
static bool
may_post(const struct refresh_job *job, int status)
{
	return !job->posted && (status == HTTP_NOT_FOUND ||
	    status == HTTP_NO_METHOD || status == HTTP_NOT_IMPLEMENTED);
}

static void
take_failure(struct refresh *r, struct refresh_job *job, int status)
{
	struct mk_why why;

	/*
	 * What has neither the file nor the transaction is a web server,
	 * and says so in many ways.
	 */
	if (status == HTTP_NOT_FOUND || (job->posted &&
	    status != HTTP_TOO_MANY && ((status >= HTTP_BAD_REQUEST &&
	    status < HTTP_SERVER_ERROR) || status == HTTP_NOT_IMPLEMENTED))) {
		job->absent = true;
		(void)mk_fail(&why, MK_E_STALE, "portal",
		    "no such profile at '%s'", job->portal->url);
		refresh_end(r, job, REFRESH_FAILED, &why);
		return;
	}
	(void)mk_fail(&why, MK_E_STALE, "portal", "HTTP status %d", status);
	if (status >= HTTP_SERVER_ERROR || status == HTTP_TOO_MANY)
		refresh_end_portal(r, job, &why);
	else
		refresh_end(r, job, REFRESH_FAILED, &why);
}

static void
take_status(struct refresh *r, struct refresh_job *job,
    const struct mk_fetch_answer *answer)
{
	struct mk_offered_set offered = { .set = { answer->body,
	    answer->len }, .etag = job->posted ? NULL : answer->etag };
	int status = answer->status;

	if (status == HTTP_OK || (job->posted && status == HTTP_CREATED)) {
		take_set(r, job, &offered);
	} else if (status == HTTP_NOT_MODIFIED) {
		take_confirmation(r, job);
	} else if (may_post(job, status)) {
		job->posted = true;
		send_request(r, job, NULL);
	} else {
		take_failure(r, job, status);
	}
}

static void
take_answer(struct refresh *r, const struct mk_fetch_answer *answer)
{
	struct refresh_job *job;
	size_t index;

	r->heard++;
	if (r->under_way > 0)
		r->under_way--;
	/* An answer to a question that nobody asked, or not of this work. */
	if (!refresh_id_is_ours(r, answer->id, r->work.n_jobs, &index) ||
	    !r->work.jobs[index].under_way)
		return;
	job = &r->work.jobs[index];
	job->under_way = false;
	job->portal->under_way--;
	job->portal->down = answer->outcome == MK_FETCH_FAILED ||
	    answer->outcome == MK_FETCH_TIMEOUT;
	if (answer->outcome == MK_FETCH_DONE)
		take_status(r, job, answer);
	else if (answer->outcome == MK_FETCH_TOO_BIG)
		fail_job(r, job, "more bytes than are allowed");
	else
		fail_portal(r, job, answer->error != NULL ? answer->error :
		    "no answer");
}

/*
 * No portal has more than its share of the window, and one that does not
 * answer has a single place, or the requests that wait for a slow one would
 * keep out those of all others.
 */
bool
refresh_has_place(const struct refresh *r,
    const struct refresh_portal *portal, bool named)
{
	size_t most = portal->down ? 1 : REFRESH_PER_PORTAL;

	return portal->under_way < most && r->under_way <
	    (size_t)(REFRESH_WINDOW - (named ? 0 : REFRESH_FOR_NAMED));
}

int
refresh_receive(struct refresh *r, int ms, struct mk_why *why)
{
	struct mk_fetch_answer answer;
	int e;

	e = mk_courier_receive(&r->courier, ms, &answer, why);
	if (e != 0)
		return e;
	take_answer(r, &answer);
	mk_courier_release(&answer);
	return 0;
}

static bool
in_time(const struct refresh *r)
{
	return refresh_now() - r->begun < REFRESH_SECONDS * 1000;
}

/*
 * Where a run begins changes from run to run, so that a deadline does not
 * always cut off the same profiles.
 */
static void
shuffle(struct refresh *r)
{
	struct refresh_work *work = &r->work;
	struct refresh_portal *p;
	size_t i;

	for (i = 0; i < work->n_portals; i++) {
		p = &work->portals[i];
		p->begin = randombytes_uniform((uint32_t)p->n);
	}
	r->turn = work->n_portals == 0 ? 0 :
	    randombytes_uniform((uint32_t)work->n_portals);
}

/* The next job, or NULL for now.  Portals take turns. */
static struct refresh_job *
next_job(struct refresh *r)
{
	struct refresh_work *work = &r->work;
	struct refresh_portal *p;
	size_t i;

	for (i = 0; i < work->n_portals; i++) {
		p = &work->portals[r->turn];
		r->turn = (r->turn + 1) % work->n_portals;
		if (p->started < p->n && refresh_has_place(r, p, true))
			return work->by_portal[p->first +
			    (p->begin + p->started++) % p->n];
	}
	return NULL;
}

/* As many as there are places for. */
static int
start_more(struct refresh *r, bool *ret_started, struct mk_why *why)
{
	struct refresh_job *job;
	int n;

	*ret_started = false;
	for (n = 0; n < REFRESH_WINDOW && in_time(r) &&
	    (job = next_job(r)) != NULL; n++) {
		*ret_started = true;
		refresh_start(r, job);
		if (r->broken)
			return mk_fail(why, MK_E_SYSTEM, "courier",
			    "the fetching process does not read");
	}
	return 0;
}

static int
work(struct refresh *r, struct mk_why *why)
{
	bool started = true;
	size_t i;
	int e = 0;

	shuffle(r);
	for (i = 0; i < r->work.n_jobs && in_time(r); i++) {
		if (r->work.jobs[i].portal == NULL)
			refresh_start(r, &r->work.jobs[i]);
	}
	while (e == 0 && (started || r->under_way > 0) && in_time(r)) {
		e = start_more(r, &started, why);
		refresh_progress(r);
		if (e == 0 && r->under_way > 0)
			e = refresh_receive(r, 500, why);
		if (e == MK_E_ABSENT)
			e = 0;
	}
	refresh_progress(r);
	return e;
}

int
refresh_once(struct refresh *r, struct mk_why *why)
{
	const char *what = "the time of this run was over";
	size_t i;
	int e;

	e = work(r, why);
	if (e != 0)
		what = "the fetching process is gone";
	for (i = 0; i < r->work.n_jobs; i++) {
		if (r->work.jobs[i].result == REFRESH_WAITING)
			fail_job(r, &r->work.jobs[i], what);
	}
	return e;
}
