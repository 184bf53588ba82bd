/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/decide.h"
#include "core/limits.h"
#include "core/render.h"
#include "core/seen.h"
#include "core/sort.h"
#include "core/sshopt.h"
#include "core/timestamp.h"
#include "core/verify.h"

/* One key to be printed, in the order of the lines. */
struct line {
	const struct mk_verified_key *key;
	char *options;			/* malloc'd, "" for none */
	bool merged;			/* printed with an earlier one */
};

/* A decision on its way. */
struct deciding {
	const struct mk_question *q;
	struct mk_answer *answer;
	struct mk_arena *arenas;	/* one each: verified sets live there */
	struct line *lines;
	size_t n_lines, room;
	struct mk_why why;		/* of a failure as a whole */
};

/*
 * How old the cache is: an mtime in the future is no proof of freshness,
 * and neither is a set that only the memory of this host speaks for.
 */
static int
judge_age(const struct mk_question *q, const struct mk_found *found,
    const struct mk_verified_view *view, struct mk_record *rec)
{
	bool future = found->mtime > q->now;

	rec->stale = view->clock_stale || future || rec->age > q->fresh_for;
	if (q->stale_for >= 0 && !future && rec->age > q->stale_for)
		return mk_fail(&rec->why, MK_E_STALE, "freshness", "no portal "
		    "has confirmed the set for %lld s, stale-for allows %lld",
		    (long long)rec->age, (long long)q->stale_for);
	if (rec->stale && found->policy->when_stale == MK_STALE_DENY)
		return mk_fail(&rec->why, MK_E_STALE, "freshness",
		    "the set is stale, and when-stale denies it");
	return 0;
}

/* The limits on signed times; the old forms have none to show. */
static int
judge_signed_time(const struct mk_question *q, const struct mk_policy *policy,
    const struct mk_verified_view *view, struct mk_record *rec)
{
	int64_t updated = view->version.personal_time;
	/* As for Expires: a clock set back makes nothing younger. */
	int64_t now = q->now > q->build_time ? q->now : q->build_time;

	if (policy->not_before != MK_TIME_NONE &&
	    (updated == MK_TIME_NONE || updated < policy->not_before))
		return mk_fail(&rec->why, MK_E_REFUSED, "policy",
		    "the profile was signed before not-before, or at no "
		    "known time");
	if (policy->max_signed_age >= 0 && (updated == MK_TIME_NONE ||
	    now - updated > policy->max_signed_age))
		return mk_fail(&rec->why, MK_E_STALE, "policy", "the profile "
		    "was signed longer ago than max-signed-age, or at no "
		    "known time");
	return 0;
}

void
mk_policy_lead(const struct mk_policy *policy, bool stale,
    struct mk_buf *out)
{
	if (stale && policy->when_stale == MK_STALE_RESTRICT)
		mk_sshopt_meet(policy->options, "restrict", out);
	else
		mk_buf_puts(out, policy->options);
}

static char *
line_options(const struct mk_policy *policy, bool stale)
{
	struct mk_buf out;
	char *options = NULL;

	mk_buf_init(&out, MK_OUTPUT_MAX);
	mk_policy_lead(policy, stale, &out);
	if (out.failed == 0)
		options = strdup(out.len > 0 ? out.data : "");
	mk_buf_release(&out);
	return options;
}

static int
add_line(struct deciding *d, const struct mk_verified_key *key,
    const char *options)
{
	size_t room = d->room > 0 ? 2 * d->room : 8;
	struct line *lines;

	if (d->n_lines == d->room) {
		lines = reallocarray(d->lines, room, sizeof(*lines));
		if (lines == NULL)
			return MK_E_SYSTEM;
		d->lines = lines;
		d->room = room;
	}
	d->lines[d->n_lines] = (struct line){ .key = key,
	    .options = strdup(options) };
	if (d->lines[d->n_lines].options == NULL)
		return MK_E_SYSTEM;
	d->n_lines++;
	return 0;
}

