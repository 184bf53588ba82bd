/* SPDX-License-Identifier: ISC */
/*
 * Between the files of edge/everyone.h: one run over all sources.
 */
#ifndef MK_EDGE_READER_H
#define MK_EDGE_READER_H

#include "edge/roll.h"
#include "edge/source.h"

struct mk_where;

struct mk_reader {
	const struct mk_root *root;
	const struct mk_config *config;
	const struct mk_teller *out;	/* may be NULL */
	struct mk_teller teller;	/* counts, and tells 'out' */
	struct mk_roll roll;
	unsigned source;		/* the one that is read, from 1 */
	unsigned bad_lines;
	bool unlisted;
};

/* The question that a login of this user asks. */
struct mk_asked mk_reader_ask(const struct mk_reader *rd,
	    const struct mk_roll_user *user);

/* Takes the answer 'r'; a bad one of hers names her as a good one does. */
int	mk_reader_take(struct mk_reader *rd, struct mk_roll_user *user,
	    const struct mk_asked *ask, int r, struct mk_why *why);

/*
 * This source names her, with a line that cannot be used: her login is
 * refused for it, so no later source may speak for her.
 */
int	mk_reader_name(struct mk_reader *rd, const char *name,
	    struct mk_why *why);

/* Whether a source before this one names her. */
bool	mk_reader_passes(const struct mk_reader *rd,
	    const struct mk_roll_user *user);

/* Tells a line of hers that does not count since she is passed. */
void	mk_reader_pass(const struct mk_reader *rd,
	    const struct mk_roll_user *user, const char *source,
	    const struct mk_where *where);

/* Each of them one source.  What is wrong with one user is told only. */
int	mk_reader_users(struct mk_reader *rd, struct mk_why *why);
int	mk_reader_map(struct mk_reader *rd, struct mk_why *why);
int	mk_reader_passwd(struct mk_reader *rd, struct mk_why *why);

#endif
