/* SPDX-License-Identifier: ISC */
/*
 * What a program gives up before it reads a stranger's bytes.
 */
#ifndef MK_EDGE_SANDBOX_H
#define MK_EDGE_SANDBOX_H

#include <stddef.h>

struct mk_why;

/*
 * Opens /dev/null in place of closed standard descriptors and closes all
 * others; ignores SIGPIPE; no core dumps; at most 'seconds' of CPU and of
 * wall time (SIGALRM ends the process), 0 for as long as it takes.  The
 * resource limits are soft ones until the sandbox closes.
 */
int	mk_process_limits(unsigned seconds, struct mk_why *why);

/* Takes that back, for a program that is run in our place. */
void	mk_process_unlimit(void);

/* Closes every descriptor but 'fd', the standard ones too. */
int	mk_process_isolate(int fd, struct mk_why *why);

/*
 * Closes the sandbox: address space of 'memory' bytes more than now, no
 * file larger than 'output' bytes written, no process, no new privileges;
 * no file system (Landlock) and only the system calls of a computation
 * that reads and writes open descriptors (seccomp), where the kernel has
 * them.  A call outside the list ends the process.  MK_E_SYSTEM if what
 * the kernel has cannot be had.
 */
int	mk_sandbox_close(size_t memory, size_t output, struct mk_why *why);

#endif
