/* SPDX-License-Identifier: ISC */
/*
 * JSON strings as RFC 8259 section 7 requires: quotes, backslashes and
 * controls escaped, everything else as it is.  That the text is UTF-8 is the
 * caller's word.
 */
#include "core/write.h"

#include <string.h>

#include "core/buf.h"
#include "core/timestamp.h"

/* The letter behind the backslash, or NUL where there is none. */
static char
short_escape(char c)
{
	switch (c) {
	case '"':
	case '\\':
		return c;
	case '\b':
		return 'b';
	case '\f':
		return 'f';
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	case '\t':
		return 't';
	default:
		return '\0';
	}
}

static void
put_escaped(char c, struct mk_buf *out)
{
	uint8_t byte = (uint8_t)c;
	char letter = short_escape(c);

	if (letter != '\0') {
		mk_buf_putc(out, '\\');
		mk_buf_putc(out, letter);
	} else {
		mk_buf_puts(out, "\\u00");
		mk_buf_hex(out, &byte, 1);
	}
}

void
mk_json_write(const char *s, size_t len, struct mk_buf *out)
{
	size_t i, from = 0;

	mk_buf_putc(out, '"');
	for (i = 0; i < len; i++) {
		if ((uint8_t)s[i] >= 0x20 && s[i] != '"' && s[i] != '\\')
			continue;
		mk_buf_put(out, s + from, i - from);
		put_escaped(s[i], out);
		from = i + 1;
	}
	if (len > from)
		mk_buf_put(out, s + from, len - from);
	mk_buf_putc(out, '"');
}

void
mk_put_name(struct mk_buf *out, const char *name)
{
	mk_buf_putc(out, '"');
	mk_buf_puts(out, name);
	mk_buf_puts(out, "\":");
}

void
mk_put_text(struct mk_buf *out, const char *name, const char *s, size_t len)
{
	mk_put_name(out, name);
	mk_json_write(s, len, out);
}

void
mk_put_bytes(struct mk_buf *out, const char *name, const uint8_t *bytes,
    size_t len)
{
	mk_put_name(out, name);
	mk_buf_putc(out, '"');
	mk_buf_b64url(out, bytes, len);
	mk_buf_putc(out, '"');
}

void
mk_put_udf(struct mk_buf *out, const char *name, const struct mk_udf *udf)
{
	char text[MK_UDF_TEXT + 1];

	mk_udf_format(udf, text);
	mk_put_text(out, name, text, MK_UDF_TEXT);
}

void
mk_put_time(struct mk_buf *out, const char *name, int64_t t)
{
	char text[MK_TIME_LEN + 1];

	mk_time_format(t, text);
	mk_put_text(out, name, text, strlen(text));
}
