/* SPDX-License-Identifier: ISC */
/*
 * The end of the socket that must not believe the other one.
 */
#include "net/courier.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/err.h"
#include "net/errand.h"
#include "net/frame.h"
#include "net/transfer.h"
#include "net/url.h"

#define START_MS	30000	/* until the process says that it is ready */
#define WRITE_MS	30000	/* until it has taken a request */
#define FRAME_MS	30000	/* from the first byte of a frame to its last */

/* Room for all requests without bodies; the rest waits to be read. */
#define SOCKET_BYTES	(1 << 20)

static int
failed(const char *what, struct mk_why *why)
{
	return mk_fail(why, MK_E_SYSTEM, "courier", "cannot %s: %s", what,
	    strerror(errno));
}

static bool
wait_until(int fd, short events, int64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = events };
	int64_t left;
	int n;

	do {
		left = deadline - mk_transfer_now();
		left = deadline == -1 ? -1 : left < 0 ? 0 : left;
		n = poll(&p, 1, (int)left);
	} while (n == -1 && errno == EINTR);
	return n > 0;
}

/* MK_E_ABSENT if nothing at all came in time. */
static int
read_frame(int fd, struct mk_frame_reader *in, int ms, struct mk_why *why)
{
	int64_t deadline;
	int r;

	deadline = ms < 0 ? -1 : mk_transfer_now() + ms;
	if (!wait_until(fd, POLLIN, deadline))
		return MK_E_ABSENT;
	deadline = mk_transfer_now() + FRAME_MS;
	while ((r = mk_frame_read(in, fd, why)) == MK_E_ABSENT) {
		if (!wait_until(fd, POLLIN, deadline))
			return mk_fail(why, MK_E_SYSTEM, "courier",
			    "the other process stopped within a frame");
	}
	return r;
}

static int
wait_ready(int fd, struct mk_why *why)
{
	struct mk_frame_reader in;
	const char *text = NULL;
	int r;

	mk_frame_expect(&in, MK_FRAME_READY);
	in.max[2] = MK_FRAME_ERROR;
	r = read_frame(fd, &in, START_MS, why);
	if (r == MK_E_ABSENT || (r == MK_OK && !mk_frame_text(&in, 2, &text)))
		r = mk_fail(why, MK_E_SYSTEM, "courier",
		    "the other process does not start");
	else if (r == MK_OK && text != NULL)
		r = mk_fail(why, MK_E_SYSTEM, "courier", "%s", text);
	mk_frame_release(&in);
	return r;
}

/* Smaller ones do as well, at the price of more waiting. */
static void
widen(int fd)
{
	const int size = SOCKET_BYTES;

	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

int
mk_courier_start(const struct mk_fetch_limits *limits,
    mk_courier_confine *confine, struct mk_courier *ret_courier,
    struct mk_why *why)
{
	const pid_t self = getpid();
	struct mk_courier c;
	int fd[2], r;

	if (limits->body > UINT32_MAX || limits->post >= UINT32_MAX)
		return mk_fail(why, MK_E_BUG, "courier", "a limit too high");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) != 0)
		return failed("make a socket", why);
	widen(fd[0]);
	widen(fd[1]);
	c.pid = fork();
	if (c.pid == 0)
		mk_errand_run(fd[1], self, limits, confine);
	if (c.pid == -1)
		(void)failed("start a process", why);
	close(fd[1]);
	if (c.pid == -1) {
		close(fd[0]);
		return MK_E_SYSTEM;
	}
	c.fd = fd[0];
	c.body = limits->body;
	c.post = mk_fetch_post(limits);
	r = wait_ready(c.fd, why);
	if (r != MK_OK)
		mk_courier_stop(&c, 0);
	else
		*ret_courier = c;
	return r;
}

/* Whether nobody has to wait for it any more. */
static bool
reaped(pid_t pid, int flags)
{
	pid_t r;

	do {
		r = waitpid(pid, NULL, flags);
	} while (r == -1 && errno == EINTR);
	return r != 0;
}

void
mk_courier_stop(struct mk_courier *courier, int ms)
{
	const struct timespec pause = { .tv_nsec = 2000000 };
	const int64_t deadline = mk_transfer_now() + ms;

	if (courier->pid <= 0)
		return;
	(void)shutdown(courier->fd, SHUT_RDWR);
	close(courier->fd);
	while (!reaped(courier->pid, WNOHANG)) {
		if (mk_transfer_now() < deadline) {
			(void)nanosleep(&pause, NULL);
			continue;
		}
		(void)kill(courier->pid, SIGKILL);
		(void)reaped(courier->pid, 0);
		break;
	}
	courier->fd = -1;
	courier->pid = -1;
}

