/* SPDX-License-Identifier: ISC */
/*
 * The signing half: payloads of the current form, their envelopes, and the
 * set around them (mesh-profile-set(5)).  What is written here the verifier
 * accepts; nothing is trusted because we wrote it.  Texts are compact
 * JSON, members in the order of the tables of the specification.
 */
#ifndef MK_CORE_WRITE_H
#define MK_CORE_WRITE_H

#include <stddef.h>
#include <stdint.h>

#include "core/envelope.h"
#include "core/profile.h"

struct mk_arena;
struct mk_buf;
struct mk_why;

/* Payload texts.  'out' fails, not the call. */
void	mk_master_write(const struct mk_master *m, struct mk_buf *out);
void	mk_device_write(const struct mk_device *d, struct mk_buf *out);
void	mk_ssh_write(const struct mk_ssh *s, struct mk_buf *out);

/* An element of SSHProfile.Devices, {"SSHDevicePublic":D}. */
void	mk_ssh_device_write(const struct mk_ssh_device *d,
	    struct mk_buf *out);

/*
 * 'devices' has p->n_devices envelopes, in order; p->devices is not read.
 */
void	mk_personal_write(const struct mk_personal *p,
	    const struct mk_envelope *master,
	    const struct mk_envelope *devices, struct mk_buf *out);

/* The text of the protected part over a payload: alg and val. */
void	mk_protected_write(const uint8_t *payload, size_t len,
	    struct mk_buf *out);

struct mk_signer {
	struct mk_udf udf;		/* becomes the kid */
	const uint8_t *sk;		/* MK_ED25519_SECRET bytes */
};

struct mk_unsigned {
	const char *id;			/* becomes the outer Identifier */
	const uint8_t *payload;
	size_t len;
};

/* Signs.  The envelope lives in 'a'; the payload must outlive it. */
int	mk_seal(struct mk_arena *a, const struct mk_unsigned *what,
	    const struct mk_signer *signer, struct mk_envelope *ret_env,
	    struct mk_why *why);

/* An envelope as it stands in a set. */
void	mk_envelope_write(const struct mk_envelope *env, struct mk_buf *out);

/* "Entries":[..]: P and its applications, the SSHProfile being one. */
void	mk_entries_write(const struct mk_envelope *personal,
	    const struct mk_envelope *apps, size_t n_apps,
	    struct mk_buf *out);

/* The set around them. */
void	mk_set_write(const struct mk_envelope *personal,
	    const struct mk_envelope *apps, size_t n_apps,
	    struct mk_buf *out);

/* A JSON string with its quotes, escaped as RFC 8259 section 7 requires. */
void	mk_json_write(const char *s, size_t len, struct mk_buf *out);

/*
 * Members of an object, "name":value without a comma; names are ours and
 * need no escape.  mk_put_name() leaves the value to the caller.
 */
void	mk_put_name(struct mk_buf *out, const char *name);
void	mk_put_text(struct mk_buf *out, const char *name, const char *s,
	    size_t len);
void	mk_put_bytes(struct mk_buf *out, const char *name,
	    const uint8_t *bytes, size_t len);
void	mk_put_udf(struct mk_buf *out, const char *name,
	    const struct mk_udf *udf);
void	mk_put_time(struct mk_buf *out, const char *name, int64_t t);
void	mk_put_key(struct mk_buf *out, const char *name,
	    const struct mk_pubkey *key);

#endif
