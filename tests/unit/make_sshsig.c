/* SPDX-License-Identifier: ISC */
#include "make_sshsig.h"

#include <string.h>

#include "core/digest.h"
#include "core/sshkey.h"
#include "core/sshsig.h"
#include "core/sshwire.h"

#define SMALL	((size_t)1 << 16)

static const char *
either(const char *s, const char *otherwise)
{
	return s != NULL ? s : otherwise;
}

static void
put(struct mk_buf *out, const char *s)
{
	mk_wire_put_string(out, s, strlen(s));
}

static void
put_head(const struct sshsig_form *form, const char *reserved,
    struct mk_buf *out)
{
	put(out, either(form->name_space, MK_PROOF_NAMESPACE));
	put(out, either(reserved, ""));
	put(out, either(form->hash, "sha512"));
}

void
made_sshsig_data(const struct sshsig_form *form, const char *msg,
    struct mk_buf *out)
{
	const uint8_t *bytes = (const uint8_t *)msg;
	uint8_t digest[MK_SHA512];

	mk_buf_puts(out, either(form->magic, "SSHSIG"));
	put_head(form, either(form->signed_reserved, form->reserved), out);
	if (strcmp(either(form->hash, ""), "sha256") == 0) {
		mk_sha256(bytes, strlen(msg), digest);
		mk_wire_put_string(out, digest, MK_SHA256);
	} else {
		mk_sha512(bytes, strlen(msg), digest);
		mk_wire_put_string(out, digest, MK_SHA512);
	}
}

void
made_sshsig_wrap(const struct sshsig_form *form, const struct mk_buf *key,
    const struct mk_buf *inner, struct mk_buf *out)
{
	const uint8_t version[4] = { 0, 0, 0,
	    form->version != 0 ? form->version : 1 };

	mk_buf_puts(out, either(form->magic, "SSHSIG"));
	mk_buf_put(out, version, sizeof(version));
	mk_wire_put_string(out, key->data, key->len);
	put_head(form, form->reserved, out);
	mk_wire_put_string(out, inner->data, inner->len);
	mk_buf_puts(out, either(form->tail, ""));
}

void
made_sshsig(const uint8_t sk[MK_ED25519_SECRET],
    const struct sshsig_form *form, const char *msg, struct mk_buf *out)
{
	struct mk_buf key, data, inner;
	uint8_t sig[MK_ED25519_SIG];

	mk_buf_init(&key, SMALL);
	mk_buf_init(&data, SMALL);
	mk_buf_init(&inner, SMALL);
	/* libsodium keeps the public half behind the seed. */
	mk_sshkey_from_ed25519(sk + MK_ED25519_SEED, &key);
	made_sshsig_data(form, msg, &data);
	mk_ed25519_sign(sk, (const uint8_t *)data.data, data.len, sig);
	put(&inner, "ssh-ed25519");
	mk_wire_put_string(&inner, sig, sizeof(sig));
	made_sshsig_wrap(form, &key, &inner, out);
	mk_buf_release(&inner);
	mk_buf_release(&data);
	mk_buf_release(&key);
}
