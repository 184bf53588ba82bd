/* SPDX-License-Identifier: ISC */
/*
 * The plain protocol of sd_notify(3): a datagram of lines to the socket
 * that the environment names.  Without one nothing is sent and nothing
 * fails.
 */
#ifndef MK_EDGE_NOTIFY_H
#define MK_EDGE_NOTIFY_H

#include <stdint.h>

struct mk_notify {
	int fd;			/* connected; -1: nobody wants to know */
	int64_t watchdog_ms;	/* how often to say that we live; 0: never */
};

/*
 * Opens the socket of NOTIFY_SOCKET, a path or an abstract name with an
 * '@', and takes half of WATCHDOG_USEC if WATCHDOG_PID is ours, our
 * parent's or unset.  Before the sandbox closes.
 */
void	mk_notify_open(struct mk_notify *ret_notify);
void	mk_notify_close(struct mk_notify *notify);

/* Sends "READY=1", "STATUS=..." and the like, without waiting. */
void	mk_notify(const struct mk_notify *notify, const char *lines);

#endif
