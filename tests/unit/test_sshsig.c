/* SPDX-License-Identifier: ISC */
/*
 * SSHSIGs: those that ssh-keygen makes, those of security keys and of RSA
 * in all its spellings made by hand, and every kind of damage to them.
 */
#include <nettle/dsa.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecdsa.h>
#include <nettle/knuth-lfib.h>
#include <nettle/rsa.h>
#include <spawn.h>
#include <sys/wait.h>

#include "core/arena.h"
#include "core/digest.h"
#include "core/profile.h"
#include "core/sshkey.h"
#include "core/sshsig.h"
#include "core/sshwire.h"
#include "make_sshsig.h"
#include "tree.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define SMALL		((size_t)1 << 16)
#define MESSAGE		"MAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA a message"
#define SK_ED25519	"sk-ssh-ed25519@openssh.com"
#define SK_ECDSA	"sk-ecdsa-sha2-nistp256@openssh.com"
#define P256		32	/* octets of a coordinate */

static const struct sshsig_form right;
static struct mk_arena arena;
static struct mk_buf pub, data, inner, sig;	/* the parts of one */
static struct knuth_lfib_ctx dice;
static uint8_t seed_pk[MK_ED25519_PUBLIC], seed_sk[MK_ED25519_SECRET];

static void
setup(void)
{
	static const uint8_t seed[MK_ED25519_SEED] = "any seed";

	tree_setup();
	mk_arena_init(&arena, 1 << 20);
	mk_buf_init(&pub, SMALL);
	mk_buf_init(&data, SMALL);
	mk_buf_init(&inner, SMALL);
	mk_buf_init(&sig, SMALL);
	knuth_lfib_init(&dice, 4711);
	mk_ed25519_pair(seed, seed_pk, seed_sk);
}

static void
teardown(void)
{
	mk_buf_release(&sig);
	mk_buf_release(&inner);
	mk_buf_release(&data);
	mk_buf_release(&pub);
	mk_arena_release(&arena);
	tree_teardown();
}

static void
put(struct mk_buf *out, const char *s)
{
	mk_wire_put_string(out, s, strlen(s));
}

static struct mk_sshkey
parse(const struct mk_buf *blob)
{
	struct mk_sshkey key;

	ck_assert_int_eq(mk_sshkey_parse((const uint8_t *)blob->data,
	    blob->len, &key, NULL), 0);
	return key;
}

/* Verifies a copy of exactly this size, so that reading on would be seen. */
static bool
verifies(const void *blob, size_t len, const struct mk_sshsig_over *over)
{
	uint8_t *copy = malloc(len == 0 ? 1 : len);
	bool good;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, blob, len);
	good = mk_sshsig_verify(copy, len, over);
	free(copy);
	return good;
}

static struct mk_sshsig_over
over_message(const struct mk_sshkey *key, const char *msg)
{
	return (struct mk_sshsig_over){ .key = key,
	    .name_space = MK_PROOF_NAMESPACE, .msg = (const uint8_t *)msg,
	    .len = strlen(msg) };
}

/* Whether what stands in 'sig' is by what stands in 'pub'. */
static bool
good(void)
{
	struct mk_sshkey key = parse(&pub);
	struct mk_sshsig_over over = over_message(&key, MESSAGE);

	return verifies(sig.data, sig.len, &over);
}

/* The parts of the next one. */
static void
clear(void)
{
	mk_buf_cut(&data, 0);
	mk_buf_cut(&inner, 0);
	mk_buf_cut(&sig, 0);
}

