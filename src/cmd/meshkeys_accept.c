/* SPDX-License-Identifier: ISC */
/*
 * meshkeys accept: a set that the memory of this host keeps out, let in by
 * an administrator who has seen what differs.
 *
 * While she reads, nothing is locked; what is written afterwards is what
 * was shown, to a host on which nothing has changed meanwhile.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cmd/meshkeys.h"
#include "core/arena.h"
#include "core/compare.h"
#include "core/digest.h"
#include "core/limits.h"
#include "core/portal.h"
#include "core/timestamp.h"
#include "edge/portal_dir.h"

/* What was found for a profile. */
enum found {
	FOUND_OFFER,		/* what the memory keeps out */
	FOUND_WELCOME,		/* it would be let in anyway, or is in */
	FOUND_REMOTE,		/* only the portal can tell */
	FOUND_NOTHING		/* nowhere is there a set; or it failed */
};

/* One profile that is looked at. */
struct accept {
	struct meshkeys *m;
	const struct mk_mapped *profile;
	struct mk_arena arena;		/* of what is here, and the memory */
	struct mk_arena offered;	/* of the set offered */
	struct mk_arena before;		/* of the set in the cache */
	struct keep_here here;
	struct mk_file file;		/* of a directory that is a portal */
	const char *from;
	struct mk_bytes set;
	struct mk_why refusal;		/* what the memory says */
	struct mk_accepted accepted;
	const struct mk_verified_view *old;
};

static void
accept_init(struct accept *x, struct meshkeys *m,
    const struct mk_mapped *profile)
{
	const size_t max = m->keep.config.max_set;

	*x = (struct accept){ .m = m, .profile = profile };
	mk_arena_init(&x->arena, mk_verify_memory(max));
	mk_arena_init(&x->offered, mk_verify_memory(max));
	mk_arena_init(&x->before, mk_verify_memory(max));
}

static void
accept_release(struct accept *x)
{
	mk_file_release(&x->file);
	keep_here_release(&x->here);
	mk_arena_release(&x->before);
	mk_arena_release(&x->offered);
	mk_arena_release(&x->arena);
}

/* Both files at once, so that they belong together. */
static int
look(struct accept *x)
{
	const struct keep *k = &x->m->keep;
	int e;

	if ((e = mk_keeper_lock(&k->keeper, &x->m->why)) != 0)
		return e;
	e = keep_look_anyway(k, &x->profile->udf, &x->arena, &x->here,
	    &x->m->why);
	mk_keeper_unlock(&k->keeper);
	return e;
}

/* The bytes of the set and of the memory that are here. */
static void
digest_here(const struct keep_here *here, uint8_t out[MK_SHA512])
{
	uint8_t both[MK_DIGEST + MK_SHA512];

	memcpy(both, here->held.cache_digest, MK_DIGEST);
	mk_sha512(here->seen.data, here->seen.len, both + MK_DIGEST);
	mk_sha512(both, sizeof(both), out);
}

/* Whether the set would be let in by the memory as it is. */
static int
ask_memory(struct accept *x, const struct mk_bytes *set)
{
	const struct mk_offered_set offered = { .set = *set };
	struct mk_accepted accepted;
	struct mk_arena a;
	int e;

	if (x->here.damage.code != 0) {
		x->refusal = x->here.damage;
		return MK_E_REFUSED;
	}
	mk_arena_init(&a, mk_verify_memory(set->len));
	e = mk_accept(&a, &x->here.held, &offered, &accepted, &x->refusal);
	mk_arena_release(&a);
	return e;
}

/* MK_E_REFUSED: by something else than the memory. */
static int
offer(struct accept *x, const struct mk_bytes *set, const char *from,
    enum found *ret_found)
{
	int e = ask_memory(x, set);

	if (e == 0) {
		*ret_found = FOUND_WELCOME;
		return 0;
	}
	if (e != MK_E_REFUSED)
		return mk_fail(&x->m->why, e, x->refusal.stage, "%s",
		    x->refusal.detail);
	e = mk_accept_anyway(&x->offered, &x->here.held, set, &x->accepted,
	    &x->m->why);
	if (e != 0)
		return e;
	x->set = *set;
	x->from = from;
	*ret_found = FOUND_OFFER;
	return 0;
}

