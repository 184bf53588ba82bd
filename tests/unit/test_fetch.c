/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "canned.h"
#include "core/err.h"
#include "net/fetch.h"
#include "net/url.h"
#include "unit.h"

#define OK_HEAD		"HTTP/1.1 200 OK\r\n"
#define EMPTY		"Content-Length: 0\r\n\r\n"
#define MOVED(code, to)	"HTTP/1.1 " code " Moved\r\nLocation: " to "\r\n" EMPTY
#define TEN(x)		x x x x x x x x x x
#define NINE(x)		x x x x x x x x x
#define ONE_KIB		TEN(TEN("0123456789")) "012345678901234567890123"

static const struct canned table[] = {
	{ "/tag", CANNED_KEEP, OK_HEAD "ETag: \"v1\"\r\n"
	    "Content-Length: 5\r\n\r\nhello", NULL },
	{ "/weak", CANNED_KEEP, OK_HEAD "ETag: W/\"v1\"\r\n" EMPTY, NULL },
	{ "/odd", CANNED_KEEP, OK_HEAD "ETag: v1\r\n" EMPTY, NULL },
	{ "/quote", CANNED_KEEP, OK_HEAD "ETag: \"v\"1\"\r\n" EMPTY, NULL },
	{ "/high", CANNED_KEEP, OK_HEAD "ETag: \"v\xe4\"\r\n" EMPTY, NULL },
	{ "/space", CANNED_KEEP, OK_HEAD "ETag: \"v 1\"\r\n" EMPTY, NULL },
	{ "/tags", CANNED_KEEP, OK_HEAD "ETag: \"a\"\r\nETag: \"b\"\r\n"
	    EMPTY, NULL },
	{ "/longtag", CANNED_KEEP, OK_HEAD "ETag: \"" ONE_KIB "\"\r\n" EMPTY,
	    NULL },
	{ "/trailer", CANNED_KEEP, OK_HEAD "Transfer-Encoding: chunked\r\n"
	    "\r\n2\r\nhi\r\n0\r\nETag: \"late\"\r\n\r\n", NULL },
	{ "/early", CANNED_KEEP, "HTTP/1.1 103 Early Hints\r\n"
	    "ETag: \"early\"\r\n\r\n" OK_HEAD EMPTY, NULL },
	{ "/304", CANNED_KEEP, "HTTP/1.1 304 Not Modified\r\n"
	    "ETag: \"v1\"\r\n\r\n", NULL },
	{ "/500", CANNED_KEEP, "HTTP/1.1 500 Oh\r\n" EMPTY, NULL },
	{ "/echo", CANNED_ECHO, NULL, NULL },
	{ "/once", CANNED_KEEP, MOVED("301", "/tag"), NULL },
	{ "/twice", CANNED_KEEP, MOVED("302", "/once"), NULL },
	{ "/thrice", CANNED_KEEP, MOVED("307", "/twice"), NULL },
	{ "/loop", CANNED_KEEP, MOVED("308", "/loop"), NULL },
	{ "/host", CANNED_KEEP, MOVED("302", "http://localhost/tag"), NULL },
	{ "/port", CANNED_KEEP, MOVED("302", "http://127.0.0.1:1/tag"),
	    NULL },
	{ "/file", CANNED_KEEP, MOVED("302", "file:///etc/passwd"), NULL },
	{ "/https", CANNED_KEEP, MOVED("302", "https://127.0.0.1/"), NULL },
	{ "/user", CANNED_KEEP, MOVED("302", "//a:b@127.0.0.1/"), NULL },
	{ "/nowhere", CANNED_KEEP, "HTTP/1.1 302 Found\r\n" EMPTY, NULL },
	{ "/303", CANNED_KEEP, MOVED("303", "/tag"), NULL },
	{ "/chunks", CANNED_REPEAT, OK_HEAD "Transfer-Encoding: chunked\r\n"
	    "\r\n", "400\r\n" ONE_KIB "\r\n" },
	{ "/endless", CANNED_REPEAT, OK_HEAD "\r\n", ONE_KIB },
	{ "/announced", CANNED_HOLD, OK_HEAD "Content-Length: 999999999"
	    "\r\n\r\n", NULL },
	{ "/longer", CANNED_CLOSE, OK_HEAD "Content-Length: 2\r\n\r\nhello",
	    NULL },
	{ "/shorter", CANNED_CLOSE, OK_HEAD "Content-Length: 9\r\n\r\nhello",
	    NULL },
	{ "/gzip", CANNED_KEEP, OK_HEAD "Content-Encoding: gzip\r\n"
	    "Content-Length: 2\r\n\r\nhi", NULL },
	{ "/folded", CANNED_KEEP, OK_HEAD "Content-Encoding:\r\n gzip\r\n"
	    "Content-Length: 2\r\n\r\nhi", NULL },
	{ "/te", CANNED_CLOSE, OK_HEAD "Transfer-Encoding: gzip\r\n\r\nhi",
	    NULL },
	{ "/identity", CANNED_KEEP, OK_HEAD "Content-Encoding: identity\r\n"
	    "Content-Length: 2\r\n\r\nhi", NULL },
	{ "/lines", CANNED_KEEP, OK_HEAD TEN(NINE("X: y\r\n")) EMPTY, NULL },
	{ "/manylines", CANNED_KEEP, OK_HEAD TEN(TEN("X: y\r\n")) EMPTY,
	    NULL },
	{ "/manybytes", CANNED_KEEP, OK_HEAD NINE(NINE("X: " ONE_KIB "\r\n"))
	    EMPTY, NULL },
	{ "/endlessheader", CANNED_REPEAT, OK_HEAD, "X: " ONE_KIB "\r\n" },
	{ "/longline", CANNED_REPEAT, OK_HEAD "X-Filler: ", ONE_KIB },
	{ "/drip", CANNED_DRIP, OK_HEAD "Content-Length: 999\r\n\r\n", "x" },
	{ "/silent", CANNED_HOLD, NULL, NULL },
	{ "/closed", CANNED_CLOSE, NULL, NULL },
	{ "/09", CANNED_CLOSE, "<html>garbage</html>\n", NULL },
	{ "/garbage", CANNED_CLOSE, "HTTP/1.1 9 ?\r\n\r\n", NULL },
	{ "/429", CANNED_KEEP, "HTTP/1.1 429 Slow Down\r\nRetry-After: 120"
	    "\r\n" EMPTY, NULL },
	{ "/503", CANNED_KEEP, "HTTP/1.1 503 Busy\r\n"
	    "Retry-After: Fri, 31 Dec 2500 23:59:59 GMT\r\n" EMPTY, NULL },
	{ "/429short", CANNED_KEEP, "HTTP/1.1 429 Slow Down\r\n"
	    "Retry-After: 1\r\n" EMPTY, NULL },
	{ "/429two", CANNED_KEEP, "HTTP/1.1 429 Slow Down\r\n"
	    "Retry-After: 2\r\n" EMPTY, NULL },
	{ "/503zero", CANNED_KEEP, "HTTP/1.1 503 Busy\r\n"
	    "Retry-After: 0\r\n" EMPTY, NULL },
	{ "/503odd", CANNED_KEEP, "HTTP/1.1 503 Busy\r\n"
	    "Retry-After: -5 soon\r\n" EMPTY, NULL },
	{ "/500later", CANNED_KEEP, "HTTP/1.1 500 Oh\r\n"
	    "Retry-After: 9\r\n" EMPTY, NULL },
	{ "/moved", CANNED_KEEP, "HTTP/1.1 302 Found\r\nLocation: /429now"
	    "\r\nRetry-After: 9\r\n" EMPTY, NULL },
	{ "/429now", CANNED_KEEP, "HTTP/1.1 429 Slow Down\r\n" EMPTY, NULL },
	{ "/slow", CANNED_SLOW, OK_HEAD EMPTY, NULL },
	{ NULL, CANNED_CLOSE, NULL, NULL }
};