/* A signature that verifies does not in any other form or place. */
static void
torment(void)
{
	struct mk_sshkey key = parse(&pub), other;
	struct mk_sshsig_over over = over_message(&key, MESSAGE), wrong;
	uint8_t other_pk[MK_ED25519_PUBLIC], other_sk[MK_ED25519_SECRET];
	struct mk_buf blob;
	size_t i;

	ck_assert(good());
	wrong = over;
	wrong.name_space = "mesh-enrol@meshkey";
	ck_assert(!verifies(sig.data, sig.len, &wrong));
	wrong.name_space = "";
	ck_assert(!verifies(sig.data, sig.len, &wrong));
	wrong = over_message(&key, MESSAGE " ");
	ck_assert(!verifies(sig.data, sig.len, &wrong));
	wrong = over;
	wrong.len--;
	ck_assert(!verifies(sig.data, sig.len, &wrong));
	mk_buf_init(&blob, SMALL);
	mk_ed25519_pair((const uint8_t *)"another seed of the same length.",
	    other_pk, other_sk);
	mk_sshkey_from_ed25519(other_pk, &blob);
	other = parse(&blob);
	wrong = over_message(&other, MESSAGE);
	ck_assert(!verifies(sig.data, sig.len, &wrong));
	mk_buf_release(&blob);
	for (i = 0; i < sig.len; i++) {
		sig.data[i] = (char)(sig.data[i] ^ 1 << i % 8);
		ck_assert_msg(!good(), "bit %zu of octet %zu", i % 8, i);
		sig.data[i] = (char)(sig.data[i] ^ 1 << i % 8);
		ck_assert_msg(!verifies(sig.data, i, &over), "%zu octets", i);
	}
	ck_assert(good());
	mk_buf_putc(&sig, 0);
	ck_assert(!good());
}

/* Runs ssh-keygen; false if it is not there. */
static bool
ssh_keygen(char *const argv[])
{
	posix_spawn_file_actions_t quiet;
	int status = 0;
	pid_t pid;

	ck_assert_int_eq(posix_spawn_file_actions_init(&quiet), 0);
	ck_assert_int_eq(posix_spawn_file_actions_addopen(&quiet, 2,
	    "/dev/null", O_WRONLY, 0), 0);
	status = posix_spawnp(&pid, argv[0], &quiet, NULL, argv, environ);
	(void)posix_spawn_file_actions_destroy(&quiet);
	if (status != 0)
		return false;
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	if (WEXITSTATUS(status) == 127)
		return false;
	ck_assert_int_eq(WEXITSTATUS(status), 0);
	return true;
}

static void
slurp(const char *name, char *text, size_t size)
{
	FILE *f = fopen(tree_path(name), "r");
	size_t n;

	ck_assert_ptr_nonnull(f);
	n = fread(text, 1, size - 1, f);
	ck_assert(n > 0 && n < size - 1);
	text[n] = '\0';
	(void)fclose(f);
}

static void
read_armoured(const char *name)
{
	const uint8_t *blob;
	struct mk_text armour;
	char text[4096];
	size_t len;

	slurp(name, text, sizeof(text));
	armour = (struct mk_text){ text, strlen(text) };
	ck_assert_int_eq(mk_sshsig_unarmour(&arena, &armour, &blob, &len,
	    NULL), 0);
	mk_buf_put(&sig, blob, len);
}

/* Makes a key and its signature over MESSAGE, to 'pub' and 'sig'. */
static bool
sign_by_ssh_keygen(const char *type, const char *bits)
{
	char *key = strdup(tree_path("/key")), *msg = strdup(tree_path("/m"));
	char *make[] = { "ssh-keygen", "-q", "-t", (char *)type, "-b",
	    (char *)bits, "-N", "", "-f", key, NULL };
	char *sign[] = { "ssh-keygen", "-Y", "sign", "-n",
	    MK_PROOF_NAMESPACE, "-f", key, msg, NULL };
	struct mk_sshkey parsed;
	char text[4096];
	bool there;

	tree_bytes("/m", MESSAGE, strlen(MESSAGE));
	there = ssh_keygen(make) && ssh_keygen(sign);
	free(msg);
	free(key);
	if (!there)
		return false;
	read_armoured("/m.sig");
	slurp("/key.pub", text, sizeof(text));
	*strchr(strchr(text, ' ') + 1, ' ') = '\0';
	ck_assert_int_eq(mk_sshkey_parse_text(&arena, text, strlen(text),
	    &parsed, NULL), 0);
	mk_buf_put(&pub, parsed.blob, parsed.len);
	return true;
}

static const char *const real[][2] = {
	{ "ed25519", "256" }, { "ecdsa", "256" }, { "ecdsa", "384" },
	{ "ecdsa", "521" }, { "rsa", "2048" }, { "rsa", "3072" }
};

START_TEST(takes_what_ssh_keygen_signs)
{
	if (sign_by_ssh_keygen(real[_i][0], real[_i][1]))
		torment();
}
END_TEST

