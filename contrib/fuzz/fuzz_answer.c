/* SPDX-License-Identifier: ISC */
/*
 * What a portal answers to the user's tool: the description is printable,
 * and nothing that is taken is beyond its bounds.  The first byte chooses
 * the transaction.
 */
#include "fuzz.h"

#include <string.h>

#include "core/arena.h"
#include "core/connect.h"
#include "core/limits.h"
#include "core/transact.h"

static void
printable(const char *s)
{
	for (; *s != '\0'; s++)
		FUZZ_HOLDS(*s >= ' ' && *s <= '~');
}

static void
read_request(struct mk_arena *a, struct mk_pending *p)
{
	struct mk_connection_read read;

	if (mk_connection_request_read(a, p->request, &p->notes, &read,
	    NULL) == 0)
		FUZZ_HOLDS(mk_udf_cmp(&read.request.device.id,
		    &read.envelope.kid) == 0);
}

static void
read_result(struct mk_arena *a, struct mk_pending *p)
{
	const struct mk_result_place place = { .notes = &p->notes };
	struct mk_result_read read;

	/* Without an administrator nobody can have signed it. */
	FUZZ_HOLDS(mk_connection_result_read(a, p->request, &place, &read,
	    NULL) != 0);
}

static void
look(struct mk_arena *a, struct mk_answer *answer, unsigned what)
{
	const struct mk_pending *list;
	struct mk_pending one;
	const char *reason;
	int64_t when;
	size_t i, n;
	bool valid;

	if (what == 0 && mk_answer_pending(a, answer, &list, &n, NULL) == 0) {
		FUZZ_HOLDS(n <= MK_PENDING_MAX);
		for (i = 0; i < n; i++) {
			one = list[i];
			read_request(a, &one);
		}
	}
	if (what == 1 && mk_answer_result(answer, &one, NULL) == 0 &&
	    one.request != NULL)
		read_result(a, &one);
	if (what == 2 &&
	    mk_answer_valid(a, answer, &valid, &reason, NULL) == 0)
		printable(reason);
	if (what == 3)
		(void)mk_answer_time(answer, &when, NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "ConnectPending",
	    "ConnectStatus", "ValidateAccount", "Hello" };
	struct mk_answer answer;
	struct mk_bytes text;
	struct mk_arena a;
	unsigned what;

	if (size == 0)
		return 0;
	what = data[0] % 4;
	text = (struct mk_bytes){ data + 1, size - 1 };
	mk_arena_init(&a, 64u << 20);
	if (mk_answer_read(&a, &text, names[what], &answer, NULL) == 0) {
		FUZZ_HOLDS(answer.status >= 100 && answer.status <= 599);
		printable(answer.description);
		look(&a, &answer, what);
	}
	mk_arena_release(&a);
	return 0;
}
