/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/limits.h"
#include "core/portal.h"
#include "edge/portal_dir.h"
#include "net/fetch.h"
#include "tree.h"
#include "unit.h"

#define UDF	"MA6SH-QRVCQ-DA2ND-PJ4J7-SW3KF-VYCQU"

static struct mk_udf udf;
static struct mk_root root;
static struct mk_portal_dir portal;
static struct mk_file file;
static struct mk_why why;

static void
setup(void)
{
	tree_setup();
	ck_assert(mk_udf_parse(UDF, strlen(UDF), &udf));
	ck_assert_int_eq(mk_root_open(tree_dir, &root, &why), 0);
	portal = (struct mk_portal_dir){ &root, "/srv/mesh", 10 };
	tree_mkdir("/srv/mesh");
}

static void
teardown(void)
{
	mk_root_close(&root);
	tree_teardown();
}

START_TEST(urls)
{
	static const struct {
		const char *portal, *url;
	} v[] = {
		{ "https://example.net",
		    "https://example.net/.well-known/mmm/" UDF ".json" },
		{ "https://example.net//",
		    "https://example.net/.well-known/mmm/" UDF ".json" },
		{ "http://[::1]:8443/base/",
		    "http://[::1]:8443/base/.well-known/mmm/" UDF ".json" }
	};
	struct mk_buf out;
	size_t i;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		mk_buf_init(&out, 1024);
		mk_portal_url(v[i].portal, &udf, &out);
		ck_assert_str_eq(out.data, v[i].url);
		ck_assert_int_eq(mk_portal_kind(v[i].portal), MK_PORTAL_HTTP);
		mk_buf_release(&out);
	}
	mk_buf_init(&out, 1024);
	mk_portal_post_url("https://example.net/", &out);
	ck_assert_str_eq(out.data, "https://example.net/.well-known/mmm/");
	mk_buf_cut(&out, 0);
	mk_portal_get(&udf, &out);
	ck_assert_str_eq(out.data, "{\"Get\":{\"Identifier\":\"" UDF "\"}}");
	mk_buf_release(&out);
}
END_TEST

START_TEST(directories)
{
	static const char *const v[] = { "file:/srv", "FILE:/srv",
	    "file://srv", "file:///srv" };
	size_t i;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		ck_assert_int_eq(mk_portal_kind(v[i]), MK_PORTAL_FILE);
		ck_assert_str_eq(mk_portal_dir(v[i]), "/srv");
	}
}
END_TEST

static int
read_set(void)
{
	memset(&file, 0, sizeof(file));
	return mk_portal_dir_read(&portal, &udf, &file, &why);
}

START_TEST(files)
{
	ck_assert_int_eq(read_set(), MK_E_ABSENT);
	ck_assert_ptr_nonnull(strstr(why.detail, "/srv/mesh"));
	tree_text("/srv/mesh/" UDF ".json", "plain");
	ck_assert_int_eq(read_set(), 0);
	ck_assert_uint_eq(file.len, 5);
	mk_file_release(&file);
	tree_mkdir("/srv/mesh/.well-known/mmm");
	tree_text("/srv/mesh/.well-known/mmm/" UDF ".json", "0123456789");
	ck_assert_int_eq(read_set(), 0);
	ck_assert_mem_eq(file.data, "0123456789", 11);
	mk_file_release(&file);
	tree_text("/srv/mesh/.well-known/mmm/" UDF ".json", "0123456789a");
	ck_assert_int_eq(read_set(), MK_E_TOOBIG);
}
END_TEST

/* Nothing there makes us wait or leaves the root. */
START_TEST(not_files)
{
	const char *path = "/srv/mesh/" UDF ".json";

	ck_assert_int_eq(mkfifo(tree_path(path), 0644), 0);
	ck_assert_int_eq(read_set(), MK_E_PERM);
	ck_assert_int_eq(unlink(tree_path(path)), 0);
	ck_assert_int_eq(mkdir(tree_path(path), 0755), 0);
	ck_assert_int_eq(read_set(), MK_E_PERM);
	ck_assert_int_eq(rmdir(tree_path(path)), 0);
	ck_assert_int_eq(symlink("/etc/passwd", tree_path(path)), 0);
	ck_assert_int_eq(read_set(), MK_E_ABSENT);
}
END_TEST

#define CHANGES(members)	"{\"ChangesResponse\":{" members "}}"
#define STATUS			"\"Status\":201"
#define STORE			",\"Store\":\"s-1\""
#define NEXT			",\"Next\":7"
#define FEW			STATUS STORE NEXT
#define WITH(member)		CHANGES(FEW "," member)
#define IDS(list)		WITH("\"Identifiers\":[" list "]")
#define QUOTED(udf)		"\"" udf "\""
#define X8			"xxxxxxxx"
#define X64			X8 X8 X8 X8 X8 X8 X8 X8

