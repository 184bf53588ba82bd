/* SPDX-License-Identifier: ISC */
/*
 * Steps 3 and 4 of a decision, and the question of those behind them: who
 * the user is, and bytes that nobody has looked into yet.
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/akc.h"
#include "edge/cache.h"
#include "edge/log.h"

int
akc_gather_identity(const struct mk_root *root,
    const struct mk_config *config, const char *user,
    struct akc_gathered *g, struct mk_why *why)
{
	struct mk_identity *id = &g->identity;
	int r;

	if ((r = mk_identity_find(root, config, user, id, why)) != 0)
		return r;
	if (id->skipped > 0)
		mk_debug("identity: %u bad lines of others skipped",
		    id->skipped);
	mk_debug("identity: %zu profiles by source '%s'", id->n,
	    id->source != NULL ? id->source : "none");
	return 0;
}

/* The order in which failures are told: others before 71, 71 before 65. */
static int
severity(int code)
{
	switch (code) {
	case 0:
		return 0;
	case MK_E_REFUSED:
		return 1;
	case MK_E_SYSTEM:
		return 2;
	}
	return 3;
}

/* The memory is read beside a set that failed: what is worse is told. */
static int
read_profile(const struct mk_config *config, const struct mk_store *store,
    struct akc_gathered *g, size_t i)
{
	const struct mk_mapped *mapped = &g->identity.profiles[i];
	struct mk_file *set = &g->files[2 * i], *seen = set + 1;
	struct mk_found *found = &g->found[i];
	struct mk_why why;
	int r, s;

	found->udf = mapped->udf;
	found->policy = &mapped->policy;
	r = mk_store_set(store, &mapped->udf, config->max_set, set,
	    &found->why);
	found->set = set->data;
	found->set_len = set->len;
	found->mtime = set->mtime;
	s = mk_store_seen(store, &mapped->udf, seen, &why);
	if (s == MK_E_ABSENT)
		return r;
	found->seen = seen->data;
	found->seen_len = seen->len;
	if (severity(s) <= severity(r))
		return r;
	found->why = why;
	return s;
}

int
akc_gather_bytes(const struct mk_root *root, const struct mk_config *config,
    struct akc_gathered *g, struct mk_why *why)
{
	size_t n = g->identity.n, i;
	struct mk_store store;

	g->found = calloc(n + 1, sizeof(*g->found));
	g->files = calloc(2 * n + 1, sizeof(*g->files));
	if (g->found == NULL || g->files == NULL)
		return mk_fail(why, MK_E_SYSTEM, "memory", "out of memory");
	mk_store_open(root, &store);
	for (i = 0; i < n; i++) {
		g->found[i].failed = read_profile(config, &store, g, i);
		mk_debug("cache: profile %zu of %zu: %s", i + 1, n,
		    g->found[i].failed == 0 ? "read" :
		    g->found[i].why.detail);
	}
	mk_store_close(&store);
	return 0;
}

void
akc_gathered_release(struct akc_gathered *g)
{
	size_t i;

	for (i = 0; g->files != NULL && i < 2 * g->identity.n; i++)
		mk_file_release(&g->files[i]);
	free(g->files);
	free(g->found);
	mk_identity_release(&g->identity);
	memset(g, 0, sizeof(*g));
}

struct mk_question
akc_question(const struct mk_config *config, const struct akc_gathered *g,
    const struct akc_offer *offer)
{
	return (struct mk_question){ .now = time(NULL),
	    .build_time = MK_BUILD_TIME, .fresh_for = config->fresh_for,
	    .stale_for = config->stale_for, .max_set = config->max_set,
	    .max_devices = config->max_devices,
	    .offer = offer != NULL && offer->given ? &offer->key : NULL,
	    .found = g->found, .n_found = g->identity.n };
}

bool
akc_chain_follows(const struct mk_config *config,
    const struct akc_offer *offer, const struct mk_answer *answer, int code)
{
	bool refused = code != 0 || (answer != NULL && answer->refused);

	if (config->chain == NULL)
		return false;
	if (answer != NULL && offer->given && answer->matched)
		return false;
	return !refused || config->chain_on_refusal;
}
