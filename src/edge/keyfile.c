/* SPDX-License-Identifier: ISC */
/*
 * Lines, each ending in LF, single spaces, base64url without padding:
 *
 *	mesh-key 1
 *	udf UDF
 *	seed SEED
 *
 * or, under a passphrase, in place of the last one
 *
 *	argon2id OPERATIONS BYTES SALT
 *	box NONCE BOX
 *
 * Anything else is damaged.  Lines and not JSON, since the seed must not be
 * copied through the heap by a parser: everything that is secret or made of
 * it stays in memory of sodium_malloc(), and base64 is that of libsodium,
 * whose time does not depend on the digits.
 */
#include "edge/keyfile.h"

#include <sodium.h>

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/ed25519.h"
#include "core/err.h"

#define FILE_MAX	1024u
#define B64		sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define B64_LEN(n)	(sodium_base64_ENCODED_LEN((n), B64) - 1)
#define BOX		(crypto_secretbox_MACBYTES + MK_ED25519_SEED)
#define OPS		crypto_pwhash_argon2id_OPSLIMIT_MODERATE
#define MEM		crypto_pwhash_argon2id_MEMLIMIT_MODERATE

/* All of it is what an outsider may see. */
struct lock {
	unsigned long long ops;
	size_t mem;
	uint8_t salt[crypto_pwhash_argon2id_SALTBYTES];
	uint8_t nonce[crypto_secretbox_NONCEBYTES];
	uint8_t box[BOX];
};

/* A file, taken apart; of sodium_malloc(). */
struct keyfile {
	struct mk_udf udf;
	bool locked;
	struct lock lock;
	uint8_t seed[MK_ED25519_SEED];
	uint8_t key[crypto_secretbox_KEYBYTES];	/* of the passphrase */
	char text[FILE_MAX];
	size_t len;
};

static int
no_memory(struct mk_why *why)
{
	return mk_fail(why, MK_E_SYSTEM, "keyfile", "out of memory");
}

/* 'secret->sk' and the public half from a seed, which lies elsewhere. */
static int
pair_of(const uint8_t seed[MK_ED25519_SEED], struct mk_secret *ret_secret,
    struct mk_why *why)
{
	uint8_t pk[MK_ED25519_PUBLIC];

	ret_secret->sk = sodium_malloc(MK_ED25519_SECRET);
	if (ret_secret->sk == NULL)
		return no_memory(why);
	mk_ed25519_pair(seed, pk, ret_secret->sk);
	mk_pubkey_from_ed25519(pk, &ret_secret->pub);
	return MK_OK;
}

int
mk_secret_new(struct mk_secret *ret_secret, struct mk_why *why)
{
	struct mk_secret secret;
	uint8_t *seed;
	int r;

	seed = sodium_malloc(MK_ED25519_SEED);
	if (seed == NULL)
		return no_memory(why);
	randombytes_buf(seed, MK_ED25519_SEED);
	r = pair_of(seed, &secret, why);
	sodium_free(seed);
	if (r == MK_OK)
		*ret_secret = secret;
	return r;
}

void
mk_secret_free(struct mk_secret *secret)
{
	sodium_free(secret->sk);
	secret->sk = NULL;
}

struct mk_signer
mk_secret_signer(const struct mk_secret *secret)
{
	return (struct mk_signer){ .udf = secret->pub.udf,
	    .sk = secret->sk };
}

static void
put(struct keyfile *k, const char *s)
{
	size_t len = strlen(s);

	/* There is room for the longest file: see below. */
	memcpy(k->text + k->len, s, len);
	k->len += len;
}

static void
put_b64(struct keyfile *k, const uint8_t *data, size_t len)
{
	sodium_bin2base64(k->text + k->len, sizeof(k->text) - k->len, data,
	    len, B64);
	k->len += B64_LEN(len);
}

_Static_assert(FILE_MAX > sizeof("mesh-key 1\nudf \nargon2id  \nbox  \n") +
    MK_UDF_TEXT + 2 * 20 + B64_LEN(crypto_pwhash_argon2id_SALTBYTES) +
    B64_LEN(crypto_secretbox_NONCEBYTES) + B64_LEN(BOX) + 1,
    "every file fits");

