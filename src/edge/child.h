/* SPDX-License-Identifier: ISC */
/*
 * Running another program: ssh-keygen(1) and ssh-add(1).  No shell.
 */
#ifndef MK_EDGE_CHILD_H
#define MK_EDGE_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mk_buf;
struct mk_why;

struct mk_child {
	const char *const *argv;	/* argv[0] is looked for in PATH;
					   NULL-ended */
	const uint8_t *in;		/* its standard input, or NULL */
	size_t in_len;
	bool terminal;			/* without 'in': it is /dev/tty, not
					   /dev/null */
	unsigned seconds;		/* then it is ended; 0: it waits for
					   a person, as long as it takes */
};

/*
 * Runs it to its end, at most 'out->max' bytes of its standard output taken
 * (more is MK_E_REFUSED); standard error and the terminal are ours, no
 * other descriptor.  One that fails may have left a part in 'out'.
 * *ret_status is its exit status, or 128 and the signal.  MK_E_ABSENT with
 * a reason if there is no such program, MK_E_STALE after 'seconds',
 * MK_E_SYSTEM.
 */
int	mk_child_run(const struct mk_child *child, struct mk_buf *out,
	    int *ret_status, struct mk_why *why);

#endif
