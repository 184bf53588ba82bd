/* SPDX-License-Identifier: ISC */
/*
 * Between the files of "meshkeys map": who is who, changed and looked at.
 */
#ifndef MK_CMD_MESHKEYS_MAP_H
#define MK_CMD_MESHKEYS_MAP_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>

#include "cmd/meshkeys.h"
#include "edge/everyone.h"
#include "edge/map_edit.h"

/* The root, the log and the configuration, as who runs us. */
int	meshkeys_map_host(struct meshkeys *m);

/* Whether a login asks that source. */
bool	meshkeys_map_asks(const struct meshkeys *m, enum mk_source source);

/* Element 'i' of an array of strings, cleaned, the comma before it too. */
void	meshkeys_map_put_element(struct mk_buf *out, size_t i, const char *s);

/* What add and remove are to do, and what came up meanwhile. */
struct meshkeys_change {
	struct meshkeys *m;
	const char *user;
	bool denied;		/* a dash */
	bool has_udf;		/* of remove: that profile only */
	struct mk_udf udf;
	char **options;		/* of the command line; NULL-ended */
	size_t n_options;
	struct mk_map_edit edit;
	bool in_the_way;	/* lines of hers, that are to go first */
	const char *file;	/* what was changed */
	char *gecos;		/* as it was before; malloc'd, or NULL */
	struct mk_buf profile;	/* what the cache has of it */
	struct mk_buf warnings;	/* lines, or with --json strings */
};

/* The hint to a failure: what is to be run before this. */
void	meshkeys_map_hint(struct meshkeys_change *c, const char *command);

/* One more warning: cleaned, and shown with the result. */
void	meshkeys_map_warn(struct meshkeys_change *c, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

/* The command line, and the host that it is about. */
int	meshkeys_map_begin(struct meshkeys_change *c);
void	meshkeys_map_release(struct meshkeys_change *c);

/* What was done, in the log. */
void	meshkeys_map_log(struct meshkeys_change *c, const char *text);

/* The object that --json prints, into m->out: its beginning and its end. */
void	meshkeys_map_json(struct meshkeys_change *c, const char *command);
void	meshkeys_map_json_end(struct meshkeys_change *c);

/*
 * Looks for the profile in the cache, in a process apart, and fills
 * c->profile; warns where there is none that can be used.
 */
void	meshkeys_map_profile(struct meshkeys_change *c);

/*
 * meshkeys_gecos.c: into the last GECOS field of the local passwd file, by
 * usermod(8), and out of it.  MK_E_NOPROFILE: there is no such account, or
 * nothing to remove.
 */
int	meshkeys_gecos_add(struct meshkeys_change *c);
int	meshkeys_gecos_remove(struct meshkeys_change *c);
int	meshkeys_gecos_take_back(struct meshkeys_change *c);

/*
 * Accounts of this host: those of the passwd file, then by getpwnam(3) what
 * a directory has, but not below a --root.
 */
struct meshkeys_account;

struct meshkeys_accounts {
	bool local;
	struct mk_file file;
	struct meshkeys_account *list;	/* sorted */
	size_t n;
	unsigned asked;		/* names that getpwnam(3) was asked for */
	int64_t since;		/* when it was asked first */
	bool failed;		/* and could not tell */
};

int	meshkeys_accounts_open(struct meshkeys *m,
	    struct meshkeys_accounts *ret_accounts);
void	meshkeys_accounts_close(struct meshkeys_accounts *accounts);

/*
 * MK_E_NOPROFILE: there is none.  MK_E_SYSTEM: nobody can tell, since the
 * directory failed or was asked more often or longer than it should be.
 */
int	meshkeys_accounts_find(struct meshkeys_accounts *accounts,
	    const char *user, uid_t *ret_uid);

#endif
