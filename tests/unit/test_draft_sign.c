/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "core/draft_impl.h"
#include "core/limits.h"
#include "draft_case.h"
#include "unit.h"

/* The oldest deletions fall out, one for each that comes in. */
START_TEST(many_deleted)
{
	static struct mk_udf deleted[MK_DELETED_MAX];
	struct recipe recipe = { .n_devices = 3, .n_keys = 1,
	    .deleted = deleted, .n_deleted = MK_DELETED_MAX };
	struct mk_udf a = dc_udf("device2"), b = dc_udf("device1");
	const struct mk_personal *p;
	unsigned i;

	for (i = 0; i < MK_DELETED_MAX; i++)
		deleted[i] = made_udf(i);
	dc_start(&recipe);
	dc_ok(dc_add("device7"));
	dc_ok(dc_delete("device7"));
	ck_assert(!mk_draft_unchanged(dc.draft));
	dc_next();
	dc_ok(dc_delete("device2"));
	dc_ok(dc_delete("device1"));
	dc_publish();
	p = dc.view->personal;
	ck_assert_uint_eq(p->n_deleted, MK_DELETED_MAX);
	ck_assert_mem_eq(p->deleted, deleted + 2,
	    (MK_DELETED_MAX - 2) * sizeof(*deleted));
	ck_assert_int_eq(mk_udf_cmp(&p->deleted[MK_DELETED_MAX - 2], &a), 0);
	ck_assert_int_eq(mk_udf_cmp(&p->deleted[MK_DELETED_MAX - 1], &b), 0);
}
END_TEST

/* Newest first, at most 32, never what was cut off. */
START_TEST(previous_versions)
{
	uint8_t history[40][MK_DIGEST];
	const struct mk_personal *p;
	unsigned i, k, n;

	dc_first();
	dc_publish();
	for (i = 0; i < 40; i++) {
		memcpy(history[i], dc.view->version.personal, MK_DIGEST);
		dc_publish();
		p = dc.view->personal;
		n = i + 1 < MK_PREVIOUS_MAX ? i + 1 : MK_PREVIOUS_MAX;
		ck_assert_uint_eq(p->n_previous, n);
		for (k = 0; k < n; k++)
			ck_assert_mem_eq(p->previous[k], history[i - k],
			    MK_DIGEST);
		/* The clock stood still. */
		ck_assert_int_eq(p->updated, MADE_NOW + 1 + i);
		ck_assert_int_eq(dc.view->master->updated, MADE_NOW);
	}
}
END_TEST

START_TEST(clocks)
{
	struct recipe recipe = { .n_devices = 1, .n_keys = 1,
	    .updated = MADE_NOW, .master_updated = MADE_NOW };

	dc_start(&recipe);
	dc.signing.now = MADE_NOW - MK_DAY + 1;
	dc_publish();
	ck_assert_int_eq(dc.view->personal->updated, MADE_NOW + 1);
	/* The next would be more than a day ahead. */
	dc_sign_refused("clock", "24 hours ahead of the clock");
	dc.signing.now -= 100 * MK_DAY;
	dc.signing.build_time = 0;
	dc_sign_refused("clock", "24 hours ahead of the clock");
	dc.signing.build_time = MADE_NOW + 1;
	dc.signing.now = MADE_NOW;
	dc_sign_refused("clock", "before the build");
	dc.signing.build_time = DC_BUILD;
	dc.signing.now = INT64_MAX;
	dc_sign_refused("clock", "years");
	dc.signing.now = MADE_NOW + 5;
	dc_publish();
	ck_assert_int_eq(dc.view->personal->updated, MADE_NOW + 5);
}
END_TEST

START_TEST(expiry)
{
	struct recipe recipe = { .n_devices = 1, .n_keys = 1 };

	dc_start(&recipe);
	dc.signing.expires = MADE_NOW;
	dc_sign_refused("personal", "'Expires'");
	dc.signing.expires = INT64_MAX;
	dc_sign_refused("personal", "'Expires'");
	dc.signing.expires = MADE_NOW + 1;
	dc_publish();
	ck_assert_int_eq(dc.view->expires, MADE_NOW + 1);
	dc.signing.expires = MK_TIME_NONE;
	dc_publish();
	ck_assert_int_eq(dc.view->expires, MK_TIME_NONE);
}
END_TEST