static struct mk_arena arena;
static struct mk_changes changes;

static void
changes_setup(void)
{
	ck_assert(mk_udf_parse(UDF, strlen(UDF), &udf));
	mk_arena_init(&arena, MK_ARENA_FLOOR);
	memset(&why, 0, sizeof(why));
}

static void
changes_teardown(void)
{
	mk_arena_release(&arena);
}

/* Parses a heap copy of exactly 'len' bytes, which is gone afterwards. */
static int
parse_bytes(const char *s, size_t len)
{
	uint8_t *copy = malloc(len + (len == 0));
	struct mk_bytes answer = { copy, len };
	int r;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, s, len);
	r = mk_changes_parse(&arena, &answer, &changes, &why);
	memset(copy, '?', len);
	free(copy);
	return r;
}

static void
parse_good(const char *text)
{
	memset(&changes, 0xff, sizeof(changes));
	ck_assert_msg(parse_bytes(text, strlen(text)) == 0, "%s: %s", text,
	    why.detail);
}

static void
ask(const char *store, uint64_t since, unsigned n, const char *expected)
{
	struct mk_buf out;

	mk_buf_init(&out, 1024);
	mk_changes_begin(store, since, 60, &out);
	while (n-- > 0)
		mk_changes_add(&udf, &out);
	mk_changes_end(&out);
	ck_assert_int_eq(out.failed, 0);
	ck_assert_str_eq(out.data, expected);
	mk_buf_release(&out);
}

START_TEST(changes_asked)
{
	ask("", 0, 0, "{\"Changes\":{\"Store\":\"\",\"Since\":0,"
	    "\"Wait\":60,\"Identifiers\":[]}}");
	ask("s-1", ((uint64_t)1 << 53) - 1, 1,
	    "{\"Changes\":{\"Store\":\"s-1\",\"Since\":9007199254740991,"
	    "\"Wait\":60,\"Identifiers\":[\"" UDF "\"]}}");
	/* A portal may choose a name that would end the string. */
	ask("a\",\"\\", 5, 3, "{\"Changes\":{\"Store\":\"a\\\",\\\"\\\\\","
	    "\"Since\":5,\"Wait\":60,\"Identifiers\":["
	    QUOTED(UDF) "," QUOTED(UDF) "," QUOTED(UDF) "]}}");
}
END_TEST

/* As many as may be asked for at once fit a request. */
START_TEST(changes_asked_for_all)
{
	char store[MK_CHANGES_STORE + 1];
	struct mk_buf out;
	unsigned i;

	memset(store, '"', MK_CHANGES_STORE);
	store[MK_CHANGES_STORE] = '\0';
	mk_buf_init(&out, MK_FETCH_POST);
	mk_changes_begin(store, ((uint64_t)1 << 53) - 1, MK_CHANGES_WAIT,
	    &out);
	for (i = 0; i < MK_CHANGES_IDS; i++)
		mk_changes_add(&udf, &out);
	mk_changes_end(&out);
	ck_assert_int_eq(out.failed, 0);
	mk_buf_release(&out);
}
END_TEST

START_TEST(changes_answered)
{
	parse_good(CHANGES(FEW));
	ck_assert_str_eq(changes.store, "s-1");
	ck_assert_uint_eq(changes.next, 7);
	ck_assert(!changes.reset);
	ck_assert_uint_eq(changes.n, 0);
	parse_good(" " CHANGES("\"Identifiers\":[" QUOTED(UDF) ", "
	    "\"MAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA\"], \"Reset\" : true,\n"
	    "\"Next\":0, \"Store\":\"!\\\"\\\\\\u007e\", \"Status\":200,"
	    "\"StatusDescription\":\"\\n\", \"More\":[{\"Next\":-1}]") "\n");
	ck_assert_str_eq(changes.store, "!\"\\~");
	ck_assert_uint_eq(changes.next, 0);
	ck_assert(changes.reset);
	ck_assert_uint_eq(changes.n, 2);
	ck_assert_int_eq(mk_udf_cmp(&changes.udfs[0], &udf), 0);
	ck_assert_int_ne(mk_udf_cmp(&changes.udfs[1], &udf), 0);
	parse_good(WITH("\"Reset\":false"));
	ck_assert(!changes.reset);
	parse_good(IDS(""));
	ck_assert_uint_eq(changes.n, 0);
	parse_good(CHANGES(STATUS STORE ",\"Next\":9007199254740991"));
	ck_assert_uint_eq(changes.next, ((uint64_t)1 << 53) - 1);
	parse_good(CHANGES(STATUS ",\"Store\":\"" X64 "\"" NEXT));
	ck_assert_str_eq(changes.store, X64);
}
END_TEST

