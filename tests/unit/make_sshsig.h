/* SPDX-License-Identifier: ISC */
/*
 * SSHSIGs made by hand: right by default, and wrong wherever a form says
 * so, for the tests of what verifies them.
 */
#ifndef MK_TESTS_MAKE_SSHSIG_H
#define MK_TESTS_MAKE_SSHSIG_H

#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/ed25519.h"

/* What stands in a signature beside key and signature. */
struct sshsig_form {
	const char *name_space;		/* NULL: that of a proof */
	const char *hash;		/* NULL: "sha512" */
	const char *reserved;		/* NULL: "" */
	const char *signed_reserved;	/* NULL: as reserved */
	const char *magic;		/* NULL: "SSHSIG" */
	uint8_t version;		/* 0: 1 */
	const char *tail;		/* NULL: nothing behind */
};

/* What the key signs for this message. */
void	made_sshsig_data(const struct sshsig_form *form, const char *msg,
	    struct mk_buf *out);

/* The blob: 'inner' is the signature as RFC 4253 has it, type first. */
void	made_sshsig_wrap(const struct sshsig_form *form,
	    const struct mk_buf *key, const struct mk_buf *inner,
	    struct mk_buf *out);

/* All of it by an ssh-ed25519 key. */
void	made_sshsig(const uint8_t sk[MK_ED25519_SECRET],
	    const struct sshsig_form *form, const char *msg,
	    struct mk_buf *out);

#endif
