/* SPDX-License-Identifier: ISC */
/*
 * What portals tell of changes (the portal protocol, "Changes").  A portal
 * is believed in nothing but that there may be something to fetch, and in
 * its silence: it confirms a set as a 304 does, if the bytes in the cache
 * are those that were taken from this portal after the first word of this
 * feed, and nothing named since is still to be taken.  The epoch of a feed
 * changes with each first word; that of a job says under which one its
 * bytes were taken.
 *
 * A portal that lies can make us ask too often: a poll a second, and what
 * is named in vain again and again is asked for less and less.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/refresh.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/limits.h"
#include "edge/log.h"

#define FEEDS_MAX	32u		/* polls at once, over all portals */
#define POLLS_MAX	MK_COURIER_UNANSWERED /* with those of old work */
#define POLL_GRACE	15u		/* seconds behind the longest wait */
#define PACE		1000		/* milliseconds from poll to poll */
#define HOLD		10000		/* how long jobs wait for a feed */
#define BACK_OFF	1000		/* after the first failure */
#define NONE_AGAIN	3600000		/* a portal without a feed */
#define ARENA		(4u << 20)	/* more than MK_CHANGES_MAX needs */

/*
 * Named in vain so often, and a profile is asked for ever later; then it is
 * left out of the question.  News may come as often before they are paced.
 */
#define VAIN_PACED	2u
#define VAIN_MAX	8u
#define NEWS_PACED	8u
#define NEWS_PAUSE	10000

/* So often may a portal forget its store within REFRESH_POLL. */
#define BEGINNINGS_MAX	4u

enum feed_state {
	FEED_NEW,			/* the first word is still to come */
	FEED_TOLD,			/* it is told of changes */
	FEED_NONE			/* the portal has no feed, or lies */
};

struct refresh_feed {
	struct refresh_portal *portal;
	struct refresh_job **jobs;	/* a stretch of by_portal */
	size_t n;
	enum feed_state state;
	bool under_way;
	char store[MK_CHANGES_STORE + 1];
	uint64_t since;
	unsigned epoch;			/* 0: none */
	unsigned failures;
	int64_t asked, due;		/* refresh_now() */
	int64_t told;			/* when a failure was logged, or 0 */
	int64_t began;			/* its last first word */
	unsigned beginnings;		/* so often, in short order */
};

/* How many feeds the jobs of one portal make. */
static size_t
stretch(const struct refresh_work *work, size_t first)
{
	size_t n = 1;

	while (first + n < work->n_by_portal && n < MK_CHANGES_IDS &&
	    work->by_portal[first + n]->portal ==
	    work->by_portal[first]->portal)
		n++;
	return n;
}

int
refresh_feeds_make(struct refresh_work *work, struct mk_why *why)
{
	struct refresh_feed *feed;
	size_t i, j, n;

	work->feeds = calloc(FEEDS_MAX, sizeof(*work->feeds));
	if (work->feeds == NULL)
		return mk_fail(why, MK_E_SYSTEM, "memory", "out of memory");
	for (i = 0; i < work->n_by_portal; i += n) {
		n = stretch(work, i);
		if (work->by_portal[i]->portal->kind != MK_PORTAL_HTTP ||
		    work->n_feeds == FEEDS_MAX)
			continue;
		feed = &work->feeds[work->n_feeds++];
		feed->portal = work->by_portal[i]->portal;
		feed->jobs = &work->by_portal[i];
		feed->n = n;
		for (j = 0; j < n; j++)
			feed->jobs[j]->feed = feed;
	}
	return 0;
}

/* What an old feed of the same portal knew, and the earliest of them. */
static void
carry_feed(struct refresh *r, struct refresh_feed *feed)
{
	const struct refresh_feed *old;
	size_t i;

	for (i = 0; i < r->work.n_feeds; i++) {
		old = &r->work.feeds[i];
		if (old->state == FEED_NEW ||
		    strcmp(old->portal->url, feed->portal->url) != 0)
			continue;
		if (feed->state == FEED_NEW)
			memcpy(feed->store, old->store, sizeof(feed->store));
		else if (strcmp(feed->store, old->store) != 0)
			continue;
		if (feed->state == FEED_NEW || old->since < feed->since)
			feed->since = old->since;
		feed->state = old->state;
		feed->failures = old->failures;
		feed->told = old->told;
		feed->began = old->began;
		feed->beginnings = old->beginnings;
		if (old->due > feed->due)
			feed->due = old->due;
	}
	if (feed->state == FEED_TOLD)
		feed->epoch = ++r->epochs;
}

/*
 * Jobs that were in time for the old feed are so for the new one; others,
 * those under way among them, are asked for again.
 */
