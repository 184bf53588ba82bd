/* SPDX-License-Identifier: ISC */
/*
 * Judging is done in passes over all requests, since one request can take
 * from another: two devices under one PIN, two requests of one device.
 */
#include <string.h>

#include "cmd/man_judge.h"
#include "core/sshsig.h"

static bool
stands_in(const struct mk_udf *list, size_t n, const struct mk_udf *udf)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (mk_udf_cmp(&list[i], udf) == 0)
			return true;
	}
	return false;
}

static const struct mk_udf *
device_of(const struct meshman_asker *asker)
{
	return &asker->read->request.device.id;
}

static bool
same_device(const struct meshman_asker *a, const struct meshman_asker *b)
{
	return mk_udf_cmp(device_of(a), device_of(b)) == 0;
}

/* A PIN that two PinIds would name is as good as none: the right one wins. */
static void
find_pin(const struct meshman_judging *j, struct meshman_asker *asker)
{
	const struct mk_connection_read *read = asker->read;
	char id[MK_PIN_ID + 1];
	size_t i;

	asker->pin = NULL;
	asker->right = false;
	if (read->request.pin_id[0] == '\0')
		return;
	for (i = 0; i < j->pins->n && !asker->right; i++) {
		struct meshman_pin_use *use = &j->pins->list[i];

		mk_pin_id(&use->pin, id);
		if (strcmp(id, read->request.pin_id) != 0)
			continue;
		asker->pin = use;
		asker->right = asker->has_witness &&
		    mk_witness_check(&use->pin, MK_WITNESS_REQUEST,
		    read->envelope.digest, asker->witness);
	}
}

/*
 * Whoever has the PIN besides the one it was made for: neither can be told
 * from the other.  Only right witnesses count, or the portal could spoil
 * every PIN whose PinId it has seen.
 */
static bool
spoils(const struct meshman_judging *j, const struct meshman_asker *asker)
{
	const struct meshman_pin_use *pin = asker->pin;
	size_t i;

	if (!asker->right || pin->spoilt)
		return false;
	if (pin->used && mk_udf_cmp(&pin->device, device_of(asker)) != 0)
		return true;
	for (i = 0; i < j->n; i++) {
		const struct meshman_asker *other = &j->askers[i];

		if (other->right && other->pin == pin &&
		    !same_device(other, asker))
			return true;
	}
	return false;
}

/* A clock that was set back makes no PIN live longer. */
static bool
alive(const struct meshman_pin_use *pin, int64_t now)
{
	return pin->made <= now + MK_REQUEST_SLACK &&
	    now - pin->made <= MK_CONNECT_LIFE;
}

static enum meshman_proof
proof_of(const struct meshman_judging *j, const struct meshman_asker *asker)
{
	const struct meshman_pin_use *pin = asker->pin;

	if (asker->read->request.pin_id[0] == '\0')
		return MESHMAN_PROOF_NONE;
	if (pin == NULL)
		return MESHMAN_PROOF_STRANGE;
	if (!asker->right)
		return MESHMAN_PROOF_WRONG;
	if (pin->used && mk_udf_cmp(&pin->device, device_of(asker)) != 0)
		return MESHMAN_PROOF_USED;
	if (pin->spoilt)
		return MESHMAN_PROOF_TWICE;
	/* Marked used and never published: it is still this device's. */
	if (!pin->used && !alive(pin, j->now))
		return MESHMAN_PROOF_LAPSED;
	return MESHMAN_PROOF_PIN;
}

/* A host has no key that could agree. */
bool
meshman_ssh_proved(const struct mk_udf *master,
    const struct mk_ssh_device *ssh)
{
	return ssh->host || mk_proof_verify(master, ssh);
}

static enum meshman_bar
bar_of(const struct meshman_judging *j, const struct meshman_asker *asker)
{
	const struct mk_connection_request *req = &asker->read->request;

	if (mk_udf_cmp(&req->parent, j->master) != 0)
		return MESHMAN_BAR_FOREIGN;
	if (stands_in(j->deleted, j->n_deleted, &req->device.id))
		return MESHMAN_BAR_DELETED;
	if (req->time > j->now + MK_REQUEST_SLACK)
		return MESHMAN_BAR_EARLY;
	if (j->now - req->time > MK_CONNECT_LIFE)
		return MESHMAN_BAR_LAPSED;
	/* Whoever adds a key to a profile verifies that its owner agrees. */
	if (req->has_ssh && !meshman_ssh_proved(j->master, &req->ssh))
		return MESHMAN_BAR_SSH;
	/* The device takes no answer without a witness of its PIN. */
	if (req->pin_id[0] != '\0' && !asker->right)
		return MESHMAN_BAR_PIN;
	if (req->has_online)
		return MESHMAN_BAR_ADMIN;
	return MESHMAN_BAR_NONE;
}

