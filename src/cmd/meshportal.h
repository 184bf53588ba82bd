/* SPDX-License-Identifier: ISC */
/*
 * The parts of meshportal(8), a small portal.  One thread: an event loop
 * around libmicrohttpd, so that nothing here needs a lock.
 *
 *   portal_http.c   the only user of libmicrohttpd: connections, TLS,
 *                   requests that wait; beside it, see portal_http.h,
 *   portal_peers.c, portal_fields.c, portal_address.c
 *                   bounds on what comes in, header fields, addresses
 *   portal_serve.c, portal_answer.c, portal_account.c, portal_connect.c,
 *   portal_read.c   the rules of the portal protocol: from the bytes of a
 *                   request to the bytes of an answer
 *   portal_set.c    what a published set must be
 *   portal_store.c, portal_db.c, portal_rows.c, portal_queue.c
 *                   the only users of SQLite
 *   portal_limit.c  how often an address or an account may ask
 *   portal_wait.c   who waits for which profile
 *   portal_export.c the read side as files
 */
#ifndef MK_CMD_MESHPORTAL_H
#define MK_CMD_MESHPORTAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/account.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/request.h"
#include "core/verify.h"

#define MESHPORTAL_IDENT	"meshportal"

/* Bounds; all of them are told by Hello and in meshportal(8). */
#define PORTAL_BODY_MAX		(8u << 20)	/* bytes of a request */
#define PORTAL_REQUEST_MAX	(256u << 10)	/* of one that has no set */
#define PORTAL_ANSWER_MAX	(9u << 20)	/* bytes of an answer */
/* So many bytes cost a token more: of what is parsed, of a set that is
   verified, of one that is read, and that is kept. */
#define PORTAL_PRICE_READ	(4u << 10)
#define PORTAL_PRICE_WRITE	(256u << 10)
#define PORTAL_PRICE_ANSWER	(16u << 10)
#define PORTAL_PRICE_KEEP	(64u << 10)
#define PORTAL_WAITING_MAX	2048u		/* Changes at once */
#define PORTAL_PENDING_MAX	256u		/* of an account */
#define PORTAL_PENDING_ADDRESS	128u		/* of them, of one address */
#define PORTAL_PENDING_ORIGIN	512u		/* of an address, all in all */
#define PORTAL_PENDING_ALL	65536u		/* of all */
#define PORTAL_PENDING_SIZE	(32u << 10)	/* bytes of a request */
#define PORTAL_RESULTS_MAX	256u		/* of an account */
#define PORTAL_RESULT_SIZE	(8u << 10)	/* bytes of a result */
#define PORTAL_RESULT_LIFE	(7 * 86400)	/* seconds */
#define PORTAL_ACCOUNTS_MAX	16u		/* of a profile, closed too */
#define PORTAL_PROFILES_MAX	1000000u	/* default of --max-profiles */
#define PORTAL_SIZE_MAX		16384u		/* MiB; of --max-size */
#define PORTAL_SIZE_FREE	(16u << 10)	/* bytes of a set that is always
						   taken of who is here */
#define PORTAL_NAMES_MAX	16u		/* --name */

/*
 * portal_store.c, portal_rows.c, portal_queue.c.  All return 0 or MK_E_*:
 * MK_E_ABSENT without a reason where a row is not there, MK_E_SYSTEM (disk
 * full, I/O, a database that is not ours or damaged).
 */
struct portal_store;

/*
 * Opens DIR/portal.db (0600 in 0700), to write: or makes both; one process
 * at a time may have it to write (MK_E_STALE).  WAL with synchronous=FULL:
 * what has been committed survives.  The Store id is random, and a new one
 * whenever the file is another than it was, or older: a copy, a backup.
 * MK_E_PERM with the repair command, MK_E_CONFIG where there is none to
 * read, MK_E_SYSTEM.
 */
int	portal_store_open(const char *dir, bool write,
	    struct portal_store **ret_store, struct mk_why *why);
void	portal_store_close(struct portal_store *store);

