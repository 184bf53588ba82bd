/* SPDX-License-Identifier: ISC */
/*
 * SSH public keys.  One table says what stands in the blob of each type;
 * a type that is not in it is only held to start with its own name.
 */
#include <gmp.h>
#include <nettle/bignum.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecc.h>
#include <string.h>

#include "core/arena.h"
#include "core/base64.h"
#include "core/ed25519.h"
#include "core/err.h"
#include "core/limits.h"
#include "core/rsa.h"
#include "core/sshkey.h"
#include "core/sshwire.h"

#define STAGE		"ssh-key"
#define NAME_MAX_LEN	64	/* of a type string, RFC 4251 section 6 */
#define UNCOMPRESSED	0x04	/* SEC 1, section 2.3.3 */

struct kind {
	const char *name;
	enum mk_sshkey_type type;
	/* Reads the fields up to the application; NULL or what is wrong. */
	const char *(*fields)(const struct kind *, struct mk_wire *,
	    struct mk_sshkey *);
	const char *curve;
	const struct ecc_curve *(*ecc)(void);
	size_t coordinate;	/* octets */
	bool application;	/* a security key: one string more */
};

static const char *
ed25519_fields(const struct kind *kind, struct mk_wire *w,
    struct mk_sshkey *key)
{
	const uint8_t *pk;
	size_t len;

	if (!mk_wire_string(w, &pk, &len))
		return "cut short";
	if (len != MK_ED25519_PUBLIC)
		return "the point is not of 32 octets";
	if (!mk_ed25519_point(pk))
		return "not a canonical point, or one of small order";
	/* A security key signs something else, so it is no Mesh key. */
	if (!kind->application)
		key->ed25519 = pk;
	return NULL;
}

static const char *
rsa_fields(const struct kind *kind, struct mk_wire *w, struct mk_sshkey *key)
{
	struct mk_rsa rsa;

	(void)kind;
	if (!mk_wire_mpint(w, &rsa.e, &rsa.e_len) ||
	    !mk_wire_mpint(w, &rsa.n, &rsa.n_len))
		return "cut short, or not a positive minimal mpint";
	/* OpenSSH refuses it too; no caller does arithmetic with more. */
	if (mk_rsa_bits(&rsa) > MK_RSA_BITS_MAX)
		return "the modulus is longer than 16384 bits";
	key->rsa_bits = mk_rsa_bits(&rsa);
	return NULL;
}

static bool
on_curve(const struct kind *kind, const uint8_t *xy)
{
	struct ecc_point point;
	mpz_t x, y;
	int good;

	nettle_mpz_init_set_str_256_u(x, kind->coordinate, xy);
	nettle_mpz_init_set_str_256_u(y, kind->coordinate,
	    xy + kind->coordinate);
	ecc_point_init(&point, kind->ecc());
	good = ecc_point_set(&point, x, y);
	ecc_point_clear(&point);
	mpz_clear(y);
	mpz_clear(x);
	return good == 1;
}

static const char *
ecdsa_fields(const struct kind *kind, struct mk_wire *w,
    struct mk_sshkey *key)
{
	const uint8_t *curve, *q;
	size_t curve_len, q_len;

	(void)key;
	if (!mk_wire_string(w, &curve, &curve_len) ||
	    !mk_wire_string(w, &q, &q_len))
		return "cut short";
	if (curve_len != strlen(kind->curve) ||
	    memcmp(curve, kind->curve, curve_len) != 0)
		return "the curve is not the one of its type";
	/* OpenSSH knows no compressed points, and infinity is no key. */
	if (q_len != 1 + 2 * kind->coordinate || q[0] != UNCOMPRESSED)
		return "not an uncompressed point of the curve's size";
	if (!on_curve(kind, q + 1))
		return "the point is not on the curve";
	return NULL;
}

