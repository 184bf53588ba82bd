/* SPDX-License-Identifier: ISC */
/* What may become of connection requests. */
#include <sodium.h>
#include <string.h>

#include "cmd/man_judge.h"
#include "make_set.h"
#include "make_sshsig.h"
#include "unit/unit.h"

#define NOW		INT64_C(1772366400)
#define N		4
#define N_PINS		2

static struct mk_udf master, devices[2], deleted[1];
static struct meshman_pin_use uses[N_PINS];
static struct meshman_pins pins;
static struct mk_connection_read reads[N];
static struct meshman_asker askers[N];
static struct meshman_judging judging;

static void
setup(void)
{
	uint8_t random[MK_PIN_RANDOM];
	size_t i;

	ck_assert_int_ne(sodium_init(), -1);
	memset(uses, 0, sizeof(uses));
	memset(reads, 0, sizeof(reads));
	memset(askers, 0, sizeof(askers));
	master = made_udf(1);
	devices[0] = made_udf(2);
	devices[1] = made_udf(3);
	deleted[0] = made_udf(4);
	for (i = 0; i < N_PINS; i++) {
		memset(random, (int)i + 1, sizeof(random));
		mk_pin_make(random, &uses[i].pin);
		uses[i].made = NOW - 3600;
	}
	pins = (struct meshman_pins){ uses, N_PINS };
	for (i = 0; i < N; i++) {
		reads[i].request.parent = master;
		reads[i].request.device.id = made_udf(10 + (unsigned)i);
		reads[i].request.time = NOW - 60;
		memset(reads[i].envelope.digest, (int)i + 1, MK_DIGEST);
		askers[i].read = &reads[i];
	}
	judging = (struct meshman_judging){ .master = &master,
	    .devices = devices, .n_devices = 2, .deleted = deleted,
	    .n_deleted = 1, .now = NOW, .pins = &pins, .askers = askers,
	    .n = 1 };
}

/* Request 'i' comes with a PIN, and the witness that it makes. */
static void
with_pin(size_t i, const struct mk_pin *pin)
{
	mk_pin_id(pin, reads[i].request.pin_id);
	askers[i].has_witness = true;
	mk_witness_make(pin, MK_WITNESS_REQUEST, reads[i].envelope.digest,
	    askers[i].witness);
}

static void
expect(size_t i, enum meshman_bar bar, enum meshman_proof proof)
{
	ck_assert_int_eq(askers[i].bar, bar);
	ck_assert_int_eq(askers[i].proof, proof);
	ck_assert(meshman_asker_proved(&askers[i]) ==
	    (bar == MESHMAN_BAR_NONE && proof == MESHMAN_PROOF_PIN &&
	    !askers[i].listed));
}

START_TEST(no_pin_is_no_proof)
{
	ck_assert(!meshman_judge(&judging));
	expect(0, MESHMAN_BAR_NONE, MESHMAN_PROOF_NONE);
	/* A witness without a PinId is nothing. */
	with_pin(0, &uses[0].pin);
	reads[0].request.pin_id[0] = '\0';
	(void)meshman_judge(&judging);
	expect(0, MESHMAN_BAR_NONE, MESHMAN_PROOF_NONE);
}
END_TEST

START_TEST(a_pin_of_ours_proves)
{
	with_pin(0, &uses[1].pin);
	ck_assert(!meshman_judge(&judging));
	expect(0, MESHMAN_BAR_NONE, MESHMAN_PROOF_PIN);
	ck_assert_ptr_eq(askers[0].pin, &uses[1]);
}
END_TEST

START_TEST(a_wrong_witness_does_not)
{
	with_pin(0, &uses[0].pin);
	askers[0].witness[MK_WITNESS - 1] ^= 1;
	ck_assert(!meshman_judge(&judging));
	expect(0, MESHMAN_BAR_PIN, MESHMAN_PROOF_WRONG);
	askers[0].witness[MK_WITNESS - 1] ^= 1;
	askers[0].has_witness = false;
	ck_assert(!meshman_judge(&judging));
	expect(0, MESHMAN_BAR_PIN, MESHMAN_PROOF_WRONG);
}
END_TEST

/* That of another request of the same PIN, which the portal has seen. */
START_TEST(a_witness_is_of_one_request)
{
	with_pin(0, &uses[0].pin);
	reads[0].envelope.digest[0] ^= 1;
	(void)meshman_judge(&judging);
	expect(0, MESHMAN_BAR_PIN, MESHMAN_PROOF_WRONG);
}
END_TEST

START_TEST(a_pin_of_another)
{
	with_pin(0, &uses[0].pin);
	pins.list = &uses[1];
	pins.n = 1;
	(void)meshman_judge(&judging);
	expect(0, MESHMAN_BAR_PIN, MESHMAN_PROOF_STRANGE);
	ck_assert_ptr_null(askers[0].pin);
}
END_TEST