void
refresh_feed_carry(struct refresh_job *job, const struct refresh_job *old)
{
	job->epoch = job->asked_epoch = 0;
	if (old->feed == NULL || job->feed == NULL || job->feed->epoch == 0 ||
	    old->epoch == 0)
		return;
	if (old->under_way || old->epoch != old->feed->epoch ||
	    strcmp(old->feed->store, job->feed->store) != 0)
		job->due = 0;
	else
		job->epoch = job->feed->epoch;
}

void
refresh_feeds_carry(struct refresh *r, struct refresh_work *work)
{
	size_t i;

	for (i = 0; i < work->n_feeds; i++)
		carry_feed(r, &work->feeds[i]);
}

unsigned
refresh_feed_epoch(const struct refresh_job *job)
{
	return job->feed != NULL ? job->feed->epoch : 0;
}

/* What is not there would be named each time. */
static bool
is_left_out(const struct refresh_job *job)
{
	return job->absent || job->vain >= VAIN_MAX;
}

/* How long to wait before what is named is asked for. */
static int64_t
pause_of(const struct refresh_job *job)
{
	if (job->vain > VAIN_PACED)
		return (int64_t)BACK_OFF << job->vain;
	if (job->news > NEWS_PACED)
		return NEWS_PAUSE;
	/* A second look at a portal that fails need not be the next one. */
	return job->failures > 3 ? 8 * BACK_OFF :
	    (int64_t)job->failures * BACK_OFF;
}

/* Twice may be chance, and nothing for a while forgives it all. */
static void
count(struct refresh_job *job, int64_t now)
{
	if (now - job->named >= REFRESH_POLL)
		job->vain = job->news = 0;
	else if (job->asked_named && job->result == REFRESH_CURRENT)
		job->vain += job->vain < VAIN_MAX;
	else if (job->asked_named) {
		job->vain = 0;
		job->news++;
	}
}

static int64_t
interval(const struct refresh_job *job)
{
	if (job->portal->kind == MK_PORTAL_FILE)
		return REFRESH_POLL_FILE;
	return job->feed != NULL && job->feed->state == FEED_TOLD &&
	    job->feed->failures == 0 && !is_left_out(job) ?
	    REFRESH_POLL_TOLD : REFRESH_POLL;
}

int64_t
refresh_feed_ended(struct refresh_job *job, int64_t now)
{
	struct refresh_feed *feed = job->feed;

	count(job, now);
	/* There may have been nobody to ask about. */
	if (feed != NULL && feed->state == FEED_TOLD && !feed->under_way &&
	    feed->failures == 0 && feed->due > now + PACE)
		feed->due = now;
	job->changed = job->named_again;
	if (job->changed)
		return now + pause_of(job);
	/* The feed began, or went on without it, while it was under way. */
	if (feed != NULL && feed->epoch != 0 && job->epoch != feed->epoch &&
	    !is_left_out(job))
		return now;
	return refresh_later(now, interval(job));
}

bool
refresh_feed_holds(const struct refresh_job *job, int64_t now)
{
	const struct refresh_feed *feed = job->feed;

	return feed != NULL && feed->state == FEED_NEW && feed->under_way &&
	    now - feed->asked < HOLD;
}

/* Longer waits are no use to who wants to be confirmed more often. */
static unsigned
wait_seconds(const struct refresh *r)
{
	int64_t third = r->keep.config.fresh_for / 3;

	return third < 5 ? 5 : third > MK_CHANGES_WAIT ? MK_CHANGES_WAIT :
	    (unsigned)third;
}

/* Returns how many profiles it asks about. */
static size_t
put_question(const struct refresh *r, const struct refresh_feed *feed,
    struct mk_buf *out)
{
	struct refresh_job *job;
	size_t i, n = 0;

	mk_changes_begin(feed->store, feed->since,
	    feed->state == FEED_TOLD ? wait_seconds(r) : 0, out);
	for (i = 0; i < feed->n; i++) {
		job = feed->jobs[i];
		job->in_question = !is_left_out(job);
		if (job->in_question) {
			mk_changes_add(&job->profile->udf, out);
			n++;
		}
	}
	mk_changes_end(out);
	return n;
}

/* Jobs do not rely on this feed: they are asked in their turn again. */
static void
release_jobs(const struct refresh_feed *feed, int64_t now)
{
	int64_t turn;
	size_t i;

	for (i = 0; i < feed->n; i++) {
		turn = refresh_later(now, REFRESH_POLL);
		if (feed->jobs[i]->due > turn)
			feed->jobs[i]->due = turn;
	}
}