const char *portal_store_id(const struct portal_store *store);
uint64_t portal_store_last(const struct portal_store *store);

/* One state of the store to read much of, until the rollback. */
int	portal_store_look(struct portal_store *store, struct mk_why *why);
/* One transaction around everything that a request changes. */
int	portal_store_begin(struct portal_store *store, struct mk_why *why);
int	portal_store_commit(struct portal_store *store, struct mk_why *why);
void	portal_store_rollback(struct portal_store *store);

/* A profile as stored: always verified when it was stored. */
struct portal_profile {
	struct mk_udf udf;
	struct mk_version version;
	uint64_t change;		/* its number among all changes */
	const uint8_t *set;		/* the bytes of the answer */
	size_t set_len;
	uint8_t digest[MK_DIGEST];	/* of these bytes: the ETag */
	const struct mk_online *online;	/* of its master */
	size_t n_online;
	const struct mk_udf *deleted;	/* devices */
	size_t n_deleted;
};

/* Everything lives in 'a'.  Without the bytes, and with them. */
int	portal_store_profile(struct portal_store *store, struct mk_arena *a,
	    const struct mk_udf *udf, struct portal_profile *ret_profile,
	    struct mk_why *why);
int	portal_store_set(struct portal_store *store, struct mk_arena *a,
	    const struct mk_udf *udf, struct portal_profile *ret_profile,
	    struct mk_why *why);
/* Its number of change only; for Changes. */
int	portal_store_change(struct portal_store *store,
	    const struct mk_udf *udf, uint64_t *ret_change,
	    struct mk_why *why);
/* How many bytes its set has. */
int	portal_store_length(struct portal_store *store,
	    const struct mk_udf *udf, uint64_t *ret_length,
	    struct mk_why *why);
/* Bytes of the file that are in use. */
int	portal_store_size(struct portal_store *store, uint64_t *ret_size,
	    struct mk_why *why);
/* Stores a version; fills in profile->change with the next number. */
int	portal_store_put(struct portal_store *store,
	    struct portal_profile *profile, struct mk_why *why);
int	portal_store_profiles(struct portal_store *store, uint64_t *ret_n,
	    struct mk_why *why);

struct portal_account {
	struct mk_account name;
	struct mk_udf udf;
	bool closed;			/* by DeleteAccount: reserved */
};

int	portal_store_account(struct portal_store *store,
	    const struct mk_account *name, struct portal_account *ret_account,
	    struct mk_why *why);
int	portal_store_put_account(struct portal_store *store,
	    const struct portal_account *account, struct mk_why *why);
/* How many accounts name the profile, and how many there are of all. */
struct portal_accounts {
	uint64_t open, closed, all;
};
int	portal_store_accounts(struct portal_store *store,
	    const struct mk_udf *udf, struct portal_accounts *ret_accounts,
	    struct mk_why *why);
/* Forgets the requests and results of an account. */
int	portal_store_drop_queue(struct portal_store *store,
	    const struct mk_account *account, struct mk_why *why);

/* A nonce of a signed request: MK_E_REFUSED if it was used; older than
   twice the slack are forgotten, and refused by their time. */
int	portal_store_nonce(struct portal_store *store,
	    const struct mk_udf *signer,
	    const uint8_t nonce[MK_REQUEST_NONCE], int64_t now,
	    struct mk_why *why);

/* A connection request that waits, or a result that was given. */
struct portal_pending {
	struct mk_account account;
	struct mk_udf device;
	int64_t asked;			/* Time of the request */
	int64_t came;			/* results: when */
	const uint8_t *text;		/* the envelope, compact JSON */
	size_t len;
	bool has_witness;
	uint8_t witness[MK_WITNESS];
	uint8_t digest[MK_DIGEST];	/* of the request's payload */
	const char *address;		/* portal_origin(), for the limits;
					   "" of a result */
};

/* Replaces what waits or was answered of the same account and device. */
int	portal_store_put_pending(struct portal_store *store,
	    const struct portal_pending *pending, struct mk_why *why);
