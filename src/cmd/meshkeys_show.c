/* SPDX-License-Identifier: ISC */
/*
 * What an administrator sees before she lets a set in.  Of the sets only
 * times, fingerprints and the comments of devices are shown, and those as
 * the helper of sshd shows them.
 */
#include <string.h>

#include "cmd/meshkeys.h"
#include "core/compare.h"
#include "core/limits.h"
#include "core/timestamp.h"

static const struct {
	const char *word;	/* with --json */
	const char *mark;
} changes[MK_CHANGES] = {
	[MK_DEVICE_SAME] = { "same", "    " },
	[MK_DEVICE_ADDED] = { "added", "  + " },
	[MK_DEVICE_REMOVED] = { "removed", "  - " },
	[MK_DEVICE_KEYS] = { "keys", "  ~ " },
};

/* The memory as it was read, or as the cache alone tells it. */
static const struct mk_seen *
seen_of(const struct meshkeys_offer *offer)
{
	const struct mk_held *held = &offer->here->held;

	return held->has_seen ? &held->seen : NULL;
}

static void
put_version(struct mk_buf *out, const struct mk_version *v)
{
	if (!v->timed) {
		mk_buf_puts(out, "a set of 2016 or 2017, without times");
		return;
	}
	mk_buf_puts(out, "signed ");
	show_time(out, v->personal_time);
	mk_buf_puts(out, ", master profile ");
	show_time(out, v->master_time);
}

static void
put_distance(struct mk_buf *out, const char *what, int64_t seen, int64_t now)
{
	mk_buf_puts(out, "          ");
	mk_buf_puts(out, what);
	if (now == seen) {
		mk_buf_puts(out, "of the same time\n");
		return;
	}
	show_span(out, now > seen ? now - seen : seen - now);
	mk_buf_puts(out, now > seen ? " newer\n" : " OLDER\n");
}

static void
put_distances(struct mk_buf *out, const struct mk_version *seen,
    const struct mk_version *now)
{
	if (!seen->timed || !now->timed)
		return;
	put_distance(out, "it is ", seen->personal_time, now->personal_time);
	if (seen->master_time != now->master_time)
		put_distance(out, "its master profile is ",
		    seen->master_time, now->master_time);
}

static void
put_versions(struct mk_buf *out, const struct meshkeys_offer *offer)
{
	const struct mk_version *now = &offer->accepted->view->version;
	const struct mk_seen *seen = seen_of(offer);

	mk_buf_puts(out, "seen:     ");
	if (offer->here->damage.code != 0)
		mk_buf_puts(out, "not known; the set in the cache alone "
		    "says:\n          ");
	if (seen != NULL)
		put_version(out, &seen->version);
	else
		mk_buf_puts(out, "nothing");
	mk_buf_puts(out, "\noffered:  ");
	put_version(out, now);
	mk_buf_puts(out, "\n          in '");
	meshkeys_put_clean(out, offer->from);
	mk_buf_puts(out, "'\n");
	if (seen != NULL)
		put_distances(out, &seen->version, now);
	if (now->timed && offer->accepted->view->expires != MK_TIME_NONE) {
		mk_buf_puts(out, "          expires ");
		show_time(out, offer->accepted->view->expires);
		mk_buf_putc(out, '\n');
	}
}

static void
put_change(struct mk_buf *out, const struct mk_device_change *change)
{
	mk_buf_puts(out, changes[change->change].mark);
	show_udf(out, &change->device);
	mk_buf_puts(out, "  ");
	show_count(out, change->n_keys, "key");
	if (change->comment[0] != '\0') {
		mk_buf_puts(out, "  ");
		mk_buf_puts(out, change->comment);
	}
	mk_buf_putc(out, '\n');
	if (change->deleted && change->change != MK_DEVICE_REMOVED)
		mk_buf_puts(out, "        DELETED earlier, and stays "
		    "deleted: no key of it is used\n");
}

static void
put_changes(struct mk_buf *out, const struct meshkeys_offer *offer)
{
	size_t i;

	mk_buf_puts(out, offer->old != NULL ?
	    "devices:  + added, - removed, ~ its keys change, against the "
	    "set in the cache\n" : "devices:  all that are offered; there "
	    "is no other set to compare with\n");
	for (i = 0; i < offer->n_changes; i++)
		put_change(out, &offer->changes[i]);
}

static void
put_deletions(struct mk_buf *out, const struct meshkeys_offer *offer)
{
	const struct mk_seen *seen = seen_of(offer);

	mk_buf_puts(out, "deleted:  ");
	show_count(out, seen != NULL ? seen->n_deleted : 0,
	    "device");
	mk_buf_puts(out, " that this host remembers, ");
	mk_buf_putu(out, offer->accepted->view->personal->n_deleted);
	mk_buf_puts(out, " that the offered set names\n");
}

