/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "core/arena.h"
#include "core/envelope.h"
#include "core/err.h"
#include "core/json.h"
#include "core/limits.h"
#include "core/members.h"
#include "core/profile.h"
#include "core/timestamp.h"

static int
read_text(const struct mk_at *at, const char *name, struct mk_text *ret_text)
{
	const struct mk_json *m;
	int r;

	r = mk_at_member(at, name, MK_JSON_STRING, MK_OPTIONAL, &m);
	if (r == 0 && m != NULL)
		*ret_text = (struct mk_text){ .s = m->str, .len = m->len };
	return r;
}

static int
read_key(const struct mk_at *at, const char *name, enum mk_generation gen,
    struct mk_pubkey *ret_key)
{
	struct mk_pubkey_form form = { .gen = gen, .place = MK_PLACE_PLAIN,
	    .stage = at->stage };
	const struct mk_json *obj;
	int r;

	r = mk_at_member(at, name, MK_JSON_OBJECT, MK_REQUIRED, &obj);
	if (r != 0)
		return r;
	return mk_pubkey_read(at->arena, obj, &form, ret_key, at->why);
}

static int
read_online(const struct mk_at *at, enum mk_generation gen,
    struct mk_master *m)
{
	struct mk_pubkey_form form = { .gen = gen, .place = MK_PLACE_ONLINE,
	    .stage = at->stage };
	const struct mk_json *array, *e;
	struct mk_at element = *at;
	int r;

	if ((r = mk_at_array(at, "OnlineSignatureKeys", MK_REQUIRED,
	    MK_ONLINE_MAX, &array)) != 0)
		return r;
	if (array->count == 0)
		return mk_fail(at->why, MK_E_REFUSED, at->stage,
		    "'OnlineSignatureKeys' is empty");
	m->online = mk_arena_array(at->arena, array->count,
	    sizeof(*m->online));
	if (m->online == NULL)
		return mk_arena_fail(at->arena, at->why);
	for (e = array->child; e != NULL; e = e->next, m->n_online++) {
		struct mk_online *online = &m->online[m->n_online];

		element.obj = e;
		if ((r = mk_pubkey_read(at->arena, e, &form, &online->key,
		    at->why)) != 0)
			return r;
		if (gen == MK_GEN_CURRENT && (r = mk_at_udf(&element,
		    "DeviceUDF", MK_UDF_KEY, &online->device)) != 0)
			return r;
	}
	return 0;
}

bool
mk_app_is_ssh(const struct mk_app *app)
{
	static const char ssh[] = "SSHProfile";

	return app->type.len == sizeof(ssh) - 1 &&
	    memcmp(app->type.s, ssh, sizeof(ssh) - 1) == 0;
}

const struct mk_online *
mk_online_find(const struct mk_online *keys, size_t n,
    const struct mk_udf *udf)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (mk_udf_cmp(&keys[i].key.udf, udf) == 0)
			return &keys[i];
	}
	return NULL;
}

int
mk_master_read(struct mk_arena *a, const struct mk_json *body,
    enum mk_generation gen, struct mk_master *ret_master, struct mk_why *why)
{
	struct mk_at at = { .obj = body, .stage = "master", .arena = a,
	    .folded = gen != MK_GEN_CURRENT, .why = why };
	struct mk_master m = { .updated = MK_TIME_NONE };
	int r;

	if ((r = mk_at_udf(&at, "Identifier", MK_UDF_KEY, &m.id)) != 0 ||
	    (gen == MK_GEN_CURRENT && (r = mk_at_time(&at, "Updated",
	    MK_REQUIRED, &m.updated)) != 0) ||
	    (r = read_key(&at, "MasterSignatureKey", gen, &m.key)) != 0 ||
	    (r = read_online(&at, gen, &m)) != 0)
		return r;
	*ret_master = m;
	return 0;
}

/* Names: strings; at most one in the current form, where the first counts. */
static int
read_names(const struct mk_at *at, enum mk_generation gen,
    struct mk_text *ret_name)
{
	const struct mk_json *array, *e;
	int r;

	r = mk_at_array(at, "Names", MK_OPTIONAL,
	    gen == MK_GEN_CURRENT ? 1 : UINT32_MAX, &array);
	if (r != 0 || array == NULL)
		return r;
	for (e = array->child; e != NULL; e = e->next) {
		if (e->type != MK_JSON_STRING)
			return mk_fail(at->why, MK_E_REFUSED, at->stage,
			    "an element of 'Names' is not a string");
	}
	if (array->child != NULL)
		*ret_name = (struct mk_text){ .s = array->child->str,
		    .len = array->child->len };
	return 0;
}

int
mk_device_read(struct mk_arena *a, const struct mk_json *body,
    enum mk_generation gen, struct mk_device *ret_device, struct mk_why *why)
{
	struct mk_at at = { .obj = body, .stage = "device", .arena = a,
	    .folded = gen != MK_GEN_CURRENT, .why = why };
	struct mk_device d = { 0 };
	int r;

	if ((r = mk_at_udf(&at, "Identifier", MK_UDF_KEY, &d.id)) != 0 ||
	    (r = read_key(&at, "DeviceSignatureKey", gen, &d.key)) != 0 ||
	    (r = read_names(&at, gen, &d.name)) != 0 ||
	    (r = read_text(&at, "Description", &d.description)) != 0)
		return r;
	*ret_device = d;
	return 0;
}

