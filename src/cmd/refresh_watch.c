/* SPDX-License-Identifier: ISC */
/*
 * Watching: jobs are done when they are due, which is at once when a feed
 * names them and else in their turn; the map is read anew when it changes.
 * One loop waits for all of it.
 */
#include <sys/signalfd.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd/refresh.h"
#include "core/err.h"
#include "edge/log.h"
#include "edge/lookout.h"

#define BURST		64	/* answers, or jobs, before looking around */
#define RETRY		2000	/* milliseconds after a first failure */
#define LOOK		60000	/* at files, where nothing tells of them */
#define SETTLE		300	/* until a change of files is over */
#define STATUS		60000	/* for whoever asks systemd */
#define PRUNE		3600000
#define REST		5000	/* between two readings of the map */
#define HUNG		180000	/* each request ends long before */

enum { FETCHED, POLLED, SIGNALLED, MAPPED, DESCRIPTORS };

struct loop {
	struct refresh *r;
	struct pollfd fd[DESCRIPTORS];
	bool stop, again;		/* it is over; to be started anew */
	bool all;			/* ask everybody, once it was read */
	int64_t read_at;		/* when to read the map; INT64_MAX */
	int64_t was_read;		/* when that was, or 0 */
	int64_t look_at, status_at, alive_at, prune_at;
	size_t heard[2];		/* answers of each other process */
	int64_t silent[2], judged;	/* for how long none came */
};

void
refresh_watch_ended(struct refresh_job *job)
{
	int64_t now = refresh_now(), pause = REFRESH_POLL;
	unsigned i;

	if (job->result == REFRESH_CURRENT || job->result == REFRESH_UPDATED) {
		job->failures = 0;
		job->absent = false;
		job->confirmed = now;
		job->epoch = job->asked_epoch;
		job->due = refresh_feed_ended(job, now);
		return;
	}
	job->epoch = 0;
	job->failures++;
	/* News that was told and cannot be had is worth trying for. */
	if (job->changed) {
		pause = RETRY;
		for (i = 1; i < job->failures && pause < REFRESH_POLL; i++)
			pause *= 2;
	}
	job->due = refresh_later(now, pause < REFRESH_POLL ? pause :
	    REFRESH_POLL);
}

static bool
may_start(const struct refresh *r, const struct refresh_job *job, int64_t now)
{
	return !job->under_way && job->due <= now && r->held_up <= now &&
	    !r->broken && !refresh_feed_holds(job, now) &&
	    (job->portal == NULL ||
	    refresh_has_place(r, job->portal, job->changed));
}

/* What a portal has named, before all others. */
static size_t
start_named(struct refresh *r, int64_t now)
{
	struct refresh_job *job;
	size_t i, started = 0;

	for (i = 0; i < r->work.n_jobs && started < BURST; i++) {
		job = &r->work.jobs[i];
		if (job->changed && may_start(r, job, now)) {
			refresh_start(r, job);
			started++;
		}
	}
	return started;
}

/* Starts what is due; returns when the next job is. */
static int64_t
start_due(struct refresh *r, int64_t now)
{
	struct refresh_work *work = &r->work;
	int64_t due = INT64_MAX;
	struct refresh_job *job;
	size_t i, started, named;

	started = named = start_named(r, now);
	for (i = 0; i < work->n_jobs; i++) {
		job = &work->jobs[(r->turn + i) % work->n_jobs];
		if (job->under_way)
			continue;
		if (started < BURST && may_start(r, job, now)) {
			refresh_start(r, job);
			started++;
			continue;
		}
		if (job->due < due)
			due = job->due;
	}
	/* Others go first the next time. */
	r->turn = work->n_jobs == 0 ? 0 :
	    (r->turn + started - named) % work->n_jobs;
	/* What has no place now has to wait for an answer, or for a feed. */
	if (due <= now && (r->under_way >= REFRESH_WINDOW ||
	    started < BURST))
		due = now + 1000;
	return due;
}

