/* SPDX-License-Identifier: ISC */
/*
 * The objects behind the signatures, read by themselves: limits and the
 * forms that only old sets have.  What holds in whole sets stands in
 * test_verify.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/profile.h"
#include "core/timestamp.h"
#include "core/write.h"
#include "make_set.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
/* Fingerprints but for their last letter. */
#define U		"MAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AAAA"
#define R		"RAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AAAA"
#define D512		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
			"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define T		"\"2026-01-01T00:00:00Z\""

static struct mk_arena arena;
static struct mk_json_notes notes;
static struct mk_reading reading;
static struct mk_why why;
static struct mk_buf text;

static void
setup(void)
{
	mk_arena_init(&arena, 16u << 20);
	memset(&notes, 0, sizeof(notes));
	mk_buf_init(&text, 4u << 20);
	reading = (struct mk_reading){ .arena = &arena,
	    .gen = MK_GEN_CURRENT, .max_devices = 3, .notes = &notes };
}

static void
teardown(void)
{
	mk_buf_release(&text);
	mk_arena_release(&arena);
}

static void
refused(int r, const char *words)
{
	ck_assert_int_eq(r, MK_E_REFUSED);
	ck_assert_msg(strstr(why.detail, words) != NULL, "'%s' for '%s'",
	    why.detail, words);
}

/* The same text 'n' times, commas between, in brackets. */
static void
put_array(const char *element, size_t n)
{
	size_t i;

	mk_buf_putc(&text, '[');
	for (i = 0; i < n; i++) {
		mk_buf_puts(&text, i > 0 ? "," : "");
		mk_buf_puts(&text, element);
	}
	mk_buf_putc(&text, ']');
}

static int
read_personal(struct mk_personal *p)
{
	return mk_personal_read(&reading, made_json(&arena, text.data), p,
	    &why);
}

/* A PersonalProfile with an array of 'n' elements among its members. */
static int
personal_with(const char *name, const char *element, size_t n)
{
	static struct mk_personal p;

	mk_buf_release(&text);
	mk_buf_puts(&text, "{\"Identifier\":\"" U "A\",\"Updated\":" T ",\"");
	mk_buf_puts(&text, name);
	mk_buf_puts(&text, "\":");
	put_array(element, n);
	if (strcmp(name, "Devices") != 0)
		mk_buf_puts(&text, ",\"Devices\":[]");
	if (strcmp(name, "Applications") != 0)
		mk_buf_puts(&text, ",\"Applications\":[]");
	mk_buf_puts(&text, "}");
	return read_personal(&p);
}

START_TEST(personal_limits)
{
	ck_assert_int_eq(personal_with("Previous", "\"" D512 "\"", 32), 0);
	refused(personal_with("Previous", "\"" D512 "\"", 33),
	    "limit of 32");
	refused(personal_with("Previous", "1", 1), "64 bytes");
	ck_assert_int_eq(personal_with("Deleted", "\"" U "B\"", 1024), 0);
	refused(personal_with("Deleted", "\"" U "B\"", 1025),
	    "limit of 1024");
	refused(personal_with("Deleted", "\"" R "B\"", 1), "0x60");
	refused(personal_with("Deleted", "null", 1), "form of a UDF");
	ck_assert_int_eq(personal_with("Devices", "{\"Identifier\":\"" U
	    "C\"}", 3), 0);
	refused(personal_with("Devices", "{\"Identifier\":\"" U "C\"}", 4),
	    "limit of 3");
	refused(personal_with("Devices", "[]", 1), "not an object");
	ck_assert_int_eq(personal_with("Applications", "{\"Identifier\":\""
	    R "D\",\"Type\":\"x\",\"Digest\":\"" D512 "\"}", 40), 0);
	refused(personal_with("Applications", "{\"Identifier\":\"" R
	    "D\",\"Type\":\"x\"}", 1), "'Digest' is missing");
	refused(personal_with("Applications", "{\"Identifier\":\"" R
	    "D\",\"Type\":1,\"Digest\":\"" D512 "\"}", 1), "'Type'");
}
END_TEST

/* Entries of the old forms: who may sign, by either name. */
START_TEST(personal_device)
{
	const struct mk_member_device list[] = { { .id = { { 1 } } },
	    { .id = { { 2 } } } };
	const struct mk_personal p = { .devices = list, .n_devices = 2 };
	const struct mk_udf second = { { 2 } }, none = { { 3 } };

	ck_assert_ptr_eq(mk_personal_device(&p, &second), &list[1]);
	ck_assert_ptr_null(mk_personal_device(&p, &none));
}
END_TEST