/* The last answer, copied. */
static struct {
	int count;
	unsigned per_status[1000];
	struct mk_fetch_answer answer;
	char etag[1024], error[1024], body[256 << 10];
} got;

static struct canned_server server;
static struct mk_fetch *fetch;

static void
take(void *arg, const struct mk_fetch_answer *a)
{
	ck_assert_ptr_eq(arg, &got);
	ck_assert_uint_lt(a->len, sizeof(got.body));
	got.count++;
	got.answer = *a;
	got.per_status[a->status]++;
	if (a->len > 0)
		memcpy(got.body, a->body, a->len);
	got.body[a->len] = '\0';
	strcpy(got.etag, a->etag == NULL ? "-" : a->etag);
	strcpy(got.error, a->error == NULL ? "-" : a->error);
	ck_assert_int_eq(a->outcome == MK_FETCH_DONE, a->error == NULL);
}

static void
start(unsigned at_once, unsigned per_host)
{
	const struct mk_fetch_limits limits = {
		.body = 200 << 10,
		.seconds = 2,
		.connect_seconds = 2,
		.at_once = at_once,
		.per_host = per_host
	};

	ck_assert_int_eq(mk_fetch_new(&limits, take, &got, &fetch, NULL),
	    MK_OK);
}

static void
setup(void)
{
	canned_start(table, &server);
	start(32, 0);
}

