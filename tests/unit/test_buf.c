/* SPDX-License-Identifier: ISC */
#include <stdint.h>
#include <string.h>

#include "core/buf.h"
#include "core/err.h"
#include "unit.h"

/* AddressSanitizer shall give NULL for what cannot be had, as malloc does. */
const char	*__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

START_TEST(writes)
{
	static const uint8_t bytes[] = { 0x00, 0xff, 0xfb, 0x1a };
	struct mk_buf b;

	mk_buf_init(&b, 1000);
	mk_buf_puts(&b, "key ");
	mk_buf_put(&b, "abc", 2);
	mk_buf_putc(&b, ' ');
	mk_buf_putu(&b, 0);
	mk_buf_putc(&b, ' ');
	mk_buf_putu(&b, UINT64_MAX);
	mk_buf_putc(&b, ' ');
	mk_buf_hex(&b, bytes, sizeof(bytes));
	mk_buf_putc(&b, ' ');
	mk_buf_b64url(&b, bytes, sizeof(bytes));
	mk_buf_putc(&b, ' ');
	mk_buf_b64std(&b, bytes, sizeof(bytes));
	ck_assert_int_eq(mk_buf_check(&b, NULL, "write"), 0);
	ck_assert_str_eq(b.data, "key ab 0 18446744073709551615 00fffb1a "
	    "AP_7Gg AP/7Gg==");
	ck_assert_uint_eq(b.len, strlen(b.data));
	mk_buf_release(&b);
	ck_assert_uint_eq(b.len, 0);
}
END_TEST

START_TEST(grows)
{
	struct mk_buf b;
	size_t i;

	mk_buf_init(&b, 100000);
	for (i = 0; i < 100000; i++) {
		mk_buf_putc(&b, (char)('a' + i % 26));
		ck_assert_int_eq(b.data[i + 1], '\0');
	}
	ck_assert_int_eq(mk_buf_check(&b, NULL, "write"), 0);
	for (i = 0; i < 100000; i++)
		ck_assert_int_eq(b.data[i], (char)('a' + i % 26));
	mk_buf_putc(&b, 'x');
	ck_assert_int_eq(mk_buf_check(&b, NULL, "write"), MK_E_REFUSED);
	mk_buf_release(&b);
}
END_TEST

START_TEST(never_cut_off)
{
	struct mk_buf b;
	struct mk_why why;

	mk_buf_init(&b, 5);
	mk_buf_puts(&b, "abc");
	mk_buf_puts(&b, "def");
	ck_assert_uint_eq(b.len, 3);
	/* What would fit is refused too, from the first failure on. */
	mk_buf_putc(&b, 'd');
	ck_assert_str_eq(b.data, "abc");
	ck_assert_int_eq(mk_buf_check(&b, &why, "write"), MK_E_REFUSED);
	ck_assert_str_eq(why.stage, "write");
	ck_assert_str_eq(why.detail, "more than 5 bytes would be written");
	mk_buf_cut(&b, 0);
	ck_assert_int_eq(mk_buf_check(&b, NULL, "write"), MK_E_REFUSED);
	mk_buf_release(&b);
	ck_assert_int_eq(mk_buf_check(&b, NULL, "write"), 0);
}
END_TEST

START_TEST(encodings_respect_the_maximum)
{
	static const uint8_t bytes[6];
	struct mk_buf b;
	size_t max;

	for (max = 0; max < 20; max++) {
		mk_buf_init(&b, max);
		mk_buf_hex(&b, bytes, 6);
		ck_assert_int_eq(b.failed == 0, max >= 12);
		mk_buf_release(&b);
		mk_buf_b64url(&b, bytes, 5);
		ck_assert_int_eq(b.failed == 0, max >= 7);
		mk_buf_release(&b);
		mk_buf_b64std(&b, bytes, 5);
		ck_assert_int_eq(b.failed == 0, max >= 8);
		mk_buf_release(&b);
	}
	/* No product of a length may wrap to one that fits. */
	mk_buf_init(&b, SIZE_MAX);
	mk_buf_hex(&b, bytes, SIZE_MAX / 2 + 1);
	ck_assert_int_eq(b.failed, MK_E_REFUSED);
	mk_buf_release(&b);
	mk_buf_b64url(&b, bytes, SIZE_MAX / 4 + 1);
	ck_assert_int_eq(b.failed, MK_E_REFUSED);
	mk_buf_release(&b);
	mk_buf_put(&b, bytes, SIZE_MAX);
	ck_assert_int_eq(b.failed, MK_E_REFUSED);
	mk_buf_release(&b);
}
END_TEST

START_TEST(no_memory_is_no_refusal)
{
	struct mk_buf b;
	struct mk_why why;

	mk_buf_init(&b, SIZE_MAX);
	mk_buf_put(&b, "", PTRDIFF_MAX / 2);
	ck_assert_int_eq(mk_buf_check(&b, &why, "write"), MK_E_SYSTEM);
	mk_buf_release(&b);
}
END_TEST

START_TEST(cuts)
{
	struct mk_buf b;

	mk_buf_init(&b, 100);
	mk_buf_cut(&b, 0);
	mk_buf_put(&b, NULL, 0);
	ck_assert_uint_eq(b.len, 0);
	mk_buf_puts(&b, "abcdef");
	mk_buf_cut(&b, 9);
	ck_assert_str_eq(b.data, "abcdef");
	mk_buf_cut(&b, 2);
	ck_assert_str_eq(b.data, "ab");
	ck_assert_uint_eq(b.len, 2);
	mk_buf_putc(&b, 'x');
	ck_assert_str_eq(b.data, "abx");
	mk_buf_release(&b);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("buf");
	TCase *t = tcase_create("buf");

	tcase_add_test(t, writes);
	tcase_add_test(t, grows);
	tcase_add_test(t, never_cut_off);
	tcase_add_test(t, encodings_respect_the_maximum);
	tcase_add_test(t, no_memory_is_no_refusal);
	tcase_add_test(t, cuts);
	suite_add_tcase(s, t);
	return s;
}
