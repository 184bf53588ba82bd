/* SPDX-License-Identifier: ISC */
/*
 * One change of the profile, from the newest set to the portal.
 *
 * outgoing.json is written before anything is sent, and removed only after
 * the set has become profile.json or is known to be refused.  Whenever this
 * is interrupted, the next word that writes sends the same bytes again,
 * which a portal that has them answers with 201.
 */
#include <config.h>

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "cmd/meshman.h"
#include "core/timestamp.h"

#define OUTGOING	"outgoing.json"
#define TRIES		5
#define BODY_MAX	(8u << 20)

/* A set that was signed here. */
struct outgoing {
	struct mk_bytes set;
	int64_t signed_at;
	uint8_t digest[MK_DIGEST];	/* of its PersonalProfile */
};

static bool
is_previous(const struct mk_personal *p, const uint8_t digest[MK_DIGEST])
{
	size_t i;

	for (i = 0; i < p->n_previous; i++) {
		if (memcmp(p->previous[i], digest, MK_DIGEST) == 0)
			return true;
	}
	return false;
}

/* Whether the profile here is that version, or was made from it. */
static bool
contains(const struct meshman *m, const uint8_t digest[MK_DIGEST])
{
	const struct mk_verified_view *view = m->profile.view;

	return memcmp(view->version.personal, digest, MK_DIGEST) == 0 ||
	    is_previous(view->personal, digest);
}

/* Whether a set that was refused is one that ours was made from. */
static bool
is_earlier(struct meshman *m, const struct mk_bytes *set, int64_t *ret_t)
{
	struct mk_accepted accepted;
	struct mk_arena a;
	bool earlier = false;

	if (m->profile.view == NULL || !m->profile.held.has_seen)
		return false;
	mk_arena_init(&a, mk_verify_memory(set->len));
	if (mk_accept_anyway(&a, &m->profile.held, set, &accepted,
	    NULL) == 0) {
		earlier = is_previous(m->profile.view->personal,
		    accepted.view->version.personal);
		*ret_t = accepted.view->version.personal_time;
	}
	mk_arena_release(&a);
	return earlier;
}

static void
warn_behind(const struct meshman *m, int64_t theirs)
{
	char now[MK_TIME_LEN + 1], then[MK_TIME_LEN + 1];

	mk_time_format(m->profile.view->version.personal_time, now);
	mk_time_format(theirs, then);
	meshman_warn("'%s' has gone back to the version of %s: this device "
	    "has that of %s, and keeps it", m->state.portal, then, now);
}

int
meshman_fetch(struct meshman *m, enum mk_news *ret_news)
{
	struct meshman_reply reply = { 0 };
	struct mk_bytes set;
	int64_t theirs;
	int e;

	if ((e = meshman_get(m, &m->state.master, &reply)) != 0)
		return e;
	set = (struct mk_bytes){ reply.text, reply.len };
	e = meshman_profile_take(m, &set, ret_news);
	m->profile.behind = false;
	if (e == MK_E_REFUSED && is_earlier(m, &set, &theirs)) {
		memset(&m->why, 0, sizeof(m->why));
		m->profile.behind = true;
		warn_behind(m, theirs);
		*ret_news = MK_NEWS_SAME;
		e = 0;
	}
	e = meshman_set_refused(m, e);
	meshman_reply_release(&reply);
	return e;
}

static int
post(struct meshman *m, const struct mk_bytes *set)
{
	struct mk_answer answer;
	struct mk_arena a;
	struct mk_buf body;
	int e;

	mk_arena_init(&a, mk_verify_memory(MK_SET_MAX));
	mk_buf_init(&body, BODY_MAX);
	if ((e = mk_publish_write(&a, set, &body, &m->why)) == 0)
		e = meshman_transact(m, "Publish", &body, &a, &answer);
	mk_buf_release(&body);
	mk_arena_release(&a);
	return e;
}

int
meshman_publish_again(struct meshman *m)
{
	const struct mk_bytes set = { m->profile.set.data,
	    m->profile.set.len };
	int e = post(m, &set);

	if (e == MESHMAN_E_CONFLICT)
		return m->why.code = MK_E_REFUSED;
	m->profile.behind = m->profile.behind && e != 0;
	return e;
}

static int
remove_outgoing(struct meshman *m)
{
	return mk_home_remove(&m->home, OUTGOING, &m->why);
}

/* It is published, and known here: whoever asked may know, too. */
static int
finish(struct meshman *m)
{
	int e = remove_outgoing(m);

	return e != 0 ? e : meshman_results_send(m);
}

/* The portal has it: here too, then. */
static int
settle(struct meshman *m, const struct outgoing *out)
{
	enum mk_news news;
	int e;

	e = meshman_profile_take(m, &out->set, &news);
	/* Another way may have brought what was made from it. */
	if (e == MK_E_REFUSED && m->profile.view != NULL &&
	    contains(m, out->digest))
		e = 0;
	return e != 0 ? e : finish(m);
}

