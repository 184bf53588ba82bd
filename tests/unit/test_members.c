/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "core/arena.h"
#include "core/err.h"
#include "core/members.h"
#include "core/timestamp.h"
#include "make_set.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define UDF		"MAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AAAAB"

static struct mk_arena arena;
static struct mk_why why;
static struct mk_at at;

static void
setup(void)
{
	mk_arena_init(&arena, 1 << 20);
	memset(&why, 0, sizeof(why));
	at = (struct mk_at){ .stage = "test", .arena = &arena, .why = &why };
}

static void
teardown(void)
{
	mk_arena_release(&arena);
}

static void
look_at(const char *text)
{
	at.obj = made_json(&arena, text);
}

static void
refused(int r, const char *words)
{
	ck_assert_int_eq(r, MK_E_REFUSED);
	ck_assert_str_eq(why.stage, "test");
	ck_assert_msg(strstr(why.detail, words) != NULL, "'%s' for '%s'",
	    why.detail, words);
}

START_TEST(types)
{
	static const char *const values[] = { "{}", "[]", "\"\"", "0",
	    "true", "false", "null" };
	const struct mk_json *m;
	char text[32];
	size_t i;
	int type;

	for (i = 0; i < COUNT(values); i++) {
		(void)snprintf(text, sizeof(text), "{\"a\":%s}", values[i]);
		look_at(text);
		for (type = MK_JSON_OBJECT; type <= MK_JSON_NULL; type++) {
			m = NULL;
			if ((size_t)type == i)
				ck_assert_int_eq(mk_at_member(&at, "a",
				    (enum mk_json_type)type, MK_OPTIONAL,
				    &m), 0);
			else
				refused(mk_at_member(&at, "a",
				    (enum mk_json_type)type, MK_OPTIONAL,
				    &m), "'a' is not");
			ck_assert((m != NULL) == ((size_t)type == i));
		}
	}
}
END_TEST

START_TEST(presence)
{
	const struct mk_json *m = at.obj;

	look_at("{\"ab\":1,\"A\":1}");
	ck_assert_int_eq(mk_at_member(&at, "a", MK_JSON_NUMBER, MK_OPTIONAL,
	    &m), 0);
	ck_assert_ptr_null(m);
	refused(mk_at_member(&at, "a", MK_JSON_NUMBER, MK_REQUIRED, &m),
	    "'a' is missing");
}
END_TEST

START_TEST(only_and_tagged)
{
	static const char *const names[] = { "a", "b" };
	const struct mk_json *m;

	look_at("{\"a\":1,\"b\":2}");
	ck_assert_int_eq(mk_at_only(&at, names, 2), 0);
	refused(mk_at_only(&at, names, 1), "not allowed");
	refused(mk_at_tagged(&at, "a", &m), "exactly one member 'a'");
	look_at("{}");
	ck_assert_int_eq(mk_at_only(&at, names, 2), 0);
	refused(mk_at_tagged(&at, "a", &m), "exactly one member 'a'");
	look_at("{\"a\":7}");
	ck_assert_int_eq(mk_at_tagged(&at, "a", &m), 0);
	ck_assert_int_eq(m->type, MK_JSON_NUMBER);
	refused(mk_at_tagged(&at, "aa", &m), "exactly one");
	look_at("[]");
	refused(mk_at_only(&at, names, 2), "not an object");
	refused(mk_at_tagged(&at, "a", &m), "not an object");
	refused(mk_at_object(&at), "not an object");
}
END_TEST

START_TEST(udfs)
{
	struct mk_udf udf;

	look_at("{\"a\":\"" UDF "\",\"b\":\"maaaa-aaaaa-aaaaa-aaaaa-aaaaa-"
	    "aaaab\",\"c\":1,\"d\":\"MAAAAAAAAAAAAAAAAAAAAAAAAAAAAB\"}");
	ck_assert_int_eq(mk_at_udf(&at, "a", MK_UDF_KEY, &udf), 0);
	ck_assert_uint_eq(udf.b[MK_UDF_BYTES - 1], 4);
	refused(mk_at_udf(&at, "a", MK_UDF_RANDOM, &udf),
	    "0x60 instead of 0x88");
	refused(mk_at_udf(&at, "b", MK_UDF_KEY, &udf), "form of a UDF");
	refused(mk_at_udf(&at, "c", MK_UDF_KEY, &udf), "not a string");
	refused(mk_at_udf(&at, "d", MK_UDF_KEY, &udf), "form of a UDF");
	refused(mk_at_udf(&at, "e", MK_UDF_KEY, &udf), "missing");
	refused(mk_at_udf_value(&at, mk_json_member(at.obj, "c"),
	    MK_UDF_KEY, &udf), "form of a UDF");
}
END_TEST

