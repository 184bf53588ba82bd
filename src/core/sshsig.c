/* SPDX-License-Identifier: ISC */
/*
 * SSHSIG.  One table says which signatures a type of key makes; whatever
 * is not in it is no signature.  Everything has one spelling only, but for
 * the leading zeros of RSA, which some agents leave out.
 */
#include <gmp.h>
#include <nettle/bignum.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecdsa.h>
#include <nettle/rsa.h>
#include <nettle/sha2.h>
#include <string.h>

#include "core/buf.h"
#include "core/digest.h"
#include "core/ed25519.h"
#include "core/rsa.h"
#include "core/sshkey.h"
#include "core/sshsig.h"
#include "core/sshwire.h"

#define HASH		"sha512"
#define SIGNED_MAX	4096u	/* of it all but the namespace is fixed */
#define FLAG_PRESENT	0x01	/* PROTOCOL.u2f: somebody touched it */
#define FLAGS_COUNTER	(1 + 4)
#define SK_MESSAGE	(MK_SHA256 + FLAGS_COUNTER + MK_SHA256)

static const uint8_t magic[] = { 'S', 'S', 'H', 'S', 'I', 'G' };
static const uint8_t version[] = { 0, 0, 0, 1 };

struct scheme;

/* One signature on its way. */
struct signing {
	const struct scheme *scheme;
	struct mk_wire key;		/* behind the type string */
	const uint8_t *msg, *sig;
	size_t len, sig_len;
	const uint8_t *flags;		/* with the counter; security keys */
};

struct scheme {
	enum mk_sshkey_type type;
	const char *name;
	bool (*verify)(const struct signing *);
	void (*hash)(const uint8_t *, size_t, uint8_t *);
	size_t digest_len;
	int (*rsa)(const struct rsa_public_key *, const uint8_t *,
	    const mpz_t);
	const struct ecc_curve *(*curve)(void);
	size_t coordinate;		/* octets */
	bool sk;			/* a security key */
};

static void
sha384(const uint8_t *data, size_t len, uint8_t *out)
{
	struct sha384_ctx ctx;

	sha384_init(&ctx);
	sha384_update(&ctx, len, data);
	sha384_digest(&ctx, SHA384_DIGEST_SIZE, out);
}

static bool
verify_ed25519(const struct signing *s)
{
	struct mk_wire key = s->key;
	const uint8_t *pk;
	size_t len;

	if (!mk_wire_string(&key, &pk, &len) || len != MK_ED25519_PUBLIC)
		return false;
	return mk_ed25519_verify(pk, s->msg, s->len, s->sig, s->sig_len);
}

static bool
verify_rsa(const struct signing *s)
{
	struct mk_wire key = s->key;
	uint8_t digest[MK_SHA512];
	struct rsa_public_key pub;
	struct mk_rsa rsa, raw;
	bool good = false;
	mpz_t sig;

	/* Nothing is proved by a key so short that it could be factored. */
	if (!mk_wire_mpint(&key, &raw.e, &raw.e_len) ||
	    !mk_wire_mpint(&key, &raw.n, &raw.n_len) ||
	    !mk_rsa_init(&rsa, raw.n, raw.n_len, raw.e, raw.e_len))
		return false;
	if (s->sig_len > rsa.n_len)
		return false;
	s->scheme->hash(s->msg, s->len, digest);
	rsa_public_key_init(&pub);
	nettle_mpz_init_set_str_256_u(sig, s->sig_len, s->sig);
	nettle_mpz_set_str_256_u(pub.n, rsa.n_len, rsa.n);
	nettle_mpz_set_str_256_u(pub.e, rsa.e_len, rsa.e);
	if (rsa_public_key_prepare(&pub) == 1)
		good = s->scheme->rsa(&pub, digest, sig) == 1;
	mpz_clear(sig);
	rsa_public_key_clear(&pub);
	return good;
}

/* Sets the point of a key; its blob has been judged, this only reads it. */
static bool
read_point(const struct scheme *scheme, struct mk_wire key,
    struct ecc_point *point)
{
	const uint8_t *curve, *q;
	size_t curve_len, q_len;
	mpz_t x, y;
	int good;