/* What cannot be published any more; the reason stands in m->why. */
static int
give_up(struct meshman *m)
{
	struct mk_why why = m->why;
	int e;

	if ((e = meshman_results_drop(m)) == 0)
		e = remove_outgoing(m);
	if (e == 0)
		m->why = why;
	return e;
}

static int
give_up_earlier(struct meshman *m, const struct outgoing *out,
    const char *reason)
{
	char when[MK_TIME_LEN + 1];
	int e;

	if ((e = give_up(m)) != 0)
		return e;
	mk_time_format(out->signed_at, when);
	meshman_warn("the change signed %s was not published and has to be "
	    "made again: %s", when, reason);
	m->lost = true;
	return 0;
}

/*
 * After 409: either it was published, though the answer was lost, and
 * others went on from there; or another administration device was faster.
 */
static int
resolve(struct meshman *m, const struct outgoing *out)
{
	enum mk_news news;
	int e;

	if ((e = meshman_fetch(m, &news)) != 0)
		return e;
	if (contains(m, out->digest))
		return finish(m);
	return give_up_earlier(m, out,
	    "another administration device was faster");
}

static int
send_earlier(struct meshman *m, const struct outgoing *out)
{
	struct mk_why why;
	int e;

	/*
	 * Killed after the portal had answered.  What others have published
	 * since may be too much for 'Previous' to tell.
	 */
	if (contains(m, out->digest))
		return finish(m);
	e = post(m, &out->set);
	switch (e) {
	case 0:
		return settle(m, out);
	case MESHMAN_E_CONFLICT:
		return resolve(m, out);
	case MK_E_REFUSED:
	case MK_E_PERM:
	case MK_E_NOPROFILE:
		why = m->why;
		return give_up_earlier(m, out, why.detail);
	default:
		mk_buf_puts(&m->hint, "a change that was signed earlier is "
		    "still to be published, before anything else\n");
		return e;
	}
}

/* What a set that was signed here says; false if it says nothing. */
static bool
look_at(struct meshman *m, struct outgoing *out)
{
	struct mk_accepted accepted;
	struct mk_arena a;
	int e;

	mk_arena_init(&a, mk_verify_memory(out->set.len));
	e = mk_accept_anyway(&a, &m->profile.held, &out->set, &accepted,
	    NULL);
	if (e == 0) {
		out->signed_at = accepted.view->version.personal_time;
		memcpy(out->digest, accepted.view->version.personal,
		    MK_DIGEST);
	}
	mk_arena_release(&a);
	return e == 0;
}

int
meshman_forsake(struct meshman *m)
{
	struct mk_file file;
	int e;

	if (m->profile.view == NULL)
		return 0;
	e = mk_home_read(&m->home, OUTGOING, MK_SET_MAX, &file, &m->why);
	if (e == MK_E_ABSENT)
		return meshman_results_forsake(m);
	if (e == 0)
		mk_file_release(&file);
	return e == MK_E_TOOBIG ? MK_E_SYSTEM : e;
}

int
meshman_resume(struct meshman *m)
{
	struct outgoing out = { .signed_at = MK_TIME_NONE };
	struct mk_file file;
	int e;

	if (!m->state.has_account)
		return 0;
	e = mk_home_read(&m->home, OUTGOING, MK_SET_MAX, &file, &m->why);
	if (e == MK_E_ABSENT)
		return meshman_results_resume(m);
	if (e != 0)
		return e == MK_E_TOOBIG ? MK_E_SYSTEM : e;
	out.set = (struct mk_bytes){ file.data, file.len };
	if (!look_at(m, &out))
		e = give_up_earlier(m, &out, "it is damaged");
	else
		e = send_earlier(m, &out);
	mk_file_release(&file);
	return e;
}

/* One publish on its way. */
struct publish {
	struct meshman *m;
	struct mk_secret online;
	meshman_change *change;
	void *arg;
	struct mk_arena arena;		/* of the draft */
	struct mk_buf text;		/* the set, signed */
};

static int
sign(struct publish *p, struct mk_draft *draft)
{
	struct meshman *m = p->m;
	const struct mk_signer online = mk_secret_signer(&p->online);
	const int64_t now = meshman_now();
	struct mk_draft_signing signing = { .online = &online, .now = now,
	    .build_time = MK_BUILD_TIME, .expires = now + MESHMAN_EXPIRES };
	int e;

	if (now < 0)
		return mk_fail(&m->why, MK_E_STALE, "clock",
		    "the clock stands before the build of this program");
	randombytes_buf(signing.random, sizeof(signing.random));
	if ((e = mk_draft_sign(draft, &signing, &p->text, &m->why)) != 0)
		return e;
	return mk_buf_check(&p->text, &m->why, "set");
}

