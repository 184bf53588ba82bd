/* SPDX-License-Identifier: ISC */
/*
 * The next version of a profile: what stands in the newest set, changed,
 * and signed with Updated, Previous, Deleted and Digest as
 * mesh-profile-set(5), OBJECTS and VERSIONS, want them.  Randomness, time
 * and keys are handed in.  What comes out has been verified from the
 * fingerprint; nothing is trusted because we wrote it.
 */
#ifndef MK_CORE_DRAFT_H
#define MK_CORE_DRAFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/accept.h"
#include "core/profile.h"
#include "core/write.h"

struct mk_arena;
struct mk_buf;
struct mk_draft;
struct mk_verified_view;
struct mk_why;

/* What the first version of a profile is made of. */
struct mk_draft_birth {
	const struct mk_signer *master;
	struct mk_pubkey online;	/* of the first administrator */
	struct mk_envelope device;	/* its signed DeviceProfile */
	int64_t now;
};

/* A draft of a profile that does not exist yet; its master is signed. */
int	mk_draft_first(struct mk_arena *a, const struct mk_draft_birth *birth,
	    struct mk_draft **ret_draft, struct mk_why *why);

/*
 * A draft that says what a set says.  'view' is of these very bytes, which
 * outlive the draft, and of the current generation, else MK_E_REFUSED.
 * Other applications stay as they are, and their entries too if they have
 * the digests that the PersonalProfile lists.  Needs as much of 'a' as
 * verifying the set did; 'view' is not needed later.
 */
int	mk_draft_next(struct mk_arena *a, const struct mk_bytes *set,
	    const struct mk_verified_view *view,
	    struct mk_draft **ret_draft, struct mk_why *why);

/*
 * Changes.  What is handed in outlives the draft.  MK_E_REFUSED with the
 * reason for what no verifier would take: a device that was ever deleted or
 * is listed, a key that stands there or in another role, over a limit, a
 * host with keys; and MK_E_NOPROFILE for a device that is not listed.  What
 * is refused changes nothing.
 */

/* A new device: verifies its own signature. */
int	mk_draft_add(struct mk_draft *d, const struct mk_envelope *device,
	    struct mk_why *why);

/*
 * Takes a device out, with all its SSH keys, for good: it goes to Deleted.
 * Refused for one that holds an online key, which needs the master key.
 */
int	mk_draft_delete(struct mk_draft *d, const struct mk_udf *device,
	    struct mk_why *why);

/*
 * One more SSH key of a device, or that it is a host.  Of a proof only the
 * form is judged; whether it is one is the caller's to verify.
 */
int	mk_draft_enrol(struct mk_draft *d, const struct mk_ssh_device *ssh,
	    struct mk_why *why);

/* Takes out all SSH keys of a device; the device stays. */
int	mk_draft_unenrol(struct mk_draft *d, const struct mk_udf *device,
	    struct mk_why *why);

/* Whether it still says what the set said, time and signatures aside. */
bool	mk_draft_unchanged(const struct mk_draft *d);

/* How it is signed. */
struct mk_draft_signing {
	const struct mk_signer *online;	/* one of the master's online keys */
	int64_t now, build_time;	/* seconds since 1970 */
	int64_t expires;		/* MK_TIME_NONE: never */
	uint8_t random[MK_UDF_BYTES];	/* for the Identifier of an
					   SSHProfile that is new */
};

/*
 * Signs: Updated is max(now, previous + 1 s), Previous the digest of the
 * version before it in front of that one's own, cut to its limit, and
 * absent in the first.  The SSHProfile is signed anew if it changed or if
 * its signer is no online key any more.  The text of the set goes to 'out'
 * (maximum: max-set) after it has been verified from the fingerprint, every
 * device opened; the draft stays as it is.  MK_E_REFUSED: the version before
 * is dated so far ahead that the next one would be more than a day ahead, or
 * the clock stands before the build ("clock"), a signer that is no
 * administrator, 'expires' not after Updated, or a limit; MK_E_BUG: what we
 * wrote does not verify.
 */
int	mk_draft_sign(struct mk_draft *d,
	    const struct mk_draft_signing *signing, struct mk_buf *out,
	    struct mk_why *why);

#endif
