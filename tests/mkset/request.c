/* SPDX-License-Identifier: ISC */
/*
 * What is posted to a portal about the set that was made.  The texts are
 * put together here, not by the core, so that both must agree; what a
 * connection says is written by the core.
 */
#include "mkset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base64.h"
#include "core/connect.h"
#include "core/digest.h"
#include "core/write.h"

struct asking {
	struct ms_set *set;
	struct mk_text profile_set;
	struct mk_buf body;		/* of the tagged object, growing */
};

static const char *
ask(const struct ms_set *set, const char *option, const char *otherwise)
{
	const char *arg = ms_pair_get(set->asks, option);

	return arg != NULL ? arg : otherwise;
}

/* A name and a text, a comma before them unless they come first. */
static void
put(struct asking *a, const char *name, struct mk_text text)
{
	if (a->body.len > 0)
		mk_buf_putc(&a->body, ',');
	mk_put_text(&a->body, name, text.s, text.len);
}

/* A value that is JSON already. */
static void
put_raw(struct asking *a, const char *name, struct mk_text text)
{
	if (a->body.len > 0)
		mk_buf_putc(&a->body, ',');
	mk_put_name(&a->body, name);
	mk_buf_put(&a->body, text.s, text.len);
}

static void
put_udf(struct asking *a, const char *name, const struct mk_udf *udf)
{
	char text[MK_UDF_TEXT + 1];

	mk_udf_format(udf, text);
	put(a, name, ms_text(text));
}

static void
put_account(struct asking *a)
{
	put(a, "Account", ms_text(ask(a->set, "--account",
	    "alice@example.com")));
}

