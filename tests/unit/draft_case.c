/* SPDX-License-Identifier: ISC */
#include "draft_case.h"

#include <check.h>
#include <string.h>

#include "core/limits.h"

#define DC_BUILD		(MADE_NOW - 30 * MK_DAY)

struct draft_case dc;
static struct mk_arena verifying;
static uint8_t online_sk[MK_ED25519_SECRET];

void
dc_use_online(const char *role)
{
	struct mk_pubkey key;

	made_key("alice", role, &key, online_sk);
	dc.online = (struct mk_signer){ .udf = key.udf, .sk = online_sk };
}

void
dc_setup(void)
{
	struct mk_pubkey key;

	mk_buf_init(&dc.newest, MK_SET_MAX);
	mk_arena_init(&verifying, 0);
	mk_arena_init(&dc.arena, SIZE_MAX);
	made_key("alice", "master", &key, NULL);
	dc.root = key.udf;
	dc_use_online("online0");
	dc.signing = (struct mk_draft_signing){ .online = &dc.online,
	    .now = MADE_NOW, .build_time = DC_BUILD, .expires = MK_TIME_NONE };
	memset(dc.signing.random, 0xff, sizeof(dc.signing.random));
	memset(&dc.why, 0, sizeof(dc.why));
	dc.draft = NULL;
}

void
dc_teardown(void)
{
	mk_arena_release(&dc.arena);
	mk_arena_release(&verifying);
	mk_buf_release(&dc.newest);
}

void
dc_ok(int r)
{
	ck_assert_msg(r == 0, "%d %s: %s", r, dc.why.stage, dc.why.detail);
}

void
dc_refused(int r, const char *stage, const char *words)
{
	ck_assert_int_eq(r, MK_E_REFUSED);
	ck_assert_int_eq(dc.why.code, r);
	ck_assert_msg(strcmp(dc.why.stage, stage) == 0 &&
	    strstr(dc.why.detail, words) != NULL,
	    "'%s: %s' instead of '%s: %s'", dc.why.stage, dc.why.detail, stage,
	    words);
}

static void
verify(void)
{
	struct mk_demand demand = {
	    .set = (const uint8_t *)dc.newest.data, .set_len = dc.newest.len,
	    .udf = dc.root, .now = dc.signing.now, .build_time = DC_BUILD,
	    .max_set = MK_SET_MAX, .max_devices = MK_DEVICES_MAX,
	    .key_types = MK_SSH_ALL, .open_all = true };

	mk_arena_release(&verifying);
	dc_ok(made_verify(&verifying, &demand, &dc.view, &dc.why));
}

struct mk_bytes
dc_set(void)
{
	return (struct mk_bytes){ (const uint8_t *)dc.newest.data,
	    dc.newest.len };
}

void
dc_next(void)
{
	struct mk_bytes set = dc_set();

	dc_ok(mk_draft_next(&dc.arena, &set, dc.view, &dc.draft, &dc.why));
}

void
dc_start(const struct recipe *recipe)
{
	struct made made;

	made_set(recipe, &made);
	mk_buf_cut(&dc.newest, 0);
	mk_buf_put(&dc.newest, made.set.data, made.set.len);
	made_release(&made);
	verify();
	dc_next();
}

int
dc_sign(struct mk_buf *out)
{
	return mk_draft_sign(dc.draft, &dc.signing, out, &dc.why);
}

void
dc_publish(void)
{
	struct mk_buf out;

	mk_buf_init(&out, MK_SET_MAX);
	dc_ok(dc_sign(&out));
	mk_buf_release(&dc.newest);
	dc.newest = out;
	verify();
	dc_next();
}

void
dc_sign_refused(const char *stage, const char *words)
{
	struct mk_buf out;

	mk_buf_init(&out, MK_SET_MAX);
	dc_refused(dc_sign(&out), stage, words);
	ck_assert_uint_eq(out.len, 0);
	mk_buf_release(&out);
}

