/* SPDX-License-Identifier: ISC */
/*
 * Connection requests and results: written, signed and read again, every
 * rule broken once, wrong signers, and damage of all kinds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/connect.h"
#include "core/limits.h"
#include "core/sshwire.h"
#include "core/write.h"
#include "make_set.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define TEXT_MAX	((size_t)4 << 20)
#define WHO		"bob"
#define PIN_ID		"ABCDE23456"
#define RANDOM		"RAAAA-BBBBB-CCCCC-DDDDD-EEEEE-FFFFF"
#define OTHER		"MAAAA-BBBBB-CCCCC-DDDDD-EEEEE-FFFFF"

/* A request or result on its way to a text. */
struct form {
	const char *level, *from, *to;	/* "device", "request", "outer" */
	const char *signer;		/* role that signs; NULL: the right */
	const char *kid;		/* role that is named; NULL: signer */
	const char *device_signer;
	const char *id;			/* outer Identifier; NULL: device's */
};

static const struct form right;
static struct mk_arena arena, work;
static struct mk_connection_request req;
static struct mk_connection_read got;
static struct mk_connection_result result;
static struct mk_result_read got_result;
static struct mk_online online[2];
static struct mk_json_notes notes;
static struct mk_why why;
static char *last;			/* the text that was read */

static const char *
kept(struct mk_buf *b)
{
	const char *s = mk_arena_dup(&arena, b->data, b->len);

	ck_assert_int_eq(b->failed, 0);
	ck_assert_ptr_nonnull(s);
	mk_buf_release(b);
	return s;
}

static struct mk_pubkey
key_of(const char *role)
{
	struct mk_pubkey key;

	made_key(WHO, role, &key, NULL);
	return key;
}

/* The SSH key of a role, as an object. */
static void
give_ssh(const char *role)
{
	struct mk_pubkey key = key_of(role);
	struct mk_buf blob;
	size_t len;

	mk_buf_init(&blob, MK_STRING_LONG);
	mk_sshkey_from_ed25519(key.ed25519, &blob);
	len = blob.len;
	req.has_ssh = true;
	req.ssh = (struct mk_ssh_device){ .device = req.device.id,
	    .mesh_form = true };
	ck_assert_int_eq(mk_sshkey_parse((const uint8_t *)kept(&blob), len,
	    &req.ssh.key, NULL), 0);
}

/* A key of a type that nothing is known about, of so many bytes. */
static void
give_long(size_t n)
{
	struct mk_buf blob;
	char *bytes = calloc(1, n);
	size_t len;

	ck_assert_ptr_nonnull(bytes);
	mk_buf_init(&blob, MK_STRING_LONG);
	mk_wire_put_string(&blob, "ssh-other", 9);
	mk_wire_put_string(&blob, bytes, n);
	free(bytes);
	len = blob.len;
	req.ssh.mesh_form = false;
	ck_assert_int_eq(mk_sshkey_parse((const uint8_t *)kept(&blob), len,
	    &req.ssh.key, NULL), 0);
}

static void
setup(void)
{
	size_t i;

	mk_arena_init(&arena, SIZE_MAX);
	mk_arena_init(&work, mk_verify_memory(TEXT_MAX));
	memset(&req, 0, sizeof(req));
	req.parent = made_udf(1);
	req.device = (struct mk_device){ .key = key_of("device"),
	    .name = { "laptop", 6 }, .description = { "a machine", 9 } };
	req.device.id = req.device.key.udf;
	req.has_online = true;
	req.online = key_of("online");
	give_ssh("ssh");
	for (i = 0; i < sizeof(req.nonce); i++)
		req.nonce[i] = (uint8_t)(i * 7);
	req.time = MADE_NOW;
	memcpy(req.pin_id, PIN_ID, sizeof(req.pin_id));
	result = (struct mk_connection_result){ .device = req.device.id,
	    .accepted = true };
	memset(result.request, 0xa5, sizeof(result.request));
	online[0].key = key_of("online0");
	online[1].key = key_of("online1");
}

static void
teardown(void)
{
	free(last);
	last = NULL;
	mk_arena_release(&work);
	mk_arena_release(&arena);
}

