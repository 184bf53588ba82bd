/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/digest.h"
#include "core/portal.h"
#include "core/request.h"
#include "make_set.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define UDF		"MA6SH-QRVCQ-DA2ND-PJ4J7-SW3KF-VYCQU"
#define RANDOM		"RCAAA-BBBBB-CCCCC-DDDDD-EEEEE-FFFFF"
#define MAX		((size_t)8 << 20)
#define NAME		"portal.example:443"
#define ALICE		"\"Account\":\"alice@example.com\""

/* 32 and 64 bytes of zeros. */
#define A8		"AAAAAAAA"
#define NONCE		A8 A8 A8 A8 A8 "AAA"
#define WITNESS		A8 A8 A8 A8 A8 A8 A8 A8 A8 A8 "AAAAAA"

static struct mk_arena arena;
static struct mk_account account;
static struct mk_request req;
static struct mk_signing signing;
static struct mk_pubkey online;
static struct mk_buf out;
static struct mk_why why;
static uint8_t sk[MK_ED25519_SECRET];

static void
setup(void)
{
	struct mk_pubkey *key = &online;

	mk_arena_init(&arena, (size_t)64 << 20);
	mk_buf_init(&out, MAX);
	memset(&why, 0, sizeof(why));
	ck_assert(mk_account_parse("alice@example.com", 17, &account));
	made_key("alice", "online0", key, sk);
	signing = (struct mk_signing){ .portal = NAME, .account = &account,
	    .nonce = { 1, 2, 3 }, .time = MADE_NOW,
	    .signer = { key->udf, sk } };
}

static void
teardown(void)
{
	mk_buf_release(&out);
	mk_arena_release(&arena);
}

static int
read_bytes(const void *data, size_t len)
{
	struct mk_bytes bytes = { data, len };

	memset(&req, 0x55, sizeof(req));
	return mk_request_read(&arena, &bytes, &req, &why);
}

static int
read_text(const char *text)
{
	return read_bytes(text, strlen(text));
}

static void
good(const char *text, enum mk_transaction what)
{
	int r = read_text(text);

	ck_assert_msg(r == 0, "%s: %s", text, why.detail);
	ck_assert_int_eq(req.what, what);
}

/* What was written into 'out' is read, and verifies by the online key. */
static void
good_out(enum mk_transaction what)
{
	int r = read_bytes(out.data, out.len);

	ck_assert_msg(r == 0, "%s", why.detail);
	ck_assert_int_eq(req.what, what);
}

static void
signed_out(enum mk_transaction what)
{
	good_out(what);
	ck_assert(req.is_signed);
	ck_assert_str_eq(req.sig.portal, NAME);
	ck_assert_mem_eq(req.sig.nonce, signing.nonce, MK_REQUEST_NONCE);
	ck_assert_int_eq(req.sig.time, MADE_NOW);
	ck_assert_str_eq(req.account.text, "alice@example.com");
	ck_assert_int_eq(mk_request_verify(&req, &online, 1, &why), 0);
}

static struct mk_bytes
bytes_of(const struct mk_buf *b)
{
	return (struct mk_bytes){ (const uint8_t *)b->data, b->len };
}

START_TEST(plain)
{
	struct mk_udf udf;

	ck_assert(mk_udf_parse(UDF, strlen(UDF), &udf));
	good("{\"Hello\":{}}", MK_HELLO);
	ck_assert(!req.is_signed && !req.has_account && !req.has_udf);
	good(" { \"Hello\" : { \"unknown\" : null } } ", MK_HELLO);
	good("{\"ValidateAccount\":{\"Account\":\"Alice@example.com\"}}",
	    MK_VALIDATE_ACCOUNT);
	ck_assert(req.has_account);
	ck_assert_str_eq(req.account.text, "alice@example.com");
	good("{\"ValidateAccount\":{\"Account\":\"alice\"}}",
	    MK_VALIDATE_ACCOUNT);
	ck_assert(!req.has_account);
	good("{\"Get\":{" ALICE "}}", MK_GET);
	ck_assert(req.has_account && !req.has_udf);
	mk_portal_get(&udf, &out);
	good_out(MK_GET);
	ck_assert(!req.has_account && req.has_udf);
	ck_assert_int_eq(mk_udf_cmp(&req.udf, &udf), 0);
	mk_buf_cut(&out, 0);
	mk_connect_status_write(&account, &udf, &out);
	good_out(MK_CONNECT_STATUS);
	ck_assert(req.has_account && req.has_udf);
	ck_assert_int_eq(mk_request_verify(&req, &online, 1, &why),
	    MK_E_REFUSED);
	ck_assert_ptr_nonnull(strstr(why.detail, "not signed"));
}
END_TEST

