/* SPDX-License-Identifier: ISC */
/*
 * RSA over nettle, for public keys only.  The numbers have been judged by
 * mk_rsa_init() before any arithmetic sees them, so a document cannot ask
 * for a large exponent or a modulus of any size.
 */
#include <gmp.h>
#include <nettle/bignum.h>
#include <nettle/rsa.h>
#include <sodium.h>

#include "core/buf.h"
#include "core/limits.h"
#include "core/rsa.h"

#define RSA_E_BYTES	4	/* the longest exponent */

#define DER_INTEGER	0x02
#define DER_BITSTRING	0x03
#define DER_SEQUENCE	0x30

/* SEQUENCE { OID 1.2.840.113549.1.1.1 (rsaEncryption), NULL } */
static const uint8_t rsa_algorithm[] = {
	0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d,
	0x01, 0x01, 0x01, 0x05, 0x00
};

static void
strip_zeros(const uint8_t **p, size_t *len)
{
	while (*len > 0 && **p == 0) {
		(*p)++;
		(*len)--;
	}
}

bool
mk_rsa_init_short(struct mk_rsa *k, const uint8_t *n, size_t n_len,
    const uint8_t *e, size_t e_len)
{
	struct mk_rsa new;

	strip_zeros(&n, &n_len);
	strip_zeros(&e, &e_len);
	if (n_len == 0 || n_len > MK_RSA_BITS_MAX / 8)
		return false;
	if (e_len == 0 || e_len > RSA_E_BYTES)
		return false;
	new = (struct mk_rsa){ .n = n, .e = e, .n_len = n_len,
	    .e_len = e_len };
	/* No product of two odd primes is even. */
	if ((n[n_len - 1] & 1) == 0)
		return false;
	/* With e = 1 every padded digest is its own signature. */
	if ((e[e_len - 1] & 1) == 0 || (e_len == 1 && e[0] < 3))
		return false;
	*k = new;
	return true;
}

bool
mk_rsa_init(struct mk_rsa *k, const uint8_t *n, size_t n_len,
    const uint8_t *e, size_t e_len)
{
	struct mk_rsa new;

	if (!mk_rsa_init_short(&new, n, n_len, e, e_len) ||
	    mk_rsa_bits(&new) < MK_RSA_BITS_MIN)
		return false;
	*k = new;
	return true;
}

size_t
mk_rsa_bits(const struct mk_rsa *k)
{
	size_t bits;
	unsigned int top;

	if (k->n_len == 0)
		return 0;
	bits = (k->n_len - 1) * 8;
	for (top = k->n[0]; top != 0; top >>= 1)
		bits++;
	return bits;
}

bool
mk_rsa_verify(const struct mk_rsa *k, const uint8_t *msg, size_t len,
    const uint8_t *sig, size_t sig_len)
{
	uint8_t digest[crypto_hash_sha512_BYTES];
	struct rsa_public_key pub;
	bool good = false;
	mpz_t s;

	/* RFC 8017, 8.2.2 step 1: a shorter spelling is another signature. */
	if (sig_len != k->n_len)
		return false;
	crypto_hash_sha512(digest, msg, len);
	rsa_public_key_init(&pub);
	nettle_mpz_init_set_str_256_u(s, sig_len, sig);
	nettle_mpz_set_str_256_u(pub.n, k->n_len, k->n);
	nettle_mpz_set_str_256_u(pub.e, k->e_len, k->e);
	/* Refuses s >= n as well: s + n would be a second signature. */
	if (rsa_public_key_prepare(&pub) == 1)
		good = rsa_sha512_verify_digest(&pub, digest, s) == 1;
	mpz_clear(s);
	rsa_public_key_clear(&pub);
	return good;
}

/* Octets of a DER length; keys of 16,384 bits need no more than three. */
static size_t
der_length_size(size_t len)
{
	if (len < 0x80)
		return 1;
	return len < 0x100 ? 2 : 3;
}

/* Octets of a whole element with 'len' octets inside. */
static size_t
der_size(size_t len)
{
	return 1 + der_length_size(len) + len;
}

static void
der_head(struct mk_buf *out, uint8_t tag, size_t len)
{
	mk_buf_putc(out, (char)tag);
	switch (der_length_size(len)) {
	case 1:
		break;
	case 2:
		mk_buf_putc(out, (char)0x81);
		break;
	default:
		mk_buf_putc(out, (char)0x82);
		mk_buf_putc(out, (char)(len >> 8 & 0xff));
	}
	mk_buf_putc(out, (char)(len & 0xff));
}

/* Content octets of a positive INTEGER: 00 before a set top bit. */
static size_t
der_uint_len(const uint8_t *n, size_t len)
{
	return len + (n[0] >> 7);
}

static void
der_uint(struct mk_buf *out, const uint8_t *n, size_t len)
{
	der_head(out, DER_INTEGER, der_uint_len(n, len));
	if ((n[0] & 0x80) != 0)
		mk_buf_putc(out, 0);
	mk_buf_put(out, n, len);
}

static size_t
pkcs1_len(const struct mk_rsa *k)
{
	return der_size(der_uint_len(k->n, k->n_len)) +
	    der_size(der_uint_len(k->e, k->e_len));
}

void
mk_rsa_pkcs1(const struct mk_rsa *k, struct mk_buf *out)
{
	der_head(out, DER_SEQUENCE, pkcs1_len(k));
	der_uint(out, k->n, k->n_len);
	der_uint(out, k->e, k->e_len);
}

void
mk_rsa_spki(const struct mk_rsa *k, struct mk_buf *out)
{
	size_t bits;

	bits = 1 + der_size(pkcs1_len(k));	/* no unused bits: one 00 */
	der_head(out, DER_SEQUENCE, sizeof(rsa_algorithm) + der_size(bits));
	mk_buf_put(out, rsa_algorithm, sizeof(rsa_algorithm));
	der_head(out, DER_BITSTRING, bits);
	mk_buf_putc(out, 0);
	mk_rsa_pkcs1(k, out);
}
