/* SPDX-License-Identifier: ISC */
/*
 * The profile as this device knows it: profile.json, verified from the
 * master's fingerprint at each start, and profile.seen, the memory by which
 * nobody can bring an earlier version back.
 *
 * The set is written before the memory, and read after it: whenever this is
 * interrupted or looked at, the set is the one remembered or a newer one.
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/meshman.h"
#include "core/json.h"

#define SET_FILE	"profile.json"
#define SEEN_FILE	"profile.seen"

static void
forget(struct meshman *m)
{
	struct meshman_profile *p = &m->profile;
	const bool behind = p->behind;

	mk_file_release(&p->set);
	mk_file_release(&p->seen);
	mk_arena_release(&p->memory);
	mk_arena_release(&m->arena);
	memset(p, 0, sizeof(*p));
	p->behind = behind;
	mk_arena_init(&p->memory, mk_verify_memory(MK_SET_MAX));
	mk_arena_init(&m->arena, mk_verify_memory(MK_SET_MAX));
}

static int
read_file(struct meshman *m, const char *name, size_t max,
    struct mk_file *file)
{
	int e = mk_home_read(&m->home, name, max, file, &m->why);

	if (e == MK_E_TOOBIG)
		return m->why.code = MK_E_SYSTEM;
	return e == MK_E_ABSENT ? 0 : e;
}

/* In this order; see above. */
static int
read_files(struct meshman *m)
{
	int e;

	forget(m);
	if ((e = read_file(m, SEEN_FILE, MK_SEEN_MAX, &m->profile.seen)) != 0)
		return e;
	return read_file(m, SET_FILE, MK_SET_MAX, &m->profile.set);
}

static struct mk_bytes
bytes_of(const struct mk_file *file)
{
	return (struct mk_bytes){ file->data, file->len };
}

/*
 * A damaged memory is never taken for none: it is what keeps old sets out.
 * An expired set is of no use to hosts, but what is to be signed anew, also
 * when it has to be fetched first.
 */
static int
look(struct meshman *m)
{
	struct meshman_profile *p = &m->profile;
	const struct mk_holding holding = { .udf = m->state.master,
	    .now = time(NULL), .build_time = MK_BUILD_TIME,
	    .max_set = MK_SET_MAX, .max_devices = MK_DEVICES_MAX,
	    .even_expired = true, .cache = bytes_of(&p->set),
	    .seen = bytes_of(&p->seen) };
	struct mk_why why = { 0 };
	int e;

	e = mk_hold(&p->memory, &holding, &p->held, &why);
	if (e == 0) {
		p->looked = true;
		return 0;
	}
	if (strcmp(why.stage, MK_SEEN_STAGE) != 0)
		return mk_fail(&m->why, e, why.stage, "%s", why.detail);
	mk_buf_puts(&m->hint, "restore it from a backup; without one, move "
	    "it away, run 'meshman /sync', and\ncompare 'meshman /list' with "
	    "what you know of your devices\n");
	return mk_fail(&m->why, e, why.stage, "cannot use '%s/" SEEN_FILE
	    "': %s", m->home.path, why.detail);
}

static int
verify(struct meshman *m)
{
	struct meshman_profile *p = &m->profile;
	const struct mk_demand demand = { .set = p->set.data,
	    .set_len = p->set.len, .udf = m->state.master,
	    .now = time(NULL), .build_time = MK_BUILD_TIME,
	    .seen = p->held.has_seen ? &p->held.seen : NULL,
	    .max_set = MK_SET_MAX, .max_devices = MK_DEVICES_MAX,
	    .key_types = MK_SSH_ALL, .open_all = true,
	    .even_expired = true };
	struct mk_why why = { 0 };
	int e;

	e = mk_verify(&m->arena, &demand, &p->verified, &why);
	if (e == 0) {
		p->view = mk_verified_view(p->verified);
		p->expired = p->view->expired;
		return 0;
	}
	p->verified = NULL;
	mk_buf_puts(&m->hint, "to fetch it again, run: meshman /sync\n");
	return mk_fail(&m->why, e, why.stage, "cannot use '%s/" SET_FILE
	    "': %s", m->home.path, why.detail);
}