static void
teardown(void)
{
	mk_fetch_free(fetch);
	canned_stop(&server);
}

static int
add(uint32_t id, const char *url, const char *etag, const char *post)
{
	const struct mk_fetch_request req = {
		.id = id,
		.url = url,
		.etag = etag,
		.post = post
	};

	return mk_fetch_add(fetch, &req, NULL);
}

static void
work(void)
{
	int readable;

	while (mk_fetch_pending(fetch) > 0)
		ck_assert_int_eq(mk_fetch_work(fetch, -1, 10000, &readable,
		    NULL), MK_OK);
}

static void
get(const char *path)
{
	got.count = 0;
	ck_assert_int_eq(add(7, canned_url(&server, path), NULL, NULL),
	    MK_OK);
	work();
	ck_assert_int_eq(got.count, 1);
	ck_assert_uint_eq(got.answer.id, 7);
}

static void
get_done(const char *path, int status, const char *etag, const char *body)
{
	get(path);
	ck_assert_str_eq(got.error, "-");
	ck_assert_int_eq(got.answer.status, status);
	ck_assert_str_eq(got.etag, etag);
	ck_assert_str_eq(got.body, body);
}

static void
get_not(const char *path, enum mk_fetch_outcome outcome, const char *error)
{
	get(path);
	ck_assert_int_eq(got.answer.outcome, outcome);
	ck_assert_int_eq(got.answer.status, 0);
	ck_assert_uint_eq(got.answer.len, 0);
	if (error != NULL)
		ck_assert_str_eq(got.error, error);
}

static const char *const bad_urls[] = {
	"", "http", "http:", "http:/", "http://", "http:///x", "https:///",
	"https://?x", "https:/h/", "file:///etc/passwd", "ftp://h/",
	"//h/", "/x", "h/x", "gopher://h/", "ldap://h/", "httpx://h/",
	"http://a@h/", "http://a:b@h/", "http://@h/", "http://h/#f",
	"http://h#f", "http://h/a b", "http://h/\n", "http://h/\r\nX: y",
	"http://h/\t", "http://h\x7f/", "http://h/\xc3\xa4", "http://h:x/",
	"http://h:99999/", "http://[::1/", " http://h/"
};