static void
render(struct keyfile *k)
{
	char udf[MK_UDF_TEXT + 1], costs[64];

	mk_udf_format(&k->udf, udf);
	put(k, "mesh-key 1\nudf ");
	put(k, udf);
	if (k->locked) {
		(void)snprintf(costs, sizeof(costs), "\nargon2id %llu %zu ",
		    k->lock.ops, k->lock.mem);
		put(k, costs);
		put_b64(k, k->lock.salt, sizeof(k->lock.salt));
		put(k, "\nbox ");
		put_b64(k, k->lock.nonce, sizeof(k->lock.nonce));
		put(k, " ");
		put_b64(k, k->lock.box, sizeof(k->lock.box));
	} else {
		put(k, "\nseed ");
		put_b64(k, k->seed, sizeof(k->seed));
	}
	put(k, "\n");
}

/* The key of a passphrase, as the lock says. */
static int
derive(struct keyfile *k, const char *pass, struct mk_why *why)
{
	if (crypto_pwhash_argon2id(k->key, sizeof(k->key), pass,
	    strlen(pass), k->lock.salt, k->lock.ops, k->lock.mem,
	    crypto_pwhash_argon2id_ALG_ARGON2ID13) == 0)
		return MK_OK;
	return mk_fail(why, MK_E_SYSTEM, "keyfile",
	    "cannot derive a key of a passphrase: %zu bytes of memory are "
	    "needed", k->lock.mem);
}

static int
lock_up(struct keyfile *k, const char *pass, struct mk_why *why)
{
	int r;

	k->locked = true;
	k->lock.ops = OPS;
	k->lock.mem = MEM;
	randombytes_buf(k->lock.salt, sizeof(k->lock.salt));
	randombytes_buf(k->lock.nonce, sizeof(k->lock.nonce));
	r = derive(k, pass, why);
	if (r == MK_OK)
		(void)crypto_secretbox_easy(k->lock.box, k->seed,
		    sizeof(k->seed), k->lock.nonce, k->key);
	return r;
}

static struct keyfile *
keyfile_new(void)
{
	struct keyfile *k = sodium_malloc(sizeof(*k));

	if (k != NULL)
		memset(k, 0, sizeof(*k));
	return k;
}

int
mk_keyfile_write(const struct mk_home *home, const char *name,
    const struct mk_secret *secret, const char *pass, struct mk_why *why)
{
	struct keyfile *k;
	int r = MK_OK;

	/* It would look guarded, and be open to everyone who tries Enter. */
	if (pass != NULL && pass[0] == '\0')
		return mk_fail(why, MK_E_USAGE, "keyfile",
		    "cannot write '%s/%s': the passphrase is empty",
		    home->path, name);
	k = keyfile_new();
	if (k == NULL)
		return no_memory(why);
	k->udf = secret->pub.udf;
	/* libsodium's secret key begins with the seed. */
	memcpy(k->seed, secret->sk, sizeof(k->seed));
	if (pass != NULL)
		r = lock_up(k, pass, why);
	if (r == MK_OK) {
		render(k);
		r = mk_home_write(home, name, k->text, k->len, why);
	}
	sodium_free(k);
	return r;
}

/* What is left of a file; each taker steps over what it took. */
struct reader {
	const char *p, *end;
};

static bool
take(struct reader *r, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(r->end - r->p) < len || memcmp(r->p, word, len) != 0)
		return false;
	r->p += len;
	return true;
}

static bool
take_udf(struct reader *r, struct mk_udf *ret_udf)
{
	if (r->end - r->p < MK_UDF_TEXT ||
	    !mk_udf_parse(r->p, MK_UDF_TEXT, ret_udf) ||
	    mk_udf_type(ret_udf) != MK_UDF_KEY)
		return false;
	r->p += MK_UDF_TEXT;
	return true;
}

/* Exactly so many bytes. */
static bool
take_b64(struct reader *r, uint8_t *out, size_t len)
{
	size_t got = 0, chars = B64_LEN(len);

	if ((size_t)(r->end - r->p) < chars ||
	    sodium_base642bin(out, len, r->p, chars, NULL, &got, NULL,
	    B64) != 0 || got != len)
		return false;
	r->p += chars;
	return true;
}

/* 1 to 'max', without zeros before it: who wrote the file may want too
   much of us. */
static bool
take_number(struct reader *r, uint64_t max, uint64_t *ret_n)
{
	uint64_t n = 0;

	for (; r->p < r->end && *r->p >= '0' && *r->p <= '9'; r->p++) {
		n = n * 10 + (uint64_t)(*r->p - '0');
		if (n == 0 || n > max)
			return false;
	}
	*ret_n = n;
	return n > 0;
}

