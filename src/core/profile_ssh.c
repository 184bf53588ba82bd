/* SPDX-License-Identifier: ISC */
/* The SSHProfile and its elements. */
#include <string.h>

#include "core/arena.h"
#include "core/base64.h"
#include "core/buf.h"
#include "core/ed25519.h"
#include "core/err.h"
#include "core/json.h"
#include "core/limits.h"
#include "core/members.h"
#include "core/profile.h"
#include "core/rsa.h"

/* Room for the blob of an RSA key of MK_RSA_BITS_MAX. */
#define BLOB_MAX	8192u

/* The blob of a Mesh key object, in the arena, judged like any other. */
static int
blob_from_mesh(const struct mk_at *at, const struct mk_pubkey *mesh,
    struct mk_sshkey *ret_key)
{
	struct mk_buf blob;
	char *copy;
	int r;

	mk_buf_init(&blob, BLOB_MAX);
	if (mesh->gen == MK_GEN_CURRENT)
		mk_sshkey_from_ed25519(mesh->ed25519, &blob);
	else
		mk_sshkey_from_rsa(&mesh->rsa, &blob);
	if ((r = mk_buf_check(&blob, at->why, at->stage)) != 0)
		goto out;
	copy = mk_arena_dup(at->arena, blob.data, blob.len);
	if (copy == NULL) {
		r = mk_arena_fail(at->arena, at->why);
		goto out;
	}
	r = mk_sshkey_parse((const uint8_t *)copy, blob.len, ret_key,
	    at->why);
out:
	mk_buf_release(&blob);
	return r;
}

static int
read_mesh_key(const struct mk_at *at, enum mk_generation gen,
    struct mk_ssh_device *d)
{
	struct mk_pubkey_form form = { .gen = gen, .place = MK_PLACE_SSH,
	    .stage = at->stage };
	const struct mk_json *obj;
	struct mk_pubkey mesh;
	int r;

	if ((r = mk_at_member(at, "PublicKey", MK_JSON_OBJECT, MK_REQUIRED,
	    &obj)) != 0 ||
	    (r = mk_pubkey_read(at->arena, obj, &form, &mesh, at->why)) != 0)
		return r;
	d->mesh_form = true;
	d->key_udf = mesh.udf;
	d->has_key_udf = gen == MK_GEN_CURRENT;
	return blob_from_mesh(at, &mesh, &d->key);
}

/* "type SP base64"; an ssh-ed25519 key has a UDF in this form too. */
static int
read_openssh_key(const struct mk_reading *r, const struct mk_at *at,
    struct mk_ssh_device *d)
{
	const struct mk_json *text;
	struct mk_pubkey mesh;
	int e;

	e = mk_at_member(at, "OpenSSH", MK_JSON_STRING, MK_REQUIRED, &text);
	if (e != 0)
		return e;
	mk_json_claim(text, false, r->notes);
	e = mk_sshkey_parse_text(at->arena, text->str, text->len, &d->key,
	    at->why);
	if (e == 0 && d->key.ed25519 != NULL) {
		mk_pubkey_from_ed25519(d->key.ed25519, &mesh);
		d->key_udf = mesh.udf;
		d->has_key_udf = true;
	}
	return e;
}

/* A host key is judged like a user's; nothing but its text is kept. */
static int
check_host_key(const struct mk_reading *r, const struct mk_at *at,
    const struct mk_json *e)
{
	struct mk_sshkey unused;

	if (e->type != MK_JSON_STRING)
		return mk_fail(at->why, MK_E_REFUSED, at->stage,
		    "an element of 'HostKeys' is not a string");
	mk_json_claim(e, false, r->notes);
	return mk_sshkey_parse_text(at->arena, e->str, e->len, &unused,
	    at->why);
}

static int
check_host_name(const struct mk_reading *r, const struct mk_at *at,
    const struct mk_json *e)
{
	size_t i;

	(void)r;
	if (e->type != MK_JSON_STRING || e->len == 0 ||
	    e->len > MK_HOSTNAME_LEN)
		return mk_fail(at->why, MK_E_REFUSED, at->stage,
		    "an element of 'HostNames' is not a string of 1 to %u "
		    "bytes", MK_HOSTNAME_LEN);
	for (i = 0; i < e->len; i++) {
		if (e->str[i] <= ' ' || e->str[i] > '~' || e->str[i] == ',')
			return mk_fail(at->why, MK_E_REFUSED, at->stage,
			    "an element of 'HostNames' has a byte that is "
			    "not allowed");
	}
	return 0;
}

