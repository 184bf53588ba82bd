/* SPDX-License-Identifier: ISC */
/*
 * The sandbox of the process that fetches: it has the network, reads what
 * TLS and name resolution need, writes nothing and runs nothing.
 */
#ifndef MK_EDGE_FETCHER_H
#define MK_EDGE_FETCHER_H

struct mk_why;

/*
 * Gives up for good: new privileges, being looked into by other processes,
 * files written, and, as far as the kernel has Landlock and seccomp, files
 * read but those of TLS and name resolution, and the system calls that such
 * a process has no use for (EPERM).  A kernel that has them and refuses is
 * MK_E_SYSTEM; one without them is no error.
 */
int	mk_fetcher_confine(struct mk_why *why);

#endif