/* The text with the change that the form makes at this level. */
static const char *
edited(const struct form *form, const char *level, struct mk_buf *text)
{
	const char *s = kept(text), *at;
	struct mk_buf b;

	if (form->level == NULL || strcmp(form->level, level) != 0)
		return s;
	at = strstr(s, form->from);
	ck_assert_msg(at != NULL, "'%s' is not in '%s'", form->from, s);
	mk_buf_init(&b, TEXT_MAX);
	mk_buf_put(&b, s, (size_t)(at - s));
	mk_buf_puts(&b, form->to);
	mk_buf_puts(&b, at + strlen(form->from));
	return kept(&b);
}

static struct mk_envelope
seal(const char *text, const char *id, const char *signer, const char *kid)
{
	uint8_t sk[MK_ED25519_SECRET];
	struct mk_signer who = { .sk = sk };
	struct mk_unsigned what = { .id = id,
	    .payload = (const uint8_t *)text, .len = strlen(text) };
	struct mk_pubkey key;
	struct mk_envelope env;

	made_key(WHO, signer, &key, sk);
	who.udf = key_of(kid != NULL ? kid : signer).udf;
	ck_assert_int_eq(mk_seal(&arena, &what, &who, &env, &why), 0);
	return env;
}

static const char *
id_of(const struct form *form, const struct mk_udf *udf)
{
	struct mk_buf b;
	char text[MK_UDF_TEXT + 1];

	if (form->id != NULL)
		return form->id;
	mk_udf_format(udf, text);
	mk_buf_init(&b, sizeof(text));
	mk_buf_puts(&b, text);
	return kept(&b);
}

static struct mk_envelope
make_request(const struct form *form)
{
	struct mk_buf text;
	char id[MK_UDF_TEXT + 1];

	mk_buf_init(&text, TEXT_MAX);
	mk_device_write(&req.device, &text);
	mk_udf_format(&req.device.id, id);
	req.envelope = seal(edited(form, "device", &text), id,
	    form->device_signer != NULL ? form->device_signer : "device",
	    NULL);
	mk_buf_init(&text, TEXT_MAX);
	mk_connection_request_write(&req, &text);
	return seal(edited(form, "request", &text),
	    id_of(form, &req.device.id),
	    form->signer != NULL ? form->signer : "device", form->kid);
}

static struct mk_envelope
make_result(const struct form *form)
{
	struct mk_buf text;

	mk_buf_init(&text, TEXT_MAX);
	mk_connection_result_write(&result, &online[1].key.udf, &text);
	return seal(edited(form, "result", &text),
	    id_of(form, &online[1].key.udf),
	    form->signer != NULL ? form->signer : "online1", form->kid);
}

static const char *
text_of(const struct form *form, const struct mk_envelope *env)
{
	struct mk_buf text;

	mk_buf_init(&text, TEXT_MAX);
	mk_envelope_write(env, &text);
	return edited(form, "outer", &text);
}

/* Parses a copy of exactly this size and reads it by 'read'. */
static int
read_text(int (*read)(const struct mk_json *), const char *s, size_t n)
{
	char *copy = malloc(n == 0 ? 1 : n);
	struct mk_json_text in = { .s = copy, .len = n, .stage = "test",
	    .notes = &notes };
	const struct mk_json *obj;
	int r;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, s, n);
	memset(&notes, 0, sizeof(notes));
	memset(&why, 0, sizeof(why));
	r = mk_json_parse(&work, &in, &obj, &why);
	if (r == 0)
		r = read(obj);
	if (r != 0)
		ck_assert_int_eq(why.code, r);
	/* Texts of a good one are looked at, and point into the copy. */
	if (r != 0) {
		mk_arena_release(&work);
		free(copy);
	} else {
		free(last);
		last = copy;
	}
	return r;
}

static int
read_request(const struct mk_json *obj)
{
	struct mk_connection_read before;
	int r;

	memset(&got, 'x', sizeof(got));
	before = got;
	r = mk_connection_request_read(&work, obj, &notes, &got, &why);
	/* What fails gives nothing away. */
	ck_assert(r == 0 || memcmp(&before, &got, sizeof(got)) == 0);
	return r;
}

static int
read_result(const struct mk_json *obj)
{
	struct mk_result_place place = { online, COUNT(online), &notes };
	struct mk_result_read before;
	int r;

	memset(&got_result, 'x', sizeof(got_result));
	before = got_result;
	r = mk_connection_result_read(&work, obj, &place, &got_result, &why);
	ck_assert(r == 0 || memcmp(&before, &got_result,
	    sizeof(before)) == 0);
	return r;
}

