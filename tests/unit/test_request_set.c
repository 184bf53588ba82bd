/* SPDX-License-Identifier: ISC */
/* What is posted of a set, and what a portal stores of that. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/digest.h"
#include "core/limits.h"
#include "core/request.h"
#include "core/set.h"
#include "make_set.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define RANDOM		"RCAAA-BBBBB-CCCCC-DDDDD-EEEEE-FFFFF"
#define SSH		"RAAAA-BBBBB-CCCCC-DDDDD-EEEEE-FFFFF"
#define MAX		((size_t)8 << 20)

static struct mk_arena arena;
static struct mk_account account;
static struct mk_request req;
static struct mk_signing signing;
static struct mk_buf out;
static struct mk_why why;
static uint8_t sk[MK_ED25519_SECRET];

static void
setup(void)
{
	struct mk_pubkey key;

	mk_arena_init(&arena, (size_t)64 << 20);
	mk_buf_init(&out, MAX);
	memset(&why, 0, sizeof(why));
	ck_assert(mk_account_parse("alice@example.com", 17, &account));
	made_key("alice", "online0", &key, sk);
	signing = (struct mk_signing){ .portal = "portal.example:443",
	    .account = &account, .time = MADE_NOW,
	    .signer = { key.udf, sk } };
}

static void
teardown(void)
{
	mk_buf_release(&out);
	mk_arena_release(&arena);
}

static struct mk_bytes
bytes_of(const struct mk_buf *b)
{
	return (struct mk_bytes){ (const uint8_t *)b->data, b->len };
}

/* What was written into 'out' is read. */
static void
good_out(enum mk_transaction what)
{
	struct mk_bytes body = bytes_of(&out);
	int r = mk_request_read(&arena, &body, &req, &why);

	ck_assert_msg(r == 0, "%s", why.detail);
	ck_assert_int_eq(req.what, what);
}

/* The set of a request is, byte for byte, the set that was posted. */
static void
same_set(const struct made *made)
{
	struct mk_buf set;
	int r;

	mk_buf_init(&set, MAX);
	r = mk_request_set(&arena, &req, &set, &why);
	ck_assert_msg(r == 0, "%s", why.detail);
	ck_assert_str_eq(set.data, made->set.data);
	mk_buf_release(&set);
}

START_TEST(sets)
{
	struct recipe recipe = { .n_devices = 3, .n_keys = 2 };
	struct mk_bytes set;
	struct made made;

	made_set(&recipe, &made);
	set = bytes_of(&made.set);
	ck_assert_int_eq(mk_publish_write(&arena, &set, &out, &why), 0);
	good_out(MK_PUBLISH);
	same_set(&made);
	mk_buf_cut(&out, 0);
	ck_assert_int_eq(mk_create_write(&arena, &signing, &set, &out,
	    &why), 0);
	good_out(MK_CREATE_ACCOUNT);
	same_set(&made);
	made_release(&made);
	recipe.no_ssh = true;
	made_set(&recipe, &made);
	set = bytes_of(&made.set);
	mk_buf_cut(&out, 0);
	ck_assert_int_eq(mk_publish_write(&arena, &set, &out, &why), 0);
	good_out(MK_PUBLISH);
	same_set(&made);
	made_release(&made);
}
END_TEST

/* What hosts take fits through the programs' arenas, signed too. */
START_TEST(a_large_set)
{
	struct recipe recipe = { .n_devices = MK_DEVICES_MAX, .n_keys = 8 };
	struct mk_bytes set;
	struct made made;

	made_set(&recipe, &made);
	ck_assert_uint_gt(made.set.len, MK_SET_MAX / 4 * 3);
	ck_assert_uint_le(made.set.len, MK_SET_MAX);
	set = bytes_of(&made.set);
	mk_arena_release(&arena);
	mk_arena_init(&arena, mk_verify_memory(MK_SET_MAX));
	ck_assert_int_eq(mk_create_write(&arena, &signing, &set, &out,
	    &why), 0);
	mk_arena_release(&arena);
	mk_arena_init(&arena, mk_verify_memory(out.len));
	good_out(MK_CREATE_ACCOUNT);
	same_set(&made);
	mk_arena_release(&arena);
	mk_arena_init(&arena, mk_verify_memory(MK_SET_MAX));
	mk_buf_cut(&out, 0);
	ck_assert_int_eq(mk_publish_write(&arena, &set, &out, &why), 0);
	mk_arena_release(&arena);
	mk_arena_init(&arena, mk_verify_memory(out.len));
	good_out(MK_PUBLISH);
	same_set(&made);
	made_release(&made);
}
END_TEST