/* All that wait for an account, in the order in which they came. */
struct portal_queue {
	const struct portal_pending *list;
	size_t n;
};
int	portal_store_pending(struct portal_store *store, struct mk_arena *a,
	    const struct mk_account *account, struct portal_queue *ret_queue,
	    struct mk_why *why);
/* The request that waits of pending->account and ->device, or the result;
   fills in the rest. */
int	portal_store_waits(struct portal_store *store, struct mk_arena *a,
	    struct portal_pending *pending, struct mk_why *why);
int	portal_store_result(struct portal_store *store, struct mk_arena *a,
	    struct portal_pending *pending, struct mk_why *why);
/* How many wait: of the account, of it from the address, from the address
   at all, and of all. */
struct portal_counts {
	uint64_t account, address, origin, all;
};
int	portal_store_count_pending(struct portal_store *store,
	    const struct mk_account *account, const char *address,
	    struct portal_counts *ret_counts, struct mk_why *why);
/* The request of that device gets its result and waits no more; of the
   account's results the oldest over PORTAL_RESULTS_MAX go. */
int	portal_store_put_result(struct portal_store *store,
	    const struct portal_pending *result, struct mk_why *why);
/* Requests and results that have lapsed, nonces that are old: unless the
   clock was set not long ago by 'ticks', milliseconds of one that nobody
   sets. */
int	portal_store_sweep(struct portal_store *store, int64_t now,
	    int64_t ticks, struct mk_why *why);

/* One profile or account after another, in no order, for the export. */
typedef int portal_each_profile(void *arg,
	    const struct portal_profile *profile, struct mk_why *why);
typedef int portal_each_account(void *arg,
	    const struct portal_account *account, struct mk_why *why);
int	portal_store_each(struct portal_store *store,
	    portal_each_profile *profile, portal_each_account *account,
	    void *arg, struct mk_why *why);

/*
 * portal_set.c
 */
struct portal_set {
	struct portal_profile profile;
	const struct mk_verified_view *view;
};

/* A set of the current form that verifies by itself, from the fingerprint
   that it names, with every device opened, and that has not expired; in
   'a', whose cap is mk_verify_memory().  MK_E_REFUSED, MK_E_SYSTEM. */
int	portal_set_read(struct mk_arena *a, const struct mk_bytes *set,
	    int64_t now, struct portal_set *ret_set, struct mk_why *why);

enum portal_order { PORTAL_SAME, PORTAL_NEWER };

/* Whether it may take the place of 'old' (the protocol's Publish).
   MK_E_REFUSED is a conflict. */
int	portal_set_judge(const struct portal_profile *old,
	    const struct portal_set *now, enum portal_order *ret_order,
	    struct mk_why *why);

/*
 * portal_limit.c: buckets of tokens in a table of fixed size.
 */
struct portal_limits;

/* Room for what an address counts as: itself, or the /64 of an IPv6 one. */
#define PORTAL_ORIGIN	64u		/* bytes, a NUL too */

void	portal_origin(const char *address, char out[PORTAL_ORIGIN]);

enum portal_rate {
	PORTAL_RATE_READ,	/* Get, Changes, ConnectStatus, reading */
	PORTAL_RATE_WRITE,	/* what is verified and stored */
	PORTAL_RATE_CREATE,	/* new accounts */
	PORTAL_RATES
};

int	portal_limits_new(struct portal_limits **ret_limits,
	    struct mk_why *why);
void	portal_limits_free(struct portal_limits *limits);
/* Other rates than the usual ones: 'burst' at once, then one each 'ms'. */
void	portal_limits_set(struct portal_limits *limits,
	    enum portal_rate rate, unsigned burst, unsigned ms);
/* What is asked of a bucket. */
struct portal_toll {
	enum portal_rate rate;
	const char *who;	/* an address (an IPv6 one counts by its
				   /64), an account, a fingerprint */
	unsigned tokens;	/* more than a full bucket has: all of it */
};
/* Seconds to wait, 0: go on, the tokens are taken.  'now' in milliseconds
   of a clock that nobody sets. */
