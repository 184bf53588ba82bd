/* SPDX-License-Identifier: ISC */
/*
 * Which of the requests that wait are meant.  A name and /all can be made to
 * fit by any stranger, so to accept they reach only what a PIN has proved; a
 * whole fingerprint was compared by the person who gives it.
 */
#include <string.h>

#include "cmd/man_pending.h"
#include "cmd/man_sshkey.h"

#define NAME_MAX_LEN	1024u

static void
put_text(struct meshman *m, struct mk_buf *out,
    const struct meshman_asker *asker, const char *what)
{
	const struct mk_connection_request *req = &asker->read->request;

	if (m->opt.json) {
		mk_buf_puts(out, out->len > 0 ? ",{" : "{");
		mk_buf_puts(out, "\"result\":\"");
		mk_buf_puts(out, what);
		mk_buf_putc(out, '"');
		show_json_udf(out, "device", &req->device.id);
		show_json_string(out, "name", req->device.name.s,
		    req->device.name.len);
		return;
	}
	mk_buf_puts(out, what);
	mk_buf_puts(out, ": ");
	meshman_put_asker(out, asker);
}

static void
put_end(struct meshman *m, struct mk_buf *out, const char *reason)
{
	if (m->opt.json) {
		if (reason != NULL)
			show_json_string(out, "reason", reason,
			    strlen(reason));
		mk_buf_putc(out, '}');
		return;
	}
	if (reason != NULL) {
		mk_buf_puts(out, ": ");
		mk_buf_puts(out, reason);
	}
	mk_buf_putc(out, '\n');
}

static void
pass_over(struct meshman *m, struct meshman_choice *c, size_t i,
    const char *reason)
{
	put_text(m, &c->no, &c->all->askers[i], "not accepted");
	put_end(m, &c->no, reason);
}

void
meshman_choice_refuse(struct meshman *m, struct meshman_choice *c, size_t i,
    const char *reason)
{
	if (c->chosen[i]) {
		c->chosen[i] = false;
		c->n--;
	}
	c->refused++;
	pass_over(m, c, i, reason);
}

void
meshman_choice_done(struct meshman *m, struct meshman_choice *c, size_t i,
    const char *what)
{
	const struct meshman_asker *asker = &c->all->askers[i];
	const struct mk_connection_request *req = &asker->read->request;

	put_text(m, &c->yes, asker, what);
	if (req->has_ssh && !m->opt.json) {
		mk_buf_puts(&c->yes, req->ssh.host ? ", " : " with ");
		meshman_put_ssh(&c->yes, &req->ssh);
	}
	put_end(m, &c->yes, NULL);
}

/* An argument that means none of them. */
static void
refuse_text(struct meshman *m, struct meshman_choice *c, const char *text,
    const char *reason)
{
	c->refused++;
	if (m->opt.json) {
		mk_buf_puts(&c->no, c->no.len > 0 ? ",{" : "{");
		mk_buf_puts(&c->no, "\"result\":\"not found\"");
		show_json_string(&c->no, "argument", text, strlen(text));
	} else {
		mk_buf_putc(&c->no, '\'');
		meshman_put_clean(&c->no, text, strlen(text));
		mk_buf_putc(&c->no, '\'');
	}
	put_end(m, &c->no, reason);
}

static void
choose(struct meshman_choice *c, size_t i)
{
	c->n += !c->chosen[i];
	c->chosen[i] = true;
}

static const struct mk_udf *
device_of(const struct meshman_choice *c, size_t i)
{
	return &c->all->askers[i].read->request.device.id;
}

/* Whoever gave the whole fingerprint has compared it. */
static void
choose_udf(struct meshman *m, struct meshman_choice *c, const char *text,
    const struct mk_udf *udf)
{
	bool found = false;
	size_t i;

	for (i = 0; i < c->all->n; i++) {
		const struct meshman_asker *asker = &c->all->askers[i];

		if (mk_udf_cmp(device_of(c, i), udf) != 0 ||
		    (c->proved && asker->bar == MESHMAN_BAR_OLDER))
			continue;
		found = true;
		if (c->proved && asker->bar != MESHMAN_BAR_NONE)
			meshman_choice_refuse(m, c, i,
			    meshman_bar_text(asker->bar));
		else
			choose(c, i);
	}
	if (!found)
		refuse_text(m, c, text, "no request of this device waits");
}

/* As both are shown: names that look alike are alike. */
static bool
looks_like(const char *text, const struct mk_text *name)
{
	struct mk_buf shown;
	bool same;

	mk_buf_init(&shown, NAME_MAX_LEN);
	meshman_put_clean(&shown, name->s, name->len);
	same = shown.len > 0 && strcmp(shown.data, text) == 0;
	mk_buf_release(&shown);
	return same;
}

/* Whether a device of the profile, but for this one, has the name. */
static int
is_taken(struct meshman *m, const char *text, const struct mk_udf *but,
    bool *ret_taken)
{
	const struct mk_personal *p = m->profile.view->personal;
	bool taken = false;
	size_t i;
	int e = 0;

	for (i = 0; i < p->n_devices && e == 0 && !taken; i++) {
		struct mk_buf name;

		if (mk_udf_cmp(&p->devices[i].id, but) == 0)
			continue;
		mk_buf_init(&name, NAME_MAX_LEN);
		e = meshman_device_name(m, &p->devices[i].id, &name);
		taken = e == 0 && name.len > 0 &&
		    strcmp(name.data, text) == 0;
		mk_buf_release(&name);
	}
	if (e == 0)
		*ret_taken = taken;
	return e;
}

