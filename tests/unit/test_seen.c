/* SPDX-License-Identifier: ISC */
/*
 * The memory of a host: written and read back, every form of damage, and
 * how it grows.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/limits.h"
#include "core/seen.h"
#include "core/timestamp.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

#define D16		"0123456789abcdef"
#define D128		D16 D16 D16 D16 D16 D16 D16 D16
#define U1		"MAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA"
#define U2		"MAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AAAAB"
#define HEAD		"mesh-seen 1\n"
#define KEY		"key " D128 "\n"
#define MASTER		"master 2026-01-02T03:04:05Z " D128 "\n"
#define PERSONAL	"personal 2026-01-02T03:04:06Z " D128 "\n"
#define TIMED		HEAD KEY MASTER PERSONAL
#define PINNED		HEAD KEY "master - " D128 "\npersonal - " D128 \
			"\nssh - " D128 "\n"
#define ETAG		"etag \"x\" " D128 "\n"

static struct mk_arena arena;
static struct mk_why why;

static void
setup(void)
{
	mk_arena_init(&arena, 1 << 20);
	memset(&why, 0, sizeof(why));
}

static void
teardown(void)
{
	mk_arena_release(&arena);
}

/* Parses a heap copy of exactly 'len' bytes. */
static int
parse(const char *s, size_t len, struct mk_seen *seen)
{
	uint8_t *copy = malloc(len + (len == 0));
	int r;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, s, len);
	r = mk_seen_parse(&arena, copy, len, seen, &why);
	free(copy);
	return r;
}

static void
round_trip(const char *s)
{
	struct mk_seen seen;
	struct mk_buf out;

	ck_assert_msg(parse(s, strlen(s), &seen) == 0, "%s: %s", why.detail,
	    s);
	mk_buf_init(&out, MK_SEEN_MAX);
	mk_seen_render(&seen, &out);
	ck_assert_int_eq(out.failed, 0);
	ck_assert_str_eq(out.data, s);
	mk_buf_release(&out);
}

START_TEST(right_forms)
{
	round_trip(TIMED);
	round_trip(PINNED);
	round_trip(TIMED "deleted " U2 "\ndeleted " U1 "\n");
	round_trip(PINNED "deleted " U1 "\n");
	round_trip(TIMED ETAG);
	round_trip(TIMED "etag \"\" " D128 "\n");
	round_trip(TIMED "etag \"!#~\\\" " D128 "\n");
	round_trip(TIMED "deleted " U1 "\n" ETAG);
	round_trip(PINNED ETAG);
	/* Far ahead of any clock: no damage. */
	round_trip(HEAD KEY "master 2199-12-31T23:59:59Z " D128 "\n"
	    "personal 2199-12-31T23:59:59Z " D128 "\n");
}
END_TEST

START_TEST(fields)
{
	struct mk_seen seen;
	struct mk_udf udf;
	int64_t t;

	ck_assert_int_eq(parse(TIMED "deleted " U2 "\n" ETAG,
	    strlen(TIMED "deleted " U2 "\n" ETAG), &seen), 0);
	ck_assert(seen.version.timed);
	ck_assert(mk_time_parse("2026-01-02T03:04:05Z", 20, &t));
	ck_assert_int_eq(seen.version.master_time, t);
	ck_assert_int_eq(seen.version.personal_time, t + 1);
	ck_assert_uint_eq(seen.version.key[1], 0x23);
	ck_assert_uint_eq(seen.version.master[63], 0xef);
	ck_assert_str_eq(seen.etag, "\"x\"");
	ck_assert_uint_eq(seen.etag_digest[0], 1);
	ck_assert(mk_udf_parse(U2, MK_UDF_TEXT, &udf));
	ck_assert(mk_seen_deleted(&seen, &udf));
	ck_assert(mk_udf_parse(U1, MK_UDF_TEXT, &udf));
	ck_assert(!mk_seen_deleted(&seen, &udf));
	ck_assert_int_eq(parse(PINNED, strlen(PINNED), &seen), 0);
	ck_assert(!seen.version.timed);
	ck_assert_int_eq(seen.version.master_time, MK_TIME_NONE);
	ck_assert_ptr_null(seen.etag);
}
END_TEST

