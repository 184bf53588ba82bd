/* SPDX-License-Identifier: ISC */
/*
 * The parts of mesh-refresh(8).  There is a job for each profile: what lies
 * here is looked at, its portal is asked, and what comes is judged and
 * kept, or stays out.  A run does each of them once; a watcher goes on.
 */
#ifndef MK_CMD_REFRESH_H
#define MK_CMD_REFRESH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd/keep.h"
#include "core/portal.h"
#include "edge/everyone.h"
#include "edge/lookout.h"
#include "edge/notify.h"
#include "edge/portal_dir.h"
#include "net/courier.h"

#define REFRESH_IDENT		"mesh-refresh"
#define REFRESH_SECONDS		240	/* a run, whole */
#define REFRESH_REQUEST		60	/* one request, whole */
#define REFRESH_CONNECT		10
#define REFRESH_AT_ONCE		32	/* transfers at once */
#define REFRESH_WINDOW		64	/* under way; MK_COURIER_UNANSWERED */
#define REFRESH_PER_PORTAL	16	/* of those, to one portal */
#define REFRESH_FOR_NAMED	16	/* of those, for what is named */
#define REFRESH_JITTER		60	/* --jitter waits up to that */

/* A watcher asks anew after so many milliseconds, a tenth more or less: */
#define REFRESH_POLL		300000	/* a portal that tells no changes */
#define REFRESH_POLL_TOLD	3600000	/* one that does */
#define REFRESH_POLL_FILE	60000	/* a directory */

/* The exit status of a watcher that is to be started anew; not a code. */
#define REFRESH_AGAIN		100

/* How it went with a profile. */
enum refresh_result {
	REFRESH_WAITING,	/* not yet */
	REFRESH_CURRENT,	/* confirmed: what lies here is the newest */
	REFRESH_UPDATED,	/* a newer set is here now */
	REFRESH_REFUSED,	/* what came must stay out */
	REFRESH_FAILED,		/* the portal did not say anything of use */
	REFRESH_NO_PORTAL,	/* none is configured */
	REFRESH_RESULTS
};

struct refresh_feed;

/* Portals are told apart by what is configured, letter by letter. */
struct refresh_portal {
	const char *url;
	enum mk_portal_kind kind;
	bool failing;			/* and that was told, */
	int64_t told;			/* the last time then, or 0 */
	bool down;			/* its last answer was none */
	size_t under_way;		/* requests not answered */
	size_t first, n;		/* its stretch of by_portal */
	size_t begin, started;		/* of a run: where, how many */
};

struct refresh_job {
	const struct mk_profile *profile;
	struct refresh_portal *portal;	/* NULL: none */
	struct refresh_feed *feed;	/* of a watcher; NULL: none */
	enum refresh_result result;
	bool under_way, asked_with_etag, posted;
	bool absent;			/* its portal does not have it */
	bool changed;			/* named by a feed and not yet taken */
	bool asked_named;		/* and that is why it is under way */
	bool named_again;		/* while it was under way */
	bool in_question;		/* the feed's poll under way names it */
	unsigned vain;			/* named, and there was nothing new */
	unsigned news;			/* named, and there was */
	int64_t named;			/* the last time, refresh_now() */
	unsigned failures;		/* in a row */
	unsigned epoch, asked_epoch;	/* of the feed, see refresh_feed.c */
	struct keep_mark mark;		/* of the bytes that were asked about */
	int64_t due;			/* when to ask next, refresh_now() */
	int64_t confirmed;		/* when its file's time was moved */
	char *reason;			/* of a refusal or failure, malloc'd */
};

/* A portal that is a directory, and which one that was. */
struct refresh_dir {
	char *path;
	struct mk_dir_id id;
};

/* What there is to do, as the map has it. */
struct refresh_work {
	struct mk_everyone everyone;
	struct refresh_job *jobs;	/* without names: one a profile */
	size_t n_jobs;
	struct refresh_job **by_portal;	/* of those with one */
	size_t n_by_portal;
	struct refresh_portal *portals;
	size_t n_portals;
	struct refresh_feed *feeds;
	size_t n_feeds;
};

