/* SPDX-License-Identifier: ISC */
/*
 * What of a set its writer vouched for.  Of the P payload nothing is
 * believed here but which applications it lists: whoever verifies does it
 * over the bytes that are made of this.
 */
#include <string.h>

#include "core/arena.h"
#include "core/err.h"
#include "core/limits.h"
#include "core/set.h"

/* The SignedApplicationProfiles of a set that are well formed. */
struct found {
	struct mk_envelope envs[MK_ENTRIES_MAX];
	size_t n;
};

static int
refuse(struct mk_why *why, const char *what)
{
	return mk_fail(why, MK_E_REFUSED, "set", "%s", what);
}

static int
read_personal(struct mk_arena *a, const struct mk_json *obj,
    struct mk_envelope *env, struct mk_personal *p, struct mk_why *why)
{
	struct mk_json_notes notes = { 0 };
	const struct mk_envelope_place place = { .stage = "personal",
	    .notes = &notes, .tag = "PersonalProfile" };
	const struct mk_reading reading = { .arena = a,
	    .gen = MK_GEN_CURRENT, .max_devices = MK_DEVICES_MAX,
	    .notes = &notes };
	const struct mk_json *body;
	int r;

	if ((r = mk_envelope_open(a, obj, &place, env, why)) != 0)
		return r;
	/* They have no times, so nobody could tell which one is newer. */
	if (env->gen != MK_GEN_CURRENT)
		return refuse(why, "the set is not of the current form");
	if ((r = mk_envelope_body(a, env, &place, &body, why)) != 0)
		return r;
	return mk_personal_read(&reading, body, p, why);
}

/* What is malformed is no part of the set: it is left out, like others. */
static int
open_applications(struct mk_arena *a, const struct mk_json *entries,
    struct found *found, struct mk_why *why)
{
	struct mk_json_notes notes = { 0 };
	const struct mk_envelope_place place = { .stage = "application",
	    .notes = &notes };
	const struct mk_json *e;
	struct mk_envelope env;

	for (e = entries->child; e != NULL; e = e->next) {
		if (!mk_set_is_application(e))
			continue;
		if (mk_envelope_open(a, e->child, &place, &env, NULL) != 0) {
			if (a->failed != 0)
				return mk_arena_fail(a, why);
		} else if (env.gen == MK_GEN_CURRENT) {
			found->envs[found->n++] = env;
		}
	}
	return 0;
}

static bool
is_of(const struct mk_envelope *env, const struct mk_app *app)
{
	return env->id_len == app->id.len &&
	    memcmp(env->id, app->id.s, app->id.len) == 0 &&
	    memcmp(env->digest, app->digest, MK_DIGEST) == 0;
}

/* The first envelope of an application; NULL if there is none. */
static const struct mk_envelope *
find(const struct found *found, const struct mk_app *app, bool *ret_repeated)
{
	const struct mk_envelope *first = NULL;
	size_t i;

	for (i = 0; i < found->n; i++) {
		if (!is_of(&found->envs[i], app))
			continue;
		if (first == NULL)
			first = &found->envs[i];
		else
			*ret_repeated = true;
	}
	return first;
}

/*
 * A host counts those for the SSHProfile by their outer Identifier; what is
 * chosen must not verify where the set as it came would not.
 */
static int
check_ssh(const struct mk_set *set, const struct mk_app *app,
    const struct mk_envelope *env, struct mk_why *why)
{
	const struct mk_json *only;
	int r;

	r = mk_set_application(set, &app->id, &only, why);
	if (r == 0 && env == NULL)
		r = refuse(why, "the 'SignedApplicationProfile' of the "
		    "SSHProfile is missing");
	return r;
}

/* In the order of Applications. */
static int
choose(const struct mk_set *set, const struct found *found,
    const struct mk_personal *p, struct mk_chosen *chosen,
    struct mk_why *why)
{
	const struct mk_envelope *env;
	bool has_ssh = false;
	size_t i;
	int r;

	for (i = 0; i < p->n_apps; i++) {
		env = find(found, &p->apps[i], &chosen->repeated);
		if (mk_app_is_ssh(&p->apps[i])) {
			if (has_ssh)
				return refuse(why, "two entries of type "
				    "SSHProfile");
			has_ssh = true;
			r = check_ssh(set, &p->apps[i], env, why);
			if (r != 0)
				return r;
		}
		if (env == NULL)
			continue;
		if (chosen->n_apps == found->n)
			return refuse(why, "two applications of one "
			    "'Identifier'");
		chosen->apps[chosen->n_apps++] = *env;
	}
	return 0;
}

int
mk_set_choose(struct mk_arena *a, const struct mk_set *set,
    struct mk_chosen *ret_chosen, struct mk_why *why)
{
	struct mk_chosen chosen = { .repeated = false };
	struct mk_personal p = { 0 };
	struct found *found;
	int r;

	found = mk_arena_alloc(a, sizeof(*found));
	chosen.apps = mk_arena_array(a, MK_ENTRIES_MAX,
	    sizeof(*chosen.apps));
	if (found == NULL || chosen.apps == NULL)
		return mk_arena_fail(a, why);
	if ((r = read_personal(a, set->personal, &chosen.personal, &p,
	    why)) != 0 ||
	    (r = open_applications(a, set->entries, found, why)) != 0 ||
	    (r = choose(set, found, &p, &chosen, why)) != 0)
		return r;
	*ret_chosen = chosen;
	return 0;
}
