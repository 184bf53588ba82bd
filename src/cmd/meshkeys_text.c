/* SPDX-License-Identifier: ISC */
/*
 * What meshkeys(8) writes: texts, and into the log.
 */
#include <stdio.h>
#include <string.h>

#include "cmd/meshkeys.h"
#include "core/timestamp.h"
#include "edge/judge.h"
#include "edge/log.h"

#define TAIL_MAX	8192u

void
meshkeys_put_clean(struct mk_buf *out, const char *s)
{
	show_clean(out, s, strlen(s));
}

void
meshkeys_json_string(struct mk_buf *out, const char *name, const char *s)
{
	show_json_string(out, name, s, strlen(s));
}

/* A byte that neither a terminal nor a shell takes as it is. */
static void
put_octal(struct mk_buf *out, unsigned char c)
{
	mk_buf_putc(out, '\\');
	mk_buf_putc(out, (char)('0' + (c >> 6)));
	mk_buf_putc(out, (char)('0' + (c >> 3 & 7)));
	mk_buf_putc(out, (char)('0' + (c & 7)));
}

void
meshkeys_put_user(struct mk_buf *out, const char *user)
{
	const char *p;

	for (p = user; *p >= ' ' && *p <= '~'; p++)
		continue;
	if (*p == '\0' && user[0] != '-' && *mk_path_quote(user) == '\0') {
		mk_buf_puts(out, user);
		return;
	}
	mk_buf_puts(out, user[0] == '-' ? "-- " : "");
	if (*p == '\0') {
		show_quoted(out, user);
		return;
	}
	mk_buf_puts(out, "\"$(printf '");
	for (p = user; *p != '\0'; p++) {
		if (*p <= ' ' || *p > '~' || strchr("'\"\\%$`!", *p) != NULL)
			put_octal(out, (unsigned char)*p);
		else
			mk_buf_putc(out, *p);
	}
	mk_buf_puts(out, "')\"");
}

void
meshkeys_put_command(const struct meshkeys *m, struct mk_buf *out,
    const char *command, const char *user)
{
	mk_buf_puts(out, "meshkeys ");
	mk_buf_puts(out, command);
	if (m->place.root_dir != NULL) {
		mk_buf_puts(out, " --root ");
		show_quoted(out, m->place.root_dir);
	}
	if (user != NULL) {
		mk_buf_putc(out, ' ');
		meshkeys_put_user(out, user);
	}
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
	char name[32], udf[MK_UDF_TEXT + 1] = "", *p;
	struct mk_buf tail;

	(void)snprintf(name, sizeof(name), "meshkeys.%s", m->command->cmd.name);
	/* "map add" is one word there. */
	for (p = name; (p = strchr(p, ' ')) != NULL; )
		*p = '-';
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
