/* SPDX-License-Identifier: ISC */
#include "core/buf.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/base64.h"
#include "core/err.h"

#define FIRST_SIZE	256

void
mk_buf_init(struct mk_buf *b, size_t max)
{
	memset(b, 0, sizeof(*b));
	b->max = max;
}

void
mk_buf_release(struct mk_buf *b)
{
	free(b->data);
	mk_buf_init(b, b->max);
}

/* Makes the allocation hold 'need' bytes, at least doubling it. */
static bool
grow(struct mk_buf *b, size_t need)
{
	size_t size = b->size < FIRST_SIZE ? FIRST_SIZE : b->size;
	char *data;

	while (size < need)
		size = size > SIZE_MAX / 2 ? need : size * 2;
	data = realloc(b->data, size);
	if (data == NULL) {
		b->failed = MK_E_SYSTEM;
		return false;
	}
	b->data = data;
	b->size = size;
	return true;
}

/* Room for 'len' more bytes, which count from now on; NULL if refused. */
static char *
extend(struct mk_buf *b, size_t len)
{
	char *p;

	if (b->failed != 0)
		return NULL;
	if (len > b->max - b->len || b->len + len == SIZE_MAX) {
		b->failed = MK_E_REFUSED;
		return NULL;
	}
	if (b->len + len >= b->size && !grow(b, b->len + len + 1))
		return NULL;
	p = b->data + b->len;
	b->len += len;
	b->data[b->len] = '\0';
	return p;
}

void
mk_buf_put(struct mk_buf *b, const void *data, size_t len)
{
	char *p = extend(b, len);

	if (p != NULL && len > 0)
		memcpy(p, data, len);
}

void
mk_buf_puts(struct mk_buf *b, const char *s)
{
	mk_buf_put(b, s, strlen(s));
}

void
mk_buf_putc(struct mk_buf *b, char c)
{
	mk_buf_put(b, &c, 1);
}

void
mk_buf_putu(struct mk_buf *b, uint64_t n)
{
	char digits[20];	/* of 2^64 - 1 */
	size_t i = sizeof(digits);

	do {
		digits[--i] = (char)('0' + n % 10);
		n /= 10;
	} while (n != 0);
	mk_buf_put(b, digits + i, sizeof(digits) - i);
}

/*
 * 'len' bytes that are written as several characters each do not fit where
 * 'len' does not; told before their product could wrap.
 */
static size_t
fits(const struct mk_buf *b, size_t len, size_t chars)
{
	return len > b->max || len > SIZE_MAX / 8 ? SIZE_MAX : chars;
}

void
mk_buf_hex(struct mk_buf *b, const uint8_t *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	char *p = extend(b, fits(b, len, len * 2));
	size_t i;

	if (p == NULL)
		return;
	for (i = 0; i < len; i++) {
		*p++ = digits[data[i] >> 4];
		*p++ = digits[data[i] & 15];
	}
}

void
mk_buf_b64url(struct mk_buf *b, const uint8_t *data, size_t len)
{
	char *p = extend(b, fits(b, len, MK_B64URL_LEN(len)));

	if (p != NULL)
		mk_b64url_encode(data, len, p);
}

void
mk_buf_b64std(struct mk_buf *b, const uint8_t *data, size_t len)
{
	char *p = extend(b, fits(b, len, MK_B64STD_LEN(len)));

	if (p != NULL)
		mk_b64std_encode(data, len, p);
}

void
mk_buf_cut(struct mk_buf *b, size_t len)
{
	if (len >= b->len)
		return;
	b->len = len;
	b->data[len] = '\0';
}

int
mk_buf_check(const struct mk_buf *b, struct mk_why *why, const char *stage)
{
	switch (b->failed) {
	case 0:
		return MK_OK;
	case MK_E_REFUSED:
		return mk_fail(why, MK_E_REFUSED, stage,
		    "more than %zu bytes would be written", b->max);
	default:
		return mk_fail(why, MK_E_SYSTEM, stage, "out of memory");
	}
}