	if (!mk_wire_string(&key, &curve, &curve_len) ||
	    !mk_wire_string(&key, &q, &q_len) ||
	    q_len != 1 + 2 * scheme->coordinate)
		return false;
	nettle_mpz_init_set_str_256_u(x, scheme->coordinate, q + 1);
	nettle_mpz_init_set_str_256_u(y, scheme->coordinate,
	    q + 1 + scheme->coordinate);
	good = ecc_point_set(point, x, y);
	mpz_clear(y);
	mpz_clear(x);
	return good == 1;
}

/* Two mpints, no longer than the order of the curve, nothing behind. */
static bool
read_r_s(const struct signing *s, struct dsa_signature *rs)
{
	struct mk_wire w = { .p = s->sig, .left = s->sig_len };
	const uint8_t *p[2];
	size_t len[2];

	if (!mk_wire_mpint(&w, &p[0], &len[0]) ||
	    !mk_wire_mpint(&w, &p[1], &len[1]) || w.left != 0)
		return false;
	if (len[0] > s->scheme->coordinate || len[1] > s->scheme->coordinate)
		return false;
	nettle_mpz_set_str_256_u(rs->r, len[0], p[0]);
	nettle_mpz_set_str_256_u(rs->s, len[1], p[1]);
	return true;
}

static bool
verify_ecdsa(const struct signing *s)
{
	uint8_t digest[MK_SHA512];
	struct dsa_signature rs;
	struct ecc_point point;
	bool good = false;

	dsa_signature_init(&rs);
	ecc_point_init(&point, s->scheme->curve());
	s->scheme->hash(s->msg, s->len, digest);
	if (read_point(s->scheme, s->key, &point) && read_r_s(s, &rs))
		good = ecdsa_verify(&point, s->scheme->digest_len, digest,
		    &rs) == 1;
	ecc_point_clear(&point);
	dsa_signature_clear(&rs);
	return good;
}

#define ECDSA(bit, nist, hash, len, secp, octets)			\
	{ MK_SSH_ECDSA_##bit, "ecdsa-sha2-" nist, verify_ecdsa, hash,	\
	    len, NULL, secp, octets, false }

static const struct scheme schemes[] = {
	{ MK_SSH_ED25519, "ssh-ed25519", verify_ed25519, NULL, 0, NULL,
	    NULL, 0, false },
	/* "ssh-rsa" would be SHA-1. */
	{ MK_SSH_RSA, "rsa-sha2-512", verify_rsa, mk_sha512, MK_SHA512,
	    rsa_sha512_verify_digest, NULL, 0, false },
	{ MK_SSH_RSA, "rsa-sha2-256", verify_rsa, mk_sha256, MK_SHA256,
	    rsa_sha256_verify_digest, NULL, 0, false },
	ECDSA(256, "nistp256", mk_sha256, MK_SHA256, nettle_get_secp_256r1,
	    32),
	ECDSA(384, "nistp384", sha384, SHA384_DIGEST_SIZE,
	    nettle_get_secp_384r1, 48),
	ECDSA(521, "nistp521", mk_sha512, MK_SHA512, nettle_get_secp_521r1,
	    66),
	{ MK_SSH_SK_ED25519, "sk-ssh-ed25519@openssh.com", verify_ed25519,
	    NULL, 0, NULL, NULL, 0, true },
	{ MK_SSH_SK_ECDSA, "sk-ecdsa-sha2-nistp256@openssh.com",
	    verify_ecdsa, mk_sha256, MK_SHA256, NULL, nettle_get_secp_256r1,
	    32, true }
};

static const struct scheme *
scheme_of(enum mk_sshkey_type type, const uint8_t *name, size_t len)
{
	size_t i;

	for (i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		if (schemes[i].type == type &&
		    strlen(schemes[i].name) == len &&
		    memcmp(schemes[i].name, name, len) == 0)
			return &schemes[i];
	}
	return NULL;
}

/* The next 'len' bytes as they stand, or NULL. */
static const uint8_t *
take(struct mk_wire *w, size_t len)
{
	const uint8_t *p = w->p;

	if (w->left < len)
		return NULL;
	w->p += len;
	w->left -= len;
	return p;
}

