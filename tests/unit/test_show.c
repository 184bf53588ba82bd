/* SPDX-License-Identifier: ISC */
/* Texts of others, as people and programs are shown them. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <string.h>

#include "cmd/show.h"
#include "core/timestamp.h"
#include "unit/unit.h"

static struct mk_buf out;

static void
set_up(void)
{
	mk_buf_init(&out, 256);
}

static void
tear_down(void)
{
	mk_buf_release(&out);
}

/* Escapes of terminals, line feeds, UTF-8 and NUL become '?'. */
START_TEST(clean)
{
	show_clean(&out, "a\033[2J\n\x7f\xc3\xa4\0z~ ", 12);
	ck_assert_str_eq(out.data, "a?[2J????" "?z~");
}
END_TEST

START_TEST(count)
{
	show_count(&out, 0, "key");
	mk_buf_putc(&out, ' ');
	show_count(&out, 1, "key");
	mk_buf_putc(&out, ' ');
	show_count(&out, 2, "key");
	ck_assert_str_eq(out.data, "0 keys 1 key 2 keys");
}
END_TEST

START_TEST(json_string)
{
	show_json_string(&out, "a", "q\"b\\\n\xff", 6);
	ck_assert_str_eq(out.data, ",\"a\":\"q\\\"b\\\\??\"");
}
END_TEST

START_TEST(json_empty)
{
	show_json_string(&out, "a", NULL, 0);
	ck_assert_str_eq(out.data, ",\"a\":\"\"");
}
END_TEST

START_TEST(json_time)
{
	show_json_time(&out, "t", 1772366400);
	show_json_time(&out, "n", MK_TIME_NONE);
	show_json_number(&out, "i", UINT64_MAX);
	show_json_bool(&out, "b", true);
	ck_assert_str_eq(out.data, ",\"t\":\"2026-03-01T12:00:00Z\","
	    "\"n\":null,\"i\":18446744073709551615,\"b\":true");
}
END_TEST

/* With standard output on a new terminal, or on a pipe. */
static void
colour_on(bool terminal, const char *want)
{
	const int saved = dup(STDOUT_FILENO);
	int fd = terminal ? posix_openpt(O_RDWR | O_NOCTTY) : -1, ends[2];

	if (terminal) {
		ck_assert_int_ne(fd, -1);
	} else {
		ck_assert_int_eq(pipe(ends), 0);
		close(ends[0]);
		fd = ends[1];
	}
	fflush(stdout);
	ck_assert_int_ne(dup2(fd, STDOUT_FILENO), -1);
	mk_buf_cut(&out, 0);
	show_tone(&out, SHOW_BAD);
	ck_assert_int_ne(dup2(saved, STDOUT_FILENO), -1);
	close(saved);
	close(fd);
	ck_assert_str_eq(out.data != NULL ? out.data : "", want);
}

START_TEST(tone)
{
	unsetenv("NO_COLOR");
	setenv("TERM", "xterm", 1);
	colour_on(true, "\033[1;31m");
	colour_on(false, "");
	setenv("NO_COLOR", "", 1);
	colour_on(true, "\033[1;31m");
	setenv("NO_COLOR", "1", 1);
	colour_on(true, "");
	unsetenv("NO_COLOR");
	setenv("TERM", "dumb", 1);
	colour_on(true, "");
	unsetenv("TERM");
	colour_on(true, "");
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("show");
	TCase *tc = tcase_create("show");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, clean);
	tcase_add_test(tc, count);
	tcase_add_test(tc, json_string);
	tcase_add_test(tc, json_empty);
	tcase_add_test(tc, json_time);
	tcase_add_test(tc, tone);
	suite_add_tcase(s, tc);
	return s;
}
