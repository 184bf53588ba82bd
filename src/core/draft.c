/* SPDX-License-Identifier: ISC */
#include "core/draft_impl.h"

#include <string.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/ed25519.h"
#include "core/err.h"
#include "core/json.h"
#include "core/limits.h"
#include "core/members.h"
#include "core/set.h"
#include "core/timestamp.h"
#include "core/verify.h"

/* A MasterProfile of one online key is far shorter. */
#define MASTER_MAX	4096u

/* A set that is taken apart. */
struct apart {
	struct mk_draft *d;
	struct mk_set set;
	struct mk_json_notes notes;	/* judged when it was verified */
	const struct mk_json *body;	/* of P */
	struct mk_why *why;
};

static struct mk_draft *
new_draft(struct mk_arena *a)
{
	struct mk_draft *d = mk_arena_alloc(a, sizeof(*d));

	if (d != NULL)
		d->arena = a;
	return d;
}

/* The first MasterProfile: one online key, which the device holds. */
static int
seal_master(struct mk_draft *d, const struct mk_signer *signer,
    struct mk_why *why)
{
	struct mk_unsigned what;
	char id[MK_UDF_TEXT + 1], *payload;
	struct mk_buf text;
	int r;

	mk_buf_init(&text, MASTER_MAX);
	mk_master_write(&d->master, &text);
	if ((r = mk_buf_check(&text, why, "master")) != 0)
		goto out;
	payload = mk_arena_dup(d->arena, text.data, text.len);
	if (payload == NULL) {
		r = mk_arena_fail(d->arena, why);
		goto out;
	}
	mk_udf_format(&d->master.id, id);
	what = (struct mk_unsigned){ .id = id,
	    .payload = (const uint8_t *)payload, .len = text.len };
	r = mk_seal(d->arena, &what, signer, &d->master_env, why);
out:
	mk_buf_release(&text);
	return r;
}

int
mk_draft_first(struct mk_arena *a, const struct mk_draft_birth *birth,
    struct mk_draft **ret_draft, struct mk_why *why)
{
	struct mk_draft *d = new_draft(a);
	struct mk_online *online = mk_arena_alloc(a, sizeof(*online));
	int r;

	if (d == NULL || online == NULL)
		return mk_arena_fail(a, why);
	mk_pubkey_from_ed25519(birth->master->sk + MK_ED25519_SEED,
	    &d->master.key);
	online->key = birth->online;
	d->master.id = d->master.key.udf;
	d->master.updated = birth->now;
	d->master.online = online;
	d->master.n_online = 1;
	/* A key has one role; that of the device is judged as it is added. */
	if (mk_udf_cmp(&online->key.udf, &d->master.id) == 0)
		return mk_fail(why, MK_E_REFUSED, "master",
		    "the online key is also the master key");
	if ((r = mk_draft_add(d, &birth->device, why)) != 0)
		return r;
	online->device = d->device_ids[0];
	if ((r = seal_master(d, birth->master, why)) != 0)
		return r;
	*ret_draft = d;
	return 0;
}

/* An envelope of the set and the object in it. */
static int
open_part(struct apart *x, const struct mk_json *obj,
    const struct mk_envelope_place *place, struct mk_envelope *ret_env,
    const struct mk_json **ret_body)
{
	int r;

	r = mk_envelope_open(x->d->arena, obj, place, ret_env, x->why);
	if (r != 0)
		return r;
	return mk_envelope_body(x->d->arena, ret_env, place, ret_body,
	    x->why);
}

static int
take_personal(struct apart *x, const struct mk_verified_view *view)
{
	struct mk_envelope_place place = { "personal", &x->notes,
	    "PersonalProfile" };
	struct mk_reading reading = { .arena = x->d->arena,
	    .gen = MK_GEN_CURRENT, .max_devices = MK_DEVICES_MAX,
	    .notes = &x->notes };
	struct mk_envelope env;
	int r;

	r = open_part(x, x->set.personal, &place, &env, &x->body);
	if (r != 0)
		return r;
	/* Nothing here is verified again, so it has to be the same bytes. */
	if (memcmp(env.digest, view->version.personal, MK_DIGEST) != 0)
		return mk_fail(x->why, MK_E_BUG, "personal",
		    "not the set that was verified");
	memcpy(x->d->before_digest, env.digest, MK_DIGEST);
	x->d->has_before = true;
	return mk_personal_read(&reading, x->body, &x->d->before, x->why);
}