static bool
other_key(const struct meshkeys_offer *offer)
{
	const struct mk_seen *seen = seen_of(offer);

	return seen != NULL && memcmp(seen->version.key,
	    offer->accepted->view->version.key, MK_DIGEST) != 0;
}

static bool
too_early(const struct meshkeys_offer *offer)
{
	const struct mk_version *now = &offer->accepted->view->version;

	return offer->policy->not_before != MK_TIME_NONE && (!now->timed ||
	    now->personal_time < offer->policy->not_before);
}

static void
put_warnings(struct mk_buf *out, const struct meshkeys_offer *offer)
{
	if (offer->here->damage.code != 0)
		mk_buf_puts(out, "WARNING:  the memory of this profile is "
		    "damaged; if there is a backup of it, restore\n"
		    "          that instead.  The deletions it knew are LOST: "
		    "compare each device below\n"
		    "          with what the user says.\n");
	if (other_key(offer))
		mk_buf_puts(out, "WARNING:  the memory is of ANOTHER MASTER "
		    "KEY.  Unless that file came here by\n"
		    "          mistake, somebody has made a key for the "
		    "fingerprint of another.\n");
	if (too_early(offer))
		mk_buf_puts(out, "WARNING:  'not-before' keeps the offered "
		    "set out at each login all the same.\n");
	/* Where the memory is damaged it would not even ask. */
	if (offer->here->damage.code == 0 &&
	    strcmp(offer->from, "the cache") == 0)
		mk_buf_puts(out, "hint:     mesh-refresh may get the newest "
		    "set, so that nothing need be accepted\n");
}

void
meshkeys_show_text(struct meshkeys *m, const struct meshkeys_offer *offer)
{
	struct mk_buf *out = &m->out;

	mk_buf_puts(out, "profile:  ");
	show_udf(out, offer->udf);
	mk_buf_puts(out, " of '");
	meshkeys_put_clean(out, m->user);
	mk_buf_puts(out, "'\nkept out: ");
	mk_buf_puts(out, offer->refusal->detail);
	mk_buf_putc(out, '\n');
	put_warnings(out, offer);
	put_versions(out, offer);
	put_changes(out, offer);
	put_deletions(out, offer);
}

static void
json_version(struct mk_buf *out, const char *name,
    const struct mk_version *v)
{
	mk_buf_puts(out, ",\"");
	mk_buf_puts(out, name);
	if (v == NULL) {
		mk_buf_puts(out, "\":null");
		return;
	}
	mk_buf_puts(out, "\":{\"pinned\":");
	mk_buf_puts(out, v->timed ? "false" : "true");
	show_json_time(out, "signed", v->personal_time);
	show_json_time(out, "master", v->master_time);
	mk_buf_putc(out, '}');
}

static void
json_change(struct mk_buf *out, const struct mk_device_change *change)
{
	char udf[MK_UDF_TEXT + 1];

	mk_udf_format(&change->device, udf);
	mk_buf_puts(out, "{\"device\":\"");
	mk_buf_puts(out, udf);
	mk_buf_putc(out, '"');
	meshkeys_json_string(out, "change", changes[change->change].word);
	show_json_number(out, "keys", change->n_keys);
	meshkeys_json_string(out, "comment", change->comment);
	show_json_bool(out, "deleted", change->deleted);
	mk_buf_putc(out, '}');
}

void
meshkeys_show_json(struct meshkeys *m, const struct meshkeys_offer *offer)
{
	const struct mk_seen *seen = seen_of(offer);
	struct mk_buf *out = &m->out;
	size_t i;

	mk_buf_puts(out, "{\"command\":\"accept\"");
	meshkeys_json_string(out, "user", m->user);
	show_json_udf(out, "udf", offer->udf);
	meshkeys_json_string(out, "from", offer->from);
	meshkeys_json_string(out, "reason", offer->refusal->detail);
	show_json_bool(out, "damaged", offer->here->damage.code != 0);
	show_json_bool(out, "other-master-key", other_key(offer));
	json_version(out, "seen", seen != NULL ? &seen->version : NULL);
	json_version(out, "offered", &offer->accepted->view->version);
	show_json_bool(out, "compared", offer->old != NULL);
	mk_buf_puts(out, ",\"devices\":[");
	for (i = 0; i < offer->n_changes; i++) {
		if (i > 0)
			mk_buf_putc(out, ',');
		json_change(out, &offer->changes[i]);
	}
	mk_buf_putc(out, ']');
	show_json_number(out, "deletions-remembered",
	    seen != NULL ? seen->n_deleted : 0);
	show_json_number(out, "deletions-offered",
	    offer->accepted->view->personal->n_deleted);
}