struct refresh {
	/* What the command line says. */
	bool jitter, json, debug, watch;
	bool talk;			/* somebody looks on */
	char *const *names;		/* USER or UDF; none: all */
	size_t n_names;
	/* What is worked with. */
	struct keep keep;
	struct refresh_work work;
	struct mk_courier courier;	/* fetches sets */
	struct mk_courier poller;	/* waits for changes */
	bool has_courier;
	struct refresh_dir *dirs;	/* that may be read */
	size_t n_dirs;
	struct mk_lookout *lookout;	/* of a watcher */
	struct mk_notify notify;
	/* How far it is. */
	uint8_t generation;		/* of the work; part of ids */
	unsigned epochs;		/* the last one given to a feed */
	size_t turn;			/* of the jobs of a watcher */
	size_t under_way, polls;	/* requests not answered */
	size_t heard, polls_heard;	/* answers, ever */
	bool broken;			/* a request was sent by half */
	size_t results[REFRESH_RESULTS];
	int64_t begun;			/* refresh_now() */
	int64_t held_up;		/* until then another keeper keeps */
	int64_t told_since;		/* since when so many lines ... */
	unsigned told;			/* ... were logged about profiles */
};

/* Milliseconds of a clock that nobody sets and that sleep does not stop. */
int64_t	refresh_now(void);

/* About 'ms' from now, so that not all hosts and profiles ask at once. */
int64_t	refresh_later(int64_t now, int64_t ms);

/* The work: everybody's, or that of the names on the command line. */
int	refresh_work_make(struct refresh *r, struct refresh_work *ret_work,
	    struct mk_why *why);
void	refresh_work_release(struct refresh_work *work);

/* From a request's number to its job or feed, and back. */
uint32_t refresh_id(const struct refresh *r, size_t index);
bool	refresh_id_is_ours(const struct refresh *r, uint32_t id,
	    size_t n, size_t *ret_index);

/* Takes out of the cache what no mapping names, if all of them are known. */
void	refresh_prune(const struct refresh *r);

/* Does each job once; a deadline ends it. */
int	refresh_once(struct refresh *r, struct mk_why *why);

/* Starts a job; one without the network is over at once. */
void	refresh_start(struct refresh *r, struct refresh_job *job);

/*
 * Takes an answer of the fetching process if one comes within 'ms'.
 * MK_E_ABSENT if none did.
 */
int	refresh_receive(struct refresh *r, int ms, struct mk_why *why);

/* Whether one more request to that portal may be under way. */
bool	refresh_has_place(const struct refresh *r,
	    const struct refresh_portal *portal, bool named);

/* Ends a job: counts, logs, remembers the reason for the summary. */
void	refresh_end(struct refresh *r, struct refresh_job *job,
	    enum refresh_result result, const struct mk_why *why);

/* The same for a portal that said nothing of use about any profile. */
void	refresh_end_portal(struct refresh *r, struct refresh_job *job,
	    const struct mk_why *why);

/* The summary, on standard output with --json, and into the log. */
int	refresh_summary(const struct refresh *r, struct mk_why *why);
void	refresh_progress(const struct refresh *r);

/* Watches until a signal ends it: 0, REFRESH_AGAIN or an error. */
int	refresh_watch(struct refresh *r, struct mk_why *why);

/* A watcher's job has ended: when it is asked again. */
void	refresh_watch_ended(struct refresh_job *job);

/*
 * Becomes a process that only starts watchers and hands signals on; returns
 * in each of the watchers.  Exits with the status of the last one.
 */
void	refresh_guard(void);

/*
 * Feeds: what a portal tells of changes, for up to MK_CHANGES_IDS of its
 * profiles each.
 */
int	refresh_feeds_make(struct refresh_work *work, struct mk_why *why);

/*
 * Takes over what is known from the work before; then, for each job that is
 * the same at the same portal, what its bytes are worth.
 */
void	refresh_feeds_carry(struct refresh *r, struct refresh_work *work);
void	refresh_feed_carry(struct refresh_job *job,
	    const struct refresh_job *old);

/* Asks the portals whose turn it is; returns when the next one's is. */
int64_t	refresh_feeds_ask(struct refresh *r, int64_t now);

/* Takes one answer; MK_E_ABSENT if there is none. */
int	refresh_feeds_receive(struct refresh *r, struct mk_why *why);

/* Whether a job had better wait for the first word of its feed. */
bool	refresh_feed_holds(const struct refresh_job *job, int64_t now);

/* What its bytes will have been taken under if it is asked for now. */
unsigned refresh_feed_epoch(const struct refresh_job *job);

/* A job was taken or confirmed: when to ask for it again. */
int64_t	refresh_feed_ended(struct refresh_job *job, int64_t now);

/* Another keeper takes very long: nothing else is tried for as long. */
void	refresh_hold_up(struct refresh *r, const struct mk_why *why);

#endif
