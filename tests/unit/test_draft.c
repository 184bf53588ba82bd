/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "core/draft_impl.h"
#include "core/limits.h"
#include "draft_case.h"
#include "unit.h"

/* The first version: no Previous, no application, one administrator. */
START_TEST(a_first_profile)
{
	struct mk_udf device = dc_udf("device0");

	dc_first();
	ck_assert(!mk_draft_unchanged(dc.draft));
	dc_publish();
	ck_assert(!dc.view->personal->has_previous);
	ck_assert_int_eq(dc.view->personal->updated, MADE_NOW);
	ck_assert_int_eq(dc.view->master->updated, MADE_NOW);
	ck_assert_int_eq(dc.view->expires, MK_TIME_NONE);
	ck_assert_uint_eq(dc.view->personal->n_devices, 1);
	ck_assert_uint_eq(dc.view->personal->n_apps, 0);
	ck_assert_uint_eq(dc.view->master->n_online, 1);
	ck_assert_int_eq(mk_udf_cmp(&dc.view->master->online[0].device,
	    &device), 0);
	ck_assert(mk_draft_unchanged(dc.draft));
}
END_TEST

/* Also with SSH keys from the start. */
START_TEST(a_first_profile_with_keys)
{
	dc_first();
	dc_ok(dc_enrol("device0", "ssh0.0", true));
	dc_publish();
	ck_assert_uint_eq(dc.view->n_keys, 1);
	ck_assert_int_eq(dc.view->keys[0].verdict, MK_KEY_USABLE);
	/* 0x88, then 142 bits of ones. */
	ck_assert_mem_eq(dc.view->personal->apps[0].id.s,
	    "RD777-77777-77777-77777-77777-77777", MK_UDF_TEXT);
}
END_TEST

START_TEST(first_refusals)
{
	uint8_t sk[MK_ED25519_SECRET];
	struct mk_signer master = { .udf = dc.root, .sk = sk };
	struct mk_draft_birth birth = { .master = &master,
	    .device = dc_device("device0", "device0", "laptop"),
	    .now = MADE_NOW };
	struct mk_pubkey key;

	made_key("alice", "master", &key, sk);
	birth.online = key;
	dc_refused(dc_birth(&birth), "master",
	    "the online key is also the master key");
	made_key("alice", "device0", &birth.online, NULL);
	dc_refused(dc_birth(&birth), "device",
	    "is also an online key");
	birth.online = key;
	made_key("alice", "online0", &birth.online, NULL);
	birth.device = dc_device("master", "master", "laptop");
	dc_refused(dc_birth(&birth), "device",
	    "is also the master key");
	birth.device = dc_device("device0", "device1", "laptop");
	dc_refused(dc_birth(&birth), "device",
	    "'kid'");
	ck_assert_ptr_null(dc.draft);
}
END_TEST

/* A life: connect, enrol, rekey, delete. */
START_TEST(a_life)
{
	struct mk_udf gone = dc_udf("device1");
	char app[MK_UDF_TEXT];

	dc_first();
	dc_publish();
	dc.signing.now += MADE_HOUR;
	dc_ok(dc_add("device1"));
	dc_ok(dc_enrol("device1", "a", false));
	dc_ok(dc_enrol("device0", "b", true));
	dc_publish();
	ck_assert_uint_eq(dc.view->n_keys, 2);
	ck_assert_int_eq(mk_udf_cmp(&dc.view->keys[0].ssh->device, &gone), 0);
	ck_assert(!dc.view->keys[0].ssh->mesh_form);
	ck_assert(dc.view->keys[1].ssh->mesh_form);
	memcpy(app, dc.view->personal->apps[0].id.s, sizeof(app));
	dc_ok(dc_unenrol("device0"));
	dc_ok(dc_enrol("device0", "c", false));
	dc_publish();
	ck_assert_uint_eq(dc.view->n_keys, 2);
	dc_ok(dc_delete("device1"));
	dc_publish();
	ck_assert_uint_eq(dc.view->personal->n_devices, 1);
	ck_assert_uint_eq(dc.view->n_keys, 1);
	ck_assert_uint_eq(dc.view->personal->n_deleted, 1);
	ck_assert_int_eq(mk_udf_cmp(&dc.view->personal->deleted[0], &gone), 0);
	/* The last key goes, the SSHProfile stays, by its own name. */
	memset(dc.signing.random, 0, sizeof(dc.signing.random));
	dc_ok(dc_unenrol("device0"));
	dc_publish();
	ck_assert_uint_eq(dc.view->n_keys, 0);
	ck_assert_uint_eq(dc.view->personal->n_apps, 1);
	ck_assert_mem_eq(dc.view->personal->apps[0].id.s, app, sizeof(app));
	dc_refused(dc_add("device1"), "device", "was deleted");
}
END_TEST

