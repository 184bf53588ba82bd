/* SPDX-License-Identifier: ISC */
#include "mkset.h"

#include <stdio.h>
#include <string.h>

#include "core/base64.h"
#include "core/sshkey.h"

/* "device7" has the roles "device7" and "ssh7"; others are named whole. */
static bool
is_numbered(const char *name)
{
	return strncmp(name, "device", 6) == 0 && name[6] != '\0' &&
	    strspn(name + 6, "0123456789") == strlen(name + 6);
}

/* Where the device of that name stands, or would stand. */
static struct ms_device **
find(struct ms_set *set, const char *name)
{
	struct ms_device **p;

	for (p = &set->devices; *p != NULL; p = &(*p)->next) {
		if (strcmp((*p)->name, name) == 0)
			break;
	}
	return p;
}

static struct ms_device *
make(struct ms_set *set, const char *name)
{
	struct ms_device *d = ms_alloc(set, 1, sizeof(*d));

	d->name = name;
	d->role = is_numbered(name) ? name :
	    ms_printf(set, "device:%s", name);
	return d;
}

/* The device of that name, made where there is none. */
struct ms_device *
ms_device(struct ms_set *set, const char *name)
{
	struct ms_device **p = find(set, name);

	if (*p == NULL)
		*p = make(set, name);
	return *p;
}

static const char *
ssh_role(struct ms_set *set, const struct ms_device *d)
{
	const char *role;

	role = is_numbered(d->name) ? ms_printf(set, "ssh%s", d->name + 6) :
	    ms_printf(set, "ssh:%s", d->name);
	if (d->n_keys > 0)
		role = ms_printf(set, "%s.%u", role, d->n_keys);
	return role;
}

/* NAME or NAME=FILE; a name given again has one more key. */
void
ms_enrol(struct ms_set *set, const char *arg)
{
	struct ms_enrolled *e = ms_alloc(set, 1, sizeof(*e)), **p;
	const char *eq = strchr(arg, '=');

	e->device = ms_device(set, eq == NULL ? arg :
	    ms_printf(set, "%.*s", (int)(eq - arg), arg));
	e->file = eq == NULL ? NULL : eq + 1;
	if (eq == NULL)
		e->role = ssh_role(set, e->device);
	e->device->n_keys++;
	for (p = &set->enrolled; *p != NULL; p = &(*p)->next)
		;
	*p = e;
}

/*
 * The next SSH key of a device, which no set lists; the device may be one
 * that stands in the set, or is in none.
 */
struct ms_enrolled
ms_newcomer(struct ms_set *set, const char *name)
{
	struct ms_enrolled e = { .device = *find(set, name) };

	if (e.device == NULL)
		e.device = make(set, name);
	e.role = ssh_role(set, e.device);
	return e;
}

const struct mk_udf *
ms_device_udf(struct ms_set *set, const char *name)
{
	const char *role = is_numbered(name) ? name :
	    ms_printf(set, "device:%s", name);

	return &ms_key(set, role)->pub.udf;
}

const char *
ms_signer(struct ms_set *set, unsigned n)
{
	return ms_printf(set, "online%u", n);
}

const char *
ms_level(struct ms_set *set, const struct ms_device *d)
{
	return ms_printf(set, "device:%s", d->name);
}

/* "type SP base64[ comment]" */
static struct mk_sshkey
key_of_file(struct ms_set *set, const char *path)
{
	struct mk_text text = ms_file_read(set, path);
	struct mk_sshkey key = { 0 };
	const char *base64;
	uint8_t *blob;

	key.name_len = strcspn(text.s, " ");
	base64 = text.s + key.name_len + 1;
	blob = ms_alloc(set, text.len + 1, 1);
	if (key.name_len == text.len ||
	    !mk_b64std_decode(base64, strcspn(base64, " \n"), blob, &key.len))
		ms_die("'%s' is no public key", path);
	key.name = text.s;
	key.blob = blob;
	return key;
}

struct mk_sshkey
ms_ssh_key(struct ms_set *set, const struct ms_enrolled *e)
{
	const struct ms_key *mesh;
	struct mk_sshkey key = { 0 };
	struct mk_text blob;
	struct mk_buf b;

	if (e->file != NULL)
		return key_of_file(set, e->file);
	mesh = ms_key(set, e->role);
	mk_buf_init(&b, MS_TEXT_MAX);
	if (set->gen == MK_GEN_CURRENT)
		mk_sshkey_from_ed25519(mesh->pub.ed25519, &b);
	else
		mk_sshkey_from_rsa(&mesh->pub.rsa, &b);
	blob = ms_done(set, &b);
	key.blob = (const uint8_t *)blob.s;
	key.len = blob.len;
	key.name = set->gen == MK_GEN_CURRENT ? "ssh-ed25519" : "ssh-rsa";
	key.name_len = strlen(key.name);
	key.ed25519 = mesh->pub.ed25519;
	return key;
}

/* The tombstones: those named, then made-up ones. */
void
ms_deleted(struct ms_set *set, const struct mk_udf **ret_deleted,
    size_t *ret_n)
{
	const struct ms_pair *p;
	struct mk_udf *udfs;
	size_t n = set->made_deleted, i = 0;
	unsigned k;

	for (p = set->deleted; p != NULL; p = p->next)
		n++;
	udfs = ms_alloc(set, n + 1, sizeof(*udfs));
	for (p = set->deleted; p != NULL; p = p->next)
		udfs[i++] = *ms_device_udf(set, p->name);
	for (k = 0; k < set->made_deleted; k++)
		udfs[i++] = ms_key(set, ms_printf(set, "gone%u", k))->pub.udf;
	*ret_deleted = udfs;
	*ret_n = n;
}
