/* SPDX-License-Identifier: ISC */
/*
 * What a host's policy makes of verified sets: ages, several profiles,
 * options, and which failure counts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/decide.h"
#include "core/timestamp.h"
#include "core/verify.h"
#include "make_set.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define PROFILES	3

static struct made made[PROFILES];
static char options[PROFILES][64];
static struct mk_policy policy[PROFILES];
static struct mk_found found[PROFILES];
static struct mk_question q;
static struct mk_answer answer;
static struct mk_buf memory;

static void
setup(void)
{
	size_t i;

	memset(made, 0, sizeof(made));
	memset(found, 0, sizeof(found));
	memset(&answer, 0, sizeof(answer));
	mk_buf_init(&memory, MK_SEEN_MAX);
	for (i = 0; i < PROFILES; i++) {
		options[i][0] = '\0';
		policy[i] = (struct mk_policy){ .options = options[i],
		    .key_types = MK_SSH_ALL, .max_signed_age = -1,
		    .not_before = MK_TIME_NONE };
	}
	q = (struct mk_question){ .now = MADE_NOW,
	    .build_time = MADE_NOW - 30 * MK_DAY, .fresh_for = 900,
	    .stale_for = 7 * MK_DAY, .max_set = MK_SET_MAX,
	    .max_devices = MK_DEVICES_MAX, .found = found };
}

static void
teardown(void)
{
	size_t i;

	for (i = 0; i < PROFILES; i++)
		made_release(&made[i]);
	mk_buf_release(&memory);
	mk_answer_release(&answer);
}

/* Adds a profile, confirmed a minute ago. */
static void
add(const struct recipe *recipe)
{
	size_t i = q.n_found++;

	made_set(recipe, &made[i]);
	found[i] = (struct mk_found){ .udf = made[i].udf,
	    .policy = &policy[i], .mtime = MADE_NOW - 60,
	    .set = (const uint8_t *)made[i].set.data,
	    .set_len = made[i].set.len };
}

static void
add_seed(const char *seed, unsigned n_keys)
{
	struct recipe r = { .seed = seed, .n_devices = 1, .n_keys = n_keys };

	add(&r);
}

/* Gives the first profile a memory of itself. */
static void
remember(void)
{
	struct mk_seen seen = { .version = made_version(&made[0]) };

	mk_seen_render(&seen, &memory);
	found[0].seen = (const uint8_t *)memory.data;
	found[0].seen_len = memory.len;
}

static size_t
count_lines(void)
{
	size_t i, n = 0;

	for (i = 0; i < answer.lines.len; i++)
		n += answer.lines.data[i] == '\n';
	return n;
}

/* Decides, and checks the code and the number of lines. */
static void
decide(int code, size_t lines)
{
	mk_answer_release(&answer);
	mk_decide(&q, &answer);
	ck_assert_msg(answer.code == code, "code %d, not %d: %s",
	    answer.code, code, answer.n_records > 0 ?
	    answer.records[0].why.detail : answer.why.detail);
	ck_assert_uint_eq(answer.n_records, q.n_found);
	ck_assert_uint_eq(count_lines(), lines);
	ck_assert(code == 0 || (answer.lines.len == 0 && !answer.matched));
}

START_TEST(nothing_mapped)
{
	decide(0, 0);
	ck_assert(!answer.refused);
}
END_TEST

START_TEST(one_profile)
{
	add_seed("alice", 3);
	decide(0, 3);
	ck_assert(!answer.matched && !answer.refused);
	ck_assert_uint_eq(answer.records[0].n_keys, 3);
	ck_assert_int_eq(answer.records[0].age, 60);
	ck_assert_int_eq(answer.records[0].set_time, MADE_UPDATED);
	ck_assert(!answer.records[0].stale);
	ck_assert_int_eq(strncmp(answer.lines.data, "ssh-ed25519 ", 12), 0);
	strcpy(options[0], "restrict");
	decide(0, 3);
	ck_assert_int_eq(strncmp(answer.lines.data,
	    "restrict ssh-ed25519 ", 21), 0);
	policy[0].key_types = MK_SSH_RSA;
	decide(0, 0);
}
END_TEST

