/* SPDX-License-Identifier: ISC */
/*
 * Sorting in place: O(n log n) whatever the input, since a stranger sends
 * it, and without memory or system calls, which glibc's qsort(3) needs and
 * the sandbox ends the process for.
 */
#ifndef MK_CORE_SORT_H
#define MK_CORE_SORT_H

#include <stddef.h>

/* As qsort(3); not stable.  'size' is at most MK_SORT_ELEMENT bytes. */
#define MK_SORT_ELEMENT	64

void	mk_sort(void *base, size_t n, size_t size,
	    int (*compare)(const void *, const void *));

#endif
