/* SPDX-License-Identifier: ISC */
/*
 * What a portal says changed: whatever is taken can be sent back, as one
 * line of JSON, and names keys only.
 */
#include "fuzz.h"

#include <string.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/json.h"
#include "core/limits.h"
#include "core/portal.h"

/* The portal reads of our question the very Store that it gave. */
static void
ask_back(struct mk_arena *a, const struct mk_changes *c)
{
	struct mk_json_notes notes = { 0 };
	struct mk_json_text text = { .stage = "fuzz", .notes = &notes };
	const struct mk_json *root, *question;
	struct mk_buf out;
	size_t i;

	mk_buf_init(&out, 128u << 10);
	mk_changes_begin(c->store, c->next, MK_CHANGES_WAIT, &out);
	for (i = 0; i < c->n; i++)
		mk_changes_add(&c->udfs[i], &out);
	mk_changes_end(&out);
	FUZZ_HOLDS(out.failed == 0 && memchr(out.data, '\n', out.len) ==
	    NULL);
	text.s = out.data;
	text.len = out.len;
	FUZZ_HOLDS(mk_json_parse(a, &text, &root, NULL) == 0);
	question = mk_json_member(root, "Changes");
	FUZZ_HOLDS(question != NULL && question->count == 4);
	FUZZ_HOLDS(mk_json_is(mk_json_member(question, "Store"), c->store));
	FUZZ_HOLDS(mk_json_member(question, "Identifiers")->count == c->n);
	mk_buf_release(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct mk_bytes answer = { data, size };
	struct mk_changes changes;
	struct mk_arena a, more;
	size_t i, len;

	mk_arena_init(&a, MK_ARENA_FLOOR);
	mk_arena_init(&more, MK_ARENA_FLOOR);
	if (mk_changes_parse(&a, &answer, &changes, NULL) == 0) {
		len = strlen(changes.store);
		FUZZ_HOLDS(len > 0 && len <= MK_CHANGES_STORE);
		FUZZ_HOLDS(changes.next < (uint64_t)1 << 53);
		FUZZ_HOLDS(changes.n <= MK_CHANGES_IDS);
		for (i = 0; i < changes.n; i++)
			FUZZ_HOLDS(mk_udf_type(&changes.udfs[i]) ==
			    MK_UDF_KEY);
		ask_back(&more, &changes);
	}
	mk_arena_release(&more);
	mk_arena_release(&a);
	return 0;
}
