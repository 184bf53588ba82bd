/* SPDX-License-Identifier: ISC */
/*
 * The files that make up sshd's configuration, read to tell where a setting
 * comes from (sshd_config(5)); what is in force only sshd itself says, see
 * edge/sshd.h.
 */
#ifndef MK_EDGE_SSHD_CONFIG_H
#define MK_EDGE_SSHD_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

struct mk_why;

#define MK_SSHD_CONFIG		"/etc/ssh/sshd_config"
#define MK_SSHD_DROPINS		"/etc/ssh/sshd_config.d"

/*
 * One line that says something, in the order in which sshd reads it.  A
 * Match line stands in the block that it begins.
 */
struct mk_sshd_line {
	const char *file;
	unsigned line;		/* from 1 */
	const char *keyword;	/* lower case */
	const char *value;	/* as it stands behind the keyword, blanks
				   around it gone */
	const char *match;	/* the conditions of the Match block that it
				   stands in; NULL: global */
	const char *match_file;	/* where that block begins */
	unsigned match_line;
};

struct mk_sshd_lines {
	struct mk_sshd_line *lines;
	size_t n;
	const char **files;	/* all that were read, each once for every
				   Include, the first one first */
	size_t n_files;
	bool includes;		/* MK_SSHD_DROPINS is included, outside of
				   every Match block */
	void *memory;		/* what they live in */
};

/*
 * Reads 'path' and what it includes, names sorted as sshd does it, to sixteen
 * levels, at most 1 MiB a file and 16 MiB in all.  What sshd would refuse
 * is passed over.  MK_E_ABSENT, MK_E_PERM, MK_E_REFUSED over a limit,
 * MK_E_SYSTEM; a reason with each.
 */
int	mk_sshd_lines_read(const char *path, struct mk_sshd_lines *ret_lines,
	    struct mk_why *why);
void	mk_sshd_lines_release(struct mk_sshd_lines *lines);

/* Whether it is an Include that takes in the drop-ins, wherever it stands. */
bool	mk_sshd_line_includes(const struct mk_sshd_line *line);

/*
 * The words of a value as sshd splits a command line: quotes, backslash.
 * malloc'd in one piece, NULL-ended.  MK_E_CONFIG for an open quote.
 */
int	mk_sshd_split(const char *value, char ***ret_argv,
	    struct mk_why *why);

#endif
