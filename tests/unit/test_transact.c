/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/json.h"
#include "core/transact.h"
#include "make_set.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define UDF		"MA6SH-QRVCQ-DA2ND-PJ4J7-SW3KF-VYCQU"
#define MAX		((size_t)1 << 20)

#define X8		"xxxxxxxx"
#define X64		X8 X8 X8 X8 X8 X8 X8 X8
#define X250		X64 X64 X64 X8 X8 X8 X8 X8 X8 X8 "xx"

/* 64 bytes of zeros. */
#define A8		"AAAAAAAA"
#define WITNESS		A8 A8 A8 A8 A8 A8 A8 A8 A8 A8 "AAAAAA"

static struct mk_arena arena;
static struct mk_account account;
static struct mk_answer answer;
static struct mk_buf out;
static struct mk_why why;

static void
setup(void)
{
	mk_arena_init(&arena, MAX);
	mk_buf_init(&out, MAX);
	memset(&why, 0, sizeof(why));
	ck_assert(mk_account_parse("Alice@Example.com", 17, &account));
}

static void
teardown(void)
{
	mk_buf_release(&out);
	mk_arena_release(&arena);
}

/* What was written since the last time. */
static void
wrote(const char *text)
{
	ck_assert_int_eq(out.failed, 0);
	ck_assert_str_eq(out.data, text);
	mk_buf_cut(&out, 0);
}

START_TEST(plain_requests)
{
	struct mk_udf udf;

	ck_assert(mk_udf_parse(UDF, strlen(UDF), &udf));
	mk_hello_write(&out);
	wrote("{\"Hello\":{}}");
	mk_validate_write(&account, &out);
	wrote("{\"ValidateAccount\":{\"Account\":\"alice@example.com\"}}");
	mk_get_account_write(&account, &out);
	wrote("{\"Get\":{\"Account\":\"alice@example.com\"}}");
	mk_connect_status_write(&account, &udf, &out);
	wrote("{\"ConnectStatus\":{\"Account\":\"alice@example.com\","
	    "\"DeviceUDF\":\"" UDF "\"}}");
}
END_TEST

START_TEST(publish)
{
	struct recipe recipe = { .n_devices = 1, .n_keys = 1 };
	static const struct made_edit edits[] = {
		{ "set", "\"Entries\":[", "\"Entries\" : [ {\"Junk\":{}}, "
		    "{\"SignedApplicationProfile\":{\"Identifier\":\"x\","
		    "\"SignedData\":7}}," }
	};
	struct made made, junk;
	struct mk_bytes set;
	const char *entries;

	made_set(&recipe, &made);
	recipe.edits = edits;
	recipe.n_edits = COUNT(edits);
	made_set(&recipe, &junk);
	set = (struct mk_bytes){ (const uint8_t *)junk.set.data,
	    junk.set.len };
	ck_assert_int_eq(mk_publish_write(&arena, &set, &out, &why), 0);
	entries = strstr(made.set.data, "\"Entries\"");
	ck_assert_ptr_nonnull(entries);
	ck_assert_uint_gt(out.len, 12);
	ck_assert_mem_eq(out.data, "{\"Publish\":{", 12);
	ck_assert_str_eq(out.data + 12, entries);
	set.len--;
	ck_assert_int_eq(mk_publish_write(&arena, &set, &out, &why),
	    MK_E_REFUSED);
	made_release(&made);
	made_release(&junk);
}
END_TEST

/* Over the maximum nothing is cut: it fails. */
START_TEST(publish_too_much)
{
	struct recipe recipe = { .n_devices = 1, .n_keys = 1 };
	struct mk_bytes set;
	struct made made;

	made_set(&recipe, &made);
	set = (struct mk_bytes){ (const uint8_t *)made.set.data,
	    made.set.len };
	out.max = 1000;
	ck_assert_int_eq(mk_publish_write(&arena, &set, &out, &why),
	    MK_E_REFUSED);
	ck_assert_ptr_nonnull(strstr(why.detail, "1000"));
	made_release(&made);
}
END_TEST

