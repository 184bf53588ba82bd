/* SPDX-License-Identifier: ISC */
/*
 * Between the files of edge/sandbox.h: what the kernel may or may not
 * have.  A kernel without it is no error; one that has it and refuses is.
 */
#ifndef MK_EDGE_CONFINE_H
#define MK_EDGE_CONFINE_H

#include <sys/resource.h>

struct mk_why;

/* Lowers a limit for good; one that is lower already stays. */
int	mk_limit_lower(int resource, rlim_t value, struct mk_why *why);

/* No file system: every right that this kernel handles, no rule. */
int	mk_landlock_close(struct mk_why *why);

/* Only the system calls of a computation; another one ends the process. */
int	mk_seccomp_close(struct mk_why *why);

#endif