unsigned portal_limits_take(struct portal_limits *limits,
	    const struct portal_toll *toll, int64_t now);

/*
 * portal_serve.c, portal_answer.c, portal_account.c, portal_connect.c,
 * portal_read.c
 */
struct portal {
	struct portal_store *store;
	struct portal_limits *limits;	/* NULL: none, for tests */
	struct portal_waiting *waiting;
	struct mk_buf names[PORTAL_NAMES_MAX];	/* as mk_portal_name() */
	size_t n_names;
	uint64_t max_profiles, max_size;	/* bytes */
	int64_t told_full;		/* ticks, when to say so again */
};

struct portal_call {
	struct mk_bytes body;
	const char *address;		/* text of the peer's */
	int64_t now;			/* seconds since 1970 */
	int64_t ticks;			/* milliseconds, never set back */
};

struct portal_reply {
	int status;			/* HTTP, and the member */
	unsigned retry_after;		/* seconds, with 429 and 503 */
	struct mk_buf text;
	bool cacheable;			/* reading */
	char etag[2 + 2 * MK_DIGEST + 1];	/* "" or with its quotes */
	/* Changes with nothing to tell: to be asked again when woken. */
	bool waits;
	unsigned wait;			/* seconds */
	const struct mk_udf *udfs;	/* what for; in the call's arena */
	size_t n_udfs;
};

/*
 * Answers a transaction.  The text is the caller's to release; udfs live in
 * 'a', to which MK_ARENA_FLOOR is enough.
 */
void	portal_serve(struct portal *p, struct mk_arena *a,
	    const struct portal_call *call, struct portal_reply *ret_reply);
/* The same Changes once more, after its wait: always an answer. */
void	portal_serve_changes(struct portal *p, struct mk_arena *a,
	    const struct portal_call *call, struct portal_reply *ret_reply);

/* Answers a GET of the path behind /.well-known/mmm/; 404 too. */
void	portal_read(struct portal *p, struct mk_arena *a, const char *path,
	    const struct portal_call *call, struct portal_reply *ret_reply);

/* An answer of no transaction: what came is none. */
void	portal_refuse(struct portal_reply *reply, int status,
	    const char *description);

/* Between the files of the rules. */
struct portal_serving {
	struct portal *p;
	struct mk_arena *a;		/* for what is between */
	struct mk_arena *out;		/* for what the reply points to */
	const struct portal_call *call;
	struct mk_request req;
	struct portal_reply *reply;
	struct portal_set set;		/* of Publish and CreateAccount */
	bool again;			/* Changes that has waited */
	bool changed;			/* the set: waiters are told of it */
	bool told;			/* anything: so is the log */
	struct mk_why why;
};

/* The open account that is asked about, and its profile without the set;
   *ret_profile may be NULL.  Answers 404 if there is none. */
int	portal_find(struct portal_serving *s,
	    struct portal_profile *ret_profile);
/* Takes a token of the account: only once its owner has proved herself,
   so that nobody else can use them up.  Answers 429. */
int	portal_pace_account(struct portal_serving *s, const char *who);

/* The answer: status, what stands behind it, no further members. */
void	portal_answer(struct portal_serving *s, int status,
	    const char *description);
/* The same with members between them; checks the text at the end. */
struct mk_buf *portal_answer_begin(struct portal_serving *s, int status);
void	portal_answer_end(struct portal_serving *s);
/* 429, to come again in so many seconds. */
void	portal_answer_later(struct portal_serving *s, unsigned seconds,
	    const char *description);
/* From an error: MK_E_REFUSED is 'refused', 5xx for the others, which are
   logged and not told. */
void	portal_answer_error(struct portal_serving *s, int e, int refused);
/*
 * A signed request: its portal, time, and a key of the profile; answers 401.
 * portal_burn() then takes its nonce, which is used up from then on whatever
 * becomes of the request: only who holds a key makes the store grow by it.
 */
int	portal_check_signed(struct portal_serving *s,
	    const struct portal_profile *profile);
