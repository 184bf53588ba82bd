/* SPDX-License-Identifier: ISC */
/*
 * A server on the loopback that says exactly what a test wants: for each
 * path the bytes of an answer, right or wrong.
 */
#ifndef MK_TESTS_CANNED_H
#define MK_TESTS_CANNED_H

#include <sys/types.h>

#include <stddef.h>

enum canned_how {
	CANNED_CLOSE,		/* say it, close */
	CANNED_KEEP,		/* say it, wait for another request */
	CANNED_HOLD,		/* say it, then nothing for ever */
	CANNED_REPEAT,		/* say the head, then 'more' for ever */
	CANNED_DRIP,		/* say the head, then a byte a second */
	CANNED_SLOW,		/* wait a little, then as CANNED_KEEP */
	CANNED_ECHO		/* answer with what the client sent */
};

struct canned {
	const char *path;
	enum canned_how how;
	const char *text;
	const char *more;
};

/* Counted over all connections. */
struct canned_seen {
	int requests;
	int connections;
	int now, most;		/* connections open at a time */
};

struct canned_server {
	pid_t pid;
	unsigned port;
	volatile struct canned_seen *seen;
};

/* The table ends in a path of NULL.  Any failure fails the test. */
void	canned_start(const struct canned *table,
	    struct canned_server *ret_server);
void	canned_stop(struct canned_server *server);

/* The URL of a path there; four may be in use at a time. */
const char *canned_url(const struct canned_server *server,
	    const char *path);

/* A port where nobody listens. */
unsigned	canned_no_port(void);

#endif
