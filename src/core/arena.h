/* SPDX-License-Identifier: ISC */
/*
 * An arena: allocations that are freed together, under one cap.
 *
 * What a parser returns lives in the arena that was passed in first.  Each
 * allocation is a malloc of its own, so that AddressSanitizer and valgrind
 * see every object; a hostile document cannot use more than the cap.
 */
#ifndef MK_CORE_ARENA_H
#define MK_CORE_ARENA_H

#include <stddef.h>

struct mk_why;
struct mk_block;

struct mk_arena {
	struct mk_block *blocks;
	size_t used;		/* bytes handed out, book-keeping included */
	size_t cap;
	int failed;		/* 0, MK_E_REFUSED (cap) or MK_E_SYSTEM */
};

/* An empty arena that will hand out at most 'cap' bytes. */
void	mk_arena_init(struct mk_arena *a, size_t cap);

/* Frees everything; the arena may be used again, empty. */
void	mk_arena_release(struct mk_arena *a);

/*
 * 'size' zeroed bytes, aligned for any type, or NULL; mk_arena_fail() then
 * tells why.  A size of 0 gives a pointer that must not be read through.
 */
void	*mk_arena_alloc(struct mk_arena *a, size_t size);

/* The same for 'n' elements of 'size' bytes; checks the product. */
void	*mk_arena_array(struct mk_arena *a, size_t n, size_t size);

/* A copy of 'len' bytes with a NUL behind them, or NULL. */
char	*mk_arena_dup(struct mk_arena *a, const char *s, size_t len);

/* After a NULL: the reason and its code, refused over the cap. */
int	mk_arena_fail(const struct mk_arena *a, struct mk_why *why);

#endif
