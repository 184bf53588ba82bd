/* SPDX-License-Identifier: ISC */
/*
 * Two lists of options, a line each: what both permit is a list again, and
 * the same again with itself.
 */
#include "fuzz.h"

#include <string.h>

#include "core/buf.h"
#include "core/sshopt.h"

#define LIST_MAX	(1u << 16)

static void
meet(const char *x, const char *y)
{
	struct mk_buf out, again;

	mk_buf_init(&out, 4 * LIST_MAX);
	mk_buf_init(&again, 8 * LIST_MAX);
	mk_sshopt_meet(x, y, &out);
	FUZZ_HOLDS(out.failed == 0);
	if (out.len > 0) {
		FUZZ_HOLDS(mk_sshopt_check(out.data, NULL) == 0);
		mk_sshopt_meet(out.data, out.data, &again);
		FUZZ_HOLDS(strcmp(out.data, again.data) == 0);
	}
	mk_buf_release(&out);
	mk_buf_release(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text, *second;

	if (size > LIST_MAX)
		return 0;
	text = malloc(size + 1);
	FUZZ_HOLDS(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	second = strchr(text, '\n');
	if (second != NULL)
		*second++ = '\0';
	else
		second = text + strlen(text);
	if (mk_sshopt_check(text, NULL) == 0 &&
	    mk_sshopt_check(second, NULL) == 0) {
		meet(text, second);
		meet(second, text);
		meet(text, "restrict");
		meet(text, "");
	}
	free(text);
	return 0;
}