int
mk_courier_send(const struct mk_courier *courier,
    const struct mk_fetch_request *req, struct mk_why *why)
{
	const int64_t deadline = mk_transfer_now() + WRITE_MS;
	struct mk_frame_writer w = { 0 };
	char *origin;
	int r;

	r = mk_request_check(req, courier->post, &origin, why);
	if (r != MK_OK)
		return r;
	free(origin);
	w.head.magic = MK_FRAME_REQUEST;
	w.head.id = req->id;
	w.head.seconds = req->seconds;
	mk_frame_put_text(&w, 0, req->post);
	mk_frame_put_text(&w, 1, req->etag);
	mk_frame_put_text(&w, 2, req->url);
	while ((r = mk_frame_write(&w, courier->fd, why)) == MK_E_ABSENT) {
		if (!wait_until(courier->fd, POLLOUT, deadline))
			return mk_fail(why, MK_E_SYSTEM, "courier",
			    "the other process does not read");
	}
	return r;
}

static bool
is_text(const char *s)
{
	for (; s != NULL && *s != '\0'; s++) {
		if (*s < 0x20 || *s > 0x7e)
			return false;
	}
	return true;
}

/* An outcome and what belongs to it, as mk_fetch_work() gives them. */
static bool
is_consistent(const struct mk_frame *head, const char *etag,
    const char *error)
{
	if (!is_text(error) || head->seconds > MK_FETCH_RETRY ||
	    (etag != NULL && !mk_etag_good(etag)))
		return false;
	if (head->outcome == MK_FETCH_DONE)
		return head->status >= 200 && head->status <= 999 &&
		    error == NULL;
	return head->outcome <= MK_FETCH_PUT_OFF && head->status == 0 &&
	    head->len[0] == 0 && etag == NULL && error != NULL;
}

static int
duplicate(const char *text, const char **ret, struct mk_why *why)
{
	*ret = text == NULL ? NULL : strdup(text);
	return text == NULL || *ret != NULL ? MK_OK :
	    mk_fail(why, MK_E_SYSTEM, "courier", "out of memory");
}

/* The body keeps the reader's memory, which begins with it. */
static int
unpack(struct mk_frame_reader *in, struct mk_fetch_answer *ret_answer,
    struct mk_why *why)
{
	struct mk_fetch_answer a = { .id = in->head.id };
	const char *etag, *error;
	int r;

	if (!mk_frame_text(in, 1, &etag) || !mk_frame_text(in, 2, &error) ||
	    !is_consistent(&in->head, etag, error))
		return mk_fail(why, MK_E_SYSTEM, "courier",
		    "the other process sends malformed answers");
	a.outcome = (enum mk_fetch_outcome)in->head.outcome;
	a.status = (int)in->head.status;
	a.retry_after = in->head.seconds;
	a.len = in->head.len[0];
	r = duplicate(etag, &a.etag, why);
	if (r == MK_OK)
		r = duplicate(error, &a.error, why);
	if (r != MK_OK) {
		mk_courier_release(&a);
		return r;
	}
	a.body = in->data;
	in->data = NULL;
	*ret_answer = a;
	return MK_OK;
}

int
mk_courier_receive(const struct mk_courier *courier, int milliseconds,
    struct mk_fetch_answer *ret_answer, struct mk_why *why)
{
	struct mk_frame_reader in;
	int r;

	mk_frame_expect(&in, MK_FRAME_ANSWER);
	in.max[0] = courier->body;
	in.max[1] = MK_FETCH_ETAG + 1;
	in.max[2] = MK_FRAME_ERROR;
	r = read_frame(courier->fd, &in, milliseconds, why);
	if (r == MK_OK)
		r = unpack(&in, ret_answer, why);
	mk_frame_release(&in);
	return r;
}

void
mk_courier_release(struct mk_fetch_answer *answer)
{
	free((void *)(uintptr_t)answer->etag);
	free((void *)(uintptr_t)answer->error);
	free((void *)(uintptr_t)answer->body);
	answer->etag = answer->error = NULL;
	answer->body = NULL;
}
