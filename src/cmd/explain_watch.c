/* SPDX-License-Identifier: ISC */
/*
 * What is noted of each profile: before the decision the memory of this host
 * and the list of the keys it has seen, then what the decision says of each
 * key.  Copies only, since a verified set does not outlive its decision.
 */
#include <stdlib.h>
#include <string.h>

#include "cmd/explain.h"
#include "core/arena.h"
#include "core/digest.h"
#include "core/keylog.h"
#include "core/limits.h"
#include "core/timestamp.h"
#include "core/udfset.h"

/* Printable ASCII, cut; 'out' has room for MK_TEXT_MAX and a NUL. */
static void
copy_text(const char *s, size_t len, char *out)
{
	size_t i;

	for (i = 0; i < len && i < MK_TEXT_MAX; i++)
		out[i] = s[i] >= ' ' && s[i] <= '~' ? s[i] : '?';
	out[i] = '\0';
}

/* Its lines that have the key, on their way. */
struct tracing {
	const struct explain *x;
	struct explain_profile *profile;
	bool starved;
};

static void
see_line(void *arg, const struct mk_keylog_line *line,
    const struct mk_sshkey *key)
{
	struct tracing *t = arg;
	struct explain_profile *p = t->profile;
	struct explain_trace *traces;

	if (!mk_offer_is(&t->x->offer.key, key))
		return;
	traces = reallocarray(p->traces, p->n_traces + 1, sizeof(*traces));
	if (traces == NULL) {
		t->starved = true;
		return;
	}
	p->traces = traces;
	traces[p->n_traces++] = (struct explain_trace){
		.device = line->device, .first = line->first,
		.last = line->last, .proof = line->proof
	};
}

/* A list that is damaged is told, and stands in no login's way. */
static int
read_traces(struct explain *x, const struct mk_store *store,
    struct explain_profile *p, struct mk_why *why)
{
	struct tracing tracing = { x, p, false };
	const struct mk_keylog_reader reader = { see_line, &tracing };
	struct mk_file file = { .data = NULL };
	struct mk_bytes bytes;
	int e;

	if (!x->offer.given)
		return 0;
	e = mk_store_keys(store, &p->mapped->udf, &file, &p->traces_why);
	if (e == 0) {
		bytes = (struct mk_bytes){ file.data, file.len };
		e = mk_keylog_each(&bytes, &reader, &p->traces_why);
	}
	mk_file_release(&file);
	p->traces_failed = e == MK_E_ABSENT ? 0 : e;
	if (tracing.starved)
		return mk_fail(why, MK_E_SYSTEM, "memory", "out of memory");
	return 0;
}

static void
note_memory(struct explain_profile *p, const struct mk_seen *seen)
{
	size_t i;

	p->memory = EXPLAIN_SEEN;
	p->seen_time = seen->version.personal_time;
	p->n_remembered = seen->n_deleted;
	for (i = 0; i < p->n_traces; i++)
		p->traces[i].deleted = mk_seen_deleted(seen,
		    &p->traces[i].device);
}

/* A login tells one failure; nothing here may be another one. */
static void
look_for_memory(const struct mk_store *store, struct explain_profile *p)
{
	struct mk_file file = { .data = NULL };
	int e = mk_store_seen(store, &p->mapped->udf, &file, &p->memory_why);

	if (e != 0 && e != MK_E_ABSENT)
		p->memory = EXPLAIN_UNREADABLE;
	mk_file_release(&file);
}

static void
read_memory(const struct mk_store *store, struct explain_profile *p)
{
	const struct mk_found *found = p->found;
	struct mk_arena a;
	struct mk_seen seen;

	p->seen_time = MK_TIME_NONE;
	if (found->seen == NULL) {
		look_for_memory(store, p);
		return;
	}
	mk_arena_init(&a, mk_verify_memory(0));
	if (mk_seen_parse(&a, found->seen, found->seen_len, &seen, NULL) == 0)
		note_memory(p, &seen);
	else
		p->memory = EXPLAIN_DAMAGED;
	mk_arena_release(&a);
}

