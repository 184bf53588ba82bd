/* SPDX-License-Identifier: ISC */
/*
 * The parts of meshkeys status: one row for each profile of the host, and
 * how it is written.
 */
#ifndef MK_CMD_STATUS_H
#define MK_CMD_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd/meshkeys.h"
#include "edge/everyone.h"

enum status_state {
	STATUS_FRESH,
	STATUS_STALE,			/* logins work */
	STATUS_TOO_STALE,		/* from here on they do not */
	STATUS_REFUSED,
	STATUS_MISSING,			/* never fetched */
	STATUS_FAILED,
	STATUS_STATES
};

extern const char *const status_words[STATUS_STATES];

struct status_row {
	const struct mk_profile *profile;
	enum status_state state;
	bool verified;
	size_t devices, keys;
	int64_t age;			/* MK_AGE_NONE: there is no set */
	int64_t signed_time, expires;	/* MK_TIME_NONE */
	char *reason;			/* why no login works, or NULL */
	char *problem;			/* what its portal last gave, or NULL */
	int problem_status;		/* 65: a set was refused */
	int64_t problem_time;
};

struct status {
	struct meshkeys *m;
	struct mk_everyone everyone;
	struct status_row **rows;	/* in the order of the users' names */
	size_t n;
	size_t counts[STATUS_STATES];
	size_t devices, keys, refused, problems;
	int64_t oldest;			/* seconds; of the sets that are here */
	int64_t now;
};

/* status_rows.c: reads all of it as who runs this, a set at a time. */
int	status_read(struct status *s, struct mk_why *why);
void	status_release(struct status *s);

/* Whether the set in the cache is refused, or the last one that came. */
bool	status_refused(const struct status_row *row);

/* 0, MESHKEYS_WARNED or MESHKEYS_FAILED */
int	status_exit(const struct status *s);

/* status_show.c: into m->out. */
void	status_table(const struct status *s);
void	status_json(const struct status *s);

/* status_metrics.c: the text exposition format of Prometheus. */
void	status_metrics(const struct status *s, struct mk_buf *out);

#endif
