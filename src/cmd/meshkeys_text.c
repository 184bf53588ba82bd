/* SPDX-License-Identifier: ISC */
/*
 * What meshkeys(8) writes: texts, and into the log.
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
	show_clean(out, s, strlen(s));
}

void
meshkeys_json_string(struct mk_buf *out, const char *name, const char *s)
{
	show_json_string(out, name, s, strlen(s));
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

	(void)snprintf(name, sizeof(name), "meshkeys.%s", m->command->cmd.name);
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
