/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "core/arena.h"
#include "core/digest.h"
#include "core/envelope.h"
#include "core/err.h"
#include "core/json.h"
#include "core/members.h"
#include "core/set.h"
#include "core/sort.h"
#include "core/timestamp.h"
#include "core/udfset.h"
#include "core/verify.h"

struct mk_verified {
	struct mk_verified_view view;
};

/* A device of P and what is found out about it. */
struct member {
	struct mk_device opened;	/* once its envelope is */
	bool is_open;
	bool wanted;			/* one of its keys would be printed */
	bool is_host;
	unsigned n_elements;		/* of SSHProfile.Devices */
};

/* One verification on its way; each step finds what those before proved. */
struct chain {
	struct mk_arena *arena;
	const struct mk_demand *demand;
	struct mk_json_notes notes;
	struct mk_why *why;
	struct mk_set set;
	enum mk_generation gen;
	struct mk_envelope personal_env, ssh_env;
	const struct mk_json *personal_body, *ssh_body;
	struct mk_master master;
	struct mk_personal personal;
	const struct mk_app *app;	/* the SSHProfile entry, or NULL */
	struct mk_ssh ssh;
	struct mk_udfset roles;		/* master, online and device keys */
	struct mk_udfset listed;	/* devices, by their index in P */
	struct member *members;
	struct mk_verified_key *keys;
	struct mk_version version;
	bool clock_stale, expired;
};

static int
refuse(const struct chain *c, const char *stage, const char *what)
{
	return mk_fail(c->why, MK_E_REFUSED, stage, "%s", what);
}

static int
read_set(struct chain *c)
{
	struct mk_json_text text = { (const char *)c->demand->set,
	    c->demand->set_len, "set", &c->notes };

	if (text.len > c->demand->max_set)
		return mk_fail(c->why, MK_E_REFUSED, "set",
		    "%zu bytes, over the limit of %zu", text.len,
		    c->demand->max_set);
	return mk_set_parse(c->arena, &text, &c->set, c->why);
}

/*
 * Of P nothing is believed yet but the MasterProfile inside, which proves
 * itself: the fingerprint that was asked for is that of its key.
 */
static int
read_master(struct chain *c)
{
	struct mk_envelope_place personal = { "personal", &c->notes,
	    "PersonalProfile" };
	struct mk_envelope_place place = { "master", &c->notes,
	    "MasterProfile" };
	const struct mk_json *inside, *body;
	struct mk_envelope env;
	struct mk_at at;
	int r;

	if ((r = mk_envelope_open(c->arena, c->set.personal, &personal,
	    &c->personal_env, c->why)) != 0 ||
	    (r = mk_envelope_body(c->arena, &c->personal_env, &personal,
	    &c->personal_body, c->why)) != 0)
		return r;
	at = (struct mk_at){ .obj = c->personal_body, .stage = "personal",
	    .why = c->why };
	if ((r = mk_at_member(&at, "SignedMasterProfile", MK_JSON_OBJECT,
	    MK_REQUIRED, &inside)) != 0)
		return r;
	mk_envelope_claim(inside, &c->notes);
	if ((r = mk_envelope_open(c->arena, inside, &place, &env,
	    c->why)) != 0 ||
	    (r = mk_envelope_body(c->arena, &env, &place, &body,
	    c->why)) != 0 ||
	    (r = mk_master_read(c->arena, body, env.gen, &c->master,
	    c->why)) != 0)
		return r;
	c->gen = env.gen;
	if (mk_udf_cmp(&c->master.key.udf, &c->demand->udf) != 0)
		return refuse(c, "master",
		    "the set belongs to another fingerprint");
	if (mk_udf_cmp(&c->master.id, &c->master.key.udf) != 0)
		return refuse(c, "master",
		    "'Identifier' is not the fingerprint of the master key");
	memcpy(c->version.master, env.digest, MK_DIGEST);
	return mk_envelope_verify(&env, &c->master.key, "master", c->why);
}

