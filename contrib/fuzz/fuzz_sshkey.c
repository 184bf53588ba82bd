/* SPDX-License-Identifier: ISC */
/* "type base64": what is accepted is written back the same. */
#include "fuzz.h"

#include <string.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/sshkey.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mk_sshkey key;
	struct mk_arena a;
	struct mk_buf out;

	mk_arena_init(&a, 1u << 20);
	mk_buf_init(&out, 1u << 20);
	if (mk_sshkey_parse_text(&a, (const char *)data, size, &key,
	    NULL) == 0) {
		mk_buf_put(&out, key.name, key.name_len);
		mk_buf_putc(&out, ' ');
		mk_buf_b64std(&out, key.blob, key.len);
		FUZZ_HOLDS(out.len == size);
		FUZZ_HOLDS(memcmp(out.data, data, size) == 0);
		FUZZ_HOLDS(!mk_sshkey_is_cert(key.name, key.name_len));
	}
	/* The octets as a blob of their own. */
	(void)mk_sshkey_parse(data, size, &key, NULL);
	mk_buf_release(&out);
	mk_arena_release(&a);
	return 0;
}