/* A set in the cache that only the memory finds fault with. */
static bool
offer_cache(struct accept *x)
{
	const struct mk_bytes *cache = &x->here.holding.cache;
	enum found found;

	if (cache->data == NULL || offer(x, cache, "the cache", &found) != 0 ||
	    found != FOUND_OFFER) {
		memset(&x->m->why, 0, sizeof(x->m->why));
		mk_arena_release(&x->offered);
		mk_arena_init(&x->offered,
		    mk_verify_memory(x->m->keep.config.max_set));
		return false;
	}
	return true;
}

static int
offer_directory(struct accept *x, const char *url, enum found *ret_found)
{
	const struct mk_portal_dir portal = { .root = &x->m->keep.root,
	    .path = mk_portal_dir(url), .max = x->m->keep.config.max_set };
	struct mk_bytes set;
	int e;

	e = mk_portal_dir_read(&portal, &x->profile->udf, &x->file,
	    &x->m->why);
	if (e == MK_E_ABSENT)
		e = x->m->why.code = MK_E_NOPROFILE;
	if (e == MK_E_TOOBIG)
		e = x->m->why.code = MK_E_REFUSED;
	if (e != 0)
		return e;
	set = (struct mk_bytes){ x->file.data, x->file.len };
	return offer(x, &set, url, ret_found);
}

/* The cache first: it is what a login is refused for. */
static int
search(struct accept *x, enum found *ret_found)
{
	const char *portal = x->profile->policy.portal;
	const struct mk_why *why = &x->here.held.cache_why;
	int e;

	if ((e = look(x)) != 0)
		return e;
	if (offer_cache(x)) {
		*ret_found = FOUND_OFFER;
		return 0;
	}
	if (portal != NULL && mk_portal_kind(portal) == MK_PORTAL_FILE)
		return offer_directory(x, portal, ret_found);
	if (portal != NULL)
		*ret_found = FOUND_REMOTE;
	else if (x->here.held.cache_valid)
		*ret_found = FOUND_WELCOME;
	else
		return mk_fail(&x->m->why, why->code, why->stage, "%s; no "
		    "portal is configured, so name the file of a set",
		    why->detail);
	return 0;
}

/* The set in the cache, to compare with, unless it is the one offered. */
static void
view_old(struct accept *x)
{
	const struct mk_bytes *cache = &x->here.holding.cache;
	struct mk_demand demand = meshkeys_demand(x->m, cache,
	    &x->profile->udf);
	const struct mk_verified *verified;

	if (cache->data == NULL || (cache->len == x->set.len &&
	    memcmp(cache->data, x->set.data, cache->len) == 0))
		return;
	/* It may have expired: it is shown and not used. */
	if (mk_verify(&x->before, &demand, &verified, NULL) == 0)
		x->old = mk_verified_view(verified);
}

static int
show(struct accept *x)
{
	const struct keep_here *here = &x->here;
	struct meshkeys_offer offer = { .udf = &x->profile->udf,
	    .from = x->from, .here = here, .refusal = &x->refusal,
	    .accepted = &x->accepted, .policy = &x->profile->policy };
	struct mk_comparison c = { .now = x->accepted.view,
	    .seen = here->held.has_seen ? &here->held.seen : NULL };
	int e;

	view_old(x);
	offer.old = c.old = x->old;
	e = mk_compare(&x->offered, &c, &offer.changes, &offer.n_changes,
	    &x->m->why);
	if (e != 0)
		return e;
	if (x->m->json) {
		meshkeys_show_json(x->m, &offer);
		return 0;
	}
	meshkeys_show_text(x->m, &offer);
	return meshkeys_print(x->m);
}

/* Who cannot read the question or give the answer is not asked. */
static bool
can_ask(const struct meshkeys *m)
{
	return !m->json && isatty(STDIN_FILENO) == 1 &&
	    isatty(STDOUT_FILENO) == 1;
}

