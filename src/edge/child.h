/* SPDX-License-Identifier: ISC */
/*
 * Running another program, with what it is given and nothing else, or a
 * function in a process of its own: what may not come back, as on a file
 * system whose server is gone, then holds up nobody.  No shell.
 */
#ifndef MK_EDGE_CHILD_H
#define MK_EDGE_CHILD_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mk_buf;
struct mk_why;

struct mk_child {
	const char *const *argv;	/* argv[0] without a slash is looked
					   for in PATH; NULL-ended */
	int (*call)(void *arg);		/* instead of a program, which argv[0]
					   only names then; its result is the
					   exit status */
	void *arg;
	const uint8_t *in;		/* its standard input, or NULL */
	size_t in_len;
	bool terminal;			/* without 'in': it is /dev/tty, not
					   /dev/null */
	unsigned seconds;		/* then it is ended; 0: it waits for
					   a person, as long as it takes */
	const struct mk_child_as *as;	/* NULL: as who runs us */
	char *const *env;		/* NULL: ours; NULL-ended */
	struct mk_buf *err;		/* NULL: ours; else what it writes on
					   standard error, up to its maximum,
					   the rest lost */
};

/* Another user: all ids, his groups, "/" as the directory, umask 022; as
   sshd runs an AuthorizedKeysCommand.  Only root can. */
struct mk_child_as {
	const char *name;		/* for initgroups(3) */
	uid_t uid;
	gid_t gid;
};

/*
 * Runs it to its end, at most 'out->max' bytes of its standard output taken
 * (more is MK_E_REFUSED); the terminal is ours, no descriptor but the
 * standard ones.  One that fails may have left a part in 'out'.
 * *ret_status is its exit status, or 128 and the signal.  MK_E_ABSENT with
 * a reason if there is no such program, MK_E_STALE after 'seconds' (and at
 * most four more for one that does not want to end), MK_E_PERM for another
 * user without being root, MK_E_SYSTEM.
 */
int	mk_child_run(const struct mk_child *child, struct mk_buf *out,
	    int *ret_status, struct mk_why *why);

#endif
