/* SPDX-License-Identifier: ISC */
/*
 * Between the files of edge/everyone.h: the users whom the sources name,
 * each with what a login would find for her, and the lines that name
 * profiles, in their order.
 */
#ifndef MK_EDGE_ROLL_H
#define MK_EDGE_ROLL_H

#include "edge/identity.h"

struct mk_everyone;

struct mk_roll_user {
	char *name;		/* decoded */
	unsigned source;	/* which one names her, from 1; 0: none yet */
	bool in_passwd;		/* the first line of her account was met */
	struct mk_identity identity;
};

struct mk_roll_line {
	struct mk_udf udf;
	size_t number;
	const char *portal;	/* of the user's policy; NULL: none */
	const char *user;
};

struct mk_roll {
	void *users;		/* a tree of tsearch(3), by name */
	struct mk_roll_line *lines;
	size_t n, room;
};

/* The user of that name, new or not. */
int	mk_roll_user(struct mk_roll *roll, const char *name,
	    struct mk_roll_user **ret_user, struct mk_why *why);

/* Takes what was found for her, and a line for each profile that is new. */
int	mk_roll_take(struct mk_roll *roll, struct mk_roll_user *user,
	    const struct mk_identity *identity, struct mk_why *why);

/* The profiles of all lines, sorted, each once.  Reorders the lines. */
int	mk_roll_profiles(struct mk_roll *roll, struct mk_everyone *everyone,
	    struct mk_why *why);

void	mk_roll_release(struct mk_roll *roll);

#endif
