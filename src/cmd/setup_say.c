/* SPDX-License-Identifier: ISC */
/*
 * What setup and unsetup tell: each step at once, or with --json all of
 * them at the end, and the log.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/setup.h"
#include "core/write.h"
#include "edge/log.h"

#define TAIL_MAX	1024u

static void
clean(char *s)
{
	for (; *s != '\0'; s++) {
		if (*s < ' ' || *s > '~')
			*s = '?';
	}
}

/* Who hung up hears nothing more; the steps go on or back all the same. */
void
setup_say(const struct setup *s, const char *fmt, ...)
{
	struct mk_buf *out = &s->m->out;
	char *text;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n == -1)
		return;
	clean(text);
	if (s->m->json) {
		if (out->len > 0)
			mk_buf_putc(out, ',');
		mk_json_write(text, strlen(text), out);
	} else {
		(void)puts(text);
		(void)fflush(stdout);
	}
	free(text);
}

int
setup_tell_end(struct setup *s, const char *result)
{
	struct meshkeys *m = s->m;
	struct mk_buf all;
	int e;

	if (!m->json || s->told)
		return 0;
	s->told = true;
	mk_buf_init(&all, MESHKEYS_OUT_MAX);
	mk_buf_puts(&all, "{\"command\":\"");
	mk_buf_puts(&all, m->command->cmd.name);
	mk_buf_putc(&all, '"');
	meshkeys_json_string(&all, "result", result);
	show_json_name(&all, "steps");
	mk_buf_putc(&all, '[');
	mk_buf_put(&all, m->out.data, m->out.len);
	mk_buf_puts(&all, "]}\n");
	if (m->out.failed != 0)
		all.failed = m->out.failed;
	e = show_print(&all, &m->why);
	mk_buf_release(&all);
	mk_buf_cut(&m->out, 0);
	return e;
}

void
setup_log(const struct setup *s, const char *event, const char *text,
    const struct mk_why *why)
{
	char name[64];
	struct mk_buf tail;

	(void)snprintf(name, sizeof(name), "meshkeys.%s", event);
	mk_buf_init(&tail, TAIL_MAX);
	mk_log_value(&tail, "event", name);
	mk_log_echo(false);
	if (why != NULL)
		mk_log(LOG_ERR, "%s: %s; %s", why->stage, why->detail,
		    tail.data != NULL ? tail.data : "");
	else
		mk_log(LOG_NOTICE, "%s; %s", text,
		    tail.data != NULL ? tail.data : "");
	s->m->logged = true;
	mk_buf_release(&tail);
}
