/* SPDX-License-Identifier: ISC */
/* What comes back from a process that may have been taken over. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/meshkeys.h"
#include "unit/tree.h"
#include "unit/unit.h"

#define ROOM	64u

static struct meshkeys m;
static struct mk_buf text;

static void
setup(void)
{
	tree_setup();
	m = (struct meshkeys){ .keep = KEEP_CLOSED, .place = {
	    .ident = "test", .root_dir = tree_dir } };
	mk_buf_init(&m.out, 2 * ROOM);
	mk_buf_init(&text, ROOM);
}

static void
teardown(void)
{
	mk_buf_release(&text);
	mk_buf_release(&m.out);
	keep_close(&m.keep);
	tree_teardown();
}

/* Writes 'arg'. */
static int
says(struct meshkeys *meshkeys, void *arg)
{
	mk_buf_puts(&meshkeys->out, arg);
	return 0;
}

/* Refuses for a reason that no function of ours would give. */
static int
refuses(struct meshkeys *meshkeys, void *arg)
{
	struct mk_why *why = &meshkeys->why;

	(void)arg;
	memset(why->stage, 'x', sizeof(why->stage));
	memset(why->detail, 'y', sizeof(why->detail));
	memcpy(why->stage, "\033[2J", 4);
	memcpy(why->detail, "\033[31m\n\r", 7);
	return MK_E_REFUSED;
}

static int
dies(struct meshkeys *meshkeys, void *arg)
{
	(void)meshkeys;
	(void)arg;
	_exit(0);
}

START_TEST(text_is_cleaned)
{
	static char said[] = "a\n\tb\033[31m\x80";

	mk_buf_puts(&m.out, "kept");
	ck_assert_int_eq(meshkeys_apart(&m, says, said, &text), 0);
	ck_assert_str_eq(text.data, "a\n\tb?[31m?");
	ck_assert_str_eq(m.out.data, "kept");
}
END_TEST

START_TEST(reasons_are_cleaned)
{
	size_t i;

	ck_assert_int_eq(meshkeys_apart(&m, refuses, NULL, &text),
	    MK_E_REFUSED);
	ck_assert_int_eq(m.why.code, MK_E_REFUSED);
	ck_assert_int_eq(strncmp(m.why.stage, "?[2Jx", 5), 0);
	ck_assert_int_eq(strncmp(m.why.detail, "?[31m??y", 8), 0);
	ck_assert_uint_lt(strnlen(m.why.stage, sizeof(m.why.stage)),
	    sizeof(m.why.stage));
	for (i = 0; m.why.detail[i] != '\0'; i++)
		ck_assert_int_ge(m.why.detail[i], ' ');
	ck_assert_uint_lt(i, sizeof(m.why.detail));
	ck_assert_uint_eq(text.len, 0);
}
END_TEST

START_TEST(an_end_is_no_answer)
{
	ck_assert_int_eq(meshkeys_apart(&m, dies, NULL, &text), MK_E_BUG);
}
END_TEST

START_TEST(too_much)
{
	char said[ROOM + 2];

	memset(said, 'a', ROOM + 1);
	said[ROOM + 1] = '\0';
	ck_assert_int_eq(meshkeys_apart(&m, says, said, &text),
	    MK_E_REFUSED);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *suite = suite_create("apart");
	TCase *tc = tcase_create("apart");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, text_is_cleaned);
	tcase_add_test(tc, reasons_are_cleaned);
	tcase_add_test(tc, an_end_is_no_answer);
	tcase_add_test(tc, too_much);
	suite_add_tcase(suite, tc);
	return suite;
}
