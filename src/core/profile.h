/* SPDX-License-Identifier: ISC */
/*
 * The objects of a profile set (mesh-profile-set(5), OBJECTS), read from
 * parsed payloads.  Each reader judges the form of its own object alone;
 * what holds between objects is the verifier's business.  A known member
 * has its type or the set is refused; unknown ones are ignored.  All reason
 * codes are MK_E_REFUSED, or MK_E_SYSTEM for want of memory.
 */
#ifndef MK_CORE_PROFILE_H
#define MK_CORE_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/pubkey.h"
#include "core/sshkey.h"
#include "core/udf.h"

struct mk_arena;
struct mk_json;
struct mk_json_notes;
struct mk_why;

/* Text of a document: valid UTF-8, otherwise anything; not NUL-ended. */
struct mk_text {
	const char *s;
	size_t len;
};

struct mk_online {
	struct mk_pubkey key;
	struct mk_udf device;		/* who holds it; current form only */
};

/* MasterProfile (M). */
struct mk_master {
	struct mk_udf id;
	int64_t updated;		/* MK_TIME_NONE in 2016/2017 */
	struct mk_pubkey key;
	struct mk_online *online;
	size_t n_online;
};

/* DeviceProfile. */
struct mk_device {
	struct mk_udf id;
	struct mk_pubkey key;
	struct mk_text name;		/* Names[0], or empty */
	struct mk_text description;
};

/* An element of PersonalProfile.Devices, closed. */
struct mk_member_device {
	struct mk_udf id;
	const struct mk_json *envelope;
};

/* An element of PersonalProfile.Applications. */
struct mk_app {
	struct mk_text id;
	struct mk_text type;
	uint8_t digest[MK_DIGEST];	/* current form */
	const struct mk_udf *signers;	/* 2016/2017: devices that may sign */
	size_t n_signers;
};

/* PersonalProfile (P). */
struct mk_personal {
	struct mk_udf id;
	int64_t updated;		/* MK_TIME_NONE in 2016/2017 */
	int64_t expires;		/* MK_TIME_NONE: never */
	const uint8_t (*previous)[MK_DIGEST];
	size_t n_previous;
	bool has_previous;
	const struct mk_udf *deleted;
	size_t n_deleted;
	const struct mk_member_device *devices;
	size_t n_devices;
	const struct mk_app *apps;
	size_t n_apps;
};

/* An element of SSHProfile.Devices (D). */
struct mk_ssh_device {
	struct mk_udf device;
	struct mk_text description;	/* DeviceDescription, or empty */
	struct mk_text proof;		/* base64url, or empty */
	bool host;			/* no key, and no login by it */
	bool mesh_form;			/* PublicKey rather than OpenSSH */
	struct mk_sshkey key;		/* unless host */
	struct mk_udf key_udf;		/* ssh-ed25519 in current sets */
	bool has_key_udf;
	const struct mk_text *hostkeys;	/* host only */
	size_t n_hostkeys;
	const struct mk_text *hostnames; /* host only */
	size_t n_hostnames;
};

/* SSHProfile (S). */
struct mk_ssh {
	struct mk_text id;
	const struct mk_ssh_device *devices;
	size_t n_devices;
};

/* Whether an application is the SSHProfile. */
bool	mk_app_is_ssh(const struct mk_app *app);

/* The online key of that fingerprint, or NULL. */
const struct mk_online *mk_online_find(const struct mk_online *keys,
	    size_t n, const struct mk_udf *udf);

int	mk_master_read(struct mk_arena *a, const struct mk_json *body,
	    enum mk_generation gen, struct mk_master *ret_master,
	    struct mk_why *why);

int	mk_device_read(struct mk_arena *a, const struct mk_json *body,
	    enum mk_generation gen, struct mk_device *ret_device,
	    struct mk_why *why);

/* What reading a PersonalProfile or SSHProfile needs besides its body. */
struct mk_reading {
	struct mk_arena *arena;
	enum mk_generation gen;
	unsigned max_devices;
	struct mk_json_notes *notes;
};

/* Leaves every device closed and SignedMasterProfile unread. */
int	mk_personal_read(const struct mk_reading *r,
	    const struct mk_json *body, struct mk_personal *ret_personal,
	    struct mk_why *why);

/* The device of that fingerprint, or NULL. */
const struct mk_member_device *mk_personal_device(
	    const struct mk_personal *personal, const struct mk_udf *id);

/* One element of SSHProfile.Devices, {"SSHDevicePublic":D}. */
int	mk_ssh_device_read(const struct mk_reading *r,
	    const struct mk_json *element, struct mk_ssh_device *ret_device,
	    struct mk_why *why);

int	mk_ssh_read(const struct mk_reading *r, const struct mk_json *body,
	    struct mk_ssh *ret_ssh, struct mk_why *why);

#endif
