/* SPDX-License-Identifier: ISC */
/*
 * Sets as the reference implementation wrote them in 2016 and 2017: RSA, no
 * times, no digests.  The SSHProfile has the form of September 2017 ("b2")
 * or that of May 2017 ("b1"), whose writer put public values among the
 * private ones.
 */
#include "mkset.h"
#include "legacy_text.h"

#include <string.h>

struct parts {
	struct mk_text master, ssh, personal;	/* envelopes */
	struct mk_text *devices;
	size_t n_devices;
	const char *app_id;
};

static void
put_parameters(struct ms_writer *w, const char *name,
    const struct mk_pubkey *key)
{
	ms_put_name(w, name);
	ms_put_open(w, '{');
	ms_put_name(w, "PublicKeyRSA");
	ms_put_open(w, '{');
	ms_put_udf(w, "kid", &key->udf);
	ms_put_bytes(w, "n", key->rsa.n, key->rsa.n_len);
	ms_put_bytes(w, "e", key->rsa.e, key->rsa.e_len);
	ms_put_close(w, '}');
	ms_put_close(w, '}');
}

/* The braces of a key object; 'name' is NULL in an array. */
static void
put_key(struct ms_writer *w, const char *name, const struct mk_pubkey *key)
{
	if (name != NULL)
		ms_put_name(w, name);
	else
		ms_put_element(w);
	ms_put_open(w, '{');
	ms_put_udf(w, "UDF", &key->udf);
	put_parameters(w, "PublicParameters", key);
	ms_put_close(w, '}');
}

static void
begin(struct ms_writer *w, const char *tag, const char *id)
{
	mk_buf_init(w->out, MS_TEXT_MAX);
	ms_put_open(w, '{');
	ms_put_name(w, tag);
	ms_put_open(w, '{');
	ms_put_text(w, "Identifier", id);
}

static struct mk_text
end(struct ms_set *set, struct ms_writer *w, const char *level)
{
	struct mk_text text;

	ms_put_close(w, '}');
	ms_put_close(w, '}');
	text = ms_done(set, w->out);
	ms_edit_apply(set, level, NULL, &text);
	return text;
}

static const char *
key_id(struct ms_set *set, const char *role)
{
	char *text = ms_alloc(set, MK_UDF_TEXT + 1, 1);

	mk_udf_format(&ms_key(set, role)->pub.udf, text);
	return text;
}

/* Until August 2017 these had 31 letters, the last always A. */
static const char *
app_id(struct ms_set *set)
{
	struct mk_udf udf = ms_random_udf(set, "app");
	char text[MK_UDF_TEXT + 1];

	if (set->gen == MK_GEN_2016 || set->b1)
		udf.b[0] = MK_UDF_KEY;
	mk_udf_format(&udf, text);
	return ms_printf(set, "%s%s", text,
	    udf.b[0] == MK_UDF_KEY ? "-A" : "");
}

static struct mk_text
seal(struct ms_set *set, const struct ms_job *job)
{
	struct ms_sealed sealed;

	ms_seal(set, job, &sealed);
	return sealed.text;
}

static struct mk_text
master_text(struct ms_set *set)
{
	struct mk_buf b;
	struct ms_writer w = { &b, 0, true };
	unsigned i;

	begin(&w, "MasterProfile", key_id(set, "master"));
	put_key(&w, "MasterSignatureKey", &ms_key(set, "master")->pub);
	ms_put_name(&w, "MasterEscrowKeys");
	ms_put_open(&w, '[');
	ms_put_close(&w, ']');
	ms_put_name(&w, "OnlineSignatureKeys");
	ms_put_open(&w, '[');
	for (i = 0; i < set->online; i++)
		put_key(&w, NULL, &ms_key(set, ms_signer(set, i))->pub);
	ms_put_close(&w, ']');
	return end(set, &w, "master");
}

