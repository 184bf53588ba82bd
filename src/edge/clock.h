/* SPDX-License-Identifier: ISC */
/*
 * A clock for deadlines: it never goes back, and nobody sets it.
 */
#ifndef MK_EDGE_CLOCK_H
#define MK_EDGE_CLOCK_H

#include <stdint.h>

/* Milliseconds since some moment in the past. */
int64_t	mk_clock_ms(void);

#endif