START_TEST(legacy_entries)
{
	struct mk_personal p;

	reading.gen = MK_GEN_2017;
	mk_buf_puts(&text, "{\"Identifier\":\"" U "A\",\"Updated\":1,"
	    "\"Devices\":[],\"Applications\":[{\"Identifier\":\"x\"},"
	    "{\"Identifier\":\"y\",\"SignID\":[\"" U "B\"]},"
	    "{\"Identifier\":\"z\",\"SignID\":1,\"AdminDeviceUDF\":[\"" U
	    "C\",\"" U "D\"],\"Type\":\"SSHProfile\"}]}");
	ck_assert_int_eq(read_personal(&p), 0);
	ck_assert_int_eq(p.updated, MK_TIME_NONE);
	ck_assert_int_eq(p.expires, MK_TIME_NONE);
	ck_assert_uint_eq(p.n_apps, 3);
	ck_assert_uint_eq(p.apps[0].n_signers, 0);
	ck_assert_uint_eq(p.apps[1].n_signers, 1);
	ck_assert_uint_eq(p.apps[2].n_signers, 2);
	ck_assert_uint_eq(p.apps[2].type.len, 10);
}
END_TEST

/* A MasterProfile with so many online keys, all the same. */
static int
master_with(size_t n)
{
	struct mk_pubkey key;
	struct mk_online one;
	struct mk_master m, got;
	size_t i;
	int r;

	made_key("alice", "x", &key, NULL);
	one = (struct mk_online){ .key = key, .device = key.udf };
	m = (struct mk_master){ .id = key.udf, .key = key, .n_online = n,
	    .updated = MADE_NOW };
	m.online = mk_arena_array(&arena, n, sizeof(*m.online));
	for (i = 0; i < n; i++)
		m.online[i] = one;
	mk_buf_release(&text);
	mk_master_write(&m, &text);
	r = mk_master_read(&arena, made_json(&arena, text.data)->child,
	    MK_GEN_CURRENT, &got, &why);
	ck_assert(r != 0 || got.n_online == n);
	ck_assert(r != 0 || got.updated == MADE_NOW);
	return r;
}

START_TEST(master_limits)
{
	ck_assert_int_eq(master_with(1), 0);
	ck_assert_int_eq(master_with(32), 0);
	refused(master_with(33), "limit of 32");
	refused(master_with(0), "is empty");
}
END_TEST

static int
read_ssh(struct mk_ssh *ssh)
{
	return mk_ssh_read(&reading, made_json(&arena, text.data), ssh,
	    &why);
}

/* Eight for each device that may be; seven more cannot all be right. */
START_TEST(ssh_limits)
{
	struct mk_ssh ssh;
	size_t n;

	for (n = 24; n <= 32; n += 8) {
		mk_buf_release(&text);
		mk_buf_puts(&text, "{\"Identifier\":\"" R "A\",\"Devices\":");
		put_array("{\"SSHDevicePublic\":{\"DeviceUDF\":\"" U "B\","
		    "\"Host\":true}}", n);
		mk_buf_putc(&text, '}');
		if (n == 24) {
			ck_assert_int_eq(read_ssh(&ssh), 0);
			ck_assert_uint_eq(ssh.n_devices, 24);
			ck_assert(ssh.devices[23].host);
		} else {
			refused(read_ssh(&ssh), "limit of 8");
		}
	}
}
END_TEST

static void
put_rsa_element(const char *before, size_t size)
{
	uint8_t n[256];

	memset(n, 0xb7, sizeof(n));
	mk_buf_puts(&text, before);
	mk_buf_puts(&text, "{\"PublicKeyRSA\":{\"n\":\"");
	mk_buf_b64url(&text, n, size);
	mk_buf_puts(&text, "\",\"e\":\"AQAB\"}}}");
}