/* The two keys that nothing here uses are the device's own again. */
static struct mk_text
device_text(struct ms_set *set, const struct ms_device *d)
{
	const struct mk_pubkey *key = &ms_key(set, d->role)->pub;
	struct mk_buf b;
	struct ms_writer w = { &b, 0, true };

	begin(&w, "DeviceProfile", key_id(set, d->role));
	ms_put_name(&w, "Names");
	ms_put_open(&w, '[');
	ms_put_element(&w);
	mk_buf_puts(&b, "\"Default\"");
	ms_put_close(&w, ']');
	ms_put_text(&w, "Description", d->about.s == NULL ? "Unknown" :
	    d->about.s);
	put_key(&w, "DeviceSignatureKey", key);
	put_key(&w, "DeviceAuthenticationKey", key);
	put_key(&w, "DeviceEncryptiontionKey", key);
	return end(set, &w, ms_level(set, d));
}

static void
make_devices(struct ms_set *set, struct parts *parts)
{
	struct ms_job job = { .depth = 3 };
	const struct ms_device *d;
	size_t n = 0;

	for (d = set->devices; d != NULL; d = d->next)
		n++;
	parts->devices = ms_alloc(set, n + 1, sizeof(*parts->devices));
	for (d = set->devices; d != NULL; d = d->next) {
		if (d->dropped)
			continue;
		job.level = ms_level(set, d);
		job.role = d->role;
		job.id = key_id(set, d->role);
		job.payload = device_text(set, d);
		parts->devices[parts->n_devices++] = seal(set, &job);
	}
}

static void
put_ssh_b1(struct ms_set *set, struct ms_writer *w,
    const struct ms_enrolled *e)
{
	ms_put_text(w, "Identifier", key_id(set, e->device->role));
	ms_put_name(w, "PublicKey");
	ms_put_open(w, '{');
	put_parameters(w, "PrivateParameters", &ms_key(set, e->role)->pub);
	ms_put_close(w, '}');
}

static void
put_ssh_b2(struct ms_set *set, struct ms_writer *w,
    const struct ms_enrolled *e)
{
	const char *description = e->device->description.s;

	ms_put_name(w, "SSHDevicePublic");
	ms_put_open(w, '{');
	ms_put_text(w, "DeviceDescription",
	    description == NULL ? "Default" : description);
	ms_put_text(w, "DeviceUDF", key_id(set, e->device->role));
	ms_put_name(w, "PublicKey");
	ms_put_open(w, '{');
	put_parameters(w, "PublicParameters", &ms_key(set, e->role)->pub);
	ms_put_close(w, '}');
	ms_put_close(w, '}');
}

static struct mk_text
ssh_text(struct ms_set *set, const struct parts *parts)
{
	const struct ms_enrolled *e;
	struct mk_buf b;
	struct ms_writer w = { &b, 0, true };

	begin(&w, "SSHProfile", parts->app_id);
	ms_put_name(&w, "Devices");
	ms_put_open(&w, '[');
	for (e = set->enrolled; e != NULL; e = e->next) {
		if (e->device->dropped)
			continue;
		if (e->file != NULL || e->device->host)
			ms_die("the old forms know neither files nor hosts");
		ms_put_element(&w);
		ms_put_open(&w, '{');
		if (set->b1)
			put_ssh_b1(set, &w, e);
		else
			put_ssh_b2(set, &w, e);
		ms_put_close(&w, '}');
	}
	ms_put_close(&w, ']');
	return end(set, &w, "ssh");
}

/* The device that signs an SSHProfile. */
static const char *
first_device(const struct ms_set *set)
{
	const struct ms_device *d = set->devices;

	while (d != NULL && d->dropped)
		d = d->next;
	return d == NULL ? "device0" : d->role;
}

