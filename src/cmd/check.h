/* SPDX-License-Identifier: ISC */
/*
 * meshkeys check: everything that stands between sshd and a key, one
 * finding each.  A check looks and tells; it changes nothing, whatever it
 * finds.  A finding has a name that stays (a word a monitoring system may
 * know), a sentence, and where there is one the command that repairs it.
 */
#ifndef MK_CMD_CHECK_H
#define MK_CMD_CHECK_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "cmd/meshkeys.h"
#include "core/sshkey.h"
#include "edge/sshd.h"
#include "edge/sshd_config.h"

enum check_level {
	CHECK_OK,		/* looked at, and right */
	CHECK_NOTE,		/* worth knowing */
	CHECK_SKIPPED,		/* could not be looked at here, and why */
	CHECK_WARN,
	CHECK_FAIL
};

struct check_finding {
	enum check_level level;
	const char *name;	/* "helper-path"; a literal */
	char *text;		/* malloc'd; one sentence */
	char *repair;		/* malloc'd; NULL if no command mends it */
};

struct check {
	struct meshkeys *m;
	const char *user;	/* NULL: the host as such */
	const char *config;	/* sshd's, NULL: the one it takes itself */
	struct mk_sshd sshd;	/* .program NULL: none here */
	struct mk_sshd_settings *settings;	/* for 'user', or for a name
					   that no block names; or NULL */
	struct check_finding *findings;
	size_t n, room;
	int failed;		/* MK_E_SYSTEM: a finding was lost */
};

/* What a finding has besides its sentence. */
struct check_about {
	enum check_level level;
	const char *name;	/* a literal */
	const char *repair;	/* NULL or a command */
};

void	check_put(struct check *c, const struct check_about *about,
	    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* One finding, from its level, name and repair, and a sentence. */
#define check_tell(c, level, name, repair, ...)				\
	check_put((c), &(const struct check_about){ (level), (name),	\
	    (repair) }, __VA_ARGS__)

/* The same from a reason; what stands behind its "; run: " is the repair. */
void	check_tell_why(struct check *c, enum check_level level,
	    const char *name, const struct mk_why *why);

/*
 * The groups, in the order in which sshd comes upon what they look at;
 * each tells at least one finding.
 */
void	check_sshd(struct check *c);	/* who owns AuthorizedKeysCommand: the
					   command and its user by sshd -T,
					   files and Match blocks, tokens, the
					   program's path; fills c->sshd and
					   c->settings as far as there are
					   any, and tells why not */
void	check_files(struct check *c);	/* configuration, map, users/, stores,
					   clock */
void	check_user(struct check *c);	/* her account, left-over keys, the
					   helper run as sshd runs it, key
					   types against sshd's algorithms;
					   for a 'user' only */
void	check_host(struct check *c);	/* portal, timers, GECOS, SELinux and
					   AppArmor, an unconfirmed setup */

/*
 * All groups; 'c' is zeroed but for m, user and config.  Below a --root the
 * files only.  MK_E_SYSTEM; to be released whatever comes of it.
 */
int	check_run(struct check *c, struct mk_why *why);
void	check_release(struct check *c);

/* How bad the worst finding is, and how many are so bad. */
enum check_level check_worst(const struct check *c);
size_t	check_count(const struct check *c, enum check_level level);

/* Into m->out, for people: a line each, its repair below. */
void	check_show(const struct check *c);

/*
 * Whether the sshd of c->settings takes signatures of such a key, as far as
 * that is known; rsa_bits counts for RSA only.  MK_E_REFUSED with the
 * setting that stands against it.
 */
int	check_sshd_takes(const struct check *c, enum mk_sshkey_type type,
	    size_t rsa_bits, struct mk_why *why);

/*
 * Between the files of a check.
 */

/*
 * Runs 'look' as the owner of the stores, in a child; what it told comes
 * back, with names of 'names' only, which ends with NULL: the child reads
 * what strangers wrote.  MK_E_* if there was no such child to its end.
 */
struct check_apart {
	const char *const *names;
	void (*look)(struct check *c, void *arg);
	void *arg;
};

int	check_apart(struct check *c, const struct check_apart *apart,
	    struct mk_why *why);

/* Where check_files() and those behind it look. */
struct check_site {
	struct mk_root root;
	struct mk_config config;
	time_t now;
};

void	check_places(struct check *c, const struct check_site *site);
void	check_map(struct check *c, const struct check_site *site);
void	check_store(struct check *c, const struct check_site *site);

/* Whom check_user() looks at. */
struct check_person {
	struct check_site site;
	const char *name;	/* as the account has it */
	const char *home;
	uid_t uid;
	gid_t gid;
};

/*
 * The files in which sshd looks for keys of hers before it runs a command,
 * read by a child of her own, since they may lead anywhere and may not come
 * back.  What cannot be read is told.
 */
#define CHECK_KEYFILES	"authorized-keys"	/* the finding's name */

struct check_keyfile {
	char *path;
	bool hers;		/* the file is */
	struct mk_buf text;	/* empty: not read */
};

struct check_keyfiles {
	struct check_keyfile *files;
	size_t n;
	bool partly;		/* there are some that were not read */
};

void	check_keyfiles_read(struct check *c,
	    const struct check_person *person,
	    struct check_keyfiles *ret_files);
void	check_keyfiles_release(struct check_keyfiles *files);

void	check_leftover(struct check *c, const struct check_person *person);
void	check_helper(struct check *c, const struct check_person *person);

/*
 * The key of a line of an authorized_keys file, where sshd looks for it:
 * with or without options in front.  Points into the line.  False for a
 * line without one, a comment too.
 */
struct check_key {
	const char *type, *base64;
	size_t type_len, base64_len;
};

bool	check_line_key(const char *line, size_t len,
	    struct check_key *ret_key);

/* Of check_host(). */
void	check_gecos(struct check *c, const struct check_site *site);
void	check_mac(struct check *c);

/*
 * At most 'max' bytes of a file of the system's, the first or the last
 * ones; NUL-ended, malloc'd.  NULL: there is none.
 */
char	*check_file_text(const char *path, size_t max, bool last);

#endif
