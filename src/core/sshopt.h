/* SPDX-License-Identifier: ISC */
/*
 * The options of an authorized_keys line (sshd(8), AUTHORIZED_KEYS FILE
 * FORMAT).  They come from the administrator alone, never from a profile.
 */
#ifndef MK_CORE_SSHOPT_H
#define MK_CORE_SSHOPT_H

#include <stddef.h>

struct mk_buf;
struct mk_why;

/*
 * Judges a list: names of letters, digits and dashes, values in double
 * quotes with \" as the only escape, commas between, printable ASCII.
 * cert-authority and principals= are refused, since they would make each
 * device a certification authority.  "" is no option.  MK_E_CONFIG.
 */
int	mk_sshopt_check(const char *list, struct mk_why *why);

/*
 * The options under which a key may be used that two lists allow: what
 * either forbids is forbidden, whatever the order (sshd reads from the left
 * and lets "pty" undo "restrict").  Restrictions of both stand; an option
 * that only permits stands if both permit.  Both lists have passed
 * mk_sshopt_check(); 'out' gets the list, perhaps empty.
 */
void	mk_sshopt_meet(const char *a, const char *b, struct mk_buf *out);

#endif
