/* SPDX-License-Identifier: ISC */
#include "core/udf.h"

#include <string.h>

#include <sodium.h>

#include "core/base32.h"

#define LETTERS		30	/* of five bits */
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

/* The bits of 30 upper-case letters. */
static void
decode(const char letters[LETTERS], struct mk_udf *ret_udf)
{
	struct mk_udf udf = { { 0 } };
	size_t i, bit = 0;
	int v;

	for (i = 0; i < LETTERS; i++, bit += 5) {
		/* Sixteen bits from the octet on in which the letter lies. */
		v = mk_b32_value(letters[i]) << (11 - bit % 8);
		udf.b[bit / 8] |= (uint8_t)(v >> 8);
		if ((v & 0xff) != 0)
			udf.b[bit / 8 + 1] |= (uint8_t)v;
	}
	*ret_udf = udf;
}

bool
mk_udf_parse(const char *s, size_t n, struct mk_udf *ret_udf)
{
	size_t i;

	if (n != MK_UDF_TEXT)
		return false;
	/* A set has one spelling only. */
	for (i = 0; i < n; i++) {
		if (s[i] >= 'a' && s[i] <= 'z')
			return false;
	}
	return mk_udf_parse_typed(s, n, ret_udf);
}

bool
mk_udf_parse_typed(const char *s, size_t n, struct mk_udf *ret_udf)
{
	char letters[LETTERS];

	if (!mk_b32_ungroup(s, n, LETTERS, letters))
		return false;
	decode(letters, ret_udf);
	return true;
}

void
mk_udf_format(const struct mk_udf *udf, char out[MK_UDF_TEXT + 1])
{
	char letters[LETTERS];

	mk_b32_encode(udf->b, LETTERS, letters);
	mk_b32_group(letters, LETTERS, out);
}

int
mk_udf_cmp(const struct mk_udf *a, const struct mk_udf *b)
{
	return memcmp(a->b, b->b, sizeof(a->b));
}

bool
mk_udf_in(const struct mk_udf *list, size_t n, const struct mk_udf *udf)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (mk_udf_cmp(&list[i], udf) == 0)
			return true;
	}
	return false;
}