START_TEST(pins_lapse)
{
	static const struct {
		int64_t made;
		enum meshman_proof proof;
	} v[] = {
		{ NOW - MK_CONNECT_LIFE, MESHMAN_PROOF_PIN },
		{ NOW - MK_CONNECT_LIFE - 1, MESHMAN_PROOF_LAPSED },
		{ NOW + MK_REQUEST_SLACK, MESHMAN_PROOF_PIN },
		{ NOW + MK_REQUEST_SLACK + 1, MESHMAN_PROOF_LAPSED }
	};
	size_t i;

	with_pin(0, &uses[0].pin);
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		uses[0].made = v[i].made;
		ck_assert(!meshman_judge(&judging));
		expect(0, MESHMAN_BAR_NONE, v[i].proof);
	}
	/* Marked used for it, and never published. */
	uses[0].used = true;
	uses[0].device = reads[0].request.device.id;
	ck_assert(!meshman_judge(&judging));
	expect(0, MESHMAN_BAR_NONE, MESHMAN_PROOF_PIN);
}
END_TEST

START_TEST(a_pin_serves_one_device)
{
	with_pin(0, &uses[0].pin);
	uses[0].used = true;
	uses[0].device = devices[0];
	ck_assert(meshman_judge(&judging));
	ck_assert(uses[0].spoilt);
	expect(0, MESHMAN_BAR_NONE, MESHMAN_PROOF_USED);
	/* It is said once. */
	ck_assert(!meshman_judge(&judging));
}
END_TEST

START_TEST(two_devices_with_one_pin)
{
	with_pin(0, &uses[0].pin);
	with_pin(1, &uses[0].pin);
	with_pin(2, &uses[1].pin);
	judging.n = 3;
	ck_assert(meshman_judge(&judging));
	expect(0, MESHMAN_BAR_NONE, MESHMAN_PROOF_TWICE);
	expect(1, MESHMAN_BAR_NONE, MESHMAN_PROOF_TWICE);
	expect(2, MESHMAN_BAR_NONE, MESHMAN_PROOF_PIN);
	/* Also when the portal shows only one of them from then on. */
	judging.n = 1;
	ck_assert(!meshman_judge(&judging));
	expect(0, MESHMAN_BAR_NONE, MESHMAN_PROOF_TWICE);
}
END_TEST

/* Else the portal could spoil every PIN whose PinId it sees. */
START_TEST(a_wrong_witness_spoils_nothing)
{
	with_pin(0, &uses[0].pin);
	with_pin(1, &uses[0].pin);
	askers[1].witness[0] ^= 1;
	judging.n = 2;
	ck_assert(!meshman_judge(&judging));
	expect(0, MESHMAN_BAR_NONE, MESHMAN_PROOF_PIN);
	expect(1, MESHMAN_BAR_PIN, MESHMAN_PROOF_WRONG);
}
END_TEST

START_TEST(bars)
{
	static const struct {
		int64_t time;
		enum meshman_bar bar;
	} v[] = {
		{ NOW - MK_CONNECT_LIFE, MESHMAN_BAR_NONE },
		{ NOW - MK_CONNECT_LIFE - 1, MESHMAN_BAR_LAPSED },
		{ NOW + MK_REQUEST_SLACK, MESHMAN_BAR_NONE },
		{ NOW + MK_REQUEST_SLACK + 1, MESHMAN_BAR_EARLY }
	};
	struct mk_connection_request *req = &reads[0].request;
	size_t i;

	with_pin(0, &uses[0].pin);
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		req->time = v[i].time;
		(void)meshman_judge(&judging);
		expect(0, v[i].bar, MESHMAN_PROOF_PIN);
	}
	req->time = NOW;
	req->has_online = true;
	(void)meshman_judge(&judging);
	expect(0, MESHMAN_BAR_ADMIN, MESHMAN_PROOF_PIN);
	req->has_online = false;
	req->device.id = deleted[0];
	(void)meshman_judge(&judging);
	expect(0, MESHMAN_BAR_DELETED, MESHMAN_PROOF_PIN);
	req->parent = made_udf(99);
	(void)meshman_judge(&judging);
	expect(0, MESHMAN_BAR_FOREIGN, MESHMAN_PROOF_PIN);
}
END_TEST

START_TEST(a_listed_device_is_not_proved)
{
	with_pin(0, &uses[0].pin);
	reads[0].request.device.id = devices[1];
	(void)meshman_judge(&judging);
	ck_assert(askers[0].listed);
	expect(0, MESHMAN_BAR_NONE, MESHMAN_PROOF_PIN);
}
END_TEST

START_TEST(the_newest_of_a_device)
{
	size_t i;

	for (i = 0; i < N; i++)
		reads[i].request.device.id = made_udf(10);
	reads[0].request.time = NOW - 30;
	reads[1].request.time = NOW - 20;
	reads[2].request.time = NOW - 10;
	/* One for somebody else, and one from the future, are no news. */
	reads[2].request.parent = made_udf(99);
	reads[3].request.time = NOW + MK_DAY;
	judging.n = N;
	(void)meshman_judge(&judging);
	expect(0, MESHMAN_BAR_OLDER, MESHMAN_PROOF_NONE);
	expect(1, MESHMAN_BAR_NONE, MESHMAN_PROOF_NONE);
	expect(2, MESHMAN_BAR_FOREIGN, MESHMAN_PROOF_NONE);
	expect(3, MESHMAN_BAR_EARLY, MESHMAN_PROOF_NONE);
}
END_TEST