struct mk_udf
dc_udf(const char *role)
{
	struct mk_pubkey key;

	made_key("alice", role, &key, NULL);
	return key.udf;
}

const char *
dc_keep(const struct mk_buf *b)
{
	const char *s = mk_arena_dup(&dc.arena, b->data, b->len);

	ck_assert_ptr_nonnull(s);
	return s;
}

/* A text sealed by a role. */
struct mk_envelope
dc_seal(const char *role, const char *id, struct mk_buf *text)
{
	uint8_t sk[MK_ED25519_SECRET];
	struct mk_signer signer = { .sk = sk };
	struct mk_unsigned what = { .id = id, .len = text->len };
	struct mk_envelope env;
	struct mk_pubkey key;

	what.payload = (const uint8_t *)dc_keep(text);
	mk_buf_release(text);
	made_key("alice", role, &key, sk);
	signer.udf = key.udf;
	dc_ok(mk_seal(&dc.arena, &what, &signer, &env, &dc.why));
	return env;
}

/* The DeviceProfile of one role, signed by another. */
struct mk_envelope
dc_device(const char *role, const char *signer, const char *name)
{
	struct mk_device d = { .name = { name, strlen(name) } };
	char id[MK_UDF_TEXT + 1];
	struct mk_buf text;

	made_key("alice", role, &d.key, NULL);
	d.id = d.key.udf;
	mk_udf_format(&d.id, id);
	mk_buf_init(&text, MK_SET_MAX);
	mk_device_write(&d, &text);
	return dc_seal(signer, id, &text);
}

int
dc_add_this(const struct mk_envelope *device)
{
	return mk_draft_add(dc.draft, device, &dc.why);
}

int
dc_add(const char *role)
{
	struct mk_envelope env = dc_device(role, role, "laptop");

	return dc_add_this(&env);
}

int
dc_delete(const char *role)
{
	struct mk_udf udf = dc_udf(role);

	return mk_draft_delete(dc.draft, &udf, &dc.why);
}

int
dc_unenrol(const char *role)
{
	struct mk_udf udf = dc_udf(role);

	return mk_draft_unenrol(dc.draft, &udf, &dc.why);
}

struct mk_ssh_device
dc_element(const char *device, const char *role, bool mesh_form)
{
	struct mk_ssh_device d = { .device = dc_udf(device),
	    .mesh_form = mesh_form };
	struct mk_pubkey key;
	struct mk_buf blob;

	made_key("alice", role, &key, NULL);
	mk_buf_init(&blob, MK_STRING_LONG);
	mk_sshkey_from_ed25519(key.ed25519, &blob);
	dc_ok(mk_sshkey_parse((const uint8_t *)dc_keep(&blob), blob.len, &d.key,
	    &dc.why));
	mk_buf_release(&blob);
	return d;
}

int
dc_enrol_this(const struct mk_ssh_device *d)
{
	return mk_draft_enrol(dc.draft, d, &dc.why);
}

int
dc_enrol(const char *device, const char *role, bool mesh_form)
{
	struct mk_ssh_device d = dc_element(device, role, mesh_form);

	return dc_enrol_this(&d);
}

int
dc_enrol_host(const char *device)
{
	struct mk_ssh_device d = { .device = dc_udf(device), .host = true,
	    .proof = { "not base64!", 11 } };

	return dc_enrol_this(&d);
}

int
dc_birth(const struct mk_draft_birth *birth)
{
	return mk_draft_first(&dc.arena, birth, &dc.draft, &dc.why);
}

void
dc_first(void)
{
	uint8_t sk[MK_ED25519_SECRET];
	struct mk_signer master = { .udf = dc.root, .sk = sk };
	struct mk_draft_birth birth = { .master = &master,
	    .device = dc_device("device0", "device0", "laptop"),
	    .now = MADE_NOW };
	struct mk_pubkey key;

	made_key("alice", "master", &key, sk);
	made_key("alice", "online0", &birth.online, NULL);
	dc_ok(dc_birth(&birth));
}
