/* SPDX-License-Identifier: ISC */
/*
 * /etc/meshkeys/meshkeys.conf: one "keyword value..." a line.  An absent
 * file means the defaults; an unknown keyword, a keyword twice or a bad
 * value is an error that names the line.
 */
#ifndef MK_EDGE_CONFIG_H
#define MK_EDGE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/decide.h"

struct mk_root;
struct mk_why;

enum mk_source {
	MK_SOURCE_MAP,		/* users/USER, then the map */
	MK_SOURCE_PASSWD,
	MK_SOURCE_NSS
};

#define MK_SOURCES 3

struct mk_config {
	enum mk_source identity[MK_SOURCES];
	unsigned n_identity;
	struct mk_policy policy;	/* what map lines may override */
	int64_t fresh_for, stale_for;	/* seconds; stale_for -1: never */
	char **chain;			/* argv, NULL-ended; NULL: none */
	bool chain_on_refusal;
	size_t max_set;
	unsigned max_devices;
	int log_level;			/* LOG_ERR to LOG_DEBUG of syslog(3) */
	bool log_matches;
};

/*
 * Loads 'path', or the standard file below 'root' if it is NULL.
 * MK_E_CONFIG, MK_E_PERM, MK_E_SYSTEM.
 */
int	mk_config_load(const struct mk_root *root, const char *path,
	    struct mk_config *ret_config, struct mk_why *why);
void	mk_config_release(struct mk_config *config);

/*
 * One "option=value" of a map line into a policy; the same values as in
 * meshkeys.conf: portal, key-types, options, when-stale, max-signed-age,
 * and not-before.  The policy owns copies.  MK_E_CONFIG, MK_E_SYSTEM.
 */
int	mk_policy_option(struct mk_policy *policy, const char *option,
	    struct mk_why *why);

int	mk_policy_copy(const struct mk_policy *from,
	    struct mk_policy *ret_policy, struct mk_why *why);
void	mk_policy_release(struct mk_policy *policy);

#endif
