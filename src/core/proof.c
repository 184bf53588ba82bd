/* SPDX-License-Identifier: ISC */
/* Proofs that whoever has an SSH key wants it on this device of this person. */
#include "core/base64.h"
#include "core/buf.h"
#include "core/limits.h"
#include "core/profile.h"
#include "core/sshsig.h"

#define MESSAGE_LEN	(MK_UDF_TEXT + 1 + MK_UDF_TEXT)

_Static_assert(MK_SSHSIG_MAX == MK_B64_DECODED(MK_STRING_LONG),
    "a signature that is read is one that fits a Proof");

void
mk_proof_message(const struct mk_udf *master, const struct mk_udf *device,
    struct mk_buf *out)
{
	char text[MK_UDF_TEXT + 1];

	mk_udf_format(master, text);
	mk_buf_puts(out, text);
	mk_buf_putc(out, ' ');
	mk_udf_format(device, text);
	mk_buf_puts(out, text);
}

bool
mk_proof_verify(const struct mk_udf *master, const struct mk_ssh_device *d)
{
	struct mk_sshsig_over over = { .key = &d->key,
	    .name_space = MK_PROOF_NAMESPACE };
	uint8_t sig[MK_SSHSIG_MAX];
	struct mk_buf msg;
	bool good = false;
	size_t len;

	if (d->host || d->proof.len == 0 || d->proof.len > MK_STRING_LONG ||
	    !mk_b64url_decode(d->proof.s, d->proof.len, sig, &len))
		return false;
	mk_buf_init(&msg, MESSAGE_LEN);
	mk_proof_message(master, &d->device, &msg);
	if (msg.failed == 0) {
		over.msg = (const uint8_t *)msg.data;
		over.len = msg.len;
		good = mk_sshsig_verify(sig, len, &over);
	}
	mk_buf_release(&msg);
	return good;
}