/* An optional array of texts that only a host may have. */
struct host_list {
	const char *name;
	unsigned max;
	int (*check)(const struct mk_reading *, const struct mk_at *,
	    const struct mk_json *);
};

static int
read_host_list(const struct mk_reading *r, const struct mk_at *at,
    const struct host_list *form, const struct mk_text **ret_list,
    size_t *ret_n)
{
	const struct mk_json *array, *e;
	struct mk_text *list;
	size_t n = 0;
	int err;

	err = mk_at_member(at, form->name, MK_JSON_ARRAY, MK_OPTIONAL,
	    &array);
	if (err != 0 || array == NULL)
		return err;
	if (array->count > form->max)
		return mk_fail(at->why, MK_E_REFUSED, at->stage,
		    "'%s' has %u elements, over the limit of %u", form->name,
		    (unsigned)array->count, form->max);
	list = mk_arena_array(at->arena, array->count, sizeof(*list));
	if (list == NULL)
		return mk_arena_fail(at->arena, at->why);
	for (e = array->child; e != NULL; e = e->next) {
		if ((err = form->check(r, at, e)) != 0)
			return err;
		list[n++] = (struct mk_text){ .s = e->str, .len = e->len };
	}
	*ret_list = list;
	*ret_n = n;
	return 0;
}

/* Host true: no key, but perhaps host keys and names. */
static int
read_host(const struct mk_reading *r, const struct mk_at *at,
    struct mk_ssh_device *d)
{
	static const struct host_list keys = { "HostKeys", MK_HOSTKEYS_MAX,
	    check_host_key };
	static const struct host_list names = { "HostNames",
	    MK_HOSTNAMES_MAX, check_host_name };
	int e;

	d->host = true;
	e = read_host_list(r, at, &keys, &d->hostkeys, &d->n_hostkeys);
	if (e != 0)
		return e;
	return read_host_list(r, at, &names, &d->hostnames,
	    &d->n_hostnames);
}

/*
 * Only the form of a proof is judged: whoever adds a key verifies it.  A
 * host has no key to prove, so there it is ignored.
 */
static int
read_proof(const struct mk_reading *r, const struct mk_at *at,
    struct mk_ssh_device *d)
{
	const struct mk_json *m;
	uint8_t *bytes;
	size_t len;
	int e;

	e = mk_at_member(at, "Proof", MK_JSON_STRING, MK_OPTIONAL, &m);
	if (e != 0 || m == NULL)
		return e;
	mk_json_claim(m, false, r->notes);
	if (d->host)
		return 0;
	bytes = mk_arena_alloc(at->arena, MK_B64_DECODED((size_t)m->len));
	if (bytes == NULL)
		return mk_arena_fail(at->arena, at->why);
	if (!mk_b64url_decode(m->str, m->len, bytes, &len))
		return mk_fail(at->why, MK_E_REFUSED, at->stage,
		    "'Proof' is not base64url");
	d->proof = (struct mk_text){ .s = m->str, .len = m->len };
	return 0;
}

/* Exactly one of PublicKey, OpenSSH and Host says what the element is. */
static int
read_form(const struct mk_reading *r, const struct mk_at *at,
    struct mk_ssh_device *d)
{
	const struct mk_json *key = mk_json_member(at->obj, "PublicKey");
	const struct mk_json *text = mk_json_member(at->obj, "OpenSSH");
	const struct mk_json *host = mk_json_member(at->obj, "Host");

	if ((key != NULL) + (text != NULL) + (host != NULL) != 1)
		return mk_fail(at->why, MK_E_REFUSED, at->stage,
		    "not exactly one of 'PublicKey', 'OpenSSH' and 'Host'");
	if (host == NULL && (mk_json_member(at->obj, "HostKeys") != NULL ||
	    mk_json_member(at->obj, "HostNames") != NULL))
		return mk_fail(at->why, MK_E_REFUSED, at->stage,
		    "'HostKeys' or 'HostNames' without 'Host'");
	if (key != NULL)
		return read_mesh_key(at, MK_GEN_CURRENT, d);
	if (text != NULL)
		return read_openssh_key(r, at, d);
	if (host->type != MK_JSON_TRUE)
		return mk_fail(at->why, MK_E_REFUSED, at->stage,
		    "'Host' is not true");
	return read_host(r, at, d);
}

static int
read_description(const struct mk_at *at, size_t max,
    struct mk_ssh_device *d)
{
	const struct mk_json *m;
	int r;

