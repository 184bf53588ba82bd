/* SPDX-License-Identifier: ISC */
#include "core/write.h"

#include <string.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/digest.h"
#include "core/ed25519.h"
#include "core/limits.h"
#include "core/timestamp.h"

/* The protected part is far shorter: alg, and 86 characters of digest. */
#define PROTECTED_MAX	256

/* ["...","..."], the name before it. */
static void
put_texts(struct mk_buf *out, const char *name, const struct mk_text *texts,
    size_t n)
{
	size_t i;

	mk_put_name(out, name);
	mk_buf_putc(out, '[');
	for (i = 0; i < n; i++) {
		if (i > 0)
			mk_buf_putc(out, ',');
		mk_json_write(texts[i].s, texts[i].len, out);
	}
	mk_buf_putc(out, ']');
}

static void
put_parameters(struct mk_buf *out, const uint8_t pk[MK_ED25519_PUBLIC])
{
	mk_buf_puts(out, "\"PublicParameters\":{\"PublicKeyECDH\":"
	    "{\"crv\":\"Ed25519\",");
	mk_put_bytes(out, "Public", pk, MK_ED25519_PUBLIC);
	mk_buf_puts(out, "}}");
}

void
mk_put_key(struct mk_buf *out, const char *name,
    const struct mk_pubkey *key)
{
	mk_put_name(out, name);
	mk_buf_putc(out, '{');
	mk_put_udf(out, "UDF", &key->udf);
	mk_buf_putc(out, ',');
	put_parameters(out, key->ed25519);
	mk_buf_putc(out, '}');
}

static void
put_online(struct mk_buf *out, const struct mk_online *online)
{
	mk_buf_putc(out, '{');
	mk_put_udf(out, "UDF", &online->key.udf);
	mk_buf_putc(out, ',');
	put_parameters(out, online->key.ed25519);
	mk_buf_putc(out, ',');
	mk_put_udf(out, "DeviceUDF", &online->device);
	mk_buf_putc(out, '}');
}

void
mk_master_write(const struct mk_master *m, struct mk_buf *out)
{
	size_t i;

	mk_buf_puts(out, "{\"MasterProfile\":{");
	mk_put_udf(out, "Identifier", &m->id);
	mk_buf_putc(out, ',');
	mk_put_time(out, "Updated", m->updated);
	mk_buf_putc(out, ',');
	mk_put_key(out, "MasterSignatureKey", &m->key);
	mk_buf_puts(out, ",\"OnlineSignatureKeys\":[");
	for (i = 0; i < m->n_online; i++) {
		if (i > 0)
			mk_buf_putc(out, ',');
		put_online(out, &m->online[i]);
	}
	mk_buf_puts(out, "]}}");
}

void
mk_device_write(const struct mk_device *d, struct mk_buf *out)
{
	mk_buf_puts(out, "{\"DeviceProfile\":{");
	mk_put_udf(out, "Identifier", &d->id);
	mk_buf_putc(out, ',');
	mk_put_key(out, "DeviceSignatureKey", &d->key);
	if (d->name.len > 0) {
		mk_buf_putc(out, ',');
		put_texts(out, "Names", &d->name, 1);
	}
	if (d->description.len > 0) {
		mk_buf_putc(out, ',');
		mk_put_text(out, "Description", d->description.s,
		    d->description.len);
	}
	mk_buf_puts(out, "}}");
}

/* Ed25519 alone has a form of the Mesh's own. */
static void
put_ssh_mesh(struct mk_buf *out, const struct mk_sshkey *key)
{
	struct mk_pubkey mesh;

	mk_pubkey_from_ed25519(key->ed25519, &mesh);
	mk_put_key(out, "PublicKey", &mesh);
}

/* "type SP base64"; a type string needs escapes like any other text. */
static void
put_ssh_openssh(struct mk_buf *out, const struct mk_sshkey *key)
{
	struct mk_buf text;

	mk_buf_init(&text, MK_STRING_LONG);
	mk_buf_put(&text, key->name, key->name_len);
	mk_buf_putc(&text, ' ');
	mk_buf_b64std(&text, key->blob, key->len);
	if (text.failed != 0 && out->failed == 0)
		out->failed = text.failed;
	else
		mk_put_text(out, "OpenSSH", text.data, text.len);
	mk_buf_release(&text);
}