static void
fail_feed(struct refresh_feed *feed, const char *what)
{
	int64_t now = refresh_now(), pause = BACK_OFF;
	unsigned i;

	for (i = 0; i < feed->failures && pause < REFRESH_POLL; i++)
		pause *= 2;
	if (pause > REFRESH_POLL)
		pause = REFRESH_POLL;
	feed->due = refresh_later(now, pause);
	if (feed->failures++ > 0)
		return;
	release_jobs(feed, now);
	/* Up and down all the time is down. */
	if (feed->told != 0 && now - feed->told < REFRESH_POLL)
		return;
	feed->told = now;
	mk_log(LOG_NOTICE, "changes: '%s': %s; event=refresh.feed",
	    feed->portal->url, what);
}

/* There is none, or none that is of use; perhaps later. */
static void
drop_feed(struct refresh_feed *feed, const char *what)
{
	int64_t now = refresh_now();

	mk_log(feed->state == FEED_NONE ? LOG_DEBUG : LOG_INFO,
	    "changes: '%s': %s, asking every %d s; event=refresh.feed",
	    feed->portal->url, what, REFRESH_POLL / 1000);
	feed->state = FEED_NONE;
	feed->epoch = 0;
	feed->store[0] = '\0';
	feed->since = 0;
	feed->due = refresh_later(now, NONE_AGAIN);
	release_jobs(feed, now);
}

static int
ask(struct refresh *r, struct refresh_feed *feed, int64_t now,
    struct mk_why *why)
{
	struct mk_fetch_request request = {
		.id = refresh_id(r, (size_t)(feed - r->work.feeds)),
		.seconds = MK_CHANGES_WAIT + POLL_GRACE };
	struct mk_buf url, body;
	size_t n;
	int e;

	mk_buf_init(&url, MK_FETCH_URL);
	mk_buf_init(&body, MK_FETCH_POST);
	mk_portal_post_url(feed->portal->url, &url);
	n = put_question(r, feed, &body);
	request.url = url.data;
	request.post = body.data;
	if (n == 0) {
		/* Its answer would say nothing, or be an error. */
		feed->due = refresh_later(now, REFRESH_POLL);
		e = 0;
	} else if ((e = mk_buf_check(&url, why, "changes")) == 0 &&
	    (e = mk_buf_check(&body, why, "changes")) == 0)
		e = mk_courier_send(&r->poller, &request, why);
	mk_buf_release(&url);
	mk_buf_release(&body);
	if (e != 0 || n == 0) {
		r->broken |= e == MK_E_SYSTEM;
		return e;
	}
	feed->under_way = true;
	feed->asked = now;
	r->polls++;
	return 0;
}

int64_t
refresh_feeds_ask(struct refresh *r, int64_t now)
{
	struct refresh_feed *feed;
	int64_t next = INT64_MAX;
	struct mk_why why;
	size_t i;

	for (i = 0; i < r->work.n_feeds; i++) {
		feed = &r->work.feeds[i];
		if (feed->under_way)
			continue;
		if (feed->due <= now && r->polls < POLLS_MAX &&
		    ask(r, feed, now, &why) != 0)
			fail_feed(feed, why.detail);
		/* What has no place now waits for an answer to another one. */
		if (!feed->under_way && feed->due > now && feed->due < next)
			next = feed->due;
	}
	return next;
}

/* Whoever names it: asking for it harms nobody, and is paced. */
static void
take_name(struct refresh *r, const struct mk_udf *udf, int64_t now)
{
	const struct mk_profile *profile;
	struct refresh_job *job;
	int64_t due;

	profile = mk_everyone_find(&r->work.everyone, udf);
	if (profile == NULL)
		return;
	job = &r->work.jobs[profile - r->work.everyone.profiles];
	if (job->feed == NULL)
		return;
	/* Silence does not confirm it before it was asked for again. */
	job->changed = true;
	job->named = now;
	/* What is under way may have left the portal before this change. */
	job->named_again = job->under_way;
	due = now + pause_of(job);
	if (job->due > due)
		job->due = due;
}

static void
take_names(struct refresh *r, const struct mk_changes *changes)
{
	int64_t now = refresh_now();
	size_t i;

	for (i = 0; i < changes->n; i++)
		take_name(r, &changes->udfs[i], now);
}

static void
confirm(struct refresh *r, struct refresh_job *job, int64_t now)
{
	struct mk_why why;
	int e;

	/* Another keeper is at work, and there may be thousands of these. */
	if (now < r->held_up)
		return;
	e = keep_confirm(&r->keep, &job->profile->udf, &job->mark, &why);
	if (e == 0) {
		job->confirmed = now;
		return;
	}
	refresh_hold_up(r, &why);
	/* By another hand: then the portal is asked about these bytes. */
	job->due = now;
}

