/* SPDX-License-Identifier: ISC */
/*
 * SSH keys: those that ssh-keygen makes, security keys built by hand, and
 * every kind of damage to them.
 */
#include <ftw.h>
#include <sodium.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/digest.h"
#include "core/err.h"
#include "core/rsa.h"
#include "core/sshkey.h"
#include "core/sshwire.h"
#include "unit.h"

static const char ed25519[] =
	"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAqwTTYK6J5KhODVZHflgDoqIB"
	"O8dhpr2ymj8MSl7IT7";
static const char p256[] =
	"ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdH"
	"AyNTYAAABBBDdx/71Xev5h5dH3Ui1Sy31SOPLByni/0RTo3W4577E6FtfXTQwy"
	"q3vJ2rg7SNM6jU/USVAG9xSQt+6LpB+rAmE=";
static const char p384[] =
	"ecdsa-sha2-nistp384 AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlzdH"
	"AzODQAAABhBJMqrjfz4XZ9/RjcFLarY9Z3tOmP4yP3829/y3OMux+5K3+NzdUt"
	"0RA5LhEr0gPrL1p0M5fW1y+H6wGCenG8nEfQzHNnwt+npWrd6sT5vJmmT237z2"
	"A42TSBnvgpjjNPwg==";
static const char p521[] =
	"ecdsa-sha2-nistp521 AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdH"
	"A1MjEAAACFBABKQhF1xAa3wkcdjZSeR/yJNEJWcphzaz/hMqR+pL65Ml+K1XYI"
	"bug3id7lpj1hlLEBmNs0PNQc3XakbXLRzFyMtQBAHpLkbii5GTm7/qReoL1yIF"
	"YvI98GRgTKVdT+MzzwLj5QypVlxQ97sSyXakY/sysXZaR3w1iOgtnn2Vws+IKH"
	"jw==";
static const char rsa[] =
	"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQCWtSHkfYZZqI2tcXkuLRddLp"
	"WgHOC+R6+8S/IfVTTcB9FZOgjpfIMrUzloam6LD9jySFDcpOcJDqABeza7XTUt"
	"6ybSS96Kb9G3oGTKPrycUJ72yy96SHF4T5hjAMIYS5y3J4maJ9di0x2shJw//6"
	"+MmBxLBU3BxmhzlLFZx/VGlXB0MnvgZbatgEqiJyA71An+gNqx0ZWCne/4re5W"
	"MKJuvAxf83wiuOcA4m7+k1gSaUrS6gxU7wtiAunx7vP1+mDVPNSPuyzRp2CYHi"
	"gJMPn1kUwOceguw5lpTvTdpA+I9e5tF6zimsJWUd2eEq3Fi4exJEn5QpGCUsic"
	"mrLTUmqb";

static const struct sample {
	const char *text;
	enum mk_sshkey_type type;
	size_t rsa_bits;
} samples[] = {
	{ ed25519, MK_SSH_ED25519, 0 },
	{ p256, MK_SSH_ECDSA_256, 0 },
	{ p384, MK_SSH_ECDSA_384, 0 },
	{ p521, MK_SSH_ECDSA_521, 0 },
	{ rsa, MK_SSH_RSA, 2048 }
};

#define NSAMPLES	5
#define SK_ED25519	"sk-ssh-ed25519@openssh.com"
#define SK_ECDSA	"sk-ecdsa-sha2-nistp256@openssh.com"

static struct mk_arena arena;
static struct mk_buf out;

static void
setup(void)
{
	mk_arena_init(&arena, 1 << 20);
	mk_buf_init(&out, 1 << 16);
}

static void
teardown(void)
{
	mk_arena_release(&arena);
	mk_buf_release(&out);
}

static int
parse_text(const char *s, struct mk_sshkey *key)
{
	return mk_sshkey_parse_text(&arena, s, strlen(s), key, NULL);
}

static struct mk_sshkey
sample(const char *text)
{
	struct mk_sshkey key = { 0 };

	ck_assert_int_eq(parse_text(text, &key), 0);
	return key;
}

