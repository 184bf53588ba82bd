/* SPDX-License-Identifier: ISC */
/* Any text: what is parsed is a tree of the depth and size promised. */
#include "fuzz.h"

#include "core/arena.h"
#include "core/json.h"
#include "core/limits.h"

static void
walk(const struct mk_json *node, unsigned depth)
{
	const struct mk_json *m;
	uint32_t n = 0;

	FUZZ_HOLDS(depth <= MK_JSON_DEPTH);
	FUZZ_HOLDS(node->len == 0 || node->str != NULL);
	for (m = node->child; m != NULL; m = m->next, n++)
		walk(m, depth + (m->type == MK_JSON_OBJECT ||
		    m->type == MK_JSON_ARRAY));
	FUZZ_HOLDS(n == node->count);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mk_json_notes notes = { 0 };
	struct mk_json_text text = { .s = (const char *)data, .len = size,
	    .stage = "fuzz", .notes = &notes };
	const struct mk_json *root = NULL;
	struct mk_arena a;

	mk_arena_init(&a, 16u << 20);
	if (mk_json_parse(&a, &text, &root, NULL) == 0)
		walk(root, 1);
	mk_arena_release(&a);
	return 0;
}