/* What a host says of itself stays, but for a proof that proves no key. */
START_TEST(a_host)
{
	struct mk_text name = { "alice.example", 13 };
	struct mk_ssh_device d = { .device = dc_udf("device1"),
	    .host = true, .hostnames = &name, .n_hostnames = 1 };

	dc_first();
	dc_ok(dc_add("device1"));
	dc_ok(dc_enrol_this(&d));
	dc_refused(dc_enrol("device1", "a", true), "ssh", "is a host, which");
	dc_refused(dc_enrol_host("device1"), "ssh", "is a host already");
	dc_ok(dc_enrol("device0", "a", true));
	dc_refused(dc_enrol_host("device0"), "ssh", "cannot be a host");
	dc_publish();
	ck_assert_int_eq(dc.view->keys[0].verdict, MK_KEY_HOST);
	ck_assert_uint_eq(dc.view->keys[0].ssh->n_hostnames, 1);
	dc_ok(dc_unenrol("device1"));
	dc_ok(dc_enrol_host("device1"));
	ck_assert_uint_eq(dc.draft->ssh[1].proof.len, 0);
	dc_publish();
	ck_assert_uint_eq(dc.view->keys[1].ssh->n_hostnames, 0);
	dc_ok(dc_unenrol("device1"));
	dc_ok(dc_enrol("device1", "b", true));
	dc_publish();
}
END_TEST

/* A DeviceProfile that calls itself after another key than its own. */
static struct mk_envelope
misnamed(void)
{
	struct mk_device d = { .id = dc_udf("device8") };
	char id[MK_UDF_TEXT + 1];
	struct mk_buf text;

	made_key("alice", "device7", &d.key, NULL);
	mk_udf_format(&d.id, id);
	mk_buf_init(&text, MK_SET_MAX);
	mk_device_write(&d, &text);
	return dc_seal("device7", id, &text);
}

START_TEST(device_refusals)
{
	struct recipe recipe = { .n_devices = 2, .n_keys = 1, .n_online = 2 };
	struct mk_envelope env;
	char name[MK_STRING_MAX + 2];

	dc_start(&recipe);
	dc_refused(dc_add("device1"), "device", "already");
	dc_refused(dc_add("master"), "device", "is also the master key");
	dc_refused(dc_add("online1"), "device", "is also an online key");
	dc_refused(dc_add("ssh1.0"), "device", "is also an SSH key");
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	env = dc_device("device7", "device7", name);
	dc_refused(dc_add_this(&env), "device", "over the limit");
	env = dc_device("device7", "device0", "laptop");
	dc_refused(dc_add_this(&env), "device", "'kid'");
	env = misnamed();
	dc_refused(dc_add_this(&env), "device", "is not the fingerprint");
	env = dc_device("device7", "device0", "laptop");
	env.kid = dc_udf("device7");
	dc_refused(dc_add_this(&env), "device", "signature");
	dc_refused(dc_delete("device0"), "device", "needs the master key");
	ck_assert_int_eq(dc_delete("device7"), MK_E_NOPROFILE);
	ck_assert_int_eq(dc_unenrol("device7"), MK_E_NOPROFILE);
	ck_assert_int_eq(dc_enrol("device7", "a", true), MK_E_NOPROFILE);
	ck_assert_int_eq(dc.why.code, MK_E_NOPROFILE);
	/* What was refused changed nothing. */
	ck_assert(mk_draft_unchanged(dc.draft));
	dc_ok(dc_delete("device1"));
	ck_assert_int_eq(dc_delete("device1"), MK_E_NOPROFILE);
	dc_refused(dc_add("device1"), "device", "was deleted");
	/* Nor is the key free that went with it. */
	dc_ok(dc_add("ssh1.0"));
	dc_publish();
}
END_TEST