static bool
says_yes(void)
{
	char line[16];

	if (fputs("Accept this set? [y/N] ", stdout) == EOF ||
	    fflush(stdout) != 0 || fgets(line, sizeof(line), stdin) == NULL)
		return false;
	line[strcspn(line, "\n")] = '\0';
	return strcasecmp(line, "y") == 0 || strcasecmp(line, "yes") == 0;
}

static int
ask(struct meshkeys *m)
{
	if (m->yes)
		return 0;
	if (!can_ask(m))
		return mk_fail(&m->why, MK_E_USAGE, "accept", "nothing was "
		    "changed: nobody can be asked here; to accept this set, "
		    "add --yes");
	if (says_yes())
		return 0;
	return mk_fail(&m->why, MK_E_REFUSED, "accept",
	    "not accepted; nothing was changed");
}

/* The lock is held. */
static int
write_again(struct accept *x, struct mk_arena *a, struct mk_arena *again)
{
	const struct keep *k = &x->m->keep;
	const struct mk_udf *udf = &x->profile->udf;
	uint8_t before[MK_SHA512], now[MK_SHA512];
	struct mk_accepted accepted;
	struct keep_here here;
	int e;

	if ((e = keep_look_anyway(k, udf, a, &here, &x->m->why)) != 0)
		return e;
	digest_here(&x->here, before);
	digest_here(&here, now);
	if (here.damage.code != x->here.damage.code ||
	    memcmp(before, now, sizeof(now)) != 0)
		e = mk_fail(&x->m->why, MK_E_STALE, "accept", "nothing was "
		    "accepted: the set or the memory of this profile has "
		    "changed meanwhile; run it again");
	if (e == 0)
		e = mk_accept_anyway(again, &here.held, &x->set, &accepted,
		    &x->m->why);
	if (e == 0)
		e = keep_write(k, udf, &x->set, &accepted, &x->m->why);
	keep_here_release(&here);
	return e;
}

static int
write_offer(struct accept *x)
{
	const size_t max = x->m->keep.config.max_set;
	struct mk_arena a, again;
	int e;

	if ((e = mk_keeper_lock(&x->m->keep.keeper, &x->m->why)) != 0)
		return e;
	mk_arena_init(&a, mk_verify_memory(max));
	mk_arena_init(&again, mk_verify_memory(max));
	e = write_again(x, &a, &again);
	mk_arena_release(&again);
	mk_arena_release(&a);
	mk_keeper_unlock(&x->m->keep.keeper);
	return e;
}

static void
log_end(const struct accept *x, int code)
{
	const struct mk_held *held = &x->here.held;
	const struct mk_verified_view *view = x->accepted.view;
	const struct meshkeys_event event = { .code = code,
	    .udf = &x->profile->udf,
	    .text = "the set was accepted by an administrator",
	    .seen = held->has_seen ? held->seen.version.personal_time :
	    MK_TIME_NONE, .set = view != NULL ?
	    view->version.personal_time : MK_TIME_NONE };

	meshkeys_log(x->m, &event);
}

/* With --json the object is printed whatever became of it. */
static int
tell_end(struct accept *x, int code)
{
	struct meshkeys *m = x->m;
	int e;

	if (m->json) {
		show_json_bool(&m->out, "accepted", code == 0);
		mk_buf_puts(&m->out, "}\n");
	} else if (code == 0) {
		mk_buf_puts(&m->out, "accepted; this host knows nothing "
		    "newer now\n");
	}
	e = meshkeys_print(m);
	return code != 0 ? code : e;
}

static int
decide(struct accept *x)
{
	int e;

	if ((e = show(x)) != 0)
		return e;
	if ((e = ask(x->m)) == 0)
		e = write_offer(x);
	log_end(x, e);
	return tell_end(x, e);
}

static int
tell_welcome(struct meshkeys *m)
{
	if (m->json) {
		mk_buf_puts(&m->out, "{\"command\":\"accept\"");
		meshkeys_json_string(&m->out, "user", m->user);
		show_json_bool(&m->out, "accepted", false);
		meshkeys_json_string(&m->out, "reason",
		    "there is nothing to accept");
		mk_buf_puts(&m->out, "}\n");
	} else {
		mk_buf_puts(&m->out, "there is nothing to accept: the memory "
		    "of this host keeps nothing out;\nto take what is new, "
		    "run: " MK_LIBEXECDIR "/mesh-refresh ");
		meshkeys_put_clean(&m->out, m->user);
		mk_buf_putc(&m->out, '\n');
	}
	return meshkeys_print(m);
}

