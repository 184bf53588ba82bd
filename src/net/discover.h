/* SPDX-License-Identifier: ISC */
/*
 * Which portal serves a domain: DNS SRV _mmm._tcp.<domain>, else
 * https://mmm.<domain>.  What DNS says is not trusted: a portal can only
 * withhold.
 */
#ifndef MK_NET_DISCOVER_H
#define MK_NET_DISCOVER_H

struct mk_buf;
struct mk_why;

/*
 * The URL of the portal, without a slash at its end.  Targets of the lowest
 * priority, the heaviest first; a target "." says that there is none
 * (MK_E_NOPROFILE).  A name server that fails is MK_E_STALE, none that
 * knows the name is the default.
 */
int	mk_discover(const char *domain, struct mk_buf *out,
	    struct mk_why *why);

/*
 * The same from the bytes of an answer of DNS, which a stranger sent.
 * MK_E_ABSENT: it has no SRV.  MK_E_REFUSED: malformed.
 */
int	mk_discover_parse(const unsigned char *answer, int len,
	    struct mk_buf *out, struct mk_why *why);

#endif