static const char *const damage[] = {
	"", "\n", " ", "mesh-seen 1", HEAD,
	/* Each line missing, twice, or at another place. */
	KEY MASTER PERSONAL, HEAD MASTER PERSONAL, HEAD KEY PERSONAL,
	HEAD KEY MASTER, HEAD HEAD KEY MASTER PERSONAL,
	HEAD KEY KEY MASTER PERSONAL, HEAD KEY MASTER MASTER PERSONAL,
	TIMED PERSONAL, HEAD MASTER KEY PERSONAL, HEAD KEY PERSONAL MASTER,
	KEY HEAD MASTER PERSONAL, TIMED ETAG "deleted " U1 "\n",
	TIMED ETAG ETAG, TIMED "ssh - " D128 "\n",
	HEAD KEY "master - " D128 "\npersonal - " D128 "\n",
	HEAD KEY "master - " D128 "\n" PERSONAL,
	HEAD KEY MASTER "personal - " D128 "\n",
	PINNED "ssh - " D128 "\n",
	HEAD KEY "master - " D128 "\npersonal - " D128
	    "\nssh 2026-01-02T03:04:05Z " D128 "\n",
	/* The first line. */
	"mesh-seen 2\n" KEY MASTER PERSONAL,
	"mesh-seen 1 \n" KEY MASTER PERSONAL,
	"mesh-seen 10\n" KEY MASTER PERSONAL,
	"Mesh-seen 1\n" KEY MASTER PERSONAL,
	" mesh-seen 1\n" KEY MASTER PERSONAL,
	"mesh-seen  1\n" KEY MASTER PERSONAL,
	"\xef\xbb\xbfmesh-seen 1\n" KEY MASTER PERSONAL,
	"mesh-seen 1\r\n" KEY MASTER PERSONAL,
	"#\n" TIMED,
	/* Digests. */
	HEAD "key 0123456789ABCDEF" D16 D16 D16 D16 D16 D16 D16 "\n"
	    MASTER PERSONAL,
	HEAD "key " D16 D16 D16 D16 D16 D16 D16 "\n" MASTER PERSONAL,
	HEAD "key " D128 "0\n" MASTER PERSONAL,
	HEAD "key " D128 "00\n" MASTER PERSONAL,
	HEAD "key  " D128 "\n" MASTER PERSONAL,
	HEAD "key " D128 " \n" MASTER PERSONAL,
	HEAD "key\t" D128 "\n" MASTER PERSONAL,
	HEAD "key " D128 "\r\n" MASTER PERSONAL,
	HEAD "key g123456789abcdef" D16 D16 D16 D16 D16 D16 D16 "\n"
	    MASTER PERSONAL,
	/* Times. */
	HEAD KEY "master 2026-01-02T03:04:05 " D128 "\n" PERSONAL,
	HEAD KEY "master 2026-02-30T03:04:05Z " D128 "\n" PERSONAL,
	HEAD KEY "master 2014-01-02T03:04:05Z " D128 "\n" PERSONAL,
	HEAD KEY "master 2026-01-02T03:04:05Z  " D128 "\n" PERSONAL,
	HEAD KEY "master " D128 "\n" PERSONAL,
	HEAD KEY "master ? " D128 "\n" PERSONAL,
	HEAD KEY "master -- " D128 "\n" PERSONAL,
	/* The end. */
	HEAD KEY MASTER "personal 2026-01-02T03:04:06Z " D128,
	TIMED "\n", TIMED " ", TIMED "x", TIMED "x\n",
	/* Tombstones. */
	TIMED "deleted " U1, TIMED "deleted\n", TIMED "deleted " U1 " \n",
	TIMED "deleted  " U1 "\n", TIMED "Deleted " U1 "\n",
	TIMED "deleted " U1 "\ndeleted " U1 "\n",
	TIMED "deleted " U1 "\ndeleted " U2 "\ndeleted " U1 "\n",
	TIMED "deleted maaaa-aaaaa-aaaaa-aaaaa-aaaaa-aaaaa\n",
	TIMED "deleted MAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
	TIMED "deleted RAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA\n",
	TIMED "deleted " U1 "\r\n", TIMED "deleted " U1 " " U2 "\n",
	/* The entity tag. */
	TIMED "etag \"x\"\n", TIMED "etag x " D128 "\n",
	TIMED "etag \" " D128 "\n", TIMED "etag  " D128 "\n",
	TIMED "etag W/\"x\" " D128 "\n", TIMED "etag \"x " D128 "\n",
	TIMED "etag \"a\"b\" " D128 "\n", TIMED "etag \"a b\" " D128 "\n",
	TIMED "etag \"a\x7f\" " D128 "\n", TIMED "etag \"a\xc3\" " D128 "\n",
	TIMED "etag \"x\"  " D128 "\n", TIMED "etag \"x\" " D16 "\n",
	TIMED "etag \"x\" " D128, TIMED "etag \"x\" " D128 "\n\n",
};