static const struct mk_pubkey *
find_online(const struct chain *c, const struct mk_udf *kid)
{
	const struct mk_online *online;

	online = mk_online_find(c->master.online, c->master.n_online, kid);
	return online != NULL ? &online->key : NULL;
}

static int
read_personal(struct chain *c)
{
	struct mk_reading reading = { .arena = c->arena, .gen = c->gen,
	    .max_devices = c->demand->max_devices, .notes = &c->notes };
	const struct mk_pubkey *key;
	int r;

	if (c->personal_env.gen != c->gen)
		return refuse(c, "personal", "another generation than that "
		    "of the MasterProfile");
	/* A device that P itself lists must not vouch for P. */
	key = find_online(c, &c->personal_env.kid);
	if (key == NULL)
		return refuse(c, "personal", "signed by no online key of the "
		    "MasterProfile");
	if ((r = mk_envelope_verify(&c->personal_env, key, "personal",
	    c->why)) != 0 ||
	    (r = mk_personal_read(&reading, c->personal_body, &c->personal,
	    c->why)) != 0)
		return r;
	if (mk_udf_cmp(&c->personal.id, &c->master.id) != 0)
		return refuse(c, "personal",
		    "'Identifier' is not that of the MasterProfile");
	if (c->personal.updated < c->master.updated)
		return refuse(c, "personal",
		    "'Updated' is before that of the MasterProfile");
	memcpy(c->version.personal, c->personal_env.digest, MK_DIGEST);
	return 0;
}

/* Master, online and device keys are pairwise distinct. */
static int
check_roles(struct chain *c)
{
	const struct mk_personal *p = &c->personal;
	size_t i;
	int r;

	r = mk_udfset_init(c->arena, 1 + c->master.n_online + p->n_devices,
	    &c->roles, c->why);
	if (r != 0)
		return r;
	mk_udfset_add(&c->roles, &c->master.id, 0);
	for (i = 0; i < c->master.n_online; i++)
		mk_udfset_add(&c->roles, &c->master.online[i].key.udf, i);
	for (i = 0; i < p->n_devices; i++)
		mk_udfset_add(&c->roles, &p->devices[i].id, i);
	if (!mk_udfset_seal(&c->roles))
		return refuse(c, "device", "a key has two roles: as master, "
		    "online or device key");
	return 0;
}

static int
check_devices(struct chain *c)
{
	const struct mk_personal *p = &c->personal;
	struct mk_udfset deleted;
	size_t i;
	int r;

	if ((r = mk_udfset_init(c->arena, p->n_devices, &c->listed,
	    c->why)) != 0 ||
	    (r = mk_udfset_init(c->arena, p->n_deleted, &deleted,
	    c->why)) != 0)
		return r;
	for (i = 0; i < p->n_devices; i++)
		mk_udfset_add(&c->listed, &p->devices[i].id, i);
	if (!mk_udfset_seal(&c->listed))
		return refuse(c, "device", "a device is listed twice");
	for (i = 0; i < p->n_deleted; i++) {
		if (mk_udfset_find(&c->listed, &p->deleted[i], NULL))
			return refuse(c, "device",
			    "a device is both listed and deleted");
		mk_udfset_add(&deleted, &p->deleted[i], i);
	}
	if (!mk_udfset_seal(&deleted))
		return refuse(c, "personal",
		    "a device stands in 'Deleted' twice");
	c->members = mk_arena_array(c->arena, p->n_devices,
	    sizeof(*c->members));
	if (c->members == NULL)
		return mk_arena_fail(c->arena, c->why);
	return check_roles(c);
}

static int
compare_apps(const void *a, const void *b)
{
	const struct mk_text *x = &(*(const struct mk_app *const *)a)->id;
	const struct mk_text *y = &(*(const struct mk_app *const *)b)->id;

	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return memcmp(x->s, y->s, x->len);
}

