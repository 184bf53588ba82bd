/* SPDX-License-Identifier: ISC */
/*
 * RSA for the profiles of 2016 and 2017, over nettle: RSASSA-PKCS1-v1_5
 * with SHA-512 (RFC 8017 section 8.2) and the two DER forms.
 */
#ifndef MK_CORE_RSA_H
#define MK_CORE_RSA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mk_buf;

/* Big-endian, without leading zero octets; points into the document. */
struct mk_rsa {
	const uint8_t *n, *e;
	size_t n_len, e_len;
};

/*
 * Strips leading zeros and judges the numbers: modulus of MK_RSA_BITS_MIN
 * to MK_RSA_BITS_MAX bits and odd, exponent odd, at least 3, at most 32
 * bits.
 */
bool	mk_rsa_init(struct mk_rsa *k, const uint8_t *n, size_t n_len,
	    const uint8_t *e, size_t e_len);

/* The same, but of any size up to MK_RSA_BITS_MAX: no Mesh key, only SSH. */
bool	mk_rsa_init_short(struct mk_rsa *k, const uint8_t *n, size_t n_len,
	    const uint8_t *e, size_t e_len);

/* Bits of the modulus. */
size_t	mk_rsa_bits(const struct mk_rsa *k);

/* Whether 'sig', exactly as long as the modulus, signs these bytes. */
bool	mk_rsa_verify(const struct mk_rsa *k, const uint8_t *msg, size_t len,
	    const uint8_t *sig, size_t sig_len);

/* DER: RSAPublicKey (PKCS#1), or SubjectPublicKeyInfo around it. */
void	mk_rsa_pkcs1(const struct mk_rsa *k, struct mk_buf *out);
void	mk_rsa_spki(const struct mk_rsa *k, struct mk_buf *out);

#endif