START_TEST(changes)
{
	struct mk_udf udf;
	unsigned i;

	ck_assert(mk_udf_parse(UDF, strlen(UDF), &udf));
	mk_changes_begin("", 0, 0, &out);
	mk_changes_end(&out);
	good_out(MK_CHANGES);
	ck_assert_str_eq(req.store, "");
	ck_assert_uint_eq(req.n_udfs, 0);
	mk_buf_cut(&out, 0);
	mk_changes_begin("s-\"1\\", ((uint64_t)1 << 53) - 1, MK_CHANGES_WAIT,
	    &out);
	for (i = 0; i < MK_CHANGES_IDS; i++)
		mk_changes_add(&udf, &out);
	mk_changes_end(&out);
	good_out(MK_CHANGES);
	ck_assert_str_eq(req.store, "s-\"1\\");
	ck_assert_uint_eq(req.since, ((uint64_t)1 << 53) - 1);
	ck_assert_uint_eq(req.wait, MK_CHANGES_WAIT);
	ck_assert_uint_eq(req.n_udfs, MK_CHANGES_IDS);
	ck_assert_int_eq(mk_udf_cmp(&req.udfs[MK_CHANGES_IDS - 1], &udf), 0);
	mk_buf_cut(&out, out.len - 3);
	mk_changes_add(&udf, &out);
	mk_changes_end(&out);
	ck_assert_int_eq(read_bytes(out.data, out.len), MK_E_REFUSED);
}
END_TEST

#define CHANGES(store, since, wait, ids)				\
	"{\"Changes\":{\"Store\":" store ",\"Since\":" since		\
	",\"Wait\":" wait ",\"Identifiers\":" ids "}}"
#define X8		"xxxxxxxx"
#define X64		X8 X8 X8 X8 X8 X8 X8 X8
#define E		"{\"a\":{}}"