/* Parses a copy of exactly this size, so that reading on would be seen. */
static int
parse_copy(const void *blob, size_t len, enum mk_sshkey_type *ret_type)
{
	struct mk_sshkey key = { .type = MK_SSH_ALL };
	uint8_t *copy;
	int r;

	copy = malloc(len == 0 ? 1 : len);
	ck_assert_ptr_nonnull(copy);
	memcpy(copy, blob, len);
	r = mk_sshkey_parse(copy, len, &key, NULL);
	free(copy);
	*ret_type = key.type;
	return r;
}

static void
put(const char *s)
{
	mk_wire_put_string(&out, s, strlen(s));
}

/* Whether what was put together in 'out' is refused; empties it. */
static bool
refused(void)
{
	enum mk_sshkey_type type;
	int r;

	r = parse_copy(out.data, out.len, &type);
	mk_buf_cut(&out, 0);
	ck_assert(r == 0 || (r == MK_E_REFUSED && type == MK_SSH_ALL));
	return r != 0;
}

/* Every cut and one byte more must be refused. */
static void
damage(const struct mk_sshkey *key)
{
	enum mk_sshkey_type type;
	uint8_t *longer;
	size_t i;

	for (i = 0; i < key->len; i++)
		ck_assert_int_eq(parse_copy(key->blob, i, &type),
		    MK_E_REFUSED);
	longer = calloc(1, key->len + 1);
	ck_assert_ptr_nonnull(longer);
	memcpy(longer, key->blob, key->len);
	ck_assert_int_eq(parse_copy(longer, key->len, &type), 0);
	ck_assert_int_eq(type, key->type);
	ck_assert_int_eq(parse_copy(longer, key->len + 1, &type),
	    MK_E_REFUSED);
	free(longer);
}

START_TEST(takes_samples)
{
	const struct sample *s = &samples[_i];
	struct mk_sshkey key = sample(s->text);
	size_t word = strcspn(s->text, " ");

	ck_assert_int_eq(key.type, s->type);
	ck_assert_uint_eq(key.rsa_bits, s->rsa_bits);
	ck_assert_uint_eq(key.name_len, word);
	ck_assert_mem_eq(key.name, s->text, word);
	ck_assert_int_eq(key.ed25519 != NULL, s->type == MK_SSH_ED25519);
	ck_assert_str_eq(mk_sshkey_type_name(key.type),
	    mk_arena_dup(&arena, key.name, key.name_len));
	damage(&key);
}
END_TEST

/* Changes every octet once: nothing but another good key may come out. */
START_TEST(refuses_changes_of_points)
{
	struct mk_sshkey key = sample(samples[_i].text);
	enum mk_sshkey_type type;
	uint8_t blob[256];
	size_t i, good = 0;

	ck_assert_uint_le(key.len, sizeof(blob));
	memcpy(blob, key.blob, key.len);
	for (i = 4 + key.name_len; i < key.len; i++) {
		blob[i] ^= 1;
		good += parse_copy(blob, key.len, &type) == 0 ? 1 : 0;
		blob[i] ^= 1;
	}
	/* Half of all y are points of Ed25519; no other x is of a P curve. */
	if (key.type == MK_SSH_ED25519)
		ck_assert_uint_lt(good, 30);
	else
		ck_assert_uint_eq(good, 0);
}
END_TEST

