/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "core/digest.h"
#include "core/ed25519.h"
#include "core/envelope.h"
#include "core/err.h"
#include "core/json.h"
#include "core/members.h"

/* An envelope on its way from JSON to struct mk_envelope. */
struct opening {
	struct mk_at at;		/* its object is the SignedData */
	struct mk_json_notes *notes;
	struct mk_envelope env;
};

static int
parse_text(struct opening *o, const uint8_t *text, size_t len,
    const struct mk_json **ret_json)
{
	struct mk_json_text in = { (const char *)text, len, o->at.stage,
	    o->notes };

	return mk_json_parse(o->at.arena, &in, ret_json, o->at.why);
}

static int
open_payload(struct opening *o)
{
	int r;

	if ((r = mk_at_bytes(&o->at, "payload", &o->env.payload,
	    &o->env.payload_len)) != 0)
		return r;
	mk_sha512(o->env.payload, o->env.payload_len, o->env.digest);
	return 0;
}

/* {"alg": "RS512", "kid": UDF}; in 2016 the signature does not cover it. */
static int
open_header(struct opening *o)
{
	static const char *const members[] = { "alg", "kid" };
	struct mk_at at = o->at;
	const uint8_t *text;
	size_t len;
	int r;

	if ((r = mk_at_bytes(&o->at, "header", &text, &len)) != 0 ||
	    (r = parse_text(o, text, len, &at.obj)) != 0 ||
	    (r = mk_at_only(&at, members, 2)) != 0 ||
	    (r = mk_at_constant(&at, "alg", "RS512")) != 0)
		return r;
	return mk_at_udf(&at, "kid", MK_UDF_KEY, &o->env.kid);
}

/* {"header", "payload", "signature"}: over the payload itself. */
static int
open_2016(struct opening *o)
{
	static const char *const members[] = { "header", "payload",
	    "signature" };
	int r;

	o->at.folded = true;
	o->env.gen = MK_GEN_2016;
	if ((r = mk_at_only(&o->at, members, 3)) != 0 ||
	    (r = open_payload(o)) != 0 ||
	    (r = open_header(o)) != 0 ||
	    (r = mk_at_bytes(&o->at, "signature", &o->env.sig,
	    &o->env.sig_len)) != 0)
		return r;
	o->env.covered = o->env.payload;
	o->env.covered_len = o->env.payload_len;
	return 0;
}

/*
 * The algorithm, which tells 2017 and current apart.  It is looked up with
 * line feeds let through; all that counts is read again by the rule of the
 * generation that this gives.
 */
static int
peek_generation(struct opening *o, const struct mk_at *sig)
{
	struct mk_at at = *sig;
	struct mk_json_notes unused = { 0 };
	struct mk_json_text in = { .stage = sig->stage, .notes = &unused };
	const struct mk_json *alg;
	const uint8_t *text;
	int r;

	at.folded = true;
	if ((r = mk_at_bytes(&at, "protected", &text, &in.len)) != 0)
		return r;
	in.s = (const char *)text;
	if ((r = mk_json_parse(at.arena, &in, &at.obj, at.why)) != 0 ||
	    (r = mk_at_object(&at)) != 0 ||
	    (r = mk_at_member(&at, "alg", MK_JSON_STRING, MK_REQUIRED,
	    &alg)) != 0)
		return r;
	if (mk_json_is(alg, "EdDSA"))
		o->env.gen = MK_GEN_CURRENT;
	else if (mk_json_is(alg, "RS512"))
		o->env.gen = MK_GEN_2017;
	else
		return mk_fail(at.why, MK_E_REFUSED, at.stage,
		    "'alg' is neither EdDSA nor RS512");
	o->at.folded = o->env.gen != MK_GEN_CURRENT;
	return 0;
}

/* {"alg": ..., "val": SHA-512 of the payload}: what is signed. */
static int
open_protected(struct opening *o, const struct mk_at *sig)
{
	static const char *const members[] = { "alg", "val" };
	struct mk_at at = *sig;
	uint8_t val[MK_DIGEST];
	int r;

	if ((r = mk_at_bytes(&at, "protected", &o->env.covered,
	    &o->env.covered_len)) != 0 ||
	    (r = parse_text(o, o->env.covered, o->env.covered_len,
	    &at.obj)) != 0 ||
	    (r = mk_at_only(&at, members, 2)) != 0 ||
	    (r = mk_at_exact(&at, "val", sizeof(val), val)) != 0)
		return r;
	/* Without this the signature would not cover the payload. */
	if (memcmp(val, o->env.digest, sizeof(val)) != 0)
		return mk_fail(at.why, MK_E_REFUSED, at.stage,
		    "'val' is not the digest of the payload");
	return 0;
}

/* {"header": {"kid"}, "protected", "signature"} */
static int
open_signature(struct opening *o, struct mk_at *sig)
{
	static const char *const members[] = { "header", "protected",
	    "signature" };
	static const char *const header_members[] = { "kid" };
	struct mk_at header = *sig;
	int r;

	if ((r = mk_at_only(sig, members, 3)) != 0 ||
	    (r = mk_at_member(sig, "header", MK_JSON_OBJECT, MK_REQUIRED,
	    &header.obj)) != 0 ||
	    (r = mk_at_only(&header, header_members, 1)) != 0 ||
	    (r = mk_at_udf(&header, "kid", MK_UDF_KEY, &o->env.kid)) != 0 ||
	    (r = peek_generation(o, sig)) != 0)
		return r;
	sig->folded = o->at.folded;
	if ((r = open_payload(o)) != 0 ||
	    (r = open_protected(o, sig)) != 0)
		return r;
	return mk_at_bytes(sig, "signature", &o->env.sig, &o->env.sig_len);
}

