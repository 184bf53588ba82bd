/* SPDX-License-Identifier: ISC */
/*
 * Requests wait in a queue of their server and become transfers in turn,
 * so that a slow server delays no other one's and ten thousand requests
 * cost little more than their URLs.
 */
#include "net/fetch.h"

#include <curl/curl.h>

#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "net/transfer.h"
#include "net/url.h"

/* How late a deadline may be noticed that libcurl does not watch. */
#define LOOK_AGAIN	1000	/* milliseconds */

/* A server; forgotten with its last request, or when it is let in again. */
struct mk_host {
	struct mk_host *next;
	struct mk_request *first, **last;	/* waiting */
	unsigned running;
	bool shares;			/* connections: HTTP/2 */
	int64_t put_off;		/* until then; 0: it is not */
	char *origin;
};

struct mk_fetch {
	CURLM *multi;
	struct mk_fetch_limits limits;
	mk_fetch_done *done;
	void *arg;
	struct mk_host *hosts;		/* the next to be served first */
	struct mk_transfer *running;
	size_t pending;
	unsigned n_running;
	size_t n_done;			/* answers, ever */
};

static int
failed(struct mk_why *why, const char *what)
{
	return mk_fail(why, MK_E_SYSTEM, "fetch", "cannot fetch: %s", what);
}

/* Without the one, TLS; without the other, names block everything. */
static int
check_library(struct mk_why *why)
{
	const curl_version_info_data *info;

	info = curl_version_info(CURLVERSION_NOW);
	if ((info->features & CURL_VERSION_SSL) == 0)
		return failed(why, "libcurl was built without TLS");
	if ((info->features & CURL_VERSION_ASYNCHDNS) == 0)
		return failed(why,
		    "libcurl was built without a resolver that can wait");
	return MK_OK;
}

static bool
set_multi(CURLM *multi, const struct mk_fetch_limits *limits)
{
	return curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS,
	    (long)limits->per_host) == CURLM_OK &&
	    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS,
	    (long)limits->at_once) == CURLM_OK &&
	    curl_multi_setopt(multi, CURLMOPT_PIPELINING,
	    (long)CURLPIPE_MULTIPLEX) == CURLM_OK;
}

int
mk_fetch_new(const struct mk_fetch_limits *limits, mk_fetch_done *done,
    void *arg, struct mk_fetch **ret_fetch, struct mk_why *why)
{
	struct mk_fetch *f;
	int r;

	if (limits->at_once == 0 || limits->seconds == 0)
		return mk_fail(why, MK_E_BUG, "fetch", "limits of zero");
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return failed(why, "libcurl does not start");
	r = check_library(why);
	f = r == MK_OK ? calloc(1, sizeof(*f)) : NULL;
	if (f != NULL) {
		f->limits = *limits;
		if (f->limits.per_host == 0)
			f->limits.per_host = MK_FETCH_PER_HOST;
		f->multi = curl_multi_init();
	}
	if (f == NULL || f->multi == NULL ||
	    !set_multi(f->multi, &f->limits)) {
		if (f != NULL)
			curl_multi_cleanup(f->multi);
		free(f);
		curl_global_cleanup();
		return r != MK_OK ? r : failed(why, "out of memory");
	}
	f->done = done;
	f->arg = arg;
	*ret_fetch = f;
	return MK_OK;
}

static struct mk_host *
host_find(const struct mk_fetch *f, const char *origin)
{
	struct mk_host *h;

	for (h = f->hosts; h != NULL; h = h->next) {
		if (strcmp(h->origin, origin) == 0)
			break;
	}
	return h;
}

static void
host_append(struct mk_fetch *f, struct mk_host *h)
{
	struct mk_host **end = &f->hosts;

	while (*end != NULL)
		end = &(*end)->next;
	*end = h;
	h->next = NULL;
}