START_TEST(urls_refused)
{
	struct mk_why why = { 0 };
	char *origin;

	ck_assert_int_eq(mk_url_origin(bad_urls[_i], &origin, &why),
	    MK_E_CONFIG);
	ck_assert_int_eq(why.code, MK_E_CONFIG);
	ck_assert_int_eq(add(1, bad_urls[_i], NULL, NULL), MK_E_CONFIG);
	ck_assert_uint_eq(mk_fetch_pending(fetch), 0);
}
END_TEST

START_TEST(urls_long)
{
	char url[MK_FETCH_URL + 2], *origin;

	memset(url, 'x', sizeof(url));
	memcpy(url, "http://h/", 9);
	url[MK_FETCH_URL] = '\0';
	ck_assert_int_eq(mk_url_origin(url, &origin, NULL), MK_OK);
	free(origin);
	url[MK_FETCH_URL] = 'x';
	url[MK_FETCH_URL + 1] = '\0';
	ck_assert_int_eq(mk_url_origin(url, &origin, NULL), MK_E_CONFIG);
}
END_TEST

static void
is_origin(const char *url, const char *expected)
{
	char *origin;

	ck_assert_int_eq(mk_url_origin(url, &origin, NULL), MK_OK);
	ck_assert_str_eq(origin, expected);
	free(origin);
}

START_TEST(origins)
{
	is_origin("http://h", "http://h:80");
	is_origin("HTTPS://Mesh.Example/x?y", "https://mesh.example:443");
	is_origin("https://h:8443/a@b", "https://h:8443");
	is_origin("http://[::1]:80/", "http://[::1]:80");
}
END_TEST

START_TEST(etags)
{
	char tag[MK_FETCH_ETAG + 2];

	ck_assert(mk_etag_good("\"\""));
	ck_assert(mk_etag_good("\"a-Z!~\""));
	ck_assert(!mk_etag_good(""));
	ck_assert(!mk_etag_good("\""));
	ck_assert(!mk_etag_good("W/\"a\""));
	ck_assert(!mk_etag_good("\"a\"\r\nX: \""));
	memset(tag, 'x', sizeof(tag));
	tag[0] = tag[MK_FETCH_ETAG - 1] = '"';
	tag[MK_FETCH_ETAG] = '\0';
	ck_assert(mk_etag_good(tag));
	tag[MK_FETCH_ETAG - 1] = 'x';
	tag[MK_FETCH_ETAG] = '"';
	tag[MK_FETCH_ETAG + 1] = '\0';
	ck_assert(!mk_etag_good(tag));
	ck_assert_int_eq(add(1, "http://h/", "x", NULL), MK_E_REFUSED);
}
END_TEST

START_TEST(answers)
{
	get_done("/tag", 200, "\"v1\"", "hello");
	get_done("/weak", 200, "-", "");
	get_done("/odd", 200, "-", "");
	get_done("/quote", 200, "-", "");
	get_done("/high", 200, "-", "");
	get_done("/space", 200, "-", "");
	get_done("/tags", 200, "-", "");
	get_done("/longtag", 200, "-", "");
	get_done("/trailer", 200, "-", "hi");
	get_done("/early", 200, "-", "");
	get_done("/304", 304, "\"v1\"", "");
	get_done("/absent", 404, "-", "");
	get_done("/500", 500, "-", "");
	ck_assert_int_eq(server.seen->connections, 1);
}
END_TEST

