/* SPDX-License-Identifier: ISC */
/*
 * Account names at a portal, "alice@example.com" (the portal protocol,
 * "Reading" and CreateAccount).  They are case-insensitive, so only the
 * lower-case form exists here.  An account is where a profile is looked up,
 * never who somebody is.
 */
#ifndef MK_CORE_ACCOUNT_H
#define MK_CORE_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>

struct mk_buf;

#define MK_ACCOUNT_MAX	254u		/* characters */

struct mk_account {
	char text[MK_ACCOUNT_MAX + 1];	/* "local@domain", lower case */
	size_t local;			/* length of the local part */
};

/*
 * A name as people type it: a local part of 1 to 64 of [A-Za-z0-9._+-]
 * that begins and ends with a letter or digit and has no two dots in a row;
 * a domain of labels of letters, digits and inner hyphens, at most 63 each.
 * Nothing is trimmed.
 */
bool	mk_account_parse(const char *s, size_t n,
	    struct mk_account *ret_account);

/* The part behind the '@'. */
const char *mk_account_domain(const struct mk_account *account);

/* <portal>/.well-known/mmm/account/<percent-encoded>@<domain>.json */
void	mk_account_url(const char *portal, const struct mk_account *account,
	    struct mk_buf *out);

/*
 * The name in the last part of such a URL, ".json" taken off: percent
 * escapes decoded once, then as mk_account_parse().
 */
bool	mk_account_from_url(const char *s, size_t n,
	    struct mk_account *ret_account);

#endif
