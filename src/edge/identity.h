/* SPDX-License-Identifier: ISC */
/*
 * From a user name to the fingerprints of her profiles.  The first source
 * that names her decides; sources are never merged.  Names are bytes:
 * compared as they are, percent-encoded in files.
 */
#ifndef MK_EDGE_IDENTITY_H
#define MK_EDGE_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>

#include "core/decide.h"
#include "edge/config.h"

struct mk_root;
struct mk_why;

struct mk_mapped {
	struct mk_udf udf;
	struct mk_policy policy;	/* configuration with this line's */
	unsigned line;			/* of its source, from 1; 0: nss */
};

struct mk_identity {
	const char *source;	/* "users", "map", "passwd", "nss"; NULL:
				   nobody names the user */
	bool denied;		/* "-": no Mesh keys, and that is final */
	unsigned line;		/* of that dash */
	struct mk_mapped *profiles;	/* in the order of the lines */
	size_t n;
	unsigned skipped;	/* bad lines of others that were met */
};

/*
 * Resolves a user.  MK_E_CONFIG for a bad line of hers (a line is hers if
 * its raw or its decoded name is 'user', so that a mistyped refusal is
 * never skipped), MK_E_PERM, MK_E_SYSTEM.
 */
int	mk_identity_find(const struct mk_root *root,
	    const struct mk_config *config, const char *user,
	    struct mk_identity *ret_identity, struct mk_why *why);
void	mk_identity_release(struct mk_identity *identity);

/*
 * The name as it stands in the map and in users/: percent-encoded outside
 * [A-Za-z0-9_.-] and for a leading dot or dash.  'out' has room for
 * 3 * strlen(user) + 1.
 */
void	mk_name_encode(const char *user, char *out);

/*
 * Undoes it; false for a malformed escape or an encoded NUL.  'out' has
 * room for strlen(name) + 1.
 */
bool	mk_name_decode(const char *name, char *out);

#endif