static int
request(const struct form *form)
{
	struct mk_envelope env = make_request(form);
	const char *text = text_of(form, &env);

	return read_text(read_request, text, strlen(text));
}

static int
answer(const struct form *form)
{
	struct mk_envelope env = make_result(form);
	const char *text = text_of(form, &env);

	return read_text(read_result, text, strlen(text));
}

static void
same_request(void)
{
	const struct mk_connection_request *r = &got.request;

	ck_assert_int_eq(mk_udf_cmp(&r->parent, &req.parent), 0);
	ck_assert_int_eq(mk_udf_cmp(&r->device.id, &req.device.id), 0);
	ck_assert_mem_eq(r->envelope.digest, req.envelope.digest, MK_DIGEST);
	ck_assert(r->has_online == req.has_online);
	ck_assert(!req.has_online || mk_udf_cmp(&r->online.udf,
	    &req.online.udf) == 0);
	ck_assert(r->has_ssh == req.has_ssh);
	ck_assert_mem_eq(r->nonce, req.nonce, sizeof(req.nonce));
	ck_assert_int_eq(r->time, req.time);
	ck_assert_str_eq(r->pin_id, req.pin_id);
}

START_TEST(round_trip)
{
	struct mk_envelope env;

	ck_assert_msg(request(&right) == 0, "%s", why.detail);
	same_request();
	ck_assert_uint_eq(got.request.device.name.len, 6);
	ck_assert_uint_eq(got.request.ssh.key.len, req.ssh.key.len);
	ck_assert_int_eq(mk_udf_cmp(&got.envelope.kid, &req.device.id), 0);
	env = make_request(&right);
	ck_assert_mem_eq(got.envelope.digest, env.digest, MK_DIGEST);
	ck_assert_uint_eq(notes.long_strings, 0);

	req.has_online = false;
	req.has_ssh = false;
	req.pin_id[0] = '\0';
	ck_assert_int_eq(request(&right), 0);
	same_request();
}
END_TEST

/* The payload byte for byte. */
START_TEST(payload_text)
{
	char id[MK_UDF_TEXT + 1], parent[MK_UDF_TEXT + 1], *want = NULL;
	struct mk_envelope env;
	struct mk_buf device;

	req.has_online = false;
	req.has_ssh = false;
	env = make_request(&right);
	mk_buf_init(&device, TEXT_MAX);
	mk_envelope_write(&req.envelope, &device);
	mk_udf_format(&req.device.id, id);
	mk_udf_format(&req.parent, parent);
	ck_assert_int_gt(asprintf(&want, "{\"ConnectionRequest\":{"
	    "\"Identifier\":\"%s\",\"ParentUDF\":\"%s\",\"Device\":%s,"
	    "\"Nonce\":\"AAcOFRwjKjE4P0ZNVFtiaXB3foWMk5qhqK-2vcTL0tk\","
	    "\"Time\":\"2026-03-01T12:00:00Z\",\"PinId\":\"" PIN_ID "\"}}",
	    id, parent, device.data), 0);
	ck_assert_uint_eq(env.payload_len, strlen(want));
	ck_assert_mem_eq(env.payload, want, strlen(want));
	free(want);
	mk_buf_release(&device);
}
END_TEST

/* Host, OpenSSH, long strings and a wrong Proof are as in a set. */
START_TEST(ssh_forms)
{
	req.ssh.mesh_form = false;
	ck_assert_int_eq(request(&right), 0);
	ck_assert(got.request.ssh.has_key_udf);
	give_long(3000);
	ck_assert_int_eq(request(&right), 0);
	ck_assert_uint_eq(got.request.ssh.key.len, req.ssh.key.len);
	give_ssh("ssh");
	req.ssh.proof = (struct mk_text){ "AAAA", 4 };
	ck_assert_int_eq(request(&right), 0);
	ck_assert_uint_eq(got.request.ssh.proof.len, 4);
	req.ssh = (struct mk_ssh_device){ .device = req.device.id,
	    .host = true };
	ck_assert_int_eq(request(&right), 0);
	ck_assert(got.request.ssh.host);
}
END_TEST

struct rule {
	struct form form;
	const char *because;
};

#define REQUEST(from, to, because) { { "request", from, to, NULL, NULL, \
    NULL, NULL }, because }
#define DEVICE(from, to, because) { { "device", from, to, NULL, NULL, \
    NULL, NULL }, because }
