/* SPDX-License-Identifier: ISC */
/* One line of authorized_keys (sshd(8)). */
#ifndef MK_CORE_RENDER_H
#define MK_CORE_RENDER_H

struct mk_buf;
struct mk_verified_key;

/*
 * "[options ]type base64 mesh:<device UDF>[ <comment>]" and a line feed.
 * The options are the administrator's and checked; the type and the blob
 * have been parsed and are written anew; the comment is printable ASCII.
 */
void	mk_render_line(const struct mk_verified_key *key, const char *options,
	    struct mk_buf *out);

#endif