int
meshman_profile_read(struct meshman *m)
{
	int e;

	if ((e = read_files(m)) != 0 || (e = look(m)) != 0)
		return e;
	if (m->profile.set.data != NULL)
		return verify(m);
	mk_buf_puts(&m->hint, "to fetch it again, run: meshman /sync\n");
	return mk_fail(&m->why, MK_E_NOPROFILE, "profile",
	    "there is no '%s/" SET_FILE "'", m->home.path);
}

static int
write_seen(struct meshman *m, const struct mk_seen *seen)
{
	struct mk_buf out;
	int e;

	mk_buf_init(&out, MK_SEEN_MAX);
	mk_seen_render(seen, &out);
	if ((e = mk_buf_check(&out, &m->why, "seen")) == 0)
		e = mk_home_write(&m->home, SEEN_FILE, out.data, out.len,
		    &m->why);
	mk_buf_release(&out);
	return e;
}

static int
accept(struct meshman *m, struct mk_arena *a, const struct mk_bytes *set,
    enum mk_news *ret_news)
{
	const struct mk_offered_set offered = { .set = *set };
	struct mk_accepted accepted;
	int e;

	e = mk_accept(a, &m->profile.held, &offered, &accepted, &m->why);
	if (e != 0)
		return e;
	if (accepted.news == MK_NEWS_ACCEPTED && (e = mk_home_write(&m->home,
	    SET_FILE, set->data, set->len, &m->why)) != 0)
		return e;
	if ((accepted.news == MK_NEWS_ACCEPTED || m->profile.held.raised) &&
	    (e = write_seen(m, &accepted.seen)) != 0)
		return e;
	*ret_news = accepted.news;
	return 0;
}

/* The very bytes that are here, expired or not. */
static bool
is_held(const struct meshman_profile *p, const struct mk_bytes *set)
{
	return p->view != NULL && set->len == p->set.len &&
	    memcmp(set->data, p->set.data, set->len) == 0;
}

int
meshman_profile_take(struct meshman *m, const struct mk_bytes *set,
    enum mk_news *ret_news)
{
	struct mk_arena a;
	int e;

	if (!m->profile.looked && ((e = read_files(m)) != 0 ||
	    (e = look(m)) != 0))
		return e;
	if (set->len > MK_SET_MAX)
		return mk_fail(&m->why, MK_E_REFUSED, "set",
		    "larger than the limit of %u bytes", MK_SET_MAX);
	if (is_held(&m->profile, set)) {
		*ret_news = MK_NEWS_SAME;
		return 0;
	}
	mk_arena_init(&a, mk_verify_memory(set->len));
	e = accept(m, &a, set, ret_news);
	mk_arena_release(&a);
	return e == 0 ? meshman_profile_read(m) : e;
}

bool
meshman_is_member(const struct meshman *m, const struct mk_udf *device)
{
	return mk_personal_device(m->profile.view->personal, device) != NULL;
}

bool
meshman_is_admin(const struct meshman *m, const struct mk_udf *device)
{
	const struct mk_master *master = m->profile.view->master;
	size_t i;

	for (i = 0; i < master->n_online; i++) {
		if (mk_udf_cmp(&master->online[i].device, device) == 0)
			return true;
	}
	return false;
}

bool
meshman_is_undone(const struct meshman *m, const struct mk_udf *device)
{
	const struct mk_held *held = &m->profile.held;

	return held->has_seen && mk_seen_deleted(&held->seen, device) &&
	    meshman_is_member(m, device) && !meshman_is_admin(m, device);
}

int
meshman_device_open(struct meshman *m, struct mk_arena *a,
    const struct mk_member_device *member, struct mk_device *ret_device,
    struct mk_envelope *ret_envelope)
{
	struct mk_json_notes notes = { 0 };
	const struct mk_envelope_place place = { .stage = "device",
	    .notes = &notes, .tag = "DeviceProfile" };
	const struct mk_json *body;
	int e;