START_TEST(signers)
{
	struct recipe recipe = { .n_devices = 1, .n_keys = 1, .n_online = 2 };
	struct mk_buf out;

	dc_start(&recipe);
	dc_use_online("device0");
	dc_sign_refused("personal", "no administrator");
	dc_use_online("master");
	dc_sign_refused("personal", "no administrator");
	dc_use_online("online1");
	dc_publish();
	/* A key that is not the one that it is called: our own fault. */
	dc.online.udf = dc_udf("online0");
	mk_buf_init(&out, MK_SET_MAX);
	ck_assert_int_eq(dc_sign(&out),
	    MK_E_BUG);
	ck_assert_ptr_nonnull(strstr(dc.why.detail, "signature is wrong"));
	ck_assert_uint_eq(out.len, 0);
	mk_buf_release(&out);
}
END_TEST

/* Puts a later MasterProfile with one online key into the draft. */
static void
new_master(const char *role)
{
	struct mk_online one = { .device = dc_udf("device0") };
	char id[MK_UDF_TEXT + 1];
	struct mk_buf text;

	made_key("alice", role, &one.key, NULL);
	dc.draft->master.online[0] = one;
	dc.draft->master.n_online = 1;
	dc.draft->master.updated = MADE_NOW + MADE_HOUR;
	mk_udf_format(&dc.root, id);
	mk_buf_init(&text, MK_SET_MAX);
	mk_master_write(&dc.draft->master, &text);
	dc.draft->master_env = dc_seal("master", id, &text);
}

/*
 * An SSHProfile whose signer is no administrator any more is signed anew,
 * one that says what it said is not; and P is never dated before M.
 */
START_TEST(another_master)
{
	struct recipe recipe = { .n_devices = 1, .n_keys = 1, .n_online = 2,
	    .ssh_signer = "online1" };
	uint8_t before[MK_DIGEST];

	dc_start(&recipe);
	memcpy(before, dc.draft->ssh_env.sig, MK_DIGEST);
	dc_publish();
	ck_assert_mem_eq(dc.draft->ssh_env.sig, before, MK_DIGEST);
	new_master("online0");
	dc_publish();
	ck_assert_mem_ne(dc.draft->ssh_env.sig, before, MK_DIGEST);
	ck_assert_uint_eq(dc.view->n_keys, 1);
	ck_assert_int_eq(dc.view->personal->updated, MADE_NOW + MADE_HOUR);
}
END_TEST

START_TEST(same_in_same_out)
{
	struct recipe recipe = { .n_devices = 2, .n_keys = 2 };
	struct mk_buf out[3];
	int i;

	dc_start(&recipe);
	for (i = 0; i < 3; i++) {
		if (i != 1) {
			dc_next();
			dc_ok(dc_delete("device1"));
			dc_ok(dc_enrol("device0", "a", true));
		}
		mk_buf_init(&out[i], MK_SET_MAX);
		dc_ok(dc_sign(&out[i]));
		ck_assert_uint_eq(out[i].len, out[0].len);
		ck_assert_mem_eq(out[i].data, out[0].data, out[0].len);
	}
	for (i = 0; i < 3; i++)
		mk_buf_release(&out[i]);
}
END_TEST

/* Only what was verified, and only what can be written again. */
START_TEST(other_sets)
{
	struct recipe recipe = { .n_devices = 1, .n_keys = 1 };
	struct mk_verified_view another;
	struct mk_bytes set;

	dc_start(&recipe);
	set = dc_set();
	another = *dc.view;
	another.gen = MK_GEN_2017;
	dc_refused(mk_draft_next(&dc.arena, &set, &another, &dc.draft, &dc.why),
	    "set", "2016 or 2017");
	another = *dc.view;
	another.version.personal[0] ^= 1;
	ck_assert_int_eq(mk_draft_next(&dc.arena, &set, &another, &dc.draft,
	    &dc.why), MK_E_BUG);
}
END_TEST

START_TEST(too_long)
{
	struct recipe recipe = { .n_devices = 1, .n_keys = 1 };
	size_t max;
	struct mk_buf out;
	int r;

	dc_start(&recipe);
	for (max = 100; max < dc.newest.len + 1000; max += 100) {
		mk_buf_init(&out, max);
		r = dc_sign(&out);
		if (r != 0)
			dc_refused(r, "set", "would be written");
		ck_assert((r == 0) == (out.len > 0));
		mk_buf_release(&out);
	}
	ck_assert_int_eq(r, 0);
}
END_TEST

