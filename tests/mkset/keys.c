/* SPDX-License-Identifier: ISC */
/*
 * Keys from roles.  "point:NAME" is a public point that no key should be,
 * "point:mixed:ROLE" the key of a role with a component of order 8 added.
 */
#include "mkset.h"

#include <string.h>

#include <sodium.h>

#include "core/digest.h"

static const uint8_t order8[32] = {
	0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f,
	0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
	0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6,
	0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a
};

/* First byte, the bytes between, last byte. */
static const struct {
	const char *name;
	uint8_t first, middle, last;
} points[] = {
	{ "identity",			0x01, 0x00, 0x00 },
	{ "order2",			0xec, 0xff, 0x7f },
	{ "order4",			0x00, 0x00, 0x00 },
	{ "noncanonical-identity",	0xee, 0xff, 0x7f },	/* y = p + 1 */
	{ "noncanonical",		0xf0, 0xff, 0x7f },	/* y = p + 3 */
	{ "signed-zero",		0x01, 0x00, 0x80 },	/* x = -0 */
	{ "off-curve",			0x02, 0x00, 0x00 },
};

/* SHA-512("mkset:" seed ":" role) */
void
ms_hash(const struct ms_set *set, const char *role, uint8_t out[64])
{
	crypto_hash_sha512_state state;
	const char *parts[] = { "mkset:", set->seed, ":", role };
	size_t i;

	crypto_hash_sha512_init(&state);
	for (i = 0; i < 4; i++)
		crypto_hash_sha512_update(&state, (const uint8_t *)parts[i],
		    strlen(parts[i]));
	crypto_hash_sha512_final(&state, out);
}

struct mk_udf
ms_random_udf(const struct ms_set *set, const char *role)
{
	struct mk_udf udf;
	uint8_t h[64];

	ms_hash(set, role, h);
	udf.b[0] = MK_UDF_RANDOM;
	memcpy(udf.b + 1, h, MK_UDF_BYTES - 1);
	udf.b[MK_UDF_BYTES - 1] &= 0xfc;
	return udf;
}

/* The scalar of a secret key, reduced (RFC 8032 section 5.1.5). */
static void
scalar_of_seed(const uint8_t seed[32], uint8_t scalar[32])
{
	uint8_t wide[64] = { 0 }, h[64];

	mk_sha512(seed, 32, h);
	memcpy(wide, h, 32);
	wide[0] &= 248;
	wide[31] &= 127;
	wide[31] |= 64;
	crypto_core_ed25519_scalar_reduce(scalar, wide);
}

static void
make_plain(const struct ms_set *set, const char *role, struct ms_key *key)
{
	uint8_t seed[64], pk[32];

	ms_hash(set, role, seed);
	mk_ed25519_pair(seed, pk, key->sk);
	scalar_of_seed(seed, key->scalar);
	mk_pubkey_from_ed25519(pk, &key->pub);
}

/* Whoever signs as a point of small order needs no secret: scalar 0. */
static void
make_point(const struct ms_set *set, const char *name, struct ms_key *key)
{
	uint8_t pk[32];
	size_t i;

	key->forge = true;
	if (strncmp(name, "mixed:", 6) == 0) {
		make_plain(set, name + 6, key);
		if (crypto_core_ed25519_add(pk, key->pub.ed25519, order8) != 0)
			ms_die("cannot add two points");
		mk_pubkey_from_ed25519(pk, &key->pub);
		return;
	}
	if (strcmp(name, "order8") == 0) {
		mk_pubkey_from_ed25519(order8, &key->pub);
		return;
	}
	for (i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		if (strcmp(points[i].name, name) != 0)
			continue;
		memset(pk, points[i].middle, sizeof(pk));
		pk[0] = points[i].first;
		pk[31] = points[i].last;
		mk_pubkey_from_ed25519(pk, &key->pub);
		return;
	}
	ms_die("'%s' is no point", name);
}

const struct ms_key *
ms_key_unaliased(struct ms_set *set, const char *role)
{
	struct ms_key *key;

	for (key = set->keys; key != NULL; key = key->next) {
		if (strcmp(key->role, role) == 0)
			return key;
	}
	key = ms_alloc(set, 1, sizeof(*key));
	key->role = ms_printf(set, "%s", role);
	if (set->gen != MK_GEN_CURRENT)
		ms_rsa_make(set, key);
	else if (strncmp(role, "point:", 6) == 0)
		make_point(set, role + 6, key);
	else
		make_plain(set, role, key);
	key->next = set->keys;
	set->keys = key;
	return key;
}

/*
 * The key of a role, or of the role that an alias puts in its place; of
 * "raw:ROLE" whatever the aliases say.
 */
const struct ms_key *
ms_key(struct ms_set *set, const char *role)
{
	const char *other = ms_pair_get(set->aliases, role);

	if (strncmp(role, "raw:", 4) == 0)
		return ms_key_unaliased(set, role + 4);
	return ms_key_unaliased(set, other != NULL ? other : role);
}