/* By the same way, so that nothing but its length refuses it. */
START_TEST(short_rsa)
{
	if (sign_by_ssh_keygen("rsa", "1024"))
		ck_assert(!good());
}
END_TEST

static bool
formed(const struct sshsig_form *form)
{
	clear();
	made_sshsig(seed_sk, form, MESSAGE, &sig);
	return good();
}

/* Right signatures, by the right key, of what is not quite an SSHSIG. */
START_TEST(forms)
{
	static const struct sshsig_form wrong[] = {
		{ .reserved = "x" },
		{ .reserved = "x", .signed_reserved = "" },
		{ .hash = "sha256" }, { .hash = "sha384" }, { .hash = "" },
		{ .name_space = "file" }, { .name_space = "" },
		{ .name_space = MK_PROOF_NAMESPACE "s" },
		{ .magic = "SSHSIH" }, { .version = 2 },
		{ .tail = "x" }
	};
	size_t i;

	mk_sshkey_from_ed25519(seed_pk, &pub);
	ck_assert(formed(&right));
	for (i = 0; i < COUNT(wrong); i++)
		ck_assert_msg(!formed(&wrong[i]), "form %zu", i);
	ck_assert(formed(&right));
	torment();
}
END_TEST

/* An inner signature of these strings, and bytes behind, in 'sig'. */
static bool
wrapped(const char *type, const void *raw, size_t len, const char *tail,
    size_t tail_len)
{
	mk_buf_cut(&inner, 0);
	mk_buf_cut(&sig, 0);
	put(&inner, type);
	mk_wire_put_string(&inner, raw, len);
	mk_buf_put(&inner, tail, tail_len);
	made_sshsig_wrap(&right, &pub, &inner, &sig);
	return good();
}

START_TEST(inner_forms)
{
	uint8_t raw[MK_ED25519_SIG + 1] = { 0 };

	mk_sshkey_from_ed25519(seed_pk, &pub);
	made_sshsig_data(&right, MESSAGE, &data);
	mk_ed25519_sign(seed_sk, (const uint8_t *)data.data, data.len, raw);
	ck_assert(wrapped("ssh-ed25519", raw, 64, "", 0));
	ck_assert(!wrapped("ssh-ed25519", raw, 65, "", 0));
	ck_assert(!wrapped("ssh-ed25519", raw, 63, "", 0));
	ck_assert(!wrapped("ssh-ed25519", raw, 0, "", 0));
	ck_assert(!wrapped("ssh-ed25519", raw, 64, "x", 1));
	ck_assert(!wrapped("ssh-ed25519", raw, 64, "\1\0\0\0\1", 5));
	ck_assert(!wrapped("ssh-ed2551", raw, 64, "", 0));
	ck_assert(!wrapped("ssh-ed25519x", raw, 64, "", 0));
	ck_assert(!wrapped("", raw, 64, "", 0));
	ck_assert(!wrapped(SK_ED25519, raw, 64, "", 0));
	ck_assert(!wrapped(SK_ED25519, raw, 64, "\1\0\0\0\1", 5));
	ck_assert(!wrapped("rsa-sha2-512", raw, 64, "", 0));
}
END_TEST

/* What a security key signs for 'data', given its flags and counter. */
static void
sk_message(const char *application, const char *tail, struct mk_buf *out)
{
	uint8_t digest[MK_SHA256];

	mk_sha256((const uint8_t *)application, strlen(application), digest);
	mk_buf_put(out, digest, sizeof(digest));
	mk_buf_put(out, tail, 5);
	mk_sha256((const uint8_t *)data.data, data.len, digest);
	mk_buf_put(out, digest, sizeof(digest));
}

static const struct touch {
	const char *tail, *application;	/* that is signed */
	size_t sent;			/* octets of the tail */
	bool want;
} touches[] = {
	{ "\1\0\0\0\1", "ssh:", 5, true },
	{ "\5\1\2\3\4", "ssh:", 5, true },
	{ "\0\0\0\0\1", "ssh:", 5, false },
	{ "\4\0\0\0\1", "ssh:", 5, false },
	{ "\1\0\0\0\1", "ssh:", 4, false },
	{ "\1\0\0\0\1", "ssh:", 0, false },
	{ "\1\0\0\0\1\0", "ssh:", 6, false },
	{ "\1\0\0\0\1", "ssh:x", 5, false },
	{ "\1\0\0\0\1", "", 5, false }
};

