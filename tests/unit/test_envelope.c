/* SPDX-License-Identifier: ISC */
/* Envelopes: exactly their members, and who signed what. */
#include <stdio.h>
#include <string.h>

#include "core/digest.h"
#include "core/envelope.h"
#include "core/json.h"
#include "core/write.h"
#include "make_set.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define ID		"RAAAA-BBBBB-CCCCC-DDDDD-EEEEE-FFFFF"
#define PAYLOAD		"{\"SSHProfile\":{\"Identifier\":\"" ID "\"}}"

static struct mk_arena arena;
static struct mk_json_notes notes;
static struct mk_envelope env;
static struct mk_pubkey key;
static struct mk_why why;
static struct mk_envelope_place place;

static void
setup(void)
{
	mk_arena_init(&arena, 1 << 20);
	memset(&notes, 0, sizeof(notes));
	place = (struct mk_envelope_place){ .stage = "test",
	    .notes = &notes, .tag = "SSHProfile" };
}

static void
teardown(void)
{
	mk_arena_release(&arena);
}

/* The text of an envelope around a payload, 'from' replaced by 'to'. */
static const char *
seal(const char *payload, const char *from, const char *to)
{
	uint8_t sk[MK_ED25519_SECRET];
	struct mk_unsigned what = { ID, (const uint8_t *)payload,
	    strlen(payload) };
	struct mk_signer signer = { .sk = sk };
	struct mk_buf text, edited;
	const char *at;

	made_key("alice", "online0", &key, sk);
	signer.udf = key.udf;
	ck_assert_int_eq(mk_seal(&arena, &what, &signer, &env, &why), 0);
	mk_buf_init(&text, 1 << 20);
	mk_buf_init(&edited, 1 << 20);
	mk_envelope_write(&env, &text);
	at = strstr(text.data, from);
	ck_assert_msg(at != NULL, "'%s' is not in %s", from, text.data);
	mk_buf_put(&edited, text.data, (size_t)(at - text.data));
	mk_buf_puts(&edited, to);
	mk_buf_puts(&edited, at + strlen(from));
	at = mk_arena_dup(&arena, edited.data, edited.len);
	mk_buf_release(&text);
	mk_buf_release(&edited);
	memset(&env, 0, sizeof(env));
	return at;
}

static int
open_text(const char *text)
{
	return mk_envelope_open(&arena, made_json(&arena, text), &place,
	    &env, &why);
}

static void
refused(int r, const char *words)
{
	ck_assert_int_eq(r, MK_E_REFUSED);
	ck_assert_msg(strstr(why.detail, words) != NULL, "'%s' for '%s'",
	    why.detail, words);
}

START_TEST(right)
{
	const struct mk_json *body;
	uint8_t digest[MK_DIGEST];

	ck_assert_int_eq(open_text(seal(PAYLOAD, "", "")), 0);
	ck_assert_int_eq(env.gen, MK_GEN_CURRENT);
	ck_assert_uint_eq(env.payload_len, strlen(PAYLOAD));
	ck_assert_mem_eq(env.payload, PAYLOAD, strlen(PAYLOAD));
	mk_sha512((const uint8_t *)PAYLOAD, strlen(PAYLOAD), digest);
	ck_assert_mem_eq(env.digest, digest, MK_DIGEST);
	ck_assert_int_eq(mk_udf_cmp(&env.kid, &key.udf), 0);
	ck_assert_int_eq(mk_envelope_verify(&env, &key, "test", &why), 0);
	ck_assert_int_eq(mk_envelope_body(&arena, &env, &place, &body,
	    &why), 0);
	ck_assert(mk_json_is(mk_json_member(body, "Identifier"), ID));
}
END_TEST

