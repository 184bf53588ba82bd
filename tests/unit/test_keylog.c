/* SPDX-License-Identifier: ISC */
/*
 * The list of keys ever seen: written, read again and kept, every form of
 * damage, its bound, and the proofs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/keylog.h"
#include "core/limits.h"
#include "core/sshkey.h"
#include "core/sshsig.h"
#include "core/sshwire.h"
#include "core/timestamp.h"
#include "core/verify.h"
#include "make_set.h"
#include "make_sshsig.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define NOW		MADE_NOW
#define NOW_TEXT	"2026-03-01T12:00:00Z"
#define HOUR_TEXT	"2026-03-01T13:00:00Z"
#define KEYS		8
#define U1		"MAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA"
#define U2		"MAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AAAAB"
#define RANDOM		"RAAAA-BBBBB-CCCCC-DDDDD-EEEEE-FFFFF"
#define TYPE		"ssh-ed25519"
#define B64		"AAAAC3NzaC1lZDI1NTE5AAAAIAqwTTYK6J5KhODVZHflgDoqIB" \
			"O8dhpr2ymj8MSl7IT7"
#define KEY		TYPE " " B64
#define TIMES		" 2026-01-02T03:04:05Z 2026-01-02T03:04:06Z "
#define LINE		KEY " " U1 TIMES "no\n"

static struct mk_arena arena, work;
static struct mk_buf out;
static struct mk_verified_view view;
static struct mk_verified_key keys[KEYS];
static struct mk_ssh_device devices[KEYS];
static struct mk_why why;
static size_t left_out;

static void
setup(void)
{
	struct mk_pubkey master;

	mk_arena_init(&arena, 64 << 20);
	mk_arena_init(&work, mk_verify_memory(0));
	mk_buf_init(&out, MK_KEYLOG_BYTES);
	memset(keys, 0, sizeof(keys));
	memset(devices, 0, sizeof(devices));
	made_key("alice", "master", &master, NULL);
	view = (struct mk_verified_view){ .udf = master.udf, .keys = keys };
}

static void
teardown(void)
{
	mk_buf_release(&out);
	mk_arena_release(&work);
	mk_arena_release(&arena);
}

static const char *
kept(struct mk_buf *b)
{
	const char *s = mk_arena_dup(&arena, b->data, b->len);

	ck_assert_int_eq(b->failed, 0);
	ck_assert_ptr_nonnull(s);
	mk_buf_release(b);
	return s;
}

/* One more key of the view: that of a role, on a device of a number. */
static struct mk_ssh_device *
add(const char *role, unsigned device)
{
	struct mk_ssh_device *d = &devices[view.n_keys];
	struct mk_pubkey key;
	struct mk_buf blob;
	size_t len;

	made_key("alice", role, &key, NULL);
	mk_buf_init(&blob, MK_STRING_LONG);
	mk_sshkey_from_ed25519(key.ed25519, &blob);
	len = blob.len;
	ck_assert_int_eq(mk_sshkey_parse((const uint8_t *)kept(&blob), len,
	    &d->key, NULL), 0);
	d->device = made_udf(device);
	ck_assert_uint_eq(mk_udf_type(&d->device), MK_UDF_KEY);
	keys[view.n_keys++].ssh = d;
	return d;
}

/* A proof by a role, over a message, or over the right one. */
static void
prove(struct mk_ssh_device *d, const char *role, const char *name_space,
    const char *msg)
{
	struct sshsig_form form = { .name_space = name_space };
	uint8_t sk[MK_ED25519_SECRET];
	char text[2 * MK_UDF_TEXT + 2];
	struct mk_buf sig, proof;
	struct mk_pubkey key;

	mk_udf_format(&view.udf, text);
	text[MK_UDF_TEXT] = ' ';
	mk_udf_format(&d->device, text + MK_UDF_TEXT + 1);
	made_key("alice", role, &key, sk);
	mk_buf_init(&sig, MK_STRING_LONG);
	mk_buf_init(&proof, MK_STRING_LONG);
	made_sshsig(sk, &form, msg != NULL ? msg : text, &sig);
	mk_buf_b64url(&proof, (const uint8_t *)sig.data, sig.len);
	d->proof.len = proof.len;
	d->proof.s = kept(&proof);
	mk_buf_release(&sig);
}

