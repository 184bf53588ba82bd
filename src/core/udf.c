/* SPDX-License-Identifier: ISC */
#include "core/udf.h"

#include <string.h>

#include <sodium.h>

#define LETTERS		30	/* of five bits */
#define GROUP		5	/* letters between dashes */
#define WHOLE		(MK_UDF_BYTES - 2)	/* digest octets not cut */

void
mk_udf_of_der(enum mk_udf_rule rule, const uint8_t *der, size_t len,
    struct mk_udf *ret_udf)
{
	static const char type[] = "application/x509-keyinfo:";
	crypto_hash_sha512_state state;
	uint8_t h[crypto_hash_sha512_BYTES];

	crypto_hash_sha512(h, der, len);
	crypto_hash_sha512_init(&state);
	crypto_hash_sha512_update(&state, (const uint8_t *)type,
	    sizeof(type) - 1);
	crypto_hash_sha512_update(&state, h, sizeof(h));
	crypto_hash_sha512_final(&state, h);

	ret_udf->b[0] = MK_UDF_KEY;
	memcpy(ret_udf->b + 1, h, WHOLE);
	if (rule == MK_UDF_LOW_BITS)
		h[WHOLE] = (uint8_t)(h[WHOLE] << 2);
	ret_udf->b[MK_UDF_BYTES - 1] = h[WHOLE] & 0xfc;
}

/* The value of a base32 letter, or -1. */
static int
letter_value(char c, bool any_case)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (any_case && c >= 'a' && c <= 'z')
		return c - 'a';
	if (c >= '2' && c <= '7')
		return c - '2' + 26;
	return -1;
}

/* 30 letters, with a dash between groups where 'dashes'. */
static bool
parse(const char *s, bool dashes, bool any_case, struct mk_udf *ret_udf)
{
	struct mk_udf udf = { { 0 } };
	size_t i, bit = 0;
	int v;

	for (i = 0; i < LETTERS; i++, bit += 5) {
		if (dashes && i > 0 && i % GROUP == 0 && *s++ != '-')
			return false;
		v = letter_value(*s++, any_case);
		if (v < 0)
			return false;
		/* Sixteen bits from the octet on in which the letter lies. */
		v <<= 11 - bit % 8;
		udf.b[bit / 8] |= (uint8_t)(v >> 8);
		if ((v & 0xff) != 0)
			udf.b[bit / 8 + 1] |= (uint8_t)v;
	}
	*ret_udf = udf;
	return true;
}

bool
mk_udf_parse(const char *s, size_t n, struct mk_udf *ret_udf)
{
	return n == MK_UDF_TEXT && parse(s, true, false, ret_udf);
}

bool
mk_udf_parse_typed(const char *s, size_t n, struct mk_udf *ret_udf)
{
	if (n != MK_UDF_TEXT && n != LETTERS)
		return false;
	return parse(s, n == MK_UDF_TEXT, true, ret_udf);
}

void
mk_udf_format(const struct mk_udf *udf, char out[MK_UDF_TEXT + 1])
{
	static const char letter[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	size_t i, bit = 0;
	unsigned v;

	for (i = 0; i < LETTERS; i++, bit += 5) {
		if (i > 0 && i % GROUP == 0)
			*out++ = '-';
		v = (unsigned)udf->b[bit / 8] << 8;
		if (bit / 8 + 1 < MK_UDF_BYTES)
			v |= udf->b[bit / 8 + 1];
		*out++ = letter[v >> (11 - bit % 8) & 31];
	}
	*out = '\0';
}

int
mk_udf_cmp(const struct mk_udf *a, const struct mk_udf *b)
{
	return memcmp(a->b, b->b, sizeof(a->b));
}