START_TEST(key_refusals)
{
	struct recipe recipe = { .n_devices = 2, .n_keys = 8,
	    .openssh = true };
	struct mk_text name = { "has space", 9 };
	struct mk_ssh_device d;

	dc_start(&recipe);
	dc_ok(dc_unenrol("device0"));
	dc_refused(dc_enrol("device1", "a", true), "ssh",
	    "8 SSH keys, the limit");
	dc_refused(dc_enrol("device0", "ssh1.3", true), "ssh",
	    "is already that");
	dc_refused(dc_enrol("device0", "ssh1.3", false), "ssh",
	    "is already that");
	dc_refused(dc_enrol("device0", "master", false), "ssh",
	    "the master key");
	dc_refused(dc_enrol("device0", "online0", true), "ssh",
	    "an online key");
	dc_refused(dc_enrol("device0", "device1", false), "ssh",
	    "a device key");
	d = dc_element("device0", "a", true);
	d.description = (struct mk_text){ "123456789 123456789 123456789 "
	    "123456789 123456789 123456789 12345", 65 };
	dc_refused(dc_enrol_this(&d), "ssh", "over the limit");
	d.description = (struct mk_text){ "\xff", 1 };
	dc_refused(dc_enrol_this(&d), "ssh", "utf-8");
	d = dc_element("device0", "a", true);
	d.proof = (struct mk_text){ "?", 1 };
	dc_refused(dc_enrol_this(&d), "ssh", "'Proof'");
	d = (struct mk_ssh_device){ .device = d.device, .host = true,
	    .hostnames = &name, .n_hostnames = 1 };
	dc_refused(dc_enrol_this(&d), "ssh", "'HostNames'");
	dc_ok(dc_enrol("device0", "a", true));
	dc_refused(dc_enrol("device0", "a", false), "ssh",
	    "is already that");
	dc_publish();
	ck_assert_uint_eq(dc.view->n_keys, 9);
}
END_TEST

/* A certificate would let its authority choose; other types are kept. */
START_TEST(foreign_types)
{
	static const uint8_t cert[] = "\0\0\0\x20"
	    "ssh-ed25519-cert-v01@openssh.com\0\0\0\0";
	static const uint8_t other[] = "\0\0\0\x0bx@mesh.test\0\0\0\1x";
	struct recipe recipe = { .n_bare = 1, .no_ssh = true };
	struct mk_ssh_device d = { .device = dc_udf("device0") };

	dc_start(&recipe);
	d.key = (struct mk_sshkey){ .blob = cert, .len = sizeof(cert) - 1,
	    .name = (const char *)cert + 4, .name_len = 32 };
	dc_refused(dc_enrol_this(&d), "ssh-key", "certificate");
	dc_ok(mk_sshkey_parse(other, sizeof(other) - 1, &d.key, &dc.why));
	d.mesh_form = true;
	dc_refused(dc_enrol_this(&d), "ssh", "not ssh-ed25519");
	d.mesh_form = false;
	dc_ok(dc_enrol_this(&d));
	dc_refused(dc_enrol_this(&d), "ssh", "is already that");
	dc_publish();
	ck_assert_int_eq(dc.view->keys[0].verdict, MK_KEY_TYPE_REFUSED);
}
END_TEST

/* Many at once. */
START_TEST(a_crowd)
{
	char device[16], key[16];
	unsigned i;

	dc_first();
	for (i = 1; i < 60; i++) {
		(void)snprintf(device, sizeof(device), "device%u", i);
		(void)snprintf(key, sizeof(key), "key%u", i);
		dc_ok(dc_add(device));
		dc_ok(dc_enrol(device, key, i % 2 == 0));
	}
	dc_publish();
	ck_assert_uint_eq(dc.view->n_keys, 59);
	for (i = 59; i > 0; i--) {
		(void)snprintf(device, sizeof(device), "device%u", i);
		dc_ok(dc_delete(device));
	}
	dc_publish();
	ck_assert_uint_eq(dc.view->personal->n_devices, 1);
	ck_assert_uint_eq(dc.view->personal->n_deleted, 59);
	ck_assert_uint_eq(dc.view->n_keys, 0);
}
END_TEST

START_TEST(many_devices)
{
	struct recipe recipe = { .n_bare = MK_DEVICES_MAX, .no_ssh = true };

	dc_start(&recipe);
	dc_refused(dc_add("another"), "device", "1024 devices, the limit");
	dc_ok(dc_delete("device1023"));
	dc_ok(dc_add("another"));
	dc_publish();
	ck_assert_uint_eq(dc.view->personal->n_devices, MK_DEVICES_MAX);
}
END_TEST