/* Updates a copy of exactly this size. */
static int
update_bytes(const char *old, size_t len, int64_t now)
{
	uint8_t *copy = malloc(len + (len == 0));
	struct mk_keylog log = { .view = &view, .now = now };
	int r;

	mk_arena_release(&work);
	ck_assert_ptr_nonnull(copy);
	if (old != NULL) {
		memcpy(copy, old, len);
		log.old = (struct mk_bytes){ copy, len };
	}
	mk_buf_release(&out);
	memset(&why, 0, sizeof(why));
	left_out = 4711;
	r = mk_keylog_update(&work, &log, &out, &left_out, &why);
	ck_assert((r == 0) == (left_out != 4711));
	free(copy);
	return r;
}

static int
update(const char *old, int64_t now)
{
	return update_bytes(old, old != NULL ? strlen(old) : 0, now);
}

static const char *
text(void)
{
	return out.len > 0 ? out.data : "";
}

/* What stands in the file for a key. */
static const char *
expected(const struct mk_ssh_device *d, const char *times)
{
	char udf[MK_UDF_TEXT + 1];
	struct mk_buf b;

	mk_buf_init(&b, MK_STRING_LONG * 2);
	mk_buf_put(&b, d->key.name, d->key.name_len);
	mk_buf_putc(&b, ' ');
	mk_buf_b64std(&b, d->key.blob, d->key.len);
	mk_udf_format(&d->device, udf);
	mk_buf_putc(&b, ' ');
	mk_buf_puts(&b, udf);
	mk_buf_putc(&b, ' ');
	mk_buf_puts(&b, times);
	mk_buf_putc(&b, '\n');
	return kept(&b);
}

static const char *
joined(const char *a, const char *b)
{
	struct mk_buf all;

	mk_buf_init(&all, MK_KEYLOG_BYTES);
	mk_buf_puts(&all, a);
	mk_buf_puts(&all, b);
	return kept(&all);
}

START_TEST(first_and_later)
{
	struct mk_ssh_device *a, *b, *c;
	const char *old;

	ck_assert_int_eq(update(NULL, NOW), 0);
	ck_assert_str_eq(text(), "");
	ck_assert_int_eq(update("", NOW), 0);
	ck_assert_str_eq(text(), "");
	a = add("ssh0.0", 1);
	b = add("ssh0.1", 2);
	ck_assert_int_eq(update(NULL, NOW), 0);
	ck_assert_uint_eq(left_out, 0);
	old = joined(expected(a, NOW_TEXT " " NOW_TEXT " no"),
	    expected(b, NOW_TEXT " " NOW_TEXT " no"));
	ck_assert_str_eq(text(), old);
	/* One of them is gone, another is new. */
	c = add("ssh0.2", 1);
	keys[0].ssh = c;
	view.n_keys = 2;
	ck_assert_int_eq(update(old, NOW + MADE_HOUR), 0);
	ck_assert_str_eq(text(), joined(joined(
	    expected(a, NOW_TEXT " " NOW_TEXT " no"),
	    expected(b, NOW_TEXT " " HOUR_TEXT " no")),
	    expected(c, HOUR_TEXT " " HOUR_TEXT " no")));
}
END_TEST

/* The same key on another device is another line. */
START_TEST(moved_key)
{
	struct mk_ssh_device *a = add("ssh0.0", 1);
	const char *old = expected(a, NOW_TEXT " " NOW_TEXT " no");

	a->device = made_udf(2);
	ck_assert_int_eq(update(old, NOW + MADE_HOUR), 0);
	ck_assert_str_eq(text(), joined(old,
	    expected(a, HOUR_TEXT " " HOUR_TEXT " no")));
}
END_TEST

START_TEST(verdicts)
{
	struct mk_ssh_device *a = add("ssh0.0", 1);
	enum mk_verdict v;
	bool want;

	for (v = MK_KEY_USABLE; v <= MK_KEY_HOST; v++) {
		keys[0].verdict = v;
		want = v != MK_KEY_HOST && v != MK_KEY_NOT_LISTED;
		ck_assert_int_eq(update(NULL, NOW), 0);
		ck_assert_str_eq(text(), want ?
		    expected(a, NOW_TEXT " " NOW_TEXT " no") : "");
	}
}
END_TEST

