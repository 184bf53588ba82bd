/* SPDX-License-Identifier: ISC */
/*
 * The chain from the fingerprint to the keys: each rule of
 * mesh-profile-set(5) broken once, every bit of a set flipped, and memory
 * that runs out at every point.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base64.h"
#include "unit.h"
#include "verify_case.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

START_TEST(right_sets)
{
	static const struct recipe recipes[] = {
		{ .n_devices = 1, .n_keys = 1 },
		{ .n_devices = 3, .n_keys = 1 },
		{ .n_devices = 2, .n_keys = 8, .openssh = true },
		{ .n_devices = 2, .n_keys = 1, .description = "x" },
		{ .n_devices = 0, .n_keys = 0 },
		{ .n_devices = 2, .no_ssh = true },
		{ .n_devices = 1, .n_keys = 1, .n_online = 32 },
		{ .n_devices = 1, .n_keys = 1, .n_online = 2,
		    .personal_signer = "online1", .ssh_signer = "online0" },
	};
	const struct recipe *r = &recipes[_i];

	case_make(r);
	case_accept();
	ck_assert_int_eq(view->gen, MK_GEN_CURRENT);
	ck_assert_int_eq(mk_udf_cmp(&view->udf, &made.udf), 0);
	ck_assert_uint_eq(case_count(MK_KEY_USABLE),
	    (size_t)r->n_devices * r->n_keys);
	ck_assert(!view->clock_stale);
}
END_TEST

/* What is wrong in one place, and the words that say so. */
struct fault {
	struct made_edit edit;
	const char *stage, *words;
};


