/* SPDX-License-Identifier: ISC */
/*
 * RSA-2048 for the forms of 2016 and 2017.  A prime is the next one after
 * 128 bytes that follow from the seed: unlike the key generators of
 * libraries this gives the same key with every version of them.
 */
#include "mkset.h"

#include <string.h>

#include <nettle/rsa.h>

#include "core/rsa.h"
#include "core/sshwire.h"

#define PRIME_BYTES	128
#define EXPONENT	65537

struct ms_rsa {
	struct rsa_private_key private;
	mpz_t d, n;
	uint8_t n_bytes[2 * PRIME_BYTES];
	uint8_t e_bytes[3];
};

static void
make_prime(struct ms_set *set, const char *role, char which, mpz_t prime)
{
	uint8_t bytes[PRIME_BYTES];

	ms_hash(set, ms_printf(set, "%s:%c0", role, which), bytes);
	ms_hash(set, ms_printf(set, "%s:%c1", role, which), bytes + 64);
	/* Both top bits, so that the product has all of its 2048. */
	bytes[0] |= 0xc0;
	mpz_import(prime, sizeof(bytes), 1, 1, 1, 0, bytes);
	do {
		mpz_nextprime(prime, prime);
	} while (mpz_fdiv_ui(prime, EXPONENT) == 1);
}

/* d, and what the Chinese remainder theorem saves. */
static void
make_private(struct ms_rsa *rsa)
{
	struct rsa_private_key *k = &rsa->private;
	mpz_t p1, q1, phi, e;

	mpz_inits(p1, q1, phi, NULL);
	mpz_init_set_ui(e, EXPONENT);
	mpz_sub_ui(p1, k->p, 1);
	mpz_sub_ui(q1, k->q, 1);
	mpz_mul(phi, p1, q1);
	mpz_mul(rsa->n, k->p, k->q);
	if (mpz_invert(rsa->d, e, phi) == 0 ||
	    mpz_invert(k->c, k->q, k->p) == 0)
		ms_die("no RSA key follows from this seed");
	mpz_fdiv_r(k->a, rsa->d, p1);
	mpz_fdiv_r(k->b, rsa->d, q1);
	if (rsa_private_key_prepare(k) == 0)
		ms_die("no RSA key follows from this seed");
	mpz_clears(p1, q1, phi, e, NULL);
}

static void
name_key(struct ms_set *set, struct ms_key *key)
{
	struct mk_buf der;

	mk_buf_init(&der, MS_TEXT_MAX);
	if (set->gen == MK_GEN_2016)
		mk_rsa_spki(&key->pub.rsa, &der);
	else
		mk_rsa_pkcs1(&key->pub.rsa, &der);
	mk_udf_of_der(MK_UDF_LOW_BITS, (const uint8_t *)der.data, der.len,
	    &key->pub.udf);
	mk_buf_release(&der);
}

/* gmp's numbers do not live in the arena. */
void
ms_rsa_release(const struct ms_key *keys)
{
	for (; keys != NULL; keys = keys->next) {
		if (keys->rsa == NULL)
			continue;
		rsa_private_key_clear(&keys->rsa->private);
		mpz_clears(keys->rsa->d, keys->rsa->n, NULL);
	}
}

void
ms_rsa_make(struct ms_set *set, struct ms_key *key)
{
	static const uint8_t exponent[3] = { 1, 0, 1 };
	struct ms_rsa *rsa = ms_alloc(set, 1, sizeof(*rsa));

	rsa_private_key_init(&rsa->private);
	mpz_inits(rsa->d, rsa->n, NULL);
	make_prime(set, key->role, 'p', rsa->private.p);
	make_prime(set, key->role, 'q', rsa->private.q);
	make_private(rsa);
	mpz_export(rsa->n_bytes, NULL, 1, 1, 1, 0, rsa->n);
	memcpy(rsa->e_bytes, exponent, sizeof(exponent));
	key->rsa = rsa;
	key->pub.gen = set->gen;
	key->pub.rsa.n = rsa->n_bytes;
	key->pub.rsa.n_len = sizeof(rsa->n_bytes);
	key->pub.rsa.e = rsa->e_bytes;
	key->pub.rsa.e_len = sizeof(rsa->e_bytes);
	name_key(set, key);
}

/* Exactly as many bytes as the modulus has. */
void
ms_rsa_sign(const struct ms_key *key, struct mk_text msg, struct mk_buf *out)
{
	uint8_t bytes[2 * PRIME_BYTES] = { 0 };
	struct sha512_ctx hash;
	size_t len;
	mpz_t s;

	sha512_init(&hash);
	sha512_update(&hash, msg.len, (const uint8_t *)msg.s);
	mpz_init(s);
	if (rsa_sha512_sign(&key->rsa->private, &hash, s) == 0)
		ms_die("cannot sign");
	len = (mpz_sizeinbase(s, 2) + 7) / 8;
	mpz_export(bytes + sizeof(bytes) - len, NULL, 1, 1, 1, 0, s);
	mk_buf_put(out, bytes, sizeof(bytes));
	mpz_clear(s);
}

static void
put_number(mpz_srcptr number, struct mk_buf *out)
{
	uint8_t bytes[2 * PRIME_BYTES];
	size_t len;

	mpz_export(bytes, &len, 1, 1, 1, 0, number);
	mk_wire_put_mpint(out, bytes, len);
}

/* As in OpenSSH's private key files, behind the type. */
void
ms_rsa_private(const struct ms_key *key, struct mk_buf *out)
{
	const struct ms_rsa *rsa = key->rsa;

	put_number(rsa->n, out);
	mk_wire_put_mpint(out, rsa->e_bytes, sizeof(rsa->e_bytes));
	put_number(rsa->d, out);
	put_number(rsa->private.c, out);
	put_number(rsa->private.p, out);
	put_number(rsa->private.q, out);
}
