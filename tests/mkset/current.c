/* SPDX-License-Identifier: ISC */
/*
 * A set of the current form, written by the signing half of the core.
 */
#include "mkset.h"

#include <string.h>

#include "core/base64.h"
#include "core/digest.h"
#include "core/limits.h"
#include "core/write.h"

struct parts {
	struct ms_sealed master, ssh, personal;
	struct ms_sealed *devices;
	struct mk_envelope *envelopes;	/* of the devices */
	size_t n_devices;
	struct mk_text app_id;
};

static const char *
udf_text(struct ms_set *set, const struct mk_udf *udf)
{
	char *text = ms_alloc(set, MK_UDF_TEXT + 1, 1);

	mk_udf_format(udf, text);
	return text;
}

/* An administrator a device, over and over. */
static const char *
online_device(const struct ms_set *set, unsigned n)
{
	const struct ms_device *d = set->devices;

	for (; d != NULL && n > 0; n--)
		d = d->next == NULL ? set->devices : d->next;
	return d == NULL ? "device0" : d->name;
}

static void
make_master(struct ms_set *set, struct ms_sealed *sealed)
{
	struct mk_master m = { .updated = set->master_updated };
	struct ms_job job = { .level = "master", .role = "master" };
	struct mk_buf b;
	unsigned i;

	m.key = ms_key(set, "master")->pub;
	m.id = m.key.udf;
	m.online = ms_alloc(set, set->online + 1, sizeof(*m.online));
	m.n_online = set->online;
	for (i = 0; i < set->online; i++) {
		m.online[i].key = ms_key(set, ms_signer(set, i))->pub;
		m.online[i].device = *ms_device_udf(set,
		    online_device(set, i));
	}
	mk_buf_init(&b, MS_TEXT_MAX);
	mk_master_write(&m, &b);
	job.payload = ms_done(set, &b);
	job.id = udf_text(set, &m.id);
	ms_edit_apply(set, job.level, NULL, &job.payload);
	ms_seal(set, &job, sealed);
}

void
ms_device_make(struct ms_set *set, const struct ms_device *d,
    struct ms_sealed *ret_sealed)
{
	struct mk_device profile = { .name = ms_text(d->name) };
	struct ms_job job = { .level = ms_level(set, d), .role = d->role };
	struct mk_buf b;

	profile.key = ms_key(set, d->role)->pub;
	profile.id = profile.key.udf;
	profile.description = d->about;
	mk_buf_init(&b, MS_TEXT_MAX);
	mk_device_write(&profile, &b);
	job.payload = ms_done(set, &b);
	job.id = udf_text(set, &profile.id);
	ms_edit_apply(set, job.level, NULL, &job.payload);
	ms_seal(set, &job, ret_sealed);
}

static void
make_devices(struct ms_set *set, struct parts *parts)
{
	const struct ms_device *d;
	size_t n = 0;

	for (d = set->devices; d != NULL; d = d->next)
		n++;
	parts->devices = ms_alloc(set, n + 1, sizeof(*parts->devices));
	parts->envelopes = ms_alloc(set, n + 1, sizeof(*parts->envelopes));
	n = 0;
	for (d = set->devices; d != NULL; d = d->next) {
		if (d->dropped)
			continue;
		ms_device_make(set, d, &parts->devices[n]);
		parts->envelopes[n] = parts->devices[n].env;
		n++;
	}
	parts->n_devices = n;
}

static void
fill_host(struct ms_set *set, const struct ms_enrolled *e,
    struct mk_ssh_device *out)
{
	struct ms_enrolled key = { .role = ms_printf(set, "host:%s",
	    e->device->name) };
	struct mk_sshkey hostkey = ms_ssh_key(set, &key);
	struct mk_text *texts = ms_alloc(set, 2, sizeof(*texts));

	texts[0] = ms_public_line(set, &hostkey);
	texts[1] = ms_text(e->device->name);
	out->host = true;
	out->hostkeys = &texts[0];
	out->hostnames = &texts[1];
	out->n_hostkeys = out->n_hostnames = 1;
}