static const struct fault faults[] = {
	/* 1. Encoding, and what stands around. */
	{ { "set", "\"Status\":201", "\"Status\":200" }, "set", "201" },
	{ { "set", "\"Status\":201", "\"Status\":201.0" }, "set", "201" },
	{ { "set", "\"Status\":201", "\"Status\":\"201\"" }, "set",
	    "'Status' is not a number" },
	{ { "set", "\"Status\":201,", "" }, "set", "missing" },
	{ { "set", "{\"GetResponse\":", "{\"A\":1,\"GetResponse\":" },
	    "set", "exactly one member" },
	{ { "set", "{\"SignedPersonalProfile\":",
	    "{\"A\":1,\"SignedPersonalProfile\":" }, "set", "one member" },
	{ { "set", "[{\"SignedPersonalProfile\":",
	    "[1,{\"SignedPersonalProfile\":" }, "set", "one member" },
	{ { "set", "SignedPersonalProfile", "SignedPersonalprofile" },
	    "set", "'SignedPersonalProfile' is missing" },
	{ { "set", "SignedApplicationProfile", "SignedDeviceProfile" },
	    "ssh", "missing" },
	{ { "set", "{\"SignedPersonalProfile\":", "{\"SignedPersonalProfile"
	    "\":{}},{\"SignedPersonalProfile\":" }, "set", "two of" },
	{ { "set", "[{\"SignedPersonalProfile\"",
	    "[{\"SignedApplicationProfile\":{\"Identifier\":\"" APP "\"}},"
	    "{\"SignedPersonalProfile\"" }, "ssh", "two of" },
	{ { "set", "{\"GetResponse\"", " \xef\xbb\xbf{\"GetResponse\"" },
	    "set", "no json" },
	{ { "set", "\"Status\"", "\"A\":\"\nB\",\"Status\"" }, "set",
	    "raw line feed" },
	{ { "personal", "\"Applications\"", "\"A\":\"\nB\",\"Applications\"" },
	    "set", "raw line feed" },
	{ { "ssh", "\"Devices\"", "\"A\":\"\nB\",\"Devices\"" }, "set",
	    "raw line feed" },
	{ { "device1", "\"Names\"", "\"A\":\"\nB\",\"Names\"" }, "set",
	    "raw line feed" },
	{ { "master", "\"Updated\"", "\"A\":\"\nB\",\"Updated\"" }, "set",
	    "raw line feed" },
	{ { "device1", "a machine", "\\u0000" }, "device", "escaped nul" },
	{ { "device1", "\"Names\"", "\"A\":{\"B\":1,\"\\u0042\":2},"
	    "\"Names\"" }, "device", "two members" },
	{ { "master", "\"Updated\"", "\"A\":[[[[[[[[[[[[[[[]]]]]]]]]]]]]]],"
	    "\"Updated\"" }, "master", "open brackets" },
	/* 2. Envelopes. */
	{ { "set", "{\"SignedApplicationProfile\":{",
	    "{\"SignedApplicationProfile\":{\"A\":1," }, "ssh",
	    "not allowed" },
	{ { "set", "{\"SignedApplicationProfile\":{\"Identifier\":\"" APP
	    "\",\"SignedData\":{", "{\"SignedApplicationProfile\":{"
	    "\"Identifier\":\"" APP "\",\"SignedData\":{\"A\":1," }, "ssh",
	    "not allowed" },
	{ { "set", "{\"SignedApplicationProfile\":{\"Identifier\":\"" APP
	    "\",\"SignedData\":{\"unprotected\":{\"dig\":\"S512\"}",
	    "{\"SignedApplicationProfile\":{\"Identifier\":\"" APP
	    "\",\"SignedData\":{\"unprotected\":{\"dig\":\"S256\"}" },
	    "ssh", "'dig'" },
	{ { "personal", "}]}}],\"Applications\"", "},{}]}}],"
	    "\"Applications\"" }, "device", "2 signatures" },
	{ { "device0", "DeviceProfile", "MasterProfile" }, "device",
	    "exactly one member 'DeviceProfile'" },
	{ { "device0", "{\"DeviceProfile\"", "{\"A\":1,\"DeviceProfile\"" },
	    "device", "exactly one member" },
	{ { "ssh", "{\"SSHProfile\"", "[{\"SSHProfile\"" }, "ssh", "byte" },
	{ { "ssh", APP, "RAAAA-BBBBB-CCCCC-DDDDD-EEEEE-FFFFG" }, "ssh",
	    "'Identifier' outside" },
	/* 3. Keys. */
	{ { "device0", "\"UDF\":\"M", "\"UDF\":\"m" }, "device",
	    "form of a UDF" },
	{ { "device0", "\"UDF\":\"M", "\"Udf\":\"M" }, "device",
	    "not allowed" },
	{ { "device0", "\"Public\":\"", "\"Public\":\"AAAA" }, "device",
	    "32 bytes" },
	{ { "device0", "\"DeviceSignatureKey\":{", "\"DeviceSignatureKey\":{"
	    "\"X509Certificate\":\"AA\"," }, "device", "not allowed" },
	{ { "device0", "\"DeviceSignatureKey\":{", "\"DeviceSignatureKey\":{"
	    "\"PrivateParameters\":{}," }, "device", "not allowed" },
	{ { "device0", "\"PublicKeyECDH\":{", "\"PublicKeyECDH\":{"
	    "\"Private\":\"AA\"," }, "device", "not allowed" },
	{ { "device0", "{\"PublicKeyECDH\"", "{\"A\":1,\"PublicKeyECDH\"" },
	    "device", "exactly one member" },
	{ { "device0", "Ed25519", "ed25519" }, "device", "'crv'" },
	/* 4. Objects. */
	{ { "master", "\"Updated\"", "\"Later\"" }, "master", "'Updated'" },
	{ { "master", "\"OnlineSignatureKeys\"", "\"Keys\"" }, "master",
	    "missing" },
	{ { "master", "DeviceUDF", "DeviceUdf" }, "master", "not allowed" },
	{ { "master", "\"MasterSignatureKey\"",
	    "\"OnlineSignatureKey\"" }, "master", "missing" },
	{ { "personal", "2026-03-01T11:00:00Z", "2026-03-01T10:59:59Z" },
	    "personal", "before that of the MasterProfile" },
	{ { "personal", "2026-03-01T11:00:00Z", "2026-03-01T11:00:00" },
	    "personal", "valid time" },
	{ { "personal", "2026-03-01T11:00:00Z", "2026-02-29T11:00:00Z" },
	    "personal", "valid time" },
	{ { "personal", "11:00:00Z\",", "11:00:00Z\",\"Expires\":null," },
	    "personal", "'Expires' is not a string" },
	{ { "personal", "11:00:00Z\",", "11:00:00Z\",\"Expires\":"
	    "\"2026-03-01T11:00:00Z\"," }, "personal", "not after" },
	{ { "personal", "11:00:00Z\",", "11:00:00Z\",\"Previous\":{}," },
	    "personal", "'Previous' is not an array" },
	{ { "personal", "11:00:00Z\",", "11:00:00Z\",\"Previous\":"
	    "[\"AAAA\"]," }, "personal", "64 bytes" },
	{ { "personal", "11:00:00Z\",", "11:00:00Z\",\"Deleted\":"
	    "[\"" APP "\"]," }, "personal", "0x88 instead of 0x60" },
	{ { "personal", "11:00:00Z\",", "11:00:00Z\",\"Deleted\":"
	    "[\"maaaa-aaaaa-aaaaa-aaaaa-aaaaa-aaaaa\"]," }, "personal",
	    "form of a UDF" },
	{ { "personal", "11:00:00Z\",", "11:00:00Z\",\"Deleted\":"
	    "[\"MAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA\","
	    "\"MAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA\"]," }, "personal",
	    "twice" },
	{ { "personal", "\"Devices\"", "\"Machines\"" }, "personal",
	    "'Devices' is missing" },
	{ { "personal", "\"Devices\":[", "\"Devices\":[1," }, "device",
	    "not an object" },
	{ { "personal", "\"Applications\"", "\"Apps\"" }, "personal",
	    "'Applications' is missing" },
	{ { "personal", ",\"Type\":\"SSHProfile\"", "" }, "application",
	    "'Type' is missing" },
	{ { "personal", APP, "MAAAA-BBBBB-CCCCC-DDDDD-EEEEE-FFFFF" },
	    "application", "0x60 instead of 0x88" },
	{ { "personal", "\"Digest\"", "\"Hash\"" }, "application",
	    "'Digest'" },
	{ { "ssh", "{\"SSHDevicePublic\"", "{\"A\":1,\"SSHDevicePublic\"" },
	    "ssh", "exactly one member" },
	{ { "ssh", "\"DeviceUDF\"", "\"Identifier\"" }, "ssh",
	    "'DeviceUDF' is missing" },
	{ { "ssh", "\"PublicKey\":{", "\"PublicKey\":{\"kid\":1," }, "ssh",
	    "not allowed" },
	{ { "ssh", "\"PublicKey\":{", "\"Host\":true,\"PublicKey\":{" },
	    "ssh", "not exactly one" },
	{ { "ssh", "\"PublicKey\":{", "\"HostNames\":[],\"PublicKey\":{" },
	    "ssh", "without 'Host'" },
};