	r = mk_at_member(at, "DeviceDescription", MK_JSON_STRING,
	    MK_OPTIONAL, &m);
	if (r != 0 || m == NULL)
		return r;
	if (m->len > max)
		return mk_fail(at->why, MK_E_REFUSED, at->stage,
		    "'DeviceDescription' has %u bytes, over the limit of "
		    "%zu", (unsigned)m->len, max);
	d->description = (struct mk_text){ .s = m->str, .len = m->len };
	return 0;
}

static int
read_current(const struct mk_reading *r, struct mk_at *at,
    struct mk_ssh_device *d)
{
	int e;

	if ((e = mk_at_tagged(at, "SSHDevicePublic", &at->obj)) != 0 ||
	    (e = mk_at_object(at)) != 0 ||
	    (e = mk_at_udf(at, "DeviceUDF", MK_UDF_KEY, &d->device)) != 0 ||
	    (e = read_description(at, MK_TEXT_MAX, d)) != 0 ||
	    (e = read_form(r, at, d)) != 0)
		return e;
	return read_proof(r, at, d);
}

/* From September 2017 on tagged, with DeviceUDF; before that Identifier. */
static int
read_legacy(const struct mk_reading *r, struct mk_at *at,
    struct mk_ssh_device *d)
{
	const struct mk_json *tagged;
	const char *name = "Identifier";
	int e;

	if ((e = mk_at_object(at)) != 0)
		return e;
	tagged = mk_json_member(at->obj, "SSHDevicePublic");
	if (tagged != NULL) {
		e = mk_at_tagged(at, "SSHDevicePublic", &at->obj);
		if (e != 0 || (e = mk_at_object(at)) != 0)
			return e;
		name = "DeviceUDF";
	}
	if ((e = mk_at_udf(at, name, MK_UDF_KEY, &d->device)) != 0 ||
	    (e = read_description(at, MK_STRING_MAX, d)) != 0)
		return e;
	return read_mesh_key(at, r->gen, d);
}

static int
count_devices(const struct mk_reading *r, const struct mk_at *at,
    const struct mk_json *array)
{
	/* Nobody lists more and keeps to the eight keys of each device. */
	if (array->count / MK_KEYS_PER_DEVICE > r->max_devices)
		return mk_fail(at->why, MK_E_REFUSED, at->stage,
		    "'Devices' has %u elements, over the limit of %u for "
		    "each of %u devices", (unsigned)array->count,
		    MK_KEYS_PER_DEVICE, r->max_devices);
	return 0;
}

int
mk_ssh_device_read(const struct mk_reading *r, const struct mk_json *element,
    struct mk_ssh_device *ret_device, struct mk_why *why)
{
	struct mk_at at = { .obj = element, .stage = "ssh",
	    .arena = r->arena, .folded = r->gen != MK_GEN_CURRENT,
	    .why = why };
	struct mk_ssh_device d = { 0 };
	int err;

	if (r->gen == MK_GEN_CURRENT)
		err = read_current(r, &at, &d);
	else
		err = read_legacy(r, &at, &d);
	if (err == 0)
		*ret_device = d;
	return err;
}

int
mk_ssh_read(const struct mk_reading *r, const struct mk_json *body,
    struct mk_ssh *ret_ssh, struct mk_why *why)
{
	struct mk_at at = { .obj = body, .stage = "ssh", .arena = r->arena,
	    .folded = r->gen != MK_GEN_CURRENT, .why = why };
	const struct mk_json *array, *e, *id;
	struct mk_ssh_device *list;
	struct mk_ssh s = { 0 };
	int err;

	if ((err = mk_at_member(&at, "Identifier", MK_JSON_STRING,
	    MK_REQUIRED, &id)) != 0 ||
	    (err = mk_at_member(&at, "Devices", MK_JSON_ARRAY, MK_REQUIRED,
	    &array)) != 0 ||
	    (err = count_devices(r, &at, array)) != 0)
		return err;
	list = mk_arena_array(r->arena, array->count, sizeof(*list));
	if (list == NULL)
		return mk_arena_fail(r->arena, why);
	for (e = array->child; e != NULL; e = e->next, s.n_devices++) {
		err = mk_ssh_device_read(r, e, &list[s.n_devices], why);
		if (err != 0)
			return err;
	}
	s.id = (struct mk_text){ .s = id->str, .len = id->len };
	s.devices = list;
	*ret_ssh = s;
	return 0;
}