static int
take_master(struct apart *x)
{
	struct mk_envelope_place place = { "master", &x->notes,
	    "MasterProfile" };
	struct mk_at at = { .obj = x->body, .stage = "personal",
	    .why = x->why };
	const struct mk_json *inside, *body;
	int r;

	if ((r = mk_at_member(&at, "SignedMasterProfile", MK_JSON_OBJECT,
	    MK_REQUIRED, &inside)) != 0 ||
	    (r = open_part(x, inside, &place, &x->d->master_env,
	    &body)) != 0)
		return r;
	return mk_master_read(x->d->arena, body, MK_GEN_CURRENT,
	    &x->d->master, x->why);
}

static int
take_devices(struct apart *x)
{
	struct mk_envelope_place place = { .stage = "device",
	    .notes = &x->notes };
	struct mk_draft *d = x->d;
	size_t n = d->before.n_devices, i;
	int r;

	d->devices = mk_arena_array(d->arena, n, sizeof(*d->devices));
	d->device_ids = mk_arena_array(d->arena, n, sizeof(*d->device_ids));
	d->deleted = mk_arena_array(d->arena, d->before.n_deleted,
	    sizeof(*d->deleted));
	if (d->devices == NULL || d->device_ids == NULL ||
	    d->deleted == NULL)
		return mk_arena_fail(d->arena, x->why);
	for (i = 0; i < n; i++) {
		r = mk_envelope_open(d->arena, d->before.devices[i].envelope,
		    &place, &d->devices[i], x->why);
		if (r != 0)
			return r;
		d->device_ids[i] = d->before.devices[i].id;
	}
	if (d->before.n_deleted > 0)
		memcpy(d->deleted, d->before.deleted,
		    d->before.n_deleted * sizeof(*d->deleted));
	d->n_devices = d->devices_room = d->ids_room = n;
	d->n_deleted = d->deleted_room = d->before.n_deleted;
	return 0;
}

static int
take_ssh(struct apart *x)
{
	struct mk_envelope_place place = { "ssh", &x->notes, "SSHProfile" };
	struct mk_draft *d = x->d;
	struct mk_reading reading = { .arena = d->arena,
	    .gen = MK_GEN_CURRENT, .max_devices = MK_DEVICES_MAX,
	    .notes = &x->notes };
	const struct mk_json *obj, *body;
	size_t n;
	int r;

	if ((r = mk_set_application(&x->set, &d->ssh_app->id, &obj,
	    x->why)) != 0 ||
	    (r = open_part(x, obj, &place, &d->ssh_env, &body)) != 0 ||
	    (r = mk_ssh_read(&reading, body, &d->before_ssh, x->why)) != 0)
		return r;
	n = d->before_ssh.n_devices;
	d->ssh = mk_arena_array(d->arena, n, sizeof(*d->ssh));
	if (d->ssh == NULL)
		return mk_arena_fail(d->arena, x->why);
	if (n > 0)
		memcpy(d->ssh, d->before_ssh.devices, n * sizeof(*d->ssh));
	d->n_ssh = d->ssh_room = n;
	return 0;
}

/* Another application of P by the outer Identifier of its envelope. */
static const struct mk_app *
find_other(const struct mk_draft *d, const struct mk_json *obj)
{
	const struct mk_json *id = mk_json_member(obj, "Identifier");
	const struct mk_app *app;
	size_t i;

	if (id == NULL || id->type != MK_JSON_STRING)
		return NULL;
	for (i = 0; i < d->before.n_apps; i++) {
		app = &d->before.apps[i];
		if (app != d->ssh_app && app->id.len == id->len &&
		    memcmp(app->id.s, id->str, id->len) == 0)
			return app;
	}
	return NULL;
}

static bool
is_taken(const struct mk_envelope *others, size_t n,
    const struct mk_envelope *env)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (memcmp(others[i].digest, env->digest, MK_DIGEST) == 0)
			return true;
	}
	return false;
}

/*
 * What stands beside P without being vouched for was never verified, and a
 * portal may have put it there: only that which has the digest in P stays.
 */
