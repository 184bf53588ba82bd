/* SPDX-License-Identifier: ISC */
/*
 * SSH keys of this device besides what meshman.h says of them.
 */
#ifndef MK_CMD_MAN_SSHKEY_H
#define MK_CMD_MAN_SSHKEY_H

#include "cmd/meshman.h"

/*
 * As meshman_ssh_keys(), for keys that take the place of those before: a
 * new one is made even if there is a MK_SSH_KEY, and none is left out for
 * being in the profile already.
 */
int	meshman_ssh_keys_anew(struct meshman *m, struct mk_arena *a,
	    const struct mk_udf *master, struct meshman_ssh_keys *ret_keys);

/* That this device is a host, with the keys and names it has. */
int	meshman_ssh_host(struct meshman *m, struct mk_arena *a,
	    struct mk_ssh_device *ret_ssh);

/* What this device has in the profile. */
struct meshman_ssh_own {
	size_t keys;
	bool host;
	bool mesh;		/* MK_SSH_KEY is among them */
};

int	meshman_ssh_own(struct meshman *m, struct meshman_ssh_own *ret_own);

/*
 * The first line of a public key's file: "type SP base64", and perhaps a
 * comment.  Lives in 'a'.  MK_E_REFUSED, MK_E_SYSTEM.
 */
int	meshman_ssh_public(struct mk_arena *a, const char *s, size_t len,
	    struct mk_sshkey *ret_key, struct mk_why *why);

/* Whether a device of the profile has that key. */
bool	meshman_ssh_listed(const struct mk_verified_view *view,
	    const struct mk_udf *device, const struct mk_sshkey *key);

/* "ssh-ed25519 SHA256:...", or "a host" */
void	meshman_put_ssh(struct mk_buf *out, const struct mk_ssh_device *ssh);

/* Those of a device of the profile, a line each. */
void	meshman_put_keys(struct meshman *m, const struct mk_udf *device,
	    const char *indent);

#endif
