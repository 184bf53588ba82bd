/* SPDX-License-Identifier: ISC */
/*
 * /complete: this device takes the answer to its own request.  Until the
 * answer proves to be signed by an online key of a set that verifies from
 * the fingerprint in the request, and by the PIN if there was one, nothing
 * of that set is believed.
 */
#include <config.h>

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/man_request.h"
#include "cmd/man_sshkey.h"
#include "edge/words.h"

#define BODY_MAX	(64u << 10)
#define WAIT_MAX	MK_CONNECT_LIFE
#define PAUSE_MAX	30		/* seconds between two looks */

/* One look at the portal. */
struct look {
	struct meshman *m;
	const struct meshman_filed *filed;
	struct mk_arena arena;
	struct mk_pending result;
	struct meshman_reply set;	/* with the result */
};

static int64_t
seconds(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* ConnectStatus; no result yet is MK_E_ABSENT. */
static int
ask(struct look *l)
{
	struct meshman *m = l->m;
	struct mk_answer answer;
	struct mk_buf body;
	int e;

	mk_buf_init(&body, BODY_MAX);
	mk_connect_status_write(&l->filed->account,
	    &l->filed->read.request.device.id, &body);
	if ((e = mk_buf_check(&body, &m->why, "request")) == 0 &&
	    (e = meshman_transact(m, "ConnectStatus", &body, &l->arena,
	    &answer)) == 0)
		e = meshman_misanswered(m, mk_answer_result(&answer,
		    &l->result, &m->why));
	mk_buf_release(&body);
	if (e == MESHMAN_E_CONFLICT)
		return m->why.code = MK_E_STALE;
	if (e == 0 && l->result.request == NULL)
		return MK_E_ABSENT;
	return e;
}

static int
refuse(struct look *l, const char *what)
{
	return mk_fail(&l->m->why, MK_E_REFUSED, "result", "%s", what);
}

/* From the request's ParentUDF, which the person or the PIN vouches for. */
static int
verify(struct look *l, const struct mk_verified_view **ret_view)
{
	const struct mk_demand demand = { .set = l->set.text,
	    .set_len = l->set.len, .udf = l->filed->read.request.parent,
	    .now = meshman_now(), .build_time = MK_BUILD_TIME,
	    .max_set = MK_SET_MAX, .max_devices = MK_DEVICES_MAX,
	    .key_types = MK_SSH_ALL, .open_all = true };
	const struct mk_verified *verified;
	int e = mk_verify(&l->arena, &demand, &verified, &l->m->why);

	if (e == 0)
		*ret_view = mk_verified_view(verified);
	return meshman_set_refused(l->m, e);
}

/*
 * That of an earlier request stays at the portal until it has the new one.
 * Neither it nor that of another device is an answer.
 */
static int
another(const struct look *l)
{
	if (l->filed->sent)
		meshman_warn("the portal gives the answer to another "
		    "request, which is not taken");
	return MK_E_ABSENT;
}

/* Everything that makes it the answer to this request, and no other. */
static int
check(struct look *l, const struct mk_verified_view *view, bool *ret_accepted)
{
	const struct meshman_filed *filed = l->filed;
	struct mk_json_notes notes = l->result.notes;
	const struct mk_result_place place = { .keys = view->master->online,
	    .n = view->master->n_online, .notes = &notes };
	struct mk_result_read read;
	int e;

	e = mk_connection_result_read(&l->arena, l->result.request, &place,
	    &read, &l->m->why);
	if (e != 0)
		return e;
	if (memcmp(read.result.request, filed->read.envelope.digest,
	    MK_DIGEST) != 0)
		return another(l);
	if (mk_udf_cmp(&read.result.device,
	    &filed->read.request.device.id) != 0)
		return refuse(l, "the answer is for another device");
	if (filed->pin != NULL && (!l->result.has_witness ||
	    !mk_witness_check(filed->pin, MK_WITNESS_RESULT,
	    read.envelope.digest, l->result.witness)))
		return refuse(l, "the answer is not by whoever made the PIN; "
		    "this may be the portal's own profile");
	*ret_accepted = read.result.accepted;
	return 0;
}

static bool
has_key(const struct mk_verified_view *view,
    const struct mk_connection_request *req)
{
	size_t i;

	if (!req->has_ssh)
		return true;
	if (!req->ssh.host)
		return meshman_ssh_listed(view, &req->device.id,
		    &req->ssh.key);
	for (i = 0; i < view->n_keys; i++) {
		if (view->keys[i].ssh->host && mk_udf_cmp(&req->device.id,
		    &view->keys[i].ssh->device) == 0)
			return true;
	}
	return false;
}

/* An older set than the answer speaks of is waited out. */
static int
check_listed(struct look *l, const struct mk_verified_view *view)
{
	const struct mk_connection_request *req = &l->filed->read.request;
	const struct mk_personal *p = view->personal;

	if (mk_udf_in(p->deleted, p->n_deleted, &req->device.id))
		return refuse(l, "this device was accepted and has been "
		    "deleted from the profile since");
	if (mk_personal_device(p, &req->device.id) == NULL ||
	    (l->m->state.has_profile && !has_key(view, req)))
		return mk_fail(&l->m->why, MK_E_STALE, "complete", "accepted, "
		    "but the portal does not give the new version of the "
		    "profile yet");
	return 0;
}

/* The profile first: until state.json says so, all of it can be redone. */
static int
take(struct look *l)
{
	struct meshman *m = l->m;
	const struct mk_bytes set = { l->set.text, l->set.len };
	const bool had = m->state.has_profile;
	enum mk_news news;
	int e;

	m->state.master = l->filed->read.request.parent;
	if ((e = meshman_profile_take(m, &set, &news)) != 0)
		return e;
	m->state.has_profile = true;
	if (!had && (e = meshman_state_write(m)) != 0)
		return e;
	return meshman_filed_remove(m);
}

static void
tell(struct meshman *m, const struct mk_connection_request *req)
{
	if (m->opt.json) {
		mk_buf_puts(&m->out, "{\"word\":\"complete\","
		    "\"result\":\"accepted\"");
		show_json_udf(&m->out, "master", &m->state.master);
		show_json_udf(&m->out, "device", &m->state.device);
		mk_buf_puts(&m->out, "}\n");
		return;
	}
	mk_buf_puts(&m->out, "accepted: this device belongs to the profile "
	    "now\n    ");
	show_udf(&m->out, &m->state.master);
	mk_buf_putc(&m->out, '\n');
	if (!has_key(m->profile.view, req))
		mk_buf_puts(&m->out, "its SSH key is not in the profile; "
		    "to ask for one, run: meshman /ssh\n");
}

static int
take_refusal(struct look *l)
{
	int e = meshman_filed_remove(l->m);

	return e != 0 ? e : refuse(l, l->m->state.has_profile ?
	    "the request was refused; the profile stays as it is" :
	    "the request was refused; the keys of this device stay for "
	    "another /connect");
}

/* A result, and the set that it must fit. */
static int
judge(struct look *l)
{
	const struct mk_verified_view *view;
	bool accepted;
	int e;

	if ((e = meshman_get(l->m, &l->filed->read.request.parent,
	    &l->set)) != 0 || (e = verify(l, &view)) != 0 ||
	    (e = check(l, view, &accepted)) != 0)
		return e;
	if (!accepted)
		return take_refusal(l);
	if ((e = check_listed(l, view)) != 0 || (e = take(l)) != 0)
		return e;
	tell(l->m, &l->filed->read.request);
	return 0;
}

/* Not yet: MK_E_ABSENT. */
static int
look_once(struct meshman *m, const struct meshman_filed *filed)
{
	struct look l = { .m = m, .filed = filed };
	int e;

	mk_arena_init(&l.arena, mk_verify_memory(MK_SET_MAX));
	if ((e = ask(&l)) == 0)
		e = judge(&l);
	meshman_reply_release(&l.set);
	mk_arena_release(&l.arena);
	return e;
}

/* Whether it was sent, and whether the portal still has it, nobody knows. */
static int
look_or_send(struct meshman *m, struct meshman_filed *filed)
{
	int e = look_once(m, filed);

	if (e == MK_E_ABSENT && !filed->sent &&
	    !meshman_filed_lapsed(filed)) {
		e = meshman_filed_send(m, filed);
		if (e == MESHMAN_E_CONFLICT)
			e = m->why.code = MK_E_REFUSED;
		return e == 0 ? look_once(m, filed) : e;
	}
	return e;
}

static int
not_yet(struct meshman *m, const struct meshman_filed *filed)
{
	if (meshman_filed_lapsed(filed))
		return mk_fail(&m->why, MK_E_STALE, "complete", "the request "
		    "has lapsed after 24 hours without an answer; file "
		    "another one with /connect, or with /ssh on a device of "
		    "the profile");
	mk_buf_puts(&m->hint, "on an administration device run:\n"
	    "    meshman /accept ");
	if (filed->pin != NULL)
		mk_buf_puts(&m->hint, "/all");
	else
		show_udf(&m->hint, &filed->read.request.device.id);
	mk_buf_puts(&m->hint, "\nthen here:\n    meshman /complete\n");
	return mk_fail(&m->why, MK_E_STALE, "complete",
	    "there is no answer yet");
}

static int
read_wait(struct meshman *m, int64_t *ret_wait)
{
	uint64_t n = 0;

	if (m->opt.wait != NULL &&
	    !mk_number_parse(m->opt.wait, WAIT_MAX, &n))
		return mk_fail(&m->why, MK_E_USAGE, "complete",
		    "'--wait' takes a number of seconds, at most %d",
		    WAIT_MAX);
	*ret_wait = (int64_t)n;
	return 0;
}

/* What time or the portal may mend is asked again, less and less often. */
static int
wait_for(struct meshman *m, struct meshman_filed *filed, int64_t wait)
{
	const int64_t end = seconds() + wait;
	struct timespec pause = { .tv_sec = 1 };
	int e;

	for (;;) {
		e = look_or_send(m, filed);
		if ((e != MK_E_ABSENT && e != MK_E_STALE) ||
		    seconds() >= end)
			break;
		if (pause.tv_sec > end - seconds())
			pause.tv_sec = end - seconds();
		(void)nanosleep(&pause, NULL);
		pause.tv_sec = pause.tv_sec * 2 < PAUSE_MAX ?
		    pause.tv_sec * 2 : PAUSE_MAX;
	}
	return e == MK_E_ABSENT ? not_yet(m, filed) : e;
}

/* The portal that was asked, unless another one is named. */
static int
use_request(struct meshman *m, const struct meshman_filed *filed)
{
	m->state.has_account = true;
	m->state.account = filed->account;
	if (filed->portal == NULL)
		return 0;
	free(m->state.portal);
	m->state.portal = strdup(filed->portal);
	if (m->state.portal == NULL)
		return mk_fail(&m->why, MK_E_SYSTEM, "complete",
		    "out of memory");
	return 0;
}

static int
nothing_waits(struct meshman *m)
{
	if (m->state.has_profile) {
		mk_buf_puts(&m->out, m->opt.json ? "{\"word\":\"complete\","
		    "\"result\":\"nothing\"}\n" :
		    "no request of this device waits\n");
		return 0;
	}
	mk_buf_puts(&m->hint, "to file one, run: meshman /connect "
	    "ACCOUNT\n");
	return mk_fail(&m->why, MK_E_NOPROFILE, "complete",
	    "no request of this device waits for an answer");
}

static int
complete(struct meshman *m, int64_t wait)
{
	struct meshman_filed filed;
	int e;

	e = meshman_filed_read(m, &filed);
	if (e == MK_E_ABSENT)
		return nothing_waits(m);
	if (e != 0)
		return e;
	if (!m->state.has_profile)
		e = use_request(m, &filed);
	else if (mk_udf_cmp(&filed.read.request.parent,
	    &m->state.master) != 0)
		e = mk_fail(&m->why, MK_E_REFUSED, "complete", "the request "
		    "that waits is for another profile than this device's; "
		    "to give it up, run: rm %s/request.json", m->home.path);
	if (e == 0)
		e = wait_for(m, &filed, wait);
	meshman_filed_release(&filed);
	return e;
}

int
meshman_complete(struct meshman *m)
{
	int64_t wait;
	int e;

	if ((e = read_wait(m, &wait)) != 0 ||
	    (m->state.has_profile && (e = meshman_profile_read(m)) != 0) ||
	    (e = complete(m, wait)) != 0)
		return e;
	return meshman_ssh_settle(m);
}