/*
 * A deletion that a portal hid from another administration device, which
 * signed on without it, is made again: it is for good.
 */
static int
bury(struct meshman *m, struct mk_draft *draft)
{
	const struct mk_personal *p = m->profile.view->personal;
	char udf[MK_UDF_TEXT + 1];
	struct mk_why why;
	size_t i;
	int e = 0;

	for (i = 0; i < p->n_devices && e == 0; i++) {
		if (!meshman_is_undone(m, &p->devices[i].id))
			continue;
		e = mk_draft_delete(draft, &p->devices[i].id, &why);
		mk_udf_format(&p->devices[i].id, udf);
		if (e == 0)
			meshman_warn("'%s' was deleted, came back, and is "
			    "deleted again", udf);
		else if (e == MK_E_NOPROFILE)
			e = 0;
		else
			m->why = why;
	}
	return e;
}

/* Makes the change and signs it; *ret_same: there is nothing to sign. */
static int
draft(struct publish *p, bool *ret_same)
{
	struct meshman *m = p->m;
	const struct mk_bytes set = { m->profile.set.data,
	    m->profile.set.len };
	struct mk_draft *draft;
	int e;

	*ret_same = false;
	e = mk_draft_next(&p->arena, &set, m->profile.view, &draft, &m->why);
	if (e == 0 && p->change != NULL)
		e = p->change(m, draft, p->arg);
	if (e == 0)
		e = bury(m, draft);
	if (e != 0)
		return e;
	*ret_same = p->change != NULL && mk_draft_unchanged(draft);
	return *ret_same ? 0 : sign(p, draft);
}

/* *ret_again: another was faster, and nothing is left of this try. */
static int
send(struct publish *p, bool *ret_again)
{
	struct meshman *m = p->m;
	struct outgoing out = { .set = { (uint8_t *)p->text.data,
	    p->text.len } };
	enum mk_news news;
	int e, given_up;

	if (!m->state.has_account)
		return meshman_profile_take(m, &out.set, &news);
	if ((e = mk_home_write(&m->home, OUTGOING, out.set.data, out.set.len,
	    &m->why)) != 0)
		return e;
	if ((e = post(m, &out.set)) == 0)
		return settle(m, &out);
	*ret_again = e == MESHMAN_E_CONFLICT;
	if (e == MESHMAN_E_CONFLICT || e == MK_E_REFUSED ||
	    e == MK_E_PERM || e == MK_E_NOPROFILE) {
		given_up = give_up(m);
		return given_up != 0 ? given_up : e;
	}
	mk_buf_puts(&m->hint, "the change is signed and kept here, and may "
	    "have been published; the next word that\nchanges something, or "
	    "'meshman /sync', sends it first\n");
	return e;
}

void
meshman_hint_lost(struct meshman *m)
{
	mk_buf_puts(&m->hint, m->state.has_account ? "the portal knows the "
	    "profile no more; to publish it there again, run:\n" :
	    "the profile was not published yet; to do it, run:\n");
	mk_buf_puts(&m->hint, "    meshman /personal ");
	mk_buf_puts(&m->hint, m->state.has_account ?
	    m->state.account.text : "ACCOUNT");
	mk_buf_putc(&m->hint, '\n');
}

static int
try_once(struct publish *p, bool *ret_again)
{
	struct meshman *m = p->m;
	enum mk_news news;
	bool same;
	int e = 0;

	*ret_again = false;
	if (m->state.has_account && (e = meshman_fetch(m, &news)) != 0)
		return e;
	mk_arena_init(&p->arena, mk_verify_memory(MK_SET_MAX));
	mk_buf_init(&p->text, MK_SET_MAX);
	e = draft(p, &same);
	if (e == 0 && same)
		e = m->state.has_account ? meshman_results_send(m) : 0;
	else if (e == 0)
		e = send(p, ret_again);
	mk_buf_release(&p->text);
	mk_arena_release(&p->arena);
	return e;
}

int
meshman_publish(struct meshman *m, meshman_change *change, void *arg)
{
	struct publish p = { .m = m, .change = change, .arg = arg };
	bool again = true;
	int e, i;

	if ((e = meshman_key(m, MESHMAN_ONLINE, &p.online)) != 0)
		return e;
	for (i = 0; i < TRIES && again; i++)
		e = try_once(&p, &again);
	mk_secret_free(&p.online);
	if (e == MK_E_NOPROFILE && m->state.has_account &&
	    strcmp(m->why.stage, "portal") == 0)
		meshman_hint_lost(m);
	if (e == MESHMAN_E_CONFLICT)
		e = m->why.code = MK_E_STALE;
	return e;
}

int
meshman_renew(struct meshman *m)
{
	return meshman_publish(m, NULL, NULL);
}
