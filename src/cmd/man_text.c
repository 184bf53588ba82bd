/* SPDX-License-Identifier: ISC */
/*
 * What is shown of a profile.
 */
#include "cmd/meshman.h"

/* As sshd's helper shows comments, so that they can be compared. */
void
meshman_put_clean(struct mk_buf *out, const char *s, size_t len)
{
	show_clean(out, s, len < MK_TEXT_MAX ? len : MK_TEXT_MAX);
}