START_TEST(what_is_sent)
{
	ck_assert_int_eq(add(1, canned_url(&server, "/echo?a=b"), "\"v1\"",
	    NULL), MK_OK);
	work();
	ck_assert_ptr_nonnull(strstr(got.body, "GET /echo?a=b HTTP/1.1\r\n"));
	ck_assert_ptr_nonnull(strstr(got.body,
	    "\r\nIf-None-Match: \"v1\"\r\n"));
	ck_assert_ptr_nonnull(strstr(got.body, "\r\nUser-Agent: meshkeys/"));
	ck_assert_ptr_null(strcasestr(got.body, "accept-encoding"));
	ck_assert_ptr_null(strcasestr(got.body, "cookie"));
	ck_assert_ptr_null(strcasestr(got.body, "authorization"));
	ck_assert_int_eq(add(1, canned_url(&server, "/echo"), NULL,
	    "{\"Hello\":{}}"), MK_OK);
	work();
	ck_assert_ptr_nonnull(strstr(got.body, "POST /echo HTTP/1.1\r\n"));
	ck_assert_ptr_nonnull(strstr(got.body,
	    "\r\nContent-Type: application/json\r\n"));
	ck_assert_ptr_nonnull(strstr(got.body, "\r\n\r\n{\"Hello\":{}}"));
	ck_assert_ptr_null(strcasestr(got.body, "expect:"));
	ck_assert_ptr_null(strcasestr(got.body, "if-none-match"));
}
END_TEST

START_TEST(posts)
{
	static char post[MK_FETCH_POST + 2];
	const char *url = canned_url(&server, "/echo");

	memset(post, 'x', MK_FETCH_POST);
	ck_assert_int_eq(add(1, url, NULL, post), MK_OK);
	work();
	ck_assert_uint_gt(got.answer.len, MK_FETCH_POST);
	ck_assert_str_eq(strstr(got.body, "\r\n\r\n") + 4, post);
	post[MK_FETCH_POST] = 'x';
	ck_assert_int_eq(add(1, url, NULL, post), MK_E_REFUSED);
	/* Whoever moves a POST is not obeyed. */
	ck_assert_int_eq(add(1, canned_url(&server, "/once"), NULL, "{}"),
	    MK_OK);
	work();
	ck_assert_int_eq(got.answer.status, 301);
}
END_TEST

START_TEST(redirects)
{
	const char *const elsewhere = "redirected to another server";

	get_done("/once", 200, "\"v1\"", "hello");
	get_done("/twice", 200, "\"v1\"", "hello");
	get_not("/thrice", MK_FETCH_FAILED, "redirected too often");
	get_not("/loop", MK_FETCH_FAILED, "redirected too often");
	get_not("/host", MK_FETCH_FAILED, elsewhere);
	get_not("/port", MK_FETCH_FAILED, elsewhere);
	get_not("/file", MK_FETCH_FAILED, elsewhere);
	get_not("/https", MK_FETCH_FAILED, elsewhere);
	get_not("/user", MK_FETCH_FAILED, elsewhere);
	get_done("/nowhere", 302, "-", "");
	get_done("/303", 303, "-", "");
	/* 2 + 3 + 3 + 3, and one each. */
	ck_assert_int_eq(server.seen->requests, 18);
}
END_TEST

START_TEST(too_big)
{
	get_not("/chunks", MK_FETCH_TOO_BIG, NULL);
	get_not("/endless", MK_FETCH_TOO_BIG, NULL);
	get_not("/announced", MK_FETCH_TOO_BIG, NULL);
	get_done("/lines", 200, "-", "");
	get_not("/manylines", MK_FETCH_TOO_BIG, NULL);
	get_not("/manybytes", MK_FETCH_TOO_BIG, NULL);
	get_not("/endlessheader", MK_FETCH_TOO_BIG, NULL);
	get_not("/longline", MK_FETCH_FAILED, NULL);
	get_done("/tag", 200, "\"v1\"", "hello");
}
END_TEST

START_TEST(malformed)
{
	get_done("/longer", 200, "-", "he");
	get_not("/shorter", MK_FETCH_FAILED, NULL);
	get_not("/gzip", MK_FETCH_FAILED, "compressed answer");
	get_not("/folded", MK_FETCH_FAILED, "compressed answer");
	get_not("/te", MK_FETCH_FAILED, "compressed answer");
	get_done("/identity", 200, "-", "hi");
	get_not("/closed", MK_FETCH_FAILED, NULL);
	get_not("/09", MK_FETCH_FAILED, NULL);
	get_not("/garbage", MK_FETCH_FAILED, NULL);
}
END_TEST