static void
host_unlink(struct mk_fetch *f, const struct mk_host *h)
{
	struct mk_host **p = &f->hosts;

	while (*p != h)
		p = &(*p)->next;
	*p = h->next;
}

static void
host_free(struct mk_host *h)
{
	struct mk_request *req;

	while ((req = h->first) != NULL) {
		h->first = req->next;
		free(req);
	}
	free(h->origin);
	free(h);
}

/* Takes 'origin' if it returns a host. */
static struct mk_host *
host_get(struct mk_fetch *f, char *origin)
{
	struct mk_host *h = host_find(f, origin);

	if (h != NULL) {
		free(origin);
		return h;
	}
	h = calloc(1, sizeof(*h));
	if (h == NULL)
		return NULL;
	h->origin = origin;
	h->last = &h->first;
	host_append(f, h);
	return h;
}

static void
host_forget(struct mk_fetch *f, struct mk_host *h)
{
	if (h->first != NULL || h->running > 0 || h->put_off != 0)
		return;
	host_unlink(f, h);
	host_free(h);
}

/*
 * Where connections are not shared, requests are as many as those; where
 * they are, a single slow server still must not have all of the places.
 */
static bool
host_may_start(const struct mk_fetch *f, const struct mk_host *h)
{
	unsigned most = f->limits.per_host;

	if (h->shares && f->limits.at_once / 2 > most)
		most = f->limits.at_once / 2;
	return h->first != NULL && (h->put_off != 0 ||
	    (h->running < most && f->n_running < f->limits.at_once));
}

static struct mk_request *
host_next(struct mk_host *h)
{
	struct mk_request *req = h->first;

	h->first = req->next;
	if (h->first == NULL)
		h->last = &h->first;
	req->next = NULL;
	return req;
}

static void
free_transfer(struct mk_fetch *f, struct mk_transfer *t)
{
	struct mk_transfer **p = &f->running;

	while (*p != t)
		p = &(*p)->next;
	*p = t->next;
	f->n_running--;
	(void)curl_multi_remove_handle(f->multi, t->easy);
	mk_transfer_free(t);
}

void
mk_fetch_free(struct mk_fetch *f)
{
	struct mk_host *h;

	if (f == NULL)
		return;
	while (f->running != NULL)
		free_transfer(f, f->running);
	while ((h = f->hosts) != NULL) {
		f->hosts = h->next;
		host_free(h);
	}
	curl_multi_cleanup(f->multi);
	curl_global_cleanup();
	free(f);
}

static size_t
size_of(const char *s)
{
	return s == NULL ? 0 : strlen(s) + 1;
}

static const char *
copy(char **p, const char *s)
{
	char *at = *p;

	if (s == NULL)
		return NULL;
	memcpy(at, s, strlen(s) + 1);
	*p += strlen(s) + 1;
	return at;
}

static struct mk_request *
request_new(const struct mk_fetch_request *from)
{
	struct mk_request *req;
	char *p;

	req = malloc(sizeof(*req) + size_of(from->url) +
	    size_of(from->etag) + size_of(from->post));
	if (req == NULL)
		return NULL;
	p = (char *)(req + 1);
	req->next = NULL;
	req->host = NULL;
	req->id = from->id;
	req->seconds = from->seconds;
	req->url = copy(&p, from->url);
	req->etag = copy(&p, from->etag);
	req->post = copy(&p, from->post);
	return req;
}

int
mk_fetch_add(struct mk_fetch *f, const struct mk_fetch_request *req,
    struct mk_why *why)
{
	struct mk_request *new;
	struct mk_host *h;
	char *origin;
	int r;

	r = mk_request_check(req, mk_fetch_post(&f->limits), &origin,
	    why);
	if (r != MK_OK)
		return r;
	new = request_new(req);
	h = new == NULL ? NULL : host_get(f, origin);
	if (h == NULL) {
		free(new);
		free(origin);
		return failed(why, "out of memory");
	}
	new->host = h;
	*h->last = new;
	h->last = &new->next;
	f->pending++;
	return MK_OK;
}

