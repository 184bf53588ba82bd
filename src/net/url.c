/* SPDX-License-Identifier: ISC */
#include "net/url.h"

#include <curl/curl.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/err.h"
#include "net/fetch.h"

static int
refused(struct mk_why *why, const char *what)
{
	return mk_fail(why, MK_E_CONFIG, "url", "cannot fetch a URL: %s",
	    what);
}

static bool
is_printable(const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s < 0x21 || *s > 0x7e)
			return false;
	}
	return true;
}

/* Behind "http://" or "https://", NULL for what does not start so. */
static const char *
authority(const char *url)
{
	const char *p = NULL;

	if (strncasecmp(url, "http://", 7) == 0)
		p = url + 7;
	else if (strncasecmp(url, "https://", 8) == 0)
		p = url + 8;
	return p;
}

/* What needs no parser, so that no parser's leniency counts. */
static int
check_text(const char *url, struct mk_why *why)
{
	const char *host;
	size_t len;

	if (strnlen(url, MK_FETCH_URL + 1) > MK_FETCH_URL)
		return refused(why, "it is too long");
	if (!is_printable(url))
		return refused(why, "it has bytes that are not ASCII");
	host = authority(url);
	if (host == NULL)
		return refused(why, "it is neither https nor http");
	len = strcspn(host, "/?#");
	if (len == 0)
		return refused(why, "it names no host");
	/* Credentials would be sent, and shown in logs. */
	if (memchr(host, '@', len) != NULL)
		return refused(why, "it has a user name");
	if (strchr(host, '#') != NULL)
		return refused(why, "it has a fragment");
	return MK_OK;
}

static char *
join(const char *scheme, const char *host, const char *port)
{
	size_t size = strlen(scheme) + strlen(host) + strlen(port) + 5;
	char *origin, *p;

	origin = malloc(size);
	if (origin == NULL)
		return NULL;
	(void)snprintf(origin, size, "%s://%s:%s", scheme, host, port);
	for (p = origin; *p != '\0'; p++) {
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	}
	return origin;
}

static char *
origin_of(CURLU *u, const char *url)
{
	char *scheme = NULL, *host = NULL, *port = NULL, *origin = NULL;

	if (curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_PORT, &port,
	    CURLU_DEFAULT_PORT) == CURLUE_OK)
		origin = join(scheme, host, port);
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	return origin;
}

int
mk_url_origin(const char *url, char **ret_origin, struct mk_why *why)
{
	char *origin;
	CURLU *u;
	int r;

	r = check_text(url, why);
	if (r != MK_OK)
		return r;
	u = curl_url();
	if (u == NULL)
		return mk_fail(why, MK_E_SYSTEM, "url", "out of memory");
	origin = origin_of(u, url);
	curl_url_cleanup(u);
	if (origin == NULL)
		return refused(why, "it is malformed");
	*ret_origin = origin;
	return MK_OK;
}

bool
mk_etag_good(const char *etag)
{
	size_t len = strnlen(etag, MK_FETCH_ETAG + 1);

	return len >= 2 && len <= MK_FETCH_ETAG && is_printable(etag) &&
	    etag[0] == '"' && strchr(etag + 1, '"') == etag + len - 1;
}

int
mk_request_check(const struct mk_fetch_request *req, size_t post,
    char **ret_origin, struct mk_why *why)
{
	/* It becomes a line of the header: no line feed must get into it. */
	if (req->etag != NULL && !mk_etag_good(req->etag))
		return mk_fail(why, MK_E_REFUSED, "fetch",
		    "cannot fetch: malformed ETag");
	if (req->post != NULL && strnlen(req->post, post + 1) > post)
		return mk_fail(why, MK_E_REFUSED, "fetch",
		    "cannot fetch: more than %zu bytes to post", post);
	return mk_url_origin(req->url, ret_origin, why);
}