/* The one SSHProfile entry, if any; no two entries of one Identifier. */
static int
find_app(struct chain *c)
{
	const struct mk_personal *p = &c->personal;
	const struct mk_app **sorted, *app;
	size_t i;

	sorted = mk_arena_array(c->arena, p->n_apps, sizeof(*sorted));
	if (sorted == NULL)
		return mk_arena_fail(c->arena, c->why);
	for (i = 0; i < p->n_apps; i++) {
		app = sorted[i] = &p->apps[i];
		if (!mk_app_is_ssh(app))
			continue;
		if (c->app != NULL)
			return refuse(c, "application",
			    "two entries of type SSHProfile");
		c->app = app;
	}
	mk_sort(sorted, p->n_apps, sizeof(*sorted), compare_apps);
	for (i = 1; i < p->n_apps; i++) {
		if (compare_apps(&sorted[i - 1], &sorted[i]) == 0)
			return refuse(c, "application",
			    "two entries of one Identifier");
	}
	return 0;
}

static int
open_ssh(struct chain *c)
{
	struct mk_envelope_place place = { .stage = "ssh",
	    .notes = &c->notes };
	const struct mk_json *app;
	int r;

	if ((r = mk_set_application(&c->set, &c->app->id, &app,
	    c->why)) != 0 ||
	    (r = mk_envelope_open(c->arena, app, &place, &c->ssh_env,
	    c->why)) != 0)
		return r;
	if (c->ssh_env.gen != c->gen)
		return refuse(c, "ssh", "another generation than that of "
		    "the MasterProfile");
	/* The digest keeps an older SSHProfile from being put back. */
	if (c->gen == MK_GEN_CURRENT && memcmp(c->app->digest,
	    c->ssh_env.digest, MK_DIGEST) != 0)
		return refuse(c, "ssh", "not the SSHProfile whose digest "
		    "the PersonalProfile has");
	memcpy(c->version.ssh, c->ssh_env.digest, MK_DIGEST);
	return 0;
}

/* Opens a device of P: its Identifier, its key, its own signature. */
static int
open_device(struct chain *c, size_t i)
{
	struct mk_envelope_place place = { "device", &c->notes,
	    "DeviceProfile" };
	const struct mk_member_device *listed = &c->personal.devices[i];
	struct mk_device *device = &c->members[i].opened;
	const struct mk_json *body;
	struct mk_envelope env;
	int r;

	if (c->members[i].is_open)
		return 0;
	if ((r = mk_envelope_open(c->arena, listed->envelope, &place, &env,
	    c->why)) != 0)
		return r;
	if (env.gen != c->gen)
		return refuse(c, "device", "another generation than that of "
		    "the MasterProfile");
	if ((r = mk_envelope_body(c->arena, &env, &place, &body,
	    c->why)) != 0 ||
	    (r = mk_device_read(c->arena, body, c->gen, device,
	    c->why)) != 0)
		return r;
	if (mk_udf_cmp(&device->id, &device->key.udf) != 0)
		return refuse(c, "device",
		    "'Identifier' is not the fingerprint of the device key");
	c->members[i].is_open = true;
	return mk_envelope_verify(&env, &device->key, "device", c->why);
}

/*
 * In 2016/2017 a device that the entry in P names may sign too; P's own
 * signature covers that it does.
 */
static int
find_legacy_signer(struct chain *c, const struct mk_pubkey **ret_key)
{
	const struct mk_udf *kid = &c->ssh_env.kid;
	size_t i, index;
	int r;

	for (i = 0; i < c->app->n_signers; i++) {
		if (mk_udf_cmp(&c->app->signers[i], kid) != 0)
			continue;
		if (!mk_udfset_find(&c->listed, kid, &index))
			break;
		if ((r = open_device(c, index)) != 0)
			return r;
		*ret_key = &c->members[index].opened.key;
		return 0;
	}
	return refuse(c, "ssh", "signed neither by an online key nor by a "
	    "device that may");
}