START_TEST(names)
{
	static const struct {
		const char *url, *name;
	} v[] = {
		{ "https://portal.example", "portal.example:443" },
		{ "HTTPS://Portal.Example/", "portal.example:443" },
		{ "http://portal.example/base?x", "portal.example:80" },
		{ "https://portal.example:8443/a/b", "portal.example:8443" },
		{ "https://portal.example:00443", "portal.example:443" },
		{ "http://127.0.0.1:1", "127.0.0.1:1" },
		{ "https://[::1]", "[::1]:443" },
		{ "https://[2001:DB8::A]:65535/", "[2001:db8::a]:65535" },
		{ "https://a_b-c.example.", "a_b-c.example.:443" },
		{ "https://" X250, X250 ":443" }
	};
	size_t i;

	for (i = 0; i < COUNT(v); i++) {
		ck_assert_int_eq(mk_portal_name(v[i].url, &out, &why), 0);
		wrote(v[i].name);
	}
}
END_TEST

START_TEST(bad_names)
{
	static const char *const v[] = { "", "portal.example",
	    "ftp://portal.example", "file:/srv", "https:/portal.example",
	    "https://", "https:///path", "https://:443", "https://a:",
	    "https://a:0", "https://a:65536", "https://a:100000",
	    "https://a:000443", "https://a:1x", "https://a:-1",
	    "https://a:1:2", "https://alice@a", "https://alice:b@a:443",
	    "https://a b", "https://a%41", "https://a\\b", "https://\xc3\xa4",
	    "https://::1", "https://[::1", "https://[]", "https://[::g]",
	    "https://[::1]x", "https://[fe80::1%eth0]", "https://a[::1]",
	    "https://" X250 X8, " https://a", "https://a\n" };
	size_t i;

	for (i = 0; i < COUNT(v); i++) {
		ck_assert_msg(mk_portal_name(v[i], &out, &why) ==
		    MK_E_CONFIG, "'%s' passed", v[i]);
		ck_assert_uint_eq(out.len, 0);
	}
}
END_TEST

START_TEST(typed_names)
{
	static const char *const bad[] = { "", ":443", "a:", "a:0", "a/b",
	    "https://a", "a:443/", "a b", "::1", "[::1]443" };
	size_t i;

	ck_assert(mk_portal_name_parse("Portal.example", &out));
	wrote("portal.example:443");
	ck_assert(mk_portal_name_parse("[::1]:8443", &out));
	wrote("[::1]:8443");
	for (i = 0; i < COUNT(bad); i++) {
		ck_assert_msg(!mk_portal_name_parse(bad[i], &out),
		    "'%s' passed", bad[i]);
		ck_assert_uint_eq(out.len, 0);
	}
	out.max = 5;
	ck_assert(!mk_portal_name_parse("a.example", &out));
}
END_TEST

static int
read_answer(const char *text, const char *transaction)
{
	struct mk_bytes bytes = { (const uint8_t *)text, strlen(text) };

	memset(&answer, 0x55, sizeof(answer));
	return mk_answer_read(&arena, &bytes, transaction, &answer, &why);
}

START_TEST(answers)
{
	ck_assert_int_eq(read_answer("{\"PublishResponse\":{\"Status\":201,"
	    "\"Other\":null}}", "Publish"), 0);
	ck_assert_int_eq(answer.status, 201);
	ck_assert_str_eq(answer.description, "");
	ck_assert_ptr_nonnull(mk_json_member(answer.body, "Other"));
	ck_assert_int_eq(read_answer(" {\"HelloResponse\" : {"
	    "\"StatusDescription\":\"\\u001b[2Jno\\nst\xc3\xa4r\\u007f\","
	    "\"Status\":429}}", "Hello"), 0);
	ck_assert_int_eq(answer.status, 429);
	ck_assert_str_eq(answer.description, "?[2Jno?st??r?");
	ck_assert_int_eq(read_answer("{\"HelloResponse\":{\"Status\":100,"
	    "\"StatusDescription\":\"" X250 "\"}}", "Hello"), 0);
	ck_assert_uint_eq(strlen(answer.description), 200);
	ck_assert_int_eq(read_answer("{\"HelloResponse\":{\"Status\":599}}",
	    "Hello"), 0);
}
END_TEST

