/* SPDX-License-Identifier: ISC */
/*
 * SSH keys in verified sets: their elements, their roles, which devices
 * are opened for them, and the comments.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base64.h"
#include "core/digest.h"
#include "unit.h"
#include "verify_case.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

/* An element of SSHProfile.Devices for a device without keys, '@'. */
struct element {
	const char *text, *words;	/* words NULL: accepted */
	enum mk_verdict verdict;	/* of one that is accepted */
};

#define DSS		"ssh-dss AAAAB3NzaC1kc3M="
#define CERT		"x-cert-v01@y AAAADHgtY2VydC12MDFAeQ=="
#define TEN		"[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\""
static const struct element elements[] = {
	{ "\"Host\":true", NULL, MK_KEY_HOST },
	{ "\"Host\":false", "not true", 0 },
	{ "\"Host\":null", "not true", 0 },
	{ "\"Host\":\"true\"", "not true", 0 },
	{ "\"A\":1", "not exactly one", 0 },
	{ "\"Host\":true,\"OpenSSH\":\"" DSS "\"", "not exactly one", 0 },
	{ "\"OpenSSH\":\"" DSS "\"", NULL, MK_KEY_TYPE_REFUSED },
	{ "\"OpenSSH\":\"" DSS " c\"", "canonical base64", 0 },
	{ "\"OpenSSH\":\"ssh-dss  AAAAB3NzaC1kc3M=\"", "canonical", 0 },
	{ "\"OpenSSH\":\"ssh-rsa AAAAB3NzaC1kc3M=\"", "another type", 0 },
	{ "\"OpenSSH\":\"ssh-dss AAAAB3NzaC1kc3M\"", "canonical", 0 },
	{ "\"OpenSSH\":\"" CERT "\"", "certificate", 0 },
	{ "\"OpenSSH\":\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5\"", "cut short",
	    0 },
	{ "\"OpenSSH\":1", "not a string", 0 },
	{ "\"OpenSSH\":\"" DSS "\",\"HostKeys\":[]", "without 'Host'", 0 },
	{ "\"OpenSSH\":\"" DSS "\",\"Proof\":\"AA\"", NULL,
	    MK_KEY_TYPE_REFUSED },
	{ "\"OpenSSH\":\"" DSS "\",\"Proof\":\"AB\"", "base64url", 0 },
	{ "\"OpenSSH\":\"" DSS "\",\"Proof\":\"AA==\"", "base64url", 0 },
	{ "\"OpenSSH\":\"" DSS "\",\"Proof\":null", "not a string", 0 },
	{ "\"OpenSSH\":\"" DSS "\",\"Unknown\":null", NULL,
	    MK_KEY_TYPE_REFUSED },
	{ "\"OpenSSH\":\"" DSS "\",\"Unknown\":\"" TEXT1K "\"", NULL,
	    MK_KEY_TYPE_REFUSED },
	{ "\"OpenSSH\":\"" DSS "\",\"Unknown\":\"x" TEXT1K "\"",
	    "limit of 1024", 0 },
	{ "\"OpenSSH\":\"" DSS "\",\"x" TEXT1K "\":1", "limit of 1024", 0 },
	{ "\"OpenSSH\":\"" DSS "\",\"Proof\":\"" TEXT8K "\"", NULL,
	    MK_KEY_TYPE_REFUSED },
	{ "\"OpenSSH\":\"" DSS "\",\"Proof\":\"xxxx" TEXT8K "\"", "limit", 0 },
	{ "\"OpenSSH\":\"" DSS TEXT8K "\"", "longer than 8192", 0 },
	{ "\"Host\":true,\"Proof\":\"=\"", NULL, MK_KEY_HOST },
	{ "\"Host\":true,\"Proof\":1", "not a string", 0 },
	{ "\"Host\":true,\"HostKeys\":[\"" DSS "\"]", NULL, MK_KEY_HOST },
	{ "\"Host\":true,\"HostKeys\":[\"" CERT "\"]", "certificate", 0 },
	{ "\"Host\":true,\"HostKeys\":[\"x\"]", "type base64", 0 },
	{ "\"Host\":true,\"HostKeys\":[1]", "not a string", 0 },
	{ "\"Host\":true,\"HostKeys\":{}", "not an array", 0 },
	{ "\"Host\":true,\"HostKeys\":" TEN "]", "limit of 8", 0 },
	{ "\"Host\":true,\"HostNames\":" TEN ",\"j\",\"k\",\"l\",\"m\",\"n\","
	    "\"o\",\"p\"]", NULL, MK_KEY_HOST },
	{ "\"Host\":true,\"HostNames\":" TEN ",\"j\",\"k\",\"l\",\"m\",\"n\","
	    "\"o\",\"p\",\"q\"]", "limit of 16", 0 },
	{ "\"Host\":true,\"HostNames\":[\"a b\"]", "not allowed", 0 },
	{ "\"Host\":true,\"HostNames\":[\"a,b\"]", "not allowed", 0 },
	{ "\"Host\":true,\"HostNames\":[\"\\u00e4\"]", "not allowed", 0 },
	{ "\"Host\":true,\"HostNames\":[\"" TEXT256 "\"]", "255", 0 },
	{ "\"DeviceDescription\":\"" TEXT32 TEXT32 "\",\"Host\":true", NULL,
	    MK_KEY_HOST },
	{ "\"DeviceDescription\":\"x" TEXT32 TEXT32 "\",\"Host\":true",
	    "limit of 64", 0 },
	{ "\"DeviceDescription\":null,\"Host\":true", "not a string", 0 },
	/* A second element: nothing stands beside a host. */
	{ "\"Host\":true}},{\"SSHDevicePublic\":{\"DeviceUDF\":\"@\","
	    "\"OpenSSH\":\"" DSS "\"", "another element", 0 },
	{ "\"OpenSSH\":\"" DSS "\"}},{\"SSHDevicePublic\":{\"DeviceUDF\":"
	    "\"@\",\"Host\":true", "another element", 0 },
	{ "\"Host\":true}},{\"SSHDevicePublic\":{\"DeviceUDF\":\"@\","
	    "\"Host\":true", "another element", 0 },
	{ "\"OpenSSH\":\"" DSS "\"}},{\"SSHDevicePublic\":{\"DeviceUDF\":"
	    "\"@\",\"OpenSSH\":\"" DSS "\"", "stands twice", 0 },
};

