/* SPDX-License-Identifier: ISC */
/*
 * Sets as large and as odd as a stranger may send them: what they cost is
 * printed, and has to stay far below what would hurt.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "make_set.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define MANY_MS		20000.0	/* on a slow machine, with sanitizers */

static struct mk_why why;

/* Verifies and says what it took. */
static int
measure(const char *what, const struct mk_demand *demand,
    size_t *ret_usable)
{
	const struct mk_verified_view *view = NULL;
	struct timespec from, to;
	struct mk_arena a;
	double ms;
	size_t i;
	int r;

	(void)clock_gettime(CLOCK_MONOTONIC, &from);
	r = made_verify(&a, demand, &view, &why);
	(void)clock_gettime(CLOCK_MONOTONIC, &to);
	ms = (double)(to.tv_sec - from.tv_sec) * 1e3 +
	    (double)(to.tv_nsec - from.tv_nsec) / 1e6;
	printf("# %s: %zu bytes, %.0f ms, %zu KiB: %s\n", what,
	    demand->set_len, ms, a.used / 1024, r == 0 ? "accepted" :
	    why.detail);
	(void)fflush(stdout);
	*ret_usable = 0;
	for (i = 0; r == 0 && i < view->n_keys; i++)
		*ret_usable += view->keys[i].verdict == MK_KEY_USABLE;
	ck_assert(r == 0 || r == MK_E_REFUSED);
	ck_assert_uint_le(a.used, a.cap);
	ck_assert(ms < MANY_MS);
	mk_arena_release(&a);
	return r;
}

START_TEST(largest)
{
	struct recipe r = { .n_devices = MK_DEVICES_MAX,
	    .n_keys = MK_KEYS_PER_DEVICE, .openssh = true };
	struct mk_demand demand;
	struct made made;
	size_t usable;

	made_set(&r, &made);
	demand = made_demand(&made);
	demand.max_set = MK_SET_CEILING;
	ck_assert_int_eq(measure("1,024 devices of 8 keys", &demand,
	    &usable), 0);
	ck_assert_uint_eq(usable, MK_DEVICES_MAX * MK_KEYS_PER_DEVICE);
	made_release(&made);
}
END_TEST

static void
repeat(struct mk_buf *b, const char *s, size_t len)
{
	while (b->len + strlen(s) <= len)
		mk_buf_puts(b, s);
}

/* Names that follow one another, counted upwards or downwards. */
static void
put_members(struct mk_buf *b, unsigned n, bool down)
{
	char text[32];
	unsigned i;

	for (i = 0; i < n; i++) {
		(void)snprintf(text, sizeof(text), "\"%06x\":0,",
		    down ? n - i : i);
		mk_buf_puts(b, text);
	}
}

START_TEST(unknown_members)
{
	static const struct made_edit places[] = {
		{ "set", "\"Status\"", NULL },
		{ "personal", "\"Devices\"", NULL },
		{ "ssh", "\"Devices\"", NULL },
		{ "device0", "\"Names\"", NULL },
	};
	struct made_edit edit = places[_i / 2];
	struct recipe r = { .n_devices = 1, .n_keys = 1, .edits = &edit,
	    .n_edits = 1 };
	struct mk_demand demand;
	struct made made;
	struct mk_buf b;
	size_t usable;

	mk_buf_init(&b, MK_SET_CEILING);
	put_members(&b, 500000, _i % 2 != 0);
	mk_buf_puts(&b, edit.from);
	edit.to = b.data;
	made_set(&r, &made);
	demand = made_demand(&made);
	demand.max_set = MK_SET_CEILING;
	ck_assert_int_eq(measure("500,000 unknown members", &demand,
	    &usable), 0);
	ck_assert_uint_eq(usable, 1);
	made_release(&made);
	mk_buf_release(&b);
}
END_TEST

/* 4 MiB of one thing. */
static const struct {
	const char *start, *again, *end;
} texts[] = {
	{ "", "[", "" },
	{ "", "{\"a\":", "" },
	{ "[", "[],", "[]]" },
	{ "[", "{},", "{}]" },
	{ "[", "\"\",", "\"\"]" },
	{ "[", "0,", "0]" },
	{ "[", "[[[[[[[[[[[[[[[]]]]]]]]]]]]]]],", "0]" },
	{ "[\"", "\n", "\"]" },
	{ "[\"", "\\n", "\"]" },
	{ "[\"", "\\u0041", "\"]" },
	{ "[\"", "\xc3\xa4", "\"]" },
	{ "[\"", "\n", "\",]" },
	{ "{", "\"a\":0,", "\"b\":0}" },
	{ "{\"GetResponse\":{\"Status\":201,\"Entries\":[", "{\"a\":{}},",
	    "{}]}}" },
	{ "", " ", "" },
	{ "", "\"", "" },
	{ "", "x", "" },
	{ "[", "1e9", "]" },
	{ "[\"", "\\", "\"]" },
};

START_TEST(whole_texts)
{
	struct made none = { .set = { .len = 0 } };
	struct mk_demand demand = made_demand(&none);
	size_t usable, end = strlen(texts[_i].end);
	struct mk_buf b;
	char what[64];

	mk_buf_init(&b, MK_SET_MAX);
	mk_buf_puts(&b, texts[_i].start);
	repeat(&b, texts[_i].again, MK_SET_MAX - end);
	mk_buf_puts(&b, texts[_i].end);
	ck_assert_int_eq(b.failed, 0);
	demand.set = (const uint8_t *)b.data;
	demand.set_len = b.len;
	(void)snprintf(what, sizeof(what), "text %d", _i);
	ck_assert_int_eq(measure(what, &demand, &usable), MK_E_REFUSED);
	mk_buf_release(&b);
}
END_TEST

/* Arrays of the profile itself, as long as they fit. */
START_TEST(long_arrays)
{
	static const struct {
		const char *level, *from, *again;
	} arrays[] = {
		{ "personal", "\"Applications\":[", "{}," },
		{ "personal", "\"Devices\":[", "{}," },
		{ "ssh", "\"Devices\":[", "{}," },
		{ "ssh", "\"Devices\":[", "{\"SSHDevicePublic\":{}}," },
		{ "master", "\"OnlineSignatureKeys\":[", "{}," },
	};
	struct made_edit edit = { arrays[_i].level, arrays[_i].from, NULL };
	struct recipe r = { .n_devices = 1, .n_keys = 1, .edits = &edit,
	    .n_edits = 1 };
	struct mk_demand demand;
	struct made made;
	struct mk_buf b;
	size_t usable;

	mk_buf_init(&b, MK_SET_MAX);
	mk_buf_puts(&b, edit.from);
	repeat(&b, arrays[_i].again, MK_SET_MAX / 3);
	edit.to = b.data;
	made_set(&r, &made);
	demand = made_demand(&made);
	ck_assert_int_eq(measure(arrays[_i].from, &demand, &usable),
	    MK_E_REFUSED);
	made_release(&made);
	mk_buf_release(&b);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("hostile");
	TCase *tc = tcase_create("hostile");

	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, largest);
	tcase_add_loop_test(tc, unknown_members, 0, 8);
	tcase_add_loop_test(tc, whole_texts, 0, (int)COUNT(texts));
	tcase_add_loop_test(tc, long_arrays, 0, 5);
	suite_add_tcase(s, tc);
	return s;
}
