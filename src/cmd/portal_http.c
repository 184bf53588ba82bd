/* SPDX-License-Identifier: ISC */
/*
 * Connections and requests, with libmicrohttpd.  It reads HTTP and TLS and
 * has no thread and no clock of its own here: one loop waits for its
 * descriptor, for signals, and for whatever ends by time.
 *
 * What comes in is bounded in each direction: connections by address and in
 * all, heads by the library's memory of a connection, bodies by length, by
 * address and in all, and every phase of a request by time.  A request that
 * is refused by its head is answered when its body has passed, since many
 * clients read no answer before; of a body that is not wanted only so much
 * is let pass.
 */
#include "cmd/portal_http.h"

#include <sys/types.h>
#include <microhttpd.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd/meshportal.h"
#include "core/limits.h"
#include "edge/log.h"
#include "edge/words.h"

#define PREFIX		"/.well-known/mmm/"
#define POOL		(16u << 10)	/* of a connection: its heads */
#define PASS_MAX	(2 * PORTAL_BODY_MAX)	/* of a refused body */
#define SWEEP		60000		/* milliseconds */
#define HANDSHAKE	20u		/* tokens of reading */

#define TLS_VERSIONS	"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

struct portal_http {
	struct portal *p;
	struct MHD_Daemon *daemon;
	struct portal_peers *peers;
	int epoll;
	bool tls, draining, ending;
	bool resumed;			/* some request, and nobody was told */
	int64_t sweep_at;
	char last[160];			/* what the library said */
};

/* A connection, and the request that it is at. */
struct client {
	struct portal_peer peer;
	struct portal_http *http;
	struct MHD_Connection *connection;
	int refused;			/* status, 0: it is not */
	bool last;			/* nothing more on this connection */
	bool is_post, woken;
	const char *path;		/* behind the prefix */
	char address[PORTAL_IP_TEXT];
	struct portal_body body;
	uint64_t passed;		/* bytes that were thrown away */
	struct portal_waiter *waiter;
};

