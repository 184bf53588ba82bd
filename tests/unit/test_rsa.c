/* SPDX-License-Identifier: ISC */
/*
 * RSA: a key and signatures that another implementation made, what must
 * not verify, and which numbers are taken for a key.
 */
#include <gmp.h>
#include <nettle/bignum.h>
#include <sodium.h>
#include <string.h>

#include "core/buf.h"
#include "core/limits.h"
#include "core/rsa.h"
#include "unit.h"

#define SPKI_LEN	294
#define PKCS1_AT	24	/* RSAPublicKey within it */
#define N_AT		33
#define N_LEN		256

static const uint8_t exponent[] = { 0x01, 0x00, 0x01 };

static const char spki_hex[] =
	"30820122300d06092a864886f70d01010105000382010f003082010a02820101"
	"0095756a917b4a3c8dfd77894c6d3d6983beae43aff849de31949444067df57f"
	"dad7e12e527fabed89d6761c84303f25fd4073f4a5c27d45caf20eaf68bb19e5"
	"235786139bb08c53beb9825a822a32ae912e427057a4a45998a2c31384938527"
	"c7e8d84b4f7b4c282b72c323cf00369989ce4267bb07495995bef39bf737e720"
	"d9684cf247041d8c99a0619895b96705ecc5d953850245bf4152204c71e27937"
	"56fc39d16b0c7845131774075bb86406cbb8394718a31435d3bc3bf72059af91"
	"7b70a009bab10be309e4cddbc519ac318bb569f616e9a968d9665c027b31ae68"
	"a4dc7bcccc1432b100f64b2d5b3b17b0493f5d833b7e44d5a65f0d3beb6f4f9c"
	"c90203010001";

static const char sig_hex[] =
	"50c49203b321d211d87dd60f2c4c5d87150355a76d68da92f75150414fb63918"
	"72371f9e15474f9e790db404eeebd446007badd667411272870edb62c88d9a50"
	"42311d30980f1f5fd8ff2d54691411b6aa1920e9cb7322dd687925b7f9a6d696"
	"205210b249f1aabb98058230277c96c25a93d8750d055671bb15145d3b6adb99"
	"362c02cc70e7ae10b5f9b0738c0eef475b61ae77a0c2b47dd409784bab48d086"
	"49f49f2502746cc4b721f14273db94044f9cc984e5241bc5ae04f13800eb4a94"
	"8777dc2dc3070dc19779338119481c7d7969aeb9c3404b7cb27f81935995fb0b"
	"daf033ff8ad932f39c2f01d5f3c0c7ded4614913969024f4dd7813c030083f29";

/* The same message, but with SHA-256. */
static const char sha256_hex[] =
	"45b1f701eb0bec8462682b4dd9bfae02e8ba2b7883b16827371d6ec0457e286c"
	"5de3e3dac7fb8343e06fd11b07dad53d4b35757e88e594d9b5fcab2612d4b04e"
	"ae80d280c5046a3be61d3afd01d548b775a77588efc8d8bb482e91d7db6c0e3d"
	"447f1b3769cfb9b6442a221c4d6276a3cf2fa88f8597eb64ecbaa4dd0a18f88e"
	"6eb3a58a9d8c447118e5aa86f18ea1b075cb0f007b9ab90bf690da21c94b2abc"
	"81b36b9ec70db1bb6d81eeb26f34eaa1499a2e48bfb1a4d074505dd3f3976ee7"
	"9699d5267755a7cb99d8666ba62e39551c125c1643835e26209a035702130d2c"
	"f0b148f1006e0ed774ead640adc236323d6cce831a1fad60bc28c73ec7fdf281";

static const char message[] = "meshkeys 0";
static uint8_t spki[SPKI_LEN], sig[N_LEN + 1];
static struct mk_rsa key;

static void
unhex(const char *hex, uint8_t *out, size_t size)
{
	size_t len;

	ck_assert_int_eq(sodium_hex2bin(out, size, hex, strlen(hex), NULL,
	    &len, NULL), 0);
	ck_assert_uint_eq(len, size);
}

static void
setup(void)
{
	unhex(spki_hex, spki, SPKI_LEN);
	unhex(sig_hex, sig, N_LEN);
	ck_assert(mk_rsa_init(&key, spki + N_AT, N_LEN, exponent,
	    sizeof(exponent)));
}

static bool
verify(const uint8_t *s, size_t len)
{
	return mk_rsa_verify(&key, (const uint8_t *)message,
	    strlen(message), s, len);
}

START_TEST(verifies)
{
	ck_assert_uint_eq(mk_rsa_bits(&key), 2048);
	ck_assert(verify(sig, N_LEN));
	ck_assert(!mk_rsa_verify(&key, (const uint8_t *)message,
	    strlen(message) - 1, sig, N_LEN));
	ck_assert(!mk_rsa_verify(&key, (const uint8_t *)"", 0, sig, N_LEN));
}
END_TEST

START_TEST(refuses_changes)
{
	size_t i;

	for (i = 0; i < N_LEN; i++) {
		sig[i] ^= 0x10;
		ck_assert(!verify(sig, N_LEN));
		sig[i] ^= 0x10;
	}
	unhex(sha256_hex, sig, N_LEN);
	ck_assert(!verify(sig, N_LEN));
	memset(sig, 0, N_LEN);
	ck_assert(!verify(sig, N_LEN));
}
END_TEST

START_TEST(refuses_other_lengths)
{
	uint8_t longer[N_LEN + 1] = { 0 };

	memcpy(longer + 1, sig, N_LEN);
	ck_assert(!verify(longer, N_LEN + 1));
	ck_assert(!verify(sig, N_LEN + 1));
	ck_assert(!verify(sig, N_LEN - 1));
	ck_assert(!verify(sig, 0));
}
END_TEST