/* 32 bytes in hexadecimal, or what follows from the seed and 'role'. */
static void
nonce(struct ms_set *set, const char *option, const char *role,
    uint8_t out[MK_CONNECT_NONCE])
{
	const char *hex = ask(set, option, NULL);
	uint8_t hash[MK_SHA512];
	char pair[3] = { 0 };
	size_t i;

	if (hex == NULL) {
		ms_hash(set, role, hash);
		memcpy(out, hash, MK_CONNECT_NONCE);
		return;
	}
	if (strlen(hex) != 2 * MK_CONNECT_NONCE ||
	    strspn(hex, "0123456789abcdefABCDEF") != strlen(hex))
		ms_die("'%s' takes %d bytes in hexadecimal", option,
		    MK_CONNECT_NONCE);
	for (i = 0; i < MK_CONNECT_NONCE; i++) {
		memcpy(pair, hex + 2 * i, 2);
		out[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
}

/* What all signed transactions have. */
static void
put_signed_part(struct asking *a, const struct mk_udf *signer)
{
	uint8_t bytes[MK_CONNECT_NONCE];
	char time[MK_TIME_LEN + 1];
	struct mk_buf b;

	nonce(a->set, "--nonce", "nonce", bytes);
	mk_buf_init(&b, MS_TEXT_MAX);
	mk_buf_b64url(&b, bytes, sizeof(bytes));
	mk_time_format(ms_time(a->set, ask(a->set, "--time", "now")), time);
	put_udf(a, "Identifier", signer);
	put(a, "Portal", ms_text(ask(a->set, "--portal",
	    "portal.example:443")));
	put(a, "Nonce", ms_done(a->set, &b));
	put(a, "Time", ms_text(time));
}

/* As they stand in the set, right or wrong: up to its last two brackets. */
static void
put_entries(struct asking *a)
{
	struct mk_text text = a->profile_set;
	const char *from = strstr(text.s, "\"Entries\""), *end;
	int brackets = 2;

	if (from == NULL || (from = strchr(from, ':')) == NULL)
		ms_die("the set has no Entries to post");
	from++;
	for (end = text.s + text.len; end > from && brackets > 0; end--)
		brackets -= end[-1] == '}';
	put_raw(a, "Entries", (struct mk_text){ from, (size_t)(end - from) });
}

static const char *
connecting(const struct ms_set *set)
{
	return ask(set, "--connect", "phone");
}

static bool
asks_for(const struct ms_set *set, const char *what)
{
	const struct ms_pair *p;

	for (p = set->asks; p != NULL; p = p->next) {
		if (strcmp(p->name, "--ask") == 0 &&
		    strcmp(p->value, what) == 0)
			return true;
	}
	return false;
}

static struct mk_udf
parent(struct ms_set *set)
{
	const char *arg = ask(set, "--parent", "master");
	struct mk_udf udf;

	if (!mk_udf_parse(arg, strlen(arg), &udf))
		udf = ms_key(set, arg)->pub.udf;
	return udf;
}

static bool
read_pin(struct ms_set *set, const char *option, struct mk_pin *pin)
{
	const char *arg = ask(set, option, NULL);

	if (arg != NULL && !mk_pin_parse(arg, strlen(arg), pin))
		ms_die("'%s' is no PIN", arg);
	return arg != NULL;
}

static void
fill_connection(struct ms_set *set, const struct ms_device *device,
    const struct mk_envelope *env, struct mk_connection_request *req)
{
	struct ms_enrolled key = ms_newcomer(set, device->name);
	struct ms_device copy = *device;
	struct mk_pin pin;

	req->parent = parent(set);
	req->envelope = *env;
	req->device.key = ms_key(set, device->role)->pub;
	req->device.id = req->device.key.udf;
	req->has_online = asks_for(set, "admin");
	if (req->has_online)
		req->online = ms_key(set, ms_printf(set, "online:%s",
		    device->name))->pub;
	req->has_ssh = asks_for(set, "ssh") || asks_for(set, "host");
	copy.host = asks_for(set, "host");
	key.device = &copy;
	if (req->has_ssh)
		ms_ssh_fill(set, &key, &req->ssh);
	nonce(set, "--connect-nonce", "connect-nonce", req->nonce);
	req->time = ms_time(set, ask(set, "--connect-time", "now"));
	if (read_pin(set, "--pin", &pin))
		mk_pin_id(&pin, req->pin_id);
}

static void
seal(struct ms_set *set, const char *level, const char *role,
    struct mk_text payload, struct ms_sealed *ret_sealed)
{
	const char *signer = ms_pair_get(set->signers, level);
	struct ms_job job = { .level = level, .role = role };
	char *id = ms_alloc(set, MK_UDF_TEXT + 1, 1);

	mk_udf_format(&ms_key(set, signer != NULL ? signer : role)->pub.udf,
	    id);
	job.id = id;
	job.payload = payload;
	ms_edit_apply(set, level, NULL, &job.payload);
	ms_seal(set, &job, ret_sealed);
}

static void
make_connection(struct ms_set *set, struct ms_sealed *ret_sealed)
{
	struct ms_enrolled e = ms_newcomer(set, connecting(set));
	struct mk_connection_request req = { .has_ssh = false };
	struct ms_sealed device;
	struct mk_buf b;

	ms_device_make(set, e.device, &device);
	fill_connection(set, e.device, &device.env, &req);
	mk_buf_init(&b, MS_TEXT_MAX);
	mk_connection_request_write(&req, &b);
	seal(set, "connection", e.device->role,
	    ms_splice(set, ms_done(set, &b), &device), ret_sealed);
}

static void
put_witness(struct asking *a, enum mk_witness_of what,
    const struct mk_envelope *env)
{
	uint8_t witness[MK_WITNESS];
	struct mk_pin pin;
	struct mk_buf b;

	if (!read_pin(a->set, "--witness", &pin) &&
	    !read_pin(a->set, "--pin", &pin))
		return;
	mk_witness_make(&pin, what, env->digest, witness);
	mk_buf_init(&b, MS_TEXT_MAX);
	mk_buf_b64url(&b, witness, sizeof(witness));
	put(a, "Witness", ms_done(a->set, &b));
}

/* The digest of the payload that a ConnectStart carries. */
static void
asked_digest(struct ms_set *set, uint8_t out[MK_DIGEST])
{
	const char *path = ask(set, "--answers", NULL), *p;
	struct ms_sealed sealed;
	struct mk_text text;
	uint8_t *payload;
	size_t len;

	if (path == NULL) {
		make_connection(set, &sealed);
		memcpy(out, sealed.env.digest, MK_DIGEST);
		return;
	}
	text = ms_file_read(set, path);
	payload = ms_alloc(set, text.len + 1, 1);
	p = strstr(text.s, "\"payload\":\"");
	if (p == NULL || !mk_b64url_decode(p + 11, strcspn(p + 11, "\""),
	    payload, &len))
		ms_die("'%s' is no ConnectStart", path);
	mk_sha512(payload, len, out);
}

static void
put_start(struct asking *a)
{
	struct ms_sealed sealed;

	put_account(a);
	make_connection(a->set, &sealed);
	put_raw(a, "SignedConnectionRequest", sealed.text);
	put_witness(a, MK_WITNESS_REQUEST, &sealed.env);
}

static void
put_complete(struct asking *a)
{
	const char *role = ms_signer(a->set, a->set->signer), *signer;
	struct mk_connection_result result = {
	    .accepted = ask(a->set, "--refuse", NULL) == NULL };
	struct ms_sealed sealed;
	struct mk_buf b;

	put_account(a);
	asked_digest(a->set, result.request);
	result.device = *ms_device_udf(a->set, connecting(a->set));
	signer = ms_pair_get(a->set->signers, "result");
	mk_buf_init(&b, MS_TEXT_MAX);
	mk_connection_result_write(&result, &ms_key(a->set,
	    signer != NULL ? signer : role)->pub.udf, &b);
	seal(a->set, "result", role, ms_done(a->set, &b), &sealed);
	put_raw(a, "SignedConnectionResult", sealed.text);
	put_witness(a, MK_WITNESS_RESULT, &sealed.env);
}

static void
put_nothing(struct asking *a)
{
	(void)a;
}

static void
put_create(struct asking *a)
{
	put_account(a);
	put_entries(a);
}

static void
put_master(struct asking *a)
{
	put_udf(a, "Identifier", &ms_key(a->set, "master")->pub.udf);
}

static void
put_status(struct asking *a)
{
	put_account(a);
	put_udf(a, "DeviceUDF", ms_device_udf(a->set, connecting(a->set)));
}

static void
put_changes(struct asking *a)
{
	char udf[MK_UDF_TEXT + 1];

	put(a, "Store", ms_text(ask(a->set, "--store", "")));
	put_raw(a, "Since", ms_text(ask(a->set, "--since", "0")));
	put_raw(a, "Wait", ms_text(ask(a->set, "--wait", "0")));
	mk_udf_format(&ms_key(a->set, "master")->pub.udf, udf);
	put_raw(a, "Identifiers",
	    ms_text(ms_printf(a->set, "[\"%s\"]", udf)));
}

static const struct {
	const char *name, *tag;
	void (*put)(struct asking *);
	bool is_signed;
	const char *what;
} requests[] = {
	{ "Hello", "Hello", put_nothing, false, "" },
	{ "ValidateAccount", "ValidateAccount", put_account, false,
	    "--account" },
	{ "CreateAccount", "CreateAccount", put_create, true,
	    "--account, the set" },
	{ "DeleteAccount", "DeleteAccount", put_account, true, "--account" },
	{ "Get", "Get", put_master, false, "by the fingerprint" },
	{ "GetAccount", "Get", put_account, false, "by --account" },
	{ "Publish", "Publish", put_entries, false, "the set" },
	{ "ConnectStart", "ConnectStart", put_start, false,
	    "--account --connect --ask --parent --pin" },
	{ "ConnectPending", "ConnectPending", put_account, true,
	    "--account" },
	{ "ConnectComplete", "ConnectComplete", put_complete, true,
	    "--account --connect --answers --refuse --pin" },
	{ "ConnectStatus", "ConnectStatus", put_status, false,
	    "--account --connect" },
	{ "Changes", "Changes", put_changes, false,
	    "--store --since --wait, the fingerprint" },
};

#define N_REQUESTS	(sizeof(requests) / sizeof(requests[0]))

void
ms_requests_list(void)
{
	size_t i;

	for (i = 0; i < N_REQUESTS; i++)
		printf("%-24s%s%s\n", requests[i].name, requests[i].what,
		    requests[i].is_signed ?
		    "; signed: --portal --nonce --time" : "");
}

static size_t
find_request(const struct ms_set *set)
{
	const char *name = ask(set, "--request", NULL);
	size_t i;

	if (name == NULL)
		ms_die("an option of a request without --request");
	for (i = 0; i < N_REQUESTS; i++) {
		if (strcmp(requests[i].name, name) == 0)
			return i;
	}
	ms_die("there is no request '%s'; see --requests", name);
}

/* The tagged object, signed or not, edited. */
struct mk_text
ms_request(struct ms_set *set, struct mk_text profile_set)
{
	struct asking a = { .set = set, .profile_set = profile_set };
	const char *role = ms_signer(set, set->signer), *signer;
	size_t i = find_request(set);
	bool is_signed = requests[i].is_signed;
	struct ms_sealed sealed;
	struct mk_text text;

	if (ask(set, "--signed", NULL) != NULL)
		is_signed = true;
	if (ask(set, "--unsigned", NULL) != NULL)
		is_signed = false;
	signer = ms_pair_get(set->signers, "request");
	mk_buf_init(&a.body, MS_TEXT_MAX);
	if (is_signed)
		put_signed_part(&a, &ms_key(set, signer != NULL ? signer :
		    role)->pub.udf);
	requests[i].put(&a);
	text = ms_done(set, &a.body);
	text = ms_text(ms_printf(set, "{\"%s\":{%s}}", requests[i].tag,
	    text.s));
	if (is_signed) {
		seal(set, "request", role, text, &sealed);
		text = ms_text(ms_printf(set, "{\"SignedRequest\":%s}",
		    sealed.text.s));
	} else {
		ms_edit_apply(set, "request", NULL, &text);
	}
	ms_edit_apply(set, "body", NULL, &text);
	return text;
}