START_TEST(refused)
{
	static const char *const v[] = { "", "null", "[]", "{}", "1",
	    "{\"Hello\":{}", "{\"Hello\":{}}x", "{\"Hello\":null}",
	    "{\"Hello\":[]}", "{\"hello\":{}}", "{\"Hell\":{}}",
	    "{\"HelloResponse\":{}}", "{\"Hello\":{},\"Hello\":{}}",
	    "{\"Hello\":{},\"Get\":{" ALICE "}}", "{\"\":{}}",
	    "{\"Hello\":{\"a\":\"\n" X64 "\"}}",
	    "{\"ValidateAccount\":{}}", "{\"ValidateAccount\":{\"Account\":1}}",
	    "{\"Get\":{}}", "{\"Get\":{\"Account\":\"alice\"}}",
	    "{\"Get\":{" ALICE ",\"Identifier\":\"" UDF "\"}}",
	    "{\"Get\":{\"Identifier\":\"" RANDOM "\"}}",
	    "{\"Get\":{\"Identifier\":\"x\"}}",
	    "{\"Get\":{\"Account\":null}}", "{\"Publish\":{}}",
	    "{\"Publish\":{\"Entries\":{}}}", "{\"Publish\":{\"Entries\":[]}}",
	    "{\"Publish\":{\"Entries\":[1]}}",
	    "{\"Publish\":{\"Entries\":[{}]}}",
	    "{\"Publish\":{\"Entries\":[{\"SignedApplicationProfile\":{}}]}}",
	    "{\"Publish\":{\"Entries\":[{\"SignedPersonalProfile\":{}},"
	    "{\"SignedPersonalProfile\":{}}]}}",
	    "{\"Publish\":{\"Entries\":[{\"SignedPersonalProfile\":{},"
	    "\"b\":1}]}}",
	    "{\"ConnectStart\":{\"SignedConnectionRequest\":" E "}}",
	    "{\"ConnectStart\":{" ALICE "}}",
	    "{\"ConnectStart\":{" ALICE ",\"SignedConnectionRequest\":1}}",
	    "{\"ConnectStart\":{" ALICE ",\"SignedConnectionRequest\":" E
	    ",\"Witness\":null}}",
	    "{\"ConnectStart\":{" ALICE ",\"SignedConnectionRequest\":" E
	    ",\"Witness\":\"AAAA\"}}",
	    "{\"ConnectStatus\":{" ALICE "}}",
	    "{\"ConnectStatus\":{\"DeviceUDF\":\"" UDF "\"}}",
	    /* These must be signed. */
	    "{\"CreateAccount\":{" ALICE ",\"Entries\":[]}}",
	    "{\"DeleteAccount\":{" ALICE "}}",
	    "{\"ConnectPending\":{" ALICE "}}",
	    "{\"ConnectComplete\":{" ALICE ",\"SignedConnectionResult\":" E
	    "}}",
	    "{\"SignedRequest\":{}}", "{\"SignedRequest\":" E "}",
	    "{\"SignedRequest\":null}",
	    "{\"SignedRequest\":{\"SignedRequest\":{}}}",
	    CHANGES("null", "0", "0", "[]"), CHANGES("\"a b\"", "0", "0", "[]"),
	    CHANGES("\"x" X64 "\"", "0", "0", "[]"),
	    CHANGES("\"s\"", "9007199254740992", "0", "[]"),
	    CHANGES("\"s\"", "-1", "0", "[]"),
	    CHANGES("\"s\"", "1e1", "0", "[]"),
	    CHANGES("\"s\"", "\"1\"", "0", "[]"),
	    CHANGES("\"s\"", "0", "61", "[]"),
	    CHANGES("\"s\"", "0", "4294967296", "[]"),
	    CHANGES("\"s\"", "0", "0", "{}"), CHANGES("\"s\"", "0", "0", "[1]"),
	    CHANGES("\"s\"", "0", "0", "[\"" RANDOM "\"]"),
	    "{\"Changes\":{\"Store\":\"\",\"Since\":0,\"Wait\":0}}" };
	size_t i;

	for (i = 0; i < COUNT(v); i++)
		ck_assert_msg(read_text(v[i]) == MK_E_REFUSED, "%s passed",
		    v[i]);
}
END_TEST

/* Depth and lengths. */
START_TEST(bounds)
{
	char text[4096];

	(void)snprintf(text, sizeof(text), "{\"Hello\":{\"a\":\"%01024d\"}}",
	    0);
	good(text, MK_HELLO);
	(void)snprintf(text, sizeof(text), "{\"Hello\":{\"a\":\"%01025d\"}}",
	    0);
	ck_assert_int_eq(read_text(text), MK_E_REFUSED);
	ck_assert_ptr_nonnull(strstr(why.detail, "1024"));
	(void)snprintf(text, sizeof(text), "{\"Hello\":{\"%01025d\":1}}", 0);
	ck_assert_int_eq(read_text(text), MK_E_REFUSED);
	(void)snprintf(text, sizeof(text), "{\"ConnectStart\":{" ALICE
	    ",\"SignedConnectionRequest\":{\"SignedData\":{\"payload\":"
	    "\"%01025d\"}}}}", 0);
	good(text, MK_CONNECT_START);
	/* Whoever opens it claims it. */
	ck_assert_uint_eq(req.notes.long_strings, 1);
	(void)snprintf(text, sizeof(text), "{\"ConnectStart\":{" ALICE
	    ",\"SignedConnectionRequest\":{\"payload\":\"%01025d\"}}}", 0);
	ck_assert_int_eq(read_text(text), MK_E_REFUSED);
	good("{\"Hello\":{\"a\":[[[[[[[[[[[[[[]]]]]]]]]]]]]]}}", MK_HELLO);
	ck_assert_int_eq(read_text("{\"Hello\":{\"a\":"
	    "[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]}}"), MK_E_REFUSED);
}
END_TEST

