/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base64.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

#define BYTES	200
#define CHARS	(MK_B64STD_LEN(BYTES) + BYTES)

static const char url[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char std[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

typedef bool (*decoder)(const char *, size_t, uint8_t *, size_t *);

/* Decodes a heap copy of exactly 'n' bytes into exactly its room. */
static bool
decodes(decoder decode, const char *s, size_t n)
{
	char *text = malloc(n + 1);
	uint8_t *out = malloc(MK_B64_DECODED(n) + 1);
	size_t len = 4711;
	bool ok;

	memcpy(text + 1, s, n);
	ok = decode(text + 1, n, out + 1, &len);
	/* The length is written only on success. */
	ck_assert(ok ? len <= MK_B64_DECODED(n) : len == 4711);
	free(text);
	free(out);
	return ok;
}

static void
fill(uint8_t *bytes, size_t n)
{
	uint32_t x = 1;
	size_t i;

	for (i = 0; i < n; i++) {
		x = x * 1664525 + 1013904223;
		bytes[i] = (uint8_t)(x >> 24);
	}
}

START_TEST(rfc4648_vectors)
{
	static const struct {
		const char *plain, *std, *url;
	} v[] = {
		{ "", "", "" },
		{ "f", "Zg==", "Zg" },
		{ "fo", "Zm8=", "Zm8" },
		{ "foo", "Zm9v", "Zm9v" },
		{ "foob", "Zm9vYg==", "Zm9vYg" },
		{ "fooba", "Zm9vYmE=", "Zm9vYmE" },
		{ "foobar", "Zm9vYmFy", "Zm9vYmFy" },
		{ "\xfb\xff\xbf", "+/+/", "-_-_" }
	};
	uint8_t out[16];
	char text[16];
	size_t i, n, len;

	for (i = 0; i < COUNT(v); i++) {
		n = strlen(v[i].plain);
		memset(text, '\0', sizeof(text));
		mk_b64std_encode((const uint8_t *)v[i].plain, n, text);
		ck_assert_str_eq(text, v[i].std);
		ck_assert(mk_b64std_decode(text, strlen(text), out, &len));
		ck_assert_uint_eq(len, n);
		ck_assert_mem_eq(out, v[i].plain, n);
		memset(text, '\0', sizeof(text));
		mk_b64url_encode((const uint8_t *)v[i].plain, n, text);
		ck_assert_str_eq(text, v[i].url);
		ck_assert(mk_b64url_decode(text, strlen(text), out, &len));
		ck_assert_uint_eq(len, n);
		ck_assert_mem_eq(out, v[i].plain, n);
	}
}
END_TEST

START_TEST(round_trips)
{
	uint8_t bytes[BYTES], out[CHARS];
	size_t n, len;

	fill(bytes, BYTES);
	for (n = 0; n <= BYTES; n++) {
		memset(out, '!', sizeof(out));
		mk_b64url_encode(bytes, n, (char *)out);
		ck_assert_uint_eq(out[MK_B64URL_LEN(n)], '!');
		ck_assert_uint_eq(MK_B64_DECODED(MK_B64URL_LEN(n)), n);
		/* In place, as the callers do. */
		ck_assert(mk_b64url_decode((char *)out, MK_B64URL_LEN(n),
		    out, &len));
		ck_assert_uint_eq(len, n);
		ck_assert_mem_eq(out, bytes, n);

		memset(out, '!', sizeof(out));
		mk_b64std_encode(bytes, n, (char *)out);
		ck_assert_uint_eq(out[MK_B64STD_LEN(n)], '!');
		ck_assert(mk_b64std_decode((char *)out, MK_B64STD_LEN(n),
		    out, &len));
		ck_assert_uint_eq(len, n);
		ck_assert_mem_eq(out, bytes, n);
	}
}
END_TEST

/* Every byte at every place: accepted exactly if it is of the alphabet. */
static void
corrupt(decoder decode, const char *alphabet, const char *text, size_t free_to)
{
	size_t n = strlen(text), i;
	char copy[64];
	int c;

	ck_assert(decodes(decode, text, n));
	for (i = 0; i < free_to; i++) {
		for (c = 0; c < 256; c++) {
			memcpy(copy, text, n);
			copy[i] = (char)c;
			ck_assert_int_eq(decodes(decode, copy, n),
			    c != 0 && strchr(alphabet, c) != NULL);
		}
	}
}

START_TEST(every_corruption)
{
	corrupt(mk_b64url_decode, url, "AZaz09-_AZaz", 12);
	corrupt(mk_b64url_decode, url, "AZaz09-_AZg", 10);
	corrupt(mk_b64url_decode, url, "AZaz09-_Ag", 9);
	corrupt(mk_b64url_decode_folded, url, "AZaz09-_Ag", 0);
	corrupt(mk_b64std_decode, std, "AZaz09+/AZaz", 11);
	corrupt(mk_b64std_decode, std, "AZaz09+/AZg=", 10);
	corrupt(mk_b64std_decode, std, "AZaz09+/Ag==", 9);
}
END_TEST

START_TEST(trailing_bits_are_zero)
{
	char two[] = "AA", three[] = "AAA", padded[] = "AA==";
	size_t i;

	for (i = 0; i < 64; i++) {
		two[1] = three[2] = url[i];
		padded[1] = std[i];
		ck_assert_int_eq(decodes(mk_b64url_decode, two, 2),
		    i % 16 == 0);
		ck_assert_int_eq(decodes(mk_b64std_decode, padded, 4),
		    i % 16 == 0);
		ck_assert_int_eq(decodes(mk_b64url_decode, three, 3),
		    i % 4 == 0);
	}
}
END_TEST

START_TEST(malformed)
{
	static const char *const bad_url[] = {
		"A", "AAAAA", "AA==", "AAA=", "AA\n", "\nAA\n", "A A", "=",
		"\n", "AAAA\nAAAA", "AA.."
	};
	static const char *const bad_std[] = {
		"A", "AA", "AAA", "AA=", "A===", "====", "=AAA", "AA=A",
		"AAAA====", "AAAA=", "AA==AA==", "\nAAA", "AAA\n", "AB==",
		"AAB="
	};
	size_t i;

	for (i = 0; i < COUNT(bad_url); i++) {
		ck_assert_msg(!decodes(mk_b64url_decode, bad_url[i],
		    strlen(bad_url[i])), "%s", bad_url[i]);
		if (i > 0)
			ck_assert(!decodes(mk_b64url_decode_folded,
			    bad_url[i], strlen(bad_url[i])));
	}
	for (i = 0; i < COUNT(bad_std); i++)
		ck_assert_msg(!decodes(mk_b64std_decode, bad_std[i],
		    strlen(bad_std[i])), "%s", bad_std[i]);
}
END_TEST

/* The folded form of 'n' digits; its length. */
static size_t
fold(const char *digits, size_t n, char *out)
{
	size_t i, len = 0;

	for (i = 0; i < n; i++) {
		if (i % 64 == 0)
			out[len++] = '\n';
		out[len++] = digits[i];
	}
	return len;
}

START_TEST(folded)
{
	uint8_t bytes[BYTES], out[2 * CHARS];
	char digits[CHARS], text[2 * CHARS];
	size_t n, len, got;

	fill(bytes, BYTES);
	for (n = 0; n <= BYTES; n++) {
		mk_b64url_encode(bytes, n, digits);
		ck_assert(mk_b64url_decode_folded(digits, MK_B64URL_LEN(n),
		    out, &got));
		ck_assert_uint_eq(got, n);
		ck_assert_mem_eq(out, bytes, n);
		len = fold(digits, MK_B64URL_LEN(n), text);
		ck_assert(decodes(mk_b64url_decode_folded, text, len));
		memcpy(out, text, len);
		ck_assert(mk_b64url_decode_folded((char *)out, len, out,
		    &got));
		ck_assert_uint_eq(got, n);
		ck_assert_mem_eq(out, bytes, n);
		ck_assert(n == 0 || !decodes(mk_b64url_decode, text, len));
	}
}
END_TEST

/* A line feed more, less or elsewhere is another spelling. */
START_TEST(misfolded)
{
	uint8_t bytes[144];
	char digits[192], text[200], copy[201];
	size_t len, i;

	fill(bytes, sizeof(bytes));
	mk_b64url_encode(bytes, sizeof(bytes), digits);
	len = fold(digits, sizeof(digits), text);
	ck_assert_uint_eq(len, 195);
	ck_assert(decodes(mk_b64url_decode_folded, text, len));
	for (i = 0; i <= len; i++) {
		memcpy(copy, text, i);
		copy[i] = '\n';
		memcpy(copy + i + 1, text + i, len - i);
		ck_assert(!decodes(mk_b64url_decode_folded, copy, len + 1));
	}
	for (i = 0; i < len; i += 65) {
		memcpy(copy, text, i);
		memcpy(copy + i, text + i + 1, len - i - 1);
		ck_assert(!decodes(mk_b64url_decode_folded, copy, len - 1));
	}
	for (i = 0; i < len; i++) {
		memcpy(copy, text, len);
		copy[i] = i % 65 == 0 ? 'A' : '\n';
		ck_assert(!decodes(mk_b64url_decode_folded, copy, len));
		copy[i] = '\r';
		ck_assert(!decodes(mk_b64url_decode_folded, copy, len));
	}
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("base64");
	TCase *t = tcase_create("base64");

	tcase_add_test(t, rfc4648_vectors);
	tcase_add_test(t, round_trips);
	tcase_add_test(t, every_corruption);
	tcase_add_test(t, trailing_bits_are_zero);
	tcase_add_test(t, malformed);
	tcase_add_test(t, folded);
	tcase_add_test(t, misfolded);
	suite_add_tcase(s, t);
	return s;
}