/* This program has no network; curl(1) has. */
static void
hint_fetch(struct meshkeys *m, const struct mk_mapped *profile)
{
	char udf[MK_UDF_TEXT + 1];
	struct mk_buf url;

	mk_udf_format(&profile->udf, udf);
	mk_buf_init(&url, MK_CONFIG_MAX);
	mk_portal_url(profile->policy.portal, &profile->udf, &url);
	if (url.failed != 0)
		m->hint.failed = url.failed;
	mk_buf_puts(&m->hint, "fetch the set of the portal and accept it "
	    "from the file:\n    curl -fsS -o ");
	mk_buf_puts(&m->hint, udf);
	mk_buf_puts(&m->hint, ".json ");
	show_quoted(&m->hint, url.data != NULL ? url.data : "");
	mk_buf_puts(&m->hint, "\n    ");
	meshkeys_put_command(m, &m->hint, "accept", m->user);
	mk_buf_putc(&m->hint, ' ');
	mk_buf_puts(&m->hint, udf);
	mk_buf_puts(&m->hint, ".json\n");
	mk_buf_release(&url);
}

/* What was met on the way, for a user with several profiles. */
struct survey {
	unsigned remote, welcome;
	struct mk_why failure;		/* the first one */
};

/* *ret_done: there was an offer, and it is decided. */
static int
try_profile(struct meshkeys *m, const struct mk_mapped *profile,
    struct survey *survey, bool *ret_done)
{
	enum found found = FOUND_NOTHING;
	struct accept x;
	int e;

	accept_init(&x, m, profile);
	e = search(&x, &found);
	if (e == 0 && found == FOUND_OFFER) {
		*ret_done = true;
		e = decide(&x);
	} else if (e == 0 && found == FOUND_REMOTE) {
		survey->remote++;
		hint_fetch(m, profile);
	} else if (e == 0) {
		survey->welcome++;
	} else if (survey->failure.code == 0) {
		survey->failure = m->why;
	}
	accept_release(&x);
	return e;
}

/* The first profile that has something; the next run finds the next one. */
static int
accept_found(struct meshkeys *m)
{
	const struct mk_mapped *none;
	struct survey survey = { 0 };
	bool done = false;
	size_t i;
	int e;

	if (m->identity.n == 0)
		return meshkeys_choose(m, &none);
	for (i = 0; i < m->identity.n; i++) {
		e = try_profile(m, &m->identity.profiles[i], &survey, &done);
		if (done)
			return e;
		memset(&m->why, 0, sizeof(m->why));
	}
	if (survey.failure.code != 0) {
		m->why = survey.failure;
		return m->why.code;
	}
	if (survey.remote > 0)
		return mk_fail(&m->why, MK_E_NOPROFILE, "accept",
		    "there is no set here to accept, and this program has no "
		    "network to ask the portal");
	return tell_welcome(m);
}

static int
accept_file(struct meshkeys *m)
{
	const struct mk_mapped *profile;
	struct mk_bytes set;
	enum found found;
	struct accept x;
	int e;

	if ((e = meshkeys_read_input(m)) != 0 ||
	    (e = meshkeys_choose(m, &profile)) != 0)
		return e;
	accept_init(&x, m, profile);
	set = (struct mk_bytes){ m->input.file.data, m->input.file.len };
	if ((e = look(&x)) == 0 &&
	    (e = offer(&x, &set, m->input.name, &found)) == 0)
		e = found == FOUND_OFFER ? decide(&x) : tell_welcome(m);
	accept_release(&x);
	return e;
}

int
meshkeys_accept(struct meshkeys *m)
{
	bool named = m->n_args == 2;
	int e;

	if ((named && (e = meshkeys_open_input(m, m->args[1])) != 0) ||
	    (e = meshkeys_begin(m, m->args[0])) != 0 ||
	    (e = meshkeys_confine(m, !named)) != 0)
		return e;
	if (named)
		return accept_file(m);
	return accept_found(m);
}
