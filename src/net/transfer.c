/* SPDX-License-Identifier: ISC */
/*
 * What a server can send is bounded here: the body while it comes in, the
 * header in bytes and lines, the time as a whole and the speed.
 */
#include "net/transfer.h"

#include <config.h>

#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "core/err.h"
#include "net/url.h"

#define MAX_REDIRECTS		2u
#define MAX_HEADER_BYTES	((size_t)64 << 10)
#define MAX_HEADER_LINES	100u

/* Bytes a second, for so many seconds. */
#define LOW_SPEED		100L
#define LOW_SPEED_SECONDS	20L

/* How long a connection is used, though never given back in use. */
#define CONNECTION_SECONDS	600L

/* How long the other end may leave unconfirmed what was sent. */
#define UNHEARD_MS		30000u

int64_t
mk_transfer_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static size_t
take_body(char *data, size_t size, size_t n, void *arg)
{
	struct mk_transfer *t = arg;

	mk_buf_put(&t->body, data, size * n);
	if (t->body.failed == MK_E_REFUSED)
		t->too_big = true;
	return t->body.failed == 0 ? size * n : 0;
}

/* A line of a header without its name and the space around its value. */
struct value {
	const char *text;
	size_t len;
};

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool
is_line(const char *line, size_t len, const char *name, struct value *ret)
{
	size_t at = strlen(name);

	if (len <= at || strncasecmp(line, name, at) != 0 || line[at] != ':')
		return false;
	at++;
	while (at < len && is_space(line[at]))
		at++;
	while (len > at && is_space(line[len - 1]))
		len--;
	ret->text = line + at;
	ret->len = len - at;
	return true;
}

static bool
is_word(const struct value *v, const char *word)
{
	return v->len == strlen(word) && strncasecmp(v->text, word,
	    v->len) == 0;
}

/* Two are one too many: nobody knows which of them is meant. */
static void
take_etag(struct mk_header *h, const struct value *v)
{
	h->etag[0] = '\0';
	h->etags++;
	if (h->etags > 1 || v->len >= sizeof(h->etag))
		return;
	memcpy(h->etag, v->text, v->len);
	h->etag[v->len] = '\0';
	if (strlen(h->etag) != v->len || !mk_etag_good(h->etag))
		h->etag[0] = '\0';
}

static void
take_line(struct mk_header *h, const char *line, size_t len)
{
	struct value v;

	/* Each answer of several (100, 103) has a status line of its own. */
	if (len > 5 && memcmp(line, "HTTP/", 5) == 0) {
		h->ended = h->encoded = false;
		h->etags = 0;
		h->etag[0] = '\0';
	} else if (h->ended)
		return;
	else if (len <= 2 && is_space(line[0]))
		h->ended = true;
	else if (is_line(line, len, "ETag", &v))
		take_etag(h, &v);
	else if (is_line(line, len, "Content-Encoding", &v))
		h->encoded = h->encoded || !is_word(&v, "identity");
	else if (is_line(line, len, "Transfer-Encoding", &v))
		h->encoded = h->encoded || !is_word(&v, "chunked");
}

static size_t
take_header(char *data, size_t size, size_t n, void *arg)
{
	struct mk_transfer *t = arg;
	struct mk_header *h = &t->header;

	h->bytes += size * n;
	h->lines++;
	if (h->bytes > MAX_HEADER_BYTES || h->lines > MAX_HEADER_LINES) {
		t->too_big = true;
		return 0;
	}
	take_line(h, data, size * n);
	/* Few bytes on the wire can be very many in memory. */
	t->packed = h->encoded;
	return t->packed ? 0 : size * n;
}

/*
 * A connection whose other end vanished looks whole: the kernel would send
 * to it for a quarter of an hour, and every request that shares it would
 * wait in vain.
 */
static int
watch_peer(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	const unsigned ms = UNHEARD_MS;

	(void)arg;
	(void)purpose;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
	return CURL_SOCKOPT_OK;
}

#define SET(option, value) \
	(bad |= curl_easy_setopt(easy, (option), (value)) != CURLE_OK)

static bool
set_protocols(CURL *easy)
{
	bool bad = false;

#if LIBCURL_VERSION_NUM >= 0x075500
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
#else
	SET(CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
	SET(CURLOPT_REDIR_PROTOCOLS,
	    (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
	/* Neither the environment nor a file of the user adds anything. */
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NOPROXY, "*");
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_HTTP_CONTENT_DECODING, 0L);
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_USERAGENT, PACKAGE_NAME "/" PACKAGE_VERSION);
	return !bad;
}