START_TEST(nothing_changed)
{
	struct recipe recipe = { .n_devices = 2, .n_keys = 1 };

	dc_start(&recipe);
	ck_assert(mk_draft_unchanged(dc.draft));
	dc_ok(dc_unenrol("device1"));
	ck_assert(!mk_draft_unchanged(dc.draft));
	dc_ok(dc_enrol("device1", "ssh1.0", false));
	ck_assert(!mk_draft_unchanged(dc.draft));
	dc_ok(dc_unenrol("device1"));
	dc_ok(dc_enrol("device1", "ssh1.0", true));
	ck_assert(mk_draft_unchanged(dc.draft));
	/* Others are dated, and still the same. */
	dc.signing.expires = MADE_NOW + MK_DAY;
	dc_publish();
	ck_assert(mk_draft_unchanged(dc.draft));
	dc_ok(dc_add("device7"));
	ck_assert(!mk_draft_unchanged(dc.draft));
	dc_ok(dc_delete("device7"));
	ck_assert(!mk_draft_unchanged(dc.draft));
	recipe.no_ssh = true;
	dc_start(&recipe);
	dc_ok(dc_enrol("device1", "a", true));
	ck_assert(!mk_draft_unchanged(dc.draft));
	dc_ok(dc_unenrol("device1"));
	ck_assert(mk_draft_unchanged(dc.draft));
	dc_publish();
	ck_assert_uint_eq(dc.view->personal->n_apps, 0);
}
END_TEST

/* All that a person can do, in an arena of 'cap' bytes. */
static int
work_within(size_t cap, const struct mk_envelope *env,
    const struct mk_ssh_device *ssh, struct mk_buf *out)
{
	struct mk_bytes set = dc_set();
	struct mk_udf gone = dc_udf("device1");
	struct mk_arena a;
	struct mk_draft *d;
	int r;

	mk_arena_init(&a, cap);
	if ((r = mk_draft_next(&a, &set, dc.view, &d, &dc.why)) == 0 &&
	    (r = mk_draft_add(d, env, &dc.why)) == 0 &&
	    (r = mk_draft_enrol(d, ssh, &dc.why)) == 0 &&
	    (r = mk_draft_delete(d, &gone, &dc.why)) == 0)
		r = mk_draft_sign(d, &dc.signing, out, &dc.why);
	mk_arena_release(&a);
	return r;
}

/* Wherever the memory ends, it ends in a refusal. */
START_TEST(little_memory)
{
	struct recipe recipe = { .n_devices = 2, .n_keys = 1 };
	struct mk_envelope env = dc_device("device7", "device7", "laptop");
	struct mk_ssh_device ssh = dc_element("device7", "a", false);
	struct mk_buf out;
	size_t cap = 0;
	int r;

	dc_start(&recipe);
	mk_buf_init(&out, MK_SET_MAX);
	do {
		r = work_within(cap, &env, &ssh, &out);
		if (r != 0) {
			ck_assert_int_eq(r, MK_E_REFUSED);
			ck_assert_int_eq(dc.why.code, r);
			ck_assert_uint_eq(out.len, 0);
		}
		cap += 97;
	} while (r != 0);
	/* A set may use all that verifying it may. */
	ck_assert_uint_lt(cap, mk_verify_memory(dc.newest.len));
	mk_buf_release(&out);
}
END_TEST

/* A model of a profile, simple enough to be right. */
#define ROLES		6u
#define KEYS		12u

struct model {
	unsigned devices[ROLES], n_devices;
	unsigned deleted[ROLES], n_deleted;
	struct { unsigned device, key; } ssh[64];	/* KEYS: a host */
	unsigned n_ssh;
};

static struct model model;
static uint32_t state;

static unsigned
roll(unsigned n)
{
	state = state * 1664525u + 1013904223u;
	return (state >> 8) % n;
}

static bool
lists(const unsigned *list, unsigned n, unsigned what)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		if (list[i] == what)
			return true;
	}
	return false;
}

static void
model_unenrol(unsigned device)
{
	unsigned i, n = 0;

	for (i = 0; i < model.n_ssh; i++) {
		if (model.ssh[i].device != device)
			model.ssh[n++] = model.ssh[i];
	}
	model.n_ssh = n;
}

static int
model_enrol(unsigned device, unsigned key)
{
	unsigned i, n = 0;

	if (!lists(model.devices, model.n_devices, device))
		return MK_E_NOPROFILE;
	for (i = 0; i < model.n_ssh; i++) {
		if (key < KEYS && model.ssh[i].key == key)
			return MK_E_REFUSED;
		if (model.ssh[i].device != device)
			continue;
		n++;
		if (model.ssh[i].key == KEYS || key == KEYS)
			return MK_E_REFUSED;
	}
	if (n == MK_KEYS_PER_DEVICE)
		return MK_E_REFUSED;
	model.ssh[model.n_ssh].device = device;
	model.ssh[model.n_ssh++].key = key;
	return 0;
}

static int
model_add(unsigned device)
{
	if (lists(model.devices, model.n_devices, device) ||
	    lists(model.deleted, model.n_deleted, device))
		return MK_E_REFUSED;
	model.devices[model.n_devices++] = device;
	return 0;
}