static int64_t
ticks(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static const char *
field(const struct client *client, const char *name)
{
	return MHD_lookup_connection_value(client->connection,
	    MHD_HEADER_KIND, name);
}

static void
forget_body(struct client *client)
{
	portal_body_forget(&client->body, client->http->peers,
	    &client->peer);
}

static void
refuse(struct client *client, int status)
{
	forget_body(client);
	client->refused = status;
}

/*
 * Answers.
 */

static void
add(struct MHD_Response *r, const char *name, const char *value)
{
	(void)MHD_add_response_header(r, name, value);
}

static struct MHD_Response *
make_response(const struct client *client, struct portal_reply *reply)
{
	struct MHD_Response *r;
	char seconds[16];

	r = MHD_create_response_from_buffer(reply->text.len,
	    reply->text.data, MHD_RESPMEM_MUST_FREE);
	if (r == NULL)
		return NULL;
	/* It is the library's now. */
	reply->text.data = NULL;
	reply->text.len = reply->text.size = 0;
	add(r, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
	add(r, "X-Content-Type-Options", "nosniff");
	/* Kept by whoever likes, and never used without asking: a device
	   that was deleted is not to live on in a cache. */
	add(r, MHD_HTTP_HEADER_CACHE_CONTROL,
	    reply->cacheable ? "public, no-cache" : "no-store");
	if (reply->etag[0] != '\0')
		add(r, MHD_HTTP_HEADER_ETAG, reply->etag);
	if (reply->retry_after > 0) {
		(void)snprintf(seconds, sizeof(seconds), "%u",
		    reply->retry_after);
		add(r, MHD_HTTP_HEADER_RETRY_AFTER, seconds);
	}
	if (reply->status == MHD_HTTP_METHOD_NOT_ALLOWED)
		add(r, MHD_HTTP_HEADER_ALLOW, *client->path == '\0' ?
		    "POST" : "GET, HEAD");
	if (client->last || client->http->draining)
		add(r, MHD_HTTP_HEADER_CONNECTION, "close");
	return r;
}

/* It stays until it is taken; a small one always may, and a 304 is one. */
static void
hold(struct client *client, struct portal_reply *reply)
{
	struct portal_peers *peers = client->http->peers;

	if (reply->text.len <= PORTAL_ANSWER_SMALL ||
	    reply->status == MHD_HTTP_NOT_MODIFIED ||
	    portal_peers_hold(peers, &client->peer, reply->text.len))
		return;
	portal_peers_tell(peers, PORTAL_TOO_MANY_ANSWERS, client->address,
	    ticks());
	mk_buf_release(&reply->text);
	portal_head_refuse(MHD_HTTP_SERVICE_UNAVAILABLE, reply);
}

static enum MHD_Result
queue(struct client *client, struct portal_reply *reply)
{
	struct MHD_Response *r;
	enum MHD_Result done;

	forget_body(client);
	portal_peers_enter(client->http->peers, &client->peer, PORTAL_ANSWER,
	    ticks());
	hold(client, reply);
	r = make_response(client, reply);
	mk_buf_release(&reply->text);
	if (r == NULL)
		return MHD_NO;
	mk_debug("http: %s %s '%s': %d", client->address,
	    client->is_post ? "POST" : "GET", client->path, reply->status);
	done = MHD_queue_response(client->connection, (unsigned)reply->status,
	    r);
	MHD_destroy_response(r);
	return done;
}

/* What is refused before any transaction is known. */
static enum MHD_Result
queue_refusal(struct client *client)
{
	struct portal_reply reply;

	portal_head_refuse(client->refused, &reply);
	return queue(client, &reply);
}

/*
 * Heads.
 */

static enum MHD_Result
count_field(void *arg, enum MHD_ValueKind kind, const char *name,
    const char *value)
{
	unsigned *n = arg;

	(void)kind, (void)value;
	if (strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0 ||
	    strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0)
		(*n)++;
	return MHD_YES;
}

/*
 * Whether nobody on the way can have seen another end of the body than the
 * library does; *ret_len is the length as told, or 0.
 */
static bool
well_framed(const struct client *client, uint64_t *ret_len)
{
	const char *length = field(client, MHD_HTTP_HEADER_CONTENT_LENGTH);
	const char *encoding = field(client,
	    MHD_HTTP_HEADER_TRANSFER_ENCODING);
	unsigned n = 0;

	*ret_len = 0;
	(void)MHD_get_connection_values(client->connection, MHD_HEADER_KIND,
	    count_field, &n);
	if (n > 1 || (encoding != NULL && strcasecmp(encoding, "chunked")))
		return false;
	return length == NULL || mk_number_parse(length, INT64_MAX, ret_len);
}

static int
judge(const struct client *client, const char *method, uint64_t len)
{
	const struct portal_head head = {
		.method = method,
		.path = client->path,
		.type = field(client, MHD_HTTP_HEADER_CONTENT_TYPE),
		.len = len,
		.has_body = len > 0 ||
		    field(client, MHD_HTTP_HEADER_TRANSFER_ENCODING) != NULL,
		.is_encoded =
		    field(client, MHD_HTTP_HEADER_CONTENT_ENCODING) != NULL
	};

	return portal_head_judge(&head);
}

struct last_field {
	const char *name, *value;
};

static enum MHD_Result
take_last(void *arg, enum MHD_ValueKind kind, const char *name,
    const char *value)
{
	struct last_field *last = arg;

	(void)kind;
	if (strcasecmp(name, last->name) == 0)
		last->value = value;
	return MHD_YES;
}

/* Whom the limits are about. */
static void
know_address(struct client *client)
{
	struct last_field last = { "X-Forwarded-For", NULL };

	memcpy(client->address, client->peer.ip, sizeof(client->address));
	if (!client->peer.proxy)
		return;
	/* All but what the proxy itself has added the client may have. */
	(void)MHD_get_connection_values(client->connection, MHD_HEADER_KIND,
	    take_last, &last);
	portal_peers_speak(client->http->peers, &client->peer,
	    last.value != NULL && portal_field_last_ip(last.value,
	    client->address) ? client->address : NULL);
}

static enum MHD_Result
begin(struct client *client, const char *url, const char *method)
{
	uint64_t len;

	client->path = strncmp(url, PREFIX, sizeof(PREFIX) - 1) == 0 ?
	    url + sizeof(PREFIX) - 1 : NULL;
	client->is_post = strcmp(method, MHD_HTTP_METHOD_POST) == 0;
	client->passed = 0;
	client->woken = client->last = false;
	portal_peers_enter(client->http->peers, &client->peer, PORTAL_BODY,
	    ticks());
	know_address(client);
	/* No answer is worth a guess where this request ends. */
	if (!well_framed(client, &len)) {
		client->refused = MHD_HTTP_BAD_REQUEST;
		client->last = true;
		return client->is_post ? queue_refusal(client) : MHD_NO;
	}
	client->refused = judge(client, method, len);
	if (client->path == NULL)
		client->path = "";
	/* Who waits for a word before sending, or sends without an end. */
	if (client->refused != 0 && client->is_post && (len > PASS_MAX ||
	    field(client, MHD_HTTP_HEADER_EXPECT) != NULL)) {
		client->last = true;
		return queue_refusal(client);
	}
	return MHD_YES;
}

/*
 * Bodies.
 */

/* MHD_NO ends the connection: there is no other way to stop who sends. */
static enum MHD_Result
take(struct client *client, const char *data, size_t n)
{
	const struct mk_bytes bytes = { (const uint8_t *)data, n };
	int status;

	if (client->refused == 0) {
		status = portal_body_add(&client->body, &bytes,
		    client->http->peers, &client->peer);
		if (status == 0)
			return MHD_YES;
		if (status == MHD_HTTP_SERVICE_UNAVAILABLE)
			portal_peers_tell(client->http->peers,
			    PORTAL_TOO_MANY_BYTES, client->address,
			    ticks());
		refuse(client, status);
	}
	client->passed += n;
	return client->passed <= PASS_MAX ? MHD_YES : MHD_NO;
}

/*
 * Requests that wait.
 */

static void
wake(void *arg)
{
	struct client *client = arg;

	client->waiter = NULL;
	client->woken = true;
	portal_peers_enter(client->http->peers, &client->peer, PORTAL_ANSWER,
	    ticks());
	/* Without a thread of its own the library wakes nobody for it. */
	MHD_resume_connection(client->connection);
	client->http->resumed = true;
}

static enum MHD_Result
wait(struct client *client, const struct portal_reply *reply,
    const struct portal_call *call)
{
	struct portal_http *http = client->http;
	struct portal_wanted wanted = { .udfs = reply->udfs,
	    .n = reply->n_udfs, .wake = wake, .arg = client,
	    .until = call->ticks + (int64_t)1000 * reply->wait };

	portal_body_shrink(&client->body, http->peers, &client->peer);
	if (!portal_peers_may_wait(http->peers, &client->peer) ||
	    portal_waiting_add(http->p->waiting, &wanted, &client->waiter,
	    NULL) != 0) {
		portal_peers_tell(http->peers, PORTAL_TOO_MANY_WAIT,
		    client->address, call->ticks);
		refuse(client, MHD_HTTP_SERVICE_UNAVAILABLE);
		return queue_refusal(client);
	}
	portal_peers_enter(http->peers, &client->peer, PORTAL_WAITING,
	    call->ticks);
	MHD_suspend_connection(client->connection);
	return MHD_YES;
}

/*
 * Requests.
 */

struct named {
	const char *etag;
	bool found;
};

static enum MHD_Result
look_for(void *arg, enum MHD_ValueKind kind, const char *name,
    const char *value)
{
	struct named *named = arg;

	(void)kind;
	if (strcasecmp(name, MHD_HTTP_HEADER_IF_NONE_MATCH) == 0 &&
	    portal_field_names(value, named->etag))
		named->found = true;
	return MHD_YES;
}

/* Nothing is sent again that is there; the library leaves the body out and
   tells the length that it has, as it should. */
static void
condition(const struct client *client, struct portal_reply *reply)
{
	struct named named = { reply->etag, false };

	if (reply->status != MHD_HTTP_OK || reply->etag[0] == '\0')
		return;
	(void)MHD_get_connection_values(client->connection, MHD_HEADER_KIND,
	    look_for, &named);
	if (named.found)
		reply->status = MHD_HTTP_NOT_MODIFIED;
}

/* Whatever went wrong with the text, what is sent is a whole answer. */
static enum MHD_Result
send_reply(struct client *client, struct portal_reply *reply)
{
	if (reply->text.failed == 0 && reply->status >= 200 &&
	    reply->status <= 599)
		return queue(client, reply);
	mk_buf_release(&reply->text);
	mk_log(LOG_ERR, "http: no answer could be written; "
	    "event=portal.error");
	client->refused = MHD_HTTP_INTERNAL_SERVER_ERROR;
	return queue_refusal(client);
}

static enum MHD_Result
answer(struct client *client)
{
	struct portal_http *http = client->http;
	struct portal_call call = {
		.body = { client->body.data, client->body.len },
		.address = client->address,
		.now = (int64_t)time(NULL),
		.ticks = ticks()
	};
	struct portal_reply reply = { 0 };
	struct mk_arena a;
	enum MHD_Result done;

	if (call.body.data == NULL)
		call.body.data = (const uint8_t *)"";
	mk_arena_init(&a, MK_ARENA_FLOOR);
	if (!client->is_post)
		portal_read(http->p, &a, client->path, &call, &reply);
	else if (client->woken)
		portal_serve_changes(http->p, &a, &call, &reply);
	else
		portal_serve(http->p, &a, &call, &reply);
	/* Who is about to end lets nobody wait. */
	if (reply.waits && http->draining)
		portal_serve_changes(http->p, &a, &call, &reply);
	if (reply.waits && !client->woken && !http->draining) {
		mk_buf_release(&reply.text);
		done = wait(client, &reply, &call);
	} else {
		if (!client->is_post)
			condition(client, &reply);
		done = send_reply(client, &reply);
	}
	mk_arena_release(&a);
	return done;
}

/*
 * What the library calls; the parameters are its own.
 */

#define REQUEST_PARAMETERS						\
	void *cls, struct MHD_Connection *connection, const char *url,	\
	const char *method, const char *version, const char *data,	\
	size_t *len, void **request

static enum MHD_Result
on_request(REQUEST_PARAMETERS)
{
	const union MHD_ConnectionInfo *info;
	struct portal_http *http = cls;
	struct client *client;
	enum MHD_Result done;

	(void)version;
	info = MHD_get_connection_info(connection,
	    MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	client = info == NULL ? NULL : info->socket_context;
	if (client == NULL || http->ending)
		return MHD_NO;
	if (*request == NULL) {
		*request = client;
		return begin(client, url, method);
	}
	if (*len > 0) {
		done = take(client, data, *len);
		*len = 0;
		return done;
	}
	return client->refused != 0 ? queue_refusal(client) : answer(client);
}

static void
on_completed(void *cls, struct MHD_Connection *connection, void **request,
    enum MHD_RequestTerminationCode why)
{
	struct portal_http *http = cls;
	struct client *client = *request;

	(void)connection, (void)why;
	if (client == NULL)
		return;
	*request = NULL;
	portal_waiting_drop(http->p->waiting, client->waiter);
	client->waiter = NULL;
	forget_body(client);
	if (client->peer.phase != PORTAL_ENDED)
		portal_peers_enter(http->peers, &client->peer, PORTAL_HEAD,
		    ticks());
}

static void
open_client(struct portal_http *http, struct MHD_Connection *connection,
    void **context)
{
	const union MHD_ConnectionInfo *fd, *sa;
	struct client *client = calloc(1, sizeof(*client));

	*context = client;
	if (client == NULL)
		return;
	fd = MHD_get_connection_info(connection,
	    MHD_CONNECTION_INFO_CONNECTION_FD);
	sa = MHD_get_connection_info(connection,
	    MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	if (fd == NULL || sa == NULL || sa->client_addr == NULL) {
		free(client);
		*context = NULL;
		return;
	}
	client->http = http;
	client->connection = connection;
	client->path = "";
	client->peer.fd = fd->connect_fd;
	portal_peers_add(http->peers, &client->peer, sa->client_addr,
	    ticks());
}

static void
on_connection(void *cls, struct MHD_Connection *connection, void **context,
    enum MHD_ConnectionNotificationCode what)
{
	struct portal_http *http = cls;
	struct client *client = *context;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		open_client(http, connection, context);
		return;
	}
	if (client == NULL)
		return;
	portal_waiting_drop(http->p->waiting, client->waiter);
	forget_body(client);
	portal_peers_remove(http->peers, &client->peer);
	free(client);
	*context = NULL;
}

/* A handshake costs as much as many answers. */
static bool
may_shake_hands(const struct portal_http *http, const char *ip)
{
	const struct portal_toll toll = { PORTAL_RATE_READ, ip, HANDSHAKE };

	return !http->tls || http->p->limits == NULL ||
	    portal_limits_take(http->p->limits, &toll, ticks()) == 0;
}

static enum MHD_Result
on_accept(void *cls, const struct sockaddr *sa, socklen_t len)
{
	struct portal_http *http = cls;
	char ip[PORTAL_IP_TEXT];

	(void)len;
	portal_ip_text(sa, ip);
	if (portal_peers_may_come(http->peers, sa) &&
	    may_shake_hands(http, ip))
		return MHD_YES;
	portal_peers_tell(http->peers, PORTAL_TOO_MANY_CAME, ip, ticks());
	return MHD_NO;
}

/* Escapes are left to who knows what they stand for. */
static size_t
on_unescape(void *cls, struct MHD_Connection *connection, char *s)
{
	(void)cls, (void)connection;
	return strlen(s);
}

static void on_log(void *cls, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

static void
on_log(void *cls, const char *fmt, va_list ap)
{
	struct portal_http *http = cls;

	(void)vsnprintf(http->last, sizeof(http->last), fmt, ap);
	http->last[strcspn(http->last, "\n")] = '\0';
	mk_debug("http: %s", http->last);
}

/*
 * The daemon.
 */

static struct MHD_Daemon *
start(struct portal_http *http, const struct portal_listen *listen)
{
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME |
	    MHD_USE_ERROR_LOG;
	struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)listen->key },
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)listen->cert },
		{ MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)TLS_VERSIONS },
		{ MHD_OPTION_END, 0, NULL }
	};

	if (listen->cert == NULL)
		tls[0].option = MHD_OPTION_END;
	else
		flags |= MHD_USE_TLS;
	return MHD_start_daemon(flags, 0, on_accept, http, on_request, http,
	    MHD_OPTION_EXTERNAL_LOGGER, on_log, http,
	    MHD_OPTION_LISTEN_SOCKET, listen->fd,
	    MHD_OPTION_CONNECTION_LIMIT, listen->connections,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL,
	    MHD_OPTION_CONNECTION_TIMEOUT, 0u,
	    MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
	    MHD_OPTION_STRICT_FOR_CLIENT, 1,
	    MHD_OPTION_UNESCAPE_CALLBACK, on_unescape, NULL,
	    MHD_OPTION_NOTIFY_CONNECTION, on_connection, http,
	    MHD_OPTION_NOTIFY_COMPLETED, on_completed, http,
	    MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
}

