/* SPDX-License-Identifier: ISC */
/*
 * Which URLs are fetched, and which of them lead to the same place.
 */
#ifndef MK_NET_URL_H
#define MK_NET_URL_H

#include <stdbool.h>
#include <stddef.h>

struct mk_fetch_request;
struct mk_why;

/*
 * Judges a URL: http:// or https:// and a host, at most MK_FETCH_URL bytes
 * of printable ASCII, no user information, no fragment; MK_E_CONFIG for
 * others.  *ret_origin is malloc'd: scheme, host in lower case and port;
 * equal strings are the same server.
 */
int	mk_url_origin(const char *url, char **ret_origin, struct mk_why *why);

/* A strong ETag of at most MK_FETCH_ETAG bytes: "..." of 0x21-0x7e. */
bool	mk_etag_good(const char *etag);

/*
 * All that mk_fetch_add() judges; MK_E_REFUSED for the ETag and for more
 * than 'post' bytes to post.
 */
int	mk_request_check(const struct mk_fetch_request *req, size_t post,
	    char **ret_origin, struct mk_why *why);

#endif
