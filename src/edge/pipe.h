/* SPDX-License-Identifier: ISC */
/*
 * All of some bytes through a descriptor, however it divides them.
 */
#ifndef MK_EDGE_PIPE_H
#define MK_EDGE_PIPE_H

#include <stdbool.h>
#include <stddef.h>

/* False with errno set; then some of it may have been written. */
bool	mk_write_all(int fd, const void *data, size_t len);

/* False also at an end that comes too early. */
bool	mk_read_all(int fd, void *data, size_t len);

#endif
