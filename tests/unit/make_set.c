/* SPDX-License-Identifier: ISC */
#include "make_set.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/digest.h"
#include "core/json.h"
#include "core/limits.h"
#include "core/timestamp.h"
#include "core/write.h"

#define TEXT_MAX	((size_t)64 << 20)
#define APPLICATION	"RAAAA-BBBBB-CCCCC-DDDDD-EEEEE-FFFFF"

/* A set on its way. */
struct maker {
	const struct recipe *r;
	struct made *made;
	const char *seed, *device_seed;
	struct mk_master master;
	struct mk_personal personal;
	struct mk_ssh ssh;
	struct mk_envelope master_env, ssh_env, *device_envs;
};

/* A text that is to be signed. */
struct job {
	const char *level;
	struct mk_udf id;
	const char *seed, *signer;
};

void
made_key(const char *seed, const char *role, struct mk_pubkey *ret_key,
    uint8_t sk[MK_ED25519_SECRET])
{
	uint8_t hash[MK_DIGEST], pk[MK_ED25519_PUBLIC];
	uint8_t secret[MK_ED25519_SECRET];
	char text[128];

	(void)snprintf(text, sizeof(text), "%s/%s", seed, role);
	mk_sha512((const uint8_t *)text, strlen(text), hash);
	mk_ed25519_pair(hash, pk, secret);
	mk_pubkey_from_ed25519(pk, ret_key);
	if (sk != NULL)
		memcpy(sk, secret, sizeof(secret));
}

struct mk_udf
made_udf(unsigned n)
{
	struct mk_udf udf;

	mk_udf_of_der(MK_UDF_HIGH_BITS, (const uint8_t *)&n, sizeof(n), &udf);
	return udf;
}

static void *
take(struct maker *m, size_t n, size_t size)
{
	void *p = mk_arena_array(&m->made->arena, n, size);

	ck_assert_ptr_nonnull(p);
	return p;
}

/* What a buffer holds, in the arena; releases the buffer. */
static struct mk_text
done(struct maker *m, struct mk_buf *b)
{
	struct mk_text text = { .len = b->len };

	ck_assert_int_eq(b->failed, 0);
	text.s = mk_arena_dup(&m->made->arena, b->data, b->len);
	ck_assert_ptr_nonnull(text.s);
	mk_buf_release(b);
	return text;
}

static struct mk_text
replace(struct maker *m, struct mk_text text, const struct made_edit *e)
{
	const char *end = text.s + text.len, *at;
	size_t len = strlen(e->from);
	struct mk_buf b;

	at = memmem(text.s, text.len, e->from, len);
	ck_assert_msg(at != NULL, "'%s' is not in '%s'", e->from, e->level);
	mk_buf_init(&b, TEXT_MAX);
	mk_buf_put(&b, text.s, (size_t)(at - text.s));
	mk_buf_puts(&b, e->to);
	mk_buf_put(&b, at + len, (size_t)(end - at) - len);
	return done(m, &b);
}

static struct mk_text
edit(struct maker *m, const char *level, struct mk_text text)
{
	size_t i;

	for (i = 0; i < m->r->n_edits; i++) {
		if (strcmp(m->r->edits[i].level, level) == 0)
			text = replace(m, text, &m->r->edits[i]);
	}
	return text;
}

static struct mk_envelope
seal(struct maker *m, const struct job *job, struct mk_buf *b)
{
	struct mk_text text = edit(m, job->level, done(m, b));
	uint8_t sk[MK_ED25519_SECRET];
	struct mk_signer signer = { .sk = sk };
	char id[MK_UDF_TEXT + 1];
	struct mk_unsigned what = { .id = id,
	    .payload = (const uint8_t *)text.s, .len = text.len };
	struct mk_envelope env;
	struct mk_pubkey key;
	struct mk_why why;

	made_key(job->seed, job->signer, &key, sk);
	signer.udf = key.udf;
	if (m->r->forged != NULL && strcmp(m->r->forged, job->level) == 0)
		made_key("mallory", "stranger", &key, sk);
	mk_udf_format(&job->id, id);
	ck_assert_int_eq(mk_seal(&m->made->arena, &what, &signer, &env,
	    &why), 0);
	return env;
}