/* A clock whose time has no form: "-", and no news of an old key. */
START_TEST(no_clock)
{
	struct mk_ssh_device *a = add("ssh0.0", 1);
	const char *old;

	ck_assert_int_eq(update(NULL, 0), 0);
	old = expected(a, "- - no");
	ck_assert_str_eq(text(), old);
	ck_assert_int_eq(update(old, NOW), 0);
	ck_assert_str_eq(text(), expected(a, "- " NOW_TEXT " no"));
	old = expected(a, NOW_TEXT " " HOUR_TEXT " no");
	ck_assert_int_eq(update(old, 0), 0);
	ck_assert_str_eq(text(), old);
	ck_assert_int_eq(update(old, INT64_MAX), 0);
	ck_assert_str_eq(text(), old);
	ck_assert_int_eq(update(old, NOW), 0);
	ck_assert_str_eq(text(), expected(a, NOW_TEXT " " NOW_TEXT " no"));
}
END_TEST

START_TEST(proofs)
{
	struct mk_ssh_device *a = add("ssh0.0", 1);
	const char *no = expected(a, NOW_TEXT " " NOW_TEXT " no");
	const char *yes = expected(a, NOW_TEXT " " NOW_TEXT " yes");
	struct mk_udf right = a->device;

	prove(a, "ssh0.0", MK_PROOF_NAMESPACE, NULL);
	ck_assert_int_eq(update(NULL, NOW), 0);
	ck_assert_str_eq(text(), yes);
	ck_assert_int_eq(update(no, NOW), 0);
	ck_assert_str_eq(text(), yes);
	/* For another device, of another profile. */
	a->device = made_udf(2);
	ck_assert_int_eq(update(NULL, NOW), 0);
	ck_assert_str_eq(text(), expected(a, NOW_TEXT " " NOW_TEXT " no"));
	a->device = right;
	view.udf.b[5] ^= 1;
	ck_assert_int_eq(update(NULL, NOW), 0);
	ck_assert_str_eq(text(), no);
	view.udf.b[5] ^= 1;
	/* By another key, for something else, of something else, cut. */
	prove(a, "ssh0.1", MK_PROOF_NAMESPACE, NULL);
	ck_assert_int_eq(update(NULL, NOW), 0);
	ck_assert_str_eq(text(), no);
	prove(a, "ssh0.0", "file", NULL);
	ck_assert_int_eq(update(NULL, NOW), 0);
	ck_assert_str_eq(text(), no);
	prove(a, "ssh0.0", MK_PROOF_NAMESPACE, U1 " " U2);
	ck_assert_int_eq(update(NULL, NOW), 0);
	ck_assert_str_eq(text(), no);
	prove(a, "ssh0.0", MK_PROOF_NAMESPACE, NULL);
	a->proof.len -= 4;
	ck_assert_int_eq(update(NULL, NOW), 0);
	ck_assert_str_eq(text(), no);
	/* Once proved, it stays so. */
	ck_assert_int_eq(update(yes, NOW), 0);
	ck_assert_str_eq(text(), yes);
	a->proof.len = 0;
	ck_assert_int_eq(update(yes, NOW), 0);
	ck_assert_str_eq(text(), yes);
	ck_assert_int_eq(update(no, NOW), 0);
	ck_assert_str_eq(text(), no);
}
END_TEST

static const char *const round_trips[] = {
	LINE,
	KEY " " U1 TIMES "yes\n",
	KEY " " U1 " - - no\n",
	KEY " " U1 " - 2199-12-31T23:59:59Z no\n",
	/* A clock went back. */
	KEY " " U1 " 2026-01-02T03:04:06Z 2026-01-02T03:04:05Z no\n",
	LINE KEY " " U2 TIMES "no\n",
	KEY " " U2 TIMES "no\n" LINE
};

START_TEST(keeps_old_lines)
{
	size_t i;

	for (i = 0; i < COUNT(round_trips); i++) {
		ck_assert_msg(update(round_trips[i], NOW) == 0, "%s",
		    why.detail);
		ck_assert_str_eq(text(), round_trips[i]);
	}
}
END_TEST

#define OTHER	KEY " " U2 TIMES "no\n"