START_TEST(signed_plain)
{
	struct mk_pubkey keys[2];

	ck_assert_int_eq(mk_remove_write(&arena, &signing, &out, &why), 0);
	signed_out(MK_DELETE_ACCOUNT);
	mk_buf_cut(&out, 0);
	ck_assert_int_eq(mk_pending_write(&arena, &signing, &out, &why), 0);
	signed_out(MK_CONNECT_PENDING);
	/* The kid selects, and only that one is tried. */
	made_key("alice", "online1", &keys[0], NULL);
	ck_assert_int_eq(mk_request_verify(&req, keys, 1, &why),
	    MK_E_REFUSED);
	ck_assert_ptr_nonnull(strstr(why.detail, "no key"));
	keys[1] = online;
	ck_assert_int_eq(mk_request_verify(&req, keys, 2, &why), 0);
	keys[0].udf = online.udf;
	ck_assert_int_eq(mk_request_verify(&req, keys, 2, &why),
	    MK_E_REFUSED);
	ck_assert_int_eq(mk_request_verify(&req, NULL, 0, &why),
	    MK_E_REFUSED);
}
END_TEST

/* Seals a payload and reads the request around it. */
static int
read_signed(const char *payload, const char *id, const struct mk_udf *kid)
{
	struct mk_unsigned what = { id, (const uint8_t *)payload,
	    strlen(payload) };
	struct mk_signer signer = { *kid, sk };
	struct mk_envelope env;

	mk_buf_cut(&out, 0);
	ck_assert_int_eq(mk_seal(&arena, &what, &signer, &env, &why), 0);
	mk_buf_puts(&out, "{\"SignedRequest\":");
	mk_envelope_write(&env, &out);
	mk_buf_puts(&out, "}");
	return read_bytes(out.data, out.len);
}

/* "%" stands for the fingerprint of the online key. */
static const char *
with_id(const char *format)
{
	static char text[8192];
	char udf[MK_UDF_TEXT + 1];
	const char *p = strchr(format, '%');

	ck_assert_ptr_nonnull(p);
	mk_udf_format(&online.udf, udf);
	(void)snprintf(text, sizeof(text), "%.*s%s%s", (int)(p - format),
	    format, udf, p + 1);
	return text;
}

#define TIME		"2026-03-01T12:00:00Z"
#define SIGNED(tag, members) "{\"" tag "\":{\"Identifier\":\"%\"" members "}}"
#define PORTAL		",\"Portal\":\"" NAME "\""
#define NONCED		",\"Nonce\":\"" NONCE "\""
#define TIMED		",\"Time\":\"" TIME "\""
#define ACCOUNT		"," ALICE
#define ALL		PORTAL ACCOUNT NONCED TIMED