static bool
take_lock(struct reader *r, struct lock *lock)
{
	uint64_t ops, mem;

	if (!take(r, "argon2id ") || !take_number(r, OPS, &ops) ||
	    !take(r, " ") || !take_number(r, MEM, &mem) || !take(r, " ") ||
	    !take_b64(r, lock->salt, sizeof(lock->salt)) ||
	    !take(r, "\nbox ") ||
	    !take_b64(r, lock->nonce, sizeof(lock->nonce)) ||
	    !take(r, " ") || !take_b64(r, lock->box, sizeof(lock->box)))
		return false;
	lock->ops = ops;
	lock->mem = (size_t)mem;
	return true;
}

static bool
parse(struct keyfile *k, const struct mk_guarded *file)
{
	struct reader r = { .p = (const char *)file->data,
	    .end = (const char *)file->data + file->len };

	if (!take(&r, "mesh-key 1\nudf ") || !take_udf(&r, &k->udf) ||
	    !take(&r, "\n"))
		return false;
	k->locked = !take(&r, "seed ");
	if (k->locked ? !take_lock(&r, &k->lock) :
	    !take_b64(&r, k->seed, sizeof(k->seed)))
		return false;
	return take(&r, "\n") && r.p == r.end;
}

static int
damaged(const struct mk_home *home, const char *name, struct mk_why *why)
{
	return mk_fail(why, MK_E_SYSTEM, "keyfile",
	    "cannot use '%s/%s': damaged", home->path, name);
}

static int
load(const struct mk_home *home, const char *name,
    struct keyfile **ret_keyfile, struct mk_why *why)
{
	struct keyfile *k;
	struct mk_guarded file;
	int r;

	r = mk_home_read_secret(home, name, FILE_MAX, &file, why);
	if (r == MK_E_TOOBIG)
		return damaged(home, name, why);
	if (r != MK_OK)
		return r;
	k = keyfile_new();
	if (k == NULL)
		r = no_memory(why);
	else if (!parse(k, &file))
		r = damaged(home, name, why);
	sodium_free(file.data);
	if (r != MK_OK)
		sodium_free(k);
	else
		*ret_keyfile = k;
	return r;
}

int
mk_keyfile_look(const struct mk_home *home, const char *name,
    struct mk_keyfile_info *ret_info, struct mk_why *why)
{
	struct keyfile *k;
	int r;

	r = load(home, name, &k, why);
	if (r != MK_OK)
		return r;
	ret_info->udf = k->udf;
	ret_info->locked = k->locked;
	sodium_free(k);
	return MK_OK;
}

/* The box opens for the right passphrase alone, and only if it is whole. */
static int
unlock(const struct mk_home *home, const char *name, const char *pass,
    struct keyfile *k, struct mk_why *why)
{
	int r;

	if (pass == NULL)
		return mk_fail(why, MK_E_PERM, "keyfile",
		    "cannot open '%s/%s': it needs its passphrase",
		    home->path, name);
	r = derive(k, pass, why);
	if (r != MK_OK)
		return r;
	if (crypto_secretbox_open_easy(k->seed, k->lock.box,
	    sizeof(k->lock.box), k->lock.nonce, k->key) != 0)
		return mk_fail(why, MK_E_PERM, "keyfile",
		    "cannot open '%s/%s': wrong passphrase", home->path,
		    name);
	return MK_OK;
}

int
mk_keyfile_read(const struct mk_home *home, const char *name,
    const char *pass, struct mk_secret *ret_secret, struct mk_why *why)
{
	struct mk_secret secret = { .sk = NULL };
	struct keyfile *k;
	int r;

	r = load(home, name, &k, why);
	if (r != MK_OK)
		return r;
	if (k->locked)
		r = unlock(home, name, pass, k, why);
	if (r == MK_OK)
		r = pair_of(k->seed, &secret, why);
	/* Whoever named the file wants that key, and no other one. */
	if (r == MK_OK && mk_udf_cmp(&secret.pub.udf, &k->udf) != 0)
		r = damaged(home, name, why);
	sodium_free(k);
	if (r == MK_OK)
		*ret_secret = secret;
	else
		mk_secret_free(&secret);
	return r;
}