START_TEST(bad_answers)
{
	static const char *const v[] = { "", "null", "[]", "{}", "{\"Hello\"",
	    "{\"Hello\":{\"Status\":201}}",
	    "{\"HelloResponseX\":{\"Status\":201}}",
	    "{\"PublishResponse\":{\"Status\":201}}",
	    "{\"HelloResponse\":{\"Status\":201},\"A\":1}",
	    "{\"HelloResponse\":[]}", "{\"HelloResponse\":null}",
	    "{\"HelloResponse\":{}}",
	    "{\"HelloResponse\":{\"Status\":\"201\"}}",
	    "{\"HelloResponse\":{\"Status\":99}}",
	    "{\"HelloResponse\":{\"Status\":600}}",
	    "{\"HelloResponse\":{\"Status\":-201}}",
	    "{\"HelloResponse\":{\"Status\":201.0}}",
	    "{\"HelloResponse\":{\"Status\":2e2}}",
	    "{\"HelloResponse\":{\"Status\":9007199254740992}}",
	    "{\"HelloResponse\":{\"Status\":201,\"Status\":201}}",
	    "{\"HelloResponse\":{\"Status\":201,\"StatusDescription\":1}}",
	    "{\"HelloResponse\":{\"Status\":201,\"A\":\"\n" X64 "\"}}" };
	size_t i;

	for (i = 0; i < COUNT(v); i++)
		ck_assert_msg(read_answer(v[i], "Hello") == MK_E_REFUSED,
		    "'%s' passed", v[i]);
	ck_assert_int_eq(read_answer("{}", X64), MK_E_REFUSED);
}
END_TEST

#define PENDING(list) \
	"{\"ConnectPendingResponse\":{\"Status\":201,\"Pending\":" list "}}"
#define ASKED		"\"SignedConnectionRequest\":{\"a\":\"b\"}"
#define PROVED		ASKED ",\"Witness\":\"" WITNESS "\""

START_TEST(pending)
{
	const struct mk_pending *list = NULL;
	size_t n = 9;

	ck_assert_int_eq(read_answer(PENDING("[]"), "ConnectPending"), 0);
	ck_assert_int_eq(mk_answer_pending(&arena, &answer, &list, &n, &why),
	    0);
	ck_assert_uint_eq(n, 0);
	ck_assert_uint_eq(answer.malformed, 0);
	ck_assert_int_eq(read_answer(PENDING("[{" ASKED "},1,{},"
	    "{\"SignedConnectionRequest\":\"x\"},{" ASKED ",\"Witness\":1},"
	    "{" ASKED ",\"Witness\":\"AAAA\"},{" PROVED "}]"),
	    "ConnectPending"), 0);
	ck_assert_int_eq(mk_answer_pending(&arena, &answer, &list, &n, &why),
	    0);
	ck_assert_uint_eq(n, 2);
	ck_assert_uint_eq(answer.malformed, 5);
	ck_assert(!list[0].has_witness && list[1].has_witness);
	ck_assert(mk_json_is(mk_json_member(list[1].request, "a"), "b"));
}
END_TEST

/* A long string in one request is no business of the others. */
START_TEST(pending_notes)
{
	const struct mk_pending *list = NULL;
	char text[20000];
	size_t n;

	(void)snprintf(text, sizeof(text), PENDING("[{" ASKED "},"
	    "{\"SignedConnectionRequest\":{\"a\":[\"%01500d\"]}},"
	    "{\"SignedConnectionRequest\":{\"%01025d\":\"%08193d\"}}]"),
	    0, 0, 0);
	ck_assert_int_eq(read_answer(text, "ConnectPending"), 0);
	ck_assert_uint_eq(answer.notes.long_strings, 3);
	ck_assert_int_eq(mk_answer_pending(&arena, &answer, &list, &n, &why),
	    0);
	ck_assert_uint_eq(n, 3);
	ck_assert_uint_eq(list[0].notes.long_strings, 0);
	ck_assert_uint_eq(list[1].notes.long_strings, 1);
	ck_assert_uint_eq(list[2].notes.long_strings, 2);
	ck_assert_uint_eq(list[2].notes.huge_strings, 1);
}
END_TEST