START_TEST(signed_refused)
{
	static const char *const v[] = {
		SIGNED("DeleteAccount", ACCOUNT NONCED TIMED),
		SIGNED("DeleteAccount", PORTAL NONCED TIMED),
		SIGNED("DeleteAccount", PORTAL ACCOUNT TIMED),
		SIGNED("DeleteAccount", PORTAL ACCOUNT NONCED),
		SIGNED("DeleteAccount", ACCOUNT NONCED TIMED
		    ",\"Portal\":\"\""),
		SIGNED("DeleteAccount", ACCOUNT NONCED TIMED
		    ",\"Portal\":\"a b\""),
		SIGNED("DeleteAccount", ACCOUNT NONCED TIMED
		    ",\"Portal\":1"),
		SIGNED("DeleteAccount", PORTAL ACCOUNT TIMED
		    ",\"Nonce\":\"AAAA\""),
		SIGNED("DeleteAccount", PORTAL ACCOUNT TIMED
		    ",\"Nonce\":\"" NONCE "A\""),
		SIGNED("DeleteAccount", PORTAL ACCOUNT NONCED
		    ",\"Time\":\"2026-03-01 12:00:00\""),
		SIGNED("DeleteAccount", PORTAL ACCOUNT NONCED
		    ",\"Time\":null"),
		SIGNED("Hello", ALL), SIGNED("Get", ALL),
		SIGNED("Publish", ALL ",\"Entries\":[" E "]"),
		SIGNED("ConnectStatus", ALL ",\"DeviceUDF\":\"" UDF "\""),
		SIGNED("CreateAccount", ALL),
		SIGNED("CreateAccount", ALL ",\"Entries\":[]"),
		SIGNED("ConnectComplete", ALL),
		SIGNED("ConnectComplete", ALL
		    ",\"SignedConnectionResult\":[]"),
		SIGNED("ConnectComplete", ALL
		    ",\"SignedConnectionResult\":{},\"Witness\":\"\""),
		SIGNED("PersonalProfile", ALL), SIGNED("SignedRequest", ALL),
		"{\"DeleteAccount\":{\"Identifier\":\"%\"" ALL "},\"a\":1}",
		"{\"DeleteAccount\":[\"%\"]}",
		"{\"Identifier\":\"%\"}",
		"{\"DeleteAccount\":{\"Identifier\":\"%\"" ALL
		    ",\"a\":\"\n" X64 "\"}}",
	};
	char id[MK_UDF_TEXT + 1];
	struct mk_pubkey other;
	size_t i;

	mk_udf_format(&online.udf, id);
	ck_assert_int_eq(read_signed(with_id(SIGNED("DeleteAccount", ALL)),
	    id, &online.udf), 0);
	ck_assert_int_eq(read_signed(with_id(SIGNED("ConnectComplete", ALL
	    ",\"SignedConnectionResult\":{},\"Witness\":\"" WITNESS "\"")),
	    id, &online.udf), 0);
	ck_assert(req.object != NULL && req.has_witness);
	for (i = 0; i < COUNT(v); i++)
		ck_assert_msg(read_signed(with_id(v[i]), id, &online.udf) ==
		    MK_E_REFUSED, "%s passed", v[i]);
	/* Outside, inside and kid name one key. */
	made_key("alice", "online1", &other, NULL);
	ck_assert_int_eq(read_signed(with_id(SIGNED("DeleteAccount", ALL)),
	    UDF, &online.udf), MK_E_REFUSED);
	ck_assert_int_eq(read_signed(with_id(SIGNED("DeleteAccount", ALL)),
	    id, &other.udf), MK_E_REFUSED);
}
END_TEST

/* A long string inside counts as one outside does. */
START_TEST(signed_bounds)
{
	char id[MK_UDF_TEXT + 1], payload[4096];

	mk_udf_format(&online.udf, id);
	(void)snprintf(payload, sizeof(payload), "{\"DeleteAccount\":"
	    "{\"Identifier\":\"%s\"" ALL ",\"a\":\"%01024d\"}}", id, 0);
	ck_assert_int_eq(read_signed(payload, id, &online.udf), 0);
	(void)snprintf(payload, sizeof(payload), "{\"DeleteAccount\":"
	    "{\"Identifier\":\"%s\"" ALL ",\"a\":\"%01025d\"}}", id, 0);
	ck_assert_int_eq(read_signed(payload, id, &online.udf),
	    MK_E_REFUSED);
}
END_TEST