#define OUTER(from, to, because) { { "outer", from, to, NULL, NULL, \
    NULL, NULL }, because }
#define X32	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X256	X32 X32 X32 X32 X32 X32 X32 X32
#define X1025	X256 X256 X256 X256 "x"

static const struct rule rules[] = {
	REQUEST("{\"ConnectionRequest\"", "{\"ConnectionResult\"",
	    "not exactly one member"),
	REQUEST("{\"ConnectionRequest\"", "{\"x\":1,\"ConnectionRequest\"",
	    "not exactly one member"),
	REQUEST("\"Identifier\":\"M", "\"Identifier\":\"N",
	    "'Identifier' outside"),
	REQUEST("\"Identifier\"", "\"identifier\"", "'Identifier' is missing"),
	{ { "request", "\"Identifier\":\"", "\"Identifier\":\"" OTHER
	    "\",\"y\":\"", .id = OTHER }, "not that of the device" },
	REQUEST("\"ParentUDF\":\"", "\"ParentUDF\":\"x", "form of a UDF"),
	REQUEST("\"ParentUDF\"", "\"Parent\"", "'ParentUDF' is missing"),
	REQUEST("\"ParentUDF\":\"M", "\"ParentUDF\":\"m", "form of a UDF"),
	REQUEST("\"ParentUDF\":\"", "\"ParentUDF\":\"" RANDOM "\",\"y\":\"",
	    "type 0x88"),
	REQUEST("\"Device\":{", "\"Device\":1,\"y\":{", "not an object"),
	REQUEST("\"Device\":{", "\"device\":{", "'Device' is missing"),
	REQUEST("\"Device\":{", "\"Device\":{\"x\":1,", "not allowed"),
	REQUEST("\"Device\":{", "\"Device\":{\"SignedDeviceProfile\":{",
	    ""),
	REQUEST("\"OnlineSignatureKey\":{", "\"OnlineSignatureKey\":"
	    "{\"DeviceUDF\":\"" OTHER "\",", "not allowed"),
	REQUEST("\"OnlineSignatureKey\":{", "\"OnlineSignatureKey\":null,"
	    "\"y\":{", "not an object"),
	REQUEST("\"OnlineSignatureKey\":{\"UDF\":\"", "\"OnlineSignatureKey\""
	    ":{\"UDF\":\"" OTHER "\",\"z\":\"", ""),
	REQUEST("\"SSH\":{", "\"SSH\":[],\"y\":{", "not an object"),
	REQUEST("\"SSHDevicePublic\"", "\"SSHDevice\"",
	    "not exactly one member"),
	REQUEST("\"DeviceUDF\":\"", "\"DeviceUDF\":\"" OTHER "\",\"y\":\"",
	    "another device"),
	REQUEST("\"PublicKey\":", "\"Host\":true,\"PublicKey\":",
	    "not exactly one of"),
	REQUEST("\"PublicKey\":", "\"OpenSSH\":\"ssh-ed25519 AAAA\",\"y\":",
	    ""),
	REQUEST("\"Nonce\":\"", "\"Nonce\":\"A", "'Nonce' is not 32 bytes"),
	REQUEST("\"Nonce\":", "\"nonce\":", "'Nonce' is missing"),
	REQUEST("\"Nonce\":", "\"Nonce\":0,\"y\":", "'Nonce' is not a"),
	REQUEST("12:00:00Z", "12:00:60Z", "'Time' is not a valid time"),
	REQUEST("\"Time\"", "\"time\"", "'Time' is missing"),
	REQUEST("\"" PIN_ID "\"", "\"" PIN_ID "A\"", "'PinId' is not"),
	REQUEST("\"" PIN_ID "\"", "\"abcde23456\"", "'PinId' is not"),
	REQUEST("\"" PIN_ID "\"", "\"\"", "'PinId' is not"),
	REQUEST("\"" PIN_ID "\"", "null", "'PinId' is not a string"),
	REQUEST("\"Time\"", "\"x\":\"a\nb\",\"Time\"", "line feed"),
	REQUEST("\"Time\"", "\"x\":\"" X1025 "\",\"Time\"", "over the limit"),
	REQUEST("\"Time\"", "\"x\":1,\"x\":1,\"Time\"", ""),
	DEVICE("{\"DeviceProfile\"", "{\"MasterProfile\"",
	    "not exactly one member"),
	DEVICE("\"Identifier\":\"M", "\"Identifier\":\"N",
	    "'Identifier' outside"),
	DEVICE("\"DeviceSignatureKey\":{", "\"DeviceSignatureKey\":{\"x\":1,",
	    "not allowed"),
	DEVICE("\"Names\":[\"laptop\"]", "\"Names\":[\"a\",\"b\"]",
	    "over the limit"),
	DEVICE("laptop", "lap\ntop", "line feed"),
	DEVICE("laptop", X1025, "over the limit"),
	OUTER("{\"Identifier\":\"M", "{\"Identifier\":\"N",
	    "'Identifier' outside"),
	OUTER("{\"Identifier\"", "{\"x\":1,\"Identifier\"", "not allowed"),
	OUTER("\"unprotected\"", "\"header\":{},\"unprotected\"",
	    "not allowed"),
	OUTER("\"dig\":\"S512\"", "\"dig\":\"S256\"", "'dig'"),
	OUTER("\"signatures\":[", "\"signatures\":[{},", "2 signatures"),
	OUTER("\"payload\":\"", "\"payload\":\"\n", "")
};

