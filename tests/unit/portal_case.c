/* SPDX-License-Identifier: ISC */
#include "portal_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "core/base64.h"
#include "core/digest.h"
#include "core/limits.h"
#include "tree.h"

#define DIR_NAME	"/portal"
#define BODY_MAX	((size_t)64 << 20)

struct portal_case pc;

static void
open_store(void)
{
	struct mk_why why;
	int r;

	r = portal_store_open(tree_path(DIR_NAME), true, &pc.portal.store,
	    &why);
	ck_assert_msg(r == 0, "%s", why.detail);
}

void
case_setup(void)
{
	struct mk_why why;

	memset(&pc, 0, sizeof(pc));
	tree_setup();
	open_store();
	ck_assert_int_eq(portal_waiting_new(&pc.portal.waiting, &why), 0);
	mk_buf_init(&pc.portal.names[0], 300);
	mk_buf_puts(&pc.portal.names[0], "portal.example:443");
	mk_buf_init(&pc.portal.names[1], 300);
	mk_buf_puts(&pc.portal.names[1], CASE_NAME);
	pc.portal.n_names = 2;
	pc.portal.max_profiles = PORTAL_PROFILES_MAX;
	pc.portal.max_size = UINT64_MAX;
	pc.address = CASE_ADDRESS;
	pc.now = MADE_NOW;
	mk_arena_init(&pc.arena, MK_ARENA_FLOOR);
	mk_buf_init(&pc.body, BODY_MAX);
}

const char *
case_dir(void)
{
	return tree_dir;
}

void
case_teardown(void)
{
	mk_buf_release(&pc.reply.text);
	mk_buf_release(&pc.body);
	mk_arena_release(&pc.arena);
	mk_buf_release(&pc.portal.names[0]);
	mk_buf_release(&pc.portal.names[1]);
	portal_waiting_free(pc.portal.waiting);
	portal_limits_free(pc.portal.limits);
	portal_store_close(pc.portal.store);
	tree_teardown();
}

void
case_reopen(void)
{
	portal_store_close(pc.portal.store);
	open_store();
}

static struct portal_call
call(void)
{
	mk_buf_release(&pc.reply.text);
	mk_arena_release(&pc.arena);
	/* Whatever stood there before. */
	memset(&pc.reply, 0xa5, sizeof(pc.reply));
	return (struct portal_call){ .body = {
	    .data = (const uint8_t *)pc.body.data, .len = pc.body.len },
	    .address = pc.address, .now = pc.now, .ticks = 1000 * pc.now };
}

/* The answer is JSON that says its status, as a client reads it. */
static int
check_answer(void)
{
	struct mk_json_notes notes = { 0 };
	struct mk_json_text text = { .s = pc.reply.text.data,
	    .len = pc.reply.text.len, .stage = "answer", .notes = &notes };
	const struct mk_json *json, *status;
	struct mk_arena a;
	struct mk_why why;
	char number[16];

	if (pc.reply.waits)
		return 0;
	ck_assert_int_eq(pc.reply.text.failed, 0);
	mk_arena_init(&a, mk_verify_memory(text.len));
	ck_assert_int_eq(mk_json_parse(&a, &text, &json, &why), 0);
	ck_assert_uint_eq(json->count, 1);
	status = mk_json_member(json->child, "Status");
	ck_assert_ptr_nonnull(status);
	(void)snprintf(number, sizeof(number), "%.*s", (int)status->len,
	    status->str);
	/* A set that is read is the file itself, and HTTP says 200. */
	if (pc.reply.status != 200)
		ck_assert_int_eq(atoi(number), pc.reply.status);
	mk_arena_release(&a);
	return pc.reply.status;
}

int
case_post(void)
{
	struct portal_call c = call();

	portal_serve(&pc.portal, &pc.arena, &c, &pc.reply);
	return check_answer();
}

int
case_say(const char *text)
{
	mk_buf_cut(&pc.body, 0);
	mk_buf_puts(&pc.body, text);
	return case_post();
}

