/* SPDX-License-Identifier: ISC */
/*
 * SSH public keys: the blob of RFC 4253 section 6.6 (RFC 5656, RFC 8709,
 * OpenSSH's PROTOCOL.u2f), judged without trusting any byte of it.
 */
#ifndef MK_CORE_SSHKEY_H
#define MK_CORE_SSHKEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mk_arena;
struct mk_buf;
struct mk_rsa;
struct mk_why;

/* The types whose every field is checked; a bit set in policies. */
enum mk_sshkey_type {
	MK_SSH_OTHER		= 0,
	MK_SSH_ED25519		= 1 << 0,
	MK_SSH_RSA		= 1 << 1,
	MK_SSH_ECDSA_256	= 1 << 2,
	MK_SSH_ECDSA_384	= 1 << 3,
	MK_SSH_ECDSA_521	= 1 << 4,
	MK_SSH_SK_ED25519	= 1 << 5,
	MK_SSH_SK_ECDSA		= 1 << 6,
	MK_SSH_ALL		= (1 << 7) - 1
};

struct mk_sshkey {
	const uint8_t *blob;
	size_t len;
	enum mk_sshkey_type type;
	const char *name;	/* the type string; points into the blob */
	size_t name_len;
	const uint8_t *ed25519;	/* 32 bytes for ssh-ed25519, else NULL */
	size_t rsa_bits;	/* 0 unless ssh-rsa */
};

/*
 * Judges a blob.  It must start with its own type string; for the types
 * above all fields, curve name, point on the curve, positive minimal
 * mpints, nothing behind.  A certificate is refused.  Points into 'blob'.
 * MK_E_REFUSED with the reason.
 */
int	mk_sshkey_parse(const uint8_t *blob, size_t len,
	    struct mk_sshkey *ret_key, struct mk_why *why);

/*
 * The same from "type SP base64", canonical: one space, padded standard
 * base64, the type equal to the one inside.  The blob lives in 'a'.
 */
int	mk_sshkey_parse_text(struct mk_arena *a, const char *s, size_t n,
	    struct mk_sshkey *ret_key, struct mk_why *why);

/* Whether a type string names a certificate: *-cert-v[0-9]+@* */
bool	mk_sshkey_is_cert(const char *name, size_t n);

/*
 * The plain key inside of a certificate of the known types, as sshd's %f
 * hashes it: appends its blob to 'out'.  Nothing of the certificate is
 * verified.  False if it is none, or cut short.
 */
bool	mk_sshkey_cert_plain(const uint8_t *blob, size_t len,
	    struct mk_buf *out);

/* As ssh-keygen -l shows a key: "SHA256:" and base64 without padding. */
#define MK_SSHKEY_FINGERPRINT	(7 + 43 + 1)	/* its NUL too */

void	mk_sshkey_fingerprint(const uint8_t sha256[32],
	    char out[MK_SSHKEY_FINGERPRINT]);

/* The bit of a type string, MK_SSH_OTHER for one not in the list. */
enum mk_sshkey_type mk_sshkey_type_of(const char *name, size_t n);

/* The type string of one bit. */
const char *mk_sshkey_type_name(enum mk_sshkey_type type);

/* The ssh-ed25519 and ssh-rsa blobs of Mesh keys; mpints positive, minimal. */
void	mk_sshkey_from_ed25519(const uint8_t pk[32], struct mk_buf *out);
void	mk_sshkey_from_rsa(const struct mk_rsa *rsa, struct mk_buf *out);

#endif