START_TEST(every_rule)
{
	const struct rule *rule = &rules[_i];

	ck_assert_int_eq(request(&right), 0);
	ck_assert_msg(request(&rule->form) == MK_E_REFUSED, "%s -> %s",
	    rule->form.from, rule->form.to);
	ck_assert_msg(strstr(why.detail, rule->because) != NULL, "%s -> %s: "
	    "%s", rule->form.from, rule->form.to, why.detail);
}
END_TEST

START_TEST(signers)
{
	static const struct form wrong[] = {
		{ .signer = "online" }, { .signer = "ssh" },
		{ .signer = "stranger" },
		{ .signer = "stranger", .kid = "device" },
		{ .signer = "online", .kid = "device" },
		{ .signer = "device", .kid = "online" },
		{ .device_signer = "stranger" },
		{ .device_signer = "online" },
		{ .id = OTHER }, { .id = "" }
	};
	size_t i;

	ck_assert_int_eq(request(&right), 0);
	for (i = 0; i < COUNT(wrong); i++)
		ck_assert_msg(request(&wrong[i]) == MK_E_REFUSED, "%zu", i);
	/* All agree on a device, but its key is another one. */
	req.device.id = req.ssh.device = key_of("stranger").udf;
	ck_assert_int_eq(request(&right), MK_E_REFUSED);
	ck_assert_ptr_nonnull(strstr(why.detail, "of the device key"));
}
END_TEST

/* All roles are those of different keys, SSH in either form. */
START_TEST(roles)
{
	static const char *const taken[] = { "device", "online", "master" };
	size_t i;

	req.parent = key_of("master").udf;
	for (i = 0; i < COUNT(taken); i++) {
		give_ssh(taken[i]);
		ck_assert_int_eq(request(&right), MK_E_REFUSED);
		ck_assert_ptr_nonnull(strstr(why.detail, "two roles"));
		req.ssh.mesh_form = false;
		ck_assert_int_eq(request(&right), MK_E_REFUSED);
		ck_assert_ptr_nonnull(strstr(why.detail, "two roles"));
	}
	give_ssh("ssh");
	ck_assert_int_eq(request(&right), 0);
	req.online = key_of("device");
	ck_assert_int_eq(request(&right), MK_E_REFUSED);
	req.online = key_of("master");
	ck_assert_int_eq(request(&right), MK_E_REFUSED);
	req.online = key_of("online");
	req.parent = key_of("device").udf;
	ck_assert_int_eq(request(&right), MK_E_REFUSED);
	ck_assert_ptr_nonnull(strstr(why.detail, "two roles"));
}
END_TEST

/* Members that nobody knows, until there are 'n' bytes of them. */
static const char *
padding(size_t n, const char *end)
{
	struct mk_buf b;
	unsigned i;

	mk_buf_init(&b, TEXT_MAX);
	for (i = 0; b.len < n; i++) {
		mk_buf_puts(&b, "\"x");
		mk_buf_putu(&b, i);
		mk_buf_puts(&b, "\":\"" X256 "\",");
	}
	mk_buf_puts(&b, end);
	return kept(&b);
}