/* A set with an element for device1, which has none of its own. */
static void
make_element(const char *text)
{
	struct made_edit edit = { "ssh", "\"Devices\":[", NULL };
	struct recipe r = { .n_devices = 1, .n_bare = 1, .n_keys = 1,
	    .edits = &edit, .n_edits = 1 };
	struct mk_pubkey key;
	char *to;

	made_key("alice", "device1", &key, NULL);
	edit.to = to = case_fill("\"Devices\":[{\"SSHDevicePublic\":{", text,
	    "}},", &key.udf);
	case_make(&r);
	free(to);
}

START_TEST(ssh_elements)
{
	const struct element *e = &elements[_i];
	char text[16384];

	(void)snprintf(text, sizeof(text), "\"DeviceUDF\":\"@\",%s", e->text);
	make_element(text);
	if (e->words != NULL) {
		ck_assert_int_eq(case_verify(), MK_E_REFUSED);
		ck_assert_msg(strstr(why.detail, e->words) != NULL,
		    "'%s' instead of '%s' for %s", why.detail, e->words,
		    e->text);
		return;
	}
	case_accept();
	ck_assert_uint_eq(view->n_keys, 2);
	ck_assert_int_eq(view->keys[0].verdict, e->verdict);
	ck_assert_int_eq(view->keys[1].verdict, MK_KEY_USABLE);
}
END_TEST

/* A key of a device that P does not list. */
START_TEST(unlisted_device)
{
	make_element("\"DeviceUDF\":\"MAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA\","
	    "\"OpenSSH\":\"" DSS "\"");
	case_refuse("ssh", "does not list");
	make_element("\"DeviceUDF\":\"" APP "\",\"Host\":true");
	case_refuse("ssh", "0x88 instead of 0x60");
}
END_TEST

/* An element with an RSA key of so many bits, in the form of OpenSSH. */
static void
make_rsa(size_t bits)
{
	uint8_t n[256], e[] = { 1, 0, 1 };
	struct mk_rsa rsa = { n, e, bits / 8, sizeof(e) };
	struct mk_buf blob, text;

	memset(n, 0xc5, sizeof(n));
	mk_buf_init(&blob, 4096);
	mk_buf_init(&text, 4096);
	mk_sshkey_from_rsa(&rsa, &blob);
	mk_buf_puts(&text, "\"DeviceUDF\":\"@\",\"OpenSSH\":\"ssh-rsa ");
	mk_buf_b64std(&text, (const uint8_t *)blob.data, blob.len);
	mk_buf_puts(&text, "\"");
	make_element(text.data);
	mk_buf_release(&blob);
	mk_buf_release(&text);
}

