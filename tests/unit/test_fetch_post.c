/* SPDX-License-Identifier: ISC */
/* Posts of the size of a profile set. */
#include <sys/socket.h>
#include <sys/wait.h>

#include <netinet/in.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "canned.h"
#include "core/err.h"
#include "net/fetch.h"
#include "unit.h"

#define LARGE	(8u << 20)	/* as much as a portal takes */

static const struct canned table[] = {
	{ "/echo", CANNED_ECHO, NULL, NULL },
	{ NULL, CANNED_CLOSE, NULL, NULL }
};

static char large[LARGE + 2];

/* The last answer, copied. */
static struct {
	struct mk_fetch_answer answer;
	char error[1024], body[LARGE + 65536];
} got;

static struct mk_fetch *fetch;

static void
take(void *arg, const struct mk_fetch_answer *a)
{
	ck_assert_ptr_eq(arg, &got);
	ck_assert_uint_lt(a->len, sizeof(got.body));
	got.answer = *a;
	if (a->len > 0)
		memcpy(got.body, a->body, a->len);
	got.body[a->len] = '\0';
	(void)snprintf(got.error, sizeof(got.error), "%s",
	    a->error == NULL ? "-" : a->error);
}

static int
add(const char *url, unsigned seconds)
{
	const struct mk_fetch_request req = { .id = 1, .url = url,
	    .post = large, .seconds = seconds };

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

/* One fetcher that may post so much. */
static void
start(unsigned seconds)
{
	const struct mk_fetch_limits limits = {
		.body = LARGE + 65535,
		.post = LARGE,
		.seconds = seconds,
		.connect_seconds = 2,
		.at_once = 4
	};
	size_t i;

	ck_assert_int_eq(mk_fetch_new(&limits, take, &got, &fetch, NULL),
	    MK_OK);
	for (i = 0; i < LARGE; i++)
		large[i] = (char)('a' + i % 23);
}

START_TEST(posts_large)
{
	struct canned_server server;
	const char *url;

	canned_start(table, &server);
	url = canned_url(&server, "/echo");
	start(20);
	ck_assert_int_eq(add(url, 0), MK_OK);
	work();
	ck_assert_str_eq(got.error, "-");
	ck_assert_uint_gt(got.answer.len, LARGE);
	ck_assert_int_eq(strcmp(strstr(got.body, "\r\n\r\n") + 4, large),
	    0);
	large[LARGE] = 'x';
	ck_assert_int_eq(add(url, 0), MK_E_REFUSED);
	mk_fetch_free(fetch);
	canned_stop(&server);
}
END_TEST

/* A socket that takes connections, but nobody accepts them. */
static int
listen_small(unsigned *ret_port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t size = sizeof(sin);
	const int small = 65536;
	int fd;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small,
	    sizeof(small)), 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sin, size), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&sin, &size), 0);
	ck_assert_int_eq(listen(fd, 4), 0);
	*ret_port = ntohs(sin.sin_port);
	return fd;
}

/* Reads about three megabytes a second, and then is satisfied. */
static void
read_slowly(int fd)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\n"
	    "Content-Length: 0\r\n\r\n";
	static char piece[65536];
	size_t total = 0;
	ssize_t n;
	int c;

	(void)alarm(30);
	c = accept(fd, NULL, NULL);
	while (total < LARGE && (n = recv(c, piece, sizeof(piece), 0)) > 0) {
		total += (size_t)n;
		(void)usleep((useconds_t)n / 3);
	}
	/* The header came before it. */
	while (recv(c, piece, sizeof(piece), MSG_DONTWAIT) > 0)
		;
	(void)send(c, answer, sizeof(answer) - 1, MSG_NOSIGNAL);
	(void)shutdown(c, SHUT_WR);
	while (recv(c, piece, sizeof(piece), 0) > 0)
		;
	_exit(0);
}

/*
 * A post takes the time that it was given, a slow line or not: 'seconds' of
 * the request counts, and not those of all.
 */
START_TEST(posts_slowly)
{
	char url[64];
	unsigned port;
	time_t begun;
	pid_t pid;
	int fd;

	start(1);
	fd = listen_small(&port);
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", port);
	begun = time(NULL);
	ck_assert_int_eq(add(url, 1), MK_OK);
	work();
	ck_assert_int_eq(got.answer.outcome, MK_FETCH_TIMEOUT);
	ck_assert_int_le(time(NULL) - begun, 3);
	close(fd);
	fd = listen_small(&port);
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", port);
	pid = fork();
	if (pid == 0)
		read_slowly(fd);
	begun = time(NULL);
	ck_assert_int_eq(add(url, 20), MK_OK);
	work();
	ck_assert_str_eq(got.error, "-");
	ck_assert_int_eq(got.answer.outcome, MK_FETCH_DONE);
	ck_assert_int_ge(time(NULL) - begun, 2);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	close(fd);
	mk_fetch_free(fetch);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("fetch_post");
	TCase *t = tcase_create("posts");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, posts_large);
	tcase_add_test(t, posts_slowly);
	suite_add_tcase(s, t);
	return s;
}
