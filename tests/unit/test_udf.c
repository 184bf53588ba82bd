/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <string.h>

#include "core/udf.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

#define GOOD	"MARWT-QHTYM-AB27M-SUJHI-SGIRI-RWMJW"

/* The SubjectPublicKeyInfo of the first key of RFC 8032, section 7.1. */
static const uint8_t ed25519_der[] = {
	0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
	0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3,
	0xc9, 0x64, 0x07, 0x3a, 0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25,
	0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a
};

/* An RSAPublicKey of a modulus that is no one's, exponent 3. */
static const uint8_t rsa_der[] = {
	0x30, 0x0a, 0x02, 0x05, 0x00, 0xc2, 0xf3, 0xa1, 0xb7, 0x02, 0x01, 0x03
};

START_TEST(of_der)
{
	static const struct {
		enum mk_udf_rule rule;
		const uint8_t *der;
		size_t len;
		const char *text;
	} v[] = {
		{ MK_UDF_HIGH_BITS, ed25519_der, sizeof(ed25519_der), GOOD },
		{ MK_UDF_LOW_BITS, ed25519_der, sizeof(ed25519_der),
		    "MARWT-QHTYM-AB27M-SUJHI-SGIRI-RWMIY" },
		{ MK_UDF_HIGH_BITS, rsa_der, sizeof(rsa_der),
		    "MC6AA-GUFHP-RFE5L-PH7QK-Y7IYZ-WDK3V" },
		{ MK_UDF_LOW_BITS, rsa_der, sizeof(rsa_der),
		    "MC6AA-GUFHP-RFE5L-PH7QK-Y7IYZ-WDK2V" }
	};
	char text[MK_UDF_TEXT + 1];
	struct mk_udf udf, parsed;
	size_t i;

	for (i = 0; i < COUNT(v); i++) {
		mk_udf_of_der(v[i].rule, v[i].der, v[i].len, &udf);
		ck_assert_uint_eq(mk_udf_type(&udf), MK_UDF_KEY);
		ck_assert_uint_eq(udf.b[MK_UDF_BYTES - 1] & 3, 0);
		mk_udf_format(&udf, text);
		ck_assert_str_eq(text, v[i].text);
		ck_assert(mk_udf_parse(text, MK_UDF_TEXT, &parsed));
		ck_assert_int_eq(mk_udf_cmp(&udf, &parsed), 0);
	}
}
END_TEST

START_TEST(known_octets)
{
	/* The vectors of the reference, at 150 bits, as its octets. */
	static const struct mk_udf text_plain = { {
		0x60, 0xc6, 0xaf, 0xb7, 0xc0, 0xfe, 0xbe, 0x04, 0xe5, 0xae,
		0x94, 0xe3, 0x7b, 0xaa, 0x5f, 0x1a, 0x40
	} };
	struct mk_udf udf;

	ck_assert(mk_udf_parse("MDDK7-N6A72-7AJZN-OSTRX-XKS7D-JAFXD",
	    MK_UDF_TEXT, &udf));
	ck_assert_mem_eq(udf.b, text_plain.b, 17);
	ck_assert(mk_udf_parse("RAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA",
	    MK_UDF_TEXT, &udf));
	ck_assert_uint_eq(mk_udf_type(&udf), MK_UDF_RANDOM);
	ck_assert(mk_udf_parse("77777-77777-77777-77777-77777-77777",
	    MK_UDF_TEXT, &udf));
	ck_assert_uint_eq(udf.b[0], 0xff);
	ck_assert_uint_eq(udf.b[MK_UDF_BYTES - 1], 0xfc);
}
END_TEST

static bool
parses(const char *s)
{
	struct mk_udf udf;

	return mk_udf_parse(s, strlen(s), &udf);
}

static bool
parses_typed(const char *s)
{
	struct mk_udf udf;

	return mk_udf_parse_typed(s, strlen(s), &udf);
}