/* Collects the usable keys of a set that policy lets through. */
static int
collect(struct deciding *d, const struct mk_found *found,
    const struct mk_verified_view *view, struct mk_record *rec)
{
	char *options = line_options(found->policy, rec->stale);
	size_t i, before = d->n_lines;
	int r = options != NULL ? 0 : MK_E_SYSTEM;

	for (i = 0; i < view->n_keys && r == 0; i++) {
		if (view->keys[i].verdict != MK_KEY_USABLE)
			continue;
		rec->n_keys++;
		if (d->q->offer != NULL) {
			rec->matched = true;
			rec->device = view->keys[i].ssh->device;
		}
		r = add_line(d, &view->keys[i], options);
	}
	free(options);
	if (r == 0)
		return 0;
	/* A profile that failed has no part in what is printed. */
	while (d->n_lines > before)
		free(d->lines[--d->n_lines].options);
	rec->matched = false;
	return mk_fail(&rec->why, MK_E_SYSTEM, "memory", "out of memory");
}

/* A damaged memory decides before the set is looked at. */
static int
read_memory(struct mk_arena *a, const struct mk_found *found,
    struct mk_seen *ret_seen, struct mk_why *why)
{
	mk_arena_init(a, mk_verify_memory(found->set_len));
	if (found->seen == NULL)
		return 0;
	return mk_seen_parse(a, found->seen, found->seen_len, ret_seen, why);
}

static int
verify_found(struct deciding *d, struct mk_arena *a,
    const struct mk_found *found, const struct mk_verified **ret_verified,
    struct mk_why *why)
{
	const struct mk_question *q = d->q;
	struct mk_demand demand = { .set = found->set,
	    .set_len = found->set_len, .udf = found->udf, .now = q->now,
	    .build_time = q->build_time, .max_set = q->max_set,
	    .max_devices = q->max_devices, .offer = q->offer,
	    .key_types = found->policy->key_types };
	struct mk_seen seen;
	int r;

	if ((r = read_memory(a, found, &seen, why)) != 0)
		return r;
	if (found->seen != NULL)
		demand.seen = &seen;
	return mk_verify(a, &demand, ret_verified, why);
}

/* What policy makes of a verified set; then it is shown. */
static int
judge(struct deciding *d, const struct mk_found *found,
    const struct mk_verified_view *view, struct mk_record *rec)
{
	const struct mk_onlooker *onlooker = d->q->onlooker;

	rec->set_time = view->version.personal_time;
	if ((rec->code = judge_signed_time(d->q, found->policy, view,
	    rec)) == 0 &&
	    (rec->code = judge_age(d->q, found, view, rec)) == 0)
		rec->code = collect(d, found, view, rec);
	if (onlooker != NULL)
		onlooker->see(onlooker->arg, view, rec);
	return rec->code;
}

/* One profile, by itself: found, verified, fresh, let through. */
static int
decide_one(struct deciding *d, size_t i, struct mk_record *rec)
{
	const struct mk_found *found = &d->q->found[i];
	const struct mk_verified *verified;
	struct mk_seen seen;
	int r;

	rec->udf = found->udf;
	rec->set_time = MK_TIME_NONE;
	rec->age = MK_AGE_NONE;
	if (found->failed != 0) {
		if (found->failed == MK_E_REFUSED &&
		    (r = read_memory(&d->arenas[i], found, &seen,
		    &rec->why)) != 0)
			return r;
		rec->why = found->why;
		return found->failed;
	}
	/* A time before 1970 is nobody's, and would overflow. */
	rec->age = d->q->now - (found->mtime > 0 ? found->mtime : 0);
	if ((r = verify_found(d, &d->arenas[i], found, &verified,
	    &rec->why)) != 0)
		return r;
	return judge(d, found, mk_verified_view(verified), rec);
}

static int
compare_lines(const void *a, const void *b)
{
	const struct line *const *x = a, *const *y = b;
	const struct mk_sshkey *k = &(*x)->key->ssh->key;
	const struct mk_sshkey *l = &(*y)->key->ssh->key;
	int c;

	if (k->len != l->len)
		return k->len < l->len ? -1 : 1;
	c = memcmp(k->blob, l->blob, k->len);
	if (c == 0)
		c = *x < *y ? -1 : 1;	/* the first of them stays */
	return c;
}

