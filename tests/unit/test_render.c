/* SPDX-License-Identifier: ISC */
/* One key is one line, whatever stands in the profile. */
#include <stdio.h>
#include <string.h>

#include "core/render.h"
#include "make_set.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

/* The first line of a set with that DeviceDescription, as JSON has it. */
static void
render(const char *description, const char *options, struct mk_buf *out)
{
	struct made_edit edit = { "ssh", "\"DeviceUDF\":\"", NULL };
	struct recipe r = { .n_devices = 1, .n_keys = 1, .edits = &edit,
	    .n_edits = 1 };
	const struct mk_verified_view *view;
	struct mk_demand demand;
	struct mk_arena a;
	struct mk_why why;
	struct made made;
	char to[512];

	(void)snprintf(to, sizeof(to),
	    "\"DeviceDescription\":\"%s\",\"DeviceUDF\":\"", description);
	edit.to = to;
	made_set(&r, &made);
	demand = made_demand(&made);
	ck_assert_int_eq(made_verify(&a, &demand, &view, &why), 0);
	mk_buf_init(out, 4096);
	mk_render_line(&view->keys[0], options, out);
	ck_assert_int_eq(out->failed, 0);
	mk_arena_release(&a);
	made_release(&made);
}

/* What stands between the fingerprint and the end. */
static const char *
comment(const struct mk_buf *out)
{
	const char *p = strstr(out->data, " mesh:M");

	ck_assert_ptr_nonnull(p);
	return p + strlen(" mesh:") + MK_UDF_TEXT;
}

START_TEST(whole_line)
{
	struct mk_pubkey device, ssh;
	char udf[MK_UDF_TEXT + 1], line[512];
	struct mk_buf out, blob;

	render("laptop", "restrict,pty", &out);
	made_key("alice", "device0", &device, NULL);
	made_key("alice", "ssh0.0", &ssh, NULL);
	mk_udf_format(&device.udf, udf);
	mk_buf_init(&blob, 1024);
	mk_sshkey_from_ed25519(ssh.ed25519, &blob);
	ck_assert_uint_eq(blob.len, 51);
	mk_buf_b64std(&blob, (uint8_t *)blob.data, 51);
	(void)snprintf(line, sizeof(line),
	    "restrict,pty ssh-ed25519 %s mesh:%s laptop\n", blob.data + 51,
	    udf);
	ck_assert_str_eq(out.data, line);
	mk_buf_release(&blob);
	mk_buf_release(&out);
	render("laptop", "", &out);
	ck_assert_int_eq(strncmp(out.data, "ssh-ed25519 ", 12), 0);
	mk_buf_release(&out);
}
END_TEST

static const struct {
	const char *json, *comment;
} hostile[] = {
	{ "a\\nssh-ed25519 AAAA b", " a?ssh-ed25519 AAAA b\n" },
	{ "a\\r\\nb", " a??b\n" },
	{ "\\n", " ?\n" },
	{ "\\tx\\b\\f", " ?x??\n" },
	{ "\\u001b]0;x\\u0007", " ?]0;x?\n" },
	{ "\\u007f\x7f", " ??\n" },
	{ "\\u00e4\xc3\xa4", " ????\n" },
	{ "\\u2028\\u0085", " ?????\n" },
	{ "\\ud83d\\ude00", " ????\n" },
	{ "\\\"\\\\ #", " \"\\ #\n" },
	{ "command=\\\"id\\\" ", " command=\"id\" \n" },
	{ "", " a machine\n" },
	{ " ", "  \n" },
};

START_TEST(hostile_text)
{
	struct mk_buf out;
	size_t i;

	render(hostile[_i].json, "", &out);
	ck_assert_str_eq(comment(&out), hostile[_i].comment);
	ck_assert_ptr_eq(strchr(out.data, '\n'), out.data + out.len - 1);
	for (i = 0; i + 1 < out.len; i++)
		ck_assert(out.data[i] >= 0x20 && out.data[i] <= 0x7e);
	mk_buf_release(&out);
}
END_TEST

/* 64 bytes, which the form allows, come whole. */
START_TEST(longest)
{
	char text[65];
	struct mk_buf out;

	memset(text, 'x', 64);
	text[64] = '\0';
	render(text, "", &out);
	ck_assert_uint_eq(strlen(comment(&out)), 1 + 64 + 1);
	mk_buf_release(&out);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("render");
	TCase *tc = tcase_create("render");

	tcase_add_test(tc, whole_line);
	tcase_add_loop_test(tc, hostile_text, 0, (int)COUNT(hostile));
	tcase_add_test(tc, longest);
	suite_add_tcase(s, tc);
	return s;
}
