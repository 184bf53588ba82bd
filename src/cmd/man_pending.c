/* SPDX-License-Identifier: ISC */
/*
 * /pending: who asks to join the profile.  The portal shows what it likes;
 * only what a device signed is shown as its request.
 */
#include <string.h>

#include "cmd/man_pending.h"
#include "cmd/man_sshkey.h"

#define BODY_MAX	(64u << 10)

void
meshman_gathered_release(struct meshman_gathered *all)
{
	meshman_pins_release(&all->pins);
	mk_arena_release(&all->arena);
	memset(all, 0, sizeof(*all));
}

/* Asks; the answer lives in the arena. */
static int
ask(struct meshman *m, struct mk_arena *a, struct mk_answer *ret_answer)
{
	struct mk_secret online = { 0 };
	struct mk_signing signing;
	struct mk_buf name, body;
	int e;

	mk_buf_init(&name, BODY_MAX);
	mk_buf_init(&body, BODY_MAX);
	if ((e = meshman_key(m, MESHMAN_ONLINE, &online)) == 0 &&
	    (e = meshman_signing(m, &online, &name, &signing)) == 0 &&
	    (e = mk_pending_write(a, &signing, &body, &m->why)) == 0 &&
	    (e = mk_buf_check(&body, &m->why, "request")) == 0)
		e = meshman_transact(m, "ConnectPending", &body, a,
		    ret_answer);
	mk_secret_free(&online);
	mk_buf_release(&body);
	mk_buf_release(&name);
	if (e == MESHMAN_E_CONFLICT)
		e = m->why.code = MK_E_STALE;
	return e;
}

/* One bad request hides no other. */
static int
read_all(struct meshman *m, const struct mk_pending *pending, size_t n,
    struct meshman_gathered *all)
{
	struct mk_connection_read *reads;
	size_t i;
	int e;

	reads = mk_arena_array(&all->arena, n, sizeof(*reads));
	all->askers = mk_arena_array(&all->arena, n, sizeof(*all->askers));
	if (reads == NULL || all->askers == NULL)
		return mk_arena_fail(&all->arena, &m->why);
	for (i = 0; i < n; i++) {
		struct meshman_asker *asker = &all->askers[all->n];
		struct mk_json_notes notes = pending[i].notes;

		e = mk_connection_request_read(&all->arena,
		    pending[i].request, &notes, &reads[i], &m->why);
		if (e == MK_E_SYSTEM)
			return e;
		if (e != 0) {
			all->unreadable++;
			continue;
		}
		asker->read = &reads[i];
		asker->has_witness = pending[i].has_witness;
		memcpy(asker->witness, pending[i].witness, MK_WITNESS);
		all->n++;
	}
	return 0;
}

/*
 * All that this device ever saw deleted: in a version that somebody signed
 * to whom a deletion was not shown, it is missing.
 */
static int
list_deleted(struct meshman *m, struct mk_arena *a,
    struct meshman_judging *j)
{
	const struct mk_personal *p = m->profile.view->personal;
	const struct mk_held *held = &m->profile.held;
	const size_t seen = held->has_seen ? held->seen.n_deleted : 0;
	struct mk_udf *list;

	list = mk_arena_array(a, p->n_deleted + seen, sizeof(*list));
	if (list == NULL)
		return mk_arena_fail(a, &m->why);
	if (p->n_deleted > 0)
		memcpy(list, p->deleted, p->n_deleted * sizeof(*list));
	if (seen > 0)
		memcpy(list + p->n_deleted, held->seen.deleted,
		    seen * sizeof(*list));
	j->deleted = list;
	j->n_deleted = p->n_deleted + seen;
	return 0;
}

static int
judge(struct meshman *m, struct meshman_gathered *all)
{
	const struct mk_personal *p = m->profile.view->personal;
	struct meshman_judging j = { .master = &m->state.master,
	    .n_devices = p->n_devices, .now = meshman_now(),
	    .pins = &all->pins, .askers = all->askers, .n = all->n };
	struct mk_udf *devices;
	size_t i;
	int e;

	devices = mk_arena_array(&all->arena, p->n_devices,
	    sizeof(*devices));
	if (devices == NULL)
		return mk_arena_fail(&all->arena, &m->why);
	for (i = 0; i < p->n_devices; i++)
		devices[i] = p->devices[i].id;
	j.devices = devices;
	if ((e = list_deleted(m, &all->arena, &j)) != 0 ||
	    (e = meshman_pins_read(m, &all->pins)) != 0)
		return e;
	/* Before the portal can hide one of the two. */
	return meshman_judge(&j) ? meshman_pins_write(m, &all->pins) : 0;
}

int
meshman_gather(struct meshman *m, struct meshman_gathered *ret_all)
{
	struct meshman_gathered all = { 0 };
	const struct mk_pending *pending;
	struct mk_answer answer;
	enum mk_news news;
	size_t n;
	int e;

	if (!m->state.has_account)
		return mk_fail(&m->why, MK_E_NOPROFILE, "pending", "this "
		    "profile has no account at a portal, so no device can "
		    "ask to be connected");
	mk_arena_init(&all.arena, mk_verify_memory(MK_SET_MAX));
	if ((e = meshman_fetch(m, &news)) == 0 &&
	    (e = ask(m, &all.arena, &answer)) == 0 &&
	    (e = meshman_misanswered(m, mk_answer_pending(&all.arena,
	    &answer, &pending, &n, &m->why))) == 0 &&
	    (e = read_all(m, pending, n, &all)) == 0)
		e = judge(m, &all);
	if (e != 0) {
		meshman_gathered_release(&all);
		return e;
	}
	all.unreadable += answer.malformed;
	*ret_all = all;
	return 0;
}

