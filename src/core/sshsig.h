/* SPDX-License-Identifier: ISC */
/*
 * SSHSIG (OpenSSH's PROTOCOL.sshsig): detached signatures by SSH keys, as
 * the Proof of a profile is one (mesh-profile-set(5), OBJECTS).
 */
#ifndef MK_CORE_SSHSIG_H
#define MK_CORE_SSHSIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mk_arena;
struct mk_buf;
struct mk_ssh_device;
struct mk_sshkey;
struct mk_text;
struct mk_udf;
struct mk_why;

#define MK_PROOF_NAMESPACE	"mesh-enrol@meshkeys"

/* What must have been signed. */
struct mk_sshsig_over {
	const struct mk_sshkey *key;	/* by this key and no other */
	const char *name_space;
	const uint8_t *msg;
	size_t len;
};

/*
 * Whether 'blob' (not armoured) is an SSHSIG of version 1, hash sha512, by
 * that very key over that very message in that namespace, nothing behind.
 * ssh-ed25519, ssh-rsa (rsa-sha2-256 and -512, never SHA-1),
 * ecdsa-sha2-nistp*, and the two sk- types (user presence required).
 */
bool	mk_sshsig_verify(const uint8_t *blob, size_t len,
	    const struct mk_sshsig_over *over);

#define MK_SSHSIG_MAX	6144u	/* bytes: MK_STRING_LONG of base64url */

/*
 * The blob of an armoured signature exactly as ssh-keygen(1) writes it:
 * between its two marks lines of 70 columns of base64, all ended by a line
 * feed, and nothing else.  It lives in 'a' and is not looked into.
 * MK_E_REFUSED, MK_E_SYSTEM.
 */
int	mk_sshsig_unarmour(struct mk_arena *a, const struct mk_text *armour,
	    const uint8_t **ret_blob, size_t *ret_len, struct mk_why *why);

/* What a Proof is over: "<master UDF> <DeviceUDF>". */
void	mk_proof_message(const struct mk_udf *master,
	    const struct mk_udf *device, struct mk_buf *out);

/*
 * Whether the key itself has agreed to be on its device of this profile.  A
 * wrong proof, or that of a host, is none.
 */
bool	mk_proof_verify(const struct mk_udf *master,
	    const struct mk_ssh_device *d);

#endif