START_TEST(text_is_canonical)
{
	static const char word[] = "ssh-ed25519 ";
	char line[256];
	struct mk_sshkey key;

	sprintf(line, "%s ", ed25519);
	ck_assert_int_eq(parse_text(line, &key), MK_E_REFUSED);
	sprintf(line, "%s comment", ed25519);
	ck_assert_int_eq(parse_text(line, &key), MK_E_REFUSED);
	sprintf(line, "%s\n", ed25519);
	ck_assert_int_eq(parse_text(line, &key), MK_E_REFUSED);
	sprintf(line, " %s", ed25519);
	ck_assert_int_eq(parse_text(line, &key), MK_E_REFUSED);
	sprintf(line, "ssh-ed25519  %s", ed25519 + sizeof(word) - 1);
	ck_assert_int_eq(parse_text(line, &key), MK_E_REFUSED);
	sprintf(line, "ssh-rsa %s", ed25519 + sizeof(word) - 1);
	ck_assert_int_eq(parse_text(line, &key), MK_E_REFUSED);
	sprintf(line, "ssh-ed2551 %s", ed25519 + sizeof(word) - 1);
	ck_assert_int_eq(parse_text(line, &key), MK_E_REFUSED);
	/* Padding cut off, as base64url has it. */
	sprintf(line, "%s", p256);
	line[strlen(line) - 1] = '\0';
	ck_assert_int_eq(parse_text(line, &key), MK_E_REFUSED);
	ck_assert_int_eq(parse_text(ed25519 + sizeof(word) - 1, &key),
	    MK_E_REFUSED);
	ck_assert_int_eq(parse_text("", &key), MK_E_REFUSED);
	ck_assert_int_eq(parse_text(" ", &key), MK_E_REFUSED);
	ck_assert_int_eq(parse_text("ssh-ed25519 ", &key), MK_E_REFUSED);
}
END_TEST

/* A good key of 'fill' octets behind its type, as "xyz base64". */
static int
parse_long(size_t fill)
{
	static char line[9000];
	struct mk_sshkey key;

	mk_buf_cut(&out, 0);
	put("xyz");
	for (; fill > 0; fill--)
		mk_buf_putc(&out, 'a');
	strcpy(line, "xyz ");
	sodium_bin2base64(line + 4, sizeof(line) - 4, (uint8_t *)out.data,
	    out.len, sodium_base64_VARIANT_ORIGINAL);
	return parse_text(line, &key);
}

START_TEST(text_has_a_bound)
{
	/* 4 + 8,188 characters for 6,141 octets, and then one more. */
	ck_assert_int_eq(parse_long(6141 - 7), 0);
	ck_assert_int_eq(parse_long(6142 - 7), MK_E_REFUSED);
}
END_TEST

START_TEST(text_keeps_to_the_arena)
{
	struct mk_arena small;
	struct mk_sshkey key;
	struct mk_why why;

	mk_arena_init(&small, 16);
	ck_assert_int_eq(mk_sshkey_parse_text(&small, rsa, strlen(rsa), &key,
	    &why), MK_E_REFUSED);
	mk_arena_release(&small);
}
END_TEST

START_TEST(why_names_the_type)
{
	struct mk_sshkey key;
	struct mk_why why;

	put("ssh-ed25519");
	ck_assert_int_eq(mk_sshkey_parse((const uint8_t *)out.data, out.len,
	    &key, &why), MK_E_REFUSED);
	ck_assert_str_eq(why.detail,
	    "malformed key of type 'ssh-ed25519': cut short");
}
END_TEST

START_TEST(ed25519_points)
{
	uint8_t point[33] = { 0 };

	put("ssh-ed25519");
	mk_wire_put_string(&out, point, 32);	/* order 4 */
	ck_assert(refused());
	put("ssh-ed25519");
	mk_wire_put_string(&out, sample(ed25519).ed25519, 31);
	ck_assert(refused());
	put("ssh-ed25519");
	memcpy(point, sample(ed25519).ed25519, 32);
	mk_wire_put_string(&out, point, 33);
	ck_assert(refused());
	mk_sshkey_from_ed25519(point, &out);
	ck_assert_uint_eq(out.len, sample(ed25519).len);
	ck_assert_mem_eq(out.data, sample(ed25519).blob, out.len);
}
END_TEST

static void
put_rsa(const void *e, size_t e_len, const void *n, size_t n_len)
{
	put("ssh-rsa");
	mk_wire_put_string(&out, e, e_len);
	mk_wire_put_string(&out, n, n_len);
}