static int
model_delete(unsigned device)
{
	unsigned i, n = 0;

	if (!lists(model.devices, model.n_devices, device))
		return MK_E_NOPROFILE;
	if (device == 0)
		return MK_E_REFUSED;
	for (i = 0; i < model.n_devices; i++) {
		if (model.devices[i] != device)
			model.devices[n++] = model.devices[i];
	}
	model.n_devices = n;
	model.deleted[model.n_deleted++] = device;
	model_unenrol(device);
	return 0;
}

static void
name(char out[16], const char *what, unsigned n)
{
	(void)snprintf(out, 16, "%s%u", what, n);
}

/* One operation on both; they agree on what comes of it. */
static void
step(void)
{
	unsigned device = roll(ROLES), key = roll(KEYS), what = roll(20);
	char role[16], key_role[16];
	int r, expected;

	name(role, "device", device);
	name(key_role, "key", key);
	if (what < 3) {
		expected = model_add(device);
		r = dc_add(role);
	} else if (what == 3) {
		expected = model_delete(device);
		r = dc_delete(role);
	} else if (what < 6) {
		expected = lists(model.devices, model.n_devices, device) ? 0 :
		    MK_E_NOPROFILE;
		model_unenrol(device);
		r = dc_unenrol(role);
	} else if (what < 8) {
		expected = model_enrol(device, KEYS);
		r = dc_enrol_host(role);
	} else {
		expected = model_enrol(device, key);
		r = dc_enrol(role, key_role, roll(2) == 0);
	}
	ck_assert_msg(r == expected, "%d instead of %d for %u of %s: %s", r,
	    expected, what, role, dc.why.detail);
}

static void
same_udf(const struct mk_udf *udf, unsigned device)
{
	struct mk_udf expected;
	char role[16];

	name(role, "device", device);
	expected = dc_udf(role);
	ck_assert_int_eq(mk_udf_cmp(udf, &expected), 0);
}

static void
same_as_model(void)
{
	const struct mk_personal *p = dc.view->personal;
	const struct mk_ssh_device *d;
	struct mk_pubkey key;
	char role[16];
	unsigned i;

	ck_assert_uint_eq(p->n_devices, model.n_devices);
	for (i = 0; i < model.n_devices; i++)
		same_udf(&p->devices[i].id, model.devices[i]);
	ck_assert_uint_eq(p->n_deleted, model.n_deleted);
	for (i = 0; i < model.n_deleted; i++)
		same_udf(&p->deleted[i], model.deleted[i]);
	ck_assert_uint_eq(dc.view->n_keys, model.n_ssh);
	for (i = 0; i < model.n_ssh; i++) {
		d = dc.view->keys[i].ssh;
		same_udf(&d->device, model.ssh[i].device);
		ck_assert(d->host == (model.ssh[i].key == KEYS));
		if (d->host)
			continue;
		name(role, "key", model.ssh[i].key);
		made_key("alice", role, &key, NULL);
		ck_assert_mem_eq(d->key.ed25519, key.ed25519, 32);
	}
}

/* Whatever is done in whatever order. */
START_TEST(random_lives)
{
	unsigned version, i, n;
	struct model before;

	state = (uint32_t)_i;
	memset(&model, 0, sizeof(model));
	model.n_devices = 1;
	dc_first();
	for (version = 0; version < 12; version++) {
		before = model;
		n = roll(12);
		for (i = 0; i < n; i++)
			step();
		if (version > 0 && memcmp(&before.devices, &model.devices,
		    sizeof(model.devices)) != 0)
			ck_assert(!mk_draft_unchanged(dc.draft));
		dc.signing.now += roll(2);
		dc_publish();
		same_as_model();
	}
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *suite = suite_create("draft");
	TCase *tcase = tcase_create("draft");

	if (sodium_init() == -1)
		abort();
	tcase_add_checked_fixture(tcase, dc_setup, dc_teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, a_first_profile);
	tcase_add_test(tcase, a_first_profile_with_keys);
	tcase_add_test(tcase, first_refusals);
	tcase_add_test(tcase, a_life);
	tcase_add_test(tcase, a_host);
	tcase_add_test(tcase, device_refusals);
	tcase_add_test(tcase, key_refusals);
	tcase_add_test(tcase, foreign_types);
	tcase_add_test(tcase, a_crowd);
	tcase_add_test(tcase, many_devices);
	tcase_add_test(tcase, nothing_changed);
	tcase_add_test(tcase, little_memory);
	tcase_add_loop_test(tcase, random_lives, 1, 17);
	suite_add_tcase(suite, tcase);
	return suite;
}