	if ((e = mk_envelope_open(a, member->envelope, &place, ret_envelope,
	    &m->why)) != 0 ||
	    (e = mk_envelope_body(a, ret_envelope, &place, &body,
	    &m->why)) != 0)
		return e;
	return mk_device_read(a, body, MK_GEN_CURRENT, ret_device, &m->why);
}

/* What people typed when it was made, else what it says of itself. */
static struct mk_text
name_of(const struct mk_device *device)
{
	return device->name.len > 0 ? device->name : device->description;
}

static int
put_member_name(struct meshman *m, const struct mk_member_device *member,
    struct mk_buf *out)
{
	struct mk_envelope envelope;
	struct mk_device device;
	struct mk_text name;
	struct mk_arena a;
	int e;

	mk_arena_init(&a, mk_verify_memory(m->profile.set.len));
	e = meshman_device_open(m, &a, member, &device, &envelope);
	if (e == 0) {
		name = name_of(&device);
		meshman_put_clean(out, name.s, name.len);
	}
	mk_arena_release(&a);
	return e;
}

int
meshman_device_name(struct meshman *m, const struct mk_udf *device,
    struct mk_buf *out)
{
	const struct mk_member_device *member =
	    mk_personal_device(m->profile.view->personal, device);

	return member != NULL ? put_member_name(m, member, out) :
	    mk_fail(&m->why, MK_E_NOPROFILE, "device",
	    "no such device is in the profile");
}

/* What a text may mean. */
struct search {
	const char *text;
	struct mk_udf udf;
	bool by_udf;
	size_t found;			/* how many it does mean */
	struct mk_udf device;
	struct mk_buf all, some;	/* lines of all, and of those found */
};

static int
try_device(struct meshman *m, struct search *s,
    const struct mk_member_device *member)
{
	struct mk_buf name, *list = &s->all;
	bool match;
	int e;

	mk_buf_init(&name, MK_TEXT_MAX + 1);
	if ((e = put_member_name(m, member, &name)) != 0)
		goto out;
	match = s->by_udf ? mk_udf_cmp(&member->id, &s->udf) == 0 :
	    name.len > 0 && strcmp(name.data, s->text) == 0;
	if (match) {
		s->found++;
		s->device = member->id;
		list = &s->some;
	}
	mk_buf_puts(list, "    ");
	show_udf(list, &member->id);
	mk_buf_puts(list, "  ");
	mk_buf_put(list, name.data, name.len);
	mk_buf_putc(list, '\n');
out:
	mk_buf_release(&name);
	return e;
}

static int
settle(struct meshman *m, const struct search *s, struct mk_udf *ret_device)
{
	const struct mk_buf *list = s->found > 1 ? &s->some : &s->all;

	if (s->found == 1) {
		*ret_device = s->device;
		return 0;
	}
	if (list->len > 0) {
		mk_buf_puts(&m->hint, s->found > 1 ?
		    "say which, by its fingerprint:\n" :
		    "the devices of the profile:\n");
		mk_buf_put(&m->hint, list->data, list->len);
	}
	return mk_fail(&m->why, MK_E_NOPROFILE, "device", s->found > 1 ?
	    "more than one device has the name '%s'" :
	    "no device of the profile is '%s'", s->text);
}

int
meshman_find_device(struct meshman *m, const char *text,
    struct mk_udf *ret_device)
{
	const struct mk_personal *p = m->profile.view->personal;
	struct search s = { .text = text };
	size_t i;
	int e = 0;

	s.by_udf = mk_udf_parse_typed(text, strlen(text), &s.udf);
	mk_buf_init(&s.all, MESHMAN_OUT_MAX);
	mk_buf_init(&s.some, MESHMAN_OUT_MAX);
	for (i = 0; e == 0 && i < p->n_devices; i++)
		e = try_device(m, &s, &p->devices[i]);
	if (e == 0)
		e = settle(m, &s, ret_device);
	mk_buf_release(&s.all);
	mk_buf_release(&s.some);
	return e;
}
