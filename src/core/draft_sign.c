/* SPDX-License-Identifier: ISC */
/*
 * Signing a draft.  The draft stays as it is, so that the same draft with
 * the same time and keys gives the same bytes.
 */
#include <string.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/draft_impl.h"
#include "core/err.h"
#include "core/limits.h"
#include "core/timestamp.h"
#include "core/verify.h"

/* A version on its way. */
struct writing {
	const struct mk_draft *d;
	const struct mk_draft_signing *signing;
	struct mk_personal personal;
	uint8_t previous[MK_PREVIOUS_MAX][MK_DIGEST];
	struct mk_app *apps;
	struct mk_envelope personal_env;
	struct mk_envelope *app_envs;	/* the SSHProfile first */
	size_t n_app_envs;
	char app_id[MK_UDF_TEXT + 1];
	struct mk_buf ssh_text, personal_text, set_text;
	struct mk_why *why;
};

static bool
is_online(const struct mk_draft *d, const struct mk_udf *key)
{
	return mk_online_find(d->master.online, d->master.n_online, key) !=
	    NULL;
}

/* Whether a time can be written: years 2015 to 2199. */
static bool
has_form(int64_t t)
{
	char text[MK_TIME_LEN + 1];

	mk_time_format(t, text);
	return t != MK_TIME_NONE && text[0] != '?';
}

static int
refuse_clock(struct writing *w, const char *what)
{
	return mk_fail(w->why, MK_E_REFUSED, "clock",
	    "cannot sign: %s; set the clock of this device", what);
}

/*
 * Updated is later than the version before and not before M.  What is dated
 * more than a day ahead no host would take, so it is not signed: either this
 * clock is wrong, or that of who signed before.
 */
static int
set_times(struct writing *w)
{
	const struct mk_draft_signing *s = w->signing;
	struct mk_personal *p = &w->personal;
	int64_t updated = s->now;

	if (!has_form(s->now))
		return refuse_clock(w, "the clock stands outside of the "
		    "years that a profile can have");
	if (s->now < s->build_time)
		return refuse_clock(w, "the clock stands before the build "
		    "of this program");
	if (w->d->has_before && updated <= w->d->before.updated)
		updated = w->d->before.updated + 1;
	if (updated < w->d->master.updated)
		updated = w->d->master.updated;
	if (updated > s->now + MK_DAY || !has_form(updated))
		return refuse_clock(w, "the newest version is dated more than "
		    "24 hours ahead of the clock");
	if (s->expires != MK_TIME_NONE &&
	    (s->expires <= updated || !has_form(s->expires)))
		return mk_fail(w->why, MK_E_REFUSED, "personal",
		    "'Expires' is not after 'Updated'");
	p->updated = updated;
	p->expires = s->expires;
	return 0;
}

static void
set_previous(struct writing *w)
{
	const struct mk_personal *before = &w->d->before;
	struct mk_personal *p = &w->personal;
	size_t i;

	if (!w->d->has_before)
		return;
	memcpy(w->previous[p->n_previous++], w->d->before_digest, MK_DIGEST);
	for (i = 0; i < before->n_previous &&
	    p->n_previous < MK_PREVIOUS_MAX; i++)
		memcpy(w->previous[p->n_previous++], before->previous[i],
		    MK_DIGEST);
	p->previous = (const uint8_t (*)[MK_DIGEST])w->previous;
	p->has_previous = true;
}

/* A text, signed by the online key. */
static int
seal(struct writing *w, const char *id, const struct mk_buf *text,
    struct mk_envelope *ret_env)
{
	struct mk_unsigned what = { .id = id,
	    .payload = (const uint8_t *)text->data, .len = text->len };
	int r;

	r = mk_buf_check(text, w->why, "set");
	if (r != 0)
		return r;
	return mk_seal(w->d->arena, &what, w->signing->online, ret_env,
	    w->why);
}

/* A new SSHProfile gets a random Identifier, an old one keeps its own. */
static void
name_ssh(struct writing *w)
{
	const struct mk_app *app = w->d->ssh_app;
	struct mk_udf id;

	if (app == NULL) {
		memcpy(id.b, w->signing->random, sizeof(id.b));
		id.b[0] = MK_UDF_RANDOM;
		id.b[MK_UDF_BYTES - 1] &= 0xfc;	/* 150 bits */
		mk_udf_format(&id, w->app_id);
	} else {
		memcpy(w->app_id, app->id.s, MK_UDF_TEXT);
	}
}

static int
write_ssh(struct writing *w, struct mk_envelope *ret_env)
{
	const struct mk_draft *d = w->d;
	struct mk_ssh ssh = { .id = { w->app_id, MK_UDF_TEXT },
	    .devices = d->ssh, .n_devices = d->n_ssh };

	if (d->ssh_app != NULL && is_online(d, &d->ssh_env.kid) &&
	    !mk_draft_ssh_changed(d)) {
		*ret_env = d->ssh_env;
		return 0;
	}
	mk_ssh_write(&ssh, &w->ssh_text);
	return seal(w, w->app_id, &w->ssh_text, ret_env);
}

