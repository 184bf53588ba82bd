/* SPDX-License-Identifier: ISC */
/*
 * From the map to what there is to do.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/refresh.h"
#include "core/sort.h"
#include "edge/identity.h"
#include "edge/log.h"

/* A request's id: the generation of the work, and an index into it. */
#define INDEX_BITS	24
#define INDEX_MAX	((UINT32_C(1) << INDEX_BITS) - 1)

int64_t
refresh_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t
refresh_later(int64_t now, int64_t ms)
{
	return now + ms - ms / 10 +
	    (int64_t)randombytes_uniform((uint32_t)(ms / 5) + 1);
}

uint32_t
refresh_id(const struct refresh *r, size_t index)
{
	return (uint32_t)r->generation << INDEX_BITS | (uint32_t)index;
}

bool
refresh_id_is_ours(const struct refresh *r, uint32_t id, size_t n,
    size_t *ret_index)
{
	if (id >> INDEX_BITS != r->generation || (id & INDEX_MAX) >= n)
		return false;
	*ret_index = id & INDEX_MAX;
	return true;
}

/* A bad line harms nobody but its user, and is told loudly. */
static void
tell_bad_line(void *arg, const struct mk_why *why)
{
	(void)arg;
	mk_log(LOG_ERR, "%s: %s; event=refresh.map", why->stage,
	    why->detail);
}

static void
add_job(struct refresh_work *work, const struct mk_profile *profile)
{
	size_t i = (size_t)(profile - work->everyone.profiles);

	work->jobs[i].profile = profile;
}

static int
add_udf(struct refresh_work *work, const struct mk_udf *udf,
    const char *name, struct mk_why *why)
{
	const struct mk_profile *profile;

	profile = mk_everyone_find(&work->everyone, udf);
	if (profile == NULL)
		return mk_fail(why, MK_E_NOPROFILE, "identity",
		    "nobody is mapped to '%s'", name);
	add_job(work, profile);
	return 0;
}

/* A user, or a fingerprint as people type it. */
static int
add_name(const struct refresh *r, struct refresh_work *work,
    const char *name, struct mk_why *why)
{
	struct mk_identity identity;
	struct mk_udf udf;
	size_t i;
	int e;

	if (mk_udf_parse_typed(name, strlen(name), &udf))
		return add_udf(work, &udf, name, why);
	e = mk_identity_find(&r->keep.root, &r->keep.config, name, &identity,
	    why);
	if (e != 0)
		return e;
	if (identity.n == 0)
		e = mk_fail(why, MK_E_NOPROFILE, "identity",
		    "'%s' is mapped to no profile", name);
	for (i = 0; i < identity.n && e == 0; i++)
		e = add_udf(work, &identity.profiles[i].udf, name, why);
	mk_identity_release(&identity);
	return e;
}

/* Jobs that nobody asked for are taken out again. */
static void
close_ranks(struct refresh_work *work)
{
	size_t i, n = 0;

	for (i = 0; i < work->n_jobs; i++) {
		if (work->jobs[i].profile != NULL)
			work->jobs[n++] = work->jobs[i];
	}
	work->n_jobs = n;
}

static int
make_jobs(const struct refresh *r, struct refresh_work *work,
    struct mk_why *why)
{
	size_t i;
	int e = 0;

	work->n_jobs = work->everyone.n;
	if (work->n_jobs > INDEX_MAX)
		return mk_fail(why, MK_E_CONFIG, "identity",
		    "more than %u profiles", (unsigned)INDEX_MAX);
	work->jobs = calloc(work->n_jobs + 1, sizeof(*work->jobs));
	if (work->jobs == NULL)
		return mk_fail(why, MK_E_SYSTEM, "memory", "out of memory");
	for (i = 0; i < r->n_names && e == 0; i++)
		e = add_name(r, work, r->names[i], why);
	for (i = 0; r->n_names == 0 && i < work->n_jobs; i++)
		add_job(work, &work->everyone.profiles[i]);
	close_ranks(work);
	return e;
}

static int
compare_portals(const void *a, const void *b)
{
	struct refresh_job *const *job = a, *const *other = b;
	int c = strcmp((*job)->profile->portal, (*other)->profile->portal);

	if (c != 0)
		return c;
	return mk_udf_cmp(&(*job)->profile->udf, &(*other)->profile->udf);
}

/* The portal of a job; the one before has it if the two are the same. */
static struct refresh_portal *
portal_of(struct refresh_work *work, const char *url, size_t first)
{
	struct refresh_portal *last;

	last = work->n_portals > 0 ? &work->portals[work->n_portals - 1] :
	    NULL;
	if (last != NULL && strcmp(last->url, url) == 0)
		return last;
	last = &work->portals[work->n_portals++];
	last->url = url;
	last->kind = mk_portal_kind(url);
	last->first = first;
	return last;
}

static int
make_portals(struct refresh_work *work, struct mk_why *why)
{
	struct refresh_job *job;
	size_t i;

	work->by_portal = calloc(work->n_jobs + 1, sizeof(job));
	work->portals = calloc(work->n_jobs + 1, sizeof(*work->portals));
	if (work->by_portal == NULL || work->portals == NULL)
		return mk_fail(why, MK_E_SYSTEM, "memory", "out of memory");
	for (i = 0; i < work->n_jobs; i++) {
		job = &work->jobs[i];
		if (job->profile->portal != NULL)
			work->by_portal[work->n_by_portal++] = job;
	}
	mk_sort(work->by_portal, work->n_by_portal, sizeof(job),
	    compare_portals);
	for (i = 0; i < work->n_by_portal; i++) {
		job = work->by_portal[i];
		job->portal = portal_of(work, job->profile->portal, i);
		job->portal->n++;
	}
	return 0;
}

int
refresh_work_make(struct refresh *r, struct refresh_work *ret_work,
    struct mk_why *why)
{
	static const struct mk_teller teller = { tell_bad_line, NULL };
	struct refresh_work work = { 0 };
	int e;

	if ((e = mk_everyone_read(&r->keep.root, &r->keep.config, &teller,
	    &work.everyone, why)) != 0 ||
	    (e = make_jobs(r, &work, why)) != 0 ||
	    (e = make_portals(&work, why)) != 0 ||
	    (r->watch && (e = refresh_feeds_make(&work, why)) != 0))
		refresh_work_release(&work);
	else
		*ret_work = work;
	return e;
}

void
refresh_work_release(struct refresh_work *work)
{
	size_t i;

	for (i = 0; i < work->n_jobs; i++)
		free(work->jobs[i].reason);
	free(work->jobs);
	free(work->by_portal);
	free(work->portals);
	free(work->feeds);
	mk_everyone_release(&work->everyone);
	memset(work, 0, sizeof(*work));
}

void
refresh_prune(const struct refresh *r)
{
	struct mk_why why;
	size_t n;

	/* The next run or hour will do as well as waiting for a lock twice. */
	if (r->keep.dry_run || refresh_now() < r->held_up ||
	    mk_keeper_lock(&r->keep.keeper, &why) != 0)
		return;
	n = mk_keeper_prune(&r->keep.keeper, &r->work.everyone, time(NULL));
	mk_keeper_unlock(&r->keep.keeper);
	if (n > 0)
		mk_log(LOG_INFO, "took %zu files out of the cache that no "
		    "mapping names; event=refresh.prune", n);
}