/* Whether the process may do, as it is confined, what the new work needs. */
static bool
fits(const struct refresh *r, const struct refresh_work *work)
{
	size_t i, j;

	for (i = 0; i < work->n_portals; i++) {
		if (work->portals[i].kind == MK_PORTAL_HTTP) {
			if (!r->has_courier)
				return false;
			continue;
		}
		for (j = 0; j < r->n_dirs; j++) {
			if (strcmp(r->dirs[j].path,
			    mk_portal_dir(work->portals[i].url)) == 0)
				break;
		}
		if (j == r->n_dirs)
			return false;
	}
	return true;
}

/* Whether a directory is another one than that which may be read. */
static bool
has_moved(const struct refresh *r)
{
	struct mk_dir_id id;
	size_t i;

	for (i = 0; i < r->n_dirs; i++) {
		id = mk_portal_dir_id(&r->keep.root, r->dirs[i].path);
		if (id.dev != r->dirs[i].id.dev || id.ino != r->dirs[i].id.ino)
			return true;
	}
	return false;
}

/* The same profile at the same portal is where it was. */
static void
carry_job(struct refresh_job *job, struct refresh_job *old)
{
	job->result = old->result;
	job->failures = old->failures;
	job->vain = old->vain;
	job->news = old->news;
	job->named = old->named;
	job->mark = old->mark;
	job->confirmed = old->confirmed;
	job->absent = old->absent;
	job->changed = old->changed;
	/* Its answer will be one to the old work. */
	job->due = old->under_way ? 0 : old->due;
	job->reason = old->reason;
	old->reason = NULL;
	refresh_feed_carry(job, old);
}

static bool
same_portal(const struct refresh_job *job, const struct refresh_job *old)
{
	if (job->portal == NULL || old->portal == NULL)
		return job->portal == old->portal;
	return strcmp(job->portal->url, old->portal->url) == 0;
}

static void
carry_jobs(struct refresh *r, struct refresh_work *work)
{
	struct refresh_job *job, *old = r->work.jobs;
	const struct refresh_job *end = r->work.jobs + r->work.n_jobs;
	size_t i;
	int c;

	for (i = 0; i < work->n_jobs; i++) {
		job = &work->jobs[i];
		for (c = -1; old < end; old++) {
			c = mk_udf_cmp(&old->profile->udf,
			    &job->profile->udf);
			if (c >= 0)
				break;
		}
		if (old < end && c == 0 && same_portal(job, old)) {
			carry_job(job, old);
			if (job->portal != NULL) {
				job->portal->failing = old->portal->failing;
				job->portal->told = old->portal->told;
				job->portal->down = old->portal->down;
			}
		}
	}
}

static void
count_results(struct refresh *r)
{
	size_t i;

	memset(r->results, 0, sizeof(r->results));
	for (i = 0; i < r->work.n_jobs; i++) {
		if (r->work.jobs[i].result != REFRESH_WAITING)
			r->results[r->work.jobs[i].result]++;
	}
}

/* What cannot be read, or not all of it, leaves everything as it was. */
static int
read_again(struct refresh *r, struct refresh_work *ret_work, bool *ret_again,
    struct mk_why *why)
{
	struct mk_config old = r->keep.config;
	int e;

	e = mk_config_load(&r->keep.root, r->keep.place.config_file,
	    &r->keep.config, why);
	if (e != 0) {
		r->keep.config = old;
		return e;
	}
	e = refresh_work_make(r, ret_work, why);
	if (e != 0) {
		mk_config_release(&r->keep.config);
		r->keep.config = old;
		return e;
	}
	/* The fetching process has the limit that it was started with. */
	*ret_again = old.max_set != r->keep.config.max_set ||
	    !fits(r, ret_work);
	mk_config_release(&old);
	mk_log_level(r->keep.config.log_level);
	return 0;
}

/* Who asks for it by a signal wants everybody asked for, now. */
static void
forget(struct refresh_work *work)
{
	struct refresh_job *job;
	size_t i;

	for (i = 0; i < work->n_jobs; i++) {
		job = &work->jobs[i];
		job->failures = job->vain = job->news = 0;
		job->absent = job->changed = false;
		job->due = 0;
	}
}

