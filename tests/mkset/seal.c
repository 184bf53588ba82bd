/* SPDX-License-Identifier: ISC */
/*
 * Signing one part: the text of the payload is edited, what is signed is
 * made from it and edited, then the envelope around both.
 */
#include "mkset.h"

#include <string.h>

#include "core/digest.h"
#include "core/write.h"

/* The core signs; what it covers and who signed may be changed after. */
static void
seal_current(struct ms_set *set, const struct ms_job *job,
    const struct ms_key *key, struct mk_envelope *env)
{
	struct mk_signer signer = { key->pub.udf, key->sk };
	struct mk_unsigned what = { job->id,
	    (const uint8_t *)job->payload.s, job->payload.len };

	if (mk_seal(&set->arena, &what, &signer, env, NULL) != 0)
		ms_die("cannot sign '%s'", job->level);
}

static void
seal_legacy(struct ms_set *set, const struct ms_job *job,
    const struct ms_key *key, struct mk_envelope *env)
{
	struct mk_text text;

	text = ms_legacy_protected(set, job->payload, &key->pub.udf);
	memset(env, 0, sizeof(*env));
	env->gen = set->gen;
	env->id = job->id;
	env->id_len = strlen(job->id);
	env->payload = (const uint8_t *)job->payload.s;
	env->payload_len = job->payload.len;
	mk_sha512(env->payload, env->payload_len, env->digest);
	env->kid = key->pub.udf;
	env->covered = (const uint8_t *)text.s;
	env->covered_len = text.len;
}

static struct mk_text
flipped(struct ms_set *set, struct mk_text sig)
{
	char *copy = ms_alloc(set, sig.len, 1);

	memcpy(copy, sig.s, sig.len);
	copy[sig.len / 2] ^= 1;
	return (struct mk_text){ copy, sig.len };
}

/* Signs what is covered now; in 2016 that is the payload itself. */
static void
sign(struct ms_set *set, const struct ms_job *job, const struct ms_key *key,
    struct mk_envelope *env)
{
	struct mk_text msg = { (const char *)env->covered, env->covered_len };
	const struct ms_pair *p;
	const char *way = NULL;
	struct mk_text sig;
	struct mk_buf b;

	for (p = set->tampers; p != NULL; p = p->next) {
		if (strcmp(p->name, job->level) == 0 &&
		    ms_sign_is_way(p->value))
			way = p->value;
	}
	if (set->gen == MK_GEN_2016)
		msg = job->payload;
	mk_buf_init(&b, MS_TEXT_MAX);
	if (set->gen == MK_GEN_CURRENT)
		ms_sign(key, msg, way, &b);
	else
		ms_rsa_sign(key, msg, &b);
	sig = ms_done(set, &b);
	if (set->gen != MK_GEN_CURRENT && way != NULL &&
	    strcmp(way, "signature-bit") == 0)
		sig = flipped(set, sig);
	env->sig = (const uint8_t *)sig.s;
	env->sig_len = sig.len;
}

static struct mk_text
envelope_text(struct ms_set *set, const struct ms_job *job,
    const struct mk_envelope *env)
{
	struct mk_buf b;

	if (set->gen != MK_GEN_CURRENT)
		return ms_legacy_envelope(set, env, job->depth);
	mk_buf_init(&b, MS_TEXT_MAX);
	mk_envelope_write(env, &b);
	return ms_done(set, &b);
}

/* The payload has been edited by the caller, who may hash it. */
void
ms_seal(struct ms_set *set, const struct ms_job *job,
    struct ms_sealed *ret_sealed)
{
	const char *signer = ms_pair_get(set->signers, job->level);
	const char *hand = ms_pair_get(set->hands, job->level);
	const struct ms_key *key;
	struct mk_envelope env;
	struct mk_text covered;

	key = ms_key(set, signer != NULL ? signer : job->role);
	if (set->gen == MK_GEN_CURRENT)
		seal_current(set, job, key, &env);
	else
		seal_legacy(set, job, key, &env);
	covered.s = (const char *)env.covered;
	covered.len = env.covered_len;
	ms_break_protected(set, job->level, &covered);
	ms_edit_apply(set, job->level, "protected", &covered);
	env.covered = (const uint8_t *)covered.s;
	env.covered_len = covered.len;
	if (hand != NULL)
		key = ms_key(set, hand);
	sign(set, job, key, &env);
	ret_sealed->env = env;
	ret_sealed->text = envelope_text(set, job, &env);
	ms_break_envelope(set, job->level, &ret_sealed->text);
	ms_edit_apply(set, job->level, "envelope", &ret_sealed->text);
}