START_TEST(rsa_mpints)
{
	uint8_t n[2050] = { 0x00, 0x80 };

	put_rsa("\x03", 1, n, 129);
	ck_assert(!refused());		/* 1,024 bits: left to policy */
	put_rsa("\x03", 1, "\x01", 1);
	ck_assert(!refused());
	put_rsa("\x03", 1, n + 1, 128);
	ck_assert(refused());		/* negative */
	put_rsa("\x83", 1, n, 129);
	ck_assert(refused());
	n[1] = 0x7f;
	put_rsa("\x03", 1, n, 129);
	ck_assert(refused());		/* padded */
	put_rsa("\x00\x03", 2, n + 1, 128);
	ck_assert(refused());
	put_rsa("", 0, n + 1, 128);
	ck_assert(refused());		/* zero */
	put_rsa("\x03", 1, "", 0);
	ck_assert(refused());
	put_rsa("\x00", 1, n + 1, 128);
	ck_assert(refused());
	n[1] = 0x80;
	put_rsa("\x03", 1, n, 2049);
	ck_assert(!refused());		/* 16,384 bits */
	n[0] = 0x01;
	put_rsa("\x03", 1, n, 2049);
	ck_assert(refused());		/* one more */
}
END_TEST

START_TEST(rsa_written_as_read)
{
	struct mk_sshkey key = sample(rsa);
	struct mk_wire w = { key.blob, key.len };
	const uint8_t *s, *e, *n;
	size_t len, e_len, n_len;
	struct mk_rsa k;

	ck_assert(mk_wire_string(&w, &s, &len));
	ck_assert(mk_wire_mpint(&w, &e, &e_len));
	ck_assert(mk_wire_mpint(&w, &n, &n_len));
	ck_assert_uint_eq(n_len, 256);
	ck_assert(mk_rsa_init(&k, n, n_len, e, e_len));
	mk_sshkey_from_rsa(&k, &out);
	ck_assert_uint_eq(out.len, key.len);
	ck_assert_mem_eq(out.data, key.blob, key.len);
}
END_TEST

/* The point of a sample: the last string of its blob. */
static const uint8_t *
point_of(const char *text, size_t len)
{
	struct mk_sshkey key = sample(text);

	return key.blob + key.len - len;
}

static void
put_ecdsa(const char *type, const char *curve, const void *q, size_t len)
{
	put(type);
	put(curve);
	mk_wire_put_string(&out, q, len);
}

START_TEST(ecdsa_points)
{
	uint8_t q[65], large[65];

	memcpy(q, point_of(p256, 65), 65);
	put_ecdsa("ecdsa-sha2-nistp256", "nistp256", q, 65);
	ck_assert(!refused());
	put_ecdsa("ecdsa-sha2-nistp256", "nistp384", q, 65);
	ck_assert(refused());
	put_ecdsa("ecdsa-sha2-nistp256", "nistp2567", q, 65);
	ck_assert(refused());
	put_ecdsa("ecdsa-sha2-nistp256", "nistp25", q, 65);
	ck_assert(refused());
	put_ecdsa("ecdsa-sha2-nistp384", "nistp256", q, 65);
	ck_assert(refused());
	put_ecdsa("ecdsa-sha2-nistp384", "nistp384", q, 65);
	ck_assert(refused());
	put_ecdsa("ecdsa-sha2-nistp256", "nistp256", "", 1);	/* infinity */
	ck_assert(refused());
	put_ecdsa("ecdsa-sha2-nistp256", "nistp256", "", 0);
	ck_assert(refused());
	memset(large, 0xff, sizeof(large));	/* over the prime */
	large[0] = 4;
	put_ecdsa("ecdsa-sha2-nistp256", "nistp256", large, 65);
	ck_assert(refused());
	q[0] = 2 + (q[64] & 1);		/* compressed, and hybrid */
	put_ecdsa("ecdsa-sha2-nistp256", "nistp256", q, 33);
	ck_assert(refused());
	q[0] += 4;
	put_ecdsa("ecdsa-sha2-nistp256", "nistp256", q, 65);
	ck_assert(refused());
}
END_TEST

static struct mk_sshkey
parse_out(void)
{
	struct mk_sshkey key = { 0 };

	ck_assert_int_eq(mk_sshkey_parse((const uint8_t *)out.data, out.len,
	    &key, NULL), 0);
	return key;
}