START_TEST(forms)
{
	static const struct {
		const char *text;
		bool set, typed;
	} v[] = {
		{ GOOD, true, true },
		{ "marwt-qhtym-ab27m-sujhi-sgiri-rwmjw", false, true },
		{ "mARWT-QHTYM-AB27M-SUJHI-SGIRI-RWMJW", false, true },
		{ "MARWTQHTYMAB27MSUJHISGIRIRWMJW", false, true },
		{ "marwtqhtymab27msujhisgirirwmjw", false, true },
		{ "MARWTQHTYMAB27MSUJHISGIRIRWMJWA", false, false },
		{ "MARWTQHTYMAB27MSUJHISGIRIRWMJ", false, false },
		{ "", false, false },
		{ "MARWT-QHTYM-AB27M-SUJHI-SGIRI", false, false },
		{ "MARWT-QHTYM-AB27M-SUJHI-SGIRI-RWMJ", false, false },
		{ GOOD "A", false, false },
		{ GOOD "-", false, false },
		{ GOOD "\n", false, false },
		{ " MARWT-QHTYM-AB27M-SUJHI-SGIRI-RWMJW", false, false },
		{ "MARWTQ-HTYM-AB27M-SUJHI-SGIRI-RWMJW", false, false },
		{ "MARWT-QHTYM-AB27M-SUJHI-SGIRIRWMJW", false, false },
		{ "MARWTQHTYMAB27MSUJHISGIRI-RWMJW", false, false },
		{ "MARWT_QHTYM_AB27M_SUJHI_SGIRI_RWMJW", false, false },
		{ "MARWT-QHTYM-AB27M-SUJHI-SGIRI-RWMJ1", false, false },
		{ "MARWT-QHTYM-AB27M-SUJHI-SGIRI-RWMJ8", false, false },
		{ "MARWT-QHTYM-AB27M-SUJHI-SGIRI-RWMJ=", false, false },
		{ "MARWT-QHTYM-AB27M-SUJHI-SGIRI-RWM--", false, false }
	};
	size_t i;

	for (i = 0; i < COUNT(v); i++) {
		ck_assert_msg(parses(v[i].text) == v[i].set, "%s",
		    v[i].text);
		ck_assert_msg(parses_typed(v[i].text) == v[i].typed, "%s",
		    v[i].text);
	}
}
END_TEST

/* Every byte at every place: one spelling a value, and all typed equal. */
START_TEST(every_corruption)
{
	char copy[MK_UDF_TEXT + 1], back[MK_UDF_TEXT + 1];
	struct mk_udf good, udf;
	size_t i;
	int c, accepted = 0;

	ck_assert(mk_udf_parse(GOOD, MK_UDF_TEXT, &good));
	for (i = 0; i < MK_UDF_TEXT; i++) {
		for (c = 0; c < 256; c++) {
			memcpy(copy, GOOD, sizeof(copy));
			copy[i] = (char)c;
			if (mk_udf_parse(copy, MK_UDF_TEXT, &udf)) {
				accepted++;
				mk_udf_format(&udf, back);
				ck_assert_str_eq(back, copy);
				ck_assert_int_eq(mk_udf_cmp(&udf, &good) == 0,
				    copy[i] == GOOD[i]);
			}
			if (!mk_udf_parse_typed(copy, MK_UDF_TEXT, &udf))
				continue;
			mk_udf_format(&udf, back);
			copy[i] = (char)toupper(c);
			ck_assert_str_eq(back, copy);
		}
	}
	ck_assert_int_eq(accepted, 30 * 32 + 5);
}
END_TEST

START_TEST(typed_without_dashes_is_the_same)
{
	struct mk_udf a, b;

	ck_assert(mk_udf_parse(GOOD, MK_UDF_TEXT, &a));
	ck_assert(mk_udf_parse_typed("marwtqhtymab27msujhisgirirwmjw", 30,
	    &b));
	ck_assert_int_eq(mk_udf_cmp(&a, &b), 0);
	b.b[MK_UDF_BYTES - 1] ^= 4;
	ck_assert_int_ne(mk_udf_cmp(&a, &b), 0);
	ck_assert_int_eq(mk_udf_cmp(&a, &b) < 0, mk_udf_cmp(&b, &a) > 0);
}
END_TEST

START_TEST(in_list)
{
	const struct mk_udf list[] = { { { 1 } }, { { 2 } }, { { 3 } } };
	const struct mk_udf last = { { 3 } }, none = { { 4 } };

	ck_assert(mk_udf_in(list, 3, &list[0]));
	ck_assert(mk_udf_in(list, 3, &last));
	ck_assert(!mk_udf_in(list, 2, &last));
	ck_assert(!mk_udf_in(list, 3, &none));
	ck_assert(!mk_udf_in(NULL, 0, &none));
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("udf");
	TCase *t = tcase_create("udf");

	tcase_add_test(t, of_der);
	tcase_add_test(t, known_octets);
	tcase_add_test(t, forms);
	tcase_add_test(t, every_corruption);
	tcase_add_test(t, typed_without_dashes_is_the_same);
	tcase_add_test(t, in_list);
	suite_add_tcase(s, t);
	return s;
}
