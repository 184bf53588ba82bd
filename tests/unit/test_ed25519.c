/* SPDX-License-Identifier: ISC */
/*
 * Ed25519: a vector of RFC 8032, what must not verify, and the check of
 * points against libsodium's own opinion.
 */
#include <sodium.h>
#include <string.h>

#include "core/ed25519.h"
#include "unit.h"

#define RANDOM_POINTS	4000

/* RFC 8032 section 7.1, test 2: the message is one octet, 0x72. */
static const char seed_hex[] =
	"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
static const char public_hex[] =
	"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
static const char sig_hex[] =
	"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
	"085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
static const uint8_t message[] = { 0x72 };

/* Every spelling of a point of small order, the sign of x left out. */
static const char *const small_hex[] = {
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
};

static void
unhex(const char *hex, uint8_t *out, size_t size)
{
	size_t len;

	ck_assert_int_eq(sodium_hex2bin(out, size, hex, strlen(hex), NULL,
	    &len, NULL), 0);
	ck_assert_uint_eq(len, size);
}

static void
nth_random(uint32_t n, uint8_t out[32])
{
	uint8_t seed[randombytes_SEEDBYTES] = { 0x6d, 0x6b };

	memcpy(seed + 4, &n, sizeof(n));
	randombytes_buf_deterministic(out, 32, seed);
}

static void
nth_key(uint32_t n, uint8_t pk[32])
{
	uint8_t seed[MK_ED25519_SEED], sk[MK_ED25519_SECRET];

	nth_random(n, seed);
	mk_ed25519_pair(seed, pk, sk);
}

START_TEST(signs_as_rfc_8032)
{
	uint8_t seed[32], want[32], pk[32], sk[64], sig[64], want_sig[64];

	unhex(seed_hex, seed, sizeof(seed));
	unhex(public_hex, want, sizeof(want));
	unhex(sig_hex, want_sig, sizeof(want_sig));
	mk_ed25519_pair(seed, pk, sk);
	ck_assert_mem_eq(pk, want, sizeof(pk));
	mk_ed25519_sign(sk, message, sizeof(message), sig);
	ck_assert_mem_eq(sig, want_sig, sizeof(sig));
	ck_assert(mk_ed25519_verify(pk, message, 1, sig, sizeof(sig)));
}
END_TEST

START_TEST(refuses_changes)
{
	uint8_t pk[32], sig[65] = { 0 };
	size_t i;

	unhex(public_hex, pk, sizeof(pk));
	unhex(sig_hex, sig, 64);
	for (i = 0; i < 64 * 8; i++) {
		sig[i / 8] ^= (uint8_t)(1U << i % 8);
		ck_assert(!mk_ed25519_verify(pk, message, 1, sig, 64));
		sig[i / 8] ^= (uint8_t)(1U << i % 8);
	}
	ck_assert(mk_ed25519_verify(pk, message, 1, sig, 64));
	ck_assert(!mk_ed25519_verify(pk, message, 0, sig, 64));
	ck_assert(!mk_ed25519_verify(pk, message, 1, sig, 63));
	ck_assert(!mk_ed25519_verify(pk, message, 1, sig, 65));
	ck_assert(!mk_ed25519_verify(pk, message, 1, sig, 0));
}
END_TEST

/* S + L would verify with a verifier that reduces S. */
START_TEST(refuses_large_s)
{
	static const char order_hex[] = "edd3f55c1a631258d69cf7a2def9de14"
	    "00000000000000000000000000000010";
	uint8_t pk[32], sig[64], order[32];

	unhex(public_hex, pk, sizeof(pk));
	unhex(sig_hex, sig, sizeof(sig));
	unhex(order_hex, order, sizeof(order));
	sodium_add(sig + 32, order, sizeof(order));
	ck_assert(!mk_ed25519_verify(pk, message, 1, sig, 64));
}
END_TEST

/* A, R of small order and S = 0 verify anything without these checks. */
START_TEST(refuses_small_order_signature)
{
	uint8_t pk[32], sig[64] = { 0 };
	size_t i, k;

	for (i = 0; i < sizeof(small_hex) / sizeof(small_hex[0]); i++) {
		unhex(small_hex[i], pk, sizeof(pk));
		for (k = 0; k < sizeof(small_hex) / sizeof(*small_hex); k++) {
			unhex(small_hex[k], sig, 32);
			ck_assert(!mk_ed25519_verify(pk, message, 1, sig,
			    64));
		}
	}
}
END_TEST

START_TEST(point_takes_keys)
{
	uint8_t pk[32];
	uint32_t i;

	for (i = 0; i < 500; i++) {
		nth_key(i, pk);
		ck_assert(crypto_core_ed25519_is_valid_point(pk) == 1);
		ck_assert(mk_ed25519_point(pk));
		pk[31] ^= 0x80;
		ck_assert(mk_ed25519_point(pk));
	}
}
END_TEST

