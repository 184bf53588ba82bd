/* SPDX-License-Identifier: ISC */
/*
 * A failure stays until the release: who forgets to look at one NULL meets
 * the next.
 */
#include "core/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"

struct mk_block {
	struct mk_block *next;
	_Alignas(max_align_t) unsigned char data[];
};

void
mk_arena_init(struct mk_arena *a, size_t cap)
{
	a->blocks = NULL;
	a->used = 0;
	a->cap = cap;
	a->failed = 0;
}

void
mk_arena_release(struct mk_arena *a)
{
	struct mk_block *b, *next;

	for (b = a->blocks; b != NULL; b = next) {
		next = b->next;
		free(b);
	}
	mk_arena_init(a, a->cap);
}

void *
mk_arena_alloc(struct mk_arena *a, size_t size)
{
	struct mk_block *b;
	size_t room;

	if (a->failed != 0)
		return NULL;
	room = a->cap - a->used;
	if (room < sizeof(*b) || size > room - sizeof(*b)) {
		a->failed = MK_E_REFUSED;
		return NULL;
	}
	b = calloc(1, sizeof(*b) + size);
	if (b == NULL) {
		a->failed = MK_E_SYSTEM;
		return NULL;
	}
	b->next = a->blocks;
	a->blocks = b;
	a->used += sizeof(*b) + size;
	return b->data;
}

void *
mk_arena_array(struct mk_arena *a, size_t n, size_t size)
{
	/* No product that wraps can be below the cap. */
	if (size != 0 && n > SIZE_MAX / size) {
		if (a->failed == 0)
			a->failed = MK_E_REFUSED;
		return NULL;
	}
	return mk_arena_alloc(a, n * size);
}

char *
mk_arena_dup(struct mk_arena *a, const char *s, size_t len)
{
	char *p;

	if (len == SIZE_MAX)
		return mk_arena_array(a, len, 2);
	p = mk_arena_alloc(a, len + 1);
	if (p != NULL && len > 0)
		memcpy(p, s, len);
	return p;
}

int
mk_arena_fail(const struct mk_arena *a, struct mk_why *why)
{
	switch (a->failed) {
	case MK_E_REFUSED:
		return mk_fail(why, MK_E_REFUSED, "limits",
		    "needs more than %zu bytes of memory", a->cap);
	case MK_E_SYSTEM:
		return mk_fail(why, MK_E_SYSTEM, "memory", "out of memory");
	default:
		return mk_fail(why, MK_E_BUG, "memory",
		    "no allocation has failed");
	}
}
