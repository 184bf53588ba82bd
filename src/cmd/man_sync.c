/* SPDX-License-Identifier: ISC */
/*
 * meshman /sync: the newest version from the portal, what it changed, and,
 * on an administration device, a signature that holds on.
 */
#include <string.h>
#include <time.h>

#include "cmd/meshman.h"
#include "core/compare.h"
#include "core/timestamp.h"

static const struct {
	const char *word;	/* with --json */
	const char *text;
} changes[MK_CHANGES] = {
	[MK_DEVICE_SAME] = { "same", "" },
	[MK_DEVICE_ADDED] = { "added", "added:   " },
	[MK_DEVICE_REMOVED] = { "removed", "removed: " },
	[MK_DEVICE_KEYS] = { "keys", "keys:    " },
};

/* What /sync found and did. */
struct sync {
	struct meshman *m;
	struct mk_arena arena;			/* of the version before */
	const struct mk_verified_view *before;	/* NULL: there was none */
	const struct mk_device_change *changes;
	size_t n_changes;
	bool member, deleted, updated, renewed, restored;
};

/* The version that is here, as of the time it was signed at. */
static int
keep_before(struct sync *s)
{
	struct meshman *m = s->m;
	const struct mk_file *set = &m->profile.set;
	const int64_t then = m->profile.view->version.personal_time;
	struct mk_demand demand = { .set_len = set->len,
	    .udf = m->state.master, .now = then, .build_time = then,
	    .max_set = MK_SET_MAX, .max_devices = MK_DEVICES_MAX,
	    .key_types = MK_SSH_ALL, .open_all = true };
	const struct mk_verified *verified;

	demand.set = (const uint8_t *)mk_arena_dup(&s->arena,
	    (const char *)set->data, set->len);
	if (demand.set == NULL)
		return mk_arena_fail(&s->arena, &m->why);
	if (mk_verify(&s->arena, &demand, &verified, NULL) == 0)
		s->before = mk_verified_view(verified);
	return 0;
}

/* A set that is gone or damaged here is fetched again. */
static int
read_profile(struct sync *s)
{
	struct meshman *m = s->m;
	int e = meshman_profile_read(m);

	if (e == 0)
		return keep_before(s);
	if (e != MK_E_NOPROFILE && e != MK_E_REFUSED)
		return e;
	meshman_warn("%s: %s", m->why.stage, m->why.detail);
	mk_buf_cut(&m->hint, 0);
	return 0;
}

static bool
has_portal(const struct meshman *m)
{
	return m->state.has_account || m->state.portal != NULL ||
	    m->opt.portal != NULL;
}

static int
ask_portal(struct sync *s)
{
	struct meshman *m = s->m;
	enum mk_news news;
	int e;

	if (m->profile.view != NULL && (e = meshman_resume(m)) != 0)
		return e;
	e = meshman_fetch(m, &news);
	if (e == MK_E_NOPROFILE && m->state.admin && m->profile.view != NULL)
		meshman_hint_lost(m);
	return e;
}

static bool
is_admin(const struct meshman *m)
{
	return m->state.admin && meshman_is_admin(m, &m->state.device);
}

static bool
ends_soon(const struct meshman *m)
{
	const int64_t expires = m->profile.view->expires;

	return expires != MK_TIME_NONE &&
	    expires - time(NULL) < MESHMAN_RENEW;
}

/* A deletion that somebody did not know of, or did not want. */
static bool
warn_undone(const struct meshman *m)
{
	const struct mk_personal *p = m->profile.view->personal;
	char udf[MK_UDF_TEXT + 1];
	bool undone = false;
	size_t i;

	for (i = 0; i < p->n_devices; i++) {
		if (!meshman_is_undone(m, &p->devices[i].id))
			continue;
		undone = true;
		mk_udf_format(&p->devices[i].id, udf);
		meshman_warn("'%s' was deleted from the profile, and is "
		    "listed again", udf);
	}
	return undone;
}

/* What only an administration device can do for the profile. */
static int
mend(struct sync *s)
{
	struct meshman *m = s->m;
	const bool undone = warn_undone(m);
	int e;

	if (!is_admin(m)) {
		if (m->profile.expired)
			meshman_warn("the profile has expired, and no host "
			    "uses it; on an administration device, run: "
			    "meshman /sync");
		return 0;
	}
	if (ends_soon(m) || undone) {
		e = meshman_renew(m);
		s->renewed = e == 0;
		return e;
	}
	if (!m->profile.behind)
		return 0;
	e = meshman_publish_again(m);
	s->restored = e == 0;
	return e;
}

/* An administrator that nobody can see is one that nobody removes. */
static void
warn_online(const struct meshman *m)
{
	const struct mk_master *master = m->profile.view->master;
	char key[MK_UDF_TEXT + 1], device[MK_UDF_TEXT + 1];
	size_t i;

	for (i = 0; i < master->n_online; i++) {
		if (meshman_is_member(m, &master->online[i].device))
			continue;
		mk_udf_format(&master->online[i].key.udf, key);
		mk_udf_format(&master->online[i].device, device);
		meshman_warn("the online key %s is held by %s, which is no "
		    "device of the profile", key, device);
	}
}

