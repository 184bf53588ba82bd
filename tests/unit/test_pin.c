/* SPDX-License-Identifier: ISC */
/*
 * PINs and witnesses, against values that another implementation of base32
 * and HMAC gave.
 */
#include <stdlib.h>
#include <string.h>

#include "core/digest.h"
#include "core/pin.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define PIN		"ABCDEFGHIJKLMNOPQRSTUVWXY"
#define SHOWN		"ABCDE-FGHIJ-KLMNO-PQRST-UVWXY"

static struct mk_pin pin;

static bool
parses(const char *s, size_t n)
{
	char *copy = malloc(n == 0 ? 1 : n);
	bool good;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, s, n);
	memset(&pin, 'x', sizeof(pin));
	good = mk_pin_parse(copy, n, &pin);
	free(copy);
	ck_assert(good || pin.letters[0] == 'x');
	return good;
}

START_TEST(makes)
{
	static const struct {
		uint8_t random[MK_PIN_RANDOM];
		const char *letters, *shown;
	} v[] = {
		{ { 0 }, "AAAAAAAAAAAAAAAAAAAAAAAAA",
		    "AAAAA-AAAAA-AAAAA-AAAAA-AAAAA" },
		{ { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 },
		    "AAAQEAYEAUDAOCAJBIFQYDIOB",
		    "AAAQE-AYEAU-DAOCA-JBIFQ-YDIOB" },
		{ { 0xff, 0xee, 0xdd, 0xcc, 0xbb, 0xaa, 0x99, 0x88, 0x77,
		    0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 0x00 },
		    "77XN3TF3VKMYQ53GKVCDGIQRA",
		    "77XN3-TF3VK-MYQ53-GKVCD-GIQRA" }
	};
	uint8_t other[MK_PIN_RANDOM];
	char shown[MK_PIN_TEXT + 1];
	struct mk_pin made, changed;
	size_t i, bit;

	for (i = 0; i < COUNT(v); i++) {
		mk_pin_make(v[i].random, &made);
		ck_assert_str_eq(made.letters, v[i].letters);
		mk_pin_format(&made, shown);
		ck_assert_str_eq(shown, v[i].shown);
		ck_assert(parses(shown, MK_PIN_TEXT));
		ck_assert_mem_eq(&pin, &made, sizeof(pin));
	}
	/* All bits count but the last three. */
	for (bit = 0; bit < 8 * sizeof(other); bit++) {
		memcpy(other, v[1].random, sizeof(other));
		other[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
		mk_pin_make(other, &changed);
		mk_pin_make(v[1].random, &made);
		ck_assert_msg((strcmp(made.letters, changed.letters) == 0) ==
		    (bit >= 125), "bit %zu", bit);
	}
}
END_TEST

START_TEST(typed)
{
	static const char *const good[] = { PIN, SHOWN,
	    "abcdefghijklmnopqrstuvwxy", "AbCdE-fghij-kLmno-pqrst-uvwxY" };
	static const char *const wrong[] = { "", "ABCDE", PIN "Z",
	    "ABCDEFGHIJKLMNOPQRSTUVWX", SHOWN "-", "-" SHOWN, " " PIN,
	    PIN " ", PIN "\n", "ABCDE FGHIJ KLMNO PQRST UVWXY",
	    "ABCDE-FGHIJ-KLMNO-PQRSTUVWXY", "ABCDEF-GHIJ-KLMNO-PQRST-UVWXY",
	    "ABCDE--FGHI-KLMNO-PQRST-UVWXY", "1BCDEFGHIJKLMNOPQRSTUVWXY",
	    "8BCDEFGHIJKLMNOPQRSTUVWXY", "0BCDEFGHIJKLMNOPQRSTUVWXY",
	    "ABCDE=FGHIJ=KLMNO=PQRST=UVWXY", "ABCDEFGHIJKLMNOPQRSTUVWX=",
	    "@BCDEFGHIJKLMNOPQRSTUVWXY", "[BCDEFGHIJKLMNOPQRSTUVWXY",
	    "`BCDEFGHIJKLMNOPQRSTUVWXY", "{BCDEFGHIJKLMNOPQRSTUVWXY",
	    "\301BCDEFGHIJKLMNOPQRSTUVWXY" };
	size_t i;

	for (i = 0; i < COUNT(good); i++) {
		ck_assert(parses(good[i], strlen(good[i])));
		ck_assert_str_eq(pin.letters, PIN);
	}
	ck_assert(parses("zZ234567aaaaaaaaaaaaaaaaa", 25));
	ck_assert_str_eq(pin.letters, "ZZ234567AAAAAAAAAAAAAAAAA");
	for (i = 0; i < COUNT(wrong); i++)
		ck_assert_msg(!parses(wrong[i], strlen(wrong[i])), "%s",
		    wrong[i]);
	ck_assert(!parses("ABCDEFGHIJKLMNOPQRSTUVWX\0", 25));
}
END_TEST

START_TEST(ids)
{
	static const char *const wrong[] = { "", "5E26UDXBK", "5E26UDXBKVA",
	    "5e26udxbkv", "5E26UDXBK1", "5E26U-XBKV", "5E26UDXBK ",
	    "5E26UDXBK\n", "5E26UDXBK=" };
	char id[MK_PIN_ID + 1];
	size_t i;

	ck_assert(parses(PIN, MK_PIN_LETTERS));
	mk_pin_id(&pin, id);
	ck_assert_str_eq(id, "5E26UDXBKV");
	ck_assert(mk_pin_id_good(id, MK_PIN_ID));
	for (i = 0; i < COUNT(wrong); i++)
		ck_assert_msg(!mk_pin_id_good(wrong[i], strlen(wrong[i])),
		    "%s", wrong[i]);
	ck_assert(!mk_pin_id_good("5E26UDXBK\0", 10));
	/* Another PIN, another one. */
	pin.letters[MK_PIN_LETTERS - 1] = 'Z';
	mk_pin_id(&pin, id);
	ck_assert_str_ne(id, "5E26UDXBKV");
}
END_TEST

static const uint8_t of_request[MK_WITNESS] = {
	0x17, 0xf6, 0xc8, 0xd7, 0x5b, 0x7b, 0x28, 0x72, 0x54, 0xe9, 0x16,
	0x6c, 0x47, 0x0b, 0x86, 0xf2, 0x34, 0xfb, 0x5f, 0x7e, 0x7c, 0xa2,
	0x43, 0x54, 0x14, 0xa6, 0x3a, 0xad, 0xbe, 0xfa, 0xc8, 0xc8, 0x94,
	0xc0, 0xc5, 0xa3, 0x7b, 0x00, 0x7d, 0x13, 0xee, 0xb8, 0x3e, 0x5f,
	0xce, 0xe8, 0x31, 0x49, 0xde, 0x4c, 0xd0, 0x21, 0xea, 0x22, 0x7c,
	0xe4, 0x93, 0x71, 0x3c, 0x84, 0x42, 0xb3, 0x04, 0xdf
};
static const uint8_t of_result[MK_WITNESS] = {
	0x1f, 0x8f, 0x47, 0x2a, 0x2a, 0x34, 0x63, 0xfd, 0xbf, 0x45, 0xc2,
	0x08, 0xff, 0xc1, 0xce, 0x4e, 0xca, 0x2c, 0xc4, 0xa5, 0xa2, 0x07,
	0xb2, 0x63, 0xfb, 0xe4, 0xcd, 0x82, 0x5b, 0x61, 0xd8, 0x9b, 0x1e,
	0x65, 0x53, 0xdb, 0xce, 0x0e, 0x48, 0xf5, 0x8f, 0x5a, 0x34, 0x6a,
	0xc7, 0xb9, 0x3e, 0xc3, 0xa9, 0x6d, 0x43, 0xd2, 0x3d, 0x46, 0xf6,
	0xb3, 0xcc, 0xe4, 0xf1, 0x32, 0x91, 0x5a, 0xb8, 0x55
};

START_TEST(witnesses)
{
	uint8_t digest[MK_SHA512], out[MK_WITNESS];
	size_t i;

	mk_sha512((const uint8_t *)"payload", 7, digest);
	ck_assert(parses(SHOWN, MK_PIN_TEXT));
	mk_witness_make(&pin, MK_WITNESS_REQUEST, digest, out);
	ck_assert_mem_eq(out, of_request, sizeof(out));
	ck_assert(mk_witness_check(&pin, MK_WITNESS_REQUEST, digest, out));
	/* One cannot be sent back as the other. */
	ck_assert(!mk_witness_check(&pin, MK_WITNESS_RESULT, digest, out));
	for (i = 0; i < 8 * sizeof(out); i++) {
		out[i / 8] ^= (uint8_t)(1 << i % 8);
		ck_assert_msg(!mk_witness_check(&pin, MK_WITNESS_REQUEST,
		    digest, out), "bit %zu", i);
		out[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	for (i = 0; i < 8 * sizeof(digest); i++) {
		digest[i / 8] ^= (uint8_t)(1 << i % 8);
		ck_assert_msg(!mk_witness_check(&pin, MK_WITNESS_REQUEST,
		    digest, out), "bit %zu", i);
		digest[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	mk_witness_make(&pin, MK_WITNESS_RESULT, digest, out);
	ck_assert_mem_eq(out, of_result, sizeof(out));
	ck_assert(mk_witness_check(&pin, MK_WITNESS_RESULT, digest, out));
	for (i = 0; i < MK_PIN_LETTERS; i++) {
		ck_assert(parses(SHOWN, MK_PIN_TEXT));
		pin.letters[i] = '7';
		ck_assert_msg(!mk_witness_check(&pin, MK_WITNESS_RESULT,
		    digest, out), "letter %zu", i);
	}
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *suite = suite_create("pin");
	TCase *c = tcase_create("pin");

	tcase_add_test(c, makes);
	tcase_add_test(c, typed);
	tcase_add_test(c, ids);
	tcase_add_test(c, witnesses);
	suite_add_tcase(suite, c);
	return suite;
}
