/* SPDX-License-Identifier: ISC */
/*
 * Four characters at a time: the tables mark what is no digit in a bit that
 * no digit has, so that one test after OR-ing finds any of them.
 */
#include "core/base64.h"

#define BAD	0x80

/* The value of character 'c' where 'p' and 'q' are digits 62 and 63. */
#define D(c, p, q)						\
	(uint8_t)((c) >= 'A' && (c) <= 'Z' ? (c) - 'A' :	\
	    (c) >= 'a' && (c) <= 'z' ? (c) - 'a' + 26 :		\
	    (c) >= '0' && (c) <= '9' ? (c) - '0' + 52 :		\
	    (c) == (p) ? 62 : (c) == (q) ? 63 : BAD)
#define D4(c, p, q)						\
	D((c), p, q), D((c) + 1, p, q),				\
	D((c) + 2, p, q), D((c) + 3, p, q)
#define D16(c, p, q)						\
	D4((c), p, q), D4((c) + 4, p, q),			\
	D4((c) + 8, p, q), D4((c) + 12, p, q)
#define D64(c, p, q)						\
	D16((c), p, q), D16((c) + 16, p, q),			\
	D16((c) + 32, p, q), D16((c) + 48, p, q)
#define D256(p, q)						\
	D64(0, p, q), D64(64, p, q), D64(128, p, q), D64(192, p, q)

static const uint8_t url_value[256] = { D256('-', '_') };
static const uint8_t std_value[256] = { D256('+', '/') };

static const char url_digit[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char std_digit[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/*
 * The two or three characters behind the last whole four.  Bits that reach
 * no byte must be zero, or one value would have several spellings.
 */
static bool
decode_tail(const uint8_t value[256], const uint8_t *s, size_t n,
    uint8_t *out)
{
	uint32_t a, b, c;

	if (n == 0)
		return true;
	if (n == 1)
		return false;
	a = value[s[0]];
	b = value[s[1]];
	c = n == 3 ? value[s[2]] : 0;
	if (((a | b | c) & BAD) != 0)
		return false;
	if (n == 2 ? (b & 15) != 0 : (c & 3) != 0)
		return false;
	out[0] = (uint8_t)(a << 2 | b >> 4);
	if (n == 3)
		out[1] = (uint8_t)(b << 4 | c >> 2);
	return true;
}

/* 'n' digits without padding to MK_B64_DECODED(n) bytes. */
static bool
decode(const uint8_t value[256], const char *text, size_t n, uint8_t *out)
{
	const uint8_t *s = (const uint8_t *)text;
	uint32_t a, b, c, d;

	for (; n >= 4; n -= 4, s += 4, out += 3) {
		a = value[s[0]];
		b = value[s[1]];
		c = value[s[2]];
		d = value[s[3]];
		if (((a | b | c | d) & BAD) != 0)
			return false;
		out[0] = (uint8_t)(a << 2 | b >> 4);
		out[1] = (uint8_t)(b << 4 | c >> 2);
		out[2] = (uint8_t)(c << 6 | d);
	}
	return decode_tail(value, s, n, out);
}

bool
mk_b64url_decode(const char *s, size_t n, uint8_t *out, size_t *ret_len)
{
	if (!decode(url_value, s, n, out))
		return false;
	*ret_len = MK_B64_DECODED(n);
	return true;
}

bool
mk_b64url_decode_folded(const char *s, size_t n, uint8_t *out,
    size_t *ret_len)
{
	const size_t width = 64;
	size_t line, len = 0;

	if (n == 0 || s[0] != '\n')
		return mk_b64url_decode(s, n, out, ret_len);
	for (; n > 0; s += line, n -= line) {
		if (*s != '\n')
			return false;
		s++;
		n--;
		line = n < width ? n : width;
		/* A line feed stands before characters, never at the end. */
		if (line == 0 || !decode(url_value, s, line, out + len))
			return false;
		len += MK_B64_DECODED(line);
	}
	*ret_len = len;
	return true;
}

bool
mk_b64std_decode(const char *s, size_t n, uint8_t *out, size_t *ret_len)
{
	if (n % 4 != 0)
		return false;
	if (n > 0 && s[n - 1] == '=')
		n--;
	if (n % 4 == 3 && s[n - 1] == '=')
		n--;
	if (!decode(std_value, s, n, out))
		return false;
	*ret_len = MK_B64_DECODED(n);
	return true;
}

/* Returns the end of what it wrote, without padding. */
static char *
encode(const char *digit, const uint8_t *in, size_t n, char *out)
{
	for (; n >= 3; n -= 3, in += 3) {
		*out++ = digit[in[0] >> 2];
		*out++ = digit[(in[0] & 3) << 4 | in[1] >> 4];
		*out++ = digit[(in[1] & 15) << 2 | in[2] >> 6];
		*out++ = digit[in[2] & 63];
	}
	if (n == 0)
		return out;
	*out++ = digit[in[0] >> 2];
	if (n == 1) {
		*out++ = digit[(in[0] & 3) << 4];
		return out;
	}
	*out++ = digit[(in[0] & 3) << 4 | in[1] >> 4];
	*out++ = digit[(in[1] & 15) << 2];
	return out;
}

void
mk_b64url_encode(const uint8_t *in, size_t n, char *out)
{
	encode(url_digit, in, n, out);
}

void
mk_b64std_encode(const uint8_t *in, size_t n, char *out)
{
	char *end = out + MK_B64STD_LEN(n);

	out = encode(std_digit, in, n, out);
	while (out < end)
		*out++ = '=';
}