/* An entry of another application, whose payload is 'text'. */
static const char *
application(const char *text, const char *id)
{
	struct mk_unsigned what = { id, (const uint8_t *)text, strlen(text) };
	struct mk_envelope env;
	struct mk_buf b;
	char *entry;

	ck_assert_int_eq(mk_seal(&arena, &what, &signing.signer, &env, &why),
	    0);
	mk_buf_init(&b, MAX);
	mk_buf_puts(&b, "{\"SignedApplicationProfile\":");
	mk_envelope_write(&env, &b);
	mk_buf_puts(&b, "}");
	entry = mk_arena_dup(&arena, b.data, b.len);
	ck_assert_ptr_nonnull(entry);
	mk_buf_release(&b);
	return entry;
}

/*
 * A portal may put anything beside a PersonalProfile, and an online key
 * signs no bytes that a peer chose.
 */
START_TEST(nothing_foreign)
{
	struct made_edit edits[] = {
		{ "set", "\"Entries\":[", NULL },
		{ "set", "{\"SignedPersonalProfile\"",
		    "{\"SignedConnectionResult\":{}},"
		    "{\"SignedPersonalProfile\"" } };
	struct recipe recipe = { .n_devices = 1, .n_keys = 1 };
	struct mk_bytes set;
	struct made clean, made;
	char to[2048];

	made_set(&recipe, &clean);
	(void)snprintf(to, sizeof(to), "\"Entries\":[%s,",
	    application("{\"Mail\":1}", RANDOM));
	edits[0].to = to;
	recipe.edits = edits;
	recipe.n_edits = COUNT(edits);
	made_set(&recipe, &made);
	set = bytes_of(&made.set);
	ck_assert_int_eq(mk_create_write(&arena, &signing, &set, &out,
	    &why), 0);
	good_out(MK_CREATE_ACCOUNT);
	ck_assert_uint_eq(req.entries->count, 2);
	same_set(&clean);
	made_release(&made);
	made_release(&clean);
}
END_TEST

/* An element of Applications, and what an edit has before the others. */
static const char *
listed(const char *text, const char *id)
{
	uint8_t digest[MK_SHA512];
	struct mk_buf b;
	char *made;

	mk_sha512((const uint8_t *)text, strlen(text), digest);
	mk_buf_init(&b, 4096);
	mk_buf_puts(&b, "\"Applications\":[{\"Identifier\":\"");
	mk_buf_puts(&b, id);
	mk_buf_puts(&b, "\",\"Type\":\"MailProfile\",");
	mk_put_bytes(&b, "Digest", digest, sizeof(digest));
	mk_buf_puts(&b, "},");
	made = mk_arena_dup(&arena, b.data, b.len);
	ck_assert_ptr_nonnull(made);
	mk_buf_release(&b);
	return made;
}

/*
 * Posts a set that lists an application, with entries before its own, and
 * gives the set that would be stored.
 */
static int
posted(const char *list, const char *const *entries, struct mk_buf *ret_set)
{
	struct made_edit edit = { "personal", "\"Applications\":[", list };
	struct recipe recipe = { .n_devices = 1, .n_keys = 1,
	    .edits = &edit, .n_edits = 1 };
	const char *own;
	struct made made;
	int r;

	made_set(&recipe, &made);
	own = strstr(made.set.data, "\"Entries\":[");
	ck_assert_ptr_nonnull(own);
	mk_buf_cut(&out, 0);
	mk_buf_puts(&out, "{\"Publish\":{\"Entries\":[");
	for (; *entries != NULL; entries++) {
		mk_buf_puts(&out, *entries);
		mk_buf_putc(&out, ',');
	}
	mk_buf_puts(&out, own + strlen("\"Entries\":["));
	made_release(&made);
	good_out(MK_PUBLISH);
	mk_buf_init(ret_set, MAX);
	r = mk_request_set(&arena, &req, ret_set, &why);
	if (r != 0)
		mk_buf_release(ret_set);
	return r;
}

static unsigned
occurrences(const char *text, const char *what)
{
	unsigned n = 0;

	for (; (text = strstr(text, what)) != NULL; text++)
		n++;
	return n;
}

