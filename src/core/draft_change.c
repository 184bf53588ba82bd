/* SPDX-License-Identifier: ISC */
/*
 * Changes of a draft.  Whatever a verifier would refuse is refused here
 * first, with a sentence for the person who asked for it.
 */
#include <string.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/draft_impl.h"
#include "core/err.h"
#include "core/json.h"
#include "core/limits.h"
#include "core/verify.h"

/* Room for one element: two long strings and a host's lists. */
#define ELEMENT_MAX	(256u << 10)

/* A fingerprint for a message. */
struct shown {
	char s[MK_UDF_TEXT + 1];
};

static struct shown
show(const struct mk_udf *udf)
{
	struct shown shown;

	mk_udf_format(udf, shown.s);
	return shown;
}

/*
 * A list with room for one more: itself, or a copy twice as long.  NULL if
 * the arena has no room.
 */
static void *
make_room(struct mk_arena *a, void *list, size_t n, size_t size,
    size_t *room)
{
	void *longer;

	if (n < *room)
		return list;
	longer = mk_arena_array(a, 2 * n + 8, size);
	if (longer == NULL)
		return NULL;
	if (n > 0)
		memcpy(longer, list, n * size);
	*room = 2 * n + 8;
	return longer;
}

static bool
is_in(const struct mk_udf *list, size_t n, const struct mk_udf *udf)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (mk_udf_cmp(&list[i], udf) == 0)
			return true;
	}
	return false;
}

/* What else than an SSH key a key is here, or NULL. */
static const char *
role_of(const struct mk_draft *d, const struct mk_udf *key)
{
	if (mk_udf_cmp(&d->master.key.udf, key) == 0)
		return "the master key";
	if (mk_online_find(d->master.online, d->master.n_online, key) != NULL)
		return "an online key";
	return is_in(d->device_ids, d->n_devices, key) ? "a device key" :
	    NULL;
}

static int
find_device(const struct mk_draft *d, const struct mk_udf *device,
    size_t *ret_index, struct mk_why *why)
{
	size_t i;

	for (i = 0; i < d->n_devices; i++) {
		if (mk_udf_cmp(&d->device_ids[i], device) == 0) {
			*ret_index = i;
			return 0;
		}
	}
	return mk_fail(why, MK_E_NOPROFILE, "device",
	    "'%s' is no device of the profile", show(device).s);
}

/*
 * The device in an envelope, as every verifier will see it: written, read
 * again, and found to be signed by itself.
 */
static int
open_device(const struct mk_envelope *device, struct mk_udf *ret_id,
    struct mk_why *why)
{
	struct mk_json_notes notes = { 0 };
	struct mk_envelope_place place = { "device", &notes,
	    "DeviceProfile" };
	struct mk_json_text in = { .stage = "device", .notes = &notes };
	const struct mk_json *json, *body;
	struct mk_device opened;
	struct mk_envelope env;
	struct mk_arena own;
	struct mk_buf text;
	int r;

	mk_buf_init(&text, MK_SET_MAX);
	mk_envelope_write(device, &text);
	in.s = text.data;
	in.len = text.len;
	mk_arena_init(&own, mk_verify_memory(text.len));
	if ((r = mk_buf_check(&text, why, "device")) != 0 ||
	    (r = mk_json_parse(&own, &in, &json, why)) != 0)
		goto out;
	mk_envelope_claim(json, &notes);
	if ((r = mk_envelope_open(&own, json, &place, &env, why)) != 0 ||
	    (r = mk_envelope_body(&own, &env, &place, &body, why)) != 0 ||
	    (r = mk_device_read(&own, body, MK_GEN_CURRENT, &opened,
	    why)) != 0 ||
	    (r = mk_json_settle(&notes, "device", why)) != 0 ||
	    (r = mk_envelope_verify(&env, &opened.key, "device", why)) != 0)
		goto out;
	if (mk_udf_cmp(&opened.id, &opened.key.udf) == 0)
		*ret_id = opened.id;
	else
		r = mk_fail(why, MK_E_REFUSED, "device",
		    "'Identifier' is not the fingerprint of the device key");
out:
	mk_arena_release(&own);
	mk_buf_release(&text);
	return r;
}

/* Whether a device of this key may come to those that are there. */
static int
check_device(const struct mk_draft *d, const struct mk_udf *id,
    struct mk_why *why)
{
	const char *role;
	size_t i;

