/* SPDX-License-Identifier: ISC */
/*
 * Inside of src/net: one request while it is under way, an easy handle of
 * libcurl with our limits on it.
 */
#ifndef MK_NET_TRANSFER_H
#define MK_NET_TRANSFER_H

#include <curl/curl.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "net/fetch.h"

/* Waiting or under way.  The strings lie behind it. */
struct mk_request {
	struct mk_request *next;
	struct mk_host *host;
	const char *url, *etag, *post;
	uint32_t id;
	unsigned seconds;
};

/* What the header says, read line by line. */
struct mk_header {
	size_t bytes, lines;		/* of all headers of this answer */
	bool ended;			/* what follows are trailers */
	bool encoded;			/* would have to be unpacked */
	unsigned etags;
	char etag[MK_FETCH_ETAG + 1];
};

struct mk_transfer {
	struct mk_transfer *next;
	struct mk_request *req;
	CURL *easy;
	struct curl_slist *lines;	/* of the request's header */
	struct mk_header header;
	struct mk_buf body;
	bool too_big, packed;		/* why we stopped it */
	unsigned redirects;
	int64_t deadline;		/* milliseconds of mk_transfer_now() */
	char *error;			/* CURL_ERROR_SIZE */
};

/* Milliseconds of a clock that nobody sets. */
int64_t	mk_transfer_now(void);

/* Takes 'req' if it succeeds; not yet started. */
int	mk_transfer_new(struct mk_request *req,
	    const struct mk_fetch_limits *limits,
	    struct mk_transfer **ret_transfer, struct mk_why *why);
void	mk_transfer_free(struct mk_transfer *t);

/*
 * Whether the answer is a redirect of a GET.  Makes ready to follow it:
 * then the transfer is to be started once more.  Else 't->error' says why
 * not, and *ret_failed is true.
 */
bool	mk_transfer_redirect(struct mk_transfer *t, bool *ret_failed);

/* Fills in the answer; it points into 't'. */
void	mk_transfer_judge(struct mk_transfer *t, CURLcode code,
	    struct mk_fetch_answer *ret_answer);

#endif
