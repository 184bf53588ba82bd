/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/digest.h"
#include "core/ed25519.h"
#include "core/err.h"
#include "core/members.h"
#include "core/pubkey.h"

/* DER of an RSA key of MK_RSA_BITS_MAX and its wrapping. */
#define DER_MAX	4096u

void
mk_pubkey_from_ed25519(const uint8_t pk[32], struct mk_pubkey *ret_key)
{
	uint8_t der[MK_ED25519_SPKI];

	memset(ret_key, 0, sizeof(*ret_key));
	ret_key->gen = MK_GEN_CURRENT;
	memcpy(ret_key->ed25519, pk, 32);
	mk_ed25519_spki(pk, der);
	mk_sha512(der, sizeof(der), ret_key->digest);
	mk_udf_of_der(MK_UDF_HIGH_BITS, der, sizeof(der), &ret_key->udf);
}

static int
name_rsa(struct mk_pubkey *key, struct mk_why *why, const char *stage)
{
	struct mk_buf der;
	int r;

	mk_buf_init(&der, DER_MAX);
	if (key->gen == MK_GEN_2016)
		mk_rsa_spki(&key->rsa, &der);
	else
		mk_rsa_pkcs1(&key->rsa, &der);
	if ((r = mk_buf_check(&der, why, stage)) == 0) {
		mk_sha512((const uint8_t *)der.data, der.len, key->digest);
		mk_udf_of_der(MK_UDF_LOW_BITS, (const uint8_t *)der.data,
		    der.len, &key->udf);
	}
	mk_buf_release(&der);
	return r;
}

/*
 * {"crv": "Ed25519", "Public": 32 bytes}, exactly.  The point of an SSH key
 * is judged with its blob, and once is enough for a thousand of them.
 */
static int
read_ed25519(const struct mk_at *params, enum mk_pubkey_place place,
    struct mk_pubkey *key)
{
	static const char *const members[] = { "crv", "Public" };
	struct mk_at at = *params;
	uint8_t pk[MK_ED25519_PUBLIC];
	int r;

	if ((r = mk_at_tagged(params, "PublicKeyECDH", &at.obj)) != 0 ||
	    (r = mk_at_only(&at, members, 2)) != 0 ||
	    (r = mk_at_constant(&at, "crv", "Ed25519")) != 0 ||
	    (r = mk_at_exact(&at, "Public", sizeof(pk), pk)) != 0)
		return r;
	if (place != MK_PLACE_SSH && !mk_ed25519_point(pk))
		return mk_fail(at.why, MK_E_REFUSED, at.stage, "'Public' is "
		    "not a canonical point, or one of small order");
	mk_pubkey_from_ed25519(pk, key);
	return 0;
}

/* {"kid": ..., "n": ..., "e": ...}; kid may be absent. */
static int
read_rsa(const struct mk_at *params, enum mk_pubkey_place place,
    struct mk_pubkey *key, const struct mk_json **ret_kid)
{
	static const char *const members[] = { "n", "e", "kid" };
	struct mk_at at = *params;
	const uint8_t *n, *e;
	size_t n_len, e_len;
	bool good;
	int r;

	if ((r = mk_at_tagged(params, "PublicKeyRSA", &at.obj)) != 0 ||
	    (r = mk_at_only(&at, members, 3)) != 0 ||
	    (r = mk_at_bytes(&at, "n", &n, &n_len)) != 0 ||
	    (r = mk_at_bytes(&at, "e", &e, &e_len)) != 0 ||
	    (r = mk_at_member(&at, "kid", MK_JSON_STRING, MK_OPTIONAL,
	    ret_kid)) != 0)
		return r;
	/* A short SSH key is skipped by policy; it refuses no set. */
	if (place == MK_PLACE_SSH)
		good = mk_rsa_init_short(&key->rsa, n, n_len, e, e_len);
	else
		good = mk_rsa_init(&key->rsa, n, n_len, e, e_len);
	if (!good)
		return mk_fail(at.why, MK_E_REFUSED, at.stage,
		    "an RSA key of a size or exponent that is not accepted");
	return name_rsa(key, at.why, at.stage);
}