START_TEST(sizes)
{
	struct form form = { .level = "device", .from = "\"Names\"" };

	form.to = padding(MK_CONNECT_DEVICE_MAX / 2, form.from);
	ck_assert_int_eq(request(&form), 0);
	form.to = padding(MK_CONNECT_DEVICE_MAX, form.from);
	ck_assert_int_eq(request(&form), MK_E_REFUSED);
	ck_assert_str_eq(why.stage, "device");
	ck_assert_ptr_nonnull(strstr(why.detail, "over the limit of 16384"));
	form.level = "request";
	form.from = "\"Time\"";
	form.to = padding(MK_CONNECT_MAX / 2, form.from);
	ck_assert_int_eq(request(&form), 0);
	form.to = padding(MK_CONNECT_MAX, form.from);
	ck_assert_int_eq(request(&form), MK_E_REFUSED);
	ck_assert_ptr_nonnull(strstr(why.detail, "over the limit of 131072"));
}
END_TEST

/* A long string beside the object refuses it, in the text it came in. */
START_TEST(notes_of_the_text)
{
	struct mk_envelope env = make_request(&right);
	const struct mk_json *obj = made_json(&arena, text_of(&right, &env));
	unsigned i;

	for (i = 0; i < 4; i++) {
		memset(&notes, 0, sizeof(notes));
		mk_json_count(obj, &notes);
		notes.long_strings += i == 1 || i == 2;
		notes.huge_strings += i == 2;
		notes.raw_lf += i == 3;
		ck_assert_int_eq(read_request(obj), i == 0 ? 0 :
		    MK_E_REFUSED);
	}
}
END_TEST

START_TEST(signature_bits)
{
	struct mk_envelope env = make_request(&right);
	uint8_t sig[MK_ED25519_SIG];
	const char *text;
	size_t i;

	memcpy(sig, env.sig, sizeof(sig));
	env.sig = sig;
	for (i = 0; i < 8 * sizeof(sig); i++) {
		sig[i / 8] ^= (uint8_t)(1 << i % 8);
		text = text_of(&right, &env);
		ck_assert_msg(read_text(read_request, text, strlen(text)) ==
		    MK_E_REFUSED, "bit %zu", i);
		ck_assert_str_eq(why.detail, "the signature is wrong");
		sig[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	text = text_of(&right, &env);
	ck_assert_int_eq(read_text(read_request, text, strlen(text)), 0);
}
END_TEST

/* No part and no other spelling of a text is taken for it. */
static void
torment(int (*read)(const struct mk_json *), const char *good)
{
	size_t n = strlen(good), i;
	struct mk_buf b;
	char *text;

	mk_buf_init(&b, TEXT_MAX);
	mk_buf_put(&b, good, n);
	text = b.data;
	for (i = 0; i < n; i++) {
		ck_assert_msg(read_text(read, text, i) == MK_E_REFUSED,
		    "%zu bytes", i);
		text[i] = (char)(text[i] ^ 1 << i % 8);
		ck_assert_msg(read_text(read, text, n) == MK_E_REFUSED,
		    "bit %zu of byte %zu", i % 8, i);
		text[i] = (char)(text[i] ^ 1 << i % 8);
	}
	ck_assert_int_eq(read_text(read, text, n), 0);
	mk_buf_release(&b);
}

START_TEST(damage)
{
	struct mk_envelope env = make_request(&right);

	torment(read_request, text_of(&right, &env));
}
END_TEST

/* The same, signed: whatever a device says, it is read or refused. */
START_TEST(signed_damage)
{
	struct mk_envelope env = make_request(&right);
	size_t n = env.payload_len, i;
	struct mk_buf b;
	char id[MK_UDF_TEXT + 1];
	const char *text;
	unsigned taken = 0;
	char *payload;

	mk_buf_init(&b, TEXT_MAX);
	mk_buf_put(&b, env.payload, n);
	payload = b.data;
	mk_udf_format(&req.device.id, id);
	for (i = 0; i < n; i++) {
		payload[i] = (char)(payload[i] ^ 1 << i % 7);
		env = seal(payload, id, "device", NULL);
		text = text_of(&right, &env);
		taken += read_text(read_request, text, strlen(text)) == 0;
		payload[i] = (char)(payload[i] ^ 1 << i % 7);
		mk_arena_release(&work);
	}
	/* Names of optional members, times, nonces, fingerprints. */
	ck_assert_uint_gt(taken, 0);
	ck_assert_uint_lt(taken, n / 4);
	mk_buf_release(&b);
}
END_TEST

START_TEST(results)
{
	struct mk_envelope env;
	unsigned i;

	for (i = 0; i < 2; i++) {
		result.accepted = i == 0;
		ck_assert_msg(answer(&right) == 0, "%s", why.detail);
		ck_assert_mem_eq(&got_result.result, &result,
		    sizeof(result));
		env = make_result(&right);
		ck_assert_mem_eq(got_result.envelope.digest, env.digest,
		    MK_DIGEST);
		ck_assert_int_eq(mk_udf_cmp(&got_result.envelope.kid,
		    &online[1].key.udf), 0);
	}
	torment(read_result, text_of(&right, &env));
}
END_TEST

#define RESULT(from, to, because) { { "result", from, to, NULL, NULL, \
    NULL, NULL }, because }