static void
put_devices(struct ms_set *set, struct ms_writer *w, const char *name)
{
	const struct ms_device *d;

	ms_put_name(w, name);
	ms_put_open(w, '[');
	for (d = set->devices; d != NULL; d = d->next) {
		if (d->dropped)
			continue;
		ms_put_element(w);
		mk_buf_putc(w->out, '"');
		mk_buf_puts(w->out, key_id(set, d->role));
		mk_buf_putc(w->out, '"');
	}
	ms_put_close(w, ']');
}

static void
put_applications(struct ms_set *set, struct ms_writer *w,
    const struct parts *parts)
{
	bool old = set->gen == MK_GEN_2016 || set->b1;

	ms_put_name(w, "Applications");
	ms_put_open(w, '[');
	if (!set->no_ssh) {
		ms_put_element(w);
		ms_put_open(w, '{');
		ms_put_text(w, "Identifier", parts->app_id);
		ms_put_text(w, "Type", "SSHProfile");
		put_devices(set, w, old ? "SignID" : "AdminDeviceUDF");
		put_devices(set, w, old ? "DecryptID" : "DecryptDeviceUDF");
		ms_put_close(w, '}');
	}
	ms_put_close(w, ']');
}

static struct mk_text
personal_text(struct ms_set *set, const struct parts *parts)
{
	struct mk_buf b;
	struct ms_writer w = { &b, 0, true };
	size_t i;

	begin(&w, "PersonalProfile", key_id(set, "master"));
	ms_put_name(&w, "SignedMasterProfile");
	mk_buf_put(&b, parts->master.s, parts->master.len);
	ms_put_name(&w, "Devices");
	ms_put_open(&w, '[');
	for (i = 0; i < parts->n_devices; i++) {
		ms_put_element(&w);
		mk_buf_put(&b, parts->devices[i].s, parts->devices[i].len);
	}
	ms_put_close(&w, ']');
	put_applications(set, &w, parts);
	return end(set, &w, "personal");
}

static void
put_entry(struct mk_buf *b, const char *tag, struct mk_text text, bool more)
{
	mk_buf_puts(b, "\n{\n  \"");
	mk_buf_puts(b, tag);
	mk_buf_puts(b, "\": ");
	mk_buf_put(b, text.s, text.len);
	mk_buf_puts(b, more ? "}," : "}");
}

static struct mk_text
set_text(struct ms_set *set, const struct parts *parts)
{
	bool with_ssh = !set->no_ssh && !set->lost_ssh;
	struct mk_text text;
	struct mk_buf b;

	mk_buf_init(&b, MS_TEXT_MAX);
	mk_buf_puts(&b, "{\"GetResponse\": {\"Status\": 201, \"Entries\": [");
	put_entry(&b, "SignedPersonalProfile", parts->personal, with_ssh);
	if (with_ssh)
		put_entry(&b, "SignedApplicationProfile", parts->ssh,
		    set->twice_ssh);
	if (with_ssh && set->twice_ssh)
		put_entry(&b, "SignedApplicationProfile", parts->ssh, false);
	mk_buf_puts(&b, "\n]}}\n");
	text = ms_done(set, &b);
	ms_edit_apply(set, "set", NULL, &text);
	return text;
}

void
ms_legacy(struct ms_set *set, struct ms_result *ret_result)
{
	struct ms_job job = { .level = "master", .role = "master",
	    .depth = 2 };
	struct parts parts = { .app_id = app_id(set) };

	job.id = key_id(set, "master");
	job.payload = ret_result->master = master_text(set);
	parts.master = seal(set, &job);
	make_devices(set, &parts);
	job.level = "personal";
	job.role = ms_signer(set, set->signer);
	job.depth = 1;
	job.payload = ret_result->personal = personal_text(set, &parts);
	parts.personal = seal(set, &job);
	job.level = "ssh";
	job.role = first_device(set);
	job.id = parts.app_id;
	job.payload = ret_result->ssh = ssh_text(set, &parts);
	parts.ssh = seal(set, &job);
	ret_result->set = set_text(set, &parts);
}