#define APP		"\"SignedApplicationProfile\""

START_TEST(applications)
{
	const char *list = listed("{\"Mail\":1}", RANDOM);
	const char *mail = application("{\"Mail\":1}", RANDOM);
	const char *old = application("{\"Mail\":0}", RANDOM);
	const char *unlisted = application("{\"Mail\":1}",
	    "RDAAA-BBBBB-CCCCC-DDDDD-EEEEE-FFFFF");
	const char *junk = "{\"SignedApplicationProfile\":{\"Identifier\":"
	    "\"" RANDOM "\"}}";
	const char *all[] = { junk, "{\"Other\":[]}", old, unlisted, mail,
	    NULL };
	const char *none[] = { old, NULL };
	const char *two[] = { mail, mail, NULL };
	struct mk_buf set;
	const char *first;

	ck_assert_int_eq(posted(list, all, &set), 0);
	ck_assert_uint_eq(occurrences(set.data, APP), 2);
	/* In the order of Applications, behind the PersonalProfile. */
	first = strstr(set.data, APP);
	ck_assert(strstr(set.data, "\"SignedPersonalProfile\"") < first);
	ck_assert(strstr(set.data, mail) == first - 1);
	ck_assert_ptr_null(strstr(set.data, "Other"));
	mk_buf_release(&set);
	ck_assert_int_eq(posted(list, none, &set), 0);
	ck_assert_uint_eq(occurrences(set.data, APP), 1);
	ck_assert_ptr_null(strstr(set.data, RANDOM));
	mk_buf_release(&set);
	ck_assert_int_eq(posted(list, two, &set), MK_E_REFUSED);
	ck_assert_ptr_nonnull(strstr(why.detail, "two of"));
}
END_TEST

/* A host refuses two for the SSHProfile, whatever is in the other one. */
START_TEST(one_ssh)
{
	const char *list = listed("{\"Mail\":1}", RANDOM);
	const char *closed = "{\"SignedApplicationProfile\":"
	    "{\"Identifier\":\"" SSH "\"}}";
	const char *entries[] = { application("{\"SSHProfile\":{}}", SSH),
	    NULL };
	struct mk_buf set;

	ck_assert_int_eq(posted(list, entries, &set), MK_E_REFUSED);
	ck_assert_ptr_nonnull(strstr(why.detail, "two of"));
	entries[0] = closed;
	ck_assert_int_eq(posted(list, entries, &set), MK_E_REFUSED);
	ck_assert_ptr_nonnull(strstr(why.detail, "two of"));
}
END_TEST

/* The other one might be looked for in vain, over and over. */
START_TEST(ssh_listed_twice)
{
	const char *app = listed("{\"Mail\":1}", RANDOM);
	const char *entries[] = { application("{\"Mail\":1}", RANDOM),
	    NULL };
	struct mk_buf set;
	char list[1024], *type;

	(void)snprintf(list, sizeof(list), "%s", app);
	type = strstr(list, "MailProfile");
	ck_assert_ptr_nonnull(type);
	memmove(type + 10, type + 11, strlen(type + 11) + 1);
	memcpy(type, "SSHProfile", 10);
	ck_assert_int_eq(posted(list, entries, &set), MK_E_REFUSED);
	ck_assert_ptr_nonnull(strstr(why.detail, "two entries of type"));
}
END_TEST

/* Two elements that name one envelope. */
START_TEST(listed_twice)
{
	const char *one = listed("{\"Mail\":1}", RANDOM);
	const char *entries[] = { application("{\"Mail\":1}", RANDOM),
	    NULL };
	struct mk_buf set;
	char list[1024];

	(void)snprintf(list, sizeof(list), "%s%s", one,
	    one + strlen("\"Applications\":["));
	ck_assert_int_eq(posted(list, entries, &set), MK_E_REFUSED);
	ck_assert_ptr_nonnull(strstr(why.detail, "two applications"));
}
END_TEST