START_TEST(one_fault)
{
	const struct fault *f = &faults[_i];
	struct recipe r = { .n_devices = 2, .n_keys = 1, .edits = &f->edit,
	    .n_edits = 1 };

	case_make(&r);
	case_refuse(f->stage, f->words);
}
END_TEST

/* The same key as master and online key, or twice as an online key. */
START_TEST(shared_roles)
{
	static const char *const pairs[][2] = { { "online0", "master" },
	    { "online0", "device0" }, { "online1", "online0" } };
	char texts[2][MK_UDF_TEXT + 1], b64[2][64] = { "", "" };
	struct made_edit edits[2];
	struct recipe r = { .n_devices = 1, .n_keys = 1, .n_online = 2,
	    .edits = edits, .n_edits = 2 };
	struct mk_pubkey key;
	size_t i, j;

	for (i = 0; i < COUNT(pairs); i++) {
		for (j = 0; j < 2; j++) {
			made_key("alice", pairs[i][j], &key, NULL);
			mk_udf_format(&key.udf, texts[j]);
			mk_b64url_encode(key.ed25519, 32, b64[j]);
		}
		edits[0] = (struct made_edit){ "master", texts[0], texts[1] };
		edits[1] = (struct made_edit){ "master", b64[0], b64[1] };
		/* Whoever signs is still there. */
		r.personal_signer = r.ssh_signer = pairs[i][1];
		case_make(&r);
		case_refuse("device", "two roles");
	}
}
END_TEST