START_TEST(slow)
{
	const time_t begun = time(NULL);

	ck_assert_int_eq(add(1, canned_url(&server, "/drip"), NULL, NULL),
	    MK_OK);
	ck_assert_int_eq(add(2, canned_url(&server, "/silent"), NULL, NULL),
	    MK_OK);
	work();
	ck_assert_int_eq(got.count, 2);
	ck_assert_int_eq(got.answer.outcome, MK_FETCH_TIMEOUT);
	ck_assert_int_le(time(NULL) - begun, 4);
}
END_TEST

/* Requests may have a time of their own, shorter or longer. */
START_TEST(own_time)
{
	struct mk_fetch_request req = { .id = 1, .seconds = 1 };
	const time_t begun = time(NULL);

	req.url = canned_url(&server, "/silent");
	ck_assert_int_eq(mk_fetch_add(fetch, &req, NULL), MK_OK);
	work();
	ck_assert_int_eq(got.answer.outcome, MK_FETCH_TIMEOUT);
	req.seconds = 4;
	ck_assert_int_eq(mk_fetch_add(fetch, &req, NULL), MK_OK);
	work();
	ck_assert_int_eq(got.answer.outcome, MK_FETCH_TIMEOUT);
	ck_assert_int_ge(time(NULL) - begun, 4);
}
END_TEST

START_TEST(refused)
{
	char url[64];

	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/",
	    canned_no_port());
	ck_assert_int_eq(add(1, url, NULL, NULL), MK_OK);
	work();
	ck_assert_int_eq(got.answer.outcome, MK_FETCH_FAILED);
}
END_TEST

static const char *const proxies[] = {
	"http_proxy", "https_proxy", "all_proxy", "ALL_PROXY", "HTTPS_PROXY"
};

START_TEST(no_proxy)
{
	char url[64];
	size_t i;

	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u",
	    canned_no_port());
	for (i = 0; i < sizeof(proxies) / sizeof(proxies[0]); i++)
		ck_assert_int_eq(setenv(proxies[i], url, 1), 0);
	get_done("/tag", 200, "\"v1\"", "hello");
}
END_TEST

START_TEST(put_off)
{
	unsigned i;

	get("/429");
	ck_assert_int_eq(got.answer.status, 429);
	ck_assert_uint_eq(got.answer.retry_after, 120);
	for (i = 0; i < 100; i++)
		ck_assert_int_eq(add(i, canned_url(&server, "/tag"), NULL,
		    NULL), MK_OK);
	work();
	ck_assert_int_eq(got.count, 101);
	ck_assert_int_eq(got.answer.outcome, MK_FETCH_PUT_OFF);
	ck_assert_int_eq(server.seen->requests, 1);
}
END_TEST

START_TEST(put_off_till)
{
	get("/503");
	ck_assert_int_eq(got.answer.status, 503);
	ck_assert_uint_eq(got.answer.retry_after, MK_FETCH_RETRY);
	get_not("/tag", MK_FETCH_PUT_OFF, NULL);
	ck_assert_uint_le(got.answer.retry_after, MK_FETCH_RETRY);
	ck_assert_uint_ge(got.answer.retry_after, MK_FETCH_RETRY - 10);
}
END_TEST

START_TEST(put_off_without_word)
{
	get_done("/429now", 429, "-", "");
	get_done("/tag", 200, "\"v1\"", "hello");
	get_done("/503zero", 503, "-", "");
	get_done("/503odd", 503, "-", "");
	get_done("/500later", 500, "-", "");
	ck_assert_uint_eq(got.answer.retry_after, 9);
	/* What was said before a redirect is not said of its end. */
	get_done("/moved", 429, "-", "");
	get_done("/tag", 200, "\"v1\"", "hello");
}
END_TEST

