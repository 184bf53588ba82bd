/* SPDX-License-Identifier: ISC */
/*
 * What is told of a run.  Each newer set is a line in the log.  What is
 * wrong with one profile is a line once an hour, and a portal that fails is
 * one for all of its profiles, since a run may come every minute and a
 * portal may hold ten thousand.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd/refresh.h"
#include "core/buf.h"
#include "core/write.h"
#include "edge/log.h"

#define TAIL_MAX	4096u
#define JSON_MAX	(16u << 20)
#define PROBLEMS_MAX	1000u	/* told one by one with --json */
#define TOLD_MAX	100u	/* lines about single profiles an hour */
#define HOUR		3600000

static const struct {
	const char *word;	/* in --json and in the log */
	const char *text;
	int level;
} words[REFRESH_RESULTS] = {
	[REFRESH_WAITING] = { "waiting", "waiting", LOG_DEBUG },
	[REFRESH_CURRENT] = { "current", "the set is current", LOG_DEBUG },
	[REFRESH_UPDATED] = { "updated", "the set is updated", LOG_INFO },
	[REFRESH_REFUSED] = { "refused", "the set is refused", LOG_NOTICE },
	[REFRESH_FAILED] = { "failed", "the portal failed", LOG_DEBUG },
	[REFRESH_NO_PORTAL] = { "without-portal", "no portal is configured",
	    LOG_DEBUG },
};

static void
log_result(const struct refresh_job *job, enum refresh_result result,
    int level, const struct mk_why *why)
{
	char udf[MK_UDF_TEXT + 1], event[32];
	struct mk_buf tail;

	mk_udf_format(&job->profile->udf, udf);
	(void)snprintf(event, sizeof(event), "refresh.%s",
	    words[result].word);
	mk_buf_init(&tail, TAIL_MAX);
	mk_log_value(&tail, "event", event);
	mk_log_value(&tail, "user", job->profile->user);
	mk_log_value(&tail, "udf", udf);
	if (why != NULL)
		mk_log(level, "%s: %s; %s", why->stage, why->detail,
		    tail.data != NULL ? tail.data : "");
	else
		mk_log(level, "%s; %s", words[result].text,
		    tail.data != NULL ? tail.data : "");
	mk_buf_release(&tail);
}

/* The trouble of a portal, not of this host. */
static bool
is_of_portal(const struct mk_why *why)
{
	return why->code == MK_E_REFUSED || why->code == MK_E_STALE ||
	    why->code == MK_E_ABSENT || why->code == MK_E_TOOBIG;
}

/* A log of ten thousand lines tells less than one of a hundred. */
static bool
may_tell(struct refresh *r)
{
	int64_t now = refresh_now();

	if (now - r->told_since >= HOUR) {
		r->told_since = now;
		r->told = 0;
	}
	return r->told < TOLD_MAX;
}

/*
 * The same reason again within the hour is told with --debug only.  Nobody
 * notes it in a dry run, which writes nothing.
 */
static int
level_of(struct refresh *r, const struct refresh_job *job,
    const struct mk_why *why)
{
	/* Who looks on is told each time. */
	if (!may_tell(r) || (!r->keep.dry_run && !r->talk &&
	    !mk_store_note_refusal(&r->keep.keeper.store,
	    &job->profile->udf, why, time(NULL))))
		return LOG_DEBUG;
	r->told++;
	return is_of_portal(why) ? LOG_NOTICE : LOG_ERR;
}

/* A portal that works again is told where it was told that it does not. */
static void
tell_recovery(struct refresh_portal *portal, enum refresh_result result)
{
	if (portal == NULL || !portal->failing ||
	    (result != REFRESH_CURRENT && result != REFRESH_UPDATED))
		return;
	portal->failing = false;
	portal->told = refresh_now();
	mk_log(LOG_NOTICE, "portal: '%s' answers again; "
	    "event=refresh.portal", portal->url);
}

void
refresh_hold_up(struct refresh *r, const struct mk_why *why)
{
	if (strcmp(why->stage, MK_KEEPER_STAGE) == 0)
		r->held_up = refresh_now() + MK_KEEPER_WAIT * 1000;
}

static void
note(struct refresh *r, struct refresh_job *job, enum refresh_result result,
    const struct mk_why *why)
{
	if (job->result != REFRESH_WAITING)
		r->results[job->result]--;
	job->result = result;
	r->results[result]++;
	free(job->reason);
	job->reason = NULL;
	if (why != NULL && asprintf(&job->reason, "%s: %s", why->stage,
	    why->detail) == -1)
		job->reason = NULL;
	tell_recovery(job->portal, result);
	if (r->watch)
		refresh_watch_ended(job);
}

void
refresh_end(struct refresh *r, struct refresh_job *job,
    enum refresh_result result, const struct mk_why *why)
{
	if (why != NULL)
		refresh_hold_up(r, why);
	log_result(job, result, why != NULL ? level_of(r, job, why) :
	    words[result].level, why);
	note(r, job, result, why);
}

