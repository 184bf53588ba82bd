/* SPDX-License-Identifier: ISC */
/*
 * What a host knows of a fingerprint that an administrator has typed.  A
 * wrong letter that is a letter cannot be seen, so that the profile is
 * shown; what strangers wrote is read in a process apart.
 */
#include <config.h>

#include <string.h>
#include <time.h>

#include "cmd/meshkeys_map.h"
#include "core/arena.h"
#include "core/timestamp.h"
#include "edge/cache.h"

#define PROFILE_MAX	(4u << 20)	/* bytes of what is shown of it */

/* What lies in the stores. */
struct look {
	const struct mk_udf *udf;
	struct mk_store store;
	struct mk_file set, memory;
	struct mk_arena arena, seen_arena;
	struct mk_seen seen;
	bool has_seen;
};

static int
read_stores(struct meshkeys *m, struct look *look)
{
	int e;

	mk_store_open(&m->keep.root, &look->store);
	e = mk_store_set(&look->store, look->udf, m->keep.config.max_set,
	    &look->set, &m->why);
	if (e != 0)
		return e;
	e = mk_store_seen(&look->store, look->udf, &look->memory, &m->why);
	if (e == MK_E_ABSENT)
		return 0;
	if (e == 0)
		e = mk_seen_parse(&look->seen_arena, look->memory.data,
		    look->memory.len, &look->seen, &m->why);
	look->has_seen = e == 0;
	return e;
}

static size_t
count_keys(const struct mk_verified_view *view, const struct mk_udf *device,
    const char **ret_comment)
{
	size_t i, n = 0;

	*ret_comment = "";
	for (i = 0; i < view->n_keys; i++) {
		if (mk_udf_cmp(&view->keys[i].ssh->device, device) != 0)
			continue;
		if (view->keys[i].comment[0] != '\0')
			*ret_comment = view->keys[i].comment;
		n += view->keys[i].verdict == MK_KEY_USABLE;
	}
	return n;
}

static void
put_text(struct mk_buf *out, const struct look *look,
    const struct mk_verified_view *view)
{
	const int64_t age = time(NULL) - look->set.mtime;
	const char *comment;
	size_t i, n;

	mk_buf_puts(out, "profile ");
	show_udf(out, look->udf);
	if (view->version.timed) {
		mk_buf_puts(out, ", signed ");
		show_time(out, view->version.personal_time);
	} else {
		mk_buf_puts(out, ", of 2016 or 2017");
	}
	mk_buf_puts(out, ", confirmed ");
	show_span(out, age > 0 ? age : 0);
	mk_buf_puts(out, " ago\n");
	for (i = 0; i < view->personal->n_devices; i++) {
		const struct mk_udf *device = &view->personal->devices[i].id;

		n = count_keys(view, device, &comment);
		mk_buf_puts(out, "  ");
		show_udf(out, device);
		mk_buf_puts(out, "  ");
		show_count(out, n, "key");
		mk_buf_puts(out, comment[0] != '\0' ? "  " : "");
		mk_buf_puts(out, comment);
		mk_buf_putc(out, '\n');
	}
}

static void
put_json(struct mk_buf *out, const struct look *look,
    const struct mk_verified_view *view)
{
	const char *comment;
	char udf[MK_UDF_TEXT + 1];
	size_t i, n;

	mk_buf_puts(out, "{\"pinned\":");
	mk_buf_puts(out, view->version.timed ? "false" : "true");
	show_json_time(out, "signed", view->version.personal_time);
	show_json_time(out, "confirmed", look->set.mtime);
	show_json_name(out, "devices");
	mk_buf_putc(out, '[');
	for (i = 0; i < view->personal->n_devices; i++) {
		n = count_keys(view, &view->personal->devices[i].id,
		    &comment);
		mk_udf_format(&view->personal->devices[i].id, udf);
		mk_buf_puts(out, i > 0 ? ",{\"device\":\"" :
		    "{\"device\":\"");
		mk_buf_puts(out, udf);
		mk_buf_putc(out, '"');
		meshkeys_json_string(out, "comment", comment);
		show_json_number(out, "keys", n);
		mk_buf_putc(out, '}');
	}
	mk_buf_puts(out, "]}");
}

static int
look_inside(struct meshkeys *m, struct look *look)
{
	const struct mk_bytes set = { look->set.data, look->set.len };
	struct mk_demand demand = meshkeys_demand(m, &set, look->udf);
	const struct mk_verified *verified;
	int e;

	demand.seen = look->has_seen ? &look->seen : NULL;
	mk_arena_init(&look->arena, mk_verify_memory(set.len));
	e = mk_verify(&look->arena, &demand, &verified, &m->why);
	if (e == 0 && m->json)
		put_json(&m->out, look, mk_verified_view(verified));
	else if (e == 0)
		put_text(&m->out, look, mk_verified_view(verified));
	mk_arena_release(&look->arena);
	return e;
}

/* In the process apart. */
static int
work(struct meshkeys *m, void *arg)
{
	struct look look = { .udf = arg };
	int e;

	mk_arena_init(&look.seen_arena, mk_verify_memory(MK_SEEN_MAX));
	if ((e = read_stores(m, &look)) == 0)
		e = look_inside(m, &look);
	mk_file_release(&look.set);
	mk_file_release(&look.memory);
	mk_arena_release(&look.seen_arena);
	mk_store_close(&look.store);
	return e;
}

void
meshkeys_map_profile(struct meshkeys_change *c)
{
	struct meshkeys *m = c->m;
	struct mk_buf command;
	int e;

	mk_buf_init(&c->profile, PROFILE_MAX);
	e = meshkeys_apart(m, work, &c->udf, &c->profile);
	if (e == 0)
		return;
	mk_buf_cut(&c->profile, 0);
	mk_buf_init(&command, MESHKEYS_OUT_MAX);
	meshkeys_put_command(m, &command, "refresh", c->user);
	if (e == MK_E_NOPROFILE)
		meshkeys_map_warn(c, "no profile of this fingerprint is in "
		    "the cache, and a fingerprint has no checksum: whether "
		    "all its letters are right cannot be told; compare all "
		    "of them with '%s' herself, and fetch her profile; run: "
		    "%s", c->user,
		    command.data != NULL ? command.data : "");
	else if (e == MK_E_REFUSED)
		meshkeys_map_warn(c, "the set in the cache is refused: %s: "
		    "%s", m->why.stage, m->why.detail);
	else
		meshkeys_map_warn(c, "cannot look for her profile, so "
		    "whether all letters are right cannot be told: %s: %s",
		    m->why.stage, m->why.detail);
	mk_buf_release(&command);
	memset(&m->why, 0, sizeof(m->why));
}