/* Age of the cache, what when-stale says, and what becomes of it. */
static const struct age {
	int64_t age;
	enum mk_when_stale when;
	int code;
	bool stale;
	const char *start;
} ages[] = {
	{ 0, MK_STALE_DENY, 0, false, "ssh-" },
	{ 900, MK_STALE_DENY, 0, false, "ssh-" },
	{ 900, MK_STALE_RESTRICT, 0, false, "ssh-" },
	{ 901, MK_STALE_ALLOW, 0, true, "ssh-" },
	{ 901, MK_STALE_RESTRICT, 0, true, "restrict ssh-" },
	{ 901, MK_STALE_DENY, MK_E_STALE, true, "" },
	{ 7 * MK_DAY, MK_STALE_ALLOW, 0, true, "ssh-" },
	{ 7 * MK_DAY + 1, MK_STALE_ALLOW, MK_E_STALE, true, "" },
	{ 7 * MK_DAY + 1, MK_STALE_RESTRICT, MK_E_STALE, true, "" },
	/* A time in the future is stale, and never too stale. */
	{ -1, MK_STALE_ALLOW, 0, true, "ssh-" },
	{ -1, MK_STALE_RESTRICT, 0, true, "restrict ssh-" },
	{ -1, MK_STALE_DENY, MK_E_STALE, true, "" },
	{ -100 * MK_DAY, MK_STALE_ALLOW, 0, true, "ssh-" },
};

START_TEST(freshness)
{
	const struct age *a = &ages[_i];

	add_seed("alice", 1);
	found[0].mtime = MADE_NOW - a->age;
	policy[0].when_stale = a->when;
	decide(a->code, a->code == 0 ? 1 : 0);
	ck_assert_int_eq(answer.records[0].stale, a->stale);
	ck_assert_int_eq(answer.records[0].age, a->age);
	if (a->code == 0)
		ck_assert_int_eq(strncmp(answer.lines.data, a->start,
		    strlen(a->start)), 0);
}
END_TEST

START_TEST(never_too_stale)
{
	add_seed("alice", 1);
	q.stale_for = -1;
	found[0].mtime = 0;
	decide(0, 1);
	ck_assert(answer.records[0].stale);
	policy[0].when_stale = MK_STALE_DENY;
	decide(MK_E_STALE, 0);
}
END_TEST

/* With a clock before the build the set seen last is a stale one. */
START_TEST(clock_stale)
{
	static const struct {
		enum mk_when_stale when;
		int code;
		const char *start;
	} cases[] = {
		{ MK_STALE_ALLOW, 0, "ssh-" },
		{ MK_STALE_RESTRICT, 0, "restrict ssh-" },
		{ MK_STALE_DENY, MK_E_STALE, "" },
	};
	size_t i;

	add_seed("alice", 1);
	q.build_time = q.now + 1;
	decide(MK_E_REFUSED, 0);
	remember();
	for (i = 0; i < COUNT(cases); i++) {
		policy[0].when_stale = cases[i].when;
		decide(cases[i].code, cases[i].code == 0 ? 1 : 0);
		ck_assert(answer.records[0].stale);
		if (cases[i].code == 0)
			ck_assert_int_eq(strncmp(answer.lines.data,
			    cases[i].start, strlen(cases[i].start)), 0);
	}
}
END_TEST

START_TEST(signed_times)
{
	add_seed("alice", 1);
	policy[0].max_signed_age = MADE_HOUR;
	decide(0, 1);
	policy[0].max_signed_age = MADE_HOUR - 1;
	decide(MK_E_STALE, 0);
	policy[0].max_signed_age = 0;
	q.now = MADE_UPDATED;
	found[0].mtime = q.now;
	decide(0, 1);
	policy[0].max_signed_age = -1;
	policy[0].not_before = MADE_UPDATED;
	decide(0, 1);
	policy[0].not_before++;
	decide(MK_E_REFUSED, 0);
	/* Refused comes before too old. */
	policy[0].max_signed_age = 0;
	q.now = MADE_NOW;
	decide(MK_E_REFUSED, 0);
}
END_TEST

/* A clock that was set back makes no set younger than the build. */
START_TEST(signed_age_floor)
{
	add_seed("alice", 1);
	remember();
	policy[0].max_signed_age = 10 * MK_DAY;
	q.build_time = MADE_UPDATED + 10 * MK_DAY;
	q.now = 0;
	decide(0, 1);
	q.build_time++;
	decide(MK_E_STALE, 0);
}
END_TEST

/* Damaged memory decides before the set, and what the edge found first. */
START_TEST(order_of_failures)
{
	static const uint8_t broken[] = "mesh-seen 2\n";
	static const int codes[] = { MK_E_CONFIG, MK_E_NOPROFILE, MK_E_PERM,
	    MK_E_SYSTEM };
	size_t i;

	add_seed("alice", 1);
	found[0].seen = broken;
	found[0].seen_len = sizeof(broken) - 1;
	decide(MK_E_SYSTEM, 0);
	made[0].set.data[40] ^= 1;
	decide(MK_E_SYSTEM, 0);
	found[0].seen_len = 0;
	decide(MK_E_SYSTEM, 0);
	policy[0].not_before = MADE_NOW;
	decide(MK_E_SYSTEM, 0);
	for (i = 0; i < COUNT(codes); i++) {
		found[0].failed = codes[i];
		(void)mk_fail(&found[0].why, codes[i], "x", "y");
		decide(codes[i], 0);
		ck_assert_str_eq(answer.records[0].why.detail, "y");
	}
	/* A set that was too large to be read. */
	found[0].failed = MK_E_REFUSED;
	decide(MK_E_SYSTEM, 0);
	found[0].seen = NULL;
	decide(MK_E_REFUSED, 0);
}
END_TEST