START_TEST(security_keys)
{
	struct mk_sshkey key;

	put(SK_ED25519);
	mk_wire_put_string(&out, sample(ed25519).ed25519, 32);
	put("ssh:");
	key = parse_out();
	ck_assert_int_eq(key.type, MK_SSH_SK_ED25519);
	ck_assert_ptr_null(key.ed25519);
	damage(&key);
	mk_buf_cut(&out, 0);
	put_ecdsa(SK_ECDSA, "nistp256", point_of(p256, 65), 65);
	put("ssh:");
	key = parse_out();
	ck_assert_int_eq(key.type, MK_SSH_SK_ECDSA);
	damage(&key);
	mk_buf_cut(&out, 0);
	put_ecdsa(SK_ECDSA, "nistp384", point_of(p256, 65), 65);
	put("ssh:");
	ck_assert(refused());
	put(SK_ED25519);
	mk_wire_put_string(&out, "\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
	    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 32);
	put("ssh:");
	ck_assert(refused());
}
END_TEST

START_TEST(other_types)
{
	char name[66];

	put("ssh-future@example.org");
	mk_buf_puts(&out, "whatever");
	ck_assert_int_eq(parse_out().type, MK_SSH_OTHER);
	ck_assert_uint_eq(parse_out().name_len, 22);
	mk_buf_cut(&out, 0);
	memset(name, 'x', sizeof(name));
	mk_wire_put_string(&out, name, 64);
	ck_assert(!refused());
	mk_wire_put_string(&out, name, 65);
	ck_assert(refused());
	put("");
	ck_assert(refused());
	put("ssh future");
	ck_assert(refused());
	put("ssh,future");
	ck_assert(refused());
	put("ssh\nfuture");
	ck_assert(refused());
	put("ssh\x7f");
	ck_assert(refused());
	put("ssh\xc3\xa9");
	ck_assert(refused());
	mk_wire_put_string(&out, "ssh\0", 4);
	ck_assert(refused());
	/* A length far beyond the blob. */
	mk_buf_put(&out, "\xff\xff\xff\xffssh", 7);
	ck_assert(refused());
}
END_TEST

START_TEST(certificates)
{
	static const struct {
		const char *name;
		bool is;
	} cases[] = {
		{ "ssh-ed25519-cert-v01@openssh.com", true },
		{ "sk-ssh-ed25519-cert-v01@openssh.com", true },
		{ "ssh-rsa-cert-v00@openssh.com", true },
		{ "x-cert-v1234567890@", true },
		{ "-cert-v1@y", true },
		{ "a-cert-v-cert-v2@y", true },
		{ "ssh-ed25519-cert-v@openssh.com", false },
		{ "ssh-ed25519-cert-v01", false },
		{ "ssh-ed25519-cert-v01x@openssh.com", false },
		{ "ssh-ed25519", false },
		{ "-cert-v", false },
		{ "", false }
	};
	char line[256], base64[128];
	struct mk_sshkey key;

	ck_assert_int_eq(mk_sshkey_is_cert(cases[_i].name,
	    strlen(cases[_i].name)), cases[_i].is);
	if (!cases[_i].is)
		return;
	put(cases[_i].name);
	put("more");
	sodium_bin2base64(base64, sizeof(base64), (uint8_t *)out.data,
	    out.len, sodium_base64_VARIANT_ORIGINAL);
	sprintf(line, "%s %s", cases[_i].name, base64);
	ck_assert_int_eq(parse_text(line, &key), MK_E_REFUSED);
	ck_assert(refused());
}
END_TEST

START_TEST(names_and_bits)
{
	unsigned int bit, all = 0;
	const char *name;

	for (bit = 1; bit <= MK_SSH_ALL; bit <<= 1) {
		name = mk_sshkey_type_name((enum mk_sshkey_type)bit);
		ck_assert_uint_eq(mk_sshkey_type_of(name, strlen(name)), bit);
		ck_assert_uint_eq(mk_sshkey_type_of(name, strlen(name) - 1),
		    MK_SSH_OTHER);
		all |= bit;
	}
	ck_assert_uint_eq(all, MK_SSH_ALL);
	ck_assert_uint_eq(mk_sshkey_type_of("ssh-dss", 7), MK_SSH_OTHER);
}
END_TEST