static bool
take_same(struct mk_wire *w, const uint8_t *want, size_t len)
{
	const uint8_t *p = take(w, len);

	return p != NULL && memcmp(p, want, len) == 0;
}

static bool
string_is(struct mk_wire *w, const void *want, size_t want_len)
{
	const uint8_t *p;
	size_t len;

	return mk_wire_string(w, &p, &len) && len == want_len &&
	    (len == 0 || memcmp(p, want, len) == 0);
}

/*
 * All but the signature is known beforehand.  The reserved string is not
 * signed as it stands, so anything in it would be another spelling.
 */
static bool
read_frame(const uint8_t *blob, size_t len,
    const struct mk_sshsig_over *over, struct mk_wire *ret_inner)
{
	struct mk_wire w = { .p = blob, .left = len };

	return take_same(&w, magic, sizeof(magic)) &&
	    take_same(&w, version, sizeof(version)) &&
	    string_is(&w, over->key->blob, over->key->len) &&
	    string_is(&w, over->name_space, strlen(over->name_space)) &&
	    string_is(&w, "", 0) &&
	    string_is(&w, HASH, strlen(HASH)) &&
	    mk_wire_string(&w, &ret_inner->p, &ret_inner->left) &&
	    w.left == 0;
}

static void
put_signed(const struct mk_sshsig_over *over, struct mk_buf *out)
{
	uint8_t digest[MK_SHA512];

	mk_sha512(over->msg, over->len, digest);
	mk_buf_put(out, magic, sizeof(magic));
	mk_wire_put_string(out, over->name_space, strlen(over->name_space));
	mk_wire_put_string(out, "", 0);
	mk_wire_put_string(out, HASH, strlen(HASH));
	mk_wire_put_string(out, digest, sizeof(digest));
}

/*
 * A security key signs a digest of what it is asked for, between that of
 * its application and whether somebody was there.
 */
static bool
verify_sk(struct signing *s)
{
	struct mk_wire key = s->key;
	uint8_t msg[SK_MESSAGE];
	const uint8_t *application = NULL;
	size_t len = 0;

	/* Malware on the machine can ask too, but it cannot touch. */
	if ((s->flags[0] & FLAG_PRESENT) == 0)
		return false;
	/* The application is the last field of both types. */
	while (key.left > 0) {
		if (!mk_wire_string(&key, &application, &len))
			return false;
	}
	if (application == NULL)
		return false;
	mk_sha256(application, len, msg);
	memcpy(msg + MK_SHA256, s->flags, FLAGS_COUNTER);
	mk_sha256(s->msg, s->len, msg + MK_SHA256 + FLAGS_COUNTER);
	s->msg = msg;
	s->len = sizeof(msg);
	return s->scheme->verify(s);
}

static bool
verify_inner(struct mk_wire inner, const struct mk_sshkey *key,
    const struct mk_buf *data)
{
	struct signing s = { .key = { .p = key->blob, .left = key->len },
	    .msg = (const uint8_t *)data->data, .len = data->len };
	const uint8_t *name;
	size_t len;

	if (!mk_wire_string(&s.key, &name, &len) ||
	    !mk_wire_string(&inner, &name, &len) ||
	    !mk_wire_string(&inner, &s.sig, &s.sig_len))
		return false;
	s.scheme = scheme_of(key->type, name, len);
	if (s.scheme == NULL)
		return false;
	if (s.scheme->sk)
		s.flags = take(&inner, FLAGS_COUNTER);
	if (inner.left != 0 || (s.scheme->sk && s.flags == NULL))
		return false;
	return s.scheme->sk ? verify_sk(&s) : s.scheme->verify(&s);
}

bool
mk_sshsig_verify(const uint8_t *blob, size_t len,
    const struct mk_sshsig_over *over)
{
	struct mk_wire inner;
	struct mk_buf data;
	bool good = false;

	if (!read_frame(blob, len, over, &inner))
		return false;
	mk_buf_init(&data, SIGNED_MAX);
	put_signed(over, &data);
	if (data.failed == 0)
		good = verify_inner(inner, over->key, &data);
	mk_buf_release(&data);
	return good;
}