static int
read_ssh(struct chain *c)
{
	struct mk_envelope_place place = { "ssh", &c->notes, "SSHProfile" };
	struct mk_reading reading = { .arena = c->arena, .gen = c->gen,
	    .max_devices = c->demand->max_devices, .notes = &c->notes };
	const struct mk_pubkey *key = find_online(c, &c->ssh_env.kid);
	int r;

	if (key == NULL && c->gen == MK_GEN_CURRENT)
		return refuse(c, "ssh", "signed by no online key of the "
		    "MasterProfile");
	if (key == NULL && (r = find_legacy_signer(c, &key)) != 0)
		return r;
	if ((r = mk_envelope_verify(&c->ssh_env, key, "ssh", c->why)) != 0 ||
	    (r = mk_envelope_body(c->arena, &c->ssh_env, &place,
	    &c->ssh_body, c->why)) != 0)
		return r;
	return mk_ssh_read(&reading, c->ssh_body, &c->ssh, c->why);
}

/* One element of S against P: its device, its number, its role. */
static int
check_element(struct chain *c, struct mk_verified_key *key)
{
	const struct mk_ssh_device *d = key->ssh;
	struct member *m;
	size_t index;

	if (!mk_udfset_find(&c->listed, &d->device, &index)) {
		/* Those sets keep the keys of devices that have left. */
		key->verdict = MK_KEY_NOT_LISTED;
		return c->gen != MK_GEN_CURRENT ? 0 : refuse(c, "ssh",
		    "a key of a device that the PersonalProfile does not "
		    "list");
	}
	m = &c->members[index];
	if (m->is_host || (d->host && m->n_elements > 0))
		return refuse(c, "ssh", "a host has another element");
	m->is_host = d->host;
	if (++m->n_elements > MK_KEYS_PER_DEVICE)
		return mk_fail(c->why, MK_E_REFUSED, "ssh", "a device has "
		    "more keys than the limit of %u", MK_KEYS_PER_DEVICE);
	if (d->has_key_udf && mk_udfset_find(&c->roles, &d->key_udf, NULL))
		return refuse(c, "ssh", "an SSH key is also a master, online "
		    "or device key");
	return 0;
}

static int
compare_blobs(const void *a, const void *b)
{
	const struct mk_sshkey *x, *y;

	x = &(*(const struct mk_ssh_device *const *)a)->key;
	y = &(*(const struct mk_ssh_device *const *)b)->key;
	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return memcmp(x->blob, y->blob, x->len);
}

/* Each SSH key stands once, compared as blob, in either form. */
static int
check_unique(struct chain *c)
{
	const struct mk_ssh_device **sorted;
	size_t i, n = 0;

	sorted = mk_arena_array(c->arena, c->ssh.n_devices, sizeof(*sorted));
	if (sorted == NULL)
		return mk_arena_fail(c->arena, c->why);
	for (i = 0; i < c->ssh.n_devices; i++) {
		if (!c->ssh.devices[i].host)
			sorted[n++] = &c->ssh.devices[i];
	}
	mk_sort(sorted, n, sizeof(*sorted), compare_blobs);
	for (i = 1; i < n; i++) {
		if (compare_blobs(&sorted[i - 1], &sorted[i]) == 0)
			return refuse(c, "ssh", "an SSH key stands twice");
	}
	return 0;
}

static int
check_keys(struct chain *c)
{
	size_t i;
	int r;

	c->keys = mk_arena_array(c->arena, c->ssh.n_devices,
	    sizeof(*c->keys));
	if (c->keys == NULL)
		return mk_arena_fail(c->arena, c->why);
	for (i = 0; i < c->ssh.n_devices; i++) {
		c->keys[i].ssh = &c->ssh.devices[i];
		if ((r = check_element(c, &c->keys[i])) != 0)
			return r;
	}
	return check_unique(c);
}