START_TEST(point_refuses_small_order)
{
	uint8_t pk[32];
	size_t i;

	for (i = 0; i < sizeof(small_hex) / sizeof(small_hex[0]); i++) {
		unhex(small_hex[i], pk, sizeof(pk));
		ck_assert(!mk_ed25519_point(pk));
		pk[31] |= 0x80;
		ck_assert(!mk_ed25519_point(pk));
	}
}
END_TEST

/* All nineteen y that have a second spelling. */
START_TEST(point_refuses_not_canonical)
{
	uint8_t pk[32];
	unsigned int low, on_curve = 0;

	for (low = 0xed; low <= 0xff; low++) {
		memset(pk, 0xff, sizeof(pk));
		pk[0] = (uint8_t)low;
		ck_assert(!mk_ed25519_point(pk));
		pk[31] = 0x7f;
		ck_assert(!mk_ed25519_point(pk));
		memset(pk, 0, sizeof(pk));
		pk[0] = (uint8_t)(low - 0xed);
		on_curve += mk_ed25519_point(pk) ? 1 : 0;
	}
	/* Some of them are points, so canonicity is what refused them. */
	ck_assert_uint_gt(on_curve, 2);
}
END_TEST

/* libsodium decodes a point to add it, whatever its order. */
START_TEST(point_agrees_with_decoding)
{
	uint8_t base[32], y[32], sum[32];
	unsigned int good = 0;
	uint32_t i;
	bool is;

	nth_key(0, base);
	for (i = 0; i < RANDOM_POINTS; i++) {
		nth_random(i, y);
		is = crypto_core_ed25519_add(sum, y, base) == 0;
		ck_assert_int_eq(mk_ed25519_point(y), is);
		good += is ? 1 : 0;
	}
	ck_assert_uint_gt(good, RANDOM_POINTS / 3);
	ck_assert_uint_lt(good, RANDOM_POINTS * 2 / 3);
}
END_TEST

START_TEST(point_takes_mixed_order)
{
	uint8_t pk[32], torsion[32], mixed[32];
	uint32_t i;

	unhex(small_hex[2], torsion, sizeof(torsion));
	for (i = 0; i < 100; i++) {
		nth_key(i, pk);
		ck_assert_int_eq(crypto_core_ed25519_add(mixed, pk, torsion),
		    0);
		ck_assert(crypto_core_ed25519_is_valid_point(mixed) == 0);
		ck_assert(mk_ed25519_point(mixed));
	}
}
END_TEST

/*
 * Signatures by a key A + T, T of order 8, with the secret of A: the equation
 * lacks h times T, which a verifier with cofactor does not see.
 */
START_TEST(refuses_with_cofactor)
{
	uint8_t seed[32] = { 1 }, pk[32], sk[64], torsion[32], sig[64];
	uint8_t h[64], reduced[32], msg;
	crypto_hash_sha512_state state;
	unsigned int good = 0;

	mk_ed25519_pair(seed, pk, sk);
	unhex(small_hex[2], torsion, sizeof(torsion));
	ck_assert_int_eq(crypto_core_ed25519_add(sk + 32, pk, torsion), 0);
	for (msg = 0; msg < 200; msg++) {
		mk_ed25519_sign(sk, &msg, 1, sig);
		crypto_hash_sha512_init(&state);
		crypto_hash_sha512_update(&state, sig, 32);
		crypto_hash_sha512_update(&state, sk + 32, 32);
		crypto_hash_sha512_update(&state, &msg, 1);
		crypto_hash_sha512_final(&state, h);
		crypto_core_ed25519_scalar_reduce(reduced, h);
		ck_assert_int_eq(mk_ed25519_verify(sk + 32, &msg, 1, sig, 64),
		    (reduced[0] & 7) == 0);
		good += (reduced[0] & 7) == 0;
	}
	ck_assert_uint_gt(good, 0);
}
END_TEST

START_TEST(spki_is_rfc_8410)
{
	/* The example key of RFC 8410 section 10.1. */
	static const char der_hex[] = "302a300506032b6570032100"
	    "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1";
	uint8_t want[MK_ED25519_SPKI], got[MK_ED25519_SPKI];

	unhex(der_hex, want, sizeof(want));
	mk_ed25519_spki(want + 12, got);
	ck_assert_mem_eq(got, want, sizeof(got));
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *suite = suite_create("ed25519");
	TCase *c = tcase_create("ed25519");

	tcase_add_test(c, signs_as_rfc_8032);
	tcase_add_test(c, refuses_changes);
	tcase_add_test(c, refuses_large_s);
	tcase_add_test(c, refuses_small_order_signature);
	tcase_add_test(c, point_takes_keys);
	tcase_add_test(c, point_refuses_small_order);
	tcase_add_test(c, point_refuses_not_canonical);
	tcase_add_test(c, point_agrees_with_decoding);
	tcase_add_test(c, point_takes_mixed_order);
	tcase_add_test(c, refuses_with_cofactor);
	tcase_add_test(c, spki_is_rfc_8410);
	suite_add_tcase(suite, c);
	return suite;
}