static const struct kind kinds[] = {
	{ "ssh-ed25519", MK_SSH_ED25519, ed25519_fields, NULL, NULL, 0,
	    false },
	{ "ssh-rsa", MK_SSH_RSA, rsa_fields, NULL, NULL, 0, false },
	{ "ecdsa-sha2-nistp256", MK_SSH_ECDSA_256, ecdsa_fields, "nistp256",
	    nettle_get_secp_256r1, 32, false },
	{ "ecdsa-sha2-nistp384", MK_SSH_ECDSA_384, ecdsa_fields, "nistp384",
	    nettle_get_secp_384r1, 48, false },
	{ "ecdsa-sha2-nistp521", MK_SSH_ECDSA_521, ecdsa_fields, "nistp521",
	    nettle_get_secp_521r1, 66, false },
	{ "sk-ssh-ed25519@openssh.com", MK_SSH_SK_ED25519, ed25519_fields,
	    NULL, NULL, 0, true },
	{ "sk-ecdsa-sha2-nistp256@openssh.com", MK_SSH_SK_ECDSA,
	    ecdsa_fields, "nistp256", nettle_get_secp_256r1, 32, true }
};

static const struct kind *
kind_of(const char *name, size_t n)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strlen(kinds[i].name) == n &&
		    memcmp(kinds[i].name, name, n) == 0)
			return &kinds[i];
	}
	return NULL;
}

enum mk_sshkey_type
mk_sshkey_type_of(const char *name, size_t n)
{
	const struct kind *kind;

	kind = kind_of(name, n);
	return kind == NULL ? MK_SSH_OTHER : kind->type;
}

const char *
mk_sshkey_type_name(enum mk_sshkey_type type)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (kinds[i].type == type)
			return kinds[i].name;
	}
	return "other";
}

/* Whether digits and an '@' follow, as behind "-cert-v". */
static bool
digits_then_at(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n && s[i] >= '0' && s[i] <= '9'; i++)
		continue;
	return i > 0 && i < n && s[i] == '@';
}

bool
mk_sshkey_is_cert(const char *name, size_t n)
{
	static const char mark[] = "-cert-v";
	const size_t len = sizeof(mark) - 1;
	size_t i;

	for (i = 0; i + len <= n; i++) {
		if (memcmp(name + i, mark, len) == 0 &&
		    digits_then_at(name + i + len, n - i - len))
			return true;
	}
	return false;
}

/* Printable without space or comma, since it becomes a word of a line. */
static bool
name_ok(const char *name, size_t n)
{
	size_t i;

	if (n == 0 || n > NAME_MAX_LEN)
		return false;
	for (i = 0; i < n; i++) {
		if (name[i] <= 0x20 || name[i] >= 0x7f || name[i] == ',')
			return false;
	}
	return true;
}

/* The fields behind the type string; NULL or what is wrong. */
static const char *
judge_fields(const struct kind *kind, struct mk_wire *w,
    struct mk_sshkey *key)
{
	const uint8_t *application;
	const char *wrong;
	size_t len;

	wrong = kind->fields(kind, w, key);
	if (wrong != NULL)
		return wrong;
	if (kind->application && !mk_wire_string(w, &application, &len))
		return "cut short";
	/* The same key with other bytes behind it would be another key. */
	if (w->left != 0)
		return "bytes behind the last field";
	return NULL;
}

int
mk_sshkey_parse(const uint8_t *blob, size_t len, struct mk_sshkey *ret_key,
    struct mk_why *why)
{
	struct mk_wire w = { .p = blob, .left = len };
	struct mk_sshkey key = { .blob = blob, .len = len };
	const struct kind *kind;
	const uint8_t *name;
	const char *wrong;

