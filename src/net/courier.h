/* SPDX-License-Identifier: ISC */
/*
 * The fetching process, and the frames that go between it and the process
 * that verifies and writes.  Frames are a fixed head with lengths and the
 * bytes behind it; both ends judge every length, since the fetching
 * process talks to strangers and the other must not believe it.
 */
#ifndef MK_NET_COURIER_H
#define MK_NET_COURIER_H

#include <sys/types.h>

#include "net/fetch.h"

/*
 * Requests sent whose answers have not been received, at most, the one that
 * is being sent included.  Up to it a caller may send without receiving, of
 * any size: the process goes on reading requests while its answers wait to
 * be taken.  Beyond it the process reads no more until its answers have
 * found room on the socket, and mk_courier_send() may fail after half a
 * minute; the caller has to count.
 */
#define MK_COURIER_UNANSWERED	64u

struct mk_courier {
	int fd;			/* the caller's end of the socket */
	pid_t pid;
	size_t body;		/* the limit of an answer */
	size_t post;		/* and of what is posted */
};

/* Gives up, in the fetching process, what it has no use for. */
typedef int mk_courier_confine(struct mk_why *why);

/*
 * Starts the fetching process: it closes everything else, confines itself
 * once libcurl is there, and ends when the socket is closed.
 */
int	mk_courier_start(const struct mk_fetch_limits *limits,
	    mk_courier_confine *confine, struct mk_courier *ret_courier,
	    struct mk_why *why);

/* Closes the socket and reaps the process, after at most 'ms'. */
void	mk_courier_stop(struct mk_courier *courier, int ms);

/*
 * Sends a request, whole, and waits while the socket is full.  MK_E_SYSTEM
 * if the process is gone or does not read: then the frames are broken, and
 * it is only to be stopped.  MK_E_CONFIG and MK_E_REFUSED as of
 * mk_fetch_add(): nothing was sent.
 */
int	mk_courier_send(const struct mk_courier *courier,
	    const struct mk_fetch_request *req, struct mk_why *why);

/*
 * Waits up to 'milliseconds' (-1: for ever) for an answer.  MK_E_ABSENT if
 * none came in time, MK_E_SYSTEM if the process is gone or breaks the
 * framing: it is only to be stopped.  What the answer points to is
 * malloc'd; mk_courier_release().
 */
int	mk_courier_receive(const struct mk_courier *courier,
	    int milliseconds, struct mk_fetch_answer *ret_answer,
	    struct mk_why *why);
void	mk_courier_release(struct mk_fetch_answer *answer);

#endif