/* Ten thousand profiles on one portal that is down are one line. */
void
refresh_end_portal(struct refresh *r, struct refresh_job *job,
    const struct mk_why *why)
{
	struct refresh_portal *portal = job->portal;

	int64_t now = refresh_now();

	/* Up and down all the time is down. */
	if (!portal->failing &&
	    (portal->told == 0 || now - portal->told >= REFRESH_POLL)) {
		mk_log(LOG_NOTICE, "portal: '%s': %s; event=refresh.portal",
		    portal->url, why->detail);
		portal->failing = true;
	}
	log_result(job, REFRESH_FAILED, LOG_DEBUG, why);
	note(r, job, REFRESH_FAILED, why);
}

static void
put_count(struct mk_buf *out, const char *name, uint64_t n)
{
	mk_buf_puts(out, ",\"");
	mk_buf_puts(out, name);
	mk_buf_puts(out, "\":");
	mk_buf_putu(out, n);
}

static void
put_string(struct mk_buf *out, const char *name, const char *s)
{
	mk_buf_puts(out, ",\"");
	mk_buf_puts(out, name);
	mk_buf_puts(out, "\":");
	mk_json_write(s, strlen(s), out);
}

static void
put_problem(struct mk_buf *out, const struct refresh_job *job)
{
	char udf[MK_UDF_TEXT + 1];

	mk_udf_format(&job->profile->udf, udf);
	mk_buf_puts(out, "{\"udf\":\"");
	mk_buf_puts(out, udf);
	mk_buf_putc(out, '"');
	put_string(out, "result", words[job->result].word);
	put_string(out, "reason", job->reason != NULL ? job->reason : "");
	mk_buf_putc(out, '}');
}

static void
put_problems(struct mk_buf *out, const struct refresh *r)
{
	size_t i, n = 0;

	for (i = 0; i < r->work.n_jobs && n < PROBLEMS_MAX; i++) {
		if (r->work.jobs[i].result != REFRESH_REFUSED &&
		    r->work.jobs[i].result != REFRESH_FAILED)
			continue;
		if (n++ > 0)
			mk_buf_putc(out, ',');
		put_problem(out, &r->work.jobs[i]);
	}
}

static int
print_json(const struct refresh *r, struct mk_why *why)
{
	struct mk_buf out;
	int i, e;

	mk_buf_init(&out, JSON_MAX);
	mk_buf_puts(&out, "{\"profiles\":");
	mk_buf_putu(&out, r->work.n_jobs);
	for (i = REFRESH_CURRENT; i < REFRESH_RESULTS; i++)
		put_count(&out, words[i].word, r->results[i]);
	put_count(&out, "seconds",
	    (uint64_t)(refresh_now() - r->begun) / 1000);
	put_count(&out, "bad-lines", r->work.everyone.bad_lines);
	mk_buf_puts(&out, ",\"problems\":[");
	put_problems(&out, r);
	mk_buf_puts(&out, "]}\n");
	e = mk_buf_check(&out, why, "summary");
	if (e == 0 && (fwrite(out.data, 1, out.len, stdout) != out.len ||
	    fflush(stdout) != 0))
		e = mk_fail(why, MK_E_SYSTEM, "summary",
		    "cannot write to standard output: %s", strerror(errno));
	mk_buf_release(&out);
	return e;
}

int
refresh_summary(const struct refresh *r, struct mk_why *why)
{
	bool quiet = r->results[REFRESH_FAILED] == 0 &&
	    r->results[REFRESH_REFUSED] == 0 && !r->talk;

	mk_log(quiet ? LOG_DEBUG : LOG_NOTICE, "%zu profiles: %zu current, "
	    "%zu updated, %zu refused, %zu failed, %zu without a portal; "
	    "event=refresh.run", r->work.n_jobs, r->results[REFRESH_CURRENT],
	    r->results[REFRESH_UPDATED], r->results[REFRESH_REFUSED],
	    r->results[REFRESH_FAILED], r->results[REFRESH_NO_PORTAL]);
	return r->json ? print_json(r, why) : 0;
}

/* A counter in place, only for people who look; the log may overwrite it. */
void
refresh_progress(const struct refresh *r)
{
	static size_t shown = SIZE_MAX;
	static int terminal = -1;
	size_t done = 0;
	int i;

	if (terminal == -1)
		terminal = isatty(STDERR_FILENO) == 1;
	for (i = REFRESH_CURRENT; i < REFRESH_RESULTS; i++)
		done += r->results[i];
	if (r->debug || done == shown || !terminal)
		return;
	shown = done;
	fprintf(stderr, "%zu of %zu profiles%c", done, r->work.n_jobs,
	    done == r->work.n_jobs ? '\n' : '\r');
}