	/* Hosts remember a deletion; one that comes back would never log in. */
	if (is_in(d->deleted, d->n_deleted, id))
		return mk_fail(why, MK_E_REFUSED, "device", "'%s' was "
		    "deleted from the profile, which is for good: the "
		    "device needs a new key", show(id).s);
	if (is_in(d->device_ids, d->n_devices, id))
		return mk_fail(why, MK_E_REFUSED, "device",
		    "'%s' is a device of the profile already", show(id).s);
	role = role_of(d, id);
	for (i = 0; i < d->n_ssh && role == NULL; i++) {
		if (d->ssh[i].has_key_udf &&
		    mk_udf_cmp(&d->ssh[i].key_udf, id) == 0)
			role = "an SSH key";
	}
	/* One key in two roles would sign for both. */
	if (role != NULL)
		return mk_fail(why, MK_E_REFUSED, "device",
		    "the device key '%s' is also %s of the profile",
		    show(id).s, role);
	if (d->n_devices >= MK_DEVICES_MAX)
		return mk_fail(why, MK_E_REFUSED, "device", "the profile has "
		    "%zu devices, the limit: delete one first",
		    d->n_devices);
	return 0;
}

int
mk_draft_add(struct mk_draft *d, const struct mk_envelope *device,
    struct mk_why *why)
{
	struct mk_envelope *devices;
	struct mk_udf *ids, id;
	int r;

	if ((r = open_device(device, &id, why)) != 0 ||
	    (r = check_device(d, &id, why)) != 0)
		return r;
	devices = make_room(d->arena, d->devices, d->n_devices,
	    sizeof(*devices), &d->devices_room);
	if (devices == NULL)
		return mk_arena_fail(d->arena, why);
	d->devices = devices;
	ids = make_room(d->arena, d->device_ids, d->n_devices, sizeof(*ids),
	    &d->ids_room);
	if (ids == NULL)
		return mk_arena_fail(d->arena, why);
	d->device_ids = ids;
	devices[d->n_devices] = *device;
	ids[d->n_devices++] = id;
	return 0;
}

static void
remove_ssh(struct mk_draft *d, const struct mk_udf *device)
{
	size_t i, n = 0;

	for (i = 0; i < d->n_ssh; i++) {
		if (mk_udf_cmp(&d->ssh[i].device, device) != 0)
			d->ssh[n++] = d->ssh[i];
	}
	d->n_ssh = n;
}

/* At the end of Deleted; over the limit the oldest fall out. */
static int
bury(struct mk_draft *d, const struct mk_udf *device, struct mk_why *why)
{
	struct mk_udf *deleted;

	deleted = make_room(d->arena, d->deleted, d->n_deleted,
	    sizeof(*deleted), &d->deleted_room);
	if (deleted == NULL)
		return mk_arena_fail(d->arena, why);
	d->deleted = deleted;
	deleted[d->n_deleted++] = *device;
	if (d->n_deleted > MK_DELETED_MAX) {
		d->n_deleted = MK_DELETED_MAX;
		memmove(deleted, deleted + 1,
		    MK_DELETED_MAX * sizeof(*deleted));
	}
	return 0;
}

int
mk_draft_delete(struct mk_draft *d, const struct mk_udf *device,
    struct mk_why *why)
{
	struct mk_udf id = *device;	/* perhaps one of our own list */
	size_t index, i, after;
	int r;

	if ((r = find_device(d, &id, &index, why)) != 0)
		return r;
	/* Its online key could take everything back. */
	for (i = 0; i < d->master.n_online; i++) {
		if (mk_udf_cmp(&d->master.online[i].device, &id) == 0)
			return mk_fail(why, MK_E_REFUSED, "device", "'%s' is "
			    "an administrator: to delete it needs the master "
			    "key", show(&id).s);
	}
	if ((r = bury(d, &id, why)) != 0)
		return r;
	remove_ssh(d, &id);
	after = --d->n_devices - index;
	memmove(&d->devices[index], &d->devices[index + 1],
	    after * sizeof(*d->devices));
	memmove(&d->device_ids[index], &d->device_ids[index + 1],
	    after * sizeof(*d->device_ids));
	return 0;
}

/*
 * An element as every verifier will see it: written, and read by the reader
 * that judges descriptions, proofs, keys and a host's lists.
 */
static int
check_element(const struct mk_ssh_device *ssh, struct mk_ssh_device *ret_ssh,
    struct mk_why *why)
{
	struct mk_ssh one = { .id = { "", 0 }, .devices = ssh,
	    .n_devices = 1 };
	struct mk_json_notes notes = { 0 };
	struct mk_json_text in = { .stage = "ssh", .notes = &notes };
	struct mk_reading reading = { .gen = MK_GEN_CURRENT,
	    .max_devices = 1, .notes = &notes };
	const struct mk_json *json;
	struct mk_arena own;
	struct mk_buf text;
	struct mk_ssh read;
	int r;