START_TEST(times)
{
	int64_t t = 5;

	look_at("{\"a\":\"2026-01-01T00:00:00Z\",\"b\":\"2026-01-01\","
	    "\"c\":null}");
	ck_assert_int_eq(mk_at_time(&at, "a", MK_REQUIRED, &t), 0);
	ck_assert_int_eq(t, 1767225600);
	refused(mk_at_time(&at, "b", MK_REQUIRED, &t), "not a valid time");
	refused(mk_at_time(&at, "c", MK_OPTIONAL, &t), "not a string");
	refused(mk_at_time(&at, "d", MK_REQUIRED, &t), "missing");
	ck_assert_int_eq(t, 1767225600);
	ck_assert_int_eq(mk_at_time(&at, "d", MK_OPTIONAL, &t), 0);
	ck_assert_int_eq(t, MK_TIME_NONE);
}
END_TEST

START_TEST(binary)
{
	const uint8_t *bytes;
	uint8_t out[3] = { 0 };
	size_t len;

	look_at("{\"a\":\"AQID\",\"b\":\"\",\"c\":\"AQ==\",\"d\":\"AR\","
	    "\"e\":\"\nAQID\",\"f\":\"A\",\"g\":1}");
	ck_assert_int_eq(mk_at_bytes(&at, "a", &bytes, &len), 0);
	ck_assert_uint_eq(len, 3);
	ck_assert_uint_eq(bytes[2], 3);
	ck_assert_int_eq(mk_at_exact(&at, "a", 3, out), 0);
	ck_assert_uint_eq(out[2], 3);
	refused(mk_at_exact(&at, "a", 2, out), "not 2 bytes");
	ck_assert_int_eq(mk_at_bytes(&at, "b", &bytes, &len), 0);
	ck_assert_uint_eq(len, 0);
	refused(mk_at_bytes(&at, "c", &bytes, &len), "not base64url");
	refused(mk_at_bytes(&at, "d", &bytes, &len), "not base64url");
	refused(mk_at_bytes(&at, "e", &bytes, &len), "not base64url");
	refused(mk_at_bytes(&at, "f", &bytes, &len), "not base64url");
	refused(mk_at_bytes(&at, "g", &bytes, &len), "not a string");
	at.folded = true;
	ck_assert_int_eq(mk_at_bytes(&at, "e", &bytes, &len), 0);
	ck_assert_uint_eq(len, 3);
	ck_assert_int_eq(mk_at_exact(&at, "e", 3, out), 0);
}
END_TEST

/* No value is too long for where it is decoded. */
START_TEST(long_exact)
{
	char text[512] = "[\"";
	uint8_t out[200];
	size_t n;

	for (n = 100; n < 300; n++) {
		memset(text + 2, 'A', n);
		memcpy(text + 2 + n, "\"]", 3);
		look_at(text);
		if (n == MK_AT_EXACT_MAX)
			ck_assert_int_eq(mk_at_exact_value(&at,
			    at.obj->child, 96, out), 0);
		else
			refused(mk_at_exact_value(&at, at.obj->child, 96,
			    out), "not 96 bytes");
	}
}
END_TEST

START_TEST(no_memory)
{
	const uint8_t *bytes;
	size_t len;

	look_at("{\"a\":\"AQID\"}");
	arena.cap = arena.used;
	ck_assert_int_eq(mk_at_bytes(&at, "a", &bytes, &len), MK_E_REFUSED);
	ck_assert_str_eq(why.stage, "limits");
}
END_TEST

START_TEST(constant)
{
	look_at("{\"a\":\"S512\",\"b\":\"S512 \"}");
	ck_assert_int_eq(mk_at_constant(&at, "a", "S512"), 0);
	refused(mk_at_constant(&at, "a", "S51"), "'a' is not 'S51'");
	refused(mk_at_constant(&at, "b", "S512"), "'b' is not");
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("members");
	TCase *tc = tcase_create("members");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, types);
	tcase_add_test(tc, presence);
	tcase_add_test(tc, only_and_tagged);
	tcase_add_test(tc, udfs);
	tcase_add_test(tc, times);
	tcase_add_test(tc, binary);
	tcase_add_test(tc, long_exact);
	tcase_add_test(tc, no_memory);
	tcase_add_test(tc, constant);
	suite_add_tcase(s, tc);
	return s;
}