static const struct {
	const char *from, *to, *words;
} wrong[] = {
	{ "{\"Identifier\"", "{\"A\":1,\"Identifier\"", "not allowed" },
	{ "\"Identifier\"", "\"identifier\"", "not allowed" },
	{ "\"Identifier\":\"" ID "\"", "\"Identifier\":1", "a string" },
	{ "\"Identifier\":\"" ID "\",", "", "missing" },
	{ "\"SignedData\":{", "\"SignedData\":{\"A\":1,", "not allowed" },
	{ "\"unprotected\":{\"dig\":\"S512\"},", "", "missing" },
	{ "{\"dig\":\"S512\"}", "{\"dig\":\"S512\",\"A\":1}",
	    "not allowed" },
	{ "{\"dig\":\"S512\"}", "{}", "missing" },
	{ "{\"dig\":\"S512\"}", "\"S512\"", "not an object" },
	{ "\"payload\"", "\"Payload\"", "not allowed" },
	{ "\"payload\":\"", "\"payload\":\"=", "not base64url" },
	{ "\"payload\":\"", "\"payload\":\"AAAA", "not the digest" },
	{ "\"signatures\":[", "\"signatures\":[{},", "2 signatures" },
	{ "\"signatures\":[", "\"signatures\":[],\"x\":[", "not allowed" },
	{ "[{\"header\"", "[{\"A\":1,\"header\"", "not allowed" },
	{ "\"header\":{", "\"header\":{\"alg\":\"EdDSA\",", "not allowed" },
	{ "\"kid\":\"M", "\"kid\":\"R", "instead of 0x60" },
	{ "\"kid\"", "\"Kid\"", "not allowed" },
	{ "\"protected\":\"", "\"protected\":\"A", "" },
	{ "\"protected\":\"", "\"protected\":\"\",\"x\":\"", "not allowed" },
	{ "\"signature\":\"", "\"signature\":\"\",\"x\":\"", "not allowed" },
	{ "\"signature\":\"", "\"signature\":\"=", "not base64url" },
};

START_TEST(wrong_members)
{
	refused(open_text(seal(PAYLOAD, wrong[_i].from, wrong[_i].to)),
	    wrong[_i].words);
}
END_TEST

/* Protected parts that are signed and wrong all the same. */
START_TEST(wrong_protected)
{
	static const struct {
		const char *before, *behind, *words;
	} parts[] = {
		{ "{\"alg\":\"none\",\"val\":\"", "\"}", "neither" },
		{ "{\"alg\":\"eddsa\",\"val\":\"", "\"}", "neither" },
		{ "{\"alg\":\"Ed25519\",\"val\":\"", "\"}", "neither" },
		{ "{\"alg\":1,\"val\":\"", "\"}", "not a string" },
		{ "{\"val\":\"", "\"}", "missing" },
		{ "{\"alg\":\"EdDSA\",\"Val\":\"", "\"}", "not allowed" },
		{ "{\"alg\":\"EdDSA\",\"val\":\"=", "\"}", "64 bytes" },
		{ "{\"alg\":\"EdDSA\",\"val\":\"AAAA", "\"}", "64 bytes" },
		{ "{\"alg\":\"EdDSA\",\"val\":\"", "\",\"cty\":\"x\"}",
		    "not allowed" },
		{ "[{\"alg\":\"EdDSA\",\"val\":\"", "\"}]",
		    "not an object" },
		{ "{\"alg\":\"EdDSA\",\"alg\":\"EdDSA\",\"val\":\"", "\"}",
		    "two members" },
		{ "{\"alg\":\"EdDSA\",\"val\":\"\\u000a", "\"}", "64 bytes" },
	};
	struct mk_buf part, b64;
	uint8_t digest[MK_DIGEST];
	char json[2048];
	size_t i;

	mk_sha512((const uint8_t *)"{}", 2, digest);
	mk_buf_init(&part, 4096);
	mk_buf_init(&b64, 4096);
	for (i = 0; i < COUNT(parts); i++) {
		mk_buf_cut(&part, 0);
		mk_buf_cut(&b64, 0);
		mk_buf_puts(&part, parts[i].before);
		mk_buf_b64url(&part, digest, sizeof(digest));
		mk_buf_puts(&part, parts[i].behind);
		mk_buf_b64url(&b64, (uint8_t *)part.data, part.len);
		(void)snprintf(json, sizeof(json), "{\"Identifier\":\"x\","
		    "\"SignedData\":{\"unprotected\":{\"dig\":\"S512\"},"
		    "\"payload\":\"e30\",\"signatures\":[{\"header\":{"
		    "\"kid\":\"MAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA\"},"
		    "\"protected\":\"%s\",\"signature\":\"\"}]}}", b64.data);
		refused(open_text(json), parts[i].words);
	}
	mk_buf_release(&part);
	mk_buf_release(&b64);
}
END_TEST