/* The digest of "abc", as base64 has it without its padding. */
START_TEST(fingerprint)
{
	static const uint8_t abc[] = { 'a', 'b', 'c' };
	char text[MK_SSHKEY_FINGERPRINT];
	uint8_t digest[MK_SHA256];

	mk_sha256(abc, sizeof(abc), digest);
	memset(text, 'x', sizeof(text));
	mk_sshkey_fingerprint(digest, text);
	ck_assert_str_eq(text,
	    "SHA256:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0");
}
END_TEST

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	(void)st;
	(void)flag;
	(void)f;
	return remove(path);
}

/* Whether ssh-keygen made a key at 'path'; false if it is not there. */
static bool
keygen(char *type, char *bits, char *path)
{
	char *argv[] = { "ssh-keygen", "-q", "-t", type, "-b", bits, "-N",
	    "", "-f", path, NULL };
	int status = 0;
	pid_t pid;

	if (posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ) != 0)
		return false;
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	if (WEXITSTATUS(status) == 127)
		return false;
	ck_assert_int_eq(WEXITSTATUS(status), 0);
	return true;
}

START_TEST(takes_what_ssh_keygen_makes)
{
	static const struct {
		const char *type, *bits;
		enum mk_sshkey_type want;
		size_t rsa_bits;
	} c[] = {
		{ "ed25519", "256", MK_SSH_ED25519, 0 },
		{ "ecdsa", "256", MK_SSH_ECDSA_256, 0 },
		{ "ecdsa", "384", MK_SSH_ECDSA_384, 0 },
		{ "ecdsa", "521", MK_SSH_ECDSA_521, 0 },
		{ "rsa", "2048", MK_SSH_RSA, 2048 },
		{ "rsa", "3072", MK_SSH_RSA, 3072 }
	};
	char dir[] = P_tmpdir "/meshkeys-test.XXXXXX";
	char path[64], line[4096];
	struct mk_sshkey key;
	FILE *f;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	sprintf(path, "%s/key", dir);
	if (keygen((char *)c[_i].type, (char *)c[_i].bits, path)) {
		strcat(path, ".pub");
		f = fopen(path, "r");
		ck_assert_ptr_nonnull(f);
		ck_assert_ptr_nonnull(fgets(line, sizeof(line), f));
		fclose(f);
		*strchr(strchr(line, ' ') + 1, ' ') = '\0';
		key = sample(line);
		ck_assert_int_eq(key.type, c[_i].want);
		ck_assert_uint_eq(key.rsa_bits, c[_i].rsa_bits);
	}
	ck_assert_int_eq(nftw(dir, remove_one, 4, FTW_DEPTH | FTW_PHYS), 0);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *suite = suite_create("sshkey");
	TCase *c = tcase_create("sshkey");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 60);
	tcase_add_loop_test(c, takes_samples, 0, NSAMPLES);
	tcase_add_loop_test(c, refuses_changes_of_points, 0, NSAMPLES - 1);
	tcase_add_test(c, text_is_canonical);
	tcase_add_test(c, text_has_a_bound);
	tcase_add_test(c, text_keeps_to_the_arena);
	tcase_add_test(c, why_names_the_type);
	tcase_add_test(c, ed25519_points);
	tcase_add_test(c, rsa_mpints);
	tcase_add_test(c, rsa_written_as_read);
	tcase_add_test(c, ecdsa_points);
	tcase_add_test(c, security_keys);
	tcase_add_test(c, other_types);
	tcase_add_loop_test(c, certificates, 0, 12);
	tcase_add_test(c, names_and_bits);
	tcase_add_test(c, fingerprint);
	tcase_add_loop_test(c, takes_what_ssh_keygen_makes, 0, 6);
	suite_add_tcase(suite, c);
	return suite;
}