START_TEST(sk_ed25519)
{
	const struct touch *t = &touches[_i];
	uint8_t raw[MK_ED25519_SIG];
	struct mk_buf msg;

	put(&pub, SK_ED25519);
	mk_wire_put_string(&pub, seed_pk, sizeof(seed_pk));
	put(&pub, "ssh:");
	made_sshsig_data(&right, MESSAGE, &data);
	mk_buf_init(&msg, SMALL);
	sk_message(t->application, t->tail, &msg);
	mk_ed25519_sign(seed_sk, (const uint8_t *)msg.data, msg.len, raw);
	mk_buf_release(&msg);
	ck_assert_int_eq(wrapped(SK_ED25519, raw, 64, t->tail, t->sent),
	    t->want);
	if (!t->want)
		return;
	torment();
	/* What it would have signed without being one. */
	mk_ed25519_sign(seed_sk, (const uint8_t *)data.data, data.len, raw);
	ck_assert(!wrapped(SK_ED25519, raw, 64, t->tail, 5));
	ck_assert(!wrapped("ssh-ed25519", raw, 64, "", 0));
}
END_TEST

/* The blob of a new P-256 key to 'pub'; the scalar is for the caller. */
static void
make_p256(const char *type, const char *application,
    struct ecc_scalar *scalar)
{
	uint8_t q[1 + 2 * P256] = { 4 };
	struct ecc_point point;
	mpz_t x, y;

	ecc_scalar_init(scalar, nettle_get_secp_256r1());
	ecc_point_init(&point, nettle_get_secp_256r1());
	ecdsa_generate_keypair(&point, scalar, &dice,
	    (nettle_random_func *)knuth_lfib_random);
	mpz_init(x);
	mpz_init(y);
	ecc_point_get(&point, x, y);
	nettle_mpz_get_str_256(P256, q + 1, x);
	nettle_mpz_get_str_256(P256, q + 1 + P256, y);
	mpz_clear(y);
	mpz_clear(x);
	ecc_point_clear(&point);
	put(&pub, type);
	put(&pub, "nistp256");
	mk_wire_put_string(&pub, q, sizeof(q));
	if (application != NULL)
		put(&pub, application);
}

/* A number of P256 octets as mpint, with more octets before it. */
static void
put_number(const mpz_t n, const char *before, size_t before_len,
    struct mk_buf *out)
{
	uint8_t octets[2 * P256];
	size_t len = nettle_mpz_sizeinbase_256_u(n);
	struct mk_buf whole;

	nettle_mpz_get_str_256(len, octets, n);
	if (before_len == 0) {
		mk_wire_put_mpint(out, octets, len);
		return;
	}
	mk_buf_init(&whole, SMALL);
	mk_buf_put(&whole, before, before_len);
	mk_buf_put(&whole, octets, len);
	mk_wire_put_string(out, whole.data, whole.len);
	mk_buf_release(&whole);
}

static void
sign_p256(const struct ecc_scalar *scalar, const struct mk_buf *msg,
    struct dsa_signature *rs)
{
	uint8_t digest[MK_SHA256];

	mk_sha256((const uint8_t *)msg->data, msg->len, digest);
	dsa_signature_init(rs);
	ecdsa_sign(scalar, &dice, (nettle_random_func *)knuth_lfib_random,
	    sizeof(digest), digest, rs);
}

START_TEST(sk_ecdsa)
{
	const struct touch *t = &touches[_i];
	struct ecc_scalar scalar;
	struct dsa_signature rs;
	struct mk_buf msg, raw;

	make_p256(SK_ECDSA, "ssh:", &scalar);
	made_sshsig_data(&right, MESSAGE, &data);
	mk_buf_init(&msg, SMALL);
	mk_buf_init(&raw, SMALL);
	sk_message(t->application, t->tail, &msg);
	sign_p256(&scalar, &msg, &rs);
	put_number(rs.r, "", 0, &raw);
	put_number(rs.s, "", 0, &raw);
	ck_assert_int_eq(wrapped(SK_ECDSA, raw.data, raw.len, t->tail,
	    t->sent), t->want);
	if (t->want)
		torment();
	dsa_signature_clear(&rs);
	ecc_scalar_clear(&scalar);
	mk_buf_release(&raw);
	mk_buf_release(&msg);
}
END_TEST

