/* SPDX-License-Identifier: ISC */
/* Private keys in files, with and without a passphrase. */
#include <sodium.h>

#include "core/ed25519.h"
#include "core/err.h"
#include "edge/keyfile.h"
#include "unit/tree.h"
#include "unit/unit.h"

#define ZERO_SEED	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define SALT		"AAAAAAAAAAAAAAAAAAAAAA"
#define NONCE		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define BOX		NONCE NONCE

static struct mk_home home;
static struct mk_secret secret;
static struct mk_why why;

static void
setup(void)
{
	ck_assert_int_ge(sodium_init(), 0);
	tree_setup();
	ck_assert_int_eq(mk_home_open(tree_path("/mesh"), true, &home, &why),
	    0);
	ck_assert_int_eq(mk_secret_new(&secret, &why), 0);
}

static void
teardown(void)
{
	mk_secret_free(&secret);
	mk_home_close(&home);
	tree_teardown();
}

static void
assert_same(const struct mk_secret *other)
{
	ck_assert_int_eq(memcmp(secret.sk, other->sk, MK_ED25519_SECRET), 0);
	ck_assert_int_eq(mk_udf_cmp(&secret.pub.udf, &other->pub.udf), 0);
	ck_assert_int_eq(memcmp(secret.pub.ed25519, other->pub.ed25519, 32),
	    0);
}

static int
read_key(const char *pass)
{
	struct mk_secret got = { .sk = NULL };
	int r = mk_keyfile_read(&home, "k", pass, &got, &why);

	if (r == 0)
		assert_same(&got);
	else
		ck_assert_ptr_null(got.sk);
	mk_secret_free(&got);
	return r;
}

START_TEST(fresh)
{
	const struct mk_signer signer = mk_secret_signer(&secret);
	struct mk_secret other;
	uint8_t sig[MK_ED25519_SIG];

	ck_assert_ptr_eq(signer.sk, secret.sk);
	ck_assert_int_eq(mk_udf_cmp(&signer.udf, &secret.pub.udf), 0);
	ck_assert_int_eq(mk_udf_type(&signer.udf), MK_UDF_KEY);
	mk_ed25519_sign(signer.sk, (const uint8_t *)"m", 1, sig);
	ck_assert(mk_ed25519_verify(secret.pub.ed25519, (const uint8_t *)"m",
	    1, sig, sizeof(sig)));
	ck_assert_int_eq(mk_secret_new(&other, &why), 0);
	ck_assert_int_ne(memcmp(other.sk, secret.sk, MK_ED25519_SECRET), 0);
	mk_secret_free(&other);
}
END_TEST

