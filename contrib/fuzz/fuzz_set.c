/* SPDX-License-Identifier: ISC */
/*
 * A whole set, behind the 35 characters of the fingerprint that is asked
 * for.  What is rendered is printable lines; what is refused gives nothing.
 */
#include "fuzz.h"

#include <string.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/render.h"
#include "core/verify.h"

#define NOW	INT64_C(1772366400)	/* 2026-03-01T12:00:00Z */

static void
render(const struct mk_verified_view *view)
{
	struct mk_buf out;
	size_t i;

	mk_buf_init(&out, MK_OUTPUT_MAX);
	for (i = 0; i < view->n_keys; i++) {
		if (view->keys[i].verdict == MK_KEY_USABLE)
			mk_render_line(&view->keys[i], "", &out);
	}
	for (i = 0; i < out.len; i++)
		FUZZ_HOLDS(out.data[i] == '\n' || (out.data[i] >= 0x20 &&
		    out.data[i] <= 0x7e));
	mk_buf_release(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mk_demand demand = { .now = NOW, .build_time = NOW - MK_DAY,
	    .max_set = MK_SET_MAX, .max_devices = MK_DEVICES_MAX,
	    .key_types = MK_SSH_ALL };
	const struct mk_verified *verified = NULL;
	struct mk_arena a;

	if (size < MK_UDF_TEXT || !mk_udf_parse((const char *)data,
	    MK_UDF_TEXT, &demand.udf))
		return 0;
	demand.set = data + MK_UDF_TEXT;
	demand.set_len = size - MK_UDF_TEXT;
	mk_arena_init(&a, mk_verify_memory(demand.set_len));
	if (mk_verify(&a, &demand, &verified, NULL) == 0)
		render(mk_verified_view(verified));
	else
		FUZZ_HOLDS(verified == NULL);
	mk_arena_release(&a);
	return 0;
}
