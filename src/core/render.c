/* SPDX-License-Identifier: ISC */
#include "core/buf.h"
#include "core/render.h"
#include "core/verify.h"

void
mk_render_line(const struct mk_verified_key *key, const char *options,
    struct mk_buf *out)
{
	const struct mk_ssh_device *d = key->ssh;
	char udf[MK_UDF_TEXT + 1];

	if (options[0] != '\0') {
		mk_buf_puts(out, options);
		mk_buf_putc(out, ' ');
	}
	mk_buf_put(out, d->key.name, d->key.name_len);
	mk_buf_putc(out, ' ');
	mk_buf_b64std(out, d->key.blob, d->key.len);
	mk_udf_format(&d->device, udf);
	mk_buf_puts(out, " mesh:");
	mk_buf_puts(out, udf);
	if (key->comment[0] != '\0') {
		mk_buf_putc(out, ' ');
		mk_buf_puts(out, key->comment);
	}
	mk_buf_putc(out, '\n');
}