START_TEST(plain)
{
	struct mk_keyfile_info info;
	struct mk_file file;
	char seed[64];

	ck_assert_int_eq(read_key(NULL), MK_E_ABSENT);
	ck_assert_int_eq(mk_keyfile_look(&home, "k", &info, &why),
	    MK_E_ABSENT);
	ck_assert_int_eq(mk_keyfile_write(&home, "k", &secret, NULL, &why),
	    0);
	ck_assert_int_eq(mk_keyfile_look(&home, "k", &info, &why), 0);
	ck_assert(!info.locked);
	ck_assert_int_eq(mk_udf_cmp(&info.udf, &secret.pub.udf), 0);
	ck_assert_int_eq(read_key(NULL), 0);
	ck_assert_int_eq(mk_home_read(&home, "k", 1024, &file, &why), 0);
	sodium_bin2base64(seed, sizeof(seed), secret.sk, 32,
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	ck_assert_ptr_nonnull(strstr((char *)file.data, seed));
	mk_file_release(&file);
}
END_TEST

START_TEST(locked)
{
	struct mk_keyfile_info info;
	struct mk_file file;
	char seed[64];

	ck_assert_int_eq(mk_keyfile_write(&home, "k", &secret, "", &why),
	    MK_E_USAGE);
	ck_assert_int_eq(mk_keyfile_write(&home, "k", &secret, "a word",
	    &why), 0);
	ck_assert_int_eq(mk_keyfile_look(&home, "k", &info, &why), 0);
	ck_assert(info.locked);
	ck_assert_int_eq(mk_udf_cmp(&info.udf, &secret.pub.udf), 0);
	ck_assert_int_eq(read_key("a word"), 0);
	ck_assert_int_eq(read_key("a Word"), MK_E_PERM);
	ck_assert_ptr_nonnull(strstr(why.detail, "wrong passphrase"));
	ck_assert_int_eq(read_key(NULL), MK_E_PERM);
	ck_assert_int_eq(mk_home_read(&home, "k", 1024, &file, &why), 0);
	sodium_bin2base64(seed, sizeof(seed), secret.sk, 32,
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	ck_assert_ptr_null(strstr((char *)file.data, seed));
	ck_assert_ptr_nonnull(strstr((char *)file.data,
	    "\nargon2id 3 268435456 "));
	mk_file_release(&file);
}
END_TEST

/* The text with the UDF of the key of zeros in the place of '@'. */
static int
try_text(const char *text, const char *pass)
{
	struct mk_secret got = { .sk = NULL };
	uint8_t seed[32] = { 0 }, pk[32], sk[64];
	size_t before = strcspn(text, "@");
	char udf[MK_UDF_TEXT + 1], whole[2048];
	struct mk_pubkey pub;
	int r;

	mk_ed25519_pair(seed, pk, sk);
	mk_pubkey_from_ed25519(pk, &pub);
	mk_udf_format(&pub.udf, udf);
	snprintf(whole, sizeof(whole), "%.*s%s%s", (int)before, text,
	    text[before] == '@' ? udf : "",
	    text[before] == '@' ? text + before + 1 : "");
	ck_assert_int_eq(mk_home_write(&home, "k", whole, strlen(whole),
	    &why), 0);
	r = mk_keyfile_read(&home, "k", pass, &got, &why);
	mk_secret_free(&got);
	return r;
}

#define HEAD	"mesh-key 1\nudf @\n"
#define LOCK	HEAD "argon2id "

static const char *const damages[] = {
	"",
	"mesh-key 1\n",
	"mesh-key 2\nudf @\nseed " ZERO_SEED "\n",
	"mesh-key 1\r\nudf @\nseed " ZERO_SEED "\n",
	"mesh-key 1\nudf M@\nseed " ZERO_SEED "\n",
	"mesh-key 1\nudf MAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA\nseed "
	    ZERO_SEED "\n",
	HEAD "seed " ZERO_SEED,
	HEAD "seed " ZERO_SEED "\n\n",
	HEAD "seed " ZERO_SEED "=\n",
	HEAD "seed AAAA\n",
	HEAD "seed " ZERO_SEED "A\n",
	HEAD "seed AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB\n",
	HEAD "seed AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA A\n",
	HEAD "seed AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA+A\n",
	LOCK "4 8192 " SALT "\nbox " NONCE " " BOX "\n",
	LOCK "1 268435457 " SALT "\nbox " NONCE " " BOX "\n",
	LOCK "1 99999999999999999999999 " SALT "\nbox " NONCE " " BOX "\n",
	LOCK "0 8192 " SALT "\nbox " NONCE " " BOX "\n",
	LOCK "01 8192 " SALT "\nbox " NONCE " " BOX "\n",
	LOCK "-1 8192 " SALT "\nbox " NONCE " " BOX "\n",
	LOCK " 8192 " SALT "\nbox " NONCE " " BOX "\n",
	LOCK "1 8192 " SALT "A\nbox " NONCE " " BOX "\n",
	LOCK "1 8192 " SALT "\nbox " NONCE " A" BOX "\n",
	LOCK "1 8192 " SALT "\nbox " NONCE " " BOX "\nseed " ZERO_SEED "\n"
};

START_TEST(damaged)
{
	ck_assert_int_eq(try_text(damages[_i], "pass"), MK_E_SYSTEM);
	ck_assert_ptr_nonnull(strstr(why.detail, "damaged"));
}
END_TEST

START_TEST(handmade)
{
	ck_assert_int_eq(try_text(HEAD "seed " ZERO_SEED "\n", NULL), 0);
	/* Less than ours is read: it proves itself by being opened. */
	ck_assert_int_eq(try_text(LOCK "1 8192 " SALT "\nbox " NONCE " " BOX
	    "\n", "pass"), MK_E_PERM);
}
END_TEST

/* The right passphrase of a file that names another key. */
START_TEST(other_name)
{
	char udf[MK_UDF_TEXT + 1], *at;
	struct mk_secret other;
	struct mk_file file;

	ck_assert_int_eq(mk_keyfile_write(&home, "k", &secret, NULL, &why),
	    0);
	ck_assert_int_eq(mk_home_read(&home, "k", 1024, &file, &why), 0);
	ck_assert_int_eq(mk_secret_new(&other, &why), 0);
	mk_udf_format(&other.pub.udf, udf);
	at = strstr((char *)file.data, "udf ");
	ck_assert_ptr_nonnull(at);
	memcpy(at + 4, udf, MK_UDF_TEXT);
	ck_assert_int_eq(mk_home_write(&home, "k", file.data, file.len,
	    &why), 0);
	ck_assert_int_eq(read_key(NULL), MK_E_SYSTEM);
	mk_file_release(&file);
	mk_secret_free(&other);
}
END_TEST

START_TEST(readable_by_others)
{
	ck_assert_int_eq(mk_keyfile_write(&home, "k", &secret, NULL, &why),
	    0);
	ck_assert_int_eq(chmod(tree_path("/mesh/k"), 0640), 0);
	ck_assert_int_eq(read_key(NULL), MK_E_PERM);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("keyfile");
	TCase *t = tcase_create("keyfile");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, fresh);
	tcase_add_test(t, plain);
	tcase_add_test(t, locked);
	tcase_add_loop_test(t, damaged, 0,
	    (int)(sizeof(damages) / sizeof(damages[0])));
	tcase_add_test(t, handmade);
	tcase_add_test(t, other_name);
	tcase_add_test(t, readable_by_others);
	suite_add_tcase(s, t);
	return s;
}