static const char *const bad_changes[] = {
	"", " ", "null", "[]", "{}", "201", "<html></html>",
	"{\"ChangesResponse\":[]}", "{\"ChangesResponse\":null}",
	CHANGES(""), CHANGES(FEW) "x", CHANGES(FEW) CHANGES(FEW),
	"\xef\xbb\xbf" CHANGES(FEW),
	"{" FEW "}", "[" CHANGES(FEW) "]",
	"{\"GetResponse\":{" FEW "}}",
	"{\"changesresponse\":{" FEW "}}",
	"{\"ChangesResponse\":{" FEW "},\"Status\":201}",
	/* members of one name, at any depth */
	"{\"ChangesResponse\":{" FEW "},\"ChangesResponse\":{" FEW "}}",
	WITH("\"Next\":8"), WITH("\"N\\u0065xt\":8"),
	WITH("\"Reset\":true,\"Reset\":false"),
	WITH("\"More\":{\"a\":1,\"a\":1}"),
	WITH("\"More\":[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]"),
	WITH("\"More\":\"\n\""), WITH("\"More\":\"\nfolded\""),
	WITH("\"More\":\"\\u0000\""),
	WITH("\"More\":\"\\ud800\""), WITH("\"More\":\"\xff\""),
	/* Status */
	CHANGES("\"Store\":\"s\",\"Next\":1"),
	CHANGES("\"Status\":\"201\"" STORE NEXT),
	CHANGES("\"Status\":404" STORE NEXT),
	CHANGES("\"Status\":202" STORE NEXT),
	CHANGES("\"Status\":2010" STORE NEXT),
	CHANGES("\"Status\":200.0" STORE NEXT),
	CHANGES("\"Status\":2e2" STORE NEXT),
	CHANGES("\"Status\":-201" STORE NEXT),
	CHANGES("\"Status\":0201" STORE NEXT),
	CHANGES("\"Status\":null" STORE NEXT),
	/* Store */
	CHANGES(STATUS NEXT),
	CHANGES(STATUS ",\"Store\":\"\"" NEXT),
	CHANGES(STATUS ",\"Store\":null" NEXT),
	CHANGES(STATUS ",\"Store\":1" NEXT),
	CHANGES(STATUS ",\"Store\":[\"s\"]" NEXT),
	CHANGES(STATUS ",\"Store\":\"a b\"" NEXT),
	CHANGES(STATUS ",\"Store\":\"a\\nb\"" NEXT),
	CHANGES(STATUS ",\"Store\":\"a\\u007f\"" NEXT),
	CHANGES(STATUS ",\"Store\":\"a\\u0000\"" NEXT),
	CHANGES(STATUS ",\"Store\":\"\xc3\xa4\"" NEXT),
	CHANGES(STATUS ",\"Store\":\"" X64 "x\"" NEXT),
	/* Next */
	CHANGES(STATUS STORE),
	CHANGES(STATUS STORE ",\"Next\":\"7\""),
	CHANGES(STATUS STORE ",\"Next\":null"),
	CHANGES(STATUS STORE ",\"Next\":true"),
	CHANGES(STATUS STORE ",\"Next\":-1"),
	CHANGES(STATUS STORE ",\"Next\":-0"),
	CHANGES(STATUS STORE ",\"Next\":+1"),
	CHANGES(STATUS STORE ",\"Next\":07"),
	CHANGES(STATUS STORE ",\"Next\":7.0"),
	CHANGES(STATUS STORE ",\"Next\":7e0"),
	CHANGES(STATUS STORE ",\"Next\":7E1"),
	CHANGES(STATUS STORE ",\"Next\":0x7"),
	CHANGES(STATUS STORE ",\"Next\":9007199254740992"),
	CHANGES(STATUS STORE ",\"Next\":18446744073709551617"),
	CHANGES(STATUS STORE ",\"Next\":10000000000000000000000000000000"),
	/* Reset */
	WITH("\"Reset\":null"), WITH("\"Reset\":0"), WITH("\"Reset\":1"),
	WITH("\"Reset\":\"true\""), WITH("\"Reset\":[]"),
	/* Identifiers */
	WITH("\"Identifiers\":null"), WITH("\"Identifiers\":{}"),
	WITH("\"Identifiers\":" QUOTED(UDF)),
	IDS("null"), IDS("1"), IDS("[]"), IDS("\"\""),
	IDS("[" QUOTED(UDF) "]"),
	IDS(QUOTED(UDF) ","),
	IDS(QUOTED(UDF) ",null"),
	IDS("\"ma6sh-qrvcq-da2nd-pj4j7-sw3kf-vycqu\""),
	IDS("\"MA6SHQRVCQDA2NDPJ4J7SW3KFVYCQU\""),
	IDS("\"MA6SH-QRVCQ-DA2ND-PJ4J7-SW3KF-VYCQ\""),
	IDS("\"MA6SH-QRVCQ-DA2ND-PJ4J7-SW3KF-VYCQUA\""),
	IDS("\" " UDF "\""), IDS("\"" UDF "\\n\""),
	IDS("\"../../etc/passwd\""),
	IDS("\"RA6SH-QRVCQ-DA2ND-PJ4J7-SW3KF-VYCQU\"")
};