/* Each part by the wrong key; kid and key agree. */
START_TEST(wrong_signers)
{
	struct recipe r = { .n_devices = 1, .n_keys = 1, .n_online = 2 };
	static const char *const wrong[] = { "device0", "master", "ssh0.0",
	    "stranger" };
	size_t i;

	for (i = 0; i < COUNT(wrong); i++) {
		r.personal_signer = wrong[i];
		r.ssh_signer = NULL;
		case_make(&r);
		case_refuse("personal", "no online key");
		r.personal_signer = NULL;
		r.ssh_signer = wrong[i];
		case_make(&r);
		case_refuse("ssh", "no online key");
	}
}
END_TEST

/* The right kid over another's signature. */
START_TEST(forged)
{
	static const char *const levels[][2] = { { "master", "master" },
	    { "personal", "personal" }, { "ssh", "ssh" },
	    { "device1", "device" } };
	struct recipe r = { .n_devices = 2, .n_keys = 1 };
	size_t i;

	for (i = 0; i < COUNT(levels); i++) {
		r.forged = levels[i][0];
		case_make(&r);
		case_refuse(levels[i][1], "the signature is wrong");
	}
}
END_TEST

/* An Identifier that outside and inside agree about, and that is wrong. */
static void
make_renamed(const struct made_edit *places, size_t n, const char *role)
{
	struct made_edit edits[3];
	struct recipe r = { .n_devices = 1, .n_keys = 1, .edits = edits,
	    .n_edits = n };
	struct mk_udf other = made_udf(7);
	struct mk_pubkey key;
	char *texts[6];
	size_t i;

	made_key("alice", role, &key, NULL);
	for (i = 0; i < n; i++) {
		edits[i].level = places[i].level;
		texts[2 * i] = case_fill(places[i].from, "@\"", "",
		    &key.udf);
		texts[2 * i + 1] = case_fill(places[i].from, "@\"", "",
		    &other);
		edits[i].from = texts[2 * i];
		edits[i].to = texts[2 * i + 1];
	}
	case_make(&r);
	for (i = 0; i < 2 * n; i++)
		free(texts[i]);
}

START_TEST(wrong_identifiers)
{
	static const struct made_edit master[] = {
		{ "master", "{\"MasterProfile\":{\"Identifier\":\"", NULL },
		{ "personal", "\"SignedMasterProfile\":{\"Identifier\":\"",
		    NULL },
	}, personal[] = {
		{ "personal", "{\"PersonalProfile\":{\"Identifier\":\"",
		    NULL },
		{ "set", "\"SignedPersonalProfile\":{\"Identifier\":\"",
		    NULL },
	}, device[] = {
		{ "device0", "{\"DeviceProfile\":{\"Identifier\":\"", NULL },
		{ "personal", "\"Devices\":[{\"Identifier\":\"", NULL },
		{ "ssh", "\"DeviceUDF\":\"", NULL },
	};

	make_renamed(master, 2, "master");
	case_refuse("master", "not the fingerprint of the master key");
	make_renamed(personal, 2, "master");
	case_refuse("personal", "not that of the MasterProfile");
	make_renamed(device, 3, "device0");
	case_refuse("device", "not the fingerprint of the device key");
}
END_TEST