/* One that is refused does not take the others' keys away. */
START_TEST(one_refused)
{
	size_t bad;

	add_seed("alice", 1);
	add_seed("bob", 2);
	for (bad = 0; bad < 2; bad++) {
		found[bad].set_len--;
		decide(0, bad == 0 ? 2 : 1);
		ck_assert(answer.refused);
		ck_assert_int_eq(answer.records[bad].code, MK_E_REFUSED);
		ck_assert_int_eq(answer.records[1 - bad].code, 0);
		found[bad].set_len++;
	}
	found[0].failed = MK_E_NOPROFILE;
	found[1].set_len--;
	decide(MK_E_NOPROFILE, 0);
	found[0].failed = 0;
	found[0].set_len--;
	found[1].failed = MK_E_NOPROFILE;
	decide(MK_E_REFUSED, 0);
}
END_TEST

/* Lines come in the order of the profiles, each with its own policy. */
START_TEST(policy_per_line)
{
	const char *line;

	add_seed("alice", 1);
	add_seed("bob", 1);
	add_seed("carol", 1);
	strcpy(options[0], "no-pty");
	strcpy(options[2], "from=\"10.0.0.1\"");
	policy[1].when_stale = MK_STALE_RESTRICT;
	found[1].mtime = MADE_NOW - 901;
	decide(0, 3);
	ck_assert_int_eq(strncmp(answer.lines.data, "no-pty ssh-", 11), 0);
	line = strchr(answer.lines.data, '\n') + 1;
	ck_assert_int_eq(strncmp(line, "restrict ssh-", 13), 0);
	line = strchr(line, '\n') + 1;
	ck_assert_int_eq(strncmp(line, "from=\"10.0.0.1\" ssh-", 20), 0);
	policy[2].not_before = MADE_NOW;
	decide(0, 2);
}
END_TEST

/* Three profiles with other masters and the same devices and keys. */
static void
add_shared(void)
{
	struct recipe r = { .n_devices = 1, .n_keys = 2, .other = "shared" };

	r.seed = "alice";
	add(&r);
	r.seed = "bob";
	add(&r);
	r.seed = "carol";
	add(&r);
}

START_TEST(shared_key)
{
	add_shared();
	q.n_found = 2;
	decide(0, 2);
	strcpy(options[0], "no-pty");
	strcpy(options[1], "from=\"10.0.0.1\"");
	decide(0, 2);
	ck_assert_ptr_nonnull(strstr(answer.lines.data, "no-pty"));
	ck_assert_ptr_nonnull(strstr(answer.lines.data, "from="));
	/* The order of the lines loses nothing. */
	strcpy(options[0], "pty");
	strcpy(options[1], "restrict");
	decide(0, 2);
	ck_assert_int_eq(strncmp(answer.lines.data, "restrict ssh-", 13), 0);
	q.n_found = 3;
	strcpy(options[2], "command=\"id\"");
	decide(0, 2);
	ck_assert_int_eq(strncmp(answer.lines.data,
	    "restrict,command=\"id\" ssh-", 26), 0);
	/* The first of them gives nothing if it is refused. */
	found[1].set_len--;
	decide(0, 2);
	ck_assert_ptr_null(strstr(answer.lines.data, "restrict"));
}
END_TEST

static void
offer_role(struct mk_offer *offer, struct mk_buf *blob, const char *role)
{
	struct mk_pubkey key;

	made_key("shared", role, &key, NULL);
	mk_buf_init(blob, 128);
	mk_sshkey_from_ed25519(key.ed25519, blob);
	*offer = (struct mk_offer){ .blob = (const uint8_t *)blob->data,
	    .len = blob->len };
	q.offer = offer;
}

START_TEST(offered)
{
	struct mk_offer offer;
	struct mk_buf blob;
	struct mk_pubkey device;

	add_shared();
	offer_role(&offer, &blob, "ssh0.1");
	strcpy(options[2], "restrict");
	decide(0, 1);
	ck_assert(answer.matched);
	ck_assert_int_eq(strncmp(answer.lines.data, "restrict ssh-", 13), 0);
	made_key("shared", "device0", &device, NULL);
	ck_assert(answer.records[0].matched && answer.records[2].matched);
	ck_assert_int_eq(mk_udf_cmp(&answer.records[0].device, &device.udf),
	    0);
	/* A match in a refused profile is none. */
	found[0].set_len--;
	q.n_found = 1;
	decide(MK_E_REFUSED, 0);
	found[0].set_len++;
	mk_buf_release(&blob);
	offer_role(&offer, &blob, "stranger");
	decide(0, 0);
	ck_assert(!answer.matched && !answer.refused);
	mk_buf_release(&blob);
}
END_TEST