START_TEST(damaged)
{
	struct mk_seen seen = { .n_deleted = 7 };

	ck_assert_msg(parse(damage[_i], strlen(damage[_i]), &seen) ==
	    MK_E_SYSTEM, "accepted: %s", damage[_i]);
	ck_assert_int_eq(why.code, MK_E_SYSTEM);
	ck_assert_ptr_nonnull(strstr(why.detail, "damaged"));
	ck_assert_uint_eq(seen.n_deleted, 7);
}
END_TEST

/* Cut anywhere but behind a line that may be the last, it is damaged. */
START_TEST(cut_short)
{
	static const char text[] = PINNED "deleted " U1 "\n" ETAG;
	struct mk_seen seen;
	size_t len;
	bool whole;
	int r;

	for (len = 0; len < sizeof(text) - 1; len++) {
		mk_arena_release(&arena);
		r = parse(text, len, &seen);
		whole = len >= strlen(PINNED) && text[len - 1] == '\n';
		ck_assert_int_eq(r, whole ? 0 : MK_E_SYSTEM);
	}
	ck_assert_int_eq(parse(text, sizeof(text), &seen), MK_E_SYSTEM);
}
END_TEST

START_TEST(many_deleted)
{
	struct mk_seen seen;
	struct mk_buf text, out;
	struct mk_udf udf;
	char name[MK_UDF_TEXT + 1];
	unsigned i;

	mk_buf_init(&text, MK_SEEN_MAX);
	mk_buf_puts(&text, TIMED);
	for (i = 0; i < MK_DELETED_MAX; i++) {
		mk_udf_of_der(MK_UDF_HIGH_BITS, (uint8_t *)&i, sizeof(i),
		    &udf);
		mk_udf_format(&udf, name);
		mk_buf_puts(&text, "deleted ");
		mk_buf_puts(&text, name);
		mk_buf_putc(&text, '\n');
	}
	ck_assert_int_eq(parse(text.data, text.len, &seen), 0);
	ck_assert_uint_eq(seen.n_deleted, MK_DELETED_MAX);
	ck_assert(mk_seen_deleted(&seen, &udf));
	mk_buf_init(&out, MK_SEEN_MAX);
	mk_seen_render(&seen, &out);
	ck_assert_uint_eq(out.len, text.len);
	ck_assert_mem_eq(out.data, text.data, out.len);
	mk_buf_puts(&text, "deleted " U1 "\n");
	ck_assert_int_eq(parse(text.data, text.len, &seen), MK_E_SYSTEM);
	mk_buf_release(&text);
	mk_buf_release(&out);
}
END_TEST

START_TEST(too_long)
{
	struct mk_seen seen;
	struct mk_buf text;
	size_t i, fill = MK_SEEN_MAX - strlen(TIMED) - strlen(ETAG);

	mk_buf_init(&text, 2 * MK_SEEN_MAX);
	mk_buf_puts(&text, TIMED "etag \"x");
	for (i = 0; i < fill; i++)
		mk_buf_putc(&text, 'x');
	mk_buf_puts(&text, "\" " D128 "\n");
	ck_assert_uint_eq(text.len, MK_SEEN_MAX);
	ck_assert_int_eq(parse(text.data, text.len, &seen), 0);
	mk_buf_release(&text);
	mk_buf_puts(&text, TIMED "etag \"xx");
	for (i = 0; i < fill; i++)
		mk_buf_putc(&text, 'x');
	mk_buf_puts(&text, "\" " D128 "\n");
	ck_assert_int_eq(parse(text.data, text.len, &seen), MK_E_SYSTEM);
	mk_buf_release(&text);
}
END_TEST

static void
fill_udfs(struct mk_udf *list, unsigned from, unsigned n)
{
	unsigned i, v;

	for (i = 0; i < n; i++) {
		v = from + i;
		mk_udf_of_der(MK_UDF_HIGH_BITS, (uint8_t *)&v, sizeof(v),
		    &list[i]);
	}
}