	if (!mk_wire_string(&w, &name, &key.name_len))
		return mk_fail(why, MK_E_REFUSED, STAGE,
		    "ssh key does not start with its type");
	key.name = (const char *)name;
	if (!name_ok(key.name, key.name_len))
		return mk_fail(why, MK_E_REFUSED, STAGE,
		    "type of an ssh key: not 1 to %d printable characters "
		    "without space or comma", NAME_MAX_LEN);
	/* A certificate would let its authority choose who logs in. */
	if (mk_sshkey_is_cert(key.name, key.name_len))
		return mk_fail(why, MK_E_REFUSED, STAGE,
		    "ssh key is a certificate");
	kind = kind_of(key.name, key.name_len);
	if (kind != NULL) {
		key.type = kind->type;
		wrong = judge_fields(kind, &w, &key);
		if (wrong != NULL)
			return mk_fail(why, MK_E_REFUSED, STAGE,
			    "malformed key of type '%s': %s", kind->name,
			    wrong);
	}
	*ret_key = key;
	return 0;
}

/* Decodes the base64 word into the arena; only blob and len are set. */
static int
decode(struct mk_arena *a, const char *s, size_t n,
    struct mk_sshkey *ret_raw, struct mk_why *why)
{
	uint8_t *blob;
	size_t len;

	blob = mk_arena_alloc(a, MK_B64_DECODED(n));
	if (blob == NULL)
		return mk_arena_fail(a, why);
	if (!mk_b64std_decode(s, n, blob, &len))
		return mk_fail(why, MK_E_REFUSED, STAGE,
		    "ssh key is not 'type base64' with canonical base64");
	*ret_raw = (struct mk_sshkey){ .blob = blob, .len = len };
	return 0;
}

int
mk_sshkey_parse_text(struct mk_arena *a, const char *s, size_t n,
    struct mk_sshkey *ret_key, struct mk_why *why)
{
	struct mk_sshkey raw = { 0 }, key = { 0 };
	const char *space;
	size_t name_len;
	int r;

	if (n > MK_STRING_LONG)
		return mk_fail(why, MK_E_REFUSED, STAGE,
		    "ssh key longer than %u bytes", MK_STRING_LONG);
	space = n == 0 ? NULL : memchr(s, ' ', n);
	if (space == NULL)
		return mk_fail(why, MK_E_REFUSED, STAGE,
		    "ssh key is not 'type base64'");
	name_len = (size_t)(space - s);
	r = decode(a, space + 1, n - name_len - 1, &raw, why);
	if (r != 0)
		return r;
	r = mk_sshkey_parse(raw.blob, raw.len, &key, why);
	if (r != 0)
		return r;
	/* sshd would skip such a line; nobody meant to write it. */
	if (key.name_len != name_len || memcmp(key.name, s, name_len) != 0)
		return mk_fail(why, MK_E_REFUSED, STAGE,
		    "ssh key names another type than the one inside");
	*ret_key = key;
	return 0;
}

void
mk_sshkey_from_ed25519(const uint8_t pk[MK_ED25519_PUBLIC],
    struct mk_buf *out)
{
	static const char name[] = "ssh-ed25519";

	mk_wire_put_string(out, name, sizeof(name) - 1);
	mk_wire_put_string(out, pk, MK_ED25519_PUBLIC);
}

void
mk_sshkey_from_rsa(const struct mk_rsa *rsa, struct mk_buf *out)
{
	static const char name[] = "ssh-rsa";

	mk_wire_put_string(out, name, sizeof(name) - 1);
	mk_wire_put_mpint(out, rsa->e, rsa->e_len);
	mk_wire_put_mpint(out, rsa->n, rsa->n_len);
}

void
mk_sshkey_fingerprint(const uint8_t sha256[32],
    char out[MK_SSHKEY_FINGERPRINT])
{
	static const char prefix[] = "SHA256:";
	char text[MK_B64STD_LEN(32)];

	mk_b64std_encode(sha256, 32, text);
	memcpy(out, prefix, sizeof(prefix) - 1);
	/* All but the "=" at its end. */
	memcpy(out + sizeof(prefix) - 1, text, sizeof(text) - 1);
	out[MK_SSHKEY_FINGERPRINT - 1] = '\0';
}
