/* SPDX-License-Identifier: ISC */
/*
 * Prometheus's text exposition format, version 0.0.4: the lines of a metric
 * stand together, behind what it is.  The fingerprint makes each series the
 * only one of its name; a user's name is cleaned as everywhere, and escaped.
 */
#include <string.h>

#include "cmd/status.h"
#include "core/timestamp.h"

/* One number of a profile; false where there is none. */
typedef bool status_value(const struct status_row *row, int64_t *ret_value);

static bool
value_age(const struct status_row *row, int64_t *ret_value)
{
	*ret_value = row->age;
	return row->age != MK_AGE_NONE;
}

static bool
value_devices(const struct status_row *row, int64_t *ret_value)
{
	*ret_value = (int64_t)row->devices;
	return row->verified;
}

static bool
value_keys(const struct status_row *row, int64_t *ret_value)
{
	*ret_value = (int64_t)row->keys;
	return row->verified;
}

static bool
value_signed(const struct status_row *row, int64_t *ret_value)
{
	*ret_value = row->signed_time;
	return row->signed_time != MK_TIME_NONE;
}

static bool
value_expires(const struct status_row *row, int64_t *ret_value)
{
	*ret_value = row->expires;
	return row->expires != MK_TIME_NONE;
}

static bool
value_users(const struct status_row *row, int64_t *ret_value)
{
	*ret_value = row->profile->users;
	return true;
}

static bool
value_ok(const struct status_row *row, int64_t *ret_value)
{
	*ret_value = row->reason == NULL;
	return true;
}

static bool
value_stale(const struct status_row *row, int64_t *ret_value)
{
	*ret_value = row->state == STATUS_STALE ||
	    row->state == STATUS_TOO_STALE;
	return true;
}

static bool
value_refused(const struct status_row *row, int64_t *ret_value)
{
	*ret_value = status_refused(row);
	return true;
}

static bool
value_problem(const struct status_row *row, int64_t *ret_value)
{
	*ret_value = row->problem != NULL;
	return true;
}

static const struct metric {
	const char *name, *help;
	status_value *value;
} metrics[] = {
	{ "age_seconds", "Time since the cached set was last confirmed.",
	    value_age },
	{ "devices", "Devices that the profile lists.", value_devices },
	{ "expires_timestamp_seconds", "When the signed profile expires, if "
	    "it does.", value_expires },
	{ "keys", "SSH keys that may log in.", value_keys },
	{ "ok", "Whether the cached set is let in: 1 or 0.", value_ok },
	{ "problem", "Whether its portal last gave nothing, or a set that is "
	    "refused: 1 or 0.", value_problem },
	{ "refused", "Whether the cached set or the last one that came is "
	    "refused: 1 or 0.", value_refused },
	{ "signed_timestamp_seconds", "When the profile was signed, if it "
	    "says so.", value_signed },
	{ "stale", "Whether the cached set is stale: 1 or 0.", value_stale },
	{ "users", "Lines that map a user to the profile.", value_users },
};

static void
put_value(struct mk_buf *out, int64_t value)
{
	mk_buf_putc(out, ' ');
	if (value < 0)
		mk_buf_putc(out, '-');
	mk_buf_putu(out, value < 0 ? -(uint64_t)value : (uint64_t)value);
	mk_buf_putc(out, '\n');
}

static void
put_head(struct mk_buf *out, const char *prefix, const char *name,
    const char *help)
{
	mk_buf_puts(out, "# HELP meshkeys_");
	mk_buf_puts(out, prefix);
	mk_buf_puts(out, name);
	mk_buf_putc(out, ' ');
	mk_buf_puts(out, help);
	mk_buf_puts(out, "\n# TYPE meshkeys_");
	mk_buf_puts(out, prefix);
	mk_buf_puts(out, name);
	mk_buf_puts(out, " gauge\n");
}

/* A line feed cannot be left by show_clean(); the other two can. */
static void
put_label(struct mk_buf *out, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			mk_buf_putc(out, '\\');
		show_clean(out, s, 1);
	}
}

static void
put_metric(struct mk_buf *out, const struct status *s,
    const struct metric *metric)
{
	int64_t value;
	size_t i;

	put_head(out, "profile_", metric->name, metric->help);
	for (i = 0; i < s->n; i++) {
		const struct status_row *row = s->rows[i];

		if (!metric->value(row, &value))
			continue;
		mk_buf_puts(out, "meshkeys_profile_");
		mk_buf_puts(out, metric->name);
		mk_buf_puts(out, "{udf=\"");
		show_udf(out, &row->profile->udf);
		mk_buf_puts(out, "\",user=\"");
		put_label(out, row->profile->user);
		mk_buf_puts(out, "\"}");
		put_value(out, value);
	}
}

static void
put_number(struct mk_buf *out, const char *name, const char *help,
    int64_t value)
{
	put_head(out, "", name, help);
	mk_buf_puts(out, "meshkeys_");
	mk_buf_puts(out, name);
	put_value(out, value);
}

static void
put_states(struct mk_buf *out, const struct status *s)
{
	size_t i;

	put_head(out, "", "profiles_in_state", "Profiles by what a login "
	    "makes of their cached set.");
	for (i = 0; i < STATUS_STATES; i++) {
		mk_buf_puts(out, "meshkeys_profiles_in_state{state=\"");
		mk_buf_puts(out, status_words[i]);
		mk_buf_puts(out, "\"}");
		put_value(out, (int64_t)s->counts[i]);
	}
}

void
status_metrics(const struct status *s, struct mk_buf *out)
{
	size_t i;

	put_number(out, "map_bad_lines", "Lines of the map, users/ and passwd "
	    "that cannot be used.", s->everyone.bad_lines);
	put_number(out, "oldest_age_seconds", "Age of the cached set that was "
	    "confirmed longest ago.", s->oldest);
	for (i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++)
		put_metric(out, s, &metrics[i]);
	put_number(out, "profiles", "Profiles that this host maps.",
	    (int64_t)s->n);
	put_states(out, s);
	put_number(out, "refused", "Profiles whose cached set or last one that "
	    "came is refused.", (int64_t)s->refused);
	put_number(out, "status_timestamp_seconds", "When these numbers were "
	    "taken.", s->now);
}