/* Without the SSHProfile that it lists no host would take it. */
START_TEST(lost_ssh)
{
	struct recipe recipe = { .n_devices = 1, .n_keys = 1 };
	struct mk_bytes set;
	struct mk_buf stored;
	struct made made;
	char *ssh, *end;

	made_set(&recipe, &made);
	set = bytes_of(&made.set);
	ck_assert_int_eq(mk_publish_write(&arena, &set, &out, &why), 0);
	ssh = strstr(out.data, ",{" APP);
	ck_assert_ptr_nonnull(ssh);
	end = out.data + out.len - strlen("]}}");
	memmove(ssh, end, strlen(end) + 1);
	out.len = strlen(out.data);
	good_out(MK_PUBLISH);
	mk_buf_init(&stored, MAX);
	ck_assert_int_eq(mk_request_set(&arena, &req, &stored, &why),
	    MK_E_REFUSED);
	ck_assert_ptr_nonnull(strstr(why.detail, "SSHProfile is missing"));
	ck_assert_uint_eq(stored.len, 0);
	made_release(&made);
}
END_TEST

/* A file of the vectors; NULL if there is none. */
static char *
read_vector(const char *name, size_t *ret_len)
{
	const char *src = getenv("MK_SRCDIR");
	char path[4096], *data = malloc(MK_SET_MAX);
	FILE *f;

	ck_assert_ptr_nonnull(data);
	(void)snprintf(path, sizeof(path), "%s/tests/vectors/%s",
	    src != NULL ? src : ".", name);
	f = fopen(path, "rb");
	if (f == NULL) {
		printf("# no '%s': skipped\n", name);
		free(data);
		return NULL;
	}
	*ret_len = fread(data, 1, MK_SET_MAX, f);
	(void)fclose(f);
	return data;
}

/* The old forms are read, never stored. */
START_TEST(old_sets)
{
	static const char *const v[] = { "legacy-2016.json",
	    "legacy-2017.json", "legacy-2017-may.json" };
	struct mk_bytes set;
	char *data;
	size_t i;

	for (i = 0; i < COUNT(v); i++) {
		data = read_vector(v[i], &set.len);
		if (data == NULL)
			continue;
		set.data = (const uint8_t *)data;
		mk_buf_cut(&out, 0);
		ck_assert_int_eq(mk_publish_write(&arena, &set, &out, &why),
		    MK_E_REFUSED);
		free(data);
	}
}
END_TEST

/* A PersonalProfile that says that RSA signed it has no times. */
START_TEST(old_personal)
{
	struct recipe recipe = { .n_devices = 1, .no_ssh = true };
	struct mk_json_notes notes = { 0 };
	const struct mk_envelope_place place = { .stage = "test",
	    .notes = &notes };
	struct mk_json_text text = { .stage = "test", .notes = &notes };
	struct mk_envelope env;
	struct mk_buf covered;
	struct made made;
	struct mk_set set;

	made_set(&recipe, &made);
	text.s = made.set.data;
	text.len = made.set.len;
	ck_assert_int_eq(mk_set_parse(&arena, &text, &set, &why), 0);
	ck_assert_int_eq(mk_envelope_open(&arena, set.personal, &place, &env,
	    &why), 0);
	mk_buf_init(&covered, MAX);
	mk_buf_puts(&covered, "{\"alg\":\"RS512\",");
	mk_put_bytes(&covered, "val", env.digest, MK_DIGEST);
	mk_buf_putc(&covered, '}');
	env.covered = (const uint8_t *)covered.data;
	env.covered_len = covered.len;
	mk_buf_puts(&out, "{\"Publish\":{\"Entries\":["
	    "{\"SignedPersonalProfile\":");
	mk_envelope_write(&env, &out);
	mk_buf_puts(&out, "}]}}");
	good_out(MK_PUBLISH);
	mk_buf_cut(&covered, 0);
	ck_assert_int_eq(mk_request_set(&arena, &req, &covered, &why),
	    MK_E_REFUSED);
	ck_assert_ptr_nonnull(strstr(why.detail, "current form"));
	mk_buf_release(&covered);
	made_release(&made);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("request_set");
	TCase *tc = tcase_create("request_set");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, sets);
	tcase_add_test(tc, a_large_set);
	tcase_add_test(tc, nothing_foreign);
	tcase_add_test(tc, applications);
	tcase_add_test(tc, one_ssh);
	tcase_add_test(tc, ssh_listed_twice);
	tcase_add_test(tc, listed_twice);
	tcase_add_test(tc, lost_ssh);
	tcase_add_test(tc, old_sets);
	tcase_add_test(tc, old_personal);
	suite_add_tcase(s, tc);
	return s;
}
