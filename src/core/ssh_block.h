/* SPDX-License-Identifier: ISC */
/*
 * The marked block at the top of a user's ssh_config(5): it names the key
 * of the Mesh and then the identities that ssh would have taken without it,
 * since a first IdentityFile takes the default ones away.  Of those the
 * caller names the ones that exist: ssh complains of a named one that does
 * not.
 */
#ifndef MK_CORE_SSH_BLOCK_H
#define MK_CORE_SSH_BLOCK_H

#include <stdbool.h>

#include "core/accept.h"

struct mk_buf;
struct mk_why;

#define MK_SSH_CONFIG_MAX	(1u << 20)	/* bytes */

/*
 * 'old' with the block put at its top, or replaced where it stands;
 * everything else stays byte for byte.  'keys' are paths in the order in
 * which ssh is to try them, NULL-ended.  *ret_changed: whether 'out' differs.
 * MK_E_REFUSED if the marks in 'old' do not fit together, or for a path that
 * ssh_config(5) cannot hold.
 */
int	mk_ssh_block_set(const struct mk_bytes *old, const char *const *keys,
	    struct mk_buf *out, bool *ret_changed, struct mk_why *why);

/* The same without the block. */
int	mk_ssh_block_clear(const struct mk_bytes *old, struct mk_buf *out,
	    bool *ret_changed, struct mk_why *why);

#endif