START_TEST(key_policy)
{
	make_rsa(2048);
	case_accept();
	ck_assert_int_eq(view->keys[0].verdict, MK_KEY_USABLE);
	demand.key_types = MK_SSH_ALL & ~(unsigned)MK_SSH_RSA;
	case_accept();
	ck_assert_int_eq(view->keys[0].verdict, MK_KEY_TYPE_REFUSED);
	make_rsa(2040);
	case_accept();
	ck_assert_int_eq(view->keys[0].verdict, MK_KEY_WEAK);
	demand.key_types = 0;
	case_accept();
	ck_assert_uint_eq(case_count(MK_KEY_USABLE), 0);
}
END_TEST

/* Nine keys of one device; those that policy skips count too. */
START_TEST(nine_keys)
{
	struct recipe r = { .n_devices = 1, .n_keys = 9 };

	case_make(&r);
	case_refuse("ssh", "limit of 8");
	r.n_keys = 8;
	case_make(&r);
	case_accept();
}
END_TEST

/* The key of a role as the SSH key of device1, in both forms. */
static void
make_ssh_of(const char *role, bool openssh)
{
	char text[512], udf[MK_UDF_TEXT + 1], b64[128] = "";
	struct mk_pubkey key;
	struct mk_buf blob;

	made_key("alice", role, &key, NULL);
	mk_udf_format(&key.udf, udf);
	mk_buf_init(&blob, sizeof(b64));
	if (openssh)
		mk_sshkey_from_ed25519(key.ed25519, &blob);
	else
		mk_buf_put(&blob, key.ed25519, sizeof(key.ed25519));
	if (openssh)
		mk_b64std_encode((uint8_t *)blob.data, blob.len, b64);
	else
		mk_b64url_encode((uint8_t *)blob.data, blob.len, b64);
	mk_buf_release(&blob);
	if (openssh)
		(void)snprintf(text, sizeof(text), "\"DeviceUDF\":\"@\","
		    "\"OpenSSH\":\"ssh-ed25519 %s\"", b64);
	else
		(void)snprintf(text, sizeof(text), "\"DeviceUDF\":\"@\","
		    "\"PublicKey\":{\"UDF\":\"%s\",\"PublicParameters\":{"
		    "\"PublicKeyECDH\":{\"crv\":\"Ed25519\",\"Public\":\"%s\"}"
		    "}}", udf, b64);
	make_element(text);
}

/* A key has one role, and each SSH key stands once in either form. */
START_TEST(roles)
{
	static const char *const taken[] = { "master", "online0", "device0",
	    "device1" };
	size_t i;

	for (i = 0; i < 2 * COUNT(taken); i++) {
		make_ssh_of(taken[i / 2], i % 2 == 0);
		case_refuse("ssh", "is also a master, online or device key");
	}
	for (i = 0; i < 2; i++) {
		make_ssh_of("ssh0.0", i == 0);
		case_refuse("ssh", "stands twice");
		make_ssh_of("stranger", i == 0);
		case_accept();
	}
}
END_TEST

static void
offer_key(struct mk_offer *offer, struct mk_buf *blob, const char *role)
{
	struct mk_pubkey key;

	made_key("alice", role, &key, NULL);
	mk_buf_init(blob, 128);
	mk_sshkey_from_ed25519(key.ed25519, blob);
	*offer = (struct mk_offer){ .blob = (const uint8_t *)blob->data,
	    .len = blob->len };
	mk_sha256((const uint8_t *)blob->data, blob->len, offer->sha256);
}

START_TEST(offered)
{
	struct recipe r = { .n_devices = 3, .n_keys = 2 };
	struct mk_offer offer;
	struct mk_buf blob;

	case_make(&r);
	offer_key(&offer, &blob, "ssh1.1");
	demand.offer = &offer;
	case_accept();
	ck_assert_uint_eq(case_count(MK_KEY_USABLE), 1);
	ck_assert_uint_eq(case_count(MK_KEY_NOT_OFFERED), 5);
	ck_assert_int_eq(view->keys[3].verdict, MK_KEY_USABLE);
	offer.blob = NULL;
	case_accept();
	ck_assert_int_eq(view->keys[3].verdict, MK_KEY_USABLE);
	offer.sha256[0] ^= 1;
	case_accept();
	ck_assert_uint_eq(case_count(MK_KEY_USABLE), 0);
	mk_buf_release(&blob);
}
END_TEST