static bool
set_limits(CURL *easy, const struct mk_request *req,
    const struct mk_fetch_limits *limits)
{
	bool bad = false;

	SET(CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
	/* Else whoever gives up waits for the name server all the same. */
	SET(CURLOPT_QUICK_EXIT, 1L);
#endif
	SET(CURLOPT_CONNECTTIMEOUT, (long)limits->connect_seconds);
	SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)limits->body);
	SET(CURLOPT_SOCKOPTFUNCTION, watch_peer);
#if LIBCURL_VERSION_NUM >= 0x075000
	/* Else a busy one would never follow a name to its new address. */
	SET(CURLOPT_MAXLIFETIME_CONN, CONNECTION_SECONDS);
#endif
	/* A long poll is silent on purpose. */
	if (req->seconds == 0) {
		SET(CURLOPT_LOW_SPEED_LIMIT, LOW_SPEED);
		SET(CURLOPT_LOW_SPEED_TIME, LOW_SPEED_SECONDS);
	}
	/* Rather wait for a connection that many requests can share. */
	if (strncasecmp(req->url, "https:", 6) == 0)
		SET(CURLOPT_PIPEWAIT, 1L);
	return !bad;
}

static bool
set_callbacks(struct mk_transfer *t)
{
	CURL *easy = t->easy;
	bool bad = false;

	SET(CURLOPT_PRIVATE, (char *)t);
	SET(CURLOPT_WRITEFUNCTION, take_body);
	SET(CURLOPT_WRITEDATA, (void *)t);
	SET(CURLOPT_HEADERFUNCTION, take_header);
	SET(CURLOPT_HEADERDATA, (void *)t);
	SET(CURLOPT_ERRORBUFFER, t->error);
	return !bad;
}

static bool
add_line(struct mk_transfer *t, const char *name, const char *value)
{
	struct curl_slist *lines;
	struct mk_buf line;

	mk_buf_init(&line, MK_FETCH_ETAG + 64);
	mk_buf_puts(&line, name);
	mk_buf_puts(&line, value);
	lines = line.failed == 0 ? curl_slist_append(t->lines, line.data) :
	    NULL;
	mk_buf_release(&line);
	if (lines != NULL)
		t->lines = lines;
	return lines != NULL;
}

static bool
set_request(struct mk_transfer *t, const struct mk_request *req)
{
	CURL *easy = t->easy;
	bool bad = false;

	if (req->etag != NULL &&
	    !add_line(t, "If-None-Match: ", req->etag))
		return false;
	if (req->post != NULL) {
		if (!add_line(t, "Content-Type: ", "application/json") ||
		    !add_line(t, "Expect:", ""))
			return false;
		SET(CURLOPT_POST, 1L);
		SET(CURLOPT_POSTFIELDS, req->post);
		SET(CURLOPT_POSTFIELDSIZE, (long)strlen(req->post));
	}
	SET(CURLOPT_HTTPHEADER, t->lines);
	SET(CURLOPT_URL, req->url);
	return !bad;
}

/* What is left of the time of the whole request. */
static bool
set_timeout(struct mk_transfer *t)
{
	int64_t left = t->deadline - mk_transfer_now();

	return curl_easy_setopt(t->easy, CURLOPT_TIMEOUT_MS,
	    (long)(left > 1 ? left : 1)) == CURLE_OK;
}

static bool
set_up(struct mk_transfer *t, struct mk_request *req,
    const struct mk_fetch_limits *limits)
{
	unsigned seconds = req->seconds > 0 ? req->seconds : limits->seconds;

	mk_buf_init(&t->body, limits->body);
	t->deadline = mk_transfer_now() + (int64_t)seconds * 1000;
	t->error = calloc(1, CURL_ERROR_SIZE);
	t->easy = curl_easy_init();
	return t->error != NULL && t->easy != NULL &&
	    set_callbacks(t) && set_protocols(t->easy) &&
	    set_limits(t->easy, req, limits) && set_request(t, req) &&
	    set_timeout(t);
}

int
mk_transfer_new(struct mk_request *req, const struct mk_fetch_limits *limits,
    struct mk_transfer **ret_transfer, struct mk_why *why)
{
	struct mk_transfer *t;

	t = calloc(1, sizeof(*t));
	if (t == NULL || !set_up(t, req, limits)) {
		mk_transfer_free(t);
		return mk_fail(why, MK_E_SYSTEM, "fetch",
		    "cannot prepare a request: out of memory");
	}
	t->req = req;
	*ret_transfer = t;
	return MK_OK;
}