static void
make_master(struct maker *m)
{
	unsigned i, n = m->r->n_online > 0 ? m->r->n_online : 1;
	struct job job = { .level = "master", .seed = m->seed,
	    .signer = "master" };
	struct mk_pubkey device;
	struct mk_buf text;
	char role[32];

	made_key(m->seed, "master", &m->master.key, NULL);
	job.id = m->master.id = m->made->udf = m->master.key.udf;
	m->master.updated = m->r->master_updated != 0 ?
	    m->r->master_updated : MADE_UPDATED;
	m->master.online = take(m, n, sizeof(*m->master.online));
	m->master.n_online = n;
	made_key(m->seed, "device0", &device, NULL);
	for (i = 0; i < n; i++) {
		(void)snprintf(role, sizeof(role), "online%u", i);
		made_key(m->seed, role, &m->master.online[i].key, NULL);
		m->master.online[i].device = device.udf;
	}
	mk_buf_init(&text, TEXT_MAX);
	mk_master_write(&m->master, &text);
	m->master_env = seal(m, &job, &text);
}

static void
make_device(struct maker *m, unsigned i)
{
	static const char about[] = "a machine", name[] = "laptop";
	struct mk_device d = { .name = { name, strlen(name) },
	    .description = { about, strlen(about) } };
	struct job job = { .seed = m->device_seed };
	struct mk_buf text;
	char role[32];

	(void)snprintf(role, sizeof(role), "device%u", i);
	made_key(m->device_seed, role, &d.key, NULL);
	d.id = job.id = d.key.udf;
	job.level = job.signer = role;
	mk_buf_init(&text, TEXT_MAX);
	mk_device_write(&d, &text);
	m->device_envs[i] = seal(m, &job, &text);
}

/* An SSH key as a blob of its own. */
static void
make_ssh_key(struct maker *m, const char *role, struct mk_ssh_device *d)
{
	struct mk_pubkey key;
	struct mk_text text;
	struct mk_buf blob;

	made_key(m->device_seed, role, &key, NULL);
	mk_buf_init(&blob, MK_STRING_LONG);
	mk_sshkey_from_ed25519(key.ed25519, &blob);
	text = done(m, &blob);
	d->mesh_form = !m->r->openssh;
	ck_assert_int_eq(mk_sshkey_parse((const uint8_t *)text.s, text.len,
	    &d->key, NULL), 0);
}

static void
make_ssh(struct maker *m)
{
	struct job job = { .level = "ssh", .seed = m->seed,
	    .signer = m->r->ssh_signer };
	size_t n = (size_t)m->r->n_devices * m->r->n_keys, i;
	struct mk_ssh_device *list = take(m, n, sizeof(*list));
	struct mk_buf text;
	char role[64];

	for (i = 0; i < n; i++) {
		list[i].device = m->device_envs[i / m->r->n_keys].kid;
		if (m->r->description != NULL)
			list[i].description = (struct mk_text){
			    m->r->description, strlen(m->r->description) };
		(void)snprintf(role, sizeof(role), "ssh%zu.%zu",
		    i / m->r->n_keys, i % m->r->n_keys);
		make_ssh_key(m, role, &list[i]);
	}
	if (job.signer == NULL)
		job.signer = "online0";
	ck_assert(mk_udf_parse(APPLICATION, MK_UDF_TEXT, &job.id));
	m->ssh.id = (struct mk_text){ APPLICATION, MK_UDF_TEXT };
	m->ssh.devices = list;
	m->ssh.n_devices = n;
	mk_buf_init(&text, TEXT_MAX);
	mk_ssh_write(&m->ssh, &text);
	m->ssh_env = seal(m, &job, &text);
}