/*
 * Applications as before, with the SSHProfile as it is now.  One that has
 * lost its last key stays, one that never had any is not made.
 */
static int
set_apps(struct writing *w)
{
	const struct mk_draft *d = w->d;
	size_t n = d->before.n_apps, i = n;
	struct mk_envelope *ssh;
	int r;

	w->apps = mk_arena_array(d->arena, n + 1, sizeof(*w->apps));
	w->app_envs = mk_arena_array(d->arena, d->n_others + 1,
	    sizeof(*w->app_envs));
	if (w->apps == NULL || w->app_envs == NULL)
		return mk_arena_fail(d->arena, w->why);
	if (n > 0)
		memcpy(w->apps, d->before.apps, n * sizeof(*w->apps));
	if (d->ssh_app != NULL || d->n_ssh > 0) {
		ssh = &w->app_envs[w->n_app_envs++];
		name_ssh(w);
		if ((r = write_ssh(w, ssh)) != 0)
			return r;
		if (d->ssh_app != NULL)
			i = (size_t)(d->ssh_app - d->before.apps);
		else
			n++;
		w->apps[i].id = (struct mk_text){ w->app_id, MK_UDF_TEXT };
		w->apps[i].type = (struct mk_text){ "SSHProfile", 10 };
		memcpy(w->apps[i].digest, ssh->digest, MK_DIGEST);
	}
	if (d->n_others > 0)
		memcpy(&w->app_envs[w->n_app_envs], d->others,
		    d->n_others * sizeof(*d->others));
	w->n_app_envs += d->n_others;
	w->personal.apps = w->apps;
	w->personal.n_apps = n;
	return 0;
}

static int
write_personal(struct writing *w)
{
	const struct mk_draft *d = w->d;
	struct mk_personal *p = &w->personal;
	char id[MK_UDF_TEXT + 1];

	p->id = d->master.id;
	p->deleted = d->deleted;
	p->n_deleted = d->n_deleted;
	p->n_devices = d->n_devices;
	mk_udf_format(&p->id, id);
	mk_personal_write(p, &d->master_env, d->devices, &w->personal_text);
	return seal(w, id, &w->personal_text, &w->personal_env);
}

/* As every host will, starting from the fingerprint. */
static int
verify(struct writing *w)
{
	const struct mk_verified *verified;
	struct mk_demand demand = {
	    .set = (const uint8_t *)w->set_text.data,
	    .set_len = w->set_text.len, .udf = w->d->master.id,
	    .now = w->signing->now, .build_time = w->signing->build_time,
	    .max_set = w->set_text.max, .max_devices = MK_DEVICES_MAX,
	    .key_types = MK_SSH_ALL, .open_all = true };
	struct mk_arena own;
	struct mk_why found;
	int r;

	mk_arena_init(&own, mk_verify_memory(demand.set_len));
	r = mk_verify(&own, &demand, &verified, &found);
	mk_arena_release(&own);
	if (r == 0)
		return 0;
	/* What a person did wrong was refused before. */
	return mk_fail(w->why, r == MK_E_REFUSED ? MK_E_BUG : r, found.stage,
	    "what was signed does not verify: %s", found.detail);
}

static int
write_set(struct writing *w)
{
	int r;

	if ((r = set_times(w)) != 0)
		return r;
	set_previous(w);
	if ((r = set_apps(w)) != 0 ||
	    (r = write_personal(w)) != 0)
		return r;
	mk_set_write(&w->personal_env, w->app_envs, w->n_app_envs,
	    &w->set_text);
	if ((r = mk_buf_check(&w->set_text, w->why, "set")) != 0)
		return r;
	return verify(w);
}

int
mk_draft_sign(struct mk_draft *d, const struct mk_draft_signing *signing,
    struct mk_buf *out, struct mk_why *why)
{
	struct writing w = { .d = d, .signing = signing, .why = why };
	int r;

	/* Nobody would believe another signer. */
	if (!is_online(d, &signing->online->udf))
		return mk_fail(why, MK_E_REFUSED, "personal", "the key of "
		    "this device is no online key of the profile: it is "
		    "no administrator");
	mk_buf_init(&w.ssh_text, out->max);
	mk_buf_init(&w.personal_text, out->max);
	mk_buf_init(&w.set_text, out->max);
	r = write_set(&w);
	if (r == 0) {
		mk_buf_put(out, w.set_text.data, w.set_text.len);
		r = mk_buf_check(out, why, "set");
	}
	mk_buf_release(&w.set_text);
	mk_buf_release(&w.personal_text);
	mk_buf_release(&w.ssh_text);
	return r;
}