/* Old ones stay, new ones come behind, the oldest fall out. */
START_TEST(advance)
{
	static struct mk_udf first[MK_DELETED_MAX], second[3];
	struct mk_version v = { .timed = true };
	struct mk_profile_version now = { &v, first, MK_DELETED_MAX };
	struct mk_seen one, two, three;

	fill_udfs(first, 0, MK_DELETED_MAX);
	fill_udfs(second, 5000, 3);
	ck_assert_int_eq(mk_seen_advance(&arena, NULL, &now, &one, &why), 0);
	ck_assert_uint_eq(one.n_deleted, MK_DELETED_MAX);
	ck_assert_mem_eq(one.deleted, first, sizeof(first));
	/* One that is known already takes no second place. */
	second[1] = first[9];
	now.deleted = second;
	now.n_deleted = 3;
	one.etag = "\"x\"";
	ck_assert_int_eq(mk_seen_advance(&arena, &one, &now, &two, &why), 0);
	ck_assert_uint_eq(two.n_deleted, MK_DELETED_MAX);
	ck_assert_mem_eq(two.deleted, first + 2,
	    (MK_DELETED_MAX - 2) * sizeof(first[0]));
	ck_assert_mem_eq(&two.deleted[MK_DELETED_MAX - 2], &second[0],
	    sizeof(second[0]));
	ck_assert_mem_eq(&two.deleted[MK_DELETED_MAX - 1], &second[2],
	    sizeof(second[2]));
	ck_assert_ptr_null(two.etag);
	/* A set that deletes nothing takes nothing back. */
	now.n_deleted = 0;
	ck_assert_int_eq(mk_seen_advance(&arena, &two, &now, &three, &why),
	    0);
	ck_assert_uint_eq(three.n_deleted, MK_DELETED_MAX);
}
END_TEST

START_TEST(advance_small)
{
	struct mk_version v = { .timed = true, .personal_time = 5 };
	struct mk_profile_version now = { &v, NULL, 0 };
	struct mk_udf gone[2];
	struct mk_seen seen;

	ck_assert_int_eq(mk_seen_advance(&arena, NULL, &now, &seen, &why),
	    0);
	ck_assert_uint_eq(seen.n_deleted, 0);
	ck_assert_int_eq(seen.version.personal_time, 5);
	fill_udfs(gone, 1, 2);
	ck_assert(!mk_seen_deleted(&seen, &gone[0]));
	now.deleted = gone;
	now.n_deleted = 2;
	ck_assert_int_eq(mk_seen_advance(&arena, &seen, &now, &seen, &why),
	    0);
	ck_assert_uint_eq(seen.n_deleted, 2);
}
END_TEST

/* A pinned set stays what it was, in each of its three parts. */
START_TEST(pinned)
{
	struct mk_version v = { .master_time = MK_TIME_NONE,
	    .personal_time = MK_TIME_NONE };
	enum mk_seen_order order = MK_SEEN_NEWER;
	struct mk_seen seen = { .version = v };
	uint8_t *parts[] = { v.master, v.personal, v.ssh };
	size_t i;

	ck_assert_int_eq(mk_seen_judge(&seen, &v, &order, &why), 0);
	ck_assert_int_eq(order, MK_SEEN_SAME);
	for (i = 0; i < COUNT(parts); i++) {
		parts[i][63] ^= 1;
		ck_assert_int_eq(mk_seen_judge(&seen, &v, &order, &why),
		    MK_E_REFUSED);
		ck_assert_ptr_nonnull(strstr(why.detail, "pinned"));
		parts[i][63] ^= 1;
	}
	v.timed = true;
	ck_assert_int_eq(mk_seen_judge(&seen, &v, &order, &why),
	    MK_E_REFUSED);
	ck_assert_ptr_nonnull(strstr(why.detail, "another generation"));
}
END_TEST

START_TEST(no_memory)
{
	struct mk_seen seen;
	size_t cap;
	int r = -1;

	for (cap = 0; r != 0; cap += 1000) {
		mk_arena_release(&arena);
		mk_arena_init(&arena, cap);
		r = parse(TIMED "deleted " U1 "\n" ETAG,
		    strlen(TIMED "deleted " U1 "\n" ETAG), &seen);
		ck_assert(r == 0 || r == MK_E_REFUSED);
		ck_assert_uint_lt(cap, 1 << 20);
	}
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("seen");
	TCase *tc = tcase_create("seen");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, right_forms);
	tcase_add_test(tc, fields);
	tcase_add_loop_test(tc, damaged, 0, (int)COUNT(damage));
	tcase_add_test(tc, cut_short);
	tcase_add_test(tc, many_deleted);
	tcase_add_test(tc, too_long);
	tcase_add_test(tc, advance);
	tcase_add_test(tc, advance_small);
	tcase_add_test(tc, pinned);
	tcase_add_test(tc, no_memory);
	suite_add_tcase(s, tc);
	return s;
}