/* The second of two equal lines gives its options to the first. */
static int
merge_pair(struct line *first, struct line *second)
{
	struct mk_buf out;
	char *options = NULL;

	mk_buf_init(&out, MK_OUTPUT_MAX);
	mk_sshopt_meet(first->options, second->options, &out);
	if (out.failed == 0)
		options = strdup(out.len > 0 ? out.data : "");
	mk_buf_release(&out);
	if (options == NULL)
		return MK_E_SYSTEM;
	free(first->options);
	first->options = options;
	second->merged = true;
	return 0;
}

/* A key that stands in two profiles gets the options of both. */
static int
merge_lines(struct deciding *d)
{
	struct line **sorted, *first;
	size_t i;
	int r = 0;

	if (d->q->n_found < 2 || d->n_lines < 2)
		return 0;
	sorted = reallocarray(NULL, d->n_lines, sizeof(*sorted));
	if (sorted == NULL)
		return MK_E_SYSTEM;
	for (i = 0; i < d->n_lines; i++)
		sorted[i] = &d->lines[i];
	mk_sort(sorted, d->n_lines, sizeof(*sorted), compare_lines);
	for (i = 1, first = sorted[0]; i < d->n_lines && r == 0; i++) {
		const struct mk_sshkey *k = &first->key->ssh->key;
		const struct mk_sshkey *l = &sorted[i]->key->ssh->key;

		if (k->len == l->len && memcmp(k->blob, l->blob, k->len) == 0)
			r = merge_pair(first, sorted[i]);
		else
			first = sorted[i];
	}
	free(sorted);
	return r;
}

static int
render_lines(struct deciding *d)
{
	struct mk_buf *out = &d->answer->lines;
	size_t i;

	if (merge_lines(d) != 0)
		return mk_fail(&d->why, MK_E_SYSTEM, "memory",
		    "out of memory");
	for (i = 0; i < d->n_lines; i++) {
		if (!d->lines[i].merged)
			mk_render_line(d->lines[i].key, d->lines[i].options,
			    out);
	}
	return mk_buf_check(out, &d->why, "output");
}

/* The answer as a whole: decided if any profile could be. */
static void
conclude(struct deciding *d)
{
	struct mk_answer *answer = d->answer;
	bool any = answer->n_records == 0;
	size_t i;
	int r;

	for (i = 0; i < answer->n_records; i++) {
		if (answer->records[i].code == 0)
			any = true;
		else
			answer->refused = true;
		if (answer->code == 0)
			answer->code = answer->records[i].code;
		answer->matched |= answer->records[i].matched;
	}
	if (any)
		answer->code = 0;
	if (answer->code == 0 && (r = render_lines(d)) != 0) {
		answer->code = r;
		answer->why = d->why;
		answer->refused = true;
	}
	if (answer->code != 0) {
		mk_buf_cut(&answer->lines, 0);
		answer->matched = false;
	}
}

void
mk_decide(const struct mk_question *q, struct mk_answer *ret_answer)
{
	struct deciding d = { .q = q, .answer = ret_answer };
	size_t i;

	memset(ret_answer, 0, sizeof(*ret_answer));
	mk_buf_init(&ret_answer->lines, MK_OUTPUT_MAX);
	d.arenas = calloc(q->n_found + 1, sizeof(*d.arenas));
	ret_answer->records = calloc(q->n_found + 1,
	    sizeof(*ret_answer->records));
	if (d.arenas == NULL || ret_answer->records == NULL) {
		ret_answer->code = mk_fail(&ret_answer->why, MK_E_SYSTEM,
		    "memory", "out of memory");
		goto out;
	}
	ret_answer->n_records = q->n_found;
	for (i = 0; i < q->n_found; i++) {
		ret_answer->records[i].code = decide_one(&d, i,
		    &ret_answer->records[i]);
		/* Nothing of it is printed; forged sets must not add up. */
		if (ret_answer->records[i].code != 0)
			mk_arena_release(&d.arenas[i]);
	}
	conclude(&d);
out:
	for (i = 0; i < d.n_lines; i++)
		free(d.lines[i].options);
	free(d.lines);
	for (i = 0; i < q->n_found && d.arenas != NULL; i++)
		mk_arena_release(&d.arenas[i]);
	free(d.arenas);
}

void
mk_answer_release(struct mk_answer *answer)
{
	free(answer->records);
	mk_buf_release(&answer->lines);
	memset(answer, 0, sizeof(*answer));
}