int
explain_watch_begin(struct explain *x, struct mk_why *why)
{
	const struct akc_gathered *g = &x->gathered;
	struct mk_store store;
	size_t i;
	int e = 0;

	x->profiles = calloc(g->identity.n + 1, sizeof(*x->profiles));
	if (x->profiles == NULL)
		return mk_fail(why, MK_E_SYSTEM, "memory", "out of memory");
	mk_store_open(&x->m->keep.root, &store);
	for (i = 0; e == 0 && i < g->identity.n; i++) {
		struct explain_profile *p = &x->profiles[i];

		p->mapped = &g->identity.profiles[i];
		p->found = &g->found[i];
		p->has_refusal = mk_store_refusal(&store, &p->mapped->udf,
		    &p->refusal) == 0;
		if ((e = read_traces(x, &store, p, why)) == 0)
			read_memory(&store, p);
	}
	mk_store_close(&store);
	return e;
}

static struct explain_device *
add_device(struct explain *x, struct explain_profile *p,
    const struct mk_udf *udf)
{
	size_t room = p->room > 0 ? 2 * p->room : 8;
	struct explain_device *devices;

	if (p->n_devices == p->room) {
		devices = reallocarray(p->devices, room, sizeof(*devices));
		if (devices == NULL) {
			x->starved = true;
			return NULL;
		}
		p->devices = devices;
		p->room = room;
	}
	devices = &p->devices[p->n_devices++];
	*devices = (struct explain_device){ .udf = *udf };
	return devices;
}

static void
add_key(struct explain *x, struct explain_profile *p,
    const struct mk_verified_key *key)
{
	const struct mk_ssh_device *ssh = key->ssh;
	struct explain_device *d = add_device(x, p, &ssh->device);
	uint8_t digest[MK_SHA256];

	if (d == NULL)
		return;
	d->verdict = key->verdict;
	if (key->comment[0] != '\0')
		copy_text(key->comment, strlen(key->comment), d->name);
	else
		copy_text(ssh->description.s, ssh->description.len, d->name);
	d->host = ssh->host;
	if (ssh->host)
		return;
	d->has_key = true;
	copy_text(ssh->key.name, ssh->key.name_len, d->type);
	mk_sha256(ssh->key.blob, ssh->key.len, digest);
	mk_sshkey_fingerprint(digest, d->fingerprint);
	d->offered = x->offer.given &&
	    mk_offer_is(&x->offer.key, &ssh->key);
}

/* Devices that the profile lists and that have no SSH key. */
static void
add_keyless(struct explain *x, struct explain_profile *p,
    const struct mk_personal *personal)
{
	size_t n = p->n_devices, i;
	struct mk_udfset with;
	struct mk_arena a;

	mk_arena_init(&a, n * sizeof(*with.items) + MK_ARENA_FLOOR);
	x->starved |= mk_udfset_init(&a, n, &with, NULL) != 0;
	for (i = 0; i < n && !x->starved; i++)
		mk_udfset_add(&with, &p->devices[i].udf, i);
	/* A device may have several keys. */
	if (!x->starved)
		(void)mk_udfset_seal(&with);
	for (i = 0; i < personal->n_devices && !x->starved; i++) {
		if (!mk_udfset_find(&with, &personal->devices[i].id, &n))
			(void)add_device(x, p, &personal->devices[i].id);
	}
	mk_arena_release(&a);
}

static void
note_set(struct explain_profile *p, const struct mk_verified_view *view)
{
	const struct mk_personal *personal = view->personal;
	size_t i;

	p->verified = true;
	p->gen = view->gen;
	p->signed_time = view->version.personal_time;
	p->expires = view->expires;
	p->clock_stale = view->clock_stale;
	p->n_deleted = personal->n_deleted;
	for (i = 0; i < p->n_traces; i++)
		p->traces[i].deleted |= mk_udf_in(personal->deleted,
		    personal->n_deleted, &p->traces[i].device);
}

/* A second look, at all keys, takes the place of the first. */
void
explain_watch_see(void *arg, const struct mk_verified_view *view,
    const struct mk_record *rec)
{
	struct explain *x = arg;
	struct explain_profile *p = x->profiles;
	size_t i;

	while (mk_udf_cmp(&p->mapped->udf, &rec->udf) != 0)
		p++;
	note_set(p, view);
	p->n_devices = 0;
	for (i = 0; i < view->n_keys && !x->starved; i++)
		add_key(x, p, &view->keys[i]);
	add_keyless(x, p, view->personal);
}
