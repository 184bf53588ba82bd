/* SPDX-License-Identifier: ISC */
/*
 * /accept and /reject.  What is accepted goes into one version of the
 * profile.  A PIN is marked used before that version leaves, so that it
 * serves one device whenever this is interrupted; the same device can then
 * be accepted again.
 */
#include <string.h>

#include "cmd/man_pending.h"

/* The requests of one version. */
struct accepting {
	struct meshman_choice *choice;
	struct meshman_result *results;	/* of those chosen */
	size_t n;
};

static const struct mk_connection_request *
request_of(const struct meshman_choice *c, size_t i)
{
	return &c->all->askers[i].read->request;
}

/*
 * One device and its key.  Another administrator may have added the device
 * meanwhile; its keys are then those that it asked for last.
 */
static int
apply(struct meshman *m, struct mk_draft *draft,
    const struct mk_connection_request *req)
{
	int e;

	if (!meshman_is_member(m, &req->device.id))
		e = mk_draft_add(draft, &req->envelope, &m->why);
	else if (req->has_ssh)
		e = mk_draft_unenrol(draft, &req->device.id, &m->why);
	else
		e = 0;
	if (e == 0 && req->has_ssh)
		e = mk_draft_enrol(draft, &req->ssh, &m->why);
	return e;
}

/* Applies those chosen; one that cannot be is taken back. */
static int
try_all(struct meshman *m, struct meshman_choice *c, bool *ret_again)
{
	const struct mk_bytes set = { m->profile.set.data,
	    m->profile.set.len };
	struct mk_draft *draft;
	struct mk_arena a;
	struct mk_why why;
	size_t i;
	int e;

	*ret_again = false;
	mk_arena_init(&a, mk_verify_memory(MK_SET_MAX));
	e = mk_draft_next(&a, &set, m->profile.view, &draft, &m->why);
	for (i = 0; i < c->all->n && e == 0 && !*ret_again; i++) {
		if (!c->chosen[i])
			continue;
		e = apply(m, draft, request_of(c, i));
		if (e != MK_E_REFUSED)
			continue;
		why = m->why;
		meshman_choice_refuse(m, c, i, why.detail);
		*ret_again = true;
		e = 0;
	}
	mk_arena_release(&a);
	return e;
}

/* So that one request that no verifier would take keeps no other out. */
static int
sift(struct meshman *m, struct meshman_choice *c)
{
	bool again = c->n > 0;
	int e = 0;

	while (e == 0 && again)
		e = try_all(m, c, &again);
	return e;
}

static int
mark_pins(struct meshman *m, struct meshman_choice *c)
{
	bool changed = false;
	size_t i;

	for (i = 0; i < c->all->n; i++) {
		const struct meshman_asker *asker = &c->all->askers[i];

		if (!c->chosen[i] || !asker->right || asker->pin->used)
			continue;
		asker->pin->used = changed = true;
		asker->pin->device = asker->read->request.device.id;
	}
	return changed ? meshman_pins_write(m, &c->all->pins) : 0;
}

static void
add_results(const struct meshman_choice *c, bool older, bool accepted,
    struct accepting *x)
{
	size_t i;

	for (i = 0; i < c->all->n; i++) {
		const struct meshman_asker *asker = &c->all->askers[i];
		struct meshman_result *r = &x->results[x->n];

		if (!c->chosen[i] ||
		    older != (asker->bar == MESHMAN_BAR_OLDER))
			continue;
		memset(r, 0, sizeof(*r));
		/* Who only names a PIN gets no witness made with it. */
		r->pin = asker->right ? &asker->pin->pin : NULL;
		r->result.accepted = accepted;
		r->result.device = asker->read->request.device.id;
		memcpy(r->result.request, asker->read->envelope.digest,
		    MK_DIGEST);
		x->n++;
	}
}

/* Older requests first: of a device the portal keeps the last answer. */
static int
make_results(struct meshman *m, struct meshman_choice *c, bool accepted,
    struct accepting *ret_x)
{
	struct accepting x = { .choice = c };

	x.results = mk_arena_array(&c->all->arena, c->n,
	    sizeof(*x.results));
	if (x.results == NULL)
		return mk_arena_fail(&c->all->arena, &m->why);
	add_results(c, true, accepted, &x);
	add_results(c, false, accepted, &x);
	*ret_x = x;
	return 0;
}

static int
change(struct meshman *m, struct mk_draft *draft, void *arg)
{
	const struct accepting *x = arg;
	const struct meshman_choice *c = x->choice;
	size_t i;
	int e = 0;

	for (i = 0; i < c->all->n && e == 0; i++) {
		if (c->chosen[i])
			e = apply(m, draft, request_of(c, i));
	}
	return e == 0 ? meshman_results_keep(m, x->results, x->n) : e;
}

static void
note(const struct meshman_asker *asker)
{
	char udf[MK_UDF_TEXT + 1];

	mk_udf_format(&asker->read->request.device.id, udf);
	if (asker->read->request.pin_id[0] == '\0' ||
	    asker->proof == MESHMAN_PROOF_PIN)
		return;
	meshman_warn("'%s' was accepted by its fingerprint alone: %s", udf,
	    meshman_proof_text(asker->proof));
}

static void
tell(struct meshman *m, struct meshman_choice *c, const char *what)
{
	size_t i;

	for (i = 0; i < c->all->n; i++) {
		if (!c->chosen[i])
			continue;
		meshman_choice_done(m, c, i, what);
		if (c->proved)
			note(&c->all->askers[i]);
	}
}

static int
accept_chosen(struct meshman *m, struct meshman_choice *c)
{
	struct accepting x;
	int e;

	if ((e = sift(m, c)) != 0 || c->n == 0)
		return e;
	if ((e = mark_pins(m, c)) != 0 ||
	    (e = make_results(m, c, true, &x)) != 0 ||
	    (e = meshman_publish(m, change, &x)) != 0)
		return e;
	tell(m, c, "accepted");
	if (!m->opt.json)
		mk_buf_puts(&c->yes, c->n > 1 ? "on each of them run: "
		    "meshman /complete\n" :
		    "then there: meshman /complete\n");
	return 0;
}

/* Answers without a new version need no publish to wait for. */
static int
reject_chosen(struct meshman *m, struct meshman_choice *c)
{
	struct accepting x;
	int e;

	if (c->n == 0)
		return 0;
	if ((e = make_results(m, c, false, &x)) != 0 ||
	    (e = meshman_results_keep(m, x.results, x.n)) != 0 ||
	    (e = meshman_results_send(m)) != 0)
		return e;
	tell(m, c, "rejected");
	return 0;
}

static int
answer(struct meshman *m, bool accept)
{
	struct meshman_gathered all;
	struct meshman_choice choice;
	int e;

	if ((e = meshman_gather(m, &all)) != 0)
		return e;
	if ((e = meshman_choose(m, &all, accept, &choice)) != 0)
		goto out;
	e = accept ? accept_chosen(m, &choice) : reject_chosen(m, &choice);
	if (e == 0)
		e = meshman_choice_end(m, &choice);
	meshman_choice_release(&choice);
out:
	meshman_gathered_release(&all);
	return e;
}

int
meshman_accept(struct meshman *m)
{
	int i;

	for (i = 0; i < m->n_args; i++) {
		if (meshman_is(m->args[i], "admin"))
			return mk_fail(&m->why, MK_E_USAGE, "accept",
			    "this version makes no further administrators");
	}
	return answer(m, true);
}

int
meshman_reject(struct meshman *m)
{
	return answer(m, false);
}
