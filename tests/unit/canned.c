/* SPDX-License-Identifier: ISC */
/*
 * A process for each connection, so that one that hangs holds up nothing.
 */
#include "canned.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <netinet/in.h>

#include <check.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LONGEST		60	/* seconds of a connection */

struct request {
	char text[9 << 20];	/* what is not used takes no memory */
	size_t len;
};

static int
listen_somewhere(unsigned *ret_port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	int fd;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sin, len), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	*ret_port = ntohs(sin.sin_port);
	return fd;
}

unsigned
canned_no_port(void)
{
	unsigned port;

	close(listen_somewhere(&port));
	return port;
}

static bool
send_all(int fd, const char *text, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = send(fd, text, len, MSG_NOSIGNAL);
		if (n <= 0)
			return false;
		text += n;
		len -= (size_t)n;
	}
	return true;
}

static bool
say(int fd, const char *text)
{
	return text == NULL || send_all(fd, text, strlen(text));
}

/* Header and as much body as it announces. */
static bool
read_request(int fd, struct request *req)
{
	const char *end, *length;
	size_t body = 0;
	ssize_t n;

	req->len = 0;
	for (;;) {
		n = recv(fd, req->text + req->len,
		    sizeof(req->text) - 1 - req->len, 0);
		if (n <= 0)
			return false;
		req->len += (size_t)n;
		req->text[req->len] = '\0';
		end = strstr(req->text, "\r\n\r\n");
		if (end == NULL)
			continue;
		length = strcasestr(req->text, "\r\nContent-Length: ");
		if (length != NULL)
			body = strtoul(length + 18, NULL, 10);
		if (req->text + req->len >= end + 4 + body)
			return true;
	}
}

static const struct canned *
find(const struct canned *table, const struct request *req)
{
	const char *path = strchr(req->text, ' ');
	size_t len;

	ck_assert_ptr_nonnull(path);
	len = strcspn(++path, " ?");
	for (; table->path != NULL; table++) {
		if (strlen(table->path) == len &&
		    memcmp(table->path, path, len) == 0)
			break;
	}
	return table;
}

static bool
echo(int fd, const struct request *req)
{
	char head[128];

	(void)snprintf(head, sizeof(head),
	    "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", req->len);
	return say(fd, head) && send_all(fd, req->text, req->len);
}

/* Whether to expect another request. */
static bool
answer(int fd, const struct canned *c, const struct request *req)
{
	const char *p;

	if (c->path == NULL)
		return say(fd, "HTTP/1.1 404 Not Found\r\n"
		    "Content-Length: 0\r\n\r\n");
	if (c->how == CANNED_ECHO)
		return echo(fd, req);
	if (c->how == CANNED_SLOW)
		(void)poll(NULL, 0, 30);
	if (!say(fd, c->text))
		return false;
	while (c->how == CANNED_REPEAT && say(fd, c->more))
		;
	for (p = c->more; c->how == CANNED_DRIP && send_all(fd, p, 1);)
		(void)sleep(1);
	if (c->how == CANNED_HOLD)
		(void)sleep(LONGEST);
	return c->how == CANNED_KEEP || c->how == CANNED_SLOW;
}

static void
serve(int fd, const struct canned *table, volatile struct canned_seen *seen)
{
	static struct request req;
	int now;

	now = __atomic_add_fetch(&seen->now, 1, __ATOMIC_SEQ_CST);
	__atomic_add_fetch(&seen->connections, 1, __ATOMIC_SEQ_CST);
	if (now > seen->most)
		seen->most = now;
	while (read_request(fd, &req)) {
		__atomic_add_fetch(&seen->requests, 1, __ATOMIC_SEQ_CST);
		if (!answer(fd, find(table, &req), &req))
			break;
	}
	/* A reset would take away what the client has not read yet. */
	(void)shutdown(fd, SHUT_WR);
	while (recv(fd, req.text, sizeof(req.text), 0) > 0)
		;
	__atomic_sub_fetch(&seen->now, 1, __ATOMIC_SEQ_CST);
}

static void
serve_all(int fd, const struct canned *table,
    volatile struct canned_seen *seen)
{
	int connection;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)signal(SIGCHLD, SIG_IGN);
	(void)alarm(10 * LONGEST);
	for (;;) {
		connection = accept(fd, NULL, NULL);
		if (connection == -1)
			continue;
		if (fork() == 0) {
			(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
			(void)alarm(LONGEST);
			serve(connection, table, seen);
			_exit(0);
		}
		close(connection);
	}
}

void
canned_start(const struct canned *table, struct canned_server *ret_server)
{
	int fd = listen_somewhere(&ret_server->port);

	ret_server->seen = mmap(NULL, sizeof(*ret_server->seen),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne((void *)(uintptr_t)ret_server->seen, MAP_FAILED);
	ck_assert_int_eq(listen(fd, 128), 0);
	ret_server->pid = fork();
	ck_assert_int_ne(ret_server->pid, -1);
	if (ret_server->pid == 0)
		serve_all(fd, table, ret_server->seen);
	close(fd);
}

void
canned_stop(struct canned_server *server)
{
	(void)kill(server->pid, SIGKILL);
	(void)waitpid(server->pid, NULL, 0);
}

const char *
canned_url(const struct canned_server *server, const char *path)
{
	static char url[4][4096];
	static unsigned n;

	n = (n + 1) % 4;
	(void)snprintf(url[n], sizeof(url[n]), "http://127.0.0.1:%u%s",
	    server->port, path);
	return url[n];
}
