/* SPDX-License-Identifier: ISC */
/* The memory of a host: what is not damaged has one form only. */
#include "fuzz.h"

#include <string.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/limits.h"
#include "core/seen.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum mk_seen_order order;
	struct mk_arena a;
	struct mk_seen seen;
	struct mk_buf out;

	mk_arena_init(&a, MK_ARENA_FLOOR);
	mk_buf_init(&out, MK_SEEN_MAX);
	if (mk_seen_parse(&a, data, size, &seen, NULL) == 0) {
		mk_seen_render(&seen, &out);
		FUZZ_HOLDS(out.failed == 0 && out.len == size);
		FUZZ_HOLDS(memcmp(out.data, data, size) == 0);
		FUZZ_HOLDS(mk_seen_judge(&seen, &seen.version, &order,
		    NULL) == 0 && order == MK_SEEN_SAME);
	}
	mk_buf_release(&out);
	mk_arena_release(&a);
	return 0;
}