int	portal_burn(struct portal_serving *s);
/* Of a signed request about an account all of it: the account, signature,
   token and nonce. */
int	portal_admit(struct portal_serving *s,
	    struct portal_profile *ret_profile);

/* As portal_store_sweep(); tells of a failure. */
void	portal_sweep(struct portal *p, int64_t now, int64_t ticks);
/* Begins and ends what the answers are made in. */
void	portal_serving_begin(struct portal_serving *s);
void	portal_serving_end(struct portal_serving *s, const char *event);
/* Takes tokens of the address; answers 429. */
int	portal_pace(struct portal_serving *s, enum portal_rate rate,
	    unsigned tokens);
/* Whether an account here names the fingerprint that the entries claim;
   answers 404, before anything is verified. */
int	portal_publish_known(struct portal_serving *s);

/* One transaction of the protocol each; they answer. */
void	portal_hello(struct portal_serving *s);
void	portal_get(struct portal_serving *s);
void	portal_changes(struct portal_serving *s);
void	portal_validate(struct portal_serving *s);
void	portal_create(struct portal_serving *s);
void	portal_delete(struct portal_serving *s);
void	portal_publish(struct portal_serving *s);
void	portal_connect_start(struct portal_serving *s);
void	portal_connect_pending(struct portal_serving *s);
void	portal_connect_complete(struct portal_serving *s);
void	portal_connect_status(struct portal_serving *s);

/*
 * portal_wait.c: who is to be woken when a profile changes.
 */
struct portal_waiting;
struct portal_waiter;

typedef void portal_wake(void *arg);

int	portal_waiting_new(struct portal_waiting **ret_waiting,
	    struct mk_why *why);
void	portal_waiting_free(struct portal_waiting *waiting);
/* 'wake' is called once, when one of them changes or 'until' (ticks) has
   come; the waiter is gone then. */
struct portal_wanted {
	const struct mk_udf *udfs;	/* copied */
	size_t n;
	int64_t until;
	portal_wake *wake;
	void *arg;
};
/* MK_E_STALE: too many wait. */
int	portal_waiting_add(struct portal_waiting *waiting,
	    const struct portal_wanted *wanted,
	    struct portal_waiter **ret_waiter, struct mk_why *why);
void	portal_waiting_drop(struct portal_waiting *waiting,
	    struct portal_waiter *waiter);
void	portal_waiting_changed(struct portal_waiting *waiting,
	    const struct mk_udf *udf);
/* Wakes whose time has come; milliseconds to the next one, -1: none. */
int64_t	portal_waiting_tick(struct portal_waiting *waiting, int64_t now);
void	portal_waiting_end(struct portal_waiting *waiting);	/* wakes all */

/*
 * portal_http.c
 */
struct portal_http;

struct portal_listen {
	int fd;				/* listens; portal_http_new() owns it */
	const char *cert, *key;		/* PEM, or NULL: no TLS */
	const char *proxy;		/* whose X-Forwarded-For counts, as
					   text; NULL: nobody's */
	unsigned connections, per_address;
};

/* MK_E_CONFIG: no certificate and its key.  The portal outlives it. */
int	portal_http_new(struct portal *p, const struct portal_listen *listen,
	    struct portal_http **ret_http, struct mk_why *why);
/* Whoever still waits is cut off. */
void	portal_http_free(struct portal_http *http);
/* Works until 'fd' (signals) is readable. */
int	portal_http_run(struct portal_http *http, int fd,
	    struct mk_why *why);
/* No new connections; answers who waits, and lets requests that have begun
   end, for up to 'ms'. */
void	portal_http_drain(struct portal_http *http, int ms);

/*
 * portal_export.c: meshportal export.  Everything that reading needs, below
 * 'out', each file replaced whole and only if it differs; what is no longer
 * there is removed.  *ret_written, *ret_removed count files.
 */
struct portal_exported {
	uint64_t written, removed, kept;
};
int	portal_export(struct portal_store *store, const char *out,
	    struct portal_exported *ret_exported, struct mk_why *why);

#endif