/* The clock is never believed before the time of the build. */
static int64_t
floor_now(const struct chain *c)
{
	return c->demand->now > c->demand->build_time ? c->demand->now :
	    c->demand->build_time;
}

static int
check_version(struct chain *c)
{
	enum mk_seen_order order = MK_SEEN_NEWER;
	int64_t horizon = floor_now(c) + MK_DAY;
	bool future;
	int r;

	c->version.timed = c->gen == MK_GEN_CURRENT;
	c->version.master_time = c->master.updated;
	c->version.personal_time = c->personal.updated;
	memcpy(c->version.key, c->master.key.digest, MK_DIGEST);
	if (c->app == NULL)
		mk_sha512((const uint8_t *)"", 0, c->version.ssh);
	if (c->demand->seen != NULL && (r = mk_seen_judge(c->demand->seen,
	    &c->version, &order, c->why)) != 0)
		return r;
	future = c->personal.updated > horizon ||
	    c->master.updated > horizon;
	c->clock_stale = future || c->demand->now < c->demand->build_time;
	if (c->clock_stale && order != MK_SEEN_SAME)
		return refuse(c, "version", future ? "dated more than 24 "
		    "hours ahead of the clock" : "the clock stands before "
		    "the build of this program, and this is not the set "
		    "that was seen last");
	c->expired = c->personal.expires != MK_TIME_NONE &&
	    c->personal.expires <= floor_now(c);
	if (c->expired && !c->demand->even_expired)
		return refuse(c, "version", "the profile has expired");
	return 0;
}

bool
mk_offer_is(const struct mk_offer *offer, const struct mk_sshkey *key)
{
	uint8_t digest[MK_SHA256];

	if (offer->blob != NULL)
		return offer->len == key->len &&
		    memcmp(offer->blob, key->blob, key->len) == 0;
	mk_sha256(key->blob, key->len, digest);
	return memcmp(offer->sha256, digest, sizeof(digest)) == 0;
}

static enum mk_verdict
judge_key(const struct chain *c, const struct mk_verified_key *key)
{
	const struct mk_ssh_device *d = key->ssh;

	if (d->host)
		return MK_KEY_HOST;
	if (key->verdict == MK_KEY_NOT_LISTED)
		return MK_KEY_NOT_LISTED;
	if (c->demand->seen != NULL &&
	    mk_seen_deleted(c->demand->seen, &d->device))
		return MK_KEY_TOMBSTONE;
	if ((c->demand->key_types & d->key.type) == 0)
		return MK_KEY_TYPE_REFUSED;
	if (d->key.type == MK_SSH_RSA && d->key.rsa_bits < MK_RSA_BITS_MIN)
		return MK_KEY_WEAK;
	if (c->demand->offer != NULL &&
	    !mk_offer_is(c->demand->offer, &d->key))
		return MK_KEY_NOT_OFFERED;
	return MK_KEY_USABLE;
}

static void
set_comment(const struct member *m, struct mk_verified_key *key)
{
	const struct mk_text *texts[] = { &key->ssh->description,
	    &m->opened.description, &m->opened.name };
	const struct mk_text *text = texts[0];
	size_t i;

	for (i = 1; i < 3 && text->len == 0; i++)
		text = texts[i];
	for (i = 0; i < text->len && i < MK_TEXT_MAX; i++)
		key->comment[i] = text->s[i] >= ' ' && text->s[i] <= '~' ?
		    text->s[i] : '?';
}

/*
 * A device is opened when its key would be printed, and when all keys are
 * asked for.
 */
