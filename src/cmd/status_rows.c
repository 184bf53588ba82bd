/* SPDX-License-Identifier: ISC */
/*
 * One profile after the other, by the code of a login, each set in an arena
 * of its own: a large site takes longer, and no more memory than its rows.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/explain.h"
#include "cmd/status.h"
#include "core/sort.h"
#include "core/timestamp.h"

const char *const status_words[STATUS_STATES] = {
	[STATUS_FRESH] = "fresh",
	[STATUS_STALE] = "stale",
	[STATUS_TOO_STALE] = "too-stale",
	[STATUS_REFUSED] = "refused",
	[STATUS_MISSING] = "missing",
	[STATUS_FAILED] = "failed",
};

/* The options of a line that has any. */
struct override {
	struct mk_udf udf;
	char *user;
	size_t number;
	struct mk_policy policy;
};

struct overrides {
	const struct mk_config *config;
	struct override **list;
	size_t n, room;
	bool starved;
};

static int
no_memory(struct mk_why *why)
{
	return mk_fail(why, MK_E_SYSTEM, "memory", "out of memory");
}

/* The count is enough here; "map check" tells each. */
static void
ignore_bad(void *arg, const struct mk_why *why)
{
	(void)arg;
	(void)why;
}

/* Sorted by pointers: mk_sort() moves small things. */
static struct override *
new_override(struct overrides *o)
{
	size_t room = o->room > 0 ? 2 * o->room : 64;
	struct override **list;

	if (o->n == o->room) {
		list = reallocarray(o->list, room, sizeof(*list));
		if (list == NULL)
			return NULL;
		o->list = list;
		o->room = room;
	}
	return calloc(1, sizeof(**o->list));
}

static void
see_line(void *arg, const struct mk_told_line *line)
{
	struct overrides *o = arg;
	struct override *new;
	unsigned i;

	if (line->udf == NULL || line->passed || line->n_options == 0)
		return;
	new = new_override(o);
	if (new == NULL || (new->user = strdup(line->user)) == NULL ||
	    mk_policy_copy(&o->config->policy, &new->policy, NULL) != 0) {
		if (new != NULL)
			free(new->user);
		free(new);
		o->starved = true;
		return;
	}
	new->udf = *line->udf;
	new->number = o->n;
	o->list[o->n++] = new;
	/* They were judged before the line was shown. */
	for (i = 0; i < line->n_options; i++)
		(void)mk_policy_option(&new->policy, line->options[i], NULL);
}

static int
compare_overrides(const void *a, const void *b)
{
	const struct override *x = *(const struct override *const *)a;
	const struct override *y = *(const struct override *const *)b;
	int c = mk_udf_cmp(&x->udf, &y->udf);

	if (c != 0)
		return c;
	return x->number < y->number ? -1 : x->number > y->number;
}

/* By the line of the user who is shown, which is the first one. */
static const struct mk_policy *
find_policy(const struct overrides *o, const struct mk_profile *profile)
{
	const struct mk_udf *udf = &profile->udf;
	size_t low = 0, high = o->n, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (mk_udf_cmp(&o->list[middle]->udf, udf) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < o->n && mk_udf_cmp(&o->list[low]->udf, udf) == 0 &&
	    strcmp(o->list[low]->user, profile->user) == 0)
		return &o->list[low]->policy;
	return &o->config->policy;
}

static void
release_overrides(struct overrides *o)
{
	size_t i;

	for (i = 0; i < o->n; i++) {
		mk_policy_release(&o->list[i]->policy);
		free(o->list[i]->user);
		free(o->list[i]);
	}
	free(o->list);
}

static void
see_set(void *arg, const struct mk_verified_view *view,
    const struct mk_record *rec)
{
	struct status_row *row = arg;

	row->verified = true;
	row->devices = view->personal->n_devices;
	row->keys = rec->n_keys;
	row->signed_time = view->version.personal_time;
	row->expires = view->expires;
}

static enum status_state
state_of(const struct mk_record *rec)
{
	switch (rec->code) {
	case 0:
		return rec->stale ? STATUS_STALE : STATUS_FRESH;
	case MK_E_STALE:
		return STATUS_TOO_STALE;
	case MK_E_REFUSED:
		return STATUS_REFUSED;
	case MK_E_NOPROFILE:
		return STATUS_MISSING;
	}
	return STATUS_FAILED;
}

/* "stage: detail" */
static char *
copy_why(const struct mk_why *why)
{
	struct mk_buf text;
	char *copy;

	mk_buf_init(&text, sizeof(*why) + 2);
	mk_buf_puts(&text, why->stage);
	mk_buf_puts(&text, ": ");
	mk_buf_puts(&text, why->detail);
	copy = text.failed == 0 ? strdup(text.data) : NULL;
	mk_buf_release(&text);
	return copy;
}

static int
take_record(struct status_row *row, const struct mk_answer *answer,
    struct mk_why *why)
{
	const struct mk_record *rec = answer->records;

	if (answer->n_records != 1)
		return no_memory(why);
	row->state = state_of(rec);
	row->age = rec->age;
	if (rec->code == 0)
		return 0;
	row->reason = copy_why(&rec->why);
	return row->reason != NULL ? 0 : no_memory(why);
}

