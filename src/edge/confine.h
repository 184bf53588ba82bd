/* SPDX-License-Identifier: ISC */
/*
 * Between the files of edge/sandbox.h: what the kernel may or may not
 * have.  A kernel without it is no error; one that has it and refuses is.
 */
#ifndef MK_EDGE_CONFINE_H
#define MK_EDGE_CONFINE_H

#include <sys/resource.h>

#include <stdbool.h>
#include <stddef.h>

struct mk_why;

/* No program that this process may run has more rights than it. */
int	mk_privileges_close(struct mk_why *why);

/* Lowers a limit for good; one that is lower already stays. */
int	mk_limit_lower(int resource, rlim_t value, struct mk_why *why);

/* No file system: every right that this kernel handles, no rule. */
int	mk_landlock_close(struct mk_why *why);

/* What stays in reach, a directory with all below it. */
struct mk_place {
	int fd;			/* may be opened with O_PATH */
	enum {
		MK_PLACE_READ,	/* a directory */
		MK_PLACE_WRITE,
		MK_PLACE_FILE	/* reading one that is none */
	} use;
};

/* No file system but these places; no TCP.  Signals stay. */
int	mk_landlock_keep(const struct mk_place *places, size_t n,
	    struct mk_why *why);

/* The same for who has the network: no signals, no TCP that listens. */
int	mk_landlock_fetch(const struct mk_place *places, size_t n,
	    struct mk_why *why);

/* Only the system calls of a computation; another one ends the process. */
int	mk_seccomp_close(struct mk_why *why);

/*
 * No socket, no program, no process, and nothing that administers the
 * machine: such a call fails with EPERM (clone3 with ENOSYS, as on a
 * kernel that has none).
 */
int	mk_seccomp_keep(struct mk_why *why);

/*
 * No file written, no program, nothing that administers the machine or
 * other processes, and only sockets of the network and of this host: such
 * a call fails with EPERM (openat2 with ENOSYS).
 */
int	mk_seccomp_fetch(struct mk_why *why);

#endif
