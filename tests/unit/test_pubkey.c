/* SPDX-License-Identifier: ISC */
/* Key objects of the three generations, and what each place allows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base64.h"
#include "core/digest.h"
#include "core/pubkey.h"
#include "make_set.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static struct mk_arena arena;
static struct mk_pubkey key;
static struct mk_why why;
static char text[8192];

static void
setup(void)
{
	mk_arena_init(&arena, 1 << 20);
	memset(&key, 0, sizeof(key));
}

static void
teardown(void)
{
	mk_arena_release(&arena);
}

static int
read_key(enum mk_generation gen, enum mk_pubkey_place place)
{
	struct mk_pubkey_form form = { .gen = gen, .place = place,
	    .stage = "test" };

	return mk_pubkey_read(&arena, made_json(&arena, text), &form, &key,
	    &why);
}

static void
refused(int r, const char *words)
{
	ck_assert_int_eq(r, MK_E_REFUSED);
	ck_assert_str_eq(why.stage, "test");
	ck_assert_msg(strstr(why.detail, words) != NULL, "'%s' for '%s': %s",
	    why.detail, words, text);
}

/* A key of the current form; '@' is its UDF, '#' its octets. */
static void
fill(const char *pattern, const char *udf, const char *octets)
{
	char *out = text;

	for (; *pattern != '\0'; pattern++) {
		if (*pattern == '@')
			out = stpcpy(out, udf);
		else if (*pattern == '#')
			out = stpcpy(out, octets);
		else
			*out++ = *pattern;
	}
	*out = '\0';
}

static void
fill_current(const char *pattern)
{
	char udf[MK_UDF_TEXT + 1], octets[44] = "";
	struct mk_pubkey made;

	made_key("alice", "x", &made, NULL);
	mk_udf_format(&made.udf, udf);
	mk_b64url_encode(made.ed25519, 32, octets);
	fill(pattern, udf, octets);
}

#define PARAMS	"\"PublicParameters\":{\"PublicKeyECDH\":{\"crv\":" \
		"\"Ed25519\",\"Public\":\"#\"}}"
#define PLAIN	"{\"UDF\":\"@\"," PARAMS "}"
#define ONLINE	"{\"UDF\":\"@\"," PARAMS ",\"DeviceUDF\":\"@\"}"

START_TEST(current_form)
{
	struct mk_pubkey made;

	made_key("alice", "x", &made, NULL);
	fill_current(PLAIN);
	ck_assert_int_eq(read_key(MK_GEN_CURRENT, MK_PLACE_PLAIN), 0);
	ck_assert_mem_eq(key.ed25519, made.ed25519, 32);
	ck_assert_int_eq(mk_udf_cmp(&key.udf, &made.udf), 0);
	ck_assert_mem_eq(key.digest, made.digest, MK_DIGEST);
	ck_assert_int_eq(read_key(MK_GEN_CURRENT, MK_PLACE_SSH), 0);
	fill_current(ONLINE);
	ck_assert_int_eq(read_key(MK_GEN_CURRENT, MK_PLACE_ONLINE), 0);
	refused(read_key(MK_GEN_CURRENT, MK_PLACE_PLAIN), "not allowed");
	refused(read_key(MK_GEN_CURRENT, MK_PLACE_SSH), "not allowed");
}
END_TEST

static const struct {
	const char *pattern, *words;
} wrong[] = {
	{ "[]", "not an object" },
	{ "{" PARAMS "}", "'UDF' is missing" },
	{ "{\"UDF\":\"@\"}", "'PublicParameters' is missing" },
	{ "{\"UDF\":1," PARAMS "}", "'UDF' is not a string" },
	{ "{\"UDF\":\"MAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA\"," PARAMS "}",
	    "not that of its bytes" },
	{ "{\"UDF\":\"@\",\"PrivateParameters\":{}," PARAMS "}",
	    "not allowed" },
	{ "{\"UDF\":\"@\",\"X509Certificate\":\"\"," PARAMS "}",
	    "not allowed" },
	{ "{\"UDF\":\"@\",\"Other\":null," PARAMS "}", "not allowed" },
	{ "{\"UDF\":\"@\",\"PublicParameters\":{\"PublicKeyRSA\":{}}}",
	    "exactly one member 'PublicKeyECDH'" },
	{ "{\"UDF\":\"@\",\"PublicParameters\":{}}", "exactly one member" },
	{ "{\"UDF\":\"@\",\"PublicParameters\":{\"A\":1,\"PublicKeyECDH\":"
	    "{\"crv\":\"Ed25519\",\"Public\":\"#\"}}}", "exactly one" },
	{ "{\"UDF\":\"@\",\"PublicParameters\":{\"PublicKeyECDH\":"
	    "{\"crv\":\"Ed25519\",\"Public\":\"#\",\"kid\":\"@\"}}}",
	    "not allowed" },
	{ "{\"UDF\":\"@\",\"PublicParameters\":{\"PublicKeyECDH\":"
	    "{\"crv\":\"Ed25519\"}}}", "'Public' is missing" },
	{ "{\"UDF\":\"@\",\"PublicParameters\":{\"PublicKeyECDH\":"
	    "{\"crv\":\"X25519\",\"Public\":\"#\"}}}", "'crv' is not" },
	{ "{\"UDF\":\"@\",\"PublicParameters\":{\"PublicKeyECDH\":"
	    "{\"crv\":\"Ed25519\",\"Public\":\"#=\"}}}", "32 bytes" },
	{ "{\"UDF\":\"@\",\"PublicParameters\":{\"PublicKeyECDH\":"
	    "{\"crv\":\"Ed25519\",\"Public\":\"\n#\"}}}", "32 bytes" },
	/* y = 2 is on no point; 0 and 1 are of small order; 2^255 - 18. */
	{ "{\"UDF\":\"@\",\"PublicParameters\":{\"PublicKeyECDH\":"
	    "{\"crv\":\"Ed25519\",\"Public\":"
	    "\"AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}}}", "point" },
	{ "{\"UDF\":\"@\",\"PublicParameters\":{\"PublicKeyECDH\":"
	    "{\"crv\":\"Ed25519\",\"Public\":"
	    "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}}}", "point" },
	{ "{\"UDF\":\"@\",\"PublicParameters\":{\"PublicKeyECDH\":"
	    "{\"crv\":\"Ed25519\",\"Public\":"
	    "\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}}}", "point" },
	{ "{\"UDF\":\"@\",\"PublicParameters\":{\"PublicKeyECDH\":"
	    "{\"crv\":\"Ed25519\",\"Public\":"
	    "\"7v_______________________________________38\"}}}", "point" },
};

