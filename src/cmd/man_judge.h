/* SPDX-License-Identifier: ISC */
/*
 * What may become of connection requests (the portal protocol,
 * ConnectionRequest): from all that a portal shows, the PINs made here and
 * the profile to a verdict on each.  Pure: no file, no clock, no network.
 */
#ifndef MK_CMD_MAN_JUDGE_H
#define MK_CMD_MAN_JUDGE_H

#include "cmd/meshman.h"
#include "core/connect.h"

/* By what an administrator knows whose request it is. */
enum meshman_proof {
	MESHMAN_PROOF_NONE,	/* no PIN: by comparing the fingerprint */
	MESHMAN_PROOF_PIN,	/* one of ours, its witness right */
	MESHMAN_PROOF_STRANGE,	/* with a PIN that was not made here */
	MESHMAN_PROOF_WRONG,	/* with one of ours, its witness wrong */
	MESHMAN_PROOF_LAPSED,	/* right, a day too late */
	MESHMAN_PROOF_USED,	/* right, but it served another device */
	MESHMAN_PROOF_TWICE	/* right, but two devices came with it */
};

/* What keeps a request out, whoever wants it in. */
enum meshman_bar {
	MESHMAN_BAR_NONE,
	MESHMAN_BAR_FOREIGN,	/* it names another master */
	MESHMAN_BAR_DELETED,	/* its device was deleted, for good */
	MESHMAN_BAR_LAPSED,	/* a day old */
	MESHMAN_BAR_EARLY,	/* dated ahead */
	MESHMAN_BAR_SSH,	/* no proof by the SSH key in it */
	MESHMAN_BAR_PIN,	/* a PIN by which nobody can answer it */
	MESHMAN_BAR_ADMIN,	/* it needs the master key */
	MESHMAN_BAR_OLDER	/* the device has asked again since */
};

/* One request that was read, and the verdict on it. */
struct meshman_asker {
	const struct mk_connection_read *read;
	bool has_witness;
	uint8_t witness[MK_WITNESS];
	enum meshman_bar bar;
	enum meshman_proof proof;
	struct meshman_pin_use *pin;	/* that its PinId names, or NULL */
	bool right;			/* the witness is by that PIN */
	bool listed;			/* a device of the profile asks */
};

struct meshman_judging {
	const struct mk_udf *master;
	const struct mk_udf *devices;	/* of the profile */
	size_t n_devices;
	const struct mk_udf *deleted;
	size_t n_deleted;
	int64_t now;			/* seconds since 1970 */
	struct meshman_pins *pins;
	struct meshman_asker *askers;
	size_t n;
};

/*
 * Judges all of them.  A PIN that two devices came with is marked spoilt;
 * true if one was, which is to be kept before anything is accepted.
 */
bool	meshman_judge(const struct meshman_judging *j);

/* For people: what follows "not accepted: ", what follows "proved by ". */
const char *meshman_bar_text(enum meshman_bar bar);
const char *meshman_proof_text(enum meshman_proof proof);

/* Whether it may be accepted without anybody comparing a fingerprint. */
bool	meshman_asker_proved(const struct meshman_asker *asker);

/* Whether an SSH key has proved itself for this master and device. */
bool	meshman_ssh_proved(const struct mk_udf *master,
	    const struct mk_ssh_device *ssh);

#endif
