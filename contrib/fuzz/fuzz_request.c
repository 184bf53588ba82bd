/* SPDX-License-Identifier: ISC */
/*
 * What a stranger posts to a portal: a set that would be stored is one that
 * reads and chooses itself again, byte for byte, and a connection request
 * that is taken says again what it said.
 */
#include "fuzz.h"

#include <string.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/connect.h"
#include "core/limits.h"
#include "core/request.h"
#include "core/set.h"

/* As stored: published again it is the same. */
static void
store(struct mk_arena *a, const struct mk_request *req)
{
	struct mk_request again;
	struct mk_bytes body;
	struct mk_buf set, post, twice;

	mk_buf_init(&set, MK_SET_MAX);
	mk_buf_init(&post, 2 * MK_SET_MAX);
	mk_buf_init(&twice, MK_SET_MAX);
	if (mk_request_set(a, req, &set, NULL) == 0) {
		body = (struct mk_bytes){ (uint8_t *)set.data, set.len };
		FUZZ_HOLDS(mk_publish_write(a, &body, &post, NULL) == 0);
		body = (struct mk_bytes){ (uint8_t *)post.data, post.len };
		FUZZ_HOLDS(mk_request_read(a, &body, &again, NULL) == 0);
		FUZZ_HOLDS(mk_request_set(a, &again, &twice, NULL) == 0);
		FUZZ_HOLDS(twice.len == set.len &&
		    memcmp(twice.data, set.data, set.len) == 0);
	}
	mk_buf_release(&set);
	mk_buf_release(&post);
	mk_buf_release(&twice);
}

static void
connect_device(struct mk_arena *a, struct mk_request *req)
{
	struct mk_connection_read read;
	struct mk_buf out;

	if (mk_connection_request_read(a, req->object, &req->notes, &read,
	    NULL) != 0)
		return;
	mk_buf_init(&out, MK_CONNECT_MAX);
	mk_connection_request_write(&read.request, &out);
	FUZZ_HOLDS(out.failed == 0);
	FUZZ_HOLDS(!read.request.has_ssh ||
	    mk_udf_cmp(&read.request.ssh.device,
	    &read.request.device.id) == 0);
	mk_buf_release(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct mk_bytes body = { data, size };
	struct mk_request req;
	struct mk_arena a;

	mk_arena_init(&a, 64u << 20);
	if (mk_request_read(&a, &body, &req, NULL) == 0) {
		FUZZ_HOLDS(req.what < MK_TRANSACTIONS);
		FUZZ_HOLDS(req.n_udfs <= MK_CHANGES_IDS);
		if (req.entries != NULL)
			store(&a, &req);
		if (req.what == MK_CONNECT_START)
			connect_device(&a, &req);
	}
	mk_arena_release(&a);
	return 0;
}
