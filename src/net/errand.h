/* SPDX-License-Identifier: ISC */
/*
 * Inside of src/net: the fetching process, from its fork to its end.
 */
#ifndef MK_NET_ERRAND_H
#define MK_NET_ERRAND_H

#include <sys/types.h>

#include "net/courier.h"

/*
 * The life of the process that 'parent' forked: says on 'fd' that it is
 * ready, or why not, then answers requests until 'fd' is closed.
 */
void	mk_errand_run(int fd, pid_t parent,
	    const struct mk_fetch_limits *limits, mk_courier_confine *confine)
	    __attribute__((noreturn));

#endif
