/* SPDX-License-Identifier: ISC */
/*
 * Between identity.c and the sources of identities.  A source that names
 * the user sets identity.source; one that does not leaves all as it is.
 */
#ifndef MK_EDGE_SOURCE_H
#define MK_EDGE_SOURCE_H

#include "edge/identity.h"

struct mk_asked {
	const struct mk_root *root;
	const struct mk_config *config;
	const char *user;
	size_t user_len;
	char *encoded;		/* the user as it stands in files */
	size_t encoded_len;
	struct mk_identity identity;
};

int	mk_source_users(struct mk_asked *ask, struct mk_why *why);
int	mk_source_map(struct mk_asked *ask, struct mk_why *why);
int	mk_source_passwd(struct mk_asked *ask, struct mk_why *why);
int	mk_source_nss(struct mk_asked *ask, struct mk_why *why);

/*
 * One more profile: a fingerprint as people type it, and the options of
 * its line.  MK_E_CONFIG for anything that makes the line a bad one.
 */
int	mk_asked_add(struct mk_asked *ask, char *const *word, unsigned n,
	    struct mk_why *why);

/* "-", alone for its user. */
int	mk_asked_deny(struct mk_asked *ask, unsigned n, struct mk_why *why);

#endif