/* {"unprotected": {"dig": "S512"}, "payload", "signatures": [one]} */
static int
open_2017(struct opening *o)
{
	static const char *const members[] = { "unprotected", "payload",
	    "signatures" };
	static const char *const dig[] = { "dig" };
	struct mk_at at = o->at, sig = o->at;
	const struct mk_json *signatures;
	int r;

	if ((r = mk_at_only(&o->at, members, 3)) != 0 ||
	    (r = mk_at_member(&o->at, "unprotected", MK_JSON_OBJECT,
	    MK_REQUIRED, &at.obj)) != 0 ||
	    (r = mk_at_only(&at, dig, 1)) != 0 ||
	    (r = mk_at_constant(&at, "dig", "S512")) != 0 ||
	    (r = mk_at_member(&o->at, "signatures", MK_JSON_ARRAY,
	    MK_REQUIRED, &signatures)) != 0)
		return r;
	/* An empty list proves nothing; the reference let it pass. */
	if (signatures->count != 1)
		return mk_fail(o->at.why, MK_E_REFUSED, o->at.stage,
		    "%u signatures instead of one",
		    (unsigned)signatures->count);
	sig.obj = signatures->child;
	return open_signature(o, &sig);
}

static int
open_outer(const struct mk_at *at, const struct mk_json **ret_id,
    const struct mk_json **ret_data)
{
	static const char *const members[] = { "Identifier", "SignedData" };
	int r;

	if ((r = mk_at_only(at, members, 2)) != 0 ||
	    (r = mk_at_member(at, "Identifier", MK_JSON_STRING, MK_REQUIRED,
	    ret_id)) != 0)
		return r;
	return mk_at_member(at, "SignedData", MK_JSON_OBJECT, MK_REQUIRED,
	    ret_data);
}

int
mk_envelope_open(struct mk_arena *a, const struct mk_json *obj,
    const struct mk_envelope_place *place, struct mk_envelope *ret_env,
    struct mk_why *why)
{
	struct opening o = { .at = { .obj = obj, .stage = place->stage,
	    .arena = a, .why = why }, .notes = place->notes };
	const struct mk_json *id, *data;
	int r;

	if ((r = open_outer(&o.at, &id, &data)) != 0)
		return r;
	o.at.obj = data;
	o.env.id = id->str;
	o.env.id_len = id->len;
	if (mk_json_member(data, "signatures") != NULL)
		r = open_2017(&o);
	else
		r = open_2016(&o);
	if (r == 0)
		*ret_env = o.env;
	return r;
}

void
mk_envelope_claim(const struct mk_json *obj, struct mk_json_notes *notes)
{
	const struct mk_json *data, *payload;

	data = mk_json_member(obj, "SignedData");
	payload = data != NULL ? mk_json_member(data, "payload") : NULL;
	if (payload != NULL)
		mk_json_claim(payload, true, notes);
}

int
mk_envelope_skip(const struct mk_json *obj,
    const struct mk_envelope_place *place, struct mk_udf *ret_id,
    struct mk_why *why)
{
	struct mk_at at = { .obj = obj, .stage = place->stage, .why = why };
	int r;

	if ((r = mk_at_object(&at)) != 0 ||
	    (r = mk_at_udf(&at, "Identifier", MK_UDF_KEY, ret_id)) != 0)
		return r;
	mk_envelope_claim(obj, place->notes);
	return 0;
}

static bool
verify_bytes(const struct mk_envelope *env, const struct mk_pubkey *key)
{
	switch (key->gen) {
	case MK_GEN_CURRENT:
		return mk_ed25519_verify(key->ed25519, env->covered,
		    env->covered_len, env->sig, env->sig_len);
	case MK_GEN_2016:
	case MK_GEN_2017:
		return mk_rsa_verify(&key->rsa, env->covered,
		    env->covered_len, env->sig, env->sig_len);
	}
	return false;
}

int
mk_envelope_verify(const struct mk_envelope *env, const struct mk_pubkey *key,
    const char *stage, struct mk_why *why)
{
	/* Another generation would be another rule for the same bytes. */
	if (env->gen != key->gen)
		return mk_fail(why, MK_E_REFUSED, stage,
		    "an envelope of another generation than its key");
	if (mk_udf_cmp(&env->kid, &key->udf) != 0)
		return mk_fail(why, MK_E_REFUSED, stage,
		    "'kid' does not name the key that has to sign");
	if (!verify_bytes(env, key))
		return mk_fail(why, MK_E_REFUSED, stage,
		    "the signature is wrong");
	return 0;
}

int
mk_envelope_body(struct mk_arena *a, const struct mk_envelope *env,
    const struct mk_envelope_place *place, const struct mk_json **ret_body,
    struct mk_why *why)
{
	struct mk_json_text in = { (const char *)env->payload,
	    env->payload_len, place->stage, place->notes };
	struct mk_at at = { .stage = place->stage, .arena = a, .why = why };
	const struct mk_json *body, *id;
	int r;

	if ((r = mk_json_parse(a, &in, &at.obj, why)) != 0 ||
	    (r = mk_at_tagged(&at, place->tag, &body)) != 0)
		return r;
	at.obj = body;
	if ((r = mk_at_object(&at)) != 0 ||
	    (r = mk_at_member(&at, "Identifier", MK_JSON_STRING, MK_REQUIRED,
	    &id)) != 0)
		return r;
	if (id->len != env->id_len || memcmp(id->str, env->id, id->len) != 0)
		return mk_fail(why, MK_E_REFUSED, place->stage,
		    "'Identifier' outside is not the one that is signed");
	*ret_body = body;
	return 0;
}
