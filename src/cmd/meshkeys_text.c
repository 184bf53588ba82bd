/* SPDX-License-Identifier: ISC */
/*
 * How things are written: for people, for programs and into the log.
 */
#include <stdio.h>
#include <string.h>

#include "cmd/meshkeys.h"
#include "core/timestamp.h"
#include "edge/log.h"

#define TAIL_MAX	8192u

void
meshkeys_put_clean(struct mk_buf *out, const char *s)
{
	for (; *s != '\0'; s++)
		mk_buf_putc(out, *s >= ' ' && *s <= '~' ? *s : '?');
}

void
meshkeys_put_udf(struct mk_buf *out, const struct mk_udf *udf)
{
	char text[MK_UDF_TEXT + 1];

	mk_udf_format(udf, text);
	mk_buf_puts(out, text);
}

void
meshkeys_put_time(struct mk_buf *out, int64_t t)
{
	char text[MK_TIME_LEN + 1];

	mk_time_format(t, text);
	mk_buf_puts(out, text);
}

void
meshkeys_put_count(struct mk_buf *out, size_t n, const char *what)
{
	mk_buf_putu(out, n);
	mk_buf_putc(out, ' ');
	mk_buf_puts(out, what);
	if (n != 1)
		mk_buf_putc(out, 's');
}

static void
put_name(struct mk_buf *out, const char *name)
{
	mk_buf_puts(out, ",\"");
	mk_buf_puts(out, name);
	mk_buf_puts(out, "\":");
}

/* Cleaned as for people: a name may be any bytes, and JSON is UTF-8. */
void
meshkeys_json_string(struct mk_buf *out, const char *name, const char *s)
{
	put_name(out, name);
	mk_buf_putc(out, '"');
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			mk_buf_putc(out, '\\');
		mk_buf_putc(out, *s >= ' ' && *s <= '~' ? *s : '?');
	}
	mk_buf_putc(out, '"');
}

void
meshkeys_json_udf(struct mk_buf *out, const char *name,
    const struct mk_udf *udf)
{
	char text[MK_UDF_TEXT + 1];

	mk_udf_format(udf, text);
	meshkeys_json_string(out, name, text);
}

void
meshkeys_json_time(struct mk_buf *out, const char *name, int64_t t)
{
	char text[MK_TIME_LEN + 1];

	if (t == MK_TIME_NONE) {
		put_name(out, name);
		mk_buf_puts(out, "null");
		return;
	}
	mk_time_format(t, text);
	meshkeys_json_string(out, name, text);
}

void
meshkeys_json_number(struct mk_buf *out, const char *name, uint64_t n)
{
	put_name(out, name);
	mk_buf_putu(out, n);
}

void
meshkeys_json_bool(struct mk_buf *out, const char *name, bool b)
{
	put_name(out, name);
	mk_buf_puts(out, b ? "true" : "false");
}

static void
log_time(struct mk_buf *tail, const char *name, int64_t t)
{
	char text[MK_TIME_LEN + 1];

	mk_time_format(t, text);
	mk_log_value(tail, name, t != MK_TIME_NONE ? text : NULL);
}

/* A refusal is the user's affair, other failures are ours. */
static int
level_of(int code)
{
	if (code == 0 || code == MK_E_REFUSED || code == MK_E_NOPROFILE ||
	    code == MK_E_STALE || code == MK_E_USAGE)
		return LOG_NOTICE;
	return LOG_ERR;
}

void
meshkeys_log(struct meshkeys *m, const struct meshkeys_event *event)
{
	char name[32], udf[MK_UDF_TEXT + 1] = "";
	struct mk_buf tail;

	(void)snprintf(name, sizeof(name), "meshkeys.%s", m->command->name);
	if (event->udf != NULL)
		mk_udf_format(event->udf, udf);
	mk_buf_init(&tail, TAIL_MAX);
	mk_log_value(&tail, "event", name);
	mk_log_value(&tail, "user", m->user);
	mk_log_value(&tail, "udf", event->udf != NULL ? udf : NULL);
	log_time(&tail, "seen", event->seen);
	log_time(&tail, "set", event->set);
	/* The terminal is told in other words. */
	mk_log_echo(false);
	if (event->code != 0)
		mk_log(level_of(event->code), "%s: %s; %s", m->why.stage,
		    m->why.detail, tail.data != NULL ? tail.data : "");
	else
		mk_log(level_of(0), "%s; %s", event->text,
		    tail.data != NULL ? tail.data : "");
	m->logged = true;
	mk_buf_release(&tail);
}