void
ms_ssh_fill(struct ms_set *set, const struct ms_enrolled *e,
    struct mk_ssh_device *ret_ssh)
{
	const struct ms_device *d = e->device;

	ret_ssh->device = ms_key(set, d->role)->pub.udf;
	ret_ssh->description = d->description;
	if (d->host) {
		fill_host(set, e, ret_ssh);
		return;
	}
	ret_ssh->key = ms_ssh_key(set, e);
	ret_ssh->mesh_form = e->file == NULL && !d->openssh;
	if (d->proof && e->file == NULL)
		ret_ssh->proof = ms_proof(set, ms_key(set, e->role),
		    &ret_ssh->device);
}

static struct mk_text
ssh_text(struct ms_set *set, const struct parts *parts)
{
	struct mk_ssh s = { .id = parts->app_id };
	const struct ms_enrolled *e;
	struct mk_ssh_device *devices;
	struct mk_text text;
	struct mk_buf b;
	size_t n = 0;

	for (e = set->enrolled; e != NULL; e = e->next)
		n++;
	devices = ms_alloc(set, n + 1, sizeof(*devices));
	s.devices = devices;
	for (e = set->enrolled; e != NULL; e = e->next) {
		if (!e->device->dropped)
			ms_ssh_fill(set, e, &devices[s.n_devices++]);
	}
	mk_buf_init(&b, MS_TEXT_MAX);
	mk_ssh_write(&s, &b);
	text = ms_done(set, &b);
	ms_edit_apply(set, "ssh", NULL, &text);
	return text;
}

static void
seal_ssh(struct ms_set *set, struct mk_text text, struct parts *parts)
{
	struct ms_job job = { .level = "ssh", .payload = text,
	    .id = parts->app_id.s };

	job.role = ms_signer(set, set->ssh_signer);
	ms_seal(set, &job, &parts->ssh);
}

/* The digest of the P payload of an earlier set. */
static void
previous_digest(struct ms_set *set, const char *path, uint8_t out[MK_DIGEST])
{
	struct mk_text text = ms_file_read(set, path);
	const char *p = strstr(text.s, "\"SignedPersonalProfile\"");
	uint8_t *payload = ms_alloc(set, text.len + 1, 1);
	size_t len;

	if (p == NULL || (p = strstr(p, "\"payload\"")) == NULL ||
	    (p = strchr(p + 9, '"')) == NULL ||
	    !mk_b64url_decode_folded(p + 1, strcspn(p + 1, "\""), payload,
	    &len))
		ms_die("'%s' is no profile set", path);
	mk_sha512(payload, len, out);
}

static void
fill_previous(struct ms_set *set, struct mk_personal *p)
{
	const struct ms_pair *file;
	uint8_t (*digests)[MK_DIGEST];
	size_t n = set->made_previous, i = 0;
	unsigned k;

	for (file = set->previous; file != NULL; file = file->next)
		n++;
	digests = ms_alloc(set, n + 1, sizeof(*digests));
	for (file = set->previous; file != NULL; file = file->next)
		previous_digest(set, file->name, digests[i++]);
	for (k = 0; k < set->made_previous; k++)
		ms_hash(set, ms_printf(set, "previous%u", k), digests[i++]);
	p->previous = (const uint8_t (*)[MK_DIGEST])digests;
	p->n_previous = n;
	p->has_previous = n > 0;
}

/* What was edited after signing takes the place of what was signed. */
struct mk_text
ms_splice(struct ms_set *set, struct mk_text text,
    const struct ms_sealed *part)
{
	struct mk_text old;
	struct mk_buf b;

	mk_buf_init(&b, MS_TEXT_MAX);
	mk_envelope_write(&part->env, &b);
	old = ms_done(set, &b);
	if (old.len == part->text.len &&
	    memcmp(old.s, part->text.s, old.len) == 0)
		return text;
	return ms_replace(set, text, old, part->text, false);
}