static int
start_failed(const struct portal_http *http,
    const struct portal_listen *listen, struct mk_why *why)
{
	if (listen->cert != NULL)
		return mk_fail(why, MK_E_CONFIG, "tls", "the certificate and "
		    "the key cannot be used, or do not belong together: %s",
		    http->last);
	return mk_fail(why, MK_E_SYSTEM, "http", "cannot serve: %s",
	    http->last);
}

int
portal_http_new(struct portal *p, const struct portal_listen *listen,
    struct portal_http **ret_http, struct mk_why *why)
{
	struct portal_http *http = calloc(1, sizeof(*http));
	const union MHD_DaemonInfo *info;
	int e;

	if (http == NULL) {
		close(listen->fd);
		return mk_fail(why, MK_E_SYSTEM, "memory", "out of memory");
	}
	http->p = p;
	/* Whom a proxy speaks for is known later. */
	http->tls = listen->cert != NULL && listen->proxy == NULL;
	e = portal_peers_new(listen->per_address, listen->proxy, &http->peers,
	    why);
	if (e != 0) {
		close(listen->fd);
		free(http);
		return e;
	}
	http->daemon = start(http, listen);
	info = http->daemon == NULL ? NULL :
	    MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (info == NULL) {
		e = start_failed(http, listen, why);
		if (http->daemon == NULL)
			close(listen->fd);
		portal_http_free(http);
		return e;
	}
	http->epoll = info->epoll_fd;
	*ret_http = http;
	return 0;
}