/* The time over, it is asked again, by whoever waited as told. */
START_TEST(put_off_no_longer)
{
	int round;

	for (round = 1; round <= 2; round++) {
		get_done("/429short", 429, "-", "");
		get_not("/tag", MK_FETCH_PUT_OFF, NULL);
		ck_assert_uint_eq(got.answer.retry_after, 1);
		(void)usleep(1000000);
		get_done("/tag", 200, "\"v1\"", "hello");
		ck_assert_int_eq(server.seen->requests, 2 * round);
	}
	get_done("/429two", 429, "-", "");
	(void)usleep(500000);
	get_not("/tag", MK_FETCH_PUT_OFF, NULL);
	(void)usleep(got.answer.retry_after * 1000000);
	get_done("/tag", 200, "\"v1\"", "hello");
}
END_TEST

/* One server's wish is nothing to another, and the longest one counts. */
START_TEST(put_off_alone)
{
	struct canned_server other;
	const char *url;

	canned_start(table, &other);
	url = canned_url(&server, "/429");
	ck_assert_int_eq(add(1, url, NULL, NULL), MK_OK);
	url = canned_url(&server, "/429short");
	ck_assert_int_eq(add(2, url, NULL, NULL), MK_OK);
	work();
	(void)usleep(1100000);
	get_not("/tag", MK_FETCH_PUT_OFF, NULL);
	ck_assert_uint_ge(got.answer.retry_after, 110);
	ck_assert_int_eq(add(3, canned_url(&other, "/tag"), NULL, NULL),
	    MK_OK);
	work();
	ck_assert_int_eq(got.answer.status, 200);
	canned_stop(&other);
}
END_TEST

START_TEST(many)
{
	unsigned i;

	for (i = 0; i < 2000; i++)
		ck_assert_int_eq(add(i, canned_url(&server, "/tag"), NULL,
		    NULL), MK_OK);
	for (i = 0; i < 100; i++)
		ck_assert_int_eq(add(i, canned_url(&server, "/slow"), NULL,
		    NULL), MK_OK);
	ck_assert_uint_eq(mk_fetch_pending(fetch), 2100);
	work();
	ck_assert_uint_eq(got.per_status[200], 2100);
	ck_assert_int_le(server.seen->most, MK_FETCH_PER_HOST);
	ck_assert_int_le(server.seen->connections, MK_FETCH_PER_HOST);
}
END_TEST

START_TEST(per_host)
{
	unsigned i;

	mk_fetch_free(fetch);
	start(32, (unsigned)_i);
	for (i = 0; i < 100; i++)
		ck_assert_int_eq(add(i, canned_url(&server, "/slow"), NULL,
		    NULL), MK_OK);
	work();
	ck_assert_uint_eq(got.per_status[200], 100);
	ck_assert_int_eq(server.seen->most, _i);
	ck_assert_int_eq(server.seen->connections, _i);
}
END_TEST

#define SERVERS	1000

/* Asks each of many servers once; the names are all one machine. */
static void
ask_servers(const char *path)
{
	char url[128];
	int i;

	got.count = 0;
	for (i = 0; i < SERVERS; i++) {
		(void)snprintf(url, sizeof(url), "http://h%d.localhost:%u%s",
		    i, server.port, path);
		ck_assert_int_eq(add(1, url, NULL, NULL), MK_OK);
	}
	work();
	ck_assert_int_eq(got.count, SERVERS);
	ck_assert_int_eq(got.answer.outcome, MK_FETCH_DONE);
}

