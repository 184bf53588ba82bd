/* SPDX-License-Identifier: ISC */
/*
 * The plain key inside of an OpenSSH certificate (PROTOCOL.certkeys): the
 * type, a nonce, the fields of the key, and what certifies it.
 */
#include <string.h>

#include "core/buf.h"
#include "core/sshkey.h"
#include "core/sshwire.h"

static const struct {
	const char *cert, *plain;
	unsigned fields;	/* strings and mpints of the key */
} forms[] = {
	{ "ssh-ed25519-cert-v01@openssh.com", "ssh-ed25519", 1 },
	{ "ssh-rsa-cert-v01@openssh.com", "ssh-rsa", 2 },
	{ "ecdsa-sha2-nistp256-cert-v01@openssh.com",
	    "ecdsa-sha2-nistp256", 2 },
	{ "ecdsa-sha2-nistp384-cert-v01@openssh.com",
	    "ecdsa-sha2-nistp384", 2 },
	{ "ecdsa-sha2-nistp521-cert-v01@openssh.com",
	    "ecdsa-sha2-nistp521", 2 },
	{ "sk-ssh-ed25519-cert-v01@openssh.com",
	    "sk-ssh-ed25519@openssh.com", 2 },
	{ "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com",
	    "sk-ecdsa-sha2-nistp256@openssh.com", 3 }
};

#define N_FORMS	(sizeof(forms) / sizeof(forms[0]))

bool
mk_sshkey_cert_plain(const uint8_t *blob, size_t len, struct mk_buf *out)
{
	struct mk_wire w = { .p = blob, .left = len };
	const uint8_t *s;
	size_t n, i;
	unsigned field;

	if (!mk_wire_string(&w, &s, &n))
		return false;
	for (i = 0; i < N_FORMS; i++) {
		if (strlen(forms[i].cert) == n &&
		    memcmp(forms[i].cert, s, n) == 0)
			break;
	}
	if (i == N_FORMS || !mk_wire_string(&w, &s, &n))
		return false;
	mk_wire_put_string(out, forms[i].plain, strlen(forms[i].plain));
	for (field = 0; field < forms[i].fields; field++) {
		/* An mpint is a string to whoever only copies it. */
		if (!mk_wire_string(&w, &s, &n))
			return false;
		mk_wire_put_string(out, s, n);
	}
	return out->failed == 0;
}