/* One of them stays, in whatever order the portal shows them. */
START_TEST(the_same_request_twice)
{
	reads[1] = reads[0];
	with_pin(1, &uses[0].pin);
	with_pin(0, &uses[0].pin);
	askers[0].witness[5] ^= 1;
	judging.n = 2;
	ck_assert(!meshman_judge(&judging));
	expect(0, MESHMAN_BAR_OLDER, MESHMAN_PROOF_WRONG);
	expect(1, MESHMAN_BAR_NONE, MESHMAN_PROOF_PIN);
	askers[1].witness[5] ^= 1;
	ck_assert(!meshman_judge(&judging));
	expect(0, MESHMAN_BAR_PIN, MESHMAN_PROOF_WRONG);
	expect(1, MESHMAN_BAR_OLDER, MESHMAN_PROOF_WRONG);
}
END_TEST

/* An SSH key of request 0, and its proof over a master and a device. */
static void
with_key(const struct mk_udf *over, const struct mk_udf *device,
    struct mk_arena *a)
{
	struct mk_ssh_device *ssh = &reads[0].request.ssh;
	char text[2][MK_UDF_TEXT + 1], msg[2 * MK_UDF_TEXT + 2];
	const struct sshsig_form form = { 0 };
	uint8_t sk[MK_ED25519_SECRET];
	struct mk_buf blob, sig, proof;
	struct mk_pubkey key;

	made_key("alice", "ssh0.0", &key, sk);
	mk_buf_init(&blob, 1024);
	mk_buf_init(&sig, 4096);
	mk_buf_init(&proof, 8192);
	mk_sshkey_from_ed25519(key.ed25519, &blob);
	mk_udf_format(over, text[0]);
	mk_udf_format(device, text[1]);
	(void)snprintf(msg, sizeof(msg), "%s %s", text[0], text[1]);
	made_sshsig(sk, &form, msg, &sig);
	mk_buf_b64url(&proof, (uint8_t *)sig.data, sig.len);
	memset(ssh, 0, sizeof(*ssh));
	ssh->device = reads[0].request.device.id;
	ck_assert_int_eq(mk_sshkey_parse((uint8_t *)mk_arena_dup(a,
	    blob.data, blob.len), blob.len, &ssh->key, NULL), 0);
	ssh->proof = (struct mk_text){ mk_arena_dup(a, proof.data,
	    proof.len), proof.len };
	reads[0].request.has_ssh = true;
	mk_buf_release(&proof);
	mk_buf_release(&sig);
	mk_buf_release(&blob);
}

START_TEST(an_ssh_key_agrees)
{
	const struct mk_udf *device = &reads[0].request.device.id;
	struct mk_udf other = made_udf(77);
	struct mk_arena a;

	mk_arena_init(&a, MK_ARENA_FLOOR);
	with_key(&master, device, &a);
	(void)meshman_judge(&judging);
	expect(0, MESHMAN_BAR_NONE, MESHMAN_PROOF_NONE);
	/* For another profile, and for another device of this one. */
	with_key(&other, device, &a);
	(void)meshman_judge(&judging);
	expect(0, MESHMAN_BAR_SSH, MESHMAN_PROOF_NONE);
	with_key(&master, &other, &a);
	(void)meshman_judge(&judging);
	expect(0, MESHMAN_BAR_SSH, MESHMAN_PROOF_NONE);
	/* No proof at all; a host needs none. */
	reads[0].request.ssh.proof.len = 0;
	(void)meshman_judge(&judging);
	expect(0, MESHMAN_BAR_SSH, MESHMAN_PROOF_NONE);
	reads[0].request.ssh.host = true;
	(void)meshman_judge(&judging);
	expect(0, MESHMAN_BAR_NONE, MESHMAN_PROOF_NONE);
	mk_arena_release(&a);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("man_judge");
	TCase *tc = tcase_create("judge");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, no_pin_is_no_proof);
	tcase_add_test(tc, a_pin_of_ours_proves);
	tcase_add_test(tc, a_wrong_witness_does_not);
	tcase_add_test(tc, a_witness_is_of_one_request);
	tcase_add_test(tc, a_pin_of_another);
	tcase_add_test(tc, pins_lapse);
	tcase_add_test(tc, a_pin_serves_one_device);
	tcase_add_test(tc, two_devices_with_one_pin);
	tcase_add_test(tc, a_wrong_witness_spoils_nothing);
	tcase_add_test(tc, bars);
	tcase_add_test(tc, a_listed_device_is_not_proved);
	tcase_add_test(tc, the_newest_of_a_device);
	tcase_add_test(tc, the_same_request_twice);
	tcase_add_test(tc, an_ssh_key_agrees);
	suite_add_tcase(s, tc);
	return s;
}
