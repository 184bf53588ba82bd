/* SPDX-License-Identifier: ISC */
/*
 * Base32 (RFC 4648 section 6) as people read it out: upper-case letters of
 * five bits, in groups of five with dashes between.
 */
#ifndef MK_CORE_BASE32_H
#define MK_CORE_BASE32_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Characters of 'n' letters with the dashes between their groups. */
#define MK_B32_GROUPED(n)	((n) + ((n) - 1) / 5)

/* Five bits by their upper-case letter, or -1. */
int	mk_b32_value(char c);

/* The first 5 * 'n' bits of 'bits' as 'n' letters; no NUL is written. */
void	mk_b32_encode(const uint8_t *bits, size_t n, char *out);

/* Letters with dashes: MK_B32_GROUPED(n) characters and a NUL. */
void	mk_b32_group(const char *letters, size_t n, char *out);

/*
 * 'letters' upper-case letters from a text as people type it: any case, all
 * dashes or none.  What is in 'out' counts only if it returns true.
 */
bool	mk_b32_ungroup(const char *s, size_t n, size_t letters, char *out);

#endif