static void
put_host(struct mk_buf *out, const struct mk_ssh_device *d)
{
	mk_buf_puts(out, "\"Host\":true");
	if (d->n_hostkeys > 0) {
		mk_buf_putc(out, ',');
		put_texts(out, "HostKeys", d->hostkeys, d->n_hostkeys);
	}
	if (d->n_hostnames > 0) {
		mk_buf_putc(out, ',');
		put_texts(out, "HostNames", d->hostnames, d->n_hostnames);
	}
}

void
mk_ssh_device_write(const struct mk_ssh_device *d, struct mk_buf *out)
{
	mk_buf_puts(out, "{\"SSHDevicePublic\":{");
	mk_put_udf(out, "DeviceUDF", &d->device);
	mk_buf_putc(out, ',');
	if (d->description.len > 0) {
		mk_put_text(out, "DeviceDescription", d->description.s,
		    d->description.len);
		mk_buf_putc(out, ',');
	}
	if (d->host)
		put_host(out, d);
	else if (d->mesh_form)
		put_ssh_mesh(out, &d->key);
	else
		put_ssh_openssh(out, &d->key);
	if (d->proof.len > 0) {
		mk_buf_putc(out, ',');
		mk_put_text(out, "Proof", d->proof.s, d->proof.len);
	}
	mk_buf_puts(out, "}}");
}

void
mk_ssh_write(const struct mk_ssh *s, struct mk_buf *out)
{
	size_t i;

	mk_buf_puts(out, "{\"SSHProfile\":{");
	mk_put_text(out, "Identifier", s->id.s, s->id.len);
	mk_buf_puts(out, ",\"Devices\":[");
	for (i = 0; i < s->n_devices; i++) {
		if (i > 0)
			mk_buf_putc(out, ',');
		mk_ssh_device_write(&s->devices[i], out);
	}
	mk_buf_puts(out, "]}}");
}

static void
put_previous(struct mk_buf *out, const struct mk_personal *p)
{
	size_t i;

	mk_buf_puts(out, ",\"Previous\":[");
	for (i = 0; i < p->n_previous; i++) {
		mk_buf_puts(out, i > 0 ? ",\"" : "\"");
		mk_buf_b64url(out, p->previous[i], MK_DIGEST);
		mk_buf_putc(out, '"');
	}
	mk_buf_putc(out, ']');
}

static void
put_deleted(struct mk_buf *out, const struct mk_personal *p)
{
	char text[MK_UDF_TEXT + 1];
	size_t i;

	mk_buf_puts(out, ",\"Deleted\":[");
	for (i = 0; i < p->n_deleted; i++) {
		if (i > 0)
			mk_buf_putc(out, ',');
		mk_udf_format(&p->deleted[i], text);
		mk_json_write(text, MK_UDF_TEXT, out);
	}
	mk_buf_putc(out, ']');
}

static void
put_apps(struct mk_buf *out, const struct mk_personal *p)
{
	const struct mk_app *app;
	size_t i;

	mk_buf_puts(out, ",\"Applications\":[");
	for (i = 0; i < p->n_apps; i++) {
		app = &p->apps[i];
		mk_buf_puts(out, i > 0 ? ",{" : "{");
		mk_put_text(out, "Identifier", app->id.s, app->id.len);
		mk_buf_putc(out, ',');
		mk_put_text(out, "Type", app->type.s, app->type.len);
		mk_buf_putc(out, ',');
		mk_put_bytes(out, "Digest", app->digest, MK_DIGEST);
		mk_buf_putc(out, '}');
	}
	mk_buf_putc(out, ']');
}

void
mk_personal_write(const struct mk_personal *p,
    const struct mk_envelope *master, const struct mk_envelope *devices,
    struct mk_buf *out)
{
	size_t i;

