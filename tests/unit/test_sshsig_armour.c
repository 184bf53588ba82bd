/* SPDX-License-Identifier: ISC */
/*
 * The armour of ssh-keygen(1), and the proofs that come out of it.
 */
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/profile.h"
#include "core/sshsig.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define SMALL		((size_t)1 << 16)

/* What ssh-keygen(1) wrote for this key and these fingerprints. */
#define ARMOUR_BEGIN	"-----BEGIN SSH SIGNATURE-----\n"
#define ARMOUR_END	"-----END SSH SIGNATURE-----\n"
#define ARMOUR_LINES \
    "U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU" \
    "1MTkAAAAgUE1B2f2UIaglSL2oKJ+Fh2aP3a\n" \
    "VC7/RagEVvq5FWgIIAAAATbWVzaC1lbnJvb" \
    "EBtZXNoa2V5cwAAAAAAAAAGc2hhNTEyAAAA\n" \
    "UwAAAAtzc2gtZWQyNTUxOQAAAECjv2ie6l5" \
    "gje66McIpntNskufFLdbB0DCSZPPTQyTdYj\n" \
    "FghiJx20gla3wxjyRMuOkk5RwhqY1Cg4hVX6JAfI0M\n"
#define ARMOURED	ARMOUR_BEGIN ARMOUR_LINES ARMOUR_END
#define PROVED_MASTER	"MAAAA-BBBBB-CCCCC-DDDDD-EEEEE-FFFFF"
#define PROVED_DEVICE	"MGGGG-HHHHH-IIIII-JJJJJ-KKKKK-LLLLL"
#define PROVED_KEY \
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFBNQdn9lCGoJUi9" \
    "qCifhYdmj92lQu/0WoBFb6uRVoCC"

static struct mk_arena arena;

static void
setup(void)
{
	mk_arena_init(&arena, 1 << 20);
}

static void
teardown(void)
{
	mk_arena_release(&arena);
}

static int
unarmour(const char *s, size_t n, const uint8_t **ret_blob, size_t *ret_len)
{
	char *copy = malloc(n == 0 ? 1 : n);
	const struct mk_text armour = { copy, n };
	struct mk_why why = { 0 };
	int r;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, s, n);
	*ret_blob = NULL;
	r = mk_sshsig_unarmour(&arena, &armour, ret_blob, ret_len, &why);
	free(copy);
	ck_assert((r == 0) == (*ret_blob != NULL));
	ck_assert_int_eq(why.code, r);
	return r;
}

/* From the output of ssh-keygen to a proof that holds, and only there. */
START_TEST(armoured_proof)
{
	struct mk_ssh_device d = { 0 };
	struct mk_udf master;
	struct mk_buf text;
	const uint8_t *blob;
	size_t len;

	ck_assert(mk_udf_parse(PROVED_MASTER, MK_UDF_TEXT, &master));
	ck_assert(mk_udf_parse(PROVED_DEVICE, MK_UDF_TEXT, &d.device));
	mk_buf_init(&text, SMALL);
	mk_proof_message(&master, &d.device, &text);
	ck_assert_str_eq(text.data, PROVED_MASTER " " PROVED_DEVICE);
	mk_buf_cut(&text, 0);
	ck_assert_int_eq(mk_sshkey_parse_text(&arena, PROVED_KEY,
	    strlen(PROVED_KEY), &d.key, NULL), 0);
	ck_assert(!mk_proof_verify(&master, &d));
	ck_assert_int_eq(unarmour(ARMOURED, strlen(ARMOURED), &blob, &len),
	    0);
	mk_buf_b64url(&text, blob, len);
	d.proof = (struct mk_text){ text.data, text.len };
	ck_assert(mk_proof_verify(&master, &d));
	ck_assert(!mk_proof_verify(&d.device, &d));
	d.host = true;
	ck_assert(!mk_proof_verify(&master, &d));
	d.host = false;
	d.device = master;
	ck_assert(!mk_proof_verify(&master, &d));
	mk_buf_release(&text);
}
END_TEST