START_TEST(bad_pending)
{
	static const char *const v[] = { PENDING("null"), PENDING("{}"),
	    "{\"ConnectPendingResponse\":{\"Status\":201}}" };
	const struct mk_pending *list;
	struct mk_buf text;
	size_t i, n;

	for (i = 0; i < COUNT(v); i++) {
		ck_assert_int_eq(read_answer(v[i], "ConnectPending"), 0);
		ck_assert_int_eq(mk_answer_pending(&arena, &answer, &list,
		    &n, &why), MK_E_REFUSED);
	}
	mk_buf_init(&text, MAX);
	mk_buf_puts(&text,
	    "{\"ConnectPendingResponse\":{\"Status\":201,\"Pending\":[0");
	for (i = 0; i < MK_PENDING_MAX; i++)
		mk_buf_puts(&text, ",0");
	mk_buf_puts(&text, "]}}");
	ck_assert_int_eq(read_answer(text.data, "ConnectPending"), 0);
	ck_assert_int_eq(mk_answer_pending(&arena, &answer, &list, &n, &why),
	    MK_E_REFUSED);
	ck_assert_ptr_nonnull(strstr(why.detail, "256"));
	mk_buf_release(&text);
}
END_TEST

#define STATUS(members)	"{\"ConnectStatusResponse\":{\"Status\":201" members \
	"}}"
#define GIVEN		",\"SignedConnectionResult\":"

START_TEST(results)
{
	struct mk_pending result;

	ck_assert_int_eq(read_answer(STATUS(""), "ConnectStatus"), 0);
	ck_assert_int_eq(mk_answer_result(&answer, &result, &why), 0);
	ck_assert_ptr_null(result.request);
	ck_assert_int_eq(read_answer(STATUS(GIVEN "{},\"Witness\":\"" WITNESS
	    "\""), "ConnectStatus"), 0);
	ck_assert_int_eq(mk_answer_result(&answer, &result, &why), 0);
	ck_assert_ptr_nonnull(result.request);
	ck_assert(result.has_witness);
	ck_assert_int_eq(read_answer(STATUS(GIVEN "[]"), "ConnectStatus"),
	    0);
	ck_assert_int_eq(mk_answer_result(&answer, &result, &why),
	    MK_E_REFUSED);
	ck_assert_int_eq(read_answer(STATUS(GIVEN "{},\"Witness\":\"" WITNESS
	    "A\""), "ConnectStatus"), 0);
	ck_assert_int_eq(mk_answer_result(&answer, &result, &why),
	    MK_E_REFUSED);
}
END_TEST

START_TEST(their_clock)
{
	int64_t t = 0;

	ck_assert_int_eq(read_answer("{\"HelloResponse\":{\"Status\":201,"
	    "\"Time\":\"2026-03-01T12:00:00Z\"}}", "Hello"), 0);
	ck_assert_int_eq(mk_answer_time(&answer, &t, &why), 0);
	ck_assert_int_eq(t, 1772366400);
	ck_assert_int_eq(read_answer("{\"HelloResponse\":{\"Status\":201,"
	    "\"Time\":1772366400}}", "Hello"), 0);
	ck_assert_int_eq(mk_answer_time(&answer, &t, &why), MK_E_REFUSED);
	ck_assert_int_eq(read_answer("{\"HelloResponse\":{\"Status\":201}}",
	    "Hello"), 0);
	ck_assert_int_eq(mk_answer_time(&answer, &t, &why), MK_E_REFUSED);
}
END_TEST

#define VALID(members) \
	"{\"ValidateAccountResponse\":{\"Status\":201" members "}}"