START_TEST(wrong_signers)
{
	struct mk_pubkey other;
	uint8_t *sig;

	ck_assert_int_eq(open_text(seal(PAYLOAD, "", "")), 0);
	made_key("alice", "online1", &other, NULL);
	refused(mk_envelope_verify(&env, &other, "test", &why), "'kid'");
	env.kid = other.udf;
	refused(mk_envelope_verify(&env, &other, "test", &why),
	    "signature is wrong");
	env.kid = key.udf;
	env.sig_len--;
	refused(mk_envelope_verify(&env, &key, "test", &why),
	    "signature is wrong");
	env.sig_len++;
	sig = (uint8_t *)mk_arena_dup(&arena, (const char *)env.sig, 64);
	env.sig = sig;
	sig[63] |= 0x80;
	refused(mk_envelope_verify(&env, &key, "test", &why),
	    "signature is wrong");
	sig[63] &= 0x7f;
	ck_assert_int_eq(mk_envelope_verify(&env, &key, "test", &why), 0);
	env.gen = MK_GEN_2017;
	refused(mk_envelope_verify(&env, &key, "test", &why), "generation");
}
END_TEST

START_TEST(wrong_bodies)
{
	static const struct {
		const char *payload, *words;
	} bodies[] = {
		{ "", "empty" },
		{ "[]", "not an object" },
		{ "{}", "exactly one member 'SSHProfile'" },
		{ "{\"sshProfile\":{\"Identifier\":\"" ID "\"}}", "exactly" },
		{ "{\"SSHProfile\":[]}", "not an object" },
		{ "{\"SSHProfile\":{}}", "missing" },
		{ "{\"SSHProfile\":{\"Identifier\":1}}", "not a string" },
		{ "{\"SSHProfile\":{\"Identifier\":\"R\"}}", "outside" },
		{ PAYLOAD PAYLOAD, "behind the end" },
	};
	const struct mk_json *body;
	size_t i;

	for (i = 0; i < COUNT(bodies); i++) {
		ck_assert_int_eq(open_text(seal(bodies[i].payload, "", "")),
		    0);
		refused(mk_envelope_body(&arena, &env, &place, &body, &why),
		    bodies[i].words);
	}
	/* Space around the text is part of what is signed. */
	ck_assert_int_eq(open_text(seal(" " PAYLOAD "\n", "", "")), 0);
	ck_assert_int_eq(mk_envelope_body(&arena, &env, &place, &body,
	    &why), 0);
}
END_TEST

START_TEST(skipped)
{
	static const char text[] = "{\"Identifier\":\"MAAAA-AAAAA-AAAAA-AAAAA"
	    "-AAAAA-AAAAB\",\"Whatever\":[]}";
	struct mk_udf udf;

	ck_assert_int_eq(mk_envelope_skip(made_json(&arena, text), &place,
	    &udf, &why), 0);
	ck_assert_uint_eq(udf.b[MK_UDF_BYTES - 1], 4);
	refused(mk_envelope_skip(made_json(&arena, "{}"), &place, &udf,
	    &why), "missing");
	refused(mk_envelope_skip(made_json(&arena, "[]"), &place, &udf,
	    &why), "not an object");
	refused(mk_envelope_skip(made_json(&arena, "{\"Identifier\":\"" ID
	    "\"}"), &place, &udf, &why), "0x88 instead of 0x60");
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("envelope");
	TCase *tc = tcase_create("envelope");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, right);
	tcase_add_loop_test(tc, wrong_members, 0, (int)COUNT(wrong));
	tcase_add_test(tc, wrong_protected);
	tcase_add_test(tc, wrong_signers);
	tcase_add_test(tc, wrong_bodies);
	tcase_add_test(tc, skipped);
	suite_add_tcase(s, tc);
	return s;
}