/* The forms of May and of September 2017 beside one another. */
START_TEST(legacy_elements)
{
	struct mk_ssh ssh;

	reading.gen = MK_GEN_2017;
	mk_buf_puts(&text, "{\"Identifier\":\"x\",\"Devices\":[");
	put_rsa_element("{\"Identifier\":\"" U "A\",\"PublicKey\":"
	    "{\"PrivateParameters\":", 256);
	put_rsa_element("},{\"SSHDevicePublic\":{\"DeviceUDF\":\"" U "B\","
	    "\"DeviceDescription\":\"a\\nb\",\"PublicKey\":"
	    "{\"PublicParameters\":", 256);
	put_rsa_element("}},{\"SSHDevicePublic\":{\"DeviceUDF\":\"" U "C\","
	    "\"PublicKey\":{\"PublicParameters\":", 128);
	mk_buf_puts(&text, "}}]}");
	ck_assert_msg(read_ssh(&ssh) == 0, "%s", why.detail);
	ck_assert_uint_eq(ssh.n_devices, 3);
	ck_assert_int_eq(ssh.devices[0].key.type, MK_SSH_RSA);
	ck_assert_uint_eq(ssh.devices[0].key.rsa_bits, 2048);
	ck_assert(!ssh.devices[0].has_key_udf);
	ck_assert_uint_eq(ssh.devices[1].description.len, 3);
	/* The sign octet that the old writer forgot. */
	ck_assert_uint_eq(ssh.devices[1].key.len, 4 + 7 + 4 + 3 + 4 + 257);
	ck_assert_uint_eq(ssh.devices[2].key.rsa_bits, 1024);
}
END_TEST

/* What is written is what is read. */
START_TEST(round_trip)
{
	static const char name[] = "host.example", proof[] = "AAEC";
	struct mk_text names = { name, strlen(name) };
	struct mk_ssh_device list[2] = { { .host = true,
	    .hostnames = &names, .n_hostnames = 1 },
	    { .mesh_form = true, .proof = { proof, strlen(proof) },
	    .description = { "a\nb", 3 } } };
	struct mk_ssh ssh = { .id = { R "A", 35 }, .devices = list,
	    .n_devices = 2 }, got;
	struct mk_pubkey key;
	struct mk_buf blob;

	made_key("alice", "x", &key, NULL);
	list[0].device = made_udf(1);
	list[1].device = made_udf(2);
	mk_buf_init(&blob, 128);
	mk_sshkey_from_ed25519(key.ed25519, &blob);
	ck_assert_int_eq(mk_sshkey_parse((uint8_t *)blob.data, blob.len,
	    &list[1].key, NULL), 0);
	mk_ssh_write(&ssh, &text);
	ck_assert_int_eq(mk_ssh_read(&reading, made_json(&arena,
	    text.data)->child, &got, &why), 0);
	ck_assert_uint_eq(got.n_devices, 2);
	ck_assert(got.devices[0].host && !got.devices[1].host);
	ck_assert_uint_eq(got.devices[0].n_hostnames, 1);
	ck_assert_mem_eq(got.devices[0].hostnames[0].s, name, strlen(name));
	ck_assert_mem_eq(got.devices[1].key.blob, blob.data, blob.len);
	ck_assert(got.devices[1].has_key_udf);
	ck_assert_int_eq(mk_udf_cmp(&got.devices[1].key_udf, &key.udf), 0);
	ck_assert_mem_eq(got.devices[1].description.s, "a\nb", 3);
	ck_assert_uint_eq(got.devices[1].proof.len, 4);
	mk_buf_release(&blob);
}
END_TEST

START_TEST(devices)
{
	struct mk_device d = { .name = { "n", 1 } }, got;
	struct mk_pubkey key;

	made_key("alice", "x", &key, NULL);
	d.key = key;
	d.id = key.udf;
	mk_device_write(&d, &text);
	ck_assert_int_eq(mk_device_read(&arena, made_json(&arena,
	    text.data)->child, MK_GEN_CURRENT, &got, &why), 0);
	ck_assert_int_eq(mk_udf_cmp(&got.id, &key.udf), 0);
	ck_assert_uint_eq(got.name.len, 1);
	ck_assert_uint_eq(got.description.len, 0);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("profile");
	TCase *tc = tcase_create("profile");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, personal_limits);
	tcase_add_test(tc, personal_device);
	tcase_add_test(tc, legacy_entries);
	tcase_add_test(tc, master_limits);
	tcase_add_test(tc, ssh_limits);
	tcase_add_test(tc, legacy_elements);
	tcase_add_test(tc, round_trip);
	tcase_add_test(tc, devices);
	suite_add_tcase(s, tc);
	return s;
}