	mk_buf_puts(out, "{\"PersonalProfile\":{");
	mk_put_udf(out, "Identifier", &p->id);
	mk_buf_putc(out, ',');
	mk_put_time(out, "Updated", p->updated);
	if (p->expires != MK_TIME_NONE) {
		mk_buf_putc(out, ',');
		mk_put_time(out, "Expires", p->expires);
	}
	if (p->has_previous)
		put_previous(out, p);
	if (p->n_deleted > 0)
		put_deleted(out, p);
	mk_buf_puts(out, ",\"SignedMasterProfile\":");
	mk_envelope_write(master, out);
	mk_buf_puts(out, ",\"Devices\":[");
	for (i = 0; i < p->n_devices; i++) {
		if (i > 0)
			mk_buf_putc(out, ',');
		mk_envelope_write(&devices[i], out);
	}
	mk_buf_putc(out, ']');
	put_apps(out, p);
	mk_buf_puts(out, "}}");
}

void
mk_protected_write(const uint8_t *payload, size_t len, struct mk_buf *out)
{
	uint8_t digest[MK_SHA512];

	mk_sha512(payload, len, digest);
	mk_buf_puts(out, "{\"alg\":\"EdDSA\",");
	mk_put_bytes(out, "val", digest, sizeof(digest));
	mk_buf_putc(out, '}');
}

int
mk_seal(struct mk_arena *a, const struct mk_unsigned *what,
    const struct mk_signer *signer, struct mk_envelope *ret_env,
    struct mk_why *why)
{
	struct mk_envelope env = { .gen = MK_GEN_CURRENT,
	    .payload = what->payload, .payload_len = what->len };
	struct mk_buf text;
	char *covered;
	uint8_t *sig;
	int r;

	mk_buf_init(&text, PROTECTED_MAX);
	mk_protected_write(what->payload, what->len, &text);
	r = mk_buf_check(&text, why, "write");
	if (r != 0)
		goto out;
	covered = mk_arena_dup(a, text.data, text.len);
	sig = mk_arena_alloc(a, MK_ED25519_SIG);
	env.id = mk_arena_dup(a, what->id, strlen(what->id));
	if (covered == NULL || sig == NULL || env.id == NULL) {
		r = mk_arena_fail(a, why);
		goto out;
	}
	mk_ed25519_sign(signer->sk, (const uint8_t *)covered, text.len, sig);
	env.id_len = strlen(what->id);
	mk_sha512(what->payload, what->len, env.digest);
	env.kid = signer->udf;
	env.covered = (const uint8_t *)covered;
	env.covered_len = text.len;
	env.sig = sig;
	env.sig_len = MK_ED25519_SIG;
	*ret_env = env;
out:
	mk_buf_release(&text);
	return r;
}

void
mk_envelope_write(const struct mk_envelope *env, struct mk_buf *out)
{
	mk_buf_putc(out, '{');
	mk_put_text(out, "Identifier", env->id, env->id_len);
	mk_buf_puts(out, ",\"SignedData\":{\"unprotected\":"
	    "{\"dig\":\"S512\"},");
	mk_put_bytes(out, "payload", env->payload, env->payload_len);
	mk_buf_puts(out, ",\"signatures\":[{\"header\":{");
	mk_put_udf(out, "kid", &env->kid);
	mk_buf_puts(out, "},");
	mk_put_bytes(out, "protected", env->covered, env->covered_len);
	mk_buf_putc(out, ',');
	mk_put_bytes(out, "signature", env->sig, env->sig_len);
	mk_buf_puts(out, "}]}}");
}

void
mk_entries_write(const struct mk_envelope *personal,
    const struct mk_envelope *apps, size_t n_apps, struct mk_buf *out)
{
	size_t i;

	mk_buf_puts(out, "\"Entries\":[{\"SignedPersonalProfile\":");
	mk_envelope_write(personal, out);
	mk_buf_putc(out, '}');
	for (i = 0; i < n_apps; i++) {
		mk_buf_puts(out, ",{\"SignedApplicationProfile\":");
		mk_envelope_write(&apps[i], out);
		mk_buf_putc(out, '}');
	}
	mk_buf_putc(out, ']');
}

void
mk_set_write(const struct mk_envelope *personal,
    const struct mk_envelope *apps, size_t n_apps, struct mk_buf *out)
{
	mk_buf_puts(out, "{\"GetResponse\":{\"Status\":201,");
	mk_entries_write(personal, apps, n_apps, out);
	mk_buf_puts(out, "}}");
}