START_TEST(armour_forms)
{
	static const char *const wrong[] = {
		"", "\n", ARMOUR_BEGIN, ARMOUR_END, ARMOUR_LINES,
		ARMOUR_BEGIN ARMOUR_END, ARMOUR_BEGIN "\n" ARMOUR_END,
		ARMOUR_BEGIN ARMOUR_LINES, ARMOUR_LINES ARMOUR_END,
		ARMOURED "\n", "\n" ARMOURED, " " ARMOURED,
		ARMOURED ARMOURED, ARMOUR_BEGIN "\n" ARMOUR_LINES ARMOUR_END,
		ARMOUR_BEGIN ARMOUR_LINES "\n" ARMOUR_END,
		ARMOUR_BEGIN "A" ARMOUR_LINES ARMOUR_END,
		ARMOUR_BEGIN "AAAA\n" ARMOUR_LINES ARMOUR_END,
		ARMOUR_BEGIN ARMOUR_LINES "AAAA\n" ARMOUR_END,
		ARMOUR_BEGIN "AA==\n" "AAAA\n" ARMOUR_END,
		ARMOUR_BEGIN "AAAA\r\n" ARMOUR_END,
		ARMOUR_BEGIN "AAAA" ARMOUR_END,
		ARMOUR_BEGIN "AAA\n" ARMOUR_END,
		ARMOUR_BEGIN "AAB=\n" ARMOUR_END,
		ARMOUR_BEGIN "A A=\n" ARMOUR_END,
		ARMOUR_BEGIN "AA_-\n" ARMOUR_END,
		("-----BEGIN PGP SIGNATURE-----\nAAAA\n" ARMOUR_END)
	};
	const uint8_t *blob;
	size_t len, i;

	ck_assert_int_eq(unarmour(ARMOUR_BEGIN "AA==\n" ARMOUR_END,
	    strlen(ARMOUR_BEGIN "AA==\n" ARMOUR_END), &blob, &len), 0);
	ck_assert_uint_eq(len, 1);
	for (i = 0; i < COUNT(wrong); i++)
		ck_assert_msg(unarmour(wrong[i], strlen(wrong[i]), &blob,
		    &len) == MK_E_REFUSED, "form %zu", i);
	for (i = 0; i < strlen(ARMOURED); i++)
		ck_assert_msg(unarmour(ARMOURED, i, &blob, &len) ==
		    MK_E_REFUSED, "%zu bytes", i);
}
END_TEST

/* The armour that ssh-keygen would give so many bytes. */
static void
write_armour(size_t n, struct mk_buf *out)
{
	struct mk_buf base64;
	size_t i, line;
	uint8_t *bytes = calloc(1, n);

	ck_assert_ptr_nonnull(bytes);
	mk_buf_init(&base64, SMALL);
	mk_buf_b64std(&base64, bytes, n);
	mk_buf_cut(out, 0);
	mk_buf_puts(out, ARMOUR_BEGIN);
	for (i = 0; i < base64.len; i += line) {
		line = base64.len - i < 70 ? base64.len - i : 70;
		mk_buf_put(out, base64.data + i, line);
		mk_buf_putc(out, '\n');
	}
	mk_buf_puts(out, ARMOUR_END);
	mk_buf_release(&base64);
	free(bytes);
}

START_TEST(armour_sizes)
{
	static const size_t good[] = { 1, 51, 52, 53, 105, 106,
	    MK_SSHSIG_MAX - 1, MK_SSHSIG_MAX };
	const uint8_t *blob;
	struct mk_buf text;
	size_t len, i;

	mk_buf_init(&text, SMALL);
	for (i = 0; i < COUNT(good); i++) {
		write_armour(good[i], &text);
		ck_assert_msg(unarmour(text.data, text.len, &blob, &len) ==
		    0, "%zu bytes", good[i]);
		ck_assert_uint_eq(len, good[i]);
	}
	/* What stands at the end of a full line, and an empty line after it. */
	write_armour(53, &text);
	text.data[strlen(ARMOUR_BEGIN) + 70] = ' ';
	ck_assert_int_eq(unarmour(text.data, text.len, &blob, &len),
	    MK_E_REFUSED);
	write_armour(105, &text);
	mk_buf_cut(&text, text.len - strlen(ARMOUR_END));
	mk_buf_puts(&text, "\n" ARMOUR_END);
	ck_assert_int_eq(unarmour(text.data, text.len, &blob, &len),
	    MK_E_REFUSED);
	write_armour(MK_SSHSIG_MAX + 1, &text);
	ck_assert_int_eq(unarmour(text.data, text.len, &blob, &len),
	    MK_E_REFUSED);
	mk_buf_release(&text);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *suite = suite_create("sshsig_armour");
	TCase *c = tcase_create("sshsig_armour");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, armoured_proof);
	tcase_add_test(c, armour_forms);
	tcase_add_test(c, armour_sizes);
	suite_add_tcase(suite, c);
	return suite;
}