static struct mk_envelope
make_personal(struct maker *m)
{
	struct mk_app app = { .id = m->ssh.id, .type = { "SSHProfile", 10 } };
	struct job job = { .level = "personal", .id = m->master.id,
	    .seed = m->seed, .signer = m->r->personal_signer };
	struct mk_personal p = { .id = m->master.id, .updated = MADE_UPDATED,
	    .expires = MK_TIME_NONE, .deleted = m->r->deleted,
	    .n_deleted = m->r->n_deleted,
	    .n_devices = m->r->n_devices + m->r->n_bare,
	    .apps = &app, .n_apps = m->r->no_ssh ? 0 : 1 };
	struct mk_buf text;

	if (m->r->updated != 0)
		p.updated = m->r->updated;
	if (m->r->expires != 0)
		p.expires = m->r->expires;
	memcpy(app.digest, m->ssh_env.digest, sizeof(app.digest));
	if (job.signer == NULL)
		job.signer = "online0";
	mk_buf_init(&text, TEXT_MAX);
	mk_personal_write(&p, &m->master_env, m->device_envs, &text);
	return seal(m, &job, &text);
}

void
made_set(const struct recipe *recipe, struct made *ret_made)
{
	struct maker m = { .r = recipe, .made = ret_made,
	    .seed = recipe->seed != NULL ? recipe->seed : "alice" };
	struct mk_envelope personal;
	struct mk_text text;
	unsigned i, n = recipe->n_devices + recipe->n_bare;

	memset(ret_made, 0, sizeof(*ret_made));
	mk_arena_init(&ret_made->arena, SIZE_MAX);
	m.device_seed = recipe->other != NULL ? recipe->other : m.seed;
	make_master(&m);
	m.device_envs = take(&m, n, sizeof(*m.device_envs));
	for (i = 0; i < n; i++)
		make_device(&m, i);
	if (!recipe->no_ssh)
		make_ssh(&m);
	personal = make_personal(&m);
	mk_buf_init(&ret_made->set, TEXT_MAX);
	mk_set_write(&personal, &m.ssh_env, recipe->no_ssh ? 0 : 1,
	    &ret_made->set);
	text = edit(&m, "set", done(&m, &ret_made->set));
	mk_buf_put(&ret_made->set, text.s, text.len);
	ck_assert_int_eq(ret_made->set.failed, 0);
}

void
made_release(struct made *made)
{
	mk_buf_release(&made->set);
	mk_arena_release(&made->arena);
}

const struct mk_json *
made_json(struct mk_arena *a, const char *text)
{
	struct mk_json_notes notes = { 0 };
	struct mk_json_text in = { .s = text, .len = strlen(text),
	    .stage = "test", .notes = &notes };
	const struct mk_json *json = NULL;
	struct mk_why why;
	int r = mk_json_parse(a, &in, &json, &why);

	ck_assert_msg(r == 0, "%s: %s", why.detail, text);
	return json;
}

struct mk_demand
made_demand(const struct made *made)
{
	return (struct mk_demand){ .set = (const uint8_t *)made->set.data,
	    .set_len = made->set.len, .udf = made->udf, .now = MADE_NOW,
	    .build_time = MADE_NOW - 30 * MK_DAY, .max_set = MK_SET_MAX,
	    .max_devices = MK_DEVICES_MAX, .key_types = MK_SSH_ALL };
}

int
made_verify(struct mk_arena *a, const struct mk_demand *demand,
    const struct mk_verified_view **ret_view, struct mk_why *why)
{
	const struct mk_verified *verified = NULL;
	int r;

	memset(why, 0, sizeof(*why));
	mk_arena_init(a, mk_verify_memory(demand->set_len));
	r = mk_verify(a, demand, &verified, why);
	/* What fails gives nothing away. */
	ck_assert((r == 0) == (verified != NULL));
	ck_assert_int_eq(why->code, r);
	if (r == 0 && ret_view != NULL)
		*ret_view = mk_verified_view(verified);
	return r;
}

struct mk_version
made_version(const struct made *made)
{
	struct mk_demand demand = made_demand(made);
	const struct mk_verified_view *view;
	struct mk_version version;
	struct mk_arena a;
	struct mk_why why;
	int r;

	demand.now = INT64_C(7000000000);	/* after all that is made */
	demand.even_expired = true;
	r = made_verify(&a, &demand, &view, &why);
	ck_assert_msg(r == 0, "%s", why.detail);
	version = view->version;
	mk_arena_release(&a);
	return version;
}