static const struct damage {
	const char *text;
	unsigned line;
} damages[] = {
	{ "\n", 1 }, { " ", 1 }, { "x", 1 }, { "\r\n", 1 }, { "#\n", 1 },
	{ KEY " " U1 TIMES "no", 1 },
	{ KEY " " U1 TIMES "no\r\n", 1 },
	{ KEY " " U1 TIMES "no \n", 1 },
	{ KEY " " U1 TIMES "\n", 1 },
	{ KEY " " U1 TIMES "maybe\n", 1 },
	{ KEY " " U1 TIMES "No\n", 1 },
	{ KEY " " U1 TIMES "yes no\n", 1 },
	{ KEY " " U1 TIMES " no\n", 1 },
	{ " " LINE, 1 }, { "\t" LINE, 1 },
	{ KEY "  " U1 TIMES "no\n", 1 },
	{ TYPE "  " B64 " " U1 TIMES "no\n", 1 },
	{ TYPE " " U1 TIMES "no\n", 1 },
	{ B64 " " U1 TIMES "no\n", 1 },
	{ KEY TIMES "no\n", 1 },
	{ "ssh-rsa " B64 " " U1 TIMES "no\n", 1 },
	{ KEY "= " U1 TIMES "no\n", 1 },
	{ KEY "AAAA " U1 TIMES "no\n", 1 },
	{ TYPE " AAAAC3NzaC1lZDI1NTE5AAAAIA== " U1 TIMES "no\n", 1 },
	{ KEY " " RANDOM TIMES "no\n", 1 },
	{ KEY " maaaa-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA" TIMES "no\n", 1 },
	{ KEY " MAAAA-AAAAA-AAAAA-AAAAA-AAAAA" TIMES "no\n", 1 },
	{ KEY " " U1 " - no\n", 1 },
	{ KEY " " U1 " -- - no\n", 1 },
	{ KEY " " U1 " 2026-02-30T03:04:05Z - no\n", 1 },
	{ KEY " " U1 " - 2026-01-02T03:04:05 no\n", 1 },
	{ KEY " " U1 " ? - no\n", 1 },
	{ LINE LINE, 2 }, { LINE OTHER LINE, 3 }, { OTHER LINE LINE, 3 },
	{ LINE KEY " " U1 " - - yes\n", 2 },
	{ LINE "\n" OTHER, 2 }, { LINE "\n", 2 }, { LINE OTHER "x", 3 }
};

START_TEST(refuses_damage)
{
	const struct damage *d = &damages[_i];
	char words[64];

	add("ssh0.0", 1);
	ck_assert_msg(update(d->text, NOW) == MK_E_SYSTEM, "%s", d->text);
	(void)snprintf(words, sizeof(words), "damaged at line %u", d->line);
	ck_assert_msg(strstr(why.detail, words) != NULL, "'%s' for '%s'",
	    why.detail, words);
}
END_TEST

/* Each octet of a line means something, and each cut is seen. */
START_TEST(every_octet)
{
	char line[] = LINE;
	size_t i;

	for (i = 0; i < strlen(LINE); i++) {
		ck_assert_int_eq(update_bytes(line, i, NOW),
		    i == 0 ? 0 : MK_E_SYSTEM);
		line[i] = '\0';
		ck_assert_int_eq(update_bytes(line, strlen(LINE), NOW),
		    MK_E_SYSTEM);
		line[i] = LINE[i];
	}
}
END_TEST

/* One line for each of 'n' devices. */
static const char *
many(unsigned n)
{
	char udf[MK_UDF_TEXT + 1];
	struct mk_udf device;
	struct mk_buf b;
	unsigned i;

	mk_buf_init(&b, MK_KEYLOG_BYTES);
	for (i = 0; i < n; i++) {
		device = made_udf(1000 + i);
		mk_udf_format(&device, udf);
		mk_buf_puts(&b, KEY " ");
		mk_buf_puts(&b, udf);
		mk_buf_puts(&b, " - - no\n");
	}
	return kept(&b);
}

