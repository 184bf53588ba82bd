/* SPDX-License-Identifier: ISC */
/* The rows of meshkeys status, for people and as one object. */
#include <string.h>

#include "cmd/status.h"
#include "core/timestamp.h"

#define USER_WIDTH	20
#define DATE_LEN	10	/* of a time, the date */

static const enum show_tone tones[STATUS_STATES] = {
	[STATUS_FRESH] = SHOW_GOOD,
	[STATUS_STALE] = SHOW_WARN,
	[STATUS_TOO_STALE] = SHOW_BAD,
	[STATUS_REFUSED] = SHOW_BAD,
	[STATUS_MISSING] = SHOW_BAD,
	[STATUS_FAILED] = SHOW_BAD,
};

static void
pad(struct mk_buf *out, size_t begin, size_t width)
{
	do {
		mk_buf_putc(out, ' ');
	} while (out->failed == 0 && out->len < begin + width + 1);
}

/* The first user, and how many lines more name the profile. */
static void
put_user(struct mk_buf *out, const struct mk_profile *profile)
{
	size_t begin = out->len;

	meshkeys_put_clean(out, profile->user);
	if (profile->users > 1) {
		mk_buf_puts(out, " +");
		mk_buf_putu(out, profile->users - 1);
	}
	pad(out, begin, USER_WIDTH);
}

static void
put_number(struct mk_buf *out, bool known, size_t n, size_t width)
{
	size_t begin = out->len;

	if (known)
		mk_buf_putu(out, n);
	else
		mk_buf_putc(out, '-');
	pad(out, begin, width);
}

static void
put_date(struct mk_buf *out, int64_t t)
{
	char text[MK_TIME_LEN + 1];
	size_t begin = out->len;

	mk_time_format(t, text);
	mk_buf_put(out, text, strlen(text) == MK_TIME_LEN ? DATE_LEN :
	    strlen(text));
	pad(out, begin, DATE_LEN);
}

/* In the largest unit of which there are two: 90m, 47h, 3d */
static void
put_age(struct mk_buf *out, int64_t age)
{
	static const struct {
		int64_t seconds;
		char letter;
	} units[] = { { MK_DAY, 'd' }, { 3600, 'h' }, { 60, 'm' },
	    { 1, 's' } };
	size_t begin = out->len, i = 0;

	if (age == MK_AGE_NONE) {
		mk_buf_putc(out, '-');
	} else if (age < 0) {
		mk_buf_puts(out, "future");
	} else {
		while (i < 3 && age < 2 * units[i].seconds)
			i++;
		mk_buf_putu(out, (uint64_t)(age / units[i].seconds));
		mk_buf_putc(out, units[i].letter);
	}
	pad(out, begin, 6);
}

static void
put_reason(struct mk_buf *out, const char *what, const char *reason)
{
	mk_buf_puts(out, "    ");
	mk_buf_puts(out, what);
	meshkeys_put_clean(out, reason);
	mk_buf_putc(out, '\n');
}

static void
put_row(struct mk_buf *out, const struct status_row *row)
{
	put_user(out, row->profile);
	show_udf(out, &row->profile->udf);
	mk_buf_putc(out, ' ');
	put_number(out, row->verified, row->devices, 7);
	put_number(out, row->verified, row->keys, 4);
	put_date(out, row->signed_time);
	put_date(out, row->expires);
	put_age(out, row->age);
	show_tone(out, tones[row->state]);
	mk_buf_puts(out, status_words[row->state]);
	show_tone(out, SHOW_PLAIN);
	mk_buf_putc(out, '\n');
	if (row->reason != NULL)
		put_reason(out, "", row->reason);
	if (row->problem == NULL)
		return;
	mk_buf_puts(out, row->problem_status == mk_exit_code(MK_E_REFUSED) ?
	    "    last refusal " : "    last failure ");
	show_time(out, row->problem_time);
	mk_buf_puts(out, ": ");
	meshkeys_put_clean(out, row->problem);
	mk_buf_putc(out, '\n');
}