/* Texts that go into a set: elements of Applications, and entries. */
static struct mk_buf elements, entries;

static void
put_entry(const struct mk_envelope *env)
{
	mk_buf_puts(&entries, "{\"SignedApplicationProfile\":");
	mk_envelope_write(env, &entries);
	mk_buf_puts(&entries, "},");
}

/* Another application by its number. */
static struct mk_envelope
mail(unsigned char number, const char *text)
{
	struct mk_udf udf = { .b = { MK_UDF_RANDOM, number } };
	char id[MK_UDF_TEXT + 1];
	struct mk_buf payload;

	mk_udf_format(&udf, id);
	mk_buf_init(&payload, MK_SET_MAX);
	mk_buf_puts(&payload, "{\"MailProfile\":{\"Identifier\":\"");
	mk_buf_puts(&payload, id);
	mk_buf_puts(&payload, "\",\"Text\":\"");
	mk_buf_puts(&payload, text);
	mk_buf_puts(&payload, "\"}}");
	return dc_seal("stranger", id, &payload);
}

static void
put_element(const struct mk_envelope *env)
{
	mk_buf_puts(&elements, elements.len > 0 ? "," : "");
	mk_buf_puts(&elements, "{\"Identifier\":\"");
	mk_buf_puts(&elements, env->id);
	mk_buf_puts(&elements, "\",\"Type\":\"MailProfile\",\"Digest\":\"");
	mk_buf_b64url(&elements, env->digest, MK_DIGEST);
	mk_buf_puts(&elements, "\"}");
}

/* Starts from the set of a recipe with these texts in it. */
static void
start_with(struct recipe *recipe)
{
	struct made_edit edits[] = {
	    { "personal", "\"Applications\":[", NULL },
	    { "set", "\"Entries\":[", NULL } };
	struct mk_buf text;

	mk_buf_init(&text, MK_SET_MAX);
	mk_buf_puts(&text, edits[0].from);
	mk_buf_put(&text, elements.data, elements.len);
	mk_buf_puts(&text, recipe->no_ssh ? "" : ",");
	edits[0].to = dc_keep(&text);
	mk_buf_cut(&text, 0);
	mk_buf_puts(&text, edits[1].from);
	mk_buf_put(&text, entries.data, entries.len);
	edits[1].to = dc_keep(&text);
	mk_buf_release(&text);
	recipe->edits = edits;
	recipe->n_edits = 2;
	dc_start(recipe);
}

/* How often the newest set has an envelope, to the byte. */
static size_t
times(const struct mk_envelope *env)
{
	const char *p = dc.newest.data;
	struct mk_buf text;
	size_t n = 0;

	mk_buf_init(&text, MK_SET_MAX);
	mk_envelope_write(env, &text);
	for (; (p = strstr(p, text.data)) != NULL; p += text.len)
		n++;
	mk_buf_release(&text);
	return n;
}

static void
setup_mail(void)
{
	dc_setup();
	mk_buf_init(&elements, MK_SET_MAX);
	mk_buf_init(&entries, MK_SET_MAX);
}

static void
teardown_mail(void)
{
	mk_buf_release(&entries);
	mk_buf_release(&elements);
	dc_teardown();
}

/*
 * Other applications survive to the byte, whatever becomes of ours; what P
 * does not vouch for does not.
 */