/* The library cannot end while a connection is suspended. */
void
portal_http_free(struct portal_http *http)
{
	if (http == NULL)
		return;
	http->ending = true;
	if (http->daemon != NULL) {
		if (http->p->waiting != NULL)
			portal_waiting_end(http->p->waiting);
		(void)MHD_run(http->daemon);
		MHD_stop_daemon(http->daemon);
	}
	portal_peers_free(http->peers);
	free(http);
}

static int64_t
earlier(int64_t a, int64_t b)
{
	return a == -1 || (b != -1 && b < a) ? b : a;
}

/* What ends by time; milliseconds to the next, or -1. */
static int64_t
look_at_clock(struct portal_http *http)
{
	MHD_UNSIGNED_LONG_LONG library;
	int64_t now = ticks(), next;

	if (now >= http->sweep_at) {
		http->sweep_at = now + SWEEP;
		portal_sweep(http->p, (int64_t)time(NULL), now);
	}
	next = earlier(portal_waiting_tick(http->p->waiting, now),
	    portal_peers_tick(http->peers, now));
	if (MHD_get_timeout(http->daemon, &library) == MHD_YES)
		next = earlier(next, library > SWEEP ? SWEEP :
		    (int64_t)library);
	return earlier(next, http->sweep_at - now);
}

