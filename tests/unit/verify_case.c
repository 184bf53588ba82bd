/* SPDX-License-Identifier: ISC */
#include "verify_case.h"

#include <check.h>
#include <string.h>

struct made made;
static struct mk_arena arena;
struct mk_demand demand;
const struct mk_verified_view *view;
struct mk_why why;

void
case_setup(void)
{
	memset(&made, 0, sizeof(made));
	mk_arena_init(&arena, 0);
}

void
case_teardown(void)
{
	mk_arena_release(&arena);
	made_release(&made);
}

void
case_make(const struct recipe *recipe)
{
	made_release(&made);
	made_set(recipe, &made);
	demand = made_demand(&made);
}

int
case_verify(void)
{
	mk_arena_release(&arena);
	return made_verify(&arena, &demand, &view, &why);
}

void
case_accept(void)
{
	int r = case_verify();

	ck_assert_msg(r == 0, "%s: %s", why.stage, why.detail);
}

void
case_refuse(const char *stage, const char *words)
{
	int r = case_verify();

	ck_assert_msg(r == MK_E_REFUSED, "code %d for '%s'", r, words);
	ck_assert_msg(strcmp(why.stage, stage) == 0 &&
	    strstr(why.detail, words) != NULL,
	    "'%s: %s' instead of '%s: %s'", why.stage, why.detail, stage,
	    words);
}

size_t
case_count(enum mk_verdict verdict)
{
	size_t i, n = 0;

	for (i = 0; i < view->n_keys; i++)
		n += view->keys[i].verdict == verdict;
	return n;
}

/* The text with "@" replaced by a fingerprint; to be freed. */
char *
case_fill(const char *before, const char *text, const char *behind,
    const struct mk_udf *udf)
{
	char name[MK_UDF_TEXT + 1];
	struct mk_buf b;

	mk_udf_format(udf, name);
	mk_buf_init(&b, 1 << 20);
	mk_buf_puts(&b, before);
	for (; *text != '\0'; text++) {
		if (*text == '@')
			mk_buf_puts(&b, name);
		else
			mk_buf_putc(&b, *text);
	}
	mk_buf_puts(&b, behind);
	ck_assert_int_eq(b.failed, 0);
	return b.data;
}
