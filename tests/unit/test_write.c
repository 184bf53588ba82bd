/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include <sodium.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/ed25519.h"
#include "core/err.h"
#include "core/json.h"
#include "core/write.h"
#include "unit.h"

#define ARENA	((size_t)1 << 20)
#define SET	((size_t)64 << 10)

static void
ck_json(const char *in, size_t len, const char *want)
{
	struct mk_buf b;

	mk_buf_init(&b, 1000);
	mk_json_write(in, len, &b);
	ck_assert_int_eq(mk_buf_check(&b, NULL, "test"), 0);
	ck_assert_str_eq(b.data, want);
	mk_buf_release(&b);
}

START_TEST(escapes)
{
	ck_json("", 0, "\"\"");
	ck_json("plain", 5, "\"plain\"");
	ck_json("a\"b\\c/", 6, "\"a\\\"b\\\\c/\"");
	ck_json("\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\"");
	ck_json("\0\x01\x1f\x20\x7f", 5, "\"\\u0000\\u0001\\u001f \x7f\"");
	ck_json("\xc3\xa9", 2, "\"\xc3\xa9\"");
}
END_TEST

/* Whatever is written is read back as it was. */
START_TEST(round_trip)
{
	const struct mk_json *json;
	struct mk_json_notes notes = { 0 };
	struct mk_json_text text;
	struct mk_arena a;
	struct mk_buf b;
	char all[127];
	size_t i;

	for (i = 0; i < sizeof(all); i++)
		all[i] = (char)(i + 1);
	mk_arena_init(&a, ARENA);
	mk_buf_init(&b, 2000);
	mk_json_write(all, sizeof(all), &b);
	text = (struct mk_json_text){ b.data, b.len, "test", &notes };
	ck_assert_int_eq(mk_json_parse(&a, &text, &json, NULL), 0);
	ck_assert_uint_eq(json->len, sizeof(all));
	ck_assert_mem_eq(json->str, all, sizeof(all));
	ck_assert_uint_eq(notes.raw_lf, 0);
	mk_buf_release(&b);
	mk_arena_release(&a);
}
END_TEST

static void
make_signer(uint8_t sk[MK_ED25519_SECRET], struct mk_pubkey *key,
    struct mk_signer *signer)
{
	static const uint8_t seed[MK_ED25519_SEED] = { 7 };
	uint8_t pk[MK_ED25519_PUBLIC];

	mk_ed25519_pair(seed, pk, sk);
	mk_pubkey_from_ed25519(pk, key);
	signer->udf = key->udf;
	signer->sk = sk;
}

/* A device's own profile, sealed by it. */
static void
seal_device(struct mk_arena *a, struct mk_buf *payload,
    struct mk_envelope *env)
{
	uint8_t sk[MK_ED25519_SECRET];
	struct mk_device device = { .name = { "laptop", 6 } };
	struct mk_signer signer;
	struct mk_unsigned what;
	char id[MK_UDF_TEXT + 1];

	make_signer(sk, &device.key, &signer);
	device.id = device.key.udf;
	mk_udf_format(&device.id, id);
	mk_device_write(&device, payload);
	ck_assert_int_eq(mk_buf_check(payload, NULL, "test"), 0);
	what.id = id;
	what.payload = (const uint8_t *)payload->data;
	what.len = payload->len;
	ck_assert_int_eq(mk_seal(a, &what, &signer, env, NULL), 0);
}

/* What was sealed, written and parsed is opened and verifies. */
START_TEST(seals)
{
	const struct mk_json *json, *body;
	struct mk_json_notes notes = { 0 };
	struct mk_envelope_place place = { "test", &notes, "DeviceProfile" };
	struct mk_json_text whole = { .stage = "test", .notes = &notes };
	struct mk_envelope sealed, opened;
	struct mk_device device;
	struct mk_buf payload, text;
	struct mk_arena a;

	mk_arena_init(&a, ARENA);
	mk_buf_init(&payload, SET);
	mk_buf_init(&text, SET);
	seal_device(&a, &payload, &sealed);
	mk_envelope_write(&sealed, &text);
	whole.s = text.data;
	whole.len = text.len;
	ck_assert_int_eq(mk_json_parse(&a, &whole, &json, NULL), 0);
	ck_assert_int_eq(mk_envelope_open(&a, json, &place, &opened, NULL),
	    0);
	ck_assert_int_eq(opened.gen, MK_GEN_CURRENT);
	ck_assert_int_eq(mk_envelope_body(&a, &opened, &place, &body, NULL),
	    0);
	ck_assert_int_eq(mk_device_read(&a, body, MK_GEN_CURRENT, &device,
	    NULL), 0);
	ck_assert_int_eq(mk_envelope_verify(&opened, &device.key, "test",
	    NULL), 0);
	ck_assert_mem_eq(device.name.s, "laptop", 6);
	ck_assert_mem_eq(opened.digest, sealed.digest, MK_DIGEST);
	mk_buf_release(&text);
	mk_buf_release(&payload);
	mk_arena_release(&a);
}
END_TEST

/* Without room nothing is sealed, and the reason is known. */
START_TEST(no_memory)
{
	const struct mk_unsigned what = { "id", (const uint8_t *)"{}", 2 };
	uint8_t sk[MK_ED25519_SECRET];
	struct mk_envelope env;
	struct mk_pubkey key;
	struct mk_signer signer;
	struct mk_arena a;

	make_signer(sk, &key, &signer);
	mk_arena_init(&a, 100);
	ck_assert_int_eq(mk_seal(&a, &what, &signer, &env, NULL),
	    MK_E_REFUSED);
	mk_arena_release(&a);
}
END_TEST

/* A buffer that is too small fails; nothing is truncated. */
START_TEST(no_room)
{
	struct mk_envelope env = { 0 };
	struct mk_buf payload, text;
	struct mk_arena a;

	mk_arena_init(&a, ARENA);
	mk_buf_init(&payload, SET);
	mk_buf_init(&text, 50);
	seal_device(&a, &payload, &env);
	mk_set_write(&env, NULL, 0, &text);
	ck_assert_int_eq(mk_buf_check(&text, NULL, "test"), MK_E_REFUSED);
	mk_buf_release(&text);
	mk_buf_release(&payload);
	mk_arena_release(&a);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *suite = suite_create("write");
	TCase *tcase = tcase_create("write");

	if (sodium_init() == -1)
		abort();
	tcase_add_test(tcase, escapes);
	tcase_add_test(tcase, round_trip);
	tcase_add_test(tcase, seals);
	tcase_add_test(tcase, no_memory);
	tcase_add_test(tcase, no_room);
	suite_add_tcase(suite, tcase);
	return suite;
}