/* A broken envelope counts where it is opened, and only there. */
START_TEST(lazy_opening)
{
	static const struct made_edit broken[] = {
		{ "device1", "\"DeviceSignatureKey\"", "\"SignatureKey\"" },
		{ "device1", "\"Names\":[\"laptop\"]", "\"Names\":null" },
		{ "device1", "\"Names\":[\"laptop\"]",
		    "\"Names\":[\"a\",\"b\"]" },
		{ "device1", "\"Description\":\"a machine\"",
		    "\"Description\":1" },
		{ "device1", "Ed25519", "Ed448" },
	};
	struct recipe r = { .n_devices = 2, .n_keys = 1, .n_edits = 1,
	    .edits = &broken[_i] };
	struct mk_offer offer;
	struct mk_buf blob;

	case_make(&r);
	ck_assert_int_eq(case_verify(), MK_E_REFUSED);
	ck_assert_str_eq(why.stage, "device");
	offer_key(&offer, &blob, "ssh0.0");
	demand.offer = &offer;
	case_accept();
	ck_assert_uint_eq(case_count(MK_KEY_USABLE), 1);
	ck_assert_str_eq(view->keys[0].comment, "a machine");
	demand.open_all = true;
	ck_assert_int_eq(case_verify(), MK_E_REFUSED);
	demand.open_all = false;
	mk_buf_release(&blob);
	offer_key(&offer, &blob, "ssh1.0");
	ck_assert_int_eq(case_verify(), MK_E_REFUSED);
	mk_buf_release(&blob);
	/* One that is nobody's opens none. */
	offer_key(&offer, &blob, "stranger");
	case_accept();
	mk_buf_release(&blob);
}
END_TEST

/* Of a closed envelope the outer Identifier counts all the same. */
START_TEST(closed_identifier)
{
	static const struct made_edit edit = { "personal",
	    "\"Devices\":[{\"Identifier\":\"M", "\"Devices\":[{\"Identifier"
	    "\":\"R" };
	struct recipe r = { .n_devices = 1, .n_bare = 1, .n_keys = 1,
	    .edits = &edit, .n_edits = 1 };
	struct mk_offer offer;
	struct mk_buf blob;

	case_make(&r);
	offer_key(&offer, &blob, "stranger");
	demand.offer = &offer;
	case_refuse("device", "instead of 0x60");
	mk_buf_release(&blob);
}
END_TEST

/* DeviceDescription, Description, Names[0]: the first that is not empty. */
START_TEST(comments)
{
	struct made_edit edit = { "device0", "a machine", "" };
	struct recipe r = { .n_devices = 1, .n_keys = 1,
	    .description = "lap \xc3\xa4\n\"\x7f,command=\"" };

	case_make(&r);
	case_accept();
	ck_assert_str_eq(view->keys[0].comment, "lap ???\"?,command=\"");
	r.description = NULL;
	case_make(&r);
	case_accept();
	ck_assert_str_eq(view->keys[0].comment, "a machine");
	r.edits = &edit;
	r.n_edits = 1;
	case_make(&r);
	case_accept();
	ck_assert_str_eq(view->keys[0].comment, "laptop");
	/* 70 bytes, of which the 64th lies inside a character. */
	edit.to = TEXT32 "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\xc3\xa4zzzzz";
	case_make(&r);
	case_accept();
	ck_assert_str_eq(view->keys[0].comment,
	    TEXT32 "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy?");
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("verify_ssh");
	TCase *tc = tcase_create("verify_ssh");

	tcase_add_checked_fixture(tc, case_setup, case_teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, ssh_elements, 0, (int)COUNT(elements));
	tcase_add_test(tc, unlisted_device);
	tcase_add_test(tc, key_policy);
	tcase_add_test(tc, nine_keys);
	tcase_add_test(tc, roles);
	tcase_add_test(tc, offered);
	tcase_add_loop_test(tc, lazy_opening, 0, 5);
	tcase_add_test(tc, closed_identifier);
	tcase_add_test(tc, comments);
	suite_add_tcase(s, tc);
	return s;
}
