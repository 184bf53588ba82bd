/* SPDX-License-Identifier: ISC */
/*
 * Ed25519 over libsodium, whose verification refuses S >= L, an A or R of
 * small order and an A that is not canonical.  Up to 1.0.18 it compares R
 * byte by byte, hence without cofactor; later ones let a difference of small
 * order pass, and nettle has the last word there.
 * What it lacks is a cheap check of a point that
 * nothing is verified with: a login may judge thousands of keys, and
 * crypto_core_ed25519_is_valid_point() also demands the subgroup of prime
 * order, which the specification does not.
 */
#include <gmp.h>
#include <nettle/eddsa.h>
#include <sodium.h>
#include <string.h>

#include "core/ed25519.h"

/* The library version of 1.0.18, the last whose verification is exact. */
#define SODIUM_EXACT	10

_Static_assert(MK_ED25519_PUBLIC == crypto_sign_PUBLICKEYBYTES, "public");
_Static_assert(MK_ED25519_SECRET == crypto_sign_SECRETKEYBYTES, "secret");
_Static_assert(MK_ED25519_SEED == crypto_sign_SEEDBYTES, "seed");
_Static_assert(MK_ED25519_SIG == crypto_sign_BYTES, "signature");

/*
 * Little-endian, as RFC 8032 writes numbers, and aligned, which lets gmp
 * copy them.
 */
_Alignas(8) static const uint8_t prime[MK_ED25519_PUBLIC] = {
	/* 2^255 - 19 */
	0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f
};
_Alignas(8) static const uint8_t curve_d[MK_ED25519_PUBLIC] = {
	/* -121665/121666 */
	0xa3, 0x78, 0x59, 0x13, 0xca, 0x4d, 0xeb, 0x75,
	0xab, 0xd8, 0x41, 0x41, 0x4d, 0x0a, 0x70, 0x00,
	0x98, 0xe8, 0x79, 0x77, 0x79, 0x40, 0xc7, 0x8c,
	0x73, 0xfe, 0x6f, 0x2b, 0xee, 0x6c, 0x03, 0x52
};

/* The y of the points of order 1 to 8; -x lies beside each x. */
static const uint8_t small_order[][MK_ED25519_PUBLIC] = {
	{ 0 },			/* order 4 */
	{ 1 },			/* the neutral element */
	{			/* -1, order 2 */
		0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f
	}, {			/* order 8 */
		0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0,
		0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
		0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39,
		0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05
	}, {			/* order 8 */
		0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f,
		0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
		0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6,
		0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a
	}
};

/* RFC 8410: SEQUENCE { SEQUENCE { OID 1.3.101.112 }, BIT STRING }. */
static const uint8_t spki_head[] = {
	0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70,
	0x03, 0x21, 0x00
};

_Static_assert(sizeof(spki_head) + MK_ED25519_PUBLIC == MK_ED25519_SPKI,
    "SubjectPublicKeyInfo");

static bool
less_than_prime(const uint8_t y[MK_ED25519_PUBLIC])
{
	size_t i;

	for (i = MK_ED25519_PUBLIC; i-- > 0;) {
		if (y[i] != prime[i])
			return y[i] < prime[i];
	}
	return false;
}

static bool
is_small_order(const uint8_t y[MK_ED25519_PUBLIC])
{
	size_t i;

	for (i = 0; i < sizeof(small_order) / sizeof(small_order[0]); i++) {
		if (memcmp(y, small_order[i], MK_ED25519_PUBLIC) == 0)
			return true;
	}
	return false;
}

static void
import(mpz_t z, const uint8_t le[MK_ED25519_PUBLIC])
{
	mpz_import(z, MK_ED25519_PUBLIC / 8, -1, 8, -1, 0, le);
}

/*
 * Whether some x belongs to y: x^2 = (y^2 - 1) / (d y^2 + 1).  The divisor
 * is never zero, -1/d being no square, and a quotient is a square if and
 * only if the product is; so a Jacobi symbol does for the square root.
 */
static bool
on_curve(const uint8_t le[MK_ED25519_PUBLIC])
{
	mpz_t p, y2, v;
	int symbol;

	mpz_init2(p, 256);
	mpz_init2(y2, 576);
	mpz_init2(v, 1088);
	import(p, prime);
	import(v, le);
	mpz_mul(y2, v, v);
	mpz_mod(y2, y2, p);
	import(v, curve_d);
	mpz_mul(v, v, y2);
	mpz_add_ui(v, v, 1);
	mpz_sub_ui(y2, y2, 1);
	mpz_mul(v, v, y2);
	mpz_mod(v, v, p);
	symbol = mpz_jacobi(v, p);
	mpz_clear(v);
	mpz_clear(y2);
	mpz_clear(p);
	return symbol >= 0;
}

bool
mk_ed25519_point(const uint8_t pk[MK_ED25519_PUBLIC])
{
	_Alignas(8) uint8_t y[MK_ED25519_PUBLIC];

	memcpy(y, pk, sizeof(y));
	y[MK_ED25519_PUBLIC - 1] &= 0x7f;	/* the sign of x */

	/* Two spellings of one key would be two fingerprints. */
	if (!less_than_prime(y))
		return false;
	/* With such a key anyone can make signatures.  "-0" is among them. */
	if (is_small_order(y))
		return false;
	return on_curve(y);
}

bool
mk_ed25519_verify(const uint8_t pk[MK_ED25519_PUBLIC], const uint8_t *msg,
    size_t len, const uint8_t *sig, size_t sig_len)
{
	if (sig_len != MK_ED25519_SIG)
		return false;
	if (crypto_sign_verify_detached(sig, msg, len, pk) != 0)
		return false;
	return sodium_library_version_major() == SODIUM_EXACT ||
	    ed25519_sha512_verify(pk, len, msg, sig) == 1;
}

void
mk_ed25519_sign(const uint8_t sk[MK_ED25519_SECRET], const uint8_t *msg,
    size_t len, uint8_t sig[MK_ED25519_SIG])
{
	crypto_sign_detached(sig, NULL, msg, len, sk);
}

void
mk_ed25519_pair(const uint8_t seed[MK_ED25519_SEED],
    uint8_t pk[MK_ED25519_PUBLIC], uint8_t sk[MK_ED25519_SECRET])
{
	crypto_sign_seed_keypair(pk, sk, seed);
}

void
mk_ed25519_spki(const uint8_t pk[MK_ED25519_PUBLIC],
    uint8_t out[MK_ED25519_SPKI])
{
	memcpy(out, spki_head, sizeof(spki_head));
	memcpy(out + sizeof(spki_head), pk, MK_ED25519_PUBLIC);
}