/* Over 1 MiB is refused; one offered key never is. */
START_TEST(output_limit)
{
	struct recipe r = { .seed = "alice", .n_devices = 4, .n_keys = 8,
	    .other = "shared" };
	size_t len = 40000;
	char *big = malloc(len + 1);
	struct mk_offer offer;
	struct mk_buf blob;

	ck_assert_ptr_nonnull(big);
	memset(big, 'x', len);
	memcpy(big, "command=\"", 9);
	big[len - 1] = '"';
	big[len] = '\0';
	add(&r);
	policy[0].options = big;
	decide(MK_E_REFUSED, 0);
	ck_assert(answer.refused);
	ck_assert_ptr_nonnull(strstr(answer.why.detail, "1048576"));
	offer_role(&offer, &blob, "ssh3.7");
	decide(0, 1);
	q.offer = NULL;
	r.n_devices = 3;
	made_release(&made[0]);
	q.n_found = 0;
	add(&r);
	decide(0, 24);
	free(big);
	mk_buf_release(&blob);
}
END_TEST

/* What an onlooker saw, in a row: udf, code, keys, of them printed. */
static struct {
	struct mk_udf udf;
	int code;
	size_t n_keys, usable;
	bool stale;
} seen[PROFILES + 1];
static size_t n_seen;

static void
see(void *arg, const struct mk_verified_view *view,
    const struct mk_record *rec)
{
	size_t i;

	ck_assert_ptr_eq(arg, &n_seen);
	ck_assert_uint_lt(n_seen, PROFILES);
	ck_assert(mk_udf_cmp(&view->udf, &rec->udf) == 0);
	ck_assert_int_eq(rec->set_time, view->version.personal_time);
	seen[n_seen].udf = rec->udf;
	seen[n_seen].code = rec->code;
	seen[n_seen].n_keys = view->n_keys;
	seen[n_seen].stale = rec->stale;
	seen[n_seen].usable = 0;
	for (i = 0; i < view->n_keys; i++)
		seen[n_seen].usable += view->keys[i].verdict == MK_KEY_USABLE;
	n_seen++;
}

/* Each verified set once, whatever policy says; no other one at all. */
START_TEST(onlooker)
{
	const struct mk_onlooker look = { see, &n_seen };

	n_seen = 0;
	q.onlooker = &look;
	decide(0, 0);
	ck_assert_uint_eq(n_seen, 0);
	add_seed("alice", 2);
	add_seed("bob", 1);
	add_seed("carol", 1);
	/* Too stale, forged, fine. */
	found[0].mtime = MADE_NOW - 8 * MK_DAY;
	made[1].set.data[made[1].set.len / 2] ^= 1;
	decide(0, 1);
	ck_assert_uint_eq(n_seen, 2);
	ck_assert(mk_udf_cmp(&seen[0].udf, &found[0].udf) == 0);
	ck_assert_int_eq(seen[0].code, MK_E_STALE);
	ck_assert(seen[0].stale);
	ck_assert_uint_eq(seen[0].usable, 2);
	ck_assert(mk_udf_cmp(&seen[1].udf, &found[2].udf) == 0);
	ck_assert_int_eq(seen[1].code, 0);
	ck_assert(!seen[1].stale);
	ck_assert_uint_eq(seen[1].n_keys, 1);
	n_seen = 0;
	policy[2].not_before = MADE_NOW;
	found[0].failed = MK_E_NOPROFILE;
	decide(MK_E_NOPROFILE, 0);
	ck_assert_uint_eq(n_seen, 1);
	ck_assert_int_eq(seen[0].code, MK_E_REFUSED);
	/* And none of it changes what is decided. */
	q.onlooker = NULL;
	decide(MK_E_NOPROFILE, 0);
	ck_assert_uint_eq(n_seen, 1);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("decide");
	TCase *tc = tcase_create("decide");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, nothing_mapped);
	tcase_add_test(tc, one_profile);
	tcase_add_loop_test(tc, freshness, 0, (int)COUNT(ages));
	tcase_add_test(tc, never_too_stale);
	tcase_add_test(tc, clock_stale);
	tcase_add_test(tc, signed_times);
	tcase_add_test(tc, signed_age_floor);
	tcase_add_test(tc, order_of_failures);
	tcase_add_test(tc, one_refused);
	tcase_add_test(tc, policy_per_line);
	tcase_add_test(tc, shared_key);
	tcase_add_test(tc, offered);
	tcase_add_test(tc, output_limit);
	tcase_add_test(tc, onlooker);
	suite_add_tcase(s, tc);
	return s;
}