/* One that has only asked to join does not belong to it either. */
static bool
is_deleted(const struct meshman *m)
{
	const struct mk_personal *p = m->profile.view->personal;
	const struct mk_held *held = &m->profile.held;

	return mk_udf_in(p->deleted, p->n_deleted, &m->state.device) ||
	    (held->has_seen &&
	    mk_seen_deleted(&held->seen, &m->state.device));
}

static int
compare(struct sync *s)
{
	struct meshman *m = s->m;
	const struct mk_comparison c = { .old = s->before,
	    .now = m->profile.view, .seen = m->profile.held.has_seen ?
	    &m->profile.held.seen : NULL };

	s->member = m->state.has_device &&
	    meshman_is_member(m, &m->state.device);
	s->deleted = m->state.has_device && is_deleted(m);
	s->updated = s->before == NULL || memcmp(s->before->version.personal,
	    m->profile.view->version.personal, MK_DIGEST) != 0;
	if (s->before == NULL)
		return 0;
	return mk_compare(&s->arena, &c, &s->changes, &s->n_changes,
	    &m->why);
}

/* Names are of the profile now; of one that is gone, its key's comment. */
static void
put_name(struct sync *s, const struct mk_device_change *change,
    struct mk_buf *out)
{
	if (change->change == MK_DEVICE_REMOVED ||
	    meshman_device_name(s->m, &change->device, out) != 0)
		mk_buf_puts(out, change->comment);
}

static void
tell_json(struct sync *s)
{
	struct meshman *m = s->m;
	struct mk_buf *out = &m->out, name;
	size_t i, n = 0;

	mk_buf_puts(out, "{\"word\":\"sync\"");
	show_json_udf(out, "fingerprint", &m->state.master);
	show_json_time(out, "signed",
	    m->profile.view->version.personal_time);
	show_json_time(out, "expires", m->profile.view->expires);
	show_json_bool(out, "updated", s->updated);
	show_json_bool(out, "renewed", s->renewed);
	show_json_bool(out, "published-again", s->restored);
	show_json_bool(out, "member", s->member);
	show_json_bool(out, "deleted", s->deleted);
	mk_buf_puts(out, ",\"changes\":[");
	for (i = 0; i < s->n_changes; i++) {
		if (s->changes[i].change == MK_DEVICE_SAME)
			continue;
		mk_buf_puts(out, n++ > 0 ? ",{\"change\":\"" :
		    "{\"change\":\"");
		mk_buf_puts(out, changes[s->changes[i].change].word);
		mk_buf_putc(out, '"');
		show_json_udf(out, "device", &s->changes[i].device);
		mk_buf_init(&name, MESHMAN_OUT_MAX);
		put_name(s, &s->changes[i], &name);
		show_json_string(out, "name", name.data, name.len);
		mk_buf_release(&name);
	}
	mk_buf_puts(out, "]}\n");
}

static void
tell_text(struct sync *s)
{
	struct meshman *m = s->m;
	struct mk_buf *out = &m->out;
	size_t i;

	for (i = 0; i < s->n_changes; i++) {
		if (s->changes[i].change == MK_DEVICE_SAME)
			continue;
		mk_buf_puts(out, changes[s->changes[i].change].text);
		show_udf(out, &s->changes[i].device);
		mk_buf_puts(out, "  ");
		put_name(s, &s->changes[i], out);
		mk_buf_putc(out, '\n');
	}
	if (s->restored)
		mk_buf_puts(out, "published again, since the portal had "
		    "lost it\n");
	mk_buf_puts(out, s->renewed ? "signed anew " : s->updated ?
	    "updated, signed " : "nothing new, signed ");
	show_time(out, m->profile.view->version.personal_time);
	if (m->profile.view->expires != MK_TIME_NONE) {
		mk_buf_puts(out, ", expires ");
		show_time(out, m->profile.view->expires);
	}
	mk_buf_putc(out, '\n');
	if (!s->member && !s->deleted)
		mk_buf_puts(out, "this device is not in the profile\n");
}

/* Nothing is destroyed: what is in her ~/.ssh is the user's. */
static int
tell_deleted(struct sync *s)
{
	struct meshman *m = s->m;
	char udf[MK_UDF_TEXT + 1];
	int e;

	if ((e = meshman_print(m)) != 0)
		return e;
	mk_udf_format(&m->state.device, udf);
	mk_buf_puts(&m->hint, "no host lets in its keys any more; nothing "
	    "was removed here\n");
	return mk_fail(&m->why, MK_E_REFUSED, "device", "this device, %s, "
	    "does not belong to the profile any more", udf);
}

static int
run(struct sync *s)
{
	struct meshman *m = s->m;
	int e;

	if ((e = read_profile(s)) != 0)
		return e;
	if (has_portal(m) && (e = ask_portal(s)) != 0)
		return e;
	if (m->profile.view == NULL)
		return m->why.code;
	if ((e = mend(s)) != 0 || (e = compare(s)) != 0)
		return e;
	warn_online(m);
	if (m->opt.json)
		tell_json(s);
	else
		tell_text(s);
	return s->deleted ? tell_deleted(s) : 0;
}

int
meshman_sync(struct meshman *m)
{
	struct sync s = { .m = m };
	int e;

	if (!m->state.has_profile)
		return meshman_no_profile(m);
	mk_arena_init(&s.arena, mk_verify_memory(MK_SET_MAX) + MK_SET_MAX);
	e = run(&s);
	mk_arena_release(&s.arena);
	return e == 0 ? meshman_ssh_settle(m) : e;
}