static struct mk_text
personal_text(struct ms_set *set, const struct parts *parts,
    const struct mk_text *ssh, struct ms_result *result)
{
	struct mk_personal p = { .updated = set->updated,
	    .expires = set->expires };
	struct mk_app app = { .id = parts->app_id,
	    .type = ms_text("SSHProfile") };
	struct mk_text text;
	struct mk_buf b;
	size_t i;

	p.id = ms_key(set, "master")->pub.udf;
	fill_previous(set, &p);
	ms_deleted(set, &p.deleted, &p.n_deleted);
	result->deleted = p.deleted;
	result->n_deleted = p.n_deleted;
	p.n_devices = parts->n_devices;
	mk_sha512((const uint8_t *)ssh->s, ssh->len, app.digest);
	p.apps = &app;
	p.n_apps = set->no_ssh ? 0 : 1;
	mk_buf_init(&b, MS_TEXT_MAX);
	mk_personal_write(&p, &parts->master.env, parts->envelopes, &b);
	text = ms_splice(set, ms_done(set, &b), &parts->master);
	for (i = 0; i < parts->n_devices; i++)
		text = ms_splice(set, text, &parts->devices[i]);
	ms_edit_apply(set, "personal", NULL, &text);
	return text;
}

static struct mk_text
entry(struct ms_set *set, const char *tag, struct mk_text text)
{
	return ms_text(ms_printf(set, "{\"%s\":%s}", tag, text.s));
}

/* An entry and the same again. */
static struct mk_text
double_entry(struct ms_set *set, struct mk_text text, const char *tag,
    struct mk_text part)
{
	struct mk_text one = entry(set, tag, part);

	return ms_replace(set, text, one,
	    ms_text(ms_printf(set, "%s,%s", one.s, one.s)), false);
}

static struct mk_text
set_text(struct ms_set *set, const struct parts *parts)
{
	bool with_ssh = !set->no_ssh && !set->lost_ssh;
	struct mk_text text;
	struct mk_buf b;

	mk_buf_init(&b, MS_TEXT_MAX);
	mk_set_write(&parts->personal.env, &parts->ssh.env,
	    with_ssh ? 1 : 0, &b);
	text = ms_splice(set, ms_done(set, &b), &parts->personal);
	if (with_ssh)
		text = ms_splice(set, text, &parts->ssh);
	if (set->twice_ssh)
		text = double_entry(set, text, "SignedApplicationProfile",
		    parts->ssh.text);
	if (set->twice_personal)
		text = double_entry(set, text, "SignedPersonalProfile",
		    parts->personal.text);
	ms_edit_apply(set, "set", NULL, &text);
	return text;
}

void
ms_current(struct ms_set *set, struct ms_result *ret_result)
{
	struct ms_job job = { .level = "personal" };
	struct parts parts = { 0 };
	struct mk_udf app = ms_random_udf(set, "app");
	struct mk_text ssh;

	parts.app_id = ms_text(udf_text(set, &app));
	make_master(set, &parts.master);
	make_devices(set, &parts);
	ssh = ssh_text(set, &parts);
	job.payload = personal_text(set, &parts, &ssh, ret_result);
	job.id = udf_text(set, &ms_key(set, "master")->pub.udf);
	job.role = ms_signer(set, set->signer);
	ms_seal(set, &job, &parts.personal);
	/* An SSHProfile that an online key signed, at another time. */
	if (set->replayed_ssh)
		ssh = ms_replace(set, ssh, ms_text("{\"SSHProfile\":{"),
		    ms_text("{\"SSHProfile\":{\"Replayed\":true,"), false);
	seal_ssh(set, ssh, &parts);
	ret_result->master.s = (const char *)parts.master.env.payload;
	ret_result->master.len = parts.master.env.payload_len;
	ret_result->personal = job.payload;
	ret_result->ssh = ssh;
	ret_result->set = set_text(set, &parts);
}