static int
decide_row(struct status *s, struct akc_gathered *g, struct status_row *row,
    struct mk_why *why)
{
	const struct keep *k = &s->m->keep;
	const struct mk_onlooker onlooker = { see_set, row };
	struct mk_question q;
	struct mk_answer answer;
	int e;

	if ((e = akc_gather_bytes(&k->root, &k->config, g, why)) != 0)
		return e;
	explain_closed(s->m, g);
	q = akc_question(&k->config, g, NULL);
	q.onlooker = &onlooker;
	mk_decide(&q, &answer);
	e = take_record(row, &answer, why);
	mk_answer_release(&answer);
	return e;
}

/* As if a user with no other profile logged in. */
static int
read_row(struct status *s, const struct mk_policy *policy,
    struct status_row *row, struct mk_why *why)
{
	struct akc_gathered g = { .found = NULL };
	struct mk_mapped *mapped = calloc(1, sizeof(*mapped));
	int e;

	if (mapped == NULL)
		return no_memory(why);
	mapped->udf = row->profile->udf;
	if ((e = mk_policy_copy(policy, &mapped->policy, why)) != 0) {
		free(mapped);
		return e;
	}
	g.identity.profiles = mapped;
	g.identity.n = 1;
	e = decide_row(s, &g, row, why);
	akc_gathered_release(&g);
	return e;
}

static int
read_refusal(const struct mk_store *store, struct status_row *row,
    struct mk_why *why)
{
	struct mk_refusal refusal;

	if (mk_store_refusal(store, &row->profile->udf, &refusal) != 0)
		return 0;
	row->problem_time = refusal.time;
	row->problem_status = refusal.status;
	row->problem = strdup(refusal.reason);
	return row->problem != NULL ? 0 : no_memory(why);
}

bool
status_refused(const struct status_row *row)
{
	return row->state == STATUS_REFUSED || (row->problem != NULL &&
	    row->problem_status == mk_exit_code(MK_E_REFUSED));
}

static void
count(struct status *s, const struct status_row *row)
{
	s->counts[row->state]++;
	s->devices += row->devices;
	s->keys += row->keys;
	s->problems += row->problem != NULL;
	s->refused += status_refused(row);
	if (row->age != MK_AGE_NONE && row->age > s->oldest)
		s->oldest = row->age;
}

static int
compare_rows(const void *a, const void *b)
{
	const struct status_row *x = *(const struct status_row *const *)a;
	const struct status_row *y = *(const struct status_row *const *)b;
	int c = strcmp(x->profile->user, y->profile->user);

	return c != 0 ? c : mk_udf_cmp(&x->profile->udf, &y->profile->udf);
}

static struct status_row *
new_row(struct status *s, const struct mk_profile *profile)
{
	struct status_row *row = calloc(1, sizeof(*row));

	if (row == NULL)
		return NULL;
	*row = (struct status_row){ .profile = profile,
	    .signed_time = MK_TIME_NONE, .expires = MK_TIME_NONE };
	s->rows[s->n++] = row;
	return row;
}

static int
read_rows(struct status *s, const struct overrides *o, struct mk_why *why)
{
	struct status_row *row;
	struct mk_store store;
	size_t i;
	int e = 0;

	s->rows = calloc(s->everyone.n + 1, sizeof(*s->rows));
	if (s->rows == NULL)
		return no_memory(why);
	mk_store_open(&s->m->keep.root, &store);
	for (i = 0; e == 0 && i < s->everyone.n; i++) {
		row = new_row(s, &s->everyone.profiles[i]);
		if (row == NULL) {
			e = no_memory(why);
			break;
		}
		e = read_row(s, find_policy(o, row->profile), row, why);
		if (e == 0)
			e = read_refusal(&store, row, why);
		count(s, row);
	}
	mk_store_close(&store);
	mk_sort(s->rows, s->n, sizeof(*s->rows), compare_rows);
	return e;
}

int
status_read(struct status *s, struct mk_why *why)
{
	struct keep *k = &s->m->keep;
	struct overrides o = { .config = &k->config };
	const struct mk_teller teller = { .tell = ignore_bad, .arg = &o,
	    .line = see_line };
	int e;

	s->now = time(NULL);
	if ((e = mk_config_load(&k->root, k->place.config_file, &k->config,
	    why)) != 0 ||
	    (e = mk_everyone_read(&k->root, &k->config, &teller,
	    &s->everyone, why)) != 0)
		goto out;
	if (o.starved) {
		e = no_memory(why);
		goto out;
	}
	mk_sort(o.list, o.n, sizeof(*o.list), compare_overrides);
	if ((e = explain_confine(s->m)) == 0)
		e = read_rows(s, &o, why);
out:
	release_overrides(&o);
	return e;
}

void
status_release(struct status *s)
{
	size_t i;

	for (i = 0; i < s->n; i++) {
		free(s->rows[i]->reason);
		free(s->rows[i]->problem);
		free(s->rows[i]);
	}
	free(s->rows);
	mk_everyone_release(&s->everyone);
}

int
status_exit(const struct status *s)
{
	if (s->counts[STATUS_FRESH] + s->counts[STATUS_STALE] < s->n)
		return MESHKEYS_FAILED;
	return s->counts[STATUS_STALE] > 0 || s->problems > 0 ||
	    s->everyone.bad_lines > 0 ? MESHKEYS_WARNED : 0;
}