static int
read_previous(const struct mk_at *at, struct mk_personal *p)
{
	const struct mk_json *array, *e;
	uint8_t (*list)[MK_DIGEST];
	int r;

	r = mk_at_array(at, "Previous", MK_OPTIONAL, MK_PREVIOUS_MAX, &array);
	if (r != 0 || array == NULL)
		return r;
	list = mk_arena_array(at->arena, array->count, sizeof(*list));
	if (list == NULL)
		return mk_arena_fail(at->arena, at->why);
	for (e = array->child; e != NULL; e = e->next, p->n_previous++) {
		r = mk_at_exact_value(at, e, MK_DIGEST, list[p->n_previous]);
		if (r != 0)
			return r;
	}
	p->previous = (const uint8_t (*)[MK_DIGEST])list;
	p->has_previous = true;
	return 0;
}

static int
read_devices(const struct mk_reading *reading, const struct mk_at *at,
    struct mk_personal *p)
{
	struct mk_envelope_place place = { .stage = "device",
	    .notes = reading->notes };
	const struct mk_json *array, *e;
	struct mk_member_device *list;
	int r;

	if ((r = mk_at_array(at, "Devices", MK_REQUIRED, reading->max_devices,
	    &array)) != 0)
		return r;
	list = mk_arena_array(at->arena, array->count, sizeof(*list));
	if (list == NULL)
		return mk_arena_fail(at->arena, at->why);
	for (e = array->child; e != NULL; e = e->next, p->n_devices++) {
		list[p->n_devices].envelope = e;
		r = mk_envelope_skip(e, &place, &list[p->n_devices].id,
		    at->why);
		if (r != 0)
			return r;
	}
	p->devices = list;
	return 0;
}

/*
 * Which devices may sign the application of a 2016/2017 entry: AdminDeviceUDF,
 * until August 2017 called SignID.
 */
static int
read_signers(const struct mk_at *at, struct mk_app *app)
{
	const char *name = "AdminDeviceUDF";

	if (mk_json_member(at->obj, name) == NULL)
		name = "SignID";
	return mk_at_udfs(at, name, UINT32_MAX, &app->signers,
	    &app->n_signers);
}

static int
read_app(const struct mk_at *at, enum mk_generation gen, struct mk_app *app)
{
	const struct mk_json *id;
	struct mk_udf udf;
	int r;

	if ((r = mk_at_object(at)) != 0 ||
	    (r = mk_at_member(at, "Identifier", MK_JSON_STRING, MK_REQUIRED,
	    &id)) != 0)
		return r;
	app->id = (struct mk_text){ .s = id->str, .len = id->len };
	if ((r = read_text(at, "Type", &app->type)) != 0)
		return r;
	if (gen != MK_GEN_CURRENT)
		return read_signers(at, app);
	if (app->type.s == NULL)
		return mk_fail(at->why, MK_E_REFUSED, at->stage,
		    "'Type' is missing");
	if ((r = mk_at_udf_value(at, id, MK_UDF_RANDOM, &udf)) != 0)
		return r;
	return mk_at_exact(at, "Digest", MK_DIGEST, app->digest);
}

static int
read_apps(const struct mk_at *at, enum mk_generation gen,
    struct mk_personal *p)
{
	const struct mk_json *array, *e;
	struct mk_at element = *at;
	struct mk_app *list;
	int r;

	element.stage = "application";
	if ((r = mk_at_array(at, "Applications", MK_REQUIRED, UINT32_MAX,
	    &array)) != 0)
		return r;
	list = mk_arena_array(at->arena, array->count, sizeof(*list));
	if (list == NULL)
		return mk_arena_fail(at->arena, at->why);
	for (e = array->child; e != NULL; e = e->next, p->n_apps++) {
		element.obj = e;
		if ((r = read_app(&element, gen, &list[p->n_apps])) != 0)
			return r;
	}
	p->apps = list;
	return 0;
}

/* What only the current form has: times, Previous, Deleted. */
static int
read_version(const struct mk_at *at, struct mk_personal *p)
{
	int r;

	if ((r = mk_at_time(at, "Updated", MK_REQUIRED, &p->updated)) != 0 ||
	    (r = mk_at_time(at, "Expires", MK_OPTIONAL, &p->expires)) != 0 ||
	    (r = read_previous(at, p)) != 0)
		return r;
	if (p->expires != MK_TIME_NONE && p->expires <= p->updated)
		return mk_fail(at->why, MK_E_REFUSED, at->stage,
		    "'Expires' is not after 'Updated'");
	return mk_at_udfs(at, "Deleted", MK_DELETED_MAX, &p->deleted,
	    &p->n_deleted);
}

int
mk_personal_read(const struct mk_reading *r, const struct mk_json *body,
    struct mk_personal *ret_personal, struct mk_why *why)
{
	struct mk_at at = { .obj = body, .stage = "personal",
	    .arena = r->arena, .folded = r->gen != MK_GEN_CURRENT,
	    .why = why };
	struct mk_personal p = { .updated = MK_TIME_NONE,
	    .expires = MK_TIME_NONE };
	int e;

	if ((e = mk_at_udf(&at, "Identifier", MK_UDF_KEY, &p.id)) != 0 ||
	    (r->gen == MK_GEN_CURRENT &&
	    (e = read_version(&at, &p)) != 0) ||
	    (e = read_devices(r, &at, &p)) != 0 ||
	    (e = read_apps(&at, r->gen, &p)) != 0)
		return e;
	*ret_personal = p;
	return 0;
}

const struct mk_member_device *
mk_personal_device(const struct mk_personal *personal,
    const struct mk_udf *id)
{
	size_t i;

	for (i = 0; i < personal->n_devices; i++) {
		if (mk_udf_cmp(&personal->devices[i].id, id) == 0)
			return &personal->devices[i];
	}
	return NULL;
}
