/* SPDX-License-Identifier: ISC */
/*
 * Between config.c, map.c and policy.c: the settings that a line of the
 * map may override, one table for all files.
 */
#ifndef MK_EDGE_POLICY_H
#define MK_EDGE_POLICY_H

#include "edge/config.h"

struct mk_where;

/* The number of a setting, -1 if there is none of that name. */
int	mk_setting_find(const char *name);

/* Whether it may stand in meshkeys.conf. */
bool	mk_setting_in_file(int setting);

/* Sets one; MK_E_CONFIG tells what is allowed. */
int	mk_setting_set(struct mk_policy *policy, int setting,
	    const char *value, struct mk_why *why);

/* "option=value" words, each at most once. */
int	mk_policy_options(struct mk_policy *policy, char *const *word,
	    unsigned n, struct mk_why *why);

int	mk_policy_defaults(struct mk_policy *ret_policy, struct mk_why *why);

/* Everything but an out-of-memory is told as "'VALUE' is not ...". */
int	mk_value_fail(const char *value, const char *is_not,
	    struct mk_why *why);

#endif