START_TEST(listed_twice)
{
	struct made_edit edit = { "personal", "\"Devices\":[", NULL };
	struct recipe r = { .n_devices = 2, .n_keys = 1, .edits = &edit,
	    .n_edits = 1 };
	struct mk_pubkey key;
	char *to;

	made_key("alice", "device1", &key, NULL);
	edit.to = to = case_fill("\"Devices\":[", "{\"Identifier\":\"@\"},", "",
	    &key.udf);
	case_make(&r);
	case_refuse("device", "listed twice");
	free(to);
}
END_TEST

#define DIGEST	TEXT32 TEXT32 "xxxxxxxxxxxxxxxxxxxxxQ"

/* Other entries of P are no business of SSH, unless they clash. */
START_TEST(entries)
{
	static const struct {
		const char *to, *words;
	} cases[] = {
		{ "\"Applications\":[{\"Identifier\":\"RAAAA-AAAAA-AAAAA-"
		    "AAAAA-AAAAA-AAAAA\",\"Type\":\"x\",\"Digest\":\""
		    DIGEST "\"},", NULL },
		{ "\"Applications\":[{\"Identifier\":\"" APP
		    "\",\"Type\":\"x\",\"Digest\":\"" DIGEST "\"},",
		    "of one Identifier" },
		{ "\"Applications\":[{\"Identifier\":\"RAAAA-AAAAA-AAAAA-"
		    "AAAAA-AAAAA-AAAAA\",\"Type\":\"SSHProfile\","
		    "\"Digest\":\"" DIGEST "\"},", "of type SSHProfile" },
	};
	struct made_edit edit = { "personal", "\"Applications\":[",
	    cases[_i].to };
	struct recipe r = { .n_devices = 1, .n_keys = 1, .edits = &edit,
	    .n_edits = 1 };

	case_make(&r);
	if (cases[_i].words != NULL)
		case_refuse("application", cases[_i].words);
	else
		case_accept();
}
END_TEST

/* An older SSHProfile, rightly signed, beside a newer PersonalProfile. */
START_TEST(replayed_ssh)
{
	static const char mark[] = ",{\"SignedApplicationProfile\":";
	struct recipe r = { .n_devices = 1, .n_keys = 1 };
	struct made old;
	size_t at;

	made_set(&r, &old);
	r.description = "new";
	case_make(&r);
	at = (size_t)(strstr(made.set.data, mark) - made.set.data);
	mk_buf_cut(&made.set, at);
	mk_buf_puts(&made.set, strstr(old.set.data, mark));
	demand = made_demand(&made);
	case_refuse("ssh", "whose digest");
	made_release(&old);
}
END_TEST

START_TEST(other_fingerprint)
{
	struct recipe r = { .n_devices = 1, .n_keys = 1 };

	case_make(&r);
	demand.udf = made_udf(1);
	case_refuse("master", "another fingerprint");
	/* The last bit of the 150 counts. */
	demand = made_demand(&made);
	demand.udf.b[MK_UDF_BYTES - 1] ^= 4;
	case_refuse("master", "another fingerprint");
}
END_TEST

START_TEST(limits)
{
	struct recipe r = { .n_devices = 3, .n_keys = 1 };

	case_make(&r);
	demand.max_set = made.set.len;
	case_accept();
	demand.max_set--;
	case_refuse("set", "over the limit of");
	demand.max_set++;
	demand.max_devices = 3;
	case_accept();
	demand.max_devices = 2;
	case_refuse("personal", "over the limit of 2");
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("verify");
	TCase *tc = tcase_create("verify");

	tcase_add_checked_fixture(tc, case_setup, case_teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, right_sets, 0, 8);
	tcase_add_loop_test(tc, one_fault, 0, (int)COUNT(faults));
	tcase_add_test(tc, shared_roles);
	tcase_add_test(tc, wrong_signers);
	tcase_add_test(tc, forged);
	tcase_add_test(tc, wrong_identifiers);
	tcase_add_test(tc, listed_twice);
	tcase_add_loop_test(tc, entries, 0, 3);
	tcase_add_test(tc, replayed_ssh);
	tcase_add_test(tc, other_fingerprint);
	tcase_add_test(tc, limits);
	suite_add_tcase(s, tc);
	return s;
}
