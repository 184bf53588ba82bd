/* SPDX-License-Identifier: ISC */
/*
 * Between identity.c, everyone.c and the sources of identities: one grammar
 * for a login, which asks for one user, and for the refresher, which asks
 * for all.  A source that names the user sets identity.source; one that
 * does not leaves all as it is.
 */
#ifndef MK_EDGE_SOURCE_H
#define MK_EDGE_SOURCE_H

#include "core/limits.h"
#include "edge/everyone.h"
#include "edge/identity.h"
#include "edge/root.h"

#define MK_USERSDIR	MK_CONFDIR "/users"
#define MK_MAPFILE	MK_CONFDIR "/map"

/* Bytes of a file name in users/: NAME_MAX of the usual file systems. */
#define MK_USERFILE_NAME	255

struct mk_where;
struct mk_words;

struct mk_asked {
	const struct mk_root *root;
	const struct mk_config *config;
	const char *user;
	size_t user_len;
	const char *encoded;	/* the user as it stands in files */
	size_t encoded_len;
	const struct mk_teller *teller;	/* NULL: a bad line ends it all */
	const struct mk_teller *lines;	/* NULL, or who is told good ones */
	bool passed;		/* another source decides: told only */
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

/* The words of a line behind the name: that, or "-"; 'why' names the line. */
int	mk_asked_take(struct mk_asked *ask, const struct mk_where *where,
	    char *const *word, unsigned n, struct mk_why *why);

/*
 * Tells a line of this user that was taken, the words of its options, or
 * with 'udf' NULL one that gives her nothing.
 */
void	mk_asked_tell(const struct mk_asked *ask, const struct mk_where *where,
	    const struct mk_udf *udf, char *const *option, unsigned n);

/* Whether a bad line was told and is to be skipped. */
bool	mk_asked_skip(const struct mk_asked *ask, const struct mk_why *why);

/* The file of 'encoded' in the open users/; no such file is no error. */
int	mk_users_take(struct mk_asked *ask, const struct mk_dir *dir,
	    struct mk_why *why);

/* A file there, or a line of the map, under a name that is no encoding. */
int	mk_users_misnamed(const struct mk_dir *dir, const char *name,
	    const char *encoded, struct mk_why *why);
int	mk_map_misnamed(const struct mk_where *where, const char *encoded,
	    struct mk_why *why);

/* Names of users, each once. */
struct mk_map_names {
	char name[3][MK_USERNAME_MAX + 1];
	unsigned n;
};

/*
 * The users whose logins take a line of the map for theirs: the first word
 * as it stands, without its quotes, and decoded.  False for a line that is
 * empty or a comment.
 */
bool	mk_map_names(const char *line, size_t len,
	    struct mk_map_names *ret_names);

/* mk_line_split() for the map, where a byte order mark is an error. */
int	mk_map_split(char *line, size_t len, const struct mk_where *where,
	    struct mk_words *ret_words, struct mk_why *why);

/* An encoded name as it is often mistyped: digits in lower case. */
void	mk_name_lower(char *encoded);

/* The whole file.  MK_E_ABSENT, MK_E_PERM, MK_E_CONFIG, MK_E_SYSTEM. */
int	mk_map_read(const struct mk_root *root, struct mk_file *ret_file,
	    struct mk_why *why);
int	mk_passwd_read(const struct mk_root *root, struct mk_file *ret_file,
	    struct mk_why *why);

/* Whether getpwnam(3) could not tell, by its errno. */
bool	mk_lookup_failed(int err);

/* The line of the user's account, which it takes apart. */
int	mk_passwd_take(struct mk_asked *ask, char *line, size_t len,
	    const struct mk_where *where, struct mk_why *why);

#endif
