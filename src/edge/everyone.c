/* SPDX-License-Identifier: ISC */
/*
 * Asks the sources for everybody.  Lines are judged by the functions that
 * judge them at a login; only that a bad one ends it there and is skipped
 * here differs.
 */
#include "edge/everyone.h"

#include <malloc.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "edge/reader.h"

static void
tell(void *arg, const struct mk_why *why)
{
	struct mk_reader *rd = arg;

	rd->bad_lines++;
	if (rd->out != NULL)
		rd->out->tell(rd->out->arg, why);
}

bool
mk_reader_passes(const struct mk_reader *rd, const struct mk_roll_user *user)
{
	return user->source != 0 && user->source < rd->source;
}

struct mk_asked
mk_reader_ask(const struct mk_reader *rd, const struct mk_roll_user *user)
{
	const struct mk_asked ask = {
		.root = rd->root,
		.config = rd->config,
		.user = user->name,
		.user_len = strlen(user->name),
		.lines = rd->out,
		.identity = user->identity
	};

	return ask;
}

void
mk_reader_pass(const struct mk_reader *rd, const struct mk_roll_user *user,
    const char *source, const struct mk_where *where)
{
	struct mk_asked ask = mk_reader_ask(rd, user);

	ask.passed = true;
	ask.identity.source = source;
	mk_asked_tell(&ask, where, NULL, NULL, 0);
}

int
mk_reader_take(struct mk_reader *rd, struct mk_roll_user *user,
    const struct mk_asked *ask, int r, struct mk_why *why)
{
	struct mk_why reason;
	int taken;

	if (r != MK_OK || ask->identity.source != NULL)
		user->source = rd->source;
	taken = mk_roll_take(&rd->roll, user, &ask->identity, &reason);
	if (taken == MK_OK)
		return r;
	*why = reason;
	return taken;
}

int
mk_reader_name(struct mk_reader *rd, const char *name, struct mk_why *why)
{
	struct mk_roll_user *user;
	int r;

	r = mk_roll_user(&rd->roll, name, &user, why);
	if (r == MK_OK && !mk_reader_passes(rd, user))
		user->source = rd->source;
	return r;
}

static int
read_source(struct mk_reader *rd, enum mk_source source, struct mk_why *why)
{
	int r;

	switch (source) {
	case MK_SOURCE_MAP:
		r = mk_reader_users(rd, why);
		return r == MK_OK ? mk_reader_map(rd, why) : r;
	case MK_SOURCE_PASSWD:
		return mk_reader_passwd(rd, why);
	case MK_SOURCE_NSS:
		/* A directory need not list its users to anybody. */
		rd->unlisted = true;
		return MK_OK;
	}
	return mk_fail(why, MK_E_BUG, "identity", "no such source");
}

/*
 * Reading takes four times the memory of what comes out of it, which lies
 * above it in the heap; a watcher would keep all of that for months.
 */
static void
give_back(void)
{
#ifdef __GLIBC__
	(void)malloc_trim(0);
#endif
}

int
mk_everyone_read(const struct mk_root *root, const struct mk_config *config,
    const struct mk_teller *teller, struct mk_everyone *ret_everyone,
    struct mk_why *why)
{
	struct mk_reader rd = { .root = root, .config = config, .out = teller };
	struct mk_everyone everyone = { .profiles = NULL };
	struct mk_why reason;
	unsigned i;
	int r = MK_OK;

	rd.teller = (struct mk_teller){ tell, &rd };
	for (i = 0; r == MK_OK && i < config->n_identity; i++)
		r = read_source(&rd, config->identity[i], &reason);
	if (r == MK_OK)
		r = mk_roll_profiles(&rd.roll, &everyone, &reason);
	mk_roll_release(&rd.roll);
	give_back();
	if (r != MK_OK) {
		mk_everyone_release(&everyone);
		return mk_fail(why, r, reason.stage, "%s", reason.detail);
	}
	everyone.bad_lines = rd.bad_lines;
	everyone.unlisted = rd.unlisted;
	*ret_everyone = everyone;
	return MK_OK;
}

void
mk_everyone_release(struct mk_everyone *everyone)
{
	size_t i;

	for (i = 0; i < everyone->n; i++)
		free(everyone->profiles[i].user);
	free(everyone->profiles);
	tdestroy(everyone->portals, free);
	everyone->profiles = NULL;
	everyone->portals = NULL;
	everyone->n = 0;
}

static int
compare_udf(const void *key, const void *member)
{
	const struct mk_profile *profile = member;

	return mk_udf_cmp(key, &profile->udf);
}

const struct mk_profile *
mk_everyone_find(const struct mk_everyone *everyone,
    const struct mk_udf *udf)
{
	if (everyone->n == 0)
		return NULL;
	return bsearch(udf, everyone->profiles, everyone->n,
	    sizeof(*everyone->profiles), compare_udf);
}
