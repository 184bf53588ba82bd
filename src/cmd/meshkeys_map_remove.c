/* SPDX-License-Identifier: ISC */
/*
 * meshkeys map remove.  Who is taken out may still be named elsewhere, which
 * is said.
 */
#include <string.h>

#include "cmd/meshkeys_map.h"

static void
warn_still(struct meshkeys_change *c, const struct mk_identity *id)
{
	struct mk_buf command;

	mk_buf_init(&command, MESHKEYS_OUT_MAX);
	meshkeys_put_command(c->m, &command, "map list", c->user);
	meshkeys_map_warn(c, "'%s' still has %zu profile%s, by the source "
	    "'%s'; see: %s", c->user, id->n, id->n == 1 ? "" : "s",
	    id->source, command.data != NULL ? command.data : "");
	mk_buf_release(&command);
}

/* What a login would find now; somebody may have thought she is out. */
static void
warn_left(struct meshkeys_change *c)
{
	struct meshkeys *m = c->m;
	struct mk_identity id = { 0 };
	struct mk_why reason;

	if (mk_identity_find(&m->keep.root, &m->keep.config, c->user, &id,
	    &reason) != 0)
		meshkeys_map_warn(c, "a login of '%s' fails now: %s",
		    c->user, reason.detail);
	else if (id.denied || (id.source != NULL && id.n == 0))
		meshkeys_map_warn(c, "'%s' has no Mesh keys, by the source "
		    "'%s'", c->user, id.source);
	else if (id.source != NULL)
		warn_still(c, &id);
	mk_identity_release(&id);
}

static int
tell_removed(struct meshkeys_change *c, size_t n)
{
	struct meshkeys *m = c->m;

	if (m->json) {
		meshkeys_map_json(c, "map remove");
		show_json_number(&m->out, "removed", n);
		meshkeys_map_json_end(c);
		return meshkeys_print(m);
	}
	show_count(&m->out, n, "line");
	mk_buf_puts(&m->out, " of '");
	meshkeys_put_clean(&m->out, c->user);
	mk_buf_puts(&m->out, n == 1 ? "' is removed\n" : "' are removed\n");
	mk_buf_put(&m->out, c->warnings.data, c->warnings.len);
	return meshkeys_print(m);
}

/* She may be named where only --gecos looks. */
static int
fail_none(struct meshkeys_change *c)
{
	struct meshkeys *m = c->m;
	struct mk_identity id = { 0 };
	bool gecos;

	gecos = mk_identity_find(&m->keep.root, &m->keep.config, c->user,
	    &id, &m->why) == 0 && id.source != NULL &&
	    strcmp(id.source, "passwd") == 0;
	mk_identity_release(&id);
	if (gecos) {
		mk_buf_puts(&m->hint, "GECOS names her; run: ");
		meshkeys_put_command(m, &m->hint, "map remove --gecos",
		    c->user);
		mk_buf_putc(&m->hint, '\n');
	}
	return mk_fail(&m->why, MK_E_NOPROFILE, "map", "neither the map nor "
	    "users/ has such a line of '%s'", c->user);
}

static int
remove_lines(struct meshkeys_change *c, size_t *ret_n)
{
	struct meshkeys *m = c->m;
	size_t n = 0;
	int e;

	e = mk_map_edit_open(&m->keep.root, m->gecos, &c->edit, &m->why);
	if (e == 0 && m->gecos) {
		*ret_n = 1;
		return meshkeys_gecos_remove(c);
	}
	if (e == 0)
		e = mk_map_remove(&c->edit, c->user, c->has_udf ? &c->udf :
		    NULL, &n, &m->why);
	if (e == MK_E_ABSENT || (e == 0 && n == 0))
		return fail_none(c);
	*ret_n = n;
	return e;
}

int
meshkeys_map_remove(struct meshkeys *m)
{
	struct meshkeys_change c = { .m = m,
	    .edit = { .lock = -1, .dir = -1 } };
	size_t n = 0;
	int e;

	if ((e = meshkeys_map_begin(&c)) != 0)
		goto out;
	if (c.denied || c.n_options > 0) {
		e = mk_fail(&m->why, MK_E_USAGE, "map", "a line is removed "
		    "by its user and its fingerprint, or all of the user");
		goto out;
	}
	if ((e = remove_lines(&c, &n)) != 0)
		goto out;
	meshkeys_map_log(&c, "lines of a user were removed by an "
	    "administrator");
	warn_left(&c);
	e = tell_removed(&c, n);
out:
	meshkeys_map_release(&c);
	return e;
}