START_TEST(wrong_forms)
{
	fill_current(wrong[_i].pattern);
	refused(read_key(MK_GEN_CURRENT, MK_PLACE_PLAIN), wrong[_i].words);
}
END_TEST

/* An RSA key of so many octets, and its UDF by the rule of a generation. */
static void
fill_rsa(const char *pattern, enum mk_generation gen, size_t size)
{
	uint8_t n[512], e[] = { 1, 0, 1 };
	struct mk_rsa rsa = { n, e, size, sizeof(e) };
	char octets[1024] = "", udf[MK_UDF_TEXT + 1];
	struct mk_udf made;
	struct mk_buf der;

	memset(n, 0xb7, sizeof(n));
	mk_buf_init(&der, 4096);
	if (gen == MK_GEN_2016)
		mk_rsa_spki(&rsa, &der);
	else
		mk_rsa_pkcs1(&rsa, &der);
	mk_udf_of_der(MK_UDF_LOW_BITS, (uint8_t *)der.data, der.len, &made);
	mk_buf_release(&der);
	mk_udf_format(&made, udf);
	mk_b64url_encode(n, size, octets);
	fill(pattern, udf, octets);
}

#define RSA(where)	"\"" where "\":{\"PublicKeyRSA\":{\"n\":\"#\"," \
			"\"e\":\"AQAB\",\"kid\":\"@\"}}"

START_TEST(legacy_forms)
{
	enum mk_generation gen = _i == 0 ? MK_GEN_2016 : MK_GEN_2017;
	enum mk_generation other = _i == 0 ? MK_GEN_2017 : MK_GEN_2016;

	fill_rsa("{\"UDF\":\"@\",\"X509Certificate\":\"AA\","
	    RSA("PublicParameters") "}", gen, 256);
	ck_assert_int_eq(read_key(gen, MK_PLACE_PLAIN), 0);
	ck_assert_int_eq(read_key(gen, MK_PLACE_ONLINE), 0);
	ck_assert_int_eq(read_key(gen, MK_PLACE_SSH), 0);
	ck_assert_uint_eq(mk_rsa_bits(&key.rsa), 2048);
	refused(read_key(other, MK_PLACE_PLAIN), "not that of its bytes");
	refused(read_key(MK_GEN_CURRENT, MK_PLACE_PLAIN), "not allowed");
	fill_rsa("{" RSA("PublicParameters") "}", gen, 256);
	ck_assert_int_eq(read_key(gen, MK_PLACE_SSH), 0);
	refused(read_key(gen, MK_PLACE_PLAIN), "'UDF' is missing");
	fill_rsa("{" RSA("PrivateParameters") "}", gen, 256);
	ck_assert_int_eq(read_key(gen, MK_PLACE_SSH), 0);
	fill_rsa("{\"UDF\":\"@\"," RSA("PrivateParameters") "}", gen, 256);
	refused(read_key(gen, MK_PLACE_PLAIN), "private parameters");
	fill_rsa("{" RSA("PublicParameters") "," RSA("PrivateParameters")
	    "}", gen, 256);
	refused(read_key(gen, MK_PLACE_SSH), "private parameters");
	fill_rsa("{\"Other\":1," RSA("PublicParameters") "}", gen, 256);
	refused(read_key(gen, MK_PLACE_SSH), "not allowed");
	fill_rsa("{\"PublicParameters\":{\"PublicKeyRSA\":{\"n\":\"#\","
	    "\"e\":\"AQAB\",\"d\":\"AQAB\"}}}", gen, 256);
	refused(read_key(gen, MK_PLACE_SSH), "not allowed");
	fill_rsa("{\"PublicParameters\":{\"PublicKeyRSA\":{\"n\":\"#\","
	    "\"e\":\"AQAB\",\"kid\":\"MAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA\""
	    "}}}", gen, 256);
	refused(read_key(gen, MK_PLACE_SSH), "not that of its bytes");
	fill_rsa("{\"PublicParameters\":{\"PublicKeyRSA\":{\"n\":\"#\","
	    "\"e\":\"AQ\"}}}", gen, 256);
	refused(read_key(gen, MK_PLACE_SSH), "not accepted");
	fill_rsa("{\"UDF\":\"@\"," RSA("PublicParameters") "}", gen, 255);
	refused(read_key(gen, MK_PLACE_PLAIN), "not accepted");
	/* Of the user it is one that policy skips. */
	ck_assert_int_eq(read_key(gen, MK_PLACE_SSH), 0);
	ck_assert_uint_eq(mk_rsa_bits(&key.rsa), 2040);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("pubkey");
	TCase *tc = tcase_create("pubkey");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, current_form);
	tcase_add_loop_test(tc, wrong_forms, 0, (int)COUNT(wrong));
	tcase_add_loop_test(tc, legacy_forms, 0, 2);
	suite_add_tcase(s, tc);
	return s;
}
