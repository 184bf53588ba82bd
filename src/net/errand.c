/* SPDX-License-Identifier: ISC */
/*
 * One loop: requests from the socket into the fetcher, answers from its
 * callback onto the socket.  While an answer waits to be taken requests
 * are still read, up to the agreed number, or two full buffers would hold
 * both processes up for ever.
 */
#include "net/errand.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "net/courier.h"
#include "net/frame.h"

struct errand {
	int fd;
	struct mk_fetch *fetch;
	struct mk_frame_reader in;
	unsigned unanswered;
	bool broken;			/* nothing more to do here */
};

static int
failed(const char *what, struct mk_why *why)
{
	return mk_fail(why, MK_E_SYSTEM, "courier", "cannot %s: %s", what,
	    strerror(errno));
}

/* A process that outlives its parent would have nobody to stop it. */
static int
set_signals(pid_t parent, struct mk_why *why)
{
	sigset_t none;
	int i;

	for (i = 1; i < NSIG; i++)
		(void)signal(i, i == SIGPIPE ? SIG_IGN : SIG_DFL);
	sigemptyset(&none);
	if (sigprocmask(SIG_SETMASK, &none, NULL) != 0)
		return failed("set signals", why);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
		return failed("end with the parent", why);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
	return MK_OK;
}

static void
close_from(int first)
{
	struct rlimit open_files;
	int fd, end = 65536;

#ifdef SYS_close_range
	if (syscall(SYS_close_range, (unsigned)first, ~0U, 0U) == 0)
		return;
#endif
	if (getrlimit(RLIMIT_NOFILE, &open_files) == 0 &&
	    open_files.rlim_cur < (rlim_t)end)
		end = (int)open_files.rlim_cur;
	for (fd = first; fd < end; fd++)
		(void)close(fd);
}

/* The socket becomes the first one behind the standard descriptors. */
static int
set_descriptors(struct errand *e, struct mk_why *why)
{
	const int mine = STDERR_FILENO + 1;
	int fd, null;

	fd = fcntl(e->fd, F_DUPFD_CLOEXEC, mine + 1);
	if (fd == -1 || dup3(fd, mine, O_CLOEXEC) == -1)
		return failed("keep the socket", why);
	e->fd = mine;
	close_from(mine + 1);
	null = open("/dev/null", O_RDWR);
	if (null == -1)
		return failed("open '/dev/null'", why);
	for (fd = 0; fd <= STDERR_FILENO; fd++) {
		if (fd != null && dup2(null, fd) == -1)
			return failed("use '/dev/null'", why);
	}
	if (null > mine)
		close(null);
	return MK_OK;
}

static void
wait_until(const struct errand *e, short events)
{
	struct pollfd p = { .fd = e->fd, .events = events };

	(void)poll(&p, 1, -1);
}

/* Reads what is there; the requests become the fetcher's. */
static void
take_requests(struct errand *e)
{
	struct mk_fetch_request req;
	const char *post, *etag, *url;
	int r;

	while (!e->broken && e->unanswered < MK_COURIER_UNANSWERED) {
		r = mk_frame_read(&e->in, e->fd, NULL);
		if (r == MK_E_ABSENT)
			return;
		e->broken = r != MK_OK ||
		    !mk_frame_text(&e->in, 0, &post) ||
		    !mk_frame_text(&e->in, 1, &etag) ||
		    !mk_frame_text(&e->in, 2, &url) || url == NULL;
		if (e->broken)
			return;
		req.id = e->in.head.id;
		req.seconds = e->in.head.seconds;
		req.post = post;
		req.etag = etag;
		req.url = url;
		/* The sender has judged it already; only memory can lack. */
		e->broken = mk_fetch_add(e->fetch, &req, NULL) != MK_OK;
		e->unanswered++;
		mk_frame_release(&e->in);
	}
}

/* Whole, however long the other end takes; it ends us if it ends. */
static void
write_frame(struct errand *e, struct mk_frame_writer *w)
{
	short events;
	int r;

	while (!e->broken) {
		r = mk_frame_write(w, e->fd, NULL);
		if (r == MK_OK)
			return;
		if (r != MK_E_ABSENT) {
			e->broken = true;
			return;
		}
		events = POLLOUT;
		if (e->fetch != NULL &&
		    e->unanswered < MK_COURIER_UNANSWERED)
			events |= POLLIN;
		wait_until(e, events);
		if ((events & POLLIN) != 0)
			take_requests(e);
	}
}

static void
answer(void *arg, const struct mk_fetch_answer *a)
{
	struct mk_frame_writer w = { 0 };
	struct errand *e = arg;

	w.head.magic = MK_FRAME_ANSWER;
	w.head.id = a->id;
	w.head.seconds = a->retry_after;
	w.head.outcome = (uint32_t)a->outcome;
	w.head.status = (uint32_t)a->status;
	w.head.len[0] = (uint32_t)a->len;
	w.parts[0] = a->body;
	mk_frame_put_text(&w, 1, a->etag);
	mk_frame_put_text(&w, 2, a->error);
	write_frame(e, &w);
	e->unanswered--;
}

static void
say_ready(struct errand *e, const struct mk_why *why)
{
	struct mk_frame_writer w = { 0 };

	w.head.magic = MK_FRAME_READY;
	mk_frame_put_text(&w, 2, why == NULL ? NULL : why->detail);
	write_frame(e, &w);
}

/*
 * libcurl and what it loads start before the walls close; the environment
 * would choose proxies, files of keys, and where names are looked up.
 */
static int
set_up(struct errand *e, pid_t parent, const struct mk_fetch_limits *limits,
    mk_courier_confine *confine, struct mk_why *why)
{
	int r;

	r = set_signals(parent, why);
	if (r == MK_OK)
		r = set_descriptors(e, why);
	if (r == MK_OK && clearenv() != 0)
		r = failed("forget the environment", why);
	if (r == MK_OK)
		r = mk_fetch_new(limits, answer, e, &e->fetch, why);
	if (r == MK_OK)
		r = confine(why);
	return r;
}

void
mk_errand_run(int fd, pid_t parent, const struct mk_fetch_limits *limits,
    mk_courier_confine *confine)
{
	struct errand e = { .fd = fd };
	struct mk_why why = { 0 };
	int readable;

	if (set_up(&e, parent, limits, confine, &why) != MK_OK) {
		say_ready(&e, &why);
		_exit(EXIT_FAILURE);
	}
	mk_frame_expect(&e.in, MK_FRAME_REQUEST);
	e.in.max[0] = mk_fetch_post(limits) + 1;
	e.in.max[1] = MK_FETCH_ETAG + 1;
	e.in.max[2] = MK_FETCH_URL + 1;
	say_ready(&e, NULL);
	while (!e.broken) {
		fd = e.unanswered < MK_COURIER_UNANSWERED ? e.fd : -1;
		if (mk_fetch_work(e.fetch, fd, -1, &readable, NULL) != MK_OK)
			break;
		if (readable)
			take_requests(&e);
	}
	_exit(EXIT_SUCCESS);
}