static const char *
why_not_by_name(const struct meshman_asker *asker)
{
	if (asker->bar != MESHMAN_BAR_NONE)
		return meshman_bar_text(asker->bar);
	if (asker->listed)
		return "it is a device of the profile, whose request is "
		    "accepted by its whole fingerprint only";
	return meshman_proof_text(asker->proof);
}

/* More than one device of that name: only a fingerprint can tell. */
static int
choose_name(struct meshman *m, struct meshman_choice *c, const char *text)
{
	size_t found = c->all->n, i;
	bool taken = false;
	int e;

	for (i = 0; i < c->all->n; i++) {
		const struct meshman_asker *asker = &c->all->askers[i];

		if (!looks_like(text, &asker->read->request.device.name) ||
		    asker->bar == MESHMAN_BAR_OLDER)
			continue;
		taken = taken || found < c->all->n;
		found = i;
	}
	if (found == c->all->n) {
		refuse_text(m, c, text, "no request of this name waits");
		return 0;
	}
	if (!taken && (e = is_taken(m, text, device_of(c, found),
	    &taken)) != 0)
		return e;
	if (taken)
		refuse_text(m, c, text, "more than one device has this name; "
		    "give the fingerprint");
	else if (c->proved && !meshman_asker_proved(&c->all->askers[found]))
		meshman_choice_refuse(m, c, found,
		    why_not_by_name(&c->all->askers[found]));
	else
		choose(c, found);
	return 0;
}

/*
 * What came with a PIN of ours and is not proved by it was expected.  The
 * rest is passed over, which is no failure if anything is left: strangers
 * may ask what they like.
 */
static void
choose_all(struct meshman *m, struct meshman_choice *c)
{
	size_t passed = 0, i;

	for (i = 0; i < c->all->n; i++) {
		const struct meshman_asker *asker = &c->all->askers[i];

		if (!c->proved || meshman_asker_proved(asker))
			choose(c, i);
		else if (asker->pin != NULL && !asker->listed &&
		    asker->bar != MESHMAN_BAR_OLDER)
			meshman_choice_refuse(m, c, i,
			    why_not_by_name(asker));
		else if (asker->bar != MESHMAN_BAR_OLDER) {
			pass_over(m, c, i, why_not_by_name(asker));
			passed++;
		}
	}
	if (c->n == 0)
		c->refused += passed;
}

static int
choose_arg(struct meshman *m, struct meshman_choice *c, const char *text)
{
	struct mk_udf udf;

	/* A device may call itself by another's fingerprint. */
	if (mk_udf_parse_typed(text, strlen(text), &udf)) {
		choose_udf(m, c, text, &udf);
		return 0;
	}
	/* Also of a device of that name: it has a fingerprint. */
	if (meshman_is(text, "all")) {
		choose_all(m, c);
		return 0;
	}
	if (text[0] == '/')
		return mk_fail(&m->why, MK_E_USAGE, m->word->cmd.name,
		    "'%s' is not known here", text);
	return choose_name(m, c, text);
}

int
meshman_choose(struct meshman *m, struct meshman_gathered *all,
    bool proved, struct meshman_choice *ret_choice)
{
	struct meshman_choice c = { .all = all, .proved = proved };
	int i, e = 0;

	mk_buf_init(&c.yes, MESHMAN_OUT_MAX);
	mk_buf_init(&c.no, MESHMAN_OUT_MAX);
	c.chosen = mk_arena_array(&all->arena, all->n, sizeof(*c.chosen));
	if (c.chosen == NULL)
		e = mk_arena_fail(&all->arena, &m->why);
	for (i = 0; i < m->n_args && e == 0; i++)
		e = choose_arg(m, &c, m->args[i]);
	if (e != 0) {
		meshman_choice_release(&c);
		return e;
	}
	*ret_choice = c;
	return 0;
}

void
meshman_choice_release(struct meshman_choice *choice)
{
	mk_buf_release(&choice->yes);
	mk_buf_release(&choice->no);
}

static void
put_all(struct mk_buf *out, const struct mk_buf *from)
{
	if (from->failed != 0)
		out->failed = from->failed;
	if (from->len > 0)
		mk_buf_put(out, from->data, from->len);
}

int
meshman_choice_end(struct meshman *m, const struct meshman_choice *c)
{
	int e;

	if (m->opt.json) {
		mk_buf_puts(&m->out, "{\"word\":\"");
		mk_buf_puts(&m->out, m->word->cmd.name);
		mk_buf_puts(&m->out, "\",\"requests\":[");
	}
	put_all(&m->out, &c->yes);
	if (m->opt.json && c->yes.len > 0 && c->no.len > 0)
		mk_buf_putc(&m->out, ',');
	put_all(&m->out, &c->no);
	if (m->opt.json)
		mk_buf_puts(&m->out, "]}\n");
	else if (c->yes.len + c->no.len == 0)
		mk_buf_puts(&m->out, "no request waits\n");
	if ((e = meshman_print(m)) != 0)
		return e;
	if (c->refused > 0)
		return mk_fail(&m->why, MK_E_REFUSED, m->word->cmd.name,
		    "%zu of what was named could not be done", c->refused);
	return 0;
}