/* Waits and works once; 'fd' -1: none.  *ret_ready: it is readable. */
static int
turn(struct portal_http *http, int fd, int64_t most, bool *ret_ready,
    struct mk_why *why)
{
	struct pollfd fds[] = {
		{ .fd = http->epoll, .events = POLLIN },
		{ .fd = fd, .events = POLLIN }
	};
	int64_t ms = earlier(look_at_clock(http), most);

	if (http->resumed)
		ms = 0;
	http->resumed = false;
	if (poll(fds, 2, (int)ms) == -1 && errno != EINTR)
		return mk_fail(why, MK_E_SYSTEM, "http", "cannot wait: %s",
		    strerror(errno));
	*ret_ready = fds[1].revents != 0;
	if (MHD_run(http->daemon) != MHD_YES)
		return mk_fail(why, MK_E_SYSTEM, "http", "cannot go on: %s",
		    http->last);
	return 0;
}

int
portal_http_run(struct portal_http *http, int fd, struct mk_why *why)
{
	bool ready = false;
	int e = 0;

	while (e == 0 && !ready)
		e = turn(http, fd, -1, &ready, why);
	return e;
}

static bool
is_busy(const struct portal_http *http)
{
	return portal_peers_count(http->peers, PORTAL_BODY) > 0 ||
	    portal_peers_count(http->peers, PORTAL_ANSWER) > 0;
}

void
portal_http_drain(struct portal_http *http, int ms)
{
	int64_t until = ticks() + ms, left;
	bool ready;
	int fd;

	http->draining = true;
	fd = MHD_quiesce_daemon(http->daemon);
	if (fd >= 0)
		close(fd);
	portal_waiting_end(http->p->waiting);
	/* Who has not asked yet asks whoever comes after us. */
	portal_peers_end(http->peers, PORTAL_HEAD);
	while (is_busy(http) && (left = until - ticks()) > 0) {
		if (turn(http, -1, left, &ready, NULL) != 0)
			break;
		portal_peers_end(http->peers, PORTAL_HEAD);
	}
}
