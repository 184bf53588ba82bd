/* SPDX-License-Identifier: ISC */
/* Which entries of a portal's answer count. */
#include <stdio.h>
#include <string.h>

#include "core/set.h"
#include "make_set.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define TOP(x)		"{\"GetResponse\":{\"Status\":201,\"Entries\":[" x \
			"]}}"
#define P		"{\"SignedPersonalProfile\":{\"x\":1}}"
#define S(id)		"{\"SignedApplicationProfile\":{\"Identifier\":\"" id \
			"\"}}"

static struct mk_arena arena;
static struct mk_json_notes notes;
static struct mk_why why;

static void
setup(void)
{
	mk_arena_init(&arena, 1 << 20);
	memset(&notes, 0, sizeof(notes));
}

static void
teardown(void)
{
	mk_arena_release(&arena);
}

static int
parse(const char *s, struct mk_set *set)
{
	struct mk_json_text text = { .s = s, .len = strlen(s),
	    .stage = "set", .notes = &notes };

	return mk_set_parse(&arena, &text, set, &why);
}

static const struct {
	const char *text, *words;	/* NULL: accepted */
} sets[] = {
	{ TOP(P), NULL },
	{ " " TOP(P) "\n", NULL },
	{ TOP("{\"Other\":[]}," P ",{\"SignedDeviceProfile\":null}"), NULL },
	{ "{\"GetResponse\":{\"A\":null,\"Status\":201,\"Entries\":[" P
	    "],\"StatusDescription\":\"x\"}}", NULL },
	{ "", "empty" },
	{ "[]", "not an object" },
	{ "{}", "exactly one member" },
	{ "{\"GetResponse\":[]}", "not an object" },
	{ "{\"getResponse\":{}}", "exactly one member" },
	{ "{\"GetResponse\":{\"Entries\":[" P "]}}", "'Status' is missing" },
	{ "{\"GetResponse\":{\"Status\":201}}", "'Entries' is missing" },
	{ "{\"GetResponse\":{\"Status\":201,\"Entries\":{}}}", "an array" },
	{ "{\"GetResponse\":{\"Status\":2010,\"Entries\":[]}}", "not 201" },
	{ "{\"GetResponse\":{\"Status\":-201,\"Entries\":[]}}", "not 201" },
	{ "{\"GetResponse\":{\"Status\":404,\"Entries\":[]}}", "not 201" },
	{ "{\"GetResponse\":{\"Status\":2.01e2,\"Entries\":[]}}", "201" },
	{ TOP(""), "missing" },
	{ TOP("{}"), "one member" },
	{ TOP(P ",{}"), "one member" },
	{ TOP(P ",null"), "one member" },
	{ TOP("{\"A\":1,\"B\":2}"), "one member" },
	{ TOP(P "," P), "two of" },
	{ TOP(P) TOP(P), "behind the end" },
	{ TOP(P) "x", "behind the end" },
};

START_TEST(texts)
{
	struct mk_set set = { 0 };
	int r = parse(sets[_i].text, &set);

	if (sets[_i].words == NULL) {
		ck_assert_msg(r == 0, "%s", why.detail);
		ck_assert_ptr_nonnull(mk_json_member(set.personal, "x"));
		return;
	}
	ck_assert_int_eq(r, MK_E_REFUSED);
	ck_assert_msg(strstr(why.detail, sets[_i].words) != NULL,
	    "'%s' for %s", why.detail, sets[_i].text);
	ck_assert_ptr_null(set.personal);
}
END_TEST

START_TEST(entries_limit)
{
	struct mk_set set;
	struct mk_buf b;
	size_t n, i;
	int r;

	for (n = 64; n <= 65; n++) {
		mk_buf_init(&b, 1 << 16);
		mk_buf_puts(&b, "{\"GetResponse\":{\"Status\":201,"
		    "\"Entries\":[" P);
		for (i = 1; i < n; i++)
			mk_buf_puts(&b, "," S("a"));
		mk_buf_puts(&b, "]}}");
		r = parse(b.data, &set);
		ck_assert_int_eq(r, n == 64 ? 0 : MK_E_REFUSED);
		mk_buf_release(&b);
	}
	ck_assert_ptr_nonnull(strstr(why.detail, "limit of 64"));
}
END_TEST

START_TEST(applications)
{
	const struct mk_text a = { "a", 1 }, b = { "b", 1 }, c = { "ab", 2 };
	const struct mk_json *app;
	struct mk_set set;

	ck_assert_int_eq(parse(TOP(S("a") "," P "," S("b") "," S("b")
	    ",{\"SignedApplicationProfile\":7},{\"SignedApplicationProfile\":"
	    "{\"Identifier\":7}},{\"Other\":{\"Identifier\":\"ab\"}}"),
	    &set), 0);
	ck_assert_int_eq(mk_set_application(&set, &a, &app, &why), 0);
	ck_assert(mk_json_is(mk_json_member(app, "Identifier"), "a"));
	ck_assert_int_eq(mk_set_application(&set, &b, &app, &why),
	    MK_E_REFUSED);
	ck_assert_ptr_nonnull(strstr(why.detail, "two of"));
	ck_assert_int_eq(mk_set_application(&set, &c, &app, &why),
	    MK_E_REFUSED);
	ck_assert_ptr_nonnull(strstr(why.detail, "missing"));
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("set");
	TCase *tc = tcase_create("set");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, texts, 0, (int)COUNT(sets));
	tcase_add_test(tc, entries_limit);
	tcase_add_test(tc, applications);
	suite_add_tcase(s, tc);
	return s;
}