static int
take_others(struct apart *x)
{
	struct mk_envelope_place place = { .stage = "application",
	    .notes = &x->notes };
	struct mk_draft *d = x->d;
	struct mk_envelope *others, env;
	const struct mk_json *e, *obj;
	const struct mk_app *app;

	others = mk_arena_array(d->arena, x->set.entries->count,
	    sizeof(*others));
	if (others == NULL)
		return mk_arena_fail(d->arena, x->why);
	for (e = x->set.entries->child; e != NULL; e = e->next) {
		obj = mk_json_member(e, "SignedApplicationProfile");
		app = obj != NULL ? find_other(d, obj) : NULL;
		if (app == NULL)
			continue;
		if (mk_envelope_open(d->arena, obj, &place, &env,
		    NULL) != 0) {
			if (d->arena->failed != 0)
				return mk_arena_fail(d->arena, x->why);
			continue;
		}
		if (env.gen == MK_GEN_CURRENT &&
		    memcmp(env.digest, app->digest, MK_DIGEST) == 0 &&
		    !is_taken(others, d->n_others, &env))
			others[d->n_others++] = env;
	}
	d->others = others;
	return 0;
}

static int
take_apps(struct apart *x)
{
	struct mk_draft *d = x->d;
	size_t i;
	int r;

	for (i = 0; i < d->before.n_apps; i++) {
		if (mk_app_is_ssh(&d->before.apps[i]))
			d->ssh_app = &d->before.apps[i];
	}
	if (d->ssh_app != NULL && (r = take_ssh(x)) != 0)
		return r;
	return take_others(x);
}

int
mk_draft_next(struct mk_arena *a, const struct mk_bytes *set,
    const struct mk_verified_view *view, struct mk_draft **ret_draft,
    struct mk_why *why)
{
	struct apart x = { .d = new_draft(a), .why = why };
	struct mk_json_text text = { (const char *)set->data, set->len,
	    "set", &x.notes };
	int r;

	if (x.d == NULL)
		return mk_arena_fail(a, why);
	/* No RSA key signs here, and a mixed set is refused by everyone. */
	if (view->gen != MK_GEN_CURRENT)
		return mk_fail(why, MK_E_REFUSED, "set", "a profile of the "
		    "form of 2016 or 2017 cannot be changed: only the "
		    "current form is written");
	if ((r = mk_set_parse(a, &text, &x.set, why)) != 0 ||
	    (r = take_personal(&x, view)) != 0 ||
	    (r = take_master(&x)) != 0 ||
	    (r = take_devices(&x)) != 0 ||
	    (r = take_apps(&x)) != 0)
		return r;
	*ret_draft = x.d;
	return 0;
}

/* Compared as they would be written; unsure is changed. */
bool
mk_draft_ssh_changed(const struct mk_draft *d)
{
	struct mk_ssh now = { .devices = d->ssh, .n_devices = d->n_ssh };
	struct mk_ssh then = d->before_ssh;
	struct mk_buf was, is;
	bool changed;

	if (now.n_devices != then.n_devices)
		return true;
	now.id = then.id = (struct mk_text){ "", 0 };
	mk_buf_init(&was, MK_SET_CEILING);
	mk_buf_init(&is, MK_SET_CEILING);
	mk_ssh_write(&then, &was);
	mk_ssh_write(&now, &is);
	changed = was.failed != 0 || is.failed != 0 || was.len != is.len ||
	    memcmp(was.data, is.data, is.len) != 0;
	mk_buf_release(&was);
	mk_buf_release(&is);
	return changed;
}

/*
 * A device that was deleted stands in Deleted now, and no other way leads
 * out of Devices; so what differs shows in the ends of the two lists.
 */
bool
mk_draft_unchanged(const struct mk_draft *d)
{
	/* Before the first version there was no device. */
	if (d->n_devices != d->before.n_devices ||
	    d->n_deleted != d->before.n_deleted)
		return false;
	/* Over the limit one falls out as one comes in. */
	if (d->n_deleted > 0 &&
	    mk_udf_cmp(&d->deleted[d->n_deleted - 1],
	    &d->before.deleted[d->n_deleted - 1]) != 0)
		return false;
	return !mk_draft_ssh_changed(d);
}
