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

struct mk_sshkey;

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

#endif