static void
put_totals(struct mk_buf *out, const struct status *s)
{
	static const char *const words[STATUS_STATES] = {
		[STATUS_FRESH] = " fresh", [STATUS_STALE] = " stale",
		[STATUS_TOO_STALE] = " too stale",
		[STATUS_REFUSED] = " refused",
		[STATUS_MISSING] = " never fetched",
		[STATUS_FAILED] = " failed"
	};
	size_t i;

	show_count(out, s->n, "profile");
	for (i = 0; i < STATUS_STATES; i++) {
		mk_buf_puts(out, i == 0 ? ": " : ", ");
		mk_buf_putu(out, s->counts[i]);
		mk_buf_puts(out, words[i]);
	}
	mk_buf_puts(out, "; ");
	show_count(out, s->devices, "device");
	mk_buf_puts(out, ", ");
	show_count(out, s->keys, "key");
	mk_buf_putc(out, '\n');
	if (s->everyone.bad_lines > 0) {
		show_count(out, s->everyone.bad_lines, "bad line");
		mk_buf_puts(out, " skipped; run: meshkeys map check\n");
	}
	if (s->everyone.unlisted)
		mk_buf_puts(out, "source 'nss' lists nobody: users of it are "
		    "not shown\n");
}

void
status_table(const struct status *s)
{
	struct mk_buf *out = &s->m->out;
	size_t i;

	if (s->n > 0) {
		show_tone(out, SHOW_HEAD);
		mk_buf_puts(out, "USER                 FINGERPRINT"
		    "                         DEVICES KEYS SIGNED     "
		    "EXPIRES    AGE    STATE");
		show_tone(out, SHOW_PLAIN);
		mk_buf_putc(out, '\n');
	}
	for (i = 0; i < s->n; i++)
		put_row(out, s->rows[i]);
	put_totals(out, s);
}

static void
json_text(struct mk_buf *out, const char *name, const char *s)
{
	if (s != NULL) {
		meshkeys_json_string(out, name, s);
		return;
	}
	show_json_name(out, name);
	mk_buf_puts(out, "null");
}

static void
json_row(struct mk_buf *out, const struct status_row *row)
{
	char udf[MK_UDF_TEXT + 1];

	mk_udf_format(&row->profile->udf, udf);
	mk_buf_puts(out, "{\"udf\":\"");
	mk_buf_puts(out, udf);
	mk_buf_putc(out, '"');
	meshkeys_json_string(out, "user", row->profile->user);
	show_json_number(out, "users", row->profile->users);
	meshkeys_json_string(out, "state", status_words[row->state]);
	show_json_number(out, "devices", row->devices);
	show_json_number(out, "keys", row->keys);
	show_json_time(out, "signed", row->signed_time);
	show_json_time(out, "expires", row->expires);
	show_json_name(out, "age");
	if (row->age == MK_AGE_NONE)
		mk_buf_puts(out, "null");
	else if (row->age < 0)
		mk_buf_putc(out, '-');
	if (row->age != MK_AGE_NONE)
		mk_buf_putu(out, row->age < 0 ? -(uint64_t)row->age :
		    (uint64_t)row->age);
	json_text(out, "reason", row->reason);
	show_json_bool(out, "refused", status_refused(row));
	json_text(out, "problem", row->problem);
	show_json_time(out, "problem-time", row->problem != NULL ?
	    row->problem_time : MK_TIME_NONE);
	mk_buf_putc(out, '}');
}

void
status_json(const struct status *s)
{
	struct mk_buf *out = &s->m->out;
	size_t i;

	mk_buf_puts(out, "{\"command\":\"status\",\"profiles\":[");
	for (i = 0; i < s->n; i++) {
		if (i > 0)
			mk_buf_putc(out, ',');
		json_row(out, s->rows[i]);
	}
	mk_buf_putc(out, ']');
	for (i = 0; i < STATUS_STATES; i++)
		show_json_number(out, status_words[i], s->counts[i]);
	show_json_number(out, "bad-lines", s->everyone.bad_lines);
	show_json_bool(out, "unlisted", s->everyone.unlisted);
	show_json_time(out, "time", s->now);
	mk_buf_puts(out, "}\n");
}