static const struct rule result_rules[] = {
	RESULT("ConnectionResult", "ConnectionRequest",
	    "not exactly one member"),
	RESULT("\"Identifier\":\"M", "\"Identifier\":\"N",
	    "'Identifier' outside"),
	RESULT("\"RequestDigest\":\"", "\"RequestDigest\":\"pQ",
	    "64 bytes"),
	RESULT("\"RequestDigest\"", "\"Digest\"", "is missing"),
	RESULT("\"DeviceUDF\":\"", "\"DeviceUDF\":\"" RANDOM "\",\"y\":\"",
	    "type 0x88"),
	RESULT("\"DeviceUDF\"", "\"Device\"", "is missing"),
	RESULT("\"Accepted\"", "\"accepted\"", "neither"),
	RESULT("\"Accepted\"", "\"Accepted \"", "neither"),
	RESULT("\"Accepted\"", "true", "not a string"),
	RESULT("\"Accepted\"", "\"Accepted\",\"x\":\"a\nb\"", "line feed"),
	RESULT("\"Accepted\"", "\"Accepted\",\"x\":\"" X1025 "\"",
	    "over the limit"),
	OUTER("\"signatures\":[", "\"signatures\":[{},", "2 signatures"),
	{ { .id = OTHER }, "'Identifier' outside" },
	{ { .signer = "device" }, "no online key" },
	{ { .signer = "stranger" }, "no online key" },
	{ { .signer = "stranger", .kid = "online1" }, "signature is wrong" },
	{ { .signer = "online0", .kid = "online1" }, "signature is wrong" },
	{ { .signer = "online0" }, "not that of the signer" }
};

START_TEST(every_result_rule)
{
	const struct rule *rule = &result_rules[_i];

	ck_assert_int_eq(answer(&right), 0);
	ck_assert_int_eq(answer(&rule->form), MK_E_REFUSED);
	ck_assert_msg(strstr(why.detail, rule->because) != NULL, "%s",
	    why.detail);
}
END_TEST

/* Nobody signs where nobody may. */
START_TEST(result_without_keys)
{
	struct mk_result_place place = { online, 0, &notes };
	struct mk_envelope env = make_result(&right);
	const struct mk_json *obj = made_json(&arena, text_of(&right, &env));

	memset(&notes, 0, sizeof(notes));
	ck_assert_int_eq(mk_connection_result_read(&work, obj, &place,
	    &got_result, &why), MK_E_REFUSED);
	place.n = 1;
	ck_assert_int_eq(mk_connection_result_read(&work, obj, &place,
	    &got_result, &why), MK_E_REFUSED);
	place.n = 2;
	ck_assert_int_eq(mk_connection_result_read(&work, obj, &place,
	    &got_result, &why), 0);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *suite = suite_create("connect");
	TCase *c = tcase_create("connect");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 120);
	tcase_add_test(c, round_trip);
	tcase_add_test(c, payload_text);
	tcase_add_test(c, ssh_forms);
	tcase_add_loop_test(c, every_rule, 0, COUNT(rules));
	tcase_add_test(c, signers);
	tcase_add_test(c, roles);
	tcase_add_test(c, sizes);
	tcase_add_test(c, notes_of_the_text);
	tcase_add_test(c, signature_bits);
	tcase_add_test(c, damage);
	tcase_add_test(c, signed_damage);
	tcase_add_test(c, results);
	tcase_add_loop_test(c, every_result_rule, 0, COUNT(result_rules));
	tcase_add_test(c, result_without_keys);
	suite_add_tcase(suite, c);
	return suite;
}