START_TEST(bound)
{
	struct mk_ssh_device *a = add("ssh0.0", 1);
	const char *full = many(MK_KEYLOG_MAX);
	const char *line = expected(a, NOW_TEXT " " NOW_TEXT " no");

	add("ssh0.1", 1);
	ck_assert_int_eq(update(many(MK_KEYLOG_MAX - 1), NOW), 0);
	ck_assert_uint_eq(left_out, 1);
	ck_assert_str_eq(text(), joined(many(MK_KEYLOG_MAX - 1), line));
	ck_assert_int_eq(update(full, NOW), 0);
	ck_assert_uint_eq(left_out, 2);
	ck_assert_str_eq(text(), full);
	/* Full, but what is there gets its time. */
	ck_assert_int_eq(update(joined(many(MK_KEYLOG_MAX - 1), line),
	    NOW + MADE_HOUR), 0);
	ck_assert_uint_eq(left_out, 1);
	ck_assert_str_eq(text(), joined(many(MK_KEYLOG_MAX - 1),
	    expected(a, NOW_TEXT " " HOUR_TEXT " no")));
	ck_assert_int_eq(update(many(MK_KEYLOG_MAX + 1), NOW), MK_E_SYSTEM);
	ck_assert_ptr_nonnull(strstr(why.detail, "line 4097"));
}
END_TEST

/* Nothing is cut for want of room. */
START_TEST(small_room)
{
	add("ssh0.0", 1);
	out.max = 100;
	ck_assert_int_eq(update(NULL, NOW), MK_E_REFUSED);
}
END_TEST

/* What a reader was shown last, and how often. */
static struct mk_keylog_line shown;
static unsigned n_shown;

static void
see(void *arg, const struct mk_keylog_line *line, const struct mk_sshkey *key)
{
	ck_assert_ptr_eq(arg, &n_shown);
	ck_assert_uint_eq(line->number, ++n_shown);
	ck_assert_uint_eq(key->type, MK_SSH_ED25519);
	ck_assert_uint_eq(key->len, 51);
	shown = *line;
}

static int
read_all(const char *text)
{
	const struct mk_keylog_reader reader = { see, &n_shown };
	const struct mk_bytes bytes = { (const uint8_t *)text,
	    text != NULL ? strlen(text) : 0 };

	n_shown = 0;
	memset(&why, 0, sizeof(why));
	return mk_keylog_each(&bytes, &reader, &why);
}

/* Each line in its order, up to the damage. */
START_TEST(read_back)
{
	struct mk_udf udf;

	ck_assert_int_eq(read_all(NULL), 0);
	ck_assert_uint_eq(n_shown, 0);
	ck_assert_int_eq(read_all(LINE KEY " " U2 " - "
	    "2026-01-02T03:04:06Z yes\n"), 0);
	ck_assert_uint_eq(n_shown, 2);
	ck_assert(mk_udf_parse(U2, MK_UDF_TEXT, &udf));
	ck_assert(mk_udf_cmp(&shown.device, &udf) == 0);
	ck_assert_int_eq(shown.first, MK_TIME_NONE);
	ck_assert_int_eq(shown.last, 1767323046);
	ck_assert(shown.proof);
	ck_assert_uint_eq(shown.len, strlen(KEY));
	ck_assert_int_eq(memcmp(shown.text, KEY, shown.len), 0);
	ck_assert_int_eq(read_all(LINE LINE "damage\n" LINE), MK_E_SYSTEM);
	ck_assert_uint_eq(n_shown, 2);
	ck_assert_ptr_nonnull(strstr(why.detail, "line 3"));
	ck_assert_int_eq(read_all(LINE KEY), MK_E_SYSTEM);
	ck_assert_uint_eq(n_shown, 1);
	ck_assert_int_eq(read_all(many(MK_KEYLOG_MAX + 1)), MK_E_SYSTEM);
	ck_assert_uint_eq(n_shown, MK_KEYLOG_MAX);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *suite = suite_create("keylog");
	TCase *c = tcase_create("keylog");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 60);
	tcase_add_test(c, first_and_later);
	tcase_add_test(c, moved_key);
	tcase_add_test(c, verdicts);
	tcase_add_test(c, no_clock);
	tcase_add_test(c, proofs);
	tcase_add_test(c, keeps_old_lines);
	tcase_add_loop_test(c, refuses_damage, 0, COUNT(damages));
	tcase_add_test(c, every_octet);
	tcase_add_test(c, bound);
	tcase_add_test(c, small_room);
	tcase_add_test(c, read_back);
	suite_add_tcase(suite, c);
	return suite;
}
