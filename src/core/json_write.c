/* SPDX-License-Identifier: ISC */
/*
 * JSON strings as RFC 8259 section 7 requires: quotes, backslashes and
 * controls escaped, everything else as it is.  That the text is UTF-8 is the
 * caller's word.
 */
#include "core/write.h"

#include "core/buf.h"

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