	mk_buf_init(&text, ELEMENT_MAX);
	mk_ssh_write(&one, &text);
	in.s = text.data;
	in.len = text.len;
	mk_arena_init(&own, mk_verify_memory(text.len));
	reading.arena = &own;
	if ((r = mk_buf_check(&text, why, "ssh")) != 0 ||
	    (r = mk_json_parse(&own, &in, &json, why)) != 0 ||
	    (r = mk_ssh_read(&reading, mk_json_member(json, "SSHProfile"),
	    &read, why)) != 0 ||
	    (r = mk_json_settle(&notes, "ssh", why)) != 0)
		goto out;
	ret_ssh->has_key_udf = read.devices[0].has_key_udf;
	ret_ssh->key_udf = read.devices[0].key_udf;
out:
	mk_arena_release(&own);
	mk_buf_release(&text);
	return r;
}

/* The element against those that its device has. */
static int
check_siblings(const struct mk_draft *d, const struct mk_ssh_device *ssh,
    struct mk_why *why)
{
	size_t n = 0, i;
	bool host = false;

	for (i = 0; i < d->n_ssh; i++) {
		if (mk_udf_cmp(&d->ssh[i].device, &ssh->device) != 0)
			continue;
		host = d->ssh[i].host;
		n++;
	}
	/* A host is there to be logged in to, not to log in from. */
	if (host)
		return mk_fail(why, MK_E_REFUSED, "ssh", ssh->host ?
		    "'%s' is a host already" : "'%s' is a host, which has no "
		    "SSH keys of the user", show(&ssh->device).s);
	if (ssh->host && n > 0)
		return mk_fail(why, MK_E_REFUSED, "ssh", "'%s' has SSH keys "
		    "of the user, so it cannot be a host",
		    show(&ssh->device).s);
	if (n >= MK_KEYS_PER_DEVICE)
		return mk_fail(why, MK_E_REFUSED, "ssh", "'%s' has %zu SSH "
		    "keys, the limit", show(&ssh->device).s, n);
	return 0;
}

/* The key against all others; in either form it is the same blob. */
static int
check_key(const struct mk_draft *d, const struct mk_ssh_device *ssh,
    struct mk_why *why)
{
	const char *role = NULL;
	size_t i;

	/* Who signs profiles must not sign what a server of SSH chose. */
	if (ssh->has_key_udf)
		role = role_of(d, &ssh->key_udf);
	if (role != NULL)
		return mk_fail(why, MK_E_REFUSED, "ssh",
		    "the SSH key is also %s of the profile", role);
	for (i = 0; i < d->n_ssh; i++) {
		if (!d->ssh[i].host && d->ssh[i].key.len == ssh->key.len &&
		    memcmp(d->ssh[i].key.blob, ssh->key.blob,
		    ssh->key.len) == 0)
			return mk_fail(why, MK_E_REFUSED, "ssh", "the SSH "
			    "key is already that of '%s'",
			    show(&d->ssh[i].device).s);
	}
	return 0;
}

int
mk_draft_enrol(struct mk_draft *d, const struct mk_ssh_device *ssh,
    struct mk_why *why)
{
	struct mk_ssh_device element = *ssh, *list;
	size_t unused;
	int r;

	if ((r = find_device(d, &ssh->device, &unused, why)) != 0)
		return r;
	/* A host has no key to prove. */
	if (ssh->host)
		element.proof = (struct mk_text){ 0 };
	else if (ssh->mesh_form && ssh->key.ed25519 == NULL)
		return mk_fail(why, MK_E_REFUSED, "ssh", "the SSH key is not "
		    "ssh-ed25519 and has no form of the Mesh");
	if ((r = check_element(&element, &element, why)) != 0 ||
	    (r = check_siblings(d, &element, why)) != 0 ||
	    (!ssh->host && (r = check_key(d, &element, why)) != 0))
		return r;
	if (d->ssh_app == NULL && d->n_others + 2 > MK_ENTRIES_MAX)
		return mk_fail(why, MK_E_REFUSED, "ssh", "the profile has "
		    "%zu other applications, which leaves no room for an "
		    "SSHProfile", d->n_others);
	list = make_room(d->arena, d->ssh, d->n_ssh, sizeof(*list),
	    &d->ssh_room);
	if (list == NULL)
		return mk_arena_fail(d->arena, why);
	d->ssh = list;
	list[d->n_ssh++] = element;
	return 0;
}

int
mk_draft_unenrol(struct mk_draft *d, const struct mk_udf *device,
    struct mk_why *why)
{
	struct mk_udf id = *device;	/* perhaps of an element */
	size_t unused;
	int r;

	r = find_device(d, &id, &unused, why);
	if (r == 0)
		remove_ssh(d, &id);
	return r;
}