/*
 * Since is beyond what it was asked about: no answer to come tells of a
 * change before it, so it has to be taken once more behind that.
 */
static void
pass_over(struct refresh_job *job, int64_t now)
{
	job->epoch = job->asked_epoch = 0;
	if (!is_left_out(job) && !job->under_way && job->due > now)
		job->due = now;
}

/* Those that were asked about and not named are as they were. */
static void
take_silence(struct refresh *r, const struct refresh_feed *feed)
{
	int64_t now, pause = r->keep.config.fresh_for * 1000 / 3;
	struct refresh_job *job;
	size_t i;

	if (pause > REFRESH_POLL)
		pause = REFRESH_POLL;
	for (i = 0; i < feed->n; i++) {
		job = feed->jobs[i];
		now = refresh_now();
		if (!job->in_question)
			pass_over(job, now);
		else if (!job->changed && !job->under_way &&
		    job->epoch != 0 && job->epoch == feed->epoch &&
		    now - job->confirmed >= pause)
			confirm(r, job, now);
	}
}

/* The first word of a store: what was taken before it counts for nothing. */
static void
start_feed(struct refresh *r, struct refresh_feed *feed,
    const struct mk_changes *changes)
{
	int64_t now = refresh_now();
	size_t i;

	/* Each time everybody is asked for. */
	if (now - feed->began >= REFRESH_POLL)
		feed->beginnings = 0;
	if (feed->beginnings++ >= BEGINNINGS_MAX) {
		drop_feed(feed, "begins anew too often");
		return;
	}
	memcpy(feed->store, changes->store, strlen(changes->store) + 1);
	feed->since = changes->next;
	feed->state = FEED_TOLD;
	feed->epoch = ++r->epochs;
	feed->failures = 0;
	feed->began = feed->due = now;
	for (i = 0; i < feed->n; i++)
		feed->jobs[i]->due = now;
}

static void
take_changes(struct refresh *r, struct refresh_feed *feed,
    const struct mk_changes *changes)
{
	if (feed->state != FEED_TOLD || changes->reset ||
	    strcmp(feed->store, changes->store) != 0) {
		start_feed(r, feed, changes);
		return;
	}
	if (changes->next < feed->since) {
		fail_feed(feed, "runs backwards");
		return;
	}
	if (feed->failures > 0)
		mk_log(LOG_INFO, "changes: '%s' tells changes again; "
		    "event=refresh.feed", feed->portal->url);
	feed->since = changes->next;
	feed->failures = 0;
	feed->due = feed->asked + PACE;
	take_silence(r, feed);
}

static void
take_status(struct refresh_feed *feed, int status)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "HTTP status %d", status);
	/* Web servers say in many ways that they know no transactions. */
	if (status == 501 || (status >= 400 && status < 500 &&
	    status != 408 && status != 425 && status != 429))
		drop_feed(feed, "tells no changes");
	else
		fail_feed(feed, text);
}

/* 'feed' is NULL for an answer to the work before. */
static void
take_body(struct refresh *r, struct refresh_feed *feed,
    const struct mk_fetch_answer *answer)
{
	const struct mk_bytes body = { answer->body, answer->len };
	struct mk_changes changes;
	struct mk_arena a;
	struct mk_why why;
	int e;

	mk_arena_init(&a, ARENA);
	e = mk_changes_parse(&a, &body, &changes, &why);
	if (e == 0)
		take_names(r, &changes);
	if (feed != NULL && e == 0)
		take_changes(r, feed, &changes);
	else if (feed != NULL)
		fail_feed(feed, why.detail);
	mk_arena_release(&a);
}

static void
take_poll(struct refresh *r, const struct mk_fetch_answer *answer)
{
	struct refresh_feed *feed = NULL;
	size_t index;

	r->polls_heard++;
	if (r->polls > 0)
		r->polls--;
	if (refresh_id_is_ours(r, answer->id, r->work.n_feeds, &index)) {
		feed = &r->work.feeds[index];
		if (!feed->under_way)
			return;
		feed->under_way = false;
	}
	if (answer->outcome == MK_FETCH_DONE && (answer->status == 200 ||
	    answer->status == 201))
		take_body(r, feed, answer);
	else if (feed != NULL && answer->outcome == MK_FETCH_DONE)
		take_status(feed, answer->status);
	else if (feed != NULL)
		fail_feed(feed, answer->error != NULL ? answer->error :
		    "no answer");
}

int
refresh_feeds_receive(struct refresh *r, struct mk_why *why)
{
	struct mk_fetch_answer answer;
	int e;

	e = mk_courier_receive(&r->poller, 0, &answer, why);
	if (e != 0)
		return e;
	take_poll(r, &answer);
	mk_courier_release(&answer);
	return 0;
}