/* How r or s is written. */
struct spelling {
	const char *before;	/* octets before r or s */
	size_t len;
	const char *tail;
	bool want;
};

/* One signature whose r and s have their top bits clear, spelt anyhow. */
START_TEST(ecdsa_spellings)
{
	static const struct spelling spellings[] = {
		{ "", 0, "", true }, { "", 0, "x", false },
		{ "\0", 1, "", false }, { "\0\0", 2, "", false },
		{ "\1", 1, "", false }, { "\200", 1, "", false }
	};
	const struct spelling *s;
	struct ecc_scalar scalar;
	struct dsa_signature rs;
	struct mk_buf raw;
	size_t i, which;

	make_p256("ecdsa-sha2-nistp256", NULL, &scalar);
	made_sshsig_data(&right, MESSAGE, &data);
	do {
		sign_p256(&scalar, &data, &rs);
	} while ((mpz_sizeinbase(rs.r, 2) % 8 == 0 ||
	    mpz_sizeinbase(rs.s, 2) % 8 == 0) &&
	    (dsa_signature_clear(&rs), true));
	for (i = 0; i < 2 * COUNT(spellings); i++) {
		s = &spellings[i / 2];
		which = i % 2;
		mk_buf_init(&raw, SMALL);
		put_number(rs.r, s->before, which == 0 ? s->len : 0, &raw);
		put_number(rs.s, s->before, which == 1 ? s->len : 0, &raw);
		mk_buf_puts(&raw, s->tail);
		ck_assert_msg(wrapped("ecdsa-sha2-nistp256", raw.data,
		    raw.len, "", 0) == s->want, "spelling %zu", i);
		mk_buf_release(&raw);
	}
	dsa_signature_clear(&rs);
	ecc_scalar_clear(&scalar);
}
END_TEST

/* Zero, and another number of the same class, are no r. */
START_TEST(ecdsa_range)
{
	/* The order of P-256, as an mpint. */
	static const uint8_t order[] = { 0, 0, 0, 33, 0,
		0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84,
		0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51 };
	static const uint8_t zeros[8] = { 0 };
	struct ecc_scalar scalar;
	struct mk_buf raw;

	make_p256("ecdsa-sha2-nistp256", NULL, &scalar);
	ecc_scalar_clear(&scalar);
	ck_assert(!wrapped("ecdsa-sha2-nistp256", zeros, 8, "", 0));
	mk_buf_init(&raw, SMALL);
	mk_buf_put(&raw, order, sizeof(order));
	mk_buf_put(&raw, order, sizeof(order));
	ck_assert(!wrapped("ecdsa-sha2-nistp256", raw.data, raw.len, "", 0));
	mk_buf_release(&raw);
}
END_TEST

/* A new RSA key; its blob to 'pub'. */
static void
make_rsa(struct rsa_public_key *public, struct rsa_private_key *secret)
{
	uint8_t n[256];

	rsa_public_key_init(public);
	rsa_private_key_init(secret);
	mpz_set_ui(public->e, 65537);
	ck_assert_int_eq(rsa_generate_keypair(public, secret, &dice,
	    (nettle_random_func *)knuth_lfib_random, NULL, NULL, 2048, 0),
	    1);
	nettle_mpz_get_str_256(sizeof(n), n, public->n);
	put(&pub, "ssh-rsa");
	mk_wire_put_mpint(&pub, (const uint8_t *)"\1\0\1", 3);
	mk_wire_put_mpint(&pub, n, sizeof(n));
}

/* The number as 256 octets; returns how many of them are leading zeros. */
static size_t
octets(const mpz_t n, uint8_t out[256])
{
	size_t zeros = 0;

	nettle_mpz_get_str_256(256, out, n);
	while (zeros < 256 && out[zeros] == 0)
		zeros++;
	return zeros;
}

