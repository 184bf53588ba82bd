/* SPDX-License-Identifier: ISC */
/*
 * Ed25519 as mesh-profile-set(5), ENVELOPE AND SIGNATURE, wants it: points
 * canonical and not of small order, S < L, no cofactor.
 */
#ifndef MK_CORE_ED25519_H
#define MK_CORE_ED25519_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MK_ED25519_PUBLIC	32
#define MK_ED25519_SECRET	64	/* seed and public key, as libsodium */
#define MK_ED25519_SEED		32
#define MK_ED25519_SIG		64
#define MK_ED25519_SPKI		44	/* RFC 8410 SubjectPublicKeyInfo */

/* Whether the bytes are a canonical point of the curve, not of small order. */
bool	mk_ed25519_point(const uint8_t pk[MK_ED25519_PUBLIC]);

/* Whether 'sig' is the signature by 'pk' over exactly these bytes. */
bool	mk_ed25519_verify(const uint8_t pk[MK_ED25519_PUBLIC],
	    const uint8_t *msg, size_t len, const uint8_t *sig,
	    size_t sig_len);

void	mk_ed25519_sign(const uint8_t sk[MK_ED25519_SECRET],
	    const uint8_t *msg, size_t len, uint8_t sig[MK_ED25519_SIG]);

/* The key pair of a seed. */
void	mk_ed25519_pair(const uint8_t seed[MK_ED25519_SEED],
	    uint8_t pk[MK_ED25519_PUBLIC], uint8_t sk[MK_ED25519_SECRET]);

/* The DER form that the fingerprint is computed over. */
void	mk_ed25519_spki(const uint8_t pk[MK_ED25519_PUBLIC],
	    uint8_t out[MK_ED25519_SPKI]);

#endif