void
meshman_put_asker(struct mk_buf *out, const struct meshman_asker *asker)
{
	const struct mk_device *device = &asker->read->request.device;

	/* First what cannot be chosen: a name may look like a fingerprint. */
	show_udf(out, &device->id);
	mk_buf_puts(out, " '");
	meshman_put_clean(out, device->name.s, device->name.len);
	mk_buf_putc(out, '\'');
}

static void
put_asked(struct mk_buf *out, const struct meshman_asker *asker)
{
	const struct mk_connection_request *req = &asker->read->request;

	mk_buf_puts(out, "    asks ");
	if (asker->listed)
		mk_buf_puts(out, "as a device of the profile");
	else
		mk_buf_puts(out, "to be a device");
	if (req->has_ssh) {
		mk_buf_puts(out, req->ssh.host ? " and " : " with ");
		meshman_put_ssh(out, &req->ssh);
	}
	if (req->has_online)
		mk_buf_puts(out, ", and to be an administrator");
	mk_buf_putc(out, '\n');
}

static void
put_verdict(struct mk_buf *out, const struct meshman_asker *asker)
{
	mk_buf_puts(out, "    ");
	if (asker->bar != MESHMAN_BAR_NONE) {
		mk_buf_puts(out, "not to be accepted: ");
		mk_buf_puts(out, meshman_bar_text(asker->bar));
	} else if (asker->listed) {
		mk_buf_puts(out, "device already listed: compare the "
		    "fingerprint");
	} else if (asker->proof == MESHMAN_PROOF_PIN) {
		mk_buf_puts(out, "proved by a PIN");
	} else {
		mk_buf_puts(out, meshman_proof_text(asker->proof));
	}
	mk_buf_putc(out, '\n');
}

static void
show_text(struct meshman *m, const struct meshman_gathered *all)
{
	size_t i;

	for (i = 0; i < all->n; i++) {
		const struct meshman_asker *asker = &all->askers[i];

		show_time(&m->out, asker->read->request.time);
		mk_buf_puts(&m->out, "  ");
		meshman_put_asker(&m->out, asker);
		mk_buf_putc(&m->out, '\n');
		put_asked(&m->out, asker);
		put_verdict(&m->out, asker);
	}
	if (all->n == 0)
		mk_buf_puts(&m->out, "no request waits\n");
	if (all->unreadable > 0) {
		show_count(&m->out, all->unreadable, "more request");
		mk_buf_puts(&m->out, " from the portal cannot be read, or "
		    "was not signed by its own device\n");
	}
}

static void
show_json_asker(struct mk_buf *out, const struct meshman_asker *asker)
{
	const struct mk_connection_request *req = &asker->read->request;
	struct mk_buf ssh;

	mk_buf_init(&ssh, MK_STRING_LONG);
	if (req->has_ssh)
		meshman_put_ssh(&ssh, &req->ssh);
	mk_buf_puts(out, "{\"request\":\"connect\"");
	show_json_udf(out, "device", &req->device.id);
	show_json_string(out, "name", req->device.name.s,
	    req->device.name.len);
	show_json_time(out, "time", req->time);
	show_json_bool(out, "listed", asker->listed);
	show_json_bool(out, "host", req->has_ssh && req->ssh.host);
	show_json_bool(out, "admin", req->has_online);
	if (req->has_ssh && !req->ssh.host && ssh.data != NULL)
		show_json_string(out, "ssh", ssh.data, ssh.len);
	show_json_bool(out, "acceptable",
	    asker->bar == MESHMAN_BAR_NONE);
	if (asker->bar != MESHMAN_BAR_NONE)
		show_json_string(out, "reason",
		    meshman_bar_text(asker->bar),
		    strlen(meshman_bar_text(asker->bar)));
	show_json_bool(out, "proved", meshman_asker_proved(asker));
	show_json_string(out, "proof", meshman_proof_text(asker->proof),
	    strlen(meshman_proof_text(asker->proof)));
	mk_buf_putc(out, '}');
	mk_buf_release(&ssh);
}

static void
show_json(struct meshman *m, const struct meshman_gathered *all)
{
	size_t i;

	mk_buf_puts(&m->out, "{\"word\":\"pending\"");
	show_json_name(&m->out, "requests");
	mk_buf_putc(&m->out, '[');
	for (i = 0; i < all->n; i++) {
		if (i > 0)
			mk_buf_putc(&m->out, ',');
		show_json_asker(&m->out, &all->askers[i]);
	}
	mk_buf_putc(&m->out, ']');
	show_json_number(&m->out, "unreadable", all->unreadable);
	mk_buf_puts(&m->out, "}\n");
}

int
meshman_pending(struct meshman *m)
{
	struct meshman_gathered all;
	int e;

	if ((e = meshman_gather(m, &all)) != 0)
		return e;
	if (m->opt.json)
		show_json(m, &all);
	else
		show_text(m, &all);
	meshman_gathered_release(&all);
	return 0;
}