size_t
mk_fetch_pending(const struct mk_fetch *f)
{
	return f->pending;
}

static void
answer_now(struct mk_fetch *f, struct mk_request *req,
    const struct mk_fetch_answer *answer)
{
	free(req);
	f->pending--;
	f->n_done++;
	f->done(f->arg, answer);
}

/* Whoever waits for the seconds told is not put off again. */
static void
answer_put_off(struct mk_fetch *f, struct mk_request *req, int64_t until)
{
	int64_t left = (until - mk_transfer_now() + 999) / 1000;
	const struct mk_fetch_answer answer = {
		.id = req->id,
		.outcome = MK_FETCH_PUT_OFF,
		.retry_after = left > 1 ? (unsigned)left : 1,
		.error = "the server asked to be left alone"
	};

	answer_now(f, req, &answer);
}

static void
answer_no_memory(struct mk_fetch *f, struct mk_request *req)
{
	const struct mk_fetch_answer answer = {
		.id = req->id,
		.outcome = MK_FETCH_FAILED,
		.error = "out of memory"
	};

	answer_now(f, req, &answer);
}

/* Of several answers the one that asks for most counts. */
static void
host_put_off(struct mk_host *h, unsigned seconds)
{
	int64_t until = mk_transfer_now() + (int64_t)seconds * 1000;

	if (seconds > 0 && until > h->put_off)
		h->put_off = until;
}

/* Whoever was put off for long enough is a host as any other. */
static void
let_in(struct mk_fetch *f)
{
	int64_t now = mk_transfer_now();
	struct mk_host *h, *next;

	for (h = f->hosts; h != NULL; h = next) {
		next = h->next;
		if (h->put_off == 0 || now < h->put_off)
			continue;
		h->put_off = 0;
		host_forget(f, h);
	}
}

/* The answer reaches the caller when nothing of the transfer is counted. */
static void
finish(struct mk_fetch *f, struct mk_transfer *t,
    const struct mk_fetch_answer *answer)
{
	struct mk_host *h = t->req->host;
	struct mk_transfer **p = &f->running;

	while (*p != t)
		p = &(*p)->next;
	*p = t->next;
	f->n_running--;
	f->pending--;
	f->n_done++;
	h->running--;
	if (answer->status == 429 || answer->status == 503)
		host_put_off(h, answer->retry_after);
	host_forget(f, h);
	f->done(f->arg, answer);
	mk_transfer_free(t);
}

static void
finish_error(struct mk_fetch *f, struct mk_transfer *t,
    enum mk_fetch_outcome outcome, const char *error)
{
	const struct mk_fetch_answer answer = {
		.id = t->req->id,
		.outcome = outcome,
		.error = error
	};

	finish(f, t, &answer);
}

static void
start(struct mk_fetch *f, struct mk_host *h)
{
	struct mk_request *req = host_next(h);
	struct mk_transfer *t;

	if (h->put_off != 0) {
		answer_put_off(f, req, h->put_off);
		return;
	}
	if (mk_transfer_new(req, &f->limits, &t, NULL) != MK_OK) {
		answer_no_memory(f, req);
		host_forget(f, h);
		return;
	}
	t->next = f->running;
	f->running = t;
	f->n_running++;
	h->running++;
	if (curl_multi_add_handle(f->multi, t->easy) != CURLM_OK)
		finish_error(f, t, MK_FETCH_FAILED, "out of memory");
}

/* Who started one goes to the end. */
static void
start_all(struct mk_fetch *f)
{
	struct mk_host *h = f->hosts;

	while (h != NULL) {
		if (!host_may_start(f, h)) {
			h = h->next;
			continue;
		}
		host_unlink(f, h);
		host_append(f, h);
		start(f, h);
		h = f->hosts;
	}
}