int
case_read(const char *path)
{
	struct portal_call c = call();

	c.body.len = 0;
	portal_read(&pc.portal, &pc.arena, path, &c, &pc.reply);
	return check_answer();
}

bool
case_tells(const char *text)
{
	return memmem(pc.reply.text.data, pc.reply.text.len, text,
	    strlen(text)) != NULL;
}

static int
hash_row(void *arg, int n, char **values, char **names)
{
	uint8_t *digest = arg;
	struct mk_buf text;
	int i;

	(void)names;
	mk_buf_init(&text, BODY_MAX);
	mk_buf_put(&text, digest, 64);
	for (i = 0; i < n; i++) {
		mk_buf_puts(&text, values[i]);
		mk_buf_putc(&text, '\n');
	}
	ck_assert_int_eq(text.failed, 0);
	mk_sha512((const uint8_t *)text.data, text.len, digest);
	mk_buf_release(&text);
	return 0;
}

void
case_state(uint8_t digest[64])
{
	static const char *const all[] = {
	    "SELECT quote(id), last FROM store",
	    "SELECT n, quote(udf), change, quote(digest), quote(online), "
	    "quote(deleted), quote(personal), quote(bytes) FROM profile "
	    "ORDER BY n",
	    "SELECT n, name, quote(udf), closed FROM account ORDER BY n",
	    ("SELECT n, account, quote(device), quote(envelope), "
	    "quote(witness), quote(asked), quote(address) FROM pending "
	    "ORDER BY n"),
	    ("SELECT n, account, quote(device), quote(envelope), "
	    "quote(witness), quote(came) FROM result ORDER BY n") };
	sqlite3 *db;
	size_t i;

	memset(digest, 0, 64);
	ck_assert_int_eq(sqlite3_open_v2(tree_path(DIR_NAME "/portal.db"),
	    &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		ck_assert_int_eq(sqlite3_exec(db, all[i], hash_row, digest,
		    NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

void
case_refused(int status)
{
	uint8_t before[64], after[64];
	int got;

	case_state(before);
	got = case_post();
	ck_assert_msg(got == status, "%d instead of %d: %s", got, status,
	    pc.reply.text.data);
	case_state(after);
	ck_assert_mem_eq(before, after, sizeof(before));
	ck_assert((status == 429) == (pc.reply.retry_after > 0));
}

/* The signing of a request, in the memory of the test. */
struct signing {
	struct mk_signing s;
	uint8_t sk[MK_ED25519_SECRET];
	struct mk_account account;
	struct mk_arena arena;
};

static void
begin(const struct case_signer *by, struct signing *g)
{
	static unsigned nonces = 1000;
	const char *account = by->account != NULL ? by->account : ALICE;
	unsigned nonce = by->nonce != 0 ? by->nonce : ++nonces;
	struct mk_pubkey key;

	memset(g, 0, sizeof(*g));
	made_key(by->seed != NULL ? by->seed : "alice",
	    by->role != NULL ? by->role : "online0", &key, g->sk);
	ck_assert(mk_account_parse(account, strlen(account), &g->account));
	g->s = (struct mk_signing){
	    .portal = by->portal != NULL ? by->portal : CASE_NAME,
	    .account = &g->account,
	    .time = by->time != 0 ? by->time : pc.now,
	    .signer = { .udf = key.udf, .sk = g->sk } };
	memcpy(g->s.nonce, &nonce, sizeof(nonce));
	mk_arena_init(&g->arena, SIZE_MAX);
	mk_buf_cut(&pc.body, 0);
}

static struct mk_bytes
bytes_of(const struct made *set)
{
	return (struct mk_bytes){ .data = (const uint8_t *)set->set.data,
	    .len = set->set.len };
}

void
case_create(const struct case_signer *by, const struct made *set)
{
	struct mk_bytes bytes = bytes_of(set);
	struct signing g;
	struct mk_why why;

	begin(by, &g);
	ck_assert_int_eq(mk_create_write(&g.arena, &g.s, &bytes, &pc.body,
	    &why), 0);
	mk_arena_release(&g.arena);
}

void
case_delete(const struct case_signer *by)
{
	struct signing g;
	struct mk_why why;

	begin(by, &g);
	ck_assert_int_eq(mk_remove_write(&g.arena, &g.s, &pc.body, &why),
	    0);
	mk_arena_release(&g.arena);
}

void
case_pending(const struct case_signer *by)
{
	struct signing g;
	struct mk_why why;

	begin(by, &g);
	ck_assert_int_eq(mk_pending_write(&g.arena, &g.s, &pc.body, &why),
	    0);
	mk_arena_release(&g.arena);
}

void
case_publish(const struct made *set)
{
	struct mk_bytes bytes = bytes_of(set);
	struct mk_arena a;
	struct mk_why why;

	mk_arena_init(&a, SIZE_MAX);
	mk_buf_cut(&pc.body, 0);
	ck_assert_int_eq(mk_publish_write(&a, &bytes, &pc.body, &why), 0);
	mk_arena_release(&a);
}

void
case_set(const struct case_version *v, struct made *ret_made)
{
	char text[256], digest[MK_B64URL_LEN(MK_DIGEST) + 1] = "";
	struct made_edit edit = { "personal", "\"SignedMasterProfile\":",
	    text };
	struct recipe r = { .n_devices = 2, .n_keys = 1,
	    .updated = v->updated, .master_updated = v->master_updated,
	    .deleted = v->deleted, .n_deleted = v->n_deleted,
	    .n_online = v->n_online, .edits = &edit };
	struct mk_version version;

	if (v->previous != NULL) {
		version = made_version(v->previous);
		mk_b64url_encode(version.personal, MK_DIGEST, digest);
		(void)snprintf(text, sizeof(text),
		    "\"Previous\":[\"%s\"],%s", digest, edit.from);
		r.n_edits = 1;
	}
	made_set(&r, ret_made);
}

void
case_alice(const struct case_version *v)
{
	static const struct case_signer by = { 0 };
	struct made set;

	case_set(v, &set);
	case_create(&by, &set);
	ck_assert_int_eq(case_post(), 201);
	made_release(&set);
}

static void
put_device(const struct case_request *r, struct mk_arena *a,
    struct mk_connection_request *req)
{
	uint8_t sk[MK_ED25519_SECRET];
	struct mk_signer signer = { .sk = sk };
	struct mk_buf *text = mk_arena_alloc(a, sizeof(*text));
	char id[MK_UDF_TEXT + 1];
	struct mk_unsigned what = { .id = id };
	struct mk_why why;

	made_key(r->device, "device0", &req->device.key, sk);
	req->device.id = signer.udf = req->device.key.udf;
	mk_udf_format(&req->device.id, id);
	mk_buf_init(text, BODY_MAX);
	mk_device_write(&req->device, text);
	what.len = text->len;
	what.payload = (uint8_t *)mk_arena_dup(a, text->data, text->len);
	mk_buf_release(text);
	ck_assert_int_eq(mk_seal(a, &what, &signer, &req->envelope, &why),
	    0);
}

/* The payload, with members that nobody knows. */
static void
put_payload(const struct case_request *r,
    const struct mk_connection_request *req, struct mk_buf *text)
{
	char filler[1001] = "", name[32];
	unsigned i;

	memset(filler, 'x', sizeof(filler) - 1);
	mk_connection_request_write(req, text);
	mk_buf_cut(text, text->len - 2);
	for (i = 0; i < r->pad; i++) {
		(void)snprintf(name, sizeof(name), ",\"X%u\":\"", i);
		mk_buf_puts(text, name);
		mk_buf_puts(text, filler);
		mk_buf_putc(text, '"');
	}
	mk_buf_puts(text, "}}");
}

static const uint8_t witness[MK_WITNESS] = "a witness";

void
case_start(const struct case_request *r, const char *name,
    uint8_t digest[MK_DIGEST], struct mk_udf *ret_device)
{
	static unsigned nonces;
	struct mk_connection_request req = { .time = pc.now };
	struct case_request who = *r;
	uint8_t sk[MK_ED25519_SECRET];
	struct mk_signer signer = { .sk = sk };
	char id[MK_UDF_TEXT + 1];
	struct mk_unsigned what = { .id = id };
	struct mk_account account;
	struct mk_envelope env;
	struct mk_pubkey key;
	struct mk_arena a;
	struct mk_buf text;
	struct mk_why why;

	mk_arena_init(&a, SIZE_MAX);
	mk_buf_init(&text, BODY_MAX);
	if (who.device == NULL)
		who.device = "bob";
	put_device(&who, &a, &req);
	made_key("alice", "master", &key, NULL);
	req.parent = r->parent != NULL ? *r->parent : key.udf;
	if (r->time != 0)
		req.time = r->time;
	nonces++;
	memcpy(req.nonce, &nonces, sizeof(nonces));
	put_payload(r, &req, &text);
	what.payload = (uint8_t *)text.data;
	what.len = text.len;
	mk_udf_format(&req.device.id, id);
	made_key(r->signer != NULL ? r->signer : who.device, "device0", &key,
	    sk);
	signer.udf = req.device.id;
	ck_assert_int_eq(mk_seal(&a, &what, &signer, &env, &why), 0);
	ck_assert(mk_account_parse(name, strlen(name), &account));
	mk_buf_cut(&pc.body, 0);
	mk_connect_start_write(&account, &env, r->witness ? witness : NULL,
	    &pc.body);
	if (digest != NULL)
		memcpy(digest, env.digest, MK_DIGEST);
	if (ret_device != NULL)
		*ret_device = req.device.id;
	mk_buf_release(&text);
	mk_arena_release(&a);
}

void
case_complete(const struct case_signer *by, const struct case_result *r)
{
	struct mk_connection_result result = { .device = *r->device,
	    .accepted = !r->refused };
	uint8_t sk[MK_ED25519_SECRET];
	struct mk_signer signer = { .sk = sk };
	struct mk_result_out out = { .witness = r->witness ? witness :
	    NULL };
	char id[MK_UDF_TEXT + 1];
	struct mk_unsigned what = { .id = id };
	struct mk_envelope env;
	struct mk_pubkey key;
	struct mk_buf text;
	struct signing g;
	struct mk_why why;

	begin(by, &g);
	mk_buf_init(&text, BODY_MAX);
	memcpy(result.request, r->request, MK_DIGEST);
	made_key("alice", r->signer != NULL ? r->signer : "online0", &key,
	    sk);
	signer.udf = key.udf;
	mk_udf_format(&key.udf, id);
	mk_connection_result_write(&result, &key.udf, &text);
	what.payload = (uint8_t *)text.data;
	what.len = text.len;
	ck_assert_int_eq(mk_seal(&g.arena, &what, &signer, &env, &why), 0);
	out.result = &env;
	ck_assert_int_eq(mk_complete_write(&g.arena, &g.s, &out, &pc.body,
	    &why), 0);
	mk_buf_release(&text);
	mk_arena_release(&g.arena);
}

const char *
case_path(const struct made *set)
{
	static char path[MK_UDF_TEXT + sizeof(".json")];
	char udf[MK_UDF_TEXT + 1];

	mk_udf_format(&set->udf, udf);
	(void)snprintf(path, sizeof(path), "%s.json", udf);
	return path;
}

/* That very set is stored. */
void
case_stored(const struct made *set)
{
	ck_assert_int_eq(case_read(case_path(set)), 200);
	ck_assert_uint_eq(pc.reply.text.len, set->set.len);
	ck_assert_mem_eq(pc.reply.text.data, set->set.data, set->set.len);
}