START_TEST(rsa_hashes)
{
	struct rsa_private_key secret;
	struct rsa_public_key public;
	uint8_t digest[MK_SHA512], raw[257] = { 0 };
	struct sha1_ctx sha1;
	mpz_t s;

	make_rsa(&public, &secret);
	made_sshsig_data(&right, MESSAGE, &data);
	mpz_init(s);
	mk_sha256((const uint8_t *)data.data, data.len, digest);
	ck_assert_int_eq(rsa_sha256_sign_digest(&secret, digest, s), 1);
	(void)octets(s, raw);
	ck_assert(!wrapped("rsa-sha2-512", raw, 256, "", 0));
	ck_assert(!wrapped("ssh-rsa", raw, 256, "", 0));
	ck_assert(wrapped("rsa-sha2-256", raw, 256, "", 0));
	torment();
	/* s + n signs as well, in arithmetic. */
	mpz_add(s, s, public.n);
	nettle_mpz_get_str_256(257, raw, s);
	ck_assert(!wrapped("rsa-sha2-256", raw, 257, "", 0));
	if (raw[0] == 0)
		ck_assert(!wrapped("rsa-sha2-256", raw + 1, 256, "", 0));
	sha1_init(&sha1);
	sha1_update(&sha1, data.len, (const uint8_t *)data.data);
	sha1_digest(&sha1, SHA1_DIGEST_SIZE, digest);
	ck_assert_int_eq(rsa_sha1_sign_digest(&secret, digest, s), 1);
	(void)octets(s, raw);
	ck_assert(!wrapped("ssh-rsa", raw, 256, "", 0));
	ck_assert(!wrapped("rsa-sha1", raw, 256, "", 0));
	mpz_clear(s);
	rsa_private_key_clear(&secret);
	rsa_public_key_clear(&public);
}
END_TEST

/* Some agents leave leading zeros out; ssh puts them back, and so do we. */
START_TEST(rsa_lengths)
{
	struct rsa_private_key secret;
	struct rsa_public_key public;
	uint8_t digest[MK_SHA512], raw[257] = { 0 };
	struct sshsig_form form = { .name_space = MK_PROOF_NAMESPACE };
	struct mk_sshkey key;
	struct mk_sshsig_over over;
	char msg[32];
	unsigned i = 0;
	mpz_t s;

	make_rsa(&public, &secret);
	mpz_init(s);
	do {
		(void)snprintf(msg, sizeof(msg), "message %u", i++);
		mk_buf_cut(&data, 0);
		made_sshsig_data(&form, msg, &data);
		mk_sha512((const uint8_t *)data.data, data.len, digest);
		ck_assert_int_eq(rsa_sha512_sign_digest(&secret, digest, s),
		    1);
	} while (octets(s, raw + 1) == 0);
	key = parse(&pub);
	over = over_message(&key, msg);
	(void)wrapped("rsa-sha2-512", raw + 1, 256, "", 0);
	ck_assert(verifies(sig.data, sig.len, &over));
	(void)wrapped("rsa-sha2-512", raw + 2, 255, "", 0);
	ck_assert(verifies(sig.data, sig.len, &over));
	(void)wrapped("rsa-sha2-512", raw, 257, "", 0);
	ck_assert(!verifies(sig.data, sig.len, &over));
	(void)wrapped("rsa-sha2-512", raw, 0, "", 0);
	ck_assert(!verifies(sig.data, sig.len, &over));
	(void)wrapped("rsa-sha2-512", raw, 1, "", 0);
	ck_assert(!verifies(sig.data, sig.len, &over));
	mpz_clear(s);
	rsa_private_key_clear(&secret);
	rsa_public_key_clear(&public);
}
END_TEST

/* A type that nothing is known about signs nothing. */
START_TEST(other_types)
{
	put(&pub, "ssh-ed448");
	put(&pub, "57 octets, but for the counting");
	ck_assert(!wrapped("ssh-ed448", "x", 1, "", 0));
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *suite = suite_create("sshsig");
	TCase *c = tcase_create("sshsig");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 120);
	tcase_add_loop_test(c, takes_what_ssh_keygen_signs, 0, COUNT(real));
	tcase_add_test(c, short_rsa);
	tcase_add_test(c, forms);
	tcase_add_test(c, inner_forms);
	tcase_add_loop_test(c, sk_ed25519, 0, COUNT(touches));
	tcase_add_loop_test(c, sk_ecdsa, 0, COUNT(touches));
	tcase_add_test(c, ecdsa_spellings);
	tcase_add_test(c, ecdsa_range);
	tcase_add_test(c, rsa_hashes);
	tcase_add_test(c, rsa_lengths);
	tcase_add_test(c, other_types);
	suite_add_tcase(suite, c);
	return suite;
}
