/* SPDX-License-Identifier: ISC */
/*
 * Signatures that a careless verifier would take, each wrong in one way.
 * With A = aB + T and R = rB + U, where T and U have small order, S = r + ha
 * satisfies the equation without cofactor if hT + U = 0; nonces are tried
 * until h is a multiple of 8, which makes hT vanish.
 */
#include "mkset.h"

#include <string.h>

#include <sodium.h>

/* 2^252 + 27742317777372353535851937790883648493, little-endian. */
static const uint8_t group_order[32] = {
	0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
	0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x10
};

struct forging {
	const struct ms_key *key;
	struct mk_text msg;
	uint8_t r[32], h[32];
	uint8_t sig[MK_ED25519_SIG];
};

static void
pick_nonce(struct forging *f, unsigned n)
{
	crypto_hash_sha512_state state;
	uint8_t wide[64], count[2];

	count[0] = (uint8_t)n;
	count[1] = (uint8_t)(n >> 8);
	crypto_hash_sha512_init(&state);
	crypto_hash_sha512_update(&state, count, sizeof(count));
	crypto_hash_sha512_update(&state, f->key->scalar, 32);
	crypto_hash_sha512_update(&state, (const uint8_t *)f->msg.s,
	    f->msg.len);
	crypto_hash_sha512_final(&state, wide);
	crypto_core_ed25519_scalar_reduce(f->r, wide);
}

/* h = SHA-512(R || A || M) */
static void
challenge(struct forging *f)
{
	crypto_hash_sha512_state state;
	uint8_t wide[64];

	crypto_hash_sha512_init(&state);
	crypto_hash_sha512_update(&state, f->sig, 32);
	crypto_hash_sha512_update(&state, f->key->pub.ed25519, 32);
	crypto_hash_sha512_update(&state, (const uint8_t *)f->msg.s,
	    f->msg.len);
	crypto_hash_sha512_final(&state, wide);
	crypto_core_ed25519_scalar_reduce(f->h, wide);
}

/* S = r + ha */
static void
respond(struct forging *f)
{
	uint8_t ha[32];

	crypto_core_ed25519_scalar_mul(ha, f->h, f->key->scalar);
	crypto_core_ed25519_scalar_add(f->sig + 32, f->r, ha);
}

/* Satisfies the equation exactly, whatever the order of A. */
static void
forge(struct forging *f)
{
	unsigned n = 0;

	do {
		pick_nonce(f, n++);
		if (crypto_scalarmult_ed25519_base_noclamp(f->sig, f->r) != 0)
			ms_die("cannot multiply the base point");
		challenge(f);
	} while ((f->h[0] & 7) != 0);
	respond(f);
}

/* With the R that is given, of small order: r = 0. */
static void
forge_small(struct forging *f, uint8_t first, uint8_t middle, uint8_t last)
{
	memset(f->sig, middle, 32);
	f->sig[0] = first;
	f->sig[31] = last;
	memset(f->r, 0, sizeof(f->r));
	challenge(f);
	respond(f);
}

static void
small_r(struct forging *f)
{
	forge_small(f, 0x01, 0x00, 0x00);
}

static void
noncanonical_r(struct forging *f)
{
	forge_small(f, 0xee, 0xff, 0x7f);
}

/* Right only for a verifier that multiplies by the cofactor. */
static void
mixed_r(struct forging *f)
{
	static const uint8_t order2[32] = { [0] = 0xec, [1 ... 30] = 0xff,
	    [31] = 0x7f };
	uint8_t point[32];

	pick_nonce(f, 0);
	if (crypto_scalarmult_ed25519_base_noclamp(point, f->r) != 0 ||
	    crypto_core_ed25519_add(f->sig, point, order2) != 0)
		ms_die("cannot add two points");
	challenge(f);
	respond(f);
}

/* The same number modulo L. */
static void
s_plus_l(struct forging *f)
{
	unsigned i, carry = 0;

	for (i = 0; i < 32; i++) {
		carry += (unsigned)f->sig[32 + i] + group_order[i];
		f->sig[32 + i] = (uint8_t)carry;
		carry >>= 8;
	}
}

static void
flip_bit(struct forging *f)
{
	f->sig[40] ^= 1;
}

static void
zero(struct forging *f)
{
	memset(f->sig, 0, sizeof(f->sig));
}

static const struct {
	const char *name;
	void (*change)(struct forging *);
	size_t len;
} ways[] = {
	{ "signature-bit",	flip_bit,	64 },
	{ "signature-zero",	zero,		64 },
	{ "signature-short",	NULL,		63 },
	{ "signature-long",	NULL,		65 },
	{ "signature-empty",	NULL,		0 },
	{ "s-plus-l",		s_plus_l,	64 },
	{ "small-order-r",	small_r,	64 },
	{ "noncanonical-r",	noncanonical_r,	64 },
	{ "mixed-order-r",	mixed_r,	64 },
};

#define N_WAYS	(sizeof(ways) / sizeof(ways[0]))

static size_t
find_way(const char *name)
{
	size_t i;

	for (i = 0; i < N_WAYS && strcmp(ways[i].name, name) != 0; i++)
		;
	return i;
}

bool
ms_sign_is_way(const char *way)
{
	return find_way(way) < N_WAYS;
}

/* 'way' is NULL for a right signature. */
void
ms_sign(const struct ms_key *key, struct mk_text msg, const char *way,
    struct mk_buf *out)
{
	struct forging f = { .key = key, .msg = msg };
	size_t len = sizeof(f.sig), i = way == NULL ? N_WAYS : find_way(way);

	if (key->forge)
		forge(&f);
	else
		mk_ed25519_sign(key->sk, (const uint8_t *)msg.s, msg.len,
		    f.sig);
	if (i < N_WAYS && ways[i].change != NULL)
		ways[i].change(&f);
	if (i < N_WAYS)
		len = ways[i].len;
	mk_buf_put(out, f.sig, len < sizeof(f.sig) ? len : sizeof(f.sig));
	if (len > sizeof(f.sig))
		mk_buf_putc(out, '\0');
}
