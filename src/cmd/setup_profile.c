/* SPDX-License-Identifier: ISC */
/*
 * The profile of a trial: made as meshman(1) makes the first version of one,
 * of keys that are forgotten with it.
 */
#include <config.h>

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/setup_trial.h"
#include "core/arena.h"
#include "core/digest.h"
#include "core/draft.h"
#include "core/limits.h"
#include "core/sshkey.h"
#include "core/verify.h"
#include "edge/keyfile.h"

#define NAME		"trial of meshkeys setup"
#define PAYLOAD_MAX	8192u

/* What is being made. */
struct making {
	struct mk_arena *a;
	struct mk_secret master, online, device;
	struct mk_sshkey key;
	int64_t now;
};

/* "TYPE BASE64 COMMENT" */
static int
read_key(struct mk_arena *a, const char *line, struct mk_sshkey *ret_key,
    struct mk_why *why)
{
	size_t n = strcspn(line, " \n");

	if (line[n] == ' ')
		n += 1 + strcspn(line + n + 1, " \n");
	return mk_sshkey_parse_text(a, line, n, ret_key, why);
}

static int
sign_device(const struct making *x, struct mk_envelope *ret_envelope,
    struct mk_why *why)
{
	const struct mk_device device = { .id = x->device.pub.udf,
	    .key = x->device.pub, .name = { NAME, strlen(NAME) } };
	const struct mk_signer signer = mk_secret_signer(&x->device);
	char id[MK_UDF_TEXT + 1];
	struct mk_unsigned what;
	struct mk_buf payload;
	int e;

	mk_buf_init(&payload, PAYLOAD_MAX);
	mk_device_write(&device, &payload);
	mk_udf_format(&signer.udf, id);
	if ((e = mk_buf_check(&payload, why, "trial")) != 0)
		goto out;
	what.len = payload.len;
	what.id = mk_arena_dup(x->a, id, MK_UDF_TEXT);
	what.payload = (const uint8_t *)mk_arena_dup(x->a, payload.data,
	    payload.len);
	if (what.id == NULL || what.payload == NULL)
		e = mk_arena_fail(x->a, why);
	else
		e = mk_seal(x->a, &what, &signer, ret_envelope, why);
out:
	mk_buf_release(&payload);
	return e;
}

static int
enrol(const struct making *x, struct mk_draft *draft, struct mk_why *why)
{
	struct mk_ssh_device ssh = { .device = x->device.pub.udf,
	    .key = x->key, .mesh_form = x->key.ed25519 != NULL };
	struct mk_pubkey mesh;

	if (ssh.mesh_form) {
		mk_pubkey_from_ed25519(x->key.ed25519, &mesh);
		ssh.key_udf = mesh.udf;
		ssh.has_key_udf = true;
	}
	return mk_draft_enrol(draft, &ssh, why);
}

static int
sign(const struct making *x, struct mk_buf *set, struct mk_why *why)
{
	const struct mk_signer master = mk_secret_signer(&x->master);
	const struct mk_signer online = mk_secret_signer(&x->online);
	struct mk_draft_birth birth = { .master = &master,
	    .online = x->online.pub, .now = x->now };
	struct mk_draft_signing signing = { .online = &online,
	    .now = x->now, .build_time = MK_BUILD_TIME,
	    .expires = x->now + MK_DAY };
	struct mk_draft *draft;
	int e;

	randombytes_buf(signing.random, sizeof(signing.random));
	if ((e = sign_device(x, &birth.device, why)) != 0 ||
	    (e = mk_draft_first(x->a, &birth, &draft, why)) != 0 ||
	    (e = enrol(x, draft, why)) != 0 ||
	    (e = mk_draft_sign(draft, &signing, set, why)) != 0)
		return e;
	return mk_buf_check(set, why, "trial");
}

int
setup_profile_make(const char *line, struct setup_profile *ret_profile,
    struct mk_why *why)
{
	struct making x = { .now = time(NULL) };
	struct setup_profile profile;
	struct mk_arena a;
	int e;

	mk_arena_init(&a, mk_verify_memory(MK_SET_MAX));
	mk_buf_init(&profile.set, MK_SET_MAX);
	x.a = &a;
	if ((e = read_key(&a, line, &x.key, why)) == 0 &&
	    (e = mk_secret_new(&x.master, why)) == 0 &&
	    (e = mk_secret_new(&x.online, why)) == 0 &&
	    (e = mk_secret_new(&x.device, why)) == 0)
		e = sign(&x, &profile.set, why);
	profile.udf = x.master.pub.udf;
	mk_secret_free(&x.device);
	mk_secret_free(&x.online);
	mk_secret_free(&x.master);
	mk_arena_release(&a);
	if (e == 0)
		*ret_profile = profile;
	else
		mk_buf_release(&profile.set);
	return e;
}

void
setup_profile_release(struct setup_profile *profile)
{
	mk_buf_release(&profile->set);
}

int
setup_profile_key(const char *line, char **ret_fingerprint,
    struct mk_why *why)
{
	uint8_t digest[MK_SHA256];
	struct mk_sshkey key;
	struct mk_arena a;
	struct mk_buf text;
	int e;

	mk_arena_init(&a, MK_ARENA_FLOOR);
	mk_buf_init(&text, 128);
	if ((e = read_key(&a, line, &key, why)) == 0) {
		mk_sha256(key.blob, key.len, digest);
		mk_buf_puts(&text, "SHA256:");
		mk_buf_b64std(&text, digest, sizeof(digest));
		e = mk_buf_check(&text, why, "trial");
	}
	mk_arena_release(&a);
	if (e != 0) {
		mk_buf_release(&text);
		return e;
	}
	/* As sshd tells it, without the padding. */
	mk_buf_cut(&text, strcspn(text.data, "="));
	*ret_fingerprint = text.data;
	return 0;
}