static void
reload(struct loop *l)
{
	struct refresh *r = l->r;
	struct refresh_work work;
	struct mk_why why;

	l->read_at = INT64_MAX;
	l->was_read = refresh_now();
	if (read_again(r, &work, &l->again, &why) != 0) {
		mk_log(LOG_ERR, "%s: going on with what was read before: %s; "
		    "event=refresh.error", why.stage, why.detail);
		l->all = false;
		/* Perhaps for a reason that passes. */
		l->read_at = l->was_read + REFRESH_POLL;
		mk_notify(&r->notify, "READY=1");
		return;
	}
	if (!l->all)
		refresh_feeds_carry(r, &work);
	carry_jobs(r, &work);
	if (l->all)
		forget(&work);
	refresh_work_release(&r->work);
	r->work = work;
	r->generation++;
	l->all = false;
	/* An editor may be between two steps; by then it was read again. */
	l->prune_at = refresh_now() + PRUNE;
	count_results(r);
	mk_log(LOG_INFO, "the map was read again: %zu profiles; "
	    "event=refresh.reload", r->work.n_jobs);
	mk_notify(&r->notify, "READY=1");
}

static void
take_signal(struct loop *l)
{
	struct signalfd_siginfo info;
	struct timespec now = { 0 };
	char text[80];

	if (read(l->fd[SIGNALLED].fd, &info, sizeof(info)) !=
	    (ssize_t)sizeof(info))
		return;
	if (info.ssi_signo != SIGHUP) {
		l->stop = true;
		return;
	}
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	(void)snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%lld",
	    (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	mk_notify(&l->r->notify, text);
	l->all = true;
	l->read_at = l->was_read == 0 ? 0 : l->was_read + REST;
}

static int
take_answers(struct loop *l, struct mk_why *why)
{
	int i, e = 0;

	for (i = 0; l->fd[FETCHED].revents != 0 && i < BURST && e == 0 &&
	    refresh_now() >= l->r->held_up; i++)
		e = refresh_receive(l->r, 0, why);
	if (e != 0 && e != MK_E_ABSENT)
		return e;
	e = 0;
	for (i = 0; l->fd[POLLED].revents != 0 && i < BURST && e == 0; i++)
		e = refresh_feeds_receive(l->r, why);
	return e == MK_E_ABSENT ? 0 : e;
}

static int64_t
earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void
look(struct loop *l, int64_t now)
{
	if (l->fd[MAPPED].revents == 0 && now < l->look_at)
		return;
	if (now >= l->look_at) {
		/* Neither can be reached from here any more. */
		if (has_moved(l->r) || mk_log_lost())
			l->again = true;
		l->look_at = now + LOOK;
	}
	if (!mk_lookout_changed(l->r->lookout) ||
	    l->read_at <= now + REST)
		return;
	/* What is under way is lost by it, and has to have its time. */
	l->read_at = now + SETTLE;
	if (l->was_read != 0 && l->read_at < l->was_read + REST)
		l->read_at = l->was_read + REST;
}

/*
 * A process that is stuck would keep all news out, and nobody else would
 * notice.  What we have slept or were stopped ourselves is not its time.
 */
static int
judge_couriers(struct loop *l, int64_t now, struct mk_why *why)
{
	const struct refresh *r = l->r;
	const size_t heard[2] = { r->heard, r->polls_heard };
	const bool idle[2] = { r->under_way == 0 || now < r->held_up,
	    r->polls == 0 };
	int64_t passed = l->judged == 0 ? 0 : earlier(now - l->judged, LOOK);
	int i;

	l->judged = now;
	if (r->broken)
		return mk_fail(why, MK_E_SYSTEM, "courier",
		    "the fetching process does not read");
	for (i = 0; i < 2; i++) {
		l->silent[i] = idle[i] || heard[i] != l->heard[i] ? 0 :
		    l->silent[i] + passed;
		l->heard[i] = heard[i];
		if (l->silent[i] >= HUNG)
			return mk_fail(why, MK_E_SYSTEM, "courier",
			    "the fetching process does not answer");
	}
	return 0;
}

static void
tell(struct loop *l, int64_t now)
{
	const struct refresh *r = l->r;
	char text[160];

	if (r->notify.watchdog_ms > 0 && now >= l->alive_at) {
		l->alive_at = now + r->notify.watchdog_ms;
		mk_notify(&r->notify, "WATCHDOG=1");
	}
	if (now < l->status_at)
		return;
	l->status_at = now + STATUS;
	(void)snprintf(text, sizeof(text), "STATUS=%zu profiles: %zu current, "
	    "%zu refused, %zu failing", r->work.n_jobs,
	    r->results[REFRESH_CURRENT] + r->results[REFRESH_UPDATED],
	    r->results[REFRESH_REFUSED], r->results[REFRESH_FAILED]);
	mk_notify(&r->notify, text);
}

static int
wait_for(struct loop *l, int64_t until, struct mk_why *why)
{
	int64_t left;
	int n;

	until = earlier(until, earlier(l->read_at, l->look_at));
	if (l->r->held_up > refresh_now())
		until = earlier(until, l->r->held_up);
	until = earlier(until, l->status_at);
	if (l->r->notify.watchdog_ms > 0)
		until = earlier(until, l->alive_at);
	left = until - refresh_now();
	n = poll(l->fd, DESCRIPTORS, left < 0 ? 0 : (int)left);
	if (n == -1 && errno != EINTR)
		return mk_fail(why, MK_E_SYSTEM, "watch", "cannot wait: %s",
		    strerror(errno));
	return 0;
}

static int
go_on(struct loop *l, struct mk_why *why)
{
	int64_t now = refresh_now(), until;
	bool held_up = now < l->r->held_up;
	int i, e;

	until = refresh_feeds_ask(l->r, now);
	if (!held_up)
		until = earlier(until, start_due(l->r, now));
	/* What cannot be kept now is left with who has fetched it. */
	l->fd[FETCHED].fd = held_up || !l->r->has_courier ? -1 :
	    l->r->courier.fd;
	for (i = 0; i < DESCRIPTORS; i++)
		l->fd[i].revents = 0;
	if ((e = wait_for(l, until, why)) != 0)
		return e;
	/* First: the same signal may have ended the other processes. */
	if (l->fd[SIGNALLED].revents != 0)
		take_signal(l);
	if (l->stop || (e = take_answers(l, why)) != 0)
		return e;
	now = refresh_now();
	if ((e = judge_couriers(l, now, why)) != 0)
		return e;
	look(l, now);
	if (now >= l->read_at)
		reload(l);
	if (now >= l->prune_at) {
		l->prune_at = now + PRUNE;
		refresh_prune(l->r);
	}
	tell(l, now);
	return 0;
}

static int
open_signals(int *ret_fd, struct mk_why *why)
{
	sigset_t set;
	int fd;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd == -1)
		return mk_fail(why, MK_E_SYSTEM, "watch",
		    "cannot wait for signals: %s", strerror(errno));
	*ret_fd = fd;
	return 0;
}

int
refresh_watch(struct refresh *r, struct mk_why *why)
{
	struct loop l = { .r = r, .read_at = INT64_MAX,
	    .look_at = refresh_now() + LOOK };
	int i, e, fd;

	if ((e = open_signals(&fd, why)) != 0)
		return e;
	l.fd[FETCHED].fd = -1;
	l.fd[POLLED].fd = r->has_courier ? r->poller.fd : -1;
	l.fd[SIGNALLED].fd = fd;
	l.fd[MAPPED].fd = mk_lookout_fd(r->lookout);
	for (i = 0; i < DESCRIPTORS; i++)
		l.fd[i].events = POLLIN;
	mk_log(LOG_INFO, "watching %zu profiles; event=refresh.watch",
	    r->work.n_jobs);
	mk_notify(&r->notify, "READY=1");
	while (e == 0 && !l.stop && !l.again)
		e = go_on(&l, why);
	if (l.stop)
		mk_notify(&r->notify, "STOPPING=1");
	if (e == 0 && l.again)
		e = REFRESH_AGAIN;
	close(fd);
	return e;
}