/* The same residue once more; the vector was chosen so that it fits. */
START_TEST(refuses_s_over_n)
{
	mpz_t s, n;

	nettle_mpz_init_set_str_256_u(s, N_LEN, sig);
	nettle_mpz_init_set_str_256_u(n, N_LEN, spki + N_AT);
	mpz_add(s, s, n);
	ck_assert_uint_eq(mpz_sizeinbase(s, 2), 2048);
	nettle_mpz_get_str_256(N_LEN, sig, s);
	ck_assert(!verify(sig, N_LEN));
	ck_assert(!verify(spki + N_AT, N_LEN));
	mpz_clear(s);
	mpz_clear(n);
}
END_TEST

START_TEST(der)
{
	struct mk_buf out;

	mk_buf_init(&out, 1024);
	mk_rsa_spki(&key, &out);
	ck_assert_uint_eq(out.len, SPKI_LEN);
	ck_assert_mem_eq(out.data, spki, SPKI_LEN);
	mk_buf_cut(&out, 0);
	mk_rsa_pkcs1(&key, &out);
	ck_assert_uint_eq(out.len, SPKI_LEN - PKCS1_AT);
	ck_assert_mem_eq(out.data, spki + PKCS1_AT, SPKI_LEN - PKCS1_AT);
	mk_buf_release(&out);
}
END_TEST

/* 16,384 bits, and no 00 where the top bit is clear. */
START_TEST(der_large)
{
	static const uint8_t head[] = { 0x30, 0x82, 0x08, 0x08, 0x02, 0x82,
	    0x08, 0x01, 0x00, 0xff };
	static const uint8_t clear[] = { 0x30, 0x82, 0x01, 0x07, 0x02, 0x82,
	    0x01, 0x00, 0x7f };
	static const uint8_t tail[] = { 0xff, 0x02, 0x01, 0x03 };
	uint8_t n[2048], e = 3;
	struct mk_buf out;
	struct mk_rsa k;

	mk_buf_init(&out, 4096);
	memset(n, 0xff, sizeof(n));
	ck_assert(mk_rsa_init(&k, n, sizeof(n), &e, 1));
	ck_assert_uint_eq(mk_rsa_bits(&k), 16384);
	mk_rsa_pkcs1(&k, &out);
	ck_assert_uint_eq(out.len, 4 + 0x808);
	ck_assert_mem_eq(out.data, head, sizeof(head));
	ck_assert_mem_eq(out.data + out.len - 4, tail, sizeof(tail));
	mk_buf_cut(&out, 0);
	n[0] = 0x7f;
	k.n_len = 256;	/* 2,047 bits: too short for a key, good for DER */
	mk_rsa_pkcs1(&k, &out);
	ck_assert_mem_eq(out.data, clear, sizeof(clear));
	ck_assert_uint_eq(out.len, 4 + 0x107);
	mk_buf_release(&out);
}
END_TEST

START_TEST(init_judges_the_modulus)
{
	uint8_t n[2050] = { 0 };
	struct mk_rsa k = { 0 };

	n[2049] = 1;
	ck_assert(!mk_rsa_init(&k, n, sizeof(n), exponent, 3));
	n[2] = 0x80;
	ck_assert(mk_rsa_init(&k, n, sizeof(n), exponent, 3));
	ck_assert_ptr_eq(k.n, n + 2);
	ck_assert_uint_eq(k.n_len, 2048);
	n[1] = 1;
	ck_assert(!mk_rsa_init(&k, n, sizeof(n), exponent, 3));
	n[1] = 0;
	n[2049] = 2;
	ck_assert(!mk_rsa_init(&k, n, sizeof(n), exponent, 3));
	n[2049] = 1;
	n[2] = 0;
	n[2050 - 256] = 0x80;
	ck_assert(mk_rsa_init(&k, n, sizeof(n), exponent, 3));
	ck_assert_uint_eq(mk_rsa_bits(&k), MK_RSA_BITS_MIN);
	n[2050 - 256] = 0x7f;
	ck_assert(!mk_rsa_init(&k, n, sizeof(n), exponent, 3));
	ck_assert(!mk_rsa_init(&k, n, 0, exponent, 3));
}
END_TEST

START_TEST(init_judges_the_exponent)
{
	static const struct {
		uint8_t e[6];
		size_t len;
		bool good;
	} cases[] = {
		{ { 3 }, 1, true },
		{ { 0, 3 }, 2, true },
		{ { 1, 0, 1 }, 3, true },
		{ { 0xff, 0xff, 0xff, 0xff }, 4, true },
		{ { 0, 0xff, 0xff, 0xff, 0xff }, 5, true },
		{ { 1, 0, 0, 0, 1 }, 5, false },
		{ { 0 }, 0, false },
		{ { 0 }, 1, false },
		{ { 1 }, 1, false },
		{ { 0, 1 }, 2, false },
		{ { 2 }, 1, false },
		{ { 1, 0 }, 2, false }
	};
	struct mk_rsa k;

	ck_assert_int_eq(mk_rsa_init(&k, spki + N_AT, N_LEN, cases[_i].e,
	    cases[_i].len), cases[_i].good);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *suite = suite_create("rsa");
	TCase *c = tcase_create("rsa");

	tcase_add_checked_fixture(c, setup, NULL);
	tcase_add_test(c, verifies);
	tcase_add_test(c, refuses_changes);
	tcase_add_test(c, refuses_other_lengths);
	tcase_add_test(c, refuses_s_over_n);
	tcase_add_test(c, der);
	tcase_add_test(c, der_large);
	tcase_add_test(c, init_judges_the_modulus);
	tcase_add_loop_test(c, init_judges_the_exponent, 0, 12);
	suite_add_tcase(suite, c);
	return suite;
}