/* A claimed fingerprint is compared with the recomputed one. */
static int
check_claim(const struct mk_at *at, const struct mk_json *claim,
    const struct mk_pubkey *key)
{
	struct mk_udf udf;
	int r;

	r = mk_at_udf_value(at, claim, MK_UDF_KEY, &udf);
	if (r == 0 && mk_udf_cmp(&udf, &key->udf) != 0)
		r = mk_fail(at->why, MK_E_REFUSED, at->stage,
		    "the fingerprint of a key is not that of its bytes");
	return r;
}

static int
read_current(const struct mk_at *at, enum mk_pubkey_place place,
    struct mk_pubkey *key)
{
	static const char *const members[] = { "UDF", "PublicParameters",
	    "DeviceUDF" };
	struct mk_at params = *at;
	const struct mk_json *claim;
	int r;

	if ((r = mk_at_only(at, members,
	    place == MK_PLACE_ONLINE ? 3 : 2)) != 0 ||
	    (r = mk_at_member(at, "UDF", MK_JSON_STRING, MK_REQUIRED,
	    &claim)) != 0 ||
	    (r = mk_at_member(at, "PublicParameters", MK_JSON_OBJECT,
	    MK_REQUIRED, &params.obj)) != 0 ||
	    (r = read_ed25519(&params, place, key)) != 0)
		return r;
	return check_claim(at, claim, key);
}

/*
 * Where the public values of a 2016/2017 key stand.  The SSHProfiles of May
 * 2017 have them under PrivateParameters, a slip of their writer; anywhere
 * else, or beside PublicParameters, that member is refused.
 */
static int
legacy_parameters(const struct mk_at *at, enum mk_pubkey_place place,
    const struct mk_json **ret_params)
{
	const struct mk_json *public, *private;
	int r;

	if ((r = mk_at_member(at, "PublicParameters", MK_JSON_OBJECT,
	    MK_OPTIONAL, &public)) != 0 ||
	    (r = mk_at_member(at, "PrivateParameters", MK_JSON_OBJECT,
	    MK_OPTIONAL, &private)) != 0)
		return r;
	if (private != NULL && (place != MK_PLACE_SSH || public != NULL))
		return mk_fail(at->why, MK_E_REFUSED, at->stage,
		    "private parameters in a public key");
	if (public == NULL)
		public = private;
	if (public == NULL)
		return mk_fail(at->why, MK_E_REFUSED, at->stage,
		    "'PublicParameters' is missing");
	*ret_params = public;
	return 0;
}

static int
read_legacy(const struct mk_at *at, enum mk_pubkey_place place,
    struct mk_pubkey *key)
{
	static const char *const members[] = { "PublicParameters", "UDF",
	    "PrivateParameters", "X509Certificate", "X509Chain", "X509CSR" };
	struct mk_at params = *at;
	const struct mk_json *claim, *kid;
	int r;

	if ((r = mk_at_only(at, members, 6)) != 0 ||
	    (r = mk_at_member(at, "UDF", MK_JSON_STRING,
	    place == MK_PLACE_SSH ? MK_OPTIONAL : MK_REQUIRED,
	    &claim)) != 0 ||
	    (r = legacy_parameters(at, place, &params.obj)) != 0 ||
	    (r = read_rsa(&params, place, key, &kid)) != 0)
		return r;
	if (claim != NULL && (r = check_claim(at, claim, key)) != 0)
		return r;
	return kid != NULL ? check_claim(&params, kid, key) : 0;
}

int
mk_pubkey_read(struct mk_arena *a, const struct mk_json *obj,
    const struct mk_pubkey_form *form, struct mk_pubkey *ret_key,
    struct mk_why *why)
{
	struct mk_at at = { .obj = obj, .stage = form->stage, .arena = a,
	    .folded = form->gen != MK_GEN_CURRENT, .why = why };
	struct mk_pubkey key;
	int r;

	memset(&key, 0, sizeof(key));
	key.gen = form->gen;
	if (form->gen == MK_GEN_CURRENT)
		r = read_current(&at, form->place, &key);
	else
		r = read_legacy(&at, form->place, &key);
	if (r == 0)
		*ret_key = key;
	return r;
}