static int
descriptors(void)
{
	int fd, n = 0;

	for (fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

/* Small pieces that were freed count, so some drift is none. */
static size_t
memory(void)
{
#ifdef __GLIBC__
#if __GLIBC_PREREQ(2, 33)
	return mallinfo2().uordblks;
#endif
#endif
	return 0;
}

/* A fetcher that lives for long keeps no more than it did at first. */
START_TEST(no_growth)
{
	const int files = descriptors();
	size_t before;
	int round;

	ask_servers("/tag");
	ask_servers("/tag");
	before = memory();
	for (round = 0; round < 3; round++)
		ask_servers("/tag");
	ck_assert_uint_le(memory(), before + SERVERS * 64);
	ck_assert_int_le(descriptors(), files + 32 + 4);
	ask_servers("/429short");
	(void)usleep(1100000);
	get_done("/tag", 200, "\"v1\"", "hello");
	ck_assert_uint_le(memory(), before + SERVERS * 64);
}
END_TEST

/* A server that hangs does not hold up another one. */
START_TEST(fair)
{
	struct canned_server other;
	const time_t begun = time(NULL);
	unsigned i;
	int readable;

	canned_start(table, &other);
	for (i = 0; i < 50; i++)
		ck_assert_int_eq(add(1, canned_url(&server, "/silent"), NULL,
		    NULL), MK_OK);
	ck_assert_int_eq(mk_fetch_work(fetch, -1, 100, &readable, NULL),
	    MK_OK);
	ck_assert_int_eq(add(2, canned_url(&other, "/tag"), NULL, NULL),
	    MK_OK);
	while (got.count == 0)
		ck_assert_int_eq(mk_fetch_work(fetch, -1, 1000, &readable,
		    NULL), MK_OK);
	ck_assert_uint_eq(got.answer.id, 2);
	ck_assert_int_le(time(NULL) - begun, 1);
	canned_stop(&other);
}
END_TEST

START_TEST(descriptor)
{
	int fd[2], readable = 0;

	ck_assert_int_eq(pipe(fd), 0);
	ck_assert_int_eq(mk_fetch_work(fetch, fd[0], 20, &readable, NULL),
	    MK_OK);
	ck_assert_int_eq(readable, 0);
	ck_assert_int_eq(add(1, canned_url(&server, "/silent"), NULL, NULL),
	    MK_OK);
	ck_assert_int_eq(write(fd[1], "x", 1), 1);
	ck_assert_int_eq(mk_fetch_work(fetch, fd[0], -1, &readable, NULL),
	    MK_OK);
	ck_assert_int_eq(readable, 1);
	ck_assert_int_eq(read(fd[0], &(char){ 0 }, 1), 1);
	/* Hung up is readable, too. */
	close(fd[1]);
	ck_assert_int_eq(mk_fetch_work(fetch, fd[0], 1000, &readable, NULL),
	    MK_OK);
	ck_assert_int_eq(readable, 1);
	close(fd[0]);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("fetch");
	TCase *t = tcase_create("fetch");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, urls_refused, 0,
	    (int)(sizeof(bad_urls) / sizeof(bad_urls[0])));
	tcase_add_test(t, urls_long);
	tcase_add_test(t, origins);
	tcase_add_test(t, etags);
	tcase_add_test(t, answers);
	tcase_add_test(t, what_is_sent);
	tcase_add_test(t, posts);
	tcase_add_test(t, redirects);
	tcase_add_test(t, too_big);
	tcase_add_test(t, malformed);
	tcase_add_test(t, slow);
	tcase_add_test(t, own_time);
	tcase_add_test(t, refused);
	tcase_add_test(t, no_proxy);
	tcase_add_test(t, put_off);
	tcase_add_test(t, put_off_till);
	tcase_add_test(t, put_off_without_word);
	tcase_add_test(t, put_off_no_longer);
	tcase_add_test(t, put_off_alone);
	tcase_add_test(t, many);
	tcase_add_loop_test(t, per_host, 1, 4);
	tcase_add_loop_test(t, per_host, 20, 21);
	tcase_add_test(t, no_growth);
	tcase_add_test(t, fair);
	tcase_add_test(t, descriptor);
	suite_add_tcase(s, t);
	return s;
}
