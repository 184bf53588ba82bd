/* SPDX-License-Identifier: ISC */
/*
 * All profiles that this host maps: users/, the map, and the local passwd
 * file, never getpwent(3).  For the refresher and the administrator's
 * tool; a login asks for one user only (edge/identity.h).
 */
#ifndef MK_EDGE_EVERYONE_H
#define MK_EDGE_EVERYONE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/udf.h"
#include "edge/config.h"

struct mk_root;
struct mk_why;

/* One profile; the first line that names it decides on its portal. */
struct mk_profile {
	struct mk_udf udf;
	const char *portal;	/* NULL: none configured; one copy for all */
	char *user;		/* the first user of it, decoded */
	unsigned users;		/* lines that name it */
};

struct mk_everyone {
	struct mk_profile *profiles;	/* sorted by udf, each once */
	size_t n;
	unsigned bad_lines;	/* skipped, and told */
	bool unlisted;		/* a login also asks nss, which lists nobody */
	void *portals;		/* a tree of tsearch(3) */
};

/* Called for each bad line or file, with the reason; not fatal. */
typedef void mk_everyone_tell(void *arg, const struct mk_why *why);

/*
 * A good line, in the order in which the sources are asked; all of it is
 * borrowed.
 */
struct mk_told_line {
	const char *source;	/* as in struct mk_identity */
	const char *path;
	unsigned line;		/* 0: all of an empty file, or nss */
	const char *user;	/* decoded */
	bool passed;		/* a source before it names her, so it does
				   not count */
	const struct mk_udf *udf;	/* NULL: no Mesh keys; or passed, and
					   not looked at */
	char *const *options;	/* "option=value", without quotes */
	unsigned n_options;
};

struct mk_teller {
	mk_everyone_tell *tell;
	void *arg;
	void (*line)(void *arg, const struct mk_told_line *line); /* or NULL */
};

/*
 * Reads all sources that config->identity lists (nss is left out).  A user
 * whom an earlier source names is not looked for in a later one; "-" names
 * her.  MK_E_PERM, MK_E_CONFIG (too large), MK_E_SYSTEM for a source as a
 * whole.  'teller' NULL: bad lines are only counted.
 */
int	mk_everyone_read(const struct mk_root *root,
	    const struct mk_config *config, const struct mk_teller *teller,
	    struct mk_everyone *ret_everyone, struct mk_why *why);
void	mk_everyone_release(struct mk_everyone *everyone);

/*
 * Tells every line of one user, whichever source decides (nss too): those
 * of the first one that names her, and as passed those behind it.  A bad
 * line ends its source, and names her.  MK_E_PERM, MK_E_SYSTEM.
 */
int	mk_everyone_user(const struct mk_root *root,
	    const struct mk_config *config, const char *user,
	    const struct mk_teller *teller, struct mk_why *why);

/* The profile of a fingerprint, or NULL. */
const struct mk_profile *mk_everyone_find(const struct mk_everyone *everyone,
	    const struct mk_udf *udf);

#endif