START_TEST(changes_refused)
{
	const char *text = bad_changes[_i];

	memset(&changes, 0x55, sizeof(changes));
	ck_assert_msg(parse_bytes(text, strlen(text)) == MK_E_REFUSED, "%s",
	    text);
	ck_assert_int_eq(why.code, MK_E_REFUSED);
	ck_assert_str_ne(why.detail, "");
	ck_assert_uint_eq(changes.n, SIZE_MAX / 3);
}
END_TEST

/* A NUL is no end, and no byte may be missing. */
START_TEST(changes_cut)
{
	static const char text[] = IDS(QUOTED(UDF));
	size_t len;

	for (len = 0; len < strlen(text); len++)
		ck_assert_int_eq(parse_bytes(text, len), MK_E_REFUSED);
	ck_assert_int_eq(parse_bytes(text, len), 0);
	ck_assert_int_eq(parse_bytes(text, len + 1), MK_E_REFUSED);
}
END_TEST

static int
parse_many(unsigned n)
{
	struct mk_buf text;
	int r;

	mk_buf_init(&text, MK_CHANGES_MAX);
	mk_buf_puts(&text, "{\"ChangesResponse\":{" FEW
	    ",\"Identifiers\":[");
	while (n-- > 0)
		mk_changes_add(&udf, &text);
	mk_changes_end(&text);
	ck_assert_int_eq(text.failed, 0);
	r = parse_bytes(text.data, text.len);
	mk_buf_release(&text);
	return r;
}

START_TEST(changes_many)
{
	ck_assert_int_eq(parse_many(MK_CHANGES_IDS), 0);
	ck_assert_uint_eq(changes.n, MK_CHANGES_IDS);
	ck_assert_int_eq(mk_udf_cmp(&changes.udfs[MK_CHANGES_IDS - 1], &udf),
	    0);
	mk_arena_release(&arena);
	ck_assert_int_eq(parse_many(MK_CHANGES_IDS + 1), MK_E_REFUSED);
	ck_assert_ptr_nonnull(strstr(why.detail, "2001"));
}
END_TEST

START_TEST(changes_big)
{
	static const char text[] = CHANGES(FEW);
	static char big[MK_CHANGES_MAX + 1];
	size_t i;

	memset(big, ' ', sizeof(big));
	memcpy(big, text, strlen(text));
	ck_assert_int_eq(parse_bytes(big, MK_CHANGES_MAX), 0);
	ck_assert_int_eq(parse_bytes(big, MK_CHANGES_MAX + 1), MK_E_REFUSED);
	/* Small in bytes, large in memory: the arena bounds it. */
	memset(big, '1', sizeof(big));
	memcpy(big, "[1", 2);
	for (i = 2; i < MK_CHANGES_MAX - 1; i += 2)
		big[i] = ',';
	big[MK_CHANGES_MAX - 1] = ']';
	ck_assert_int_eq(parse_bytes(big, MK_CHANGES_MAX), MK_E_REFUSED);
	ck_assert_uint_le(arena.used, MK_ARENA_FLOOR);
}
END_TEST

static void
add_changes(Suite *s)
{
	TCase *tc = tcase_create("changes");

	tcase_add_checked_fixture(tc, changes_setup, changes_teardown);
	tcase_add_test(tc, changes_asked);
	tcase_add_test(tc, changes_asked_for_all);
	tcase_add_test(tc, changes_answered);
	tcase_add_loop_test(tc, changes_refused, 0,
	    (int)(sizeof(bad_changes) / sizeof(bad_changes[0])));
	tcase_add_test(tc, changes_cut);
	tcase_add_test(tc, changes_many);
	tcase_add_test(tc, changes_big);
	suite_add_tcase(s, tc);
}

Suite *
mk_suite(void)
{
	Suite *s = suite_create("portal");
	TCase *tc = tcase_create("portal");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, urls);
	tcase_add_test(tc, directories);
	tcase_add_test(tc, files);
	tcase_add_test(tc, not_files);
	suite_add_tcase(s, tc);
	add_changes(s);
	return s;
}