/* What the device really said, to us and now. */
static bool
counts(const struct meshman_asker *asker)
{
	return asker->bar != MESHMAN_BAR_FOREIGN &&
	    asker->bar != MESHMAN_BAR_LAPSED &&
	    asker->bar != MESHMAN_BAR_EARLY;
}

/*
 * Whether 'a' comes after 'b'.  Of one second, and of one request that is
 * shown twice, the one that is proved; the order of the portal decides
 * nothing.
 */
static bool
newer(const struct meshman_asker *a, const struct meshman_asker *b)
{
	const int64_t ta = a->read->request.time, tb = b->read->request.time;
	bool pa = a->proof == MESHMAN_PROOF_PIN;
	bool pb = b->proof == MESHMAN_PROOF_PIN;
	int c;

	if (ta != tb)
		return ta > tb;
	if (pa != pb)
		return pa;
	c = memcmp(a->read->envelope.digest, b->read->envelope.digest,
	    MK_DIGEST);
	return c != 0 ? c > 0 : a < b;
}

static bool
superseded(const struct meshman_judging *j,
    const struct meshman_asker *asker)
{
	size_t i;

	for (i = 0; i < j->n; i++) {
		const struct meshman_asker *other = &j->askers[i];

		if (other != asker && same_device(other, asker) &&
		    counts(other) && newer(other, asker))
			return true;
	}
	return false;
}

bool
meshman_judge(const struct meshman_judging *j)
{
	bool spoilt = false;
	size_t i;

	for (i = 0; i < j->n; i++)
		find_pin(j, &j->askers[i]);
	for (i = 0; i < j->n; i++) {
		if (spoils(j, &j->askers[i]))
			spoilt = j->askers[i].pin->spoilt = true;
	}
	for (i = 0; i < j->n; i++) {
		struct meshman_asker *asker = &j->askers[i];

		asker->proof = proof_of(j, asker);
		asker->bar = bar_of(j, asker);
		asker->listed = stands_in(j->devices, j->n_devices,
		    device_of(asker));
	}
	for (i = 0; i < j->n; i++) {
		if (counts(&j->askers[i]) && superseded(j, &j->askers[i]))
			j->askers[i].bar = MESHMAN_BAR_OLDER;
	}
	return spoilt;
}

/* A listed device proves by a PIN no more than that it once had one. */
bool
meshman_asker_proved(const struct meshman_asker *asker)
{
	return asker->bar == MESHMAN_BAR_NONE && !asker->listed &&
	    asker->proof == MESHMAN_PROOF_PIN;
}

const char *
meshman_bar_text(enum meshman_bar bar)
{
	switch (bar) {
	case MESHMAN_BAR_NONE:
		return "nothing is against it";
	case MESHMAN_BAR_FOREIGN:
		return "it is not for this profile";
	case MESHMAN_BAR_DELETED:
		return "this device was deleted from the profile, for good; "
		    "make it a new device";
	case MESHMAN_BAR_LAPSED:
		return "the request has lapsed after 24 hours";
	case MESHMAN_BAR_EARLY:
		return "it is dated ahead of this clock; compare the clocks "
		    "of both devices";
	case MESHMAN_BAR_SSH:
		return "its SSH key did not sign for this profile and device "
		    "(no Proof, or a wrong one)";
	case MESHMAN_BAR_PIN:
		return "its PIN was mistyped there, or not made on this "
		    "device; there, run /connect again";
	case MESHMAN_BAR_ADMIN:
		return "it asks to be an administrator, which needs the "
		    "master key; this version makes no further "
		    "administrators";
	case MESHMAN_BAR_OLDER:
		return "this device has asked again since";
	}
	return "?";
}

const char *
meshman_proof_text(enum meshman_proof proof)
{
	switch (proof) {
	case MESHMAN_PROOF_NONE:
		return "not proved: compare the fingerprint";
	case MESHMAN_PROOF_PIN:
		return "PIN";
	case MESHMAN_PROOF_STRANGE:
		return "not proved here: its PIN was not made on this device, "
		    "or mistyped there";
	case MESHMAN_PROOF_WRONG:
		return "not proved: wrong PIN";
	case MESHMAN_PROOF_LAPSED:
		return "not proved: the PIN has lapsed";
	case MESHMAN_PROOF_USED:
		return "not proved: the PIN has served another device";
	case MESHMAN_PROOF_TWICE:
		return "not proved: two devices came with this PIN";
	}
	return "?";
}
