/* SPDX-License-Identifier: ISC */
/*
 * meshkeys import: a set from a file, taken as from a portal.
 */
#include <string.h>

#include "cmd/meshkeys.h"
#include "core/arena.h"
#include "core/timestamp.h"

/* What was taken, and what became of it. */
struct import {
	const struct mk_udf *udf;
	const struct mk_verified_view *view;	/* NULL: by a wrong clock */
	enum mk_news news;
};

static size_t
count_keys(const struct mk_verified_view *view)
{
	size_t n = 0, i;

	for (i = 0; i < view->n_keys; i++)
		n += view->keys[i].verdict == MK_KEY_USABLE;
	return n;
}

static void
tell_json(struct meshkeys *m, const struct import *import)
{
	const struct mk_verified_view *view = import->view;

	mk_buf_puts(&m->out, "{\"command\":\"import\"");
	meshkeys_json_string(&m->out, "user", m->user);
	show_json_udf(&m->out, "udf", import->udf);
	meshkeys_json_string(&m->out, "result",
	    import->news == MK_NEWS_SAME ? "same" : "updated");
	if (view != NULL) {
		show_json_time(&m->out, "signed",
		    view->version.personal_time);
		show_json_time(&m->out, "expires", view->expires);
		show_json_number(&m->out, "devices",
		    view->personal->n_devices);
		show_json_number(&m->out, "keys", count_keys(view));
	}
	mk_buf_puts(&m->out, "}\n");
}

static void
tell_text(struct meshkeys *m, const struct import *import)
{
	const struct mk_verified_view *view = import->view;

	show_udf(&m->out, import->udf);
	mk_buf_puts(&m->out, import->news == MK_NEWS_SAME ?
	    ": is what was there" : ": updated");
	if (view != NULL && view->version.timed) {
		mk_buf_puts(&m->out, ", signed ");
		show_time(&m->out, view->version.personal_time);
	} else if (view != NULL) {
		mk_buf_puts(&m->out, ", a set of 2016 or 2017 without "
		    "times, pinned from now on");
	}
	if (view != NULL) {
		mk_buf_puts(&m->out, ", ");
		show_count(&m->out, view->personal->n_devices,
		    "device");
		mk_buf_puts(&m->out, ", ");
		show_count(&m->out, count_keys(view), "key");
	}
	mk_buf_putc(&m->out, '\n');
}

static int
tell(struct meshkeys *m, struct import *import, const struct mk_bytes *set)
{
	struct mk_demand demand = meshkeys_demand(m, set, import->udf);
	struct meshkeys_event event = { .udf = import->udf,
	    .text = import->news == MK_NEWS_SAME ? "the set is what was "
	    "there" : "the set is updated", .seen = MK_TIME_NONE,
	    .set = MK_TIME_NONE };
	const struct mk_verified *verified;
	struct mk_arena a;

	mk_arena_init(&a, mk_verify_memory(set->len));
	if (mk_verify(&a, &demand, &verified, NULL) == 0) {
		import->view = mk_verified_view(verified);
		event.set = import->view->version.personal_time;
	}
	meshkeys_log(m, &event);
	if (m->json)
		tell_json(m, import);
	else
		tell_text(m, import);
	mk_arena_release(&a);
	return meshkeys_print(m);
}

static void
log_failure(struct meshkeys *m, const struct mk_udf *udf, int code)
{
	const struct meshkeys_event event = { .code = code, .udf = udf,
	    .seen = MK_TIME_NONE, .set = MK_TIME_NONE };

	meshkeys_log(m, &event);
}

static int
take(struct meshkeys *m, const struct mk_udf *udf)
{
	const struct mk_offered_set offered = { .set = {
	    m->input.file.data, m->input.file.len } };
	struct import import = { .udf = udf };
	struct keep_taken taken;
	int e;

	e = keep_take(&m->keep, udf, &offered, &taken, &m->why);
	if (e != 0) {
		if (e == MK_E_REFUSED &&
		    strcmp(m->why.stage, "version") == 0)
			mk_buf_puts(&m->hint, "if this set is to be used all "
			    "the same, see accept in meshkeys(8)\n");
		log_failure(m, udf, e);
		return e;
	}
	import.news = taken.news;
	return tell(m, &import, &offered.set);
}

int
meshkeys_import(struct meshkeys *m)
{
	const struct mk_mapped *profile;
	int e;

	if ((e = meshkeys_open_input(m, m->args[0])) != 0 ||
	    (e = meshkeys_begin(m, m->args[1])) != 0 ||
	    (e = meshkeys_confine(m, false)) != 0 ||
	    (e = meshkeys_read_input(m)) != 0 ||
	    (e = meshkeys_choose(m, &profile)) != 0)
		return e;
	return take(m, &profile->udf);
}
