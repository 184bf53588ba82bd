/* SPDX-License-Identifier: ISC */
/*
 * The only user of libcurl: moves bytes between portals and whoever holds
 * the other end of a socket, and understands none of them.
 *
 * Many requests at once over few connections (HTTP/2 where the server has
 * it), at most 'per_host' at once to a host, each bounded in size and
 * time, with a lower limit on speed.  Redirects are followed at most
 * twice, to the same scheme, host and port only.  No cookies, no netrc, no
 * automatic decompression, no credentials; http:// and https:// only.
 * No proxies, whatever the environment says.  "Retry-After" of a 429 or
 * 503 puts its host off for that time, at most MK_FETCH_RETRY, and no
 * longer; without it they put nobody off.
 *
 * A fetcher may live for as long as it likes.  What it keeps between
 * requests is bounded: at most 'at_once' idle connections, each of at most
 * ten minutes and two of idleness; names for the minute of libcurl's
 * cache; hosts while they are put off.  The first two are looked through
 * when a request ends or begins, so an idle fetcher keeps what it has.
 */
#ifndef MK_NET_FETCH_H
#define MK_NET_FETCH_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

#define MK_FETCH_PER_HOST	8u
#define MK_FETCH_URL		2048u	/* bytes of a URL */
#define MK_FETCH_ETAG		512u	/* bytes of an ETag, quotes included */
#define MK_FETCH_RETRY		3600u	/* seconds to retry after, at most */
#define MK_FETCH_POST		(128u << 10) /* bytes of a request's body,
						   unless a limit says more */

struct mk_fetch;			/* a multi handle and its requests */

struct mk_fetch_limits {
	size_t body;			/* bytes of an answer's body */
	size_t post;			/* of a request's; 0: MK_FETCH_POST */
	unsigned seconds;		/* for one request, whole */
	unsigned connect_seconds;
	unsigned at_once;		/* requests under way */
	unsigned per_host;		/* of them; 0: MK_FETCH_PER_HOST;
					   HTTP/2: half of all, if more */
};

/* Bytes that may be posted. */
static inline size_t
mk_fetch_post(const struct mk_fetch_limits *limits)
{
	return limits->post > 0 ? limits->post : MK_FETCH_POST;
}

/* 'id' is the caller's; strings are copied. */
struct mk_fetch_request {
	uint32_t id;
	const char *url;
	const char *etag;		/* If-None-Match, or NULL */
	const char *post;		/* JSON body: POST; NULL: GET */
	unsigned seconds;		/* 0: that of the limits; else, for
					   long polls, silence is no fault */
};

enum mk_fetch_outcome {
	MK_FETCH_DONE,			/* an HTTP answer, whole */
	MK_FETCH_FAILED,		/* no connection, TLS, name, protocol */
	MK_FETCH_TIMEOUT,
	MK_FETCH_TOO_BIG,
	MK_FETCH_PUT_OFF		/* its host asked to be left alone */
};

struct mk_fetch_answer {
	uint32_t id;
	enum mk_fetch_outcome outcome;
	int status;			/* HTTP, with MK_FETCH_DONE */
	unsigned retry_after;		/* seconds, 0: none; with PUT_OFF
					   what is left, at least 1 */
	const char *etag;		/* a strong one; NULL: none, or odd */
	const uint8_t *body;
	size_t len;
	const char *error;		/* for people; not with DONE */
};

/* Called for each request, once; the answer lives for the call only. */
typedef void mk_fetch_done(void *arg, const struct mk_fetch_answer *answer);

int	mk_fetch_new(const struct mk_fetch_limits *limits,
	    mk_fetch_done *done, void *arg, struct mk_fetch **ret_fetch,
	    struct mk_why *why);
void	mk_fetch_free(struct mk_fetch *f);

/*
 * Queues a request.  MK_E_CONFIG for a URL that is not allowed,
 * MK_E_REFUSED for an ETag that is none or too much to post.
 */
int	mk_fetch_add(struct mk_fetch *f, const struct mk_fetch_request *req,
	    struct mk_why *why);

/* Requests queued or under way. */
size_t	mk_fetch_pending(const struct mk_fetch *f);

/*
 * Works until a request is done, 'fd' is readable (-1: none) or
 * 'milliseconds' have passed.  *ret_readable tells about 'fd'.
 */
int	mk_fetch_work(struct mk_fetch *f, int fd, int milliseconds,
	    int *ret_readable, struct mk_why *why);

#endif
