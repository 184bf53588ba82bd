/* SPDX-License-Identifier: ISC */
/*
 * What OpenSSH reads: private key files (its PROTOCOL.key), unencrypted, and
 * signatures (PROTOCOL.sshsig).
 */
#include "mkset.h"

#include <string.h>

#include "core/digest.h"
#include "core/sshwire.h"

#define LINE	70	/* base64 characters a line */

static const char namespace[] = "mesh-enrol@meshkeys";

/* "type SP base64" */
struct mk_text
ms_public_line(struct ms_set *set, const struct mk_sshkey *key)
{
	struct mk_buf b;

	mk_buf_init(&b, MS_TEXT_MAX);
	mk_buf_put(&b, key->name, key->name_len);
	mk_buf_putc(&b, ' ');
	mk_buf_b64std(&b, key->blob, key->len);
	return ms_done(set, &b);
}

static void
put_string(struct mk_buf *out, const char *s)
{
	mk_wire_put_string(out, s, strlen(s));
}

static void
put_u32(struct mk_buf *out, uint32_t n)
{
	const uint8_t bytes[4] = { (uint8_t)(n >> 24), (uint8_t)(n >> 16),
	    (uint8_t)(n >> 8), (uint8_t)n };

	mk_buf_put(out, bytes, sizeof(bytes));
}

/* What would be encrypted. */
static struct mk_text
private_part(struct ms_set *set, const struct ms_key *key,
    const struct mk_sshkey *public, const char *comment)
{
	struct mk_buf b;
	uint8_t pad = 0, check[64];
	unsigned i;

	ms_hash(set, key->role, check);
	mk_buf_init(&b, MS_TEXT_MAX);
	for (i = 0; i < 2; i++)
		mk_buf_put(&b, check, 4);
	mk_wire_put_string(&b, public->name, public->name_len);
	if (key->rsa != NULL) {
		ms_rsa_private(key, &b);
	} else {
		mk_wire_put_string(&b, key->pub.ed25519, MK_ED25519_PUBLIC);
		mk_wire_put_string(&b, key->sk, MK_ED25519_SECRET);
	}
	put_string(&b, comment);
	while (b.len % 8 != 0)
		mk_buf_putc(&b, (char)++pad);
	return ms_done(set, &b);
}

static struct mk_text
armour(struct ms_set *set, struct mk_text blob)
{
	struct mk_text base64;
	struct mk_buf b;
	size_t i, n;

	mk_buf_init(&b, MS_TEXT_MAX);
	mk_buf_b64std(&b, (const uint8_t *)blob.s, blob.len);
	base64 = ms_done(set, &b);
	mk_buf_init(&b, MS_TEXT_MAX);
	mk_buf_puts(&b, "-----BEGIN OPENSSH PRIVATE KEY-----\n");
	for (i = 0; i < base64.len; i += LINE) {
		n = base64.len - i < LINE ? base64.len - i : LINE;
		mk_buf_put(&b, base64.s + i, n);
		mk_buf_putc(&b, '\n');
	}
	mk_buf_puts(&b, "-----END OPENSSH PRIVATE KEY-----\n");
	return ms_done(set, &b);
}

static struct mk_text
private_file(struct ms_set *set, const struct ms_enrolled *e)
{
	static const char magic[] = "openssh-key-v1";	/* with its NUL */
	struct mk_sshkey public = ms_ssh_key(set, e);
	struct mk_text secret;
	struct mk_buf b;

	secret = private_part(set, ms_key(set, e->role), &public,
	    e->device->name);
	mk_buf_init(&b, MS_TEXT_MAX);
	mk_buf_put(&b, magic, sizeof(magic));
	put_string(&b, "none");
	put_string(&b, "none");
	put_string(&b, "");
	put_u32(&b, 1);
	mk_wire_put_string(&b, public.blob, public.len);
	mk_wire_put_string(&b, secret.s, secret.len);
	return armour(set, ms_done(set, &b));
}

/* DIR/NAME and DIR/NAME.pub for each device; the second key is NAME.1 */
void
ms_private_write(struct ms_set *set, const char *dir)
{
	const struct ms_enrolled *e, *before;
	struct mk_sshkey public;
	const char *path;
	unsigned n;

	for (e = set->enrolled; e != NULL; e = e->next) {
		if (e->file != NULL || e->device->host)
			continue;
		n = 0;
		for (before = set->enrolled; before != e;
		    before = before->next)
			n += before->device == e->device;
		path = ms_printf(set, "%s/%s", dir, e->device->name);
		if (n > 0)
			path = ms_printf(set, "%s.%u", path, n);
		ms_file_write(path, private_file(set, e), 0600);
		public = ms_ssh_key(set, e);
		ms_file_write(ms_printf(set, "%s.pub", path),
		    ms_text(ms_printf(set, "%s %s\n",
		    ms_public_line(set, &public).s, e->device->name)), 0644);
	}
}

/* What a SSHSIG covers, or what it is, up to the hash's name. */
static void
put_sshsig_head(struct mk_buf *out)
{
	put_string(out, namespace);
	put_string(out, "");
	put_string(out, "sha512");
}

static void
put_ed25519_sig(struct ms_set *set, const struct ms_key *key,
    struct mk_text msg, struct mk_buf *out)
{
	uint8_t sig[MK_ED25519_SIG];
	struct mk_text text;
	struct mk_buf b;

	mk_ed25519_sign(key->sk, (const uint8_t *)msg.s, msg.len, sig);
	mk_buf_init(&b, MS_TEXT_MAX);
	put_string(&b, "ssh-ed25519");
	mk_wire_put_string(&b, sig, sizeof(sig));
	text = ms_done(set, &b);
	mk_wire_put_string(out, text.s, text.len);
}

/* "<master UDF> <DeviceUDF>" */
static struct mk_text
proof_message(struct ms_set *set, const struct mk_udf *device)
{
	char master_text[MK_UDF_TEXT + 1], device_text[MK_UDF_TEXT + 1];

	mk_udf_format(&ms_key(set, "master")->pub.udf, master_text);
	mk_udf_format(device, device_text);
	return ms_text(ms_printf(set, "%s %s", master_text, device_text));
}

/* base64url of the SSHSIG by which a key agrees to be enrolled. */
struct mk_text
ms_proof(struct ms_set *set, const struct ms_key *key,
    const struct mk_udf *device)
{
	struct mk_text msg = proof_message(set, device);
	struct mk_text covered, sshsig;
	struct mk_buf b;
	uint8_t digest[MK_SHA512];

	mk_sha512((const uint8_t *)msg.s, msg.len, digest);
	mk_buf_init(&b, MS_TEXT_MAX);
	mk_buf_puts(&b, "SSHSIG");
	put_sshsig_head(&b);
	mk_wire_put_string(&b, digest, sizeof(digest));
	covered = ms_done(set, &b);
	mk_buf_init(&b, MS_TEXT_MAX);
	mk_buf_puts(&b, "SSHSIG");
	put_u32(&b, 1);
	put_u32(&b, 4 + 11 + 4 + MK_ED25519_PUBLIC);
	mk_sshkey_from_ed25519(key->pub.ed25519, &b);
	put_sshsig_head(&b);
	put_ed25519_sig(set, key, covered, &b);
	sshsig = ms_done(set, &b);
	mk_buf_init(&b, MS_TEXT_MAX);
	mk_buf_b64url(&b, (const uint8_t *)sshsig.s, sshsig.len);
	return ms_done(set, &b);
}