START_TEST(valid)
{
	const char *reason = "unset";
	bool ok = false;

	ck_assert_int_eq(read_answer(VALID(",\"Valid\":true"),
	    "ValidateAccount"), 0);
	ck_assert_int_eq(mk_answer_valid(&arena, &answer, &ok, &reason,
	    &why), 0);
	ck_assert(ok);
	ck_assert_str_eq(reason, "");
	ck_assert_int_eq(read_answer(VALID(",\"Valid\":false,\"Reason\":"
	    "\"taken\\r\""), "ValidateAccount"), 0);
	ck_assert_int_eq(mk_answer_valid(&arena, &answer, &ok, &reason,
	    &why), 0);
	ck_assert(!ok);
	ck_assert_str_eq(reason, "taken?");
	ck_assert_int_eq(read_answer(VALID(",\"Valid\":1"),
	    "ValidateAccount"), 0);
	ck_assert_int_eq(mk_answer_valid(&arena, &answer, &ok, &reason,
	    &why), MK_E_REFUSED);
	ck_assert_int_eq(read_answer(VALID(",\"Valid\":true,\"Reason\":[]"),
	    "ValidateAccount"), 0);
	ck_assert_int_eq(mk_answer_valid(&arena, &answer, &ok, &reason,
	    &why), MK_E_REFUSED);
	ck_assert(!ok);
	ck_assert_int_eq(read_answer(VALID(""), "ValidateAccount"), 0);
	ck_assert_int_eq(mk_answer_valid(&arena, &answer, &ok, &reason,
	    &why), MK_E_REFUSED);
}
END_TEST

/* Reads a heap copy of exactly these bytes, and all that may be in it. */
static void
read_bytes(const char *s, size_t len)
{
	struct mk_bytes bytes = { .len = len };
	const struct mk_pending *list;
	struct mk_pending result;
	const char *reason;
	uint8_t *copy = malloc(len + (len == 0));
	size_t n;
	bool ok;
	int r;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, s, len);
	bytes.data = copy;
	mk_arena_release(&arena);
	mk_arena_init(&arena, MAX);
	r = mk_answer_read(&arena, &bytes, "ConnectPending", &answer, NULL);
	ck_assert(r == 0 || r == MK_E_REFUSED);
	if (r == 0) {
		(void)mk_answer_pending(&arena, &answer, &list, &n, NULL);
		(void)mk_answer_result(&answer, &result, NULL);
		(void)mk_answer_valid(&arena, &answer, &ok, &reason, NULL);
	}
	free(copy);
}

START_TEST(damaged)
{
	char text[] = "{\"ConnectPendingResponse\":{\"Status\":201,"
	    "\"StatusDescription\":\"fine\",\"Valid\":true,"
	    "\"Reason\":\"r\",\"SignedConnectionResult\":{},"
	    "\"Witness\":\"" WITNESS "\",\"Pending\":[{" PROVED "},{"
	    PROVED "}]}}";
	size_t i;

	for (i = 0; i < sizeof(text); i++)
		read_bytes(text, i);
	for (i = 0; i < (sizeof(text) - 1) * 8; i++) {
		text[i / 8] ^= (char)(1 << i % 8);
		read_bytes(text, sizeof(text) - 1);
		text[i / 8] ^= (char)(1 << i % 8);
	}
	ck_assert_int_eq(read_answer(text, "ConnectPending"), 0);
}
END_TEST

/* Want of memory is a refusal like others. */
START_TEST(arena_runs_out)
{
	static const char text[] = PENDING("[{" PROVED "},{" PROVED "}]");
	const struct mk_pending *list;
	size_t cap, n = 0;
	int r = -1;

	for (cap = 0; r != 0; cap += 24) {
		ck_assert_uint_le(cap, MAX);
		mk_arena_release(&arena);
		mk_arena_init(&arena, cap);
		r = read_answer(text, "ConnectPending");
		if (r == 0)
			r = mk_answer_pending(&arena, &answer, &list, &n,
			    &why);
		ck_assert(r == 0 || r == MK_E_REFUSED);
	}
	ck_assert_uint_eq(n, 2);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("transact");
	TCase *tc = tcase_create("transact");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, plain_requests);
	tcase_add_test(tc, publish);
	tcase_add_test(tc, publish_too_much);
	tcase_add_test(tc, names);
	tcase_add_test(tc, bad_names);
	tcase_add_test(tc, typed_names);
	tcase_add_test(tc, answers);
	tcase_add_test(tc, bad_answers);
	tcase_add_test(tc, pending);
	tcase_add_test(tc, pending_notes);
	tcase_add_test(tc, bad_pending);
	tcase_add_test(tc, results);
	tcase_add_test(tc, their_clock);
	tcase_add_test(tc, valid);
	tcase_add_test(tc, damaged);
	tcase_add_test(tc, arena_runs_out);
	suite_add_tcase(s, tc);
	return s;
}