/* Reads {"DeleteAccount":..} with another protected part, rightly signed. */
static int
read_protected(const char *alg, unsigned blanks)
{
	const char *payload = with_id(SIGNED("DeleteAccount", ALL));
	struct mk_unsigned what = { .payload = (const uint8_t *)payload,
	    .len = strlen(payload) };
	uint8_t sig[MK_ED25519_SIG];
	char id[MK_UDF_TEXT + 1];
	struct mk_envelope env;
	struct mk_buf covered;
	int r;

	mk_udf_format(&online.udf, id);
	what.id = id;
	ck_assert_int_eq(mk_seal(&arena, &what, &signing.signer, &env, &why),
	    0);
	mk_buf_init(&covered, MAX);
	mk_buf_puts(&covered, alg);
	mk_put_bytes(&covered, "val", env.digest, MK_DIGEST);
	mk_buf_putc(&covered, '}');
	while (blanks-- > 0)
		mk_buf_putc(&covered, ' ');
	mk_ed25519_sign(sk, (const uint8_t *)covered.data, covered.len, sig);
	env.covered = (const uint8_t *)covered.data;
	env.covered_len = covered.len;
	env.sig = sig;
	mk_buf_cut(&out, 0);
	mk_buf_puts(&out, "{\"SignedRequest\":");
	mk_envelope_write(&env, &out);
	mk_buf_puts(&out, "}");
	r = read_bytes(out.data, out.len);
	if (r == 0)
		r = mk_request_verify(&req, &online, 1, &why);
	mk_buf_release(&covered);
	return r;
}

/* Only the payload may be long, and only EdDSA signs. */
START_TEST(protected_parts)
{
	ck_assert_int_eq(read_protected("{\"alg\":\"EdDSA\",", 0), 0);
	ck_assert_int_eq(read_protected("{\"alg\":\"EdDSA\",", 600), 0);
	ck_assert_int_eq(read_protected("{\"alg\":\"EdDSA\",", 700),
	    MK_E_REFUSED);
	ck_assert_ptr_nonnull(strstr(why.detail, "1024"));
	ck_assert_int_eq(read_protected("{\"alg\":\"RS512\",", 0),
	    MK_E_REFUSED);
	ck_assert_ptr_nonnull(strstr(why.detail, "current form"));
}
END_TEST

START_TEST(complete)
{
	static const uint8_t witness[MK_WITNESS] = { 7 };
	struct mk_unsigned what = { UDF, (const uint8_t *)"{}", 2 };
	struct mk_result_out result = { .witness = witness };
	struct mk_envelope env;

	ck_assert_int_eq(mk_seal(&arena, &what, &signing.signer, &env, &why),
	    0);
	result.result = &env;
	ck_assert_int_eq(mk_complete_write(&arena, &signing, &result, &out,
	    &why), 0);
	signed_out(MK_CONNECT_COMPLETE);
	ck_assert(req.has_witness);
	ck_assert_mem_eq(req.witness, witness, MK_WITNESS);
	ck_assert(mk_json_is(mk_json_member(req.object, "Identifier"), UDF));
	mk_buf_cut(&out, 0);
	mk_connect_start_write(&account, &env, NULL, &out);
	good_out(MK_CONNECT_START);
	ck_assert(!req.has_witness);
	mk_buf_cut(&out, 0);
	mk_connect_start_write(&account, &env, witness, &out);
	good_out(MK_CONNECT_START);
	ck_assert(req.has_witness);
	ck_assert_mem_eq(req.witness, witness, MK_WITNESS);
}
END_TEST

START_TEST(responses)
{
	mk_response_begin(MK_PUBLISH, 409, "not \"newer\"", &out);
	mk_response_end(&out);
	ck_assert_str_eq(out.data, "{\"PublishResponse\":{\"Status\":409,"
	    "\"StatusDescription\":\"not \\\"newer\\\"\"}}");
	mk_buf_cut(&out, 0);
	mk_response_begin(MK_HELLO, 201, NULL, &out);
	mk_buf_puts(&out, ",\"Version\":1");
	mk_response_end(&out);
	ck_assert_str_eq(out.data,
	    "{\"HelloResponse\":{\"Status\":201,\"Version\":1}}");
	ck_assert_str_eq(mk_transaction_name(MK_CHANGES), "Changes");
}
END_TEST