START_TEST(other_applications)
{
	struct recipe recipe = { .n_devices = 2, .n_keys = 1 };
	struct mk_envelope good[2] = { mail(1, "new"), mail(2, "two") };
	struct mk_envelope stale = mail(1, "old"), stray = mail(3, "new");
	unsigned i, k;

	put_element(&good[0]);
	put_element(&good[1]);
	put_entry(&stale);
	put_entry(&stray);
	mk_buf_puts(&entries, "{\"SignedApplicationProfile\":7},");
	put_entry(&good[1]);
	put_entry(&good[0]);
	put_entry(&good[0]);
	start_with(&recipe);
	ck_assert_uint_eq(times(&good[0]), 2);
	for (i = 0; i < 3; i++) {
		if (i == 1)
			dc_ok(dc_unenrol("device0"));
		if (i == 2)
			dc_ok(dc_delete("device1"));
		dc_publish();
		ck_assert_uint_eq(dc.view->personal->n_apps, 3);
		for (k = 0; k < 2; k++) {
			ck_assert_mem_eq(dc.view->personal->apps[k].id.s,
			    good[k].id, MK_UDF_TEXT);
			ck_assert_mem_eq(dc.view->personal->apps[k].digest,
			    good[k].digest, MK_DIGEST);
			ck_assert_uint_eq(times(&good[k]), 1);
		}
		ck_assert_uint_eq(times(&stale) + times(&stray), 0);
		ck_assert_ptr_null(strstr(dc.newest.data, ":7}"));
	}
}
END_TEST

/* They survive without an SSHProfile too, and when one comes. */
START_TEST(other_applications_only)
{
	struct recipe recipe = { .n_bare = 1, .no_ssh = true };
	struct mk_envelope env = mail(1, "text");

	put_element(&env);
	put_entry(&env);
	start_with(&recipe);
	dc_publish();
	ck_assert_uint_eq(times(&env), 1);
	ck_assert_uint_eq(dc.view->personal->n_apps, 1);
	dc_ok(dc_enrol("device0", "a", true));
	dc_publish();
	ck_assert_uint_eq(times(&env), 1);
	ck_assert_uint_eq(dc.view->personal->n_apps, 2);
	ck_assert_uint_eq(dc.view->n_keys, 1);
}
END_TEST

/* None is lost for want of memory. */
START_TEST(other_applications_in_little_memory)
{
	struct recipe recipe = { .n_bare = 1, .no_ssh = true };
	struct mk_envelope env = mail(1, "text");
	struct mk_bytes set;
	struct mk_arena a;
	struct mk_draft *d;
	size_t cap = 0;
	int r;

	put_element(&env);
	put_entry(&env);
	start_with(&recipe);
	set = dc_set();
	do {
		mk_arena_init(&a, cap);
		r = mk_draft_next(&a, &set, dc.view, &d, &dc.why);
		ck_assert(r == 0 || r == MK_E_REFUSED);
		if (r == 0)
			ck_assert_uint_eq(d->n_others, 1);
		mk_arena_release(&a);
		cap += 31;
	} while (r != 0);
}
END_TEST

/* There is an end to the entries of a set. */
START_TEST(many_applications)
{
	struct recipe recipe = { .n_bare = 1, .no_ssh = true };
	struct mk_envelope env;
	unsigned char n;

	for (n = 1; n <= MK_ENTRIES_MAX - 1; n++) {
		env = mail(n, "text");
		put_element(&env);
		put_entry(&env);
		if (n == MK_ENTRIES_MAX - 2) {
			start_with(&recipe);
			dc_ok(dc_enrol("device0", "a", true));
			dc_publish();
		}
	}
	start_with(&recipe);
	dc_refused(dc_enrol("device0", "a", true), "ssh", "no room for");
	dc_publish();
	ck_assert_uint_eq(dc.view->personal->n_apps, 63);
}
END_TEST

static TCase *
add_tcase(Suite *suite, const char *title, SFun before, SFun after)
{
	TCase *tcase = tcase_create(title);

	tcase_add_checked_fixture(tcase, before, after);
	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	return tcase;
}

Suite *
mk_suite(void)
{
	Suite *suite = suite_create("draft_sign");
	TCase *versions, *others;

	if (sodium_init() == -1)
		abort();
	versions = add_tcase(suite, "versions", dc_setup, dc_teardown);
	others = add_tcase(suite, "others", setup_mail, teardown_mail);
	tcase_add_test(versions, many_deleted);
	tcase_add_test(versions, previous_versions);
	tcase_add_test(versions, clocks);
	tcase_add_test(versions, expiry);
	tcase_add_test(versions, signers);
	tcase_add_test(versions, another_master);
	tcase_add_test(versions, same_in_same_out);
	tcase_add_test(versions, other_sets);
	tcase_add_test(versions, too_long);
	tcase_add_test(others, other_applications);
	tcase_add_test(others, other_applications_only);
	tcase_add_test(others, other_applications_in_little_memory);
	tcase_add_test(others, many_applications);
	return suite;
}
