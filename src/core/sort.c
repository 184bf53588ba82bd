/* SPDX-License-Identifier: ISC */
/* Heapsort. */
#include <stdint.h>
#include <string.h>

#include "core/sort.h"

struct heap {
	uint8_t *base;
	size_t size;
	int (*compare)(const void *, const void *);
};

static uint8_t *
at(const struct heap *h, size_t i)
{
	return h->base + i * h->size;
}

/*
 * Lets 'moving' sink from the hole at 'i' among the first 'n' elements.
 * The hole goes down to a leaf and then up to where 'moving' fits: what
 * comes from the end of a heap belongs near a leaf, so this compares half
 * as often as looking at 'moving' on the way down.
 */
static void
sink(const struct heap *h, size_t i, size_t n, const uint8_t *moving)
{
	size_t top = i, child, parent;

	while ((child = 2 * i + 1) < n) {
		if (child + 1 < n &&
		    h->compare(at(h, child), at(h, child + 1)) < 0)
			child++;
		memcpy(at(h, i), at(h, child), h->size);
		i = child;
	}
	while (i > top) {
		parent = (i - 1) / 2;
		if (h->compare(moving, at(h, parent)) <= 0)
			break;
		memcpy(at(h, i), at(h, parent), h->size);
		i = parent;
	}
	memcpy(at(h, i), moving, h->size);
}

void
mk_sort(void *base, size_t n, size_t size,
    int (*compare)(const void *, const void *))
{
	struct heap h = { base, size, compare };
	_Alignas(max_align_t) uint8_t moving[MK_SORT_ELEMENT];
	size_t i;

	if (n < 2 || size > sizeof(moving))
		return;
	for (i = n / 2; i-- > 0; ) {
		memcpy(moving, at(&h, i), size);
		sink(&h, i, n, moving);
	}
	for (i = n - 1; i > 0; i--) {
		memcpy(moving, at(&h, i), size);
		memcpy(at(&h, i), at(&h, 0), size);
		sink(&h, 0, i, moving);
	}
}