void
mk_transfer_free(struct mk_transfer *t)
{
	if (t == NULL)
		return;
	curl_easy_cleanup(t->easy);
	curl_slist_free_all(t->lines);
	mk_buf_release(&t->body);
	free(t->error);
	free(t->req);
	free(t);
}

static void
say(struct mk_transfer *t, const char *text)
{
	size_t len = strnlen(text, CURL_ERROR_SIZE - 1);

	memcpy(t->error, text, len);
	t->error[len] = '\0';
}

static bool
same_origin(const char *one, const char *other)
{
	char *a = NULL, *b = NULL;
	bool same;

	same = mk_url_origin(one, &a, NULL) == MK_OK &&
	    mk_url_origin(other, &b, NULL) == MK_OK && strcmp(a, b) == 0;
	free(a);
	free(b);
	return same;
}

static bool
is_redirect(struct mk_transfer *t, const char **ret_url)
{
	long status = 0;
	char *url = NULL;

	if (t->req->post != NULL ||
	    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status) !=
	    CURLE_OK ||
	    curl_easy_getinfo(t->easy, CURLINFO_REDIRECT_URL, &url) !=
	    CURLE_OK || url == NULL)
		return false;
	*ret_url = url;
	return status == 301 || status == 302 || status == 307 ||
	    status == 308;
}

bool
mk_transfer_redirect(struct mk_transfer *t, bool *ret_failed)
{
	const char *refusal = NULL, *url;
	char *copy;

	*ret_failed = false;
	if (!is_redirect(t, &url))
		return false;
	/*
	 * Who configured one server did not name another one, and a file,
	 * an inner host or a plain connection least of all.
	 */
	if (t->redirects == MAX_REDIRECTS)
		refusal = "redirected too often";
	else if (!same_origin(t->req->url, url))
		refusal = "redirected to another server";
	copy = refusal == NULL ? strdup(url) : NULL;
	if (copy == NULL ||
	    curl_easy_setopt(t->easy, CURLOPT_URL, copy) != CURLE_OK ||
	    !set_timeout(t)) {
		say(t, refusal != NULL ? refusal : "out of memory");
		*ret_failed = true;
	}
	free(copy);
	t->redirects++;
	mk_buf_cut(&t->body, 0);
	memset(&t->header, 0, sizeof(t->header));
	return !*ret_failed;
}

/* Servers choose some of it. */
static const char *
clean(struct mk_transfer *t, CURLcode code)
{
	char *p;

	if (t->error[0] == '\0')
		say(t, curl_easy_strerror(code));
	for (p = t->error; *p != '\0'; p++) {
		if (*p < 0x20 || *p > 0x7e)
			*p = '?';
	}
	return t->error;
}

static void
judge_failure(struct mk_transfer *t, CURLcode code,
    struct mk_fetch_answer *answer)
{
	answer->outcome = MK_FETCH_FAILED;
	if (t->too_big || code == CURLE_FILESIZE_EXCEEDED) {
		answer->outcome = MK_FETCH_TOO_BIG;
		say(t, "more bytes than are allowed");
	} else if (t->packed)
		say(t, "compressed answer");
	else if (code == CURLE_OPERATION_TIMEDOUT)
		answer->outcome = MK_FETCH_TIMEOUT;
	else if (code == CURLE_OUT_OF_MEMORY)
		say(t, "out of memory, or a line of the header too long");
	answer->error = clean(t, code);
}

static unsigned
retry_after(CURL *easy)
{
	curl_off_t seconds = 0;

	if (curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &seconds) !=
	    CURLE_OK || seconds < 0)
		seconds = 0;
	if (seconds > (curl_off_t)MK_FETCH_RETRY)
		seconds = (curl_off_t)MK_FETCH_RETRY;
	return (unsigned)seconds;
}

void
mk_transfer_judge(struct mk_transfer *t, CURLcode code,
    struct mk_fetch_answer *ret_answer)
{
	long status = 0;

	memset(ret_answer, 0, sizeof(*ret_answer));
	ret_answer->id = t->req->id;
	if (code == CURLE_OK &&
	    (curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status) !=
	    CURLE_OK || status < 200 || status > 999)) {
		code = CURLE_WEIRD_SERVER_REPLY;
		say(t, "no status in the answer");
	}
	if (code != CURLE_OK) {
		judge_failure(t, code, ret_answer);
		return;
	}
	ret_answer->outcome = MK_FETCH_DONE;
	ret_answer->status = (int)status;
	ret_answer->retry_after = retry_after(t->easy);
	if (t->header.etag[0] != '\0')
		ret_answer->etag = t->header.etag;
	ret_answer->body = (const uint8_t *)t->body.data;
	ret_answer->len = t->body.len;
}
