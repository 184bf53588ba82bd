/* SPDX-License-Identifier: ISC */
/*
 * Reading and writing the strings and mpints of RFC 4251 section 5.
 */
#include "core/buf.h"
#include "core/sshwire.h"

#define LENGTH_BYTES	4

bool
mk_wire_string(struct mk_wire *w, const uint8_t **ret_p, size_t *ret_len)
{
	size_t len;

	if (w->left < LENGTH_BYTES)
		return false;
	len = (size_t)w->p[0] << 24 | (size_t)w->p[1] << 16 |
	    (size_t)w->p[2] << 8 | (size_t)w->p[3];
	if (len > w->left - LENGTH_BYTES)
		return false;
	*ret_p = w->p + LENGTH_BYTES;
	*ret_len = len;
	w->p += LENGTH_BYTES + len;
	w->left -= LENGTH_BYTES + len;
	return true;
}

bool
mk_wire_mpint(struct mk_wire *w, const uint8_t **ret_p, size_t *ret_len)
{
	struct mk_wire ahead = *w;
	const uint8_t *p;
	size_t len;

	if (!mk_wire_string(&ahead, &p, &len))
		return false;
	/* Zero has no octets; a set top bit is a negative number. */
	if (len == 0 || (p[0] & 0x80) != 0)
		return false;
	if (p[0] == 0) {
		/* Stands for the sign only, or one key has many blobs. */
		if (len == 1 || (p[1] & 0x80) == 0)
			return false;
		p++;
		len--;
	}
	*ret_p = p;
	*ret_len = len;
	*w = ahead;
	return true;
}

static void
put_length(struct mk_buf *out, size_t len)
{
	uint8_t be[LENGTH_BYTES];

	be[0] = (uint8_t)(len >> 24 & 0xff);
	be[1] = (uint8_t)(len >> 16 & 0xff);
	be[2] = (uint8_t)(len >> 8 & 0xff);
	be[3] = (uint8_t)(len & 0xff);
	mk_buf_put(out, be, sizeof(be));
}

void
mk_wire_put_string(struct mk_buf *out, const void *data, size_t len)
{
	put_length(out, len);
	mk_buf_put(out, data, len);
}

void
mk_wire_put_mpint(struct mk_buf *out, const uint8_t *n, size_t len)
{
	size_t sign;

	sign = len > 0 && (n[0] & 0x80) != 0 ? 1 : 0;
	put_length(out, len + sign);
	if (sign != 0)
		mk_buf_putc(out, 0);
	mk_buf_put(out, n, len);
}