static int
open_wanted(struct chain *c)
{
	bool all = c->demand->open_all || c->demand->offer == NULL;
	struct mk_verified_key *key;
	size_t i, index;
	int r;

	for (i = 0; i < c->ssh.n_devices; i++) {
		key = &c->keys[i];
		key->verdict = judge_key(c, key);
		if (key->verdict == MK_KEY_USABLE && mk_udfset_find(
		    &c->listed, &key->ssh->device, &index))
			c->members[index].wanted = true;
	}
	for (i = 0; i < c->personal.n_devices; i++) {
		if ((all || c->members[i].wanted) &&
		    (r = open_device(c, i)) != 0)
			return r;
	}
	for (i = 0; i < c->ssh.n_devices; i++) {
		key = &c->keys[i];
		if (mk_udfset_find(&c->listed, &key->ssh->device, &index))
			set_comment(&c->members[index], key);
	}
	return 0;
}

/* What only the old forms may contain, now that all texts are parsed. */
static int
check_notes(const struct chain *c)
{
	if (c->gen == MK_GEN_CURRENT)
		return mk_json_settle(&c->notes, "set", c->why);
	if (c->notes.huge_strings > 0)
		return mk_fail(c->why, MK_E_REFUSED, "set", "a string over "
		    "the limit of %u bytes", MK_STRING_LONG);
	return 0;
}

static int
make_verified(struct chain *c, const struct mk_verified **ret_verified)
{
	struct mk_verified *v = mk_arena_alloc(c->arena, sizeof(*v));
	struct mk_master *master;
	struct mk_personal *personal;

	master = mk_arena_alloc(c->arena, sizeof(*master));
	personal = mk_arena_alloc(c->arena, sizeof(*personal));
	if (v == NULL || master == NULL || personal == NULL)
		return mk_arena_fail(c->arena, c->why);
	*master = c->master;
	*personal = c->personal;
	v->view = (struct mk_verified_view){ .udf = c->demand->udf,
	    .gen = c->gen, .version = c->version,
	    .expires = c->personal.expires, .clock_stale = c->clock_stale,
	    .expired = c->expired, .master = master, .personal = personal,
	    .keys = c->keys, .n_keys = c->ssh.n_devices };
	*ret_verified = v;
	return 0;
}

/*
 * From the fingerprint to the keys, by the numbers of mesh-profile-set(5).
 */
int
mk_verify(struct mk_arena *a, const struct mk_demand *demand,
    const struct mk_verified **ret_verified, struct mk_why *why)
{
	struct chain c = { .arena = a, .demand = demand, .why = why };
	int r;

	/* 1. Parse and bound. */
	if ((r = read_set(&c)) != 0)
		return r;
	/* 2. The fingerprint comes from the administrator: demand->udf. */
	/* 3. Recompute the UDF of MasterSignatureKey, compare. */
	/* 4. M's signature and Identifiers. */
	/* 5. The UDF of every online key. */
	if ((r = read_master(&c)) != 0)
		return r;
	/* 6. P's signature by one of them, never by a device. */
	if ((r = read_personal(&c)) != 0)
		return r;
	/* 7. Every device: Identifier, UDF, no duplicates, none deleted. */
	if ((r = check_devices(&c)) != 0)
		return r;
	/* 8. The one SSHProfile entry and its Digest; none means no keys. */
	if ((r = find_app(&c)) != 0)
		return r;
	if (c.app != NULL) {
		if ((r = open_ssh(&c)) != 0)
			return r;
		/* 9. S's signature. */
		if ((r = read_ssh(&c)) != 0)
			return r;
		/* 10. Every D: listed, well formed, no duplicates. */
		if ((r = check_keys(&c)) != 0)
			return r;
	}
	/* 11. Version, tombstones and expiry. */
	if ((r = check_version(&c)) != 0)
		return r;
	/* 12. Local policy on keys; the devices of those that pass. */
	if ((r = open_wanted(&c)) != 0 ||
	    (r = check_notes(&c)) != 0)
		return r;
	return make_verified(&c, ret_verified);
}

const struct mk_verified_view *
mk_verified_view(const struct mk_verified *v)
{
	return &v->view;
}

size_t
mk_verify_memory(size_t len)
{
	return MK_ARENA_FLOOR + MK_ARENA_FACTOR * len;
}
