/* SPDX-License-Identifier: ISC */
/*
 * Answers.  A portal may say anything: nothing is taken from it but what
 * has its form, and texts only as far as they can be shown.
 */
#include <string.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/limits.h"
#include "core/members.h"
#include "core/transact.h"

#define STAGE		"answer"
#define TEXT_SHOWN	200u	/* characters of what a portal tells */
#define TAG_MAX		64u

/* {"<transaction>Response":{..}} */
static int
open_answer(struct mk_at *at, const char *transaction)
{
	struct mk_buf tag;
	int r;

	mk_buf_init(&tag, TAG_MAX);
	mk_buf_puts(&tag, transaction);
	mk_buf_puts(&tag, "Response");
	r = mk_buf_check(&tag, at->why, at->stage);
	if (r == 0)
		r = mk_at_tagged(at, tag.data, &at->obj);
	mk_buf_release(&tag);
	return r != 0 ? r : mk_at_object(at);
}

static int
read_status(const struct mk_at *at, int *ret_status)
{
	uint64_t status;
	int r;

	if ((r = mk_at_number(at, "Status", &status)) != 0)
		return r;
	if (status < 100 || status > 599)
		return mk_fail(at->why, MK_E_REFUSED, at->stage,
		    "'Status' is not between 100 and 599");
	*ret_status = (int)status;
	return 0;
}

/* A text for people: "" if it is absent. */
static int
read_shown(const struct mk_at *at, const char *name, const char **ret_text)
{
	const struct mk_json *m;
	size_t i, len = 0;
	char *text;
	int r;

	r = mk_at_member(at, name, MK_JSON_STRING, MK_OPTIONAL, &m);
	if (r != 0)
		return r;
	if (m != NULL)
		len = m->len < TEXT_SHOWN ? m->len : TEXT_SHOWN;
	text = mk_arena_alloc(at->arena, len + 1);
	if (text == NULL)
		return mk_arena_fail(at->arena, at->why);
	for (i = 0; i < len; i++)
		text[i] = m->str[i] >= ' ' && m->str[i] <= '~' ?
		    m->str[i] : '?';
	*ret_text = text;
	return 0;
}

int
mk_answer_read(struct mk_arena *a, const struct mk_bytes *text,
    const char *transaction, struct mk_answer *ret_answer,
    struct mk_why *why)
{
	struct mk_at at = { .stage = STAGE, .arena = a, .why = why };
	struct mk_answer answer = { 0 };
	const struct mk_json_text in = {
		.s = (const char *)text->data,
		.len = text->len,
		.stage = STAGE,
		.notes = &answer.notes
	};
	int r;

	if ((r = mk_json_parse(a, &in, &at.obj, why)) != 0 ||
	    (r = open_answer(&at, transaction)) != 0 ||
	    (r = read_status(&at, &answer.status)) != 0 ||
	    (r = read_shown(&at, "StatusDescription",
	    &answer.description)) != 0)
		return r;
	if (answer.notes.raw_lf > 0)
		return mk_fail(why, MK_E_REFUSED, STAGE,
		    "a line feed inside of a string");
	answer.body = at.obj;
	*ret_answer = answer;
	return 0;
}

/* One object of those that are connected, and the proof beside it. */
static int
read_pending(const struct mk_at *at, const char *name,
    enum mk_presence presence, struct mk_pending *ret_pending)
{
	struct mk_pending pending = { 0 };
	int r;

	if ((r = mk_at_object(at)) != 0 ||
	    (r = mk_at_member(at, name, MK_JSON_OBJECT, presence,
	    &pending.request)) != 0)
		return r;
	if (mk_json_member(at->obj, "Witness") != NULL) {
		r = mk_at_exact(at, "Witness", MK_WITNESS, pending.witness);
		if (r != 0)
			return r;
		pending.has_witness = true;
	}
	if (pending.request != NULL)
		mk_json_count(pending.request, &pending.notes);
	*ret_pending = pending;
	return 0;
}

int
mk_answer_pending(struct mk_arena *a, struct mk_answer *answer,
    const struct mk_pending **ret_pending, size_t *ret_n,
    struct mk_why *why)
{
	struct mk_at at = { .obj = answer->body, .stage = STAGE, .arena = a,
	    .why = why };
	const struct mk_json *array, *e;
	struct mk_pending *list;
	size_t n = 0;
	int r;

	if ((r = mk_at_array(&at, "Pending", MK_REQUIRED, MK_PENDING_MAX,
	    &array)) != 0)
		return r;
	list = mk_arena_array(a, array->count, sizeof(*list));
	if (list == NULL)
		return mk_arena_fail(a, why);
	at.why = NULL;
	for (e = array->child; e != NULL; e = e->next) {
		at.obj = e;
		if (read_pending(&at, "SignedConnectionRequest", MK_REQUIRED,
		    &list[n]) == 0)
			n++;
	}
	answer->malformed = array->count - n;
	*ret_pending = list;
	*ret_n = n;
	return 0;
}

int
mk_answer_result(const struct mk_answer *answer,
    struct mk_pending *ret_result, struct mk_why *why)
{
	struct mk_at at = { .obj = answer->body, .stage = STAGE,
	    .why = why };

	return read_pending(&at, "SignedConnectionResult", MK_OPTIONAL,
	    ret_result);
}

int
mk_answer_time(const struct mk_answer *answer, int64_t *ret_time,
    struct mk_why *why)
{
	const struct mk_at at = { .obj = answer->body, .stage = STAGE,
	    .why = why };

	return mk_at_time(&at, "Time", MK_REQUIRED, ret_time);
}

int
mk_answer_valid(struct mk_arena *a, const struct mk_answer *answer,
    bool *ret_valid, const char **ret_reason, struct mk_why *why)
{
	struct mk_at at = { .obj = answer->body, .stage = STAGE, .arena = a,
	    .why = why };
	const struct mk_json *m = mk_json_member(answer->body, "Valid");
	int r;

	if (m == NULL ||
	    (m->type != MK_JSON_TRUE && m->type != MK_JSON_FALSE))
		return mk_fail(why, MK_E_REFUSED, STAGE,
		    "'Valid' is neither true nor false");
	if ((r = read_shown(&at, "Reason", ret_reason)) != 0)
		return r;
	*ret_valid = m->type == MK_JSON_TRUE;
	return 0;
}