static void
learn(struct mk_transfer *t)
{
	long version = 0;

	if (curl_easy_getinfo(t->easy, CURLINFO_HTTP_VERSION, &version) ==
	    CURLE_OK && version == CURL_HTTP_VERSION_2_0)
		t->req->host->shares = true;
}

static void
end(struct mk_fetch *f, struct mk_transfer *t, CURLcode code)
{
	struct mk_fetch_answer answer;
	bool refused = false;

	(void)curl_multi_remove_handle(f->multi, t->easy);
	learn(t);
	if (code == CURLE_OK && mk_transfer_redirect(t, &refused)) {
		if (curl_multi_add_handle(f->multi, t->easy) != CURLM_OK)
			finish_error(f, t, MK_FETCH_FAILED, "out of memory");
		return;
	}
	mk_transfer_judge(t, refused ? CURLE_TOO_MANY_REDIRECTS : code,
	    &answer);
	finish(f, t, &answer);
}

static void
end_all(struct mk_fetch *f)
{
	struct mk_transfer *t;
	CURLcode code;
	CURLMsg *msg;
	char *private;
	int left;

	while ((msg = curl_multi_info_read(f->multi, &left)) != NULL) {
		if (msg->msg != CURLMSG_DONE)
			continue;
		code = msg->data.result;
		private = NULL;
		(void)curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE,
		    &private);
		t = (struct mk_transfer *)(void *)private;
		end(f, t, code);
	}
}

/* libcurl does not watch those that wait for a connection. */
static void
end_late(struct mk_fetch *f)
{
	int64_t now = mk_transfer_now();
	struct mk_transfer *t, *next;

	for (t = f->running; t != NULL; t = next) {
		next = t->next;
		if (now < t->deadline)
			continue;
		(void)curl_multi_remove_handle(f->multi, t->easy);
		finish_error(f, t, MK_FETCH_TIMEOUT, "no answer in time");
	}
}

static int
perform(struct mk_fetch *f, struct mk_why *why)
{
	CURLMcode code;
	int running;

	let_in(f);
	start_all(f);
	code = curl_multi_perform(f->multi, &running);
	if (code != CURLM_OK)
		return failed(why, curl_multi_strerror(code));
	end_all(f);
	end_late(f);
	start_all(f);
	return MK_OK;
}

/* curl_multi_poll() does not tell of a descriptor that was hung up. */
static int
wait_for(struct mk_fetch *f, int fd, int ms, int *ret_readable,
    struct mk_why *why)
{
	struct curl_waitfd extra = { .fd = fd, .events = CURL_WAIT_POLLIN };
	struct pollfd again = { .fd = fd, .events = POLLIN };
	CURLMcode code;

	code = curl_multi_poll(f->multi, &extra, fd == -1 ? 0 : 1, ms, NULL);
	if (code != CURLM_OK)
		return failed(why, curl_multi_strerror(code));
	*ret_readable = fd != -1 && poll(&again, 1, 0) > 0;
	return MK_OK;
}

int
mk_fetch_work(struct mk_fetch *f, int fd, int milliseconds,
    int *ret_readable, struct mk_why *why)
{
	int64_t end_time = mk_transfer_now() + milliseconds, left = 0;
	size_t before = f->n_done;
	int r, readable = 0;

	for (;;) {
		r = perform(f, why);
		if (r != MK_OK)
			return r;
		/* Nothing to wait for: for ever would be just that. */
		if (readable || (fd == -1 && f->pending == 0))
			break;
		left = LOOK_AGAIN;
		if (f->n_done > before)
			left = 0;
		else if (milliseconds >= 0)
			left = end_time - mk_transfer_now();
		left = left < 0 ? 0 : left > LOOK_AGAIN ? LOOK_AGAIN : left;
		r = wait_for(f, fd, (int)left, &readable, why);
		if (r != MK_OK)
			return r;
		if (left == 0)
			break;
	}
	*ret_readable = readable;
	return MK_OK;
}
