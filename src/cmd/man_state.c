/* SPDX-License-Identifier: ISC */
/*
 * state.json: what this device is.  It is written last when something is
 * made and read strictly: what it does not say does not exist, and one that
 * is damaged is told and never taken for an empty one.
 */
#include <stdlib.h>
#include <string.h>

#include "cmd/meshman.h"
#include "core/members.h"

#define STATE_FILE	"state.json"
#define STATE_MAX	8192u

static int
read_account(const struct mk_at *at, struct meshman_state *state)
{
	const struct mk_json *m;
	int e;

	e = mk_at_member(at, "Account", MK_JSON_STRING, MK_OPTIONAL, &m);
	if (e != 0 || m == NULL)
		return e;
	state->has_account = true;
	if (!mk_account_parse(m->str, m->len, &state->account))
		return mk_fail(at->why, MK_E_REFUSED, at->stage,
		    "'Account' is no account");
	return 0;
}

static int
read_udf(const struct mk_at *at, const char *name, bool *ret_has,
    struct mk_udf *ret_udf)
{
	*ret_has = mk_json_member(at->obj, name) != NULL;
	return *ret_has ? mk_at_udf(at, name, MK_UDF_KEY, ret_udf) : 0;
}

static int
read_portal(const struct mk_at *at, struct meshman_state *state)
{
	const struct mk_json *m;
	int e;

	e = mk_at_member(at, "Portal", MK_JSON_STRING, MK_OPTIONAL, &m);
	if (e != 0 || m == NULL)
		return e;
	state->portal = strndup(m->str, m->len);
	return state->portal != NULL ? 0 : mk_fail(at->why, MK_E_SYSTEM,
	    "memory", "out of memory");
}

static int
read_name(const struct mk_at *at, struct meshman_state *state)
{
	const struct mk_json *m;
	int e;

	e = mk_at_member(at, "Name", MK_JSON_STRING, MK_OPTIONAL, &m);
	if (e != 0 || m == NULL)
		return e;
	if (m->len > MK_TEXT_MAX)
		return mk_fail(at->why, MK_E_REFUSED, at->stage,
		    "'Name' is too long");
	memcpy(state->name, m->str, m->len);
	return 0;
}

static int
read_admin(const struct mk_at *at, struct meshman_state *state)
{
	const struct mk_json *m = mk_json_member(at->obj, "Administrator");

	if (m == NULL || (m->type != MK_JSON_TRUE &&
	    m->type != MK_JSON_FALSE))
		return mk_fail(at->why, MK_E_REFUSED, at->stage,
		    "'Administrator' is neither true nor false");
	state->admin = m->type == MK_JSON_TRUE;
	return 0;
}

static int
parse(struct mk_arena *a, const struct mk_file *file,
    struct meshman_state *state, struct mk_why *why)
{
	static const char *const names[] = { "Version", "Master", "Account",
	    "Portal", "Device", "Name", "Administrator" };
	struct mk_json_notes notes = { 0 };
	const struct mk_json_text text = { .s = (const char *)file->data,
	    .len = file->len, .stage = "state", .notes = &notes };
	struct mk_at at = { .stage = "state", .arena = a, .why = why };
	uint64_t version;
	int e;

	if ((e = mk_json_parse(a, &text, &at.obj, why)) != 0 ||
	    (e = mk_at_object(&at)) != 0 ||
	    (e = mk_at_number(&at, "Version", &version)) != 0)
		return e;
	if (version != 1)
		return mk_fail(why, MK_E_REFUSED, "state",
		    "written by another version of this program");
	if ((e = mk_at_only(&at, names, sizeof(names) / sizeof(names[0])))
	    != 0 ||
	    (e = read_udf(&at, "Master", &state->has_profile,
	    &state->master)) != 0 ||
	    (e = read_account(&at, state)) != 0 ||
	    (e = read_portal(&at, state)) != 0 ||
	    (e = read_udf(&at, "Device", &state->has_device,
	    &state->device)) != 0 ||
	    (e = read_name(&at, state)) != 0 ||
	    (e = read_admin(&at, state)) != 0)
		return e;
	return 0;
}

int
meshman_state_read(struct meshman *m)
{
	struct meshman_state state = { 0 };
	struct mk_why why = { 0 };
	struct mk_file file;
	struct mk_arena a;
	int e;

	e = mk_home_read(&m->home, STATE_FILE, STATE_MAX, &file, &m->why);
	if (e == MK_E_ABSENT)
		return 0;
	if (e == MK_E_TOOBIG)
		return m->why.code = MK_E_SYSTEM;
	if (e != 0)
		return e;
	mk_arena_init(&a, MK_ARENA_FLOOR);
	e = parse(&a, &file, &state, &why);
	mk_arena_release(&a);
	mk_file_release(&file);
	if (e != 0) {
		free(state.portal);
		return mk_fail(&m->why, MK_E_SYSTEM, "state", "cannot use "
		    "'%s/" STATE_FILE "': %s", m->home.path, why.detail);
	}
	free(m->state.portal);
	m->state = state;
	return 0;
}

static void
put_udf(struct mk_buf *out, const char *name, const struct mk_udf *udf)
{
	mk_buf_puts(out, ",\n");
	mk_put_udf(out, name, udf);
}

static void
put_text(struct mk_buf *out, const char *name, const char *s)
{
	mk_buf_puts(out, ",\n");
	mk_put_text(out, name, s, strlen(s));
}

static void
put_state(const struct meshman_state *state, struct mk_buf *out)
{
	mk_buf_puts(out, "{\n\"Version\":1");
	if (state->has_profile)
		put_udf(out, "Master", &state->master);
	if (state->has_account)
		put_text(out, "Account", state->account.text);
	if (state->portal != NULL && !state->portal_found)
		put_text(out, "Portal", state->portal);
	if (state->has_device)
		put_udf(out, "Device", &state->device);
	if (state->name[0] != '\0')
		put_text(out, "Name", state->name);
	mk_buf_puts(out, ",\n\"Administrator\":");
	mk_buf_puts(out, state->admin ? "true\n}\n" : "false\n}\n");
}

int
meshman_state_write(struct meshman *m)
{
	struct mk_buf out;
	int e;

	mk_buf_init(&out, STATE_MAX);
	put_state(&m->state, &out);
	if ((e = mk_buf_check(&out, &m->why, "state")) == 0)
		e = mk_home_write(&m->home, STATE_FILE, out.data, out.len,
		    &m->why);
	mk_buf_release(&out);
	return e;
}