/* Reads a heap copy of exactly these bytes, and its set if it has one. */
static int
read_copy(const char *s, size_t len)
{
	uint8_t *copy = malloc(len + (len == 0));
	struct mk_buf set;
	int r;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, s, len);
	mk_arena_release(&arena);
	mk_arena_init(&arena, MAX);
	r = read_bytes(copy, len);
	ck_assert(r == 0 || r == MK_E_REFUSED);
	if (r == 0 && req.entries != NULL) {
		mk_buf_init(&set, MAX);
		(void)mk_request_set(&arena, &req, &set, NULL);
		mk_buf_release(&set);
	}
	if (r == 0 && req.is_signed)
		r = mk_request_verify(&req, &online, 1, &why);
	free(copy);
	return r;
}

/* No bit of what is signed can be changed. */
static void
damage(bool signature)
{
	size_t i, step = out.len > 2000 ? 7 : 1;
	int r;

	for (i = 0; i < out.len; i += step)
		ck_assert_int_eq(read_copy(out.data, i), MK_E_REFUSED);
	for (i = 0; i < out.len * 8; i += step) {
		out.data[i / 8] ^= (char)(1 << i % 8);
		r = read_copy(out.data, out.len);
		out.data[i / 8] ^= (char)(1 << i % 8);
		ck_assert_msg(!signature || r != 0, "bit %zu passed", i);
	}
	ck_assert_int_eq(read_copy(out.data, out.len), 0);
}

START_TEST(damaged)
{
	struct recipe recipe = { .n_devices = 1, .n_keys = 1 };
	struct mk_udf udf = made_udf(1);
	struct mk_bytes set;
	struct made made;

	ck_assert_int_eq(mk_pending_write(&arena, &signing, &out, &why), 0);
	damage(true);
	mk_buf_cut(&out, 0);
	mk_changes_begin("store", 7, 3, &out);
	mk_changes_add(&udf, &out);
	mk_changes_add(&udf, &out);
	mk_changes_end(&out);
	damage(false);
	made_set(&recipe, &made);
	set = bytes_of(&made.set);
	mk_buf_cut(&out, 0);
	ck_assert_int_eq(mk_publish_write(&arena, &set, &out, &why), 0);
	damage(false);
	mk_buf_cut(&out, 0);
	ck_assert_int_eq(mk_create_write(&arena, &signing, &set, &out, &why),
	    0);
	damage(true);
	made_release(&made);
}
END_TEST

/* An arena of every size up to the one that is enough. */
START_TEST(arena_runs_out)
{
	struct recipe recipe = { .n_devices = 2, .n_keys = 1 };
	struct mk_bytes set;
	struct mk_buf stored;
	struct made made;
	size_t cap;
	int r = -1;

	made_set(&recipe, &made);
	set = bytes_of(&made.set);
	ck_assert_int_eq(mk_create_write(&arena, &signing, &set, &out, &why),
	    0);
	for (cap = 0; r != 0; cap += 48) {
		ck_assert_uint_le(cap, MAX);
		mk_arena_release(&arena);
		mk_arena_init(&arena, cap);
		mk_buf_init(&stored, MAX);
		r = read_bytes(out.data, out.len);
		if (r == 0)
			r = mk_request_set(&arena, &req, &stored, &why);
		if (r == 0)
			ck_assert_str_eq(stored.data, made.set.data);
		else
			ck_assert_msg(strcmp(why.stage, "limits") == 0,
			    "cap %zu: %s: %s", cap, why.stage, why.detail);
		mk_buf_release(&stored);
	}
	made_release(&made);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("request");
	TCase *tc = tcase_create("request");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, plain);
	tcase_add_test(tc, changes);
	tcase_add_test(tc, refused);
	tcase_add_test(tc, bounds);
	tcase_add_test(tc, signed_plain);
	tcase_add_test(tc, signed_refused);
	tcase_add_test(tc, signed_bounds);
	tcase_add_test(tc, protected_parts);
	tcase_add_test(tc, complete);
	tcase_add_test(tc, responses);
	tcase_add_test(tc, damaged);
	tcase_add_test(tc, arena_runs_out);
	suite_add_tcase(s, tc);
	return s;
}
