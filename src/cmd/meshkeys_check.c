/* SPDX-License-Identifier: ISC */
/*
 * meshkeys check: the groups of cmd/check.h one after the other, and what
 * they found, for people or as one object.  The groups are independent of
 * each other: one that cannot look says so, and the next one looks.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/check.h"

#define FINDINGS_MAX	2000u	/* each group bounds its own */

static const struct {
	const char *word;	/* with --json */
	const char *mark;
	enum show_tone tone;
} levels[] = {
	[CHECK_OK] = { "ok", "ok       ", SHOW_GOOD },
	[CHECK_NOTE] = { "note", "note     ", SHOW_PLAIN },
	[CHECK_SKIPPED] = { "skipped", "skipped  ", SHOW_PLAIN },
	[CHECK_WARN] = { "warning", "warning  ", SHOW_WARN },
	[CHECK_FAIL] = { "failure", "FAILURE  ", SHOW_BAD },
};

static struct check_finding *
next_finding(struct check *c)
{
	struct check_finding *more;
	size_t room = c->room == 0 ? 32 : 2 * c->room;

	if (c->n == FINDINGS_MAX)
		return NULL;
	if (c->n == c->room) {
		more = realloc(c->findings, room * sizeof(*more));
		if (more == NULL)
			return NULL;
		c->findings = more;
		c->room = room;
	}
	memset(&c->findings[c->n], 0, sizeof(*c->findings));
	return &c->findings[c->n];
}

void
check_put(struct check *c, const struct check_about *about, const char *fmt,
    ...)
{
	struct check_finding *f = next_finding(c);
	va_list ap;
	int len;

	/* A check that lost a finding must not look like a good one. */
	if (f == NULL) {
		c->failed = MK_E_SYSTEM;
		return;
	}
	va_start(ap, fmt);
	len = vasprintf(&f->text, fmt, ap);
	va_end(ap);
	if (len == -1) {
		c->failed = MK_E_SYSTEM;
		return;
	}
	if (about->repair != NULL &&
	    (f->repair = strdup(about->repair)) == NULL)
		c->failed = MK_E_SYSTEM;
	f->level = about->level;
	f->name = about->name;
	c->n++;
}

void
check_tell_why(struct check *c, enum check_level level, const char *name,
    const struct mk_why *why)
{
	static const char mark[] = "; run: ";
	const char *run = strstr(why->detail, mark);
	const bool cut = strlen(why->detail) == sizeof(why->detail) - 1;

	/* Half a command may do another thing. */
	check_tell(c, level, name, run != NULL && !cut ?
	    run + strlen(mark) : NULL,
	    "%.*s", run != NULL ? (int)(run - why->detail) :
	    (int)strlen(why->detail), why->detail);
}

static void
skip_group(struct check *c, const char *name)
{
	check_tell(c, CHECK_SKIPPED, name, NULL, "not looked at: what is "
	    "below '%s' does not run here", c->m->place.root_dir);
}

int
check_run(struct check *c, struct mk_why *why)
{
	const bool here = c->m->place.root_dir == NULL;

	if (here)
		check_sshd(c);
	else
		skip_group(c, "sshd");
	check_files(c);
	if (c->user != NULL && here)
		check_user(c);
	else if (c->user != NULL)
		skip_group(c, "user");
	if (here)
		check_host(c);
	else
		skip_group(c, "host");
	if (c->failed != 0)
		return mk_fail(why, c->failed, "check",
		    "out of memory: findings are missing");
	return 0;
}

void
check_release(struct check *c)
{
	size_t i;

	for (i = 0; i < c->n; i++) {
		free(c->findings[i].text);
		free(c->findings[i].repair);
	}
	free(c->findings);
	c->findings = NULL;
	c->n = c->room = 0;
	mk_sshd_settings_free(c->settings);
	c->settings = NULL;
	mk_sshd_release(&c->sshd);
}

size_t
check_count(const struct check *c, enum check_level level)
{
	size_t n = 0, i;

	for (i = 0; i < c->n; i++)
		n += c->findings[i].level == level;
	return n;
}

enum check_level
check_worst(const struct check *c)
{
	enum check_level worst = CHECK_OK;
	size_t i;

	for (i = 0; i < c->n; i++)
		if (c->findings[i].level > worst)
			worst = c->findings[i].level;
	return worst;
}

static void
show_finding(struct mk_buf *out, const struct check_finding *f)
{
	show_tone(out, levels[f->level].tone);
	mk_buf_puts(out, levels[f->level].mark);
	show_tone(out, SHOW_PLAIN);
	mk_buf_puts(out, f->name);
	mk_buf_puts(out, ": ");
	meshkeys_put_clean(out, f->text);
	mk_buf_putc(out, '\n');
	if (f->repair == NULL)
		return;
	mk_buf_puts(out, "         run: ");
	meshkeys_put_clean(out, f->repair);
	mk_buf_putc(out, '\n');
}

void
check_show(const struct check *c)
{
	struct mk_buf *out = &c->m->out;
	size_t i;

	for (i = 0; i < c->n; i++)
		show_finding(out, &c->findings[i]);
	show_count(out, check_count(c, CHECK_FAIL), "failure");
	mk_buf_puts(out, ", ");
	show_count(out, check_count(c, CHECK_WARN), "warning");
	i = check_count(c, CHECK_SKIPPED);
	if (i > 0) {
		mk_buf_puts(out, ", ");
		mk_buf_putu(out, i);
		mk_buf_puts(out, " not looked at");
	}
	mk_buf_putc(out, '\n');
}

static void
json_finding(struct mk_buf *out, const struct check_finding *f)
{
	mk_buf_puts(out, "{\"name\":\"");
	mk_buf_puts(out, f->name);
	mk_buf_putc(out, '"');
	meshkeys_json_string(out, "level", levels[f->level].word);
	meshkeys_json_string(out, "text", f->text);
	if (f->repair != NULL) {
		meshkeys_json_string(out, "repair", f->repair);
	} else {
		show_json_name(out, "repair");
		mk_buf_puts(out, "null");
	}
	mk_buf_putc(out, '}');
}

static void
show_json(const struct check *c)
{
	struct mk_buf *out = &c->m->out;
	size_t i;

	mk_buf_puts(out, "{\"command\":\"check\"");
	if (c->user != NULL) {
		meshkeys_json_string(out, "user", c->user);
	} else {
		show_json_name(out, "user");
		mk_buf_puts(out, "null");
	}
	show_json_name(out, "findings");
	for (i = 0; i < c->n; i++) {
		mk_buf_putc(out, i == 0 ? '[' : ',');
		json_finding(out, &c->findings[i]);
	}
	mk_buf_puts(out, c->n == 0 ? "[]" : "]");
	show_json_number(out, "failures", check_count(c, CHECK_FAIL));
	show_json_number(out, "warnings", check_count(c, CHECK_WARN));
	mk_buf_puts(out, "}\n");
}

static int
status_of(enum check_level worst)
{
	if (worst == CHECK_FAIL)
		return MESHKEYS_FAILED;
	return worst == CHECK_WARN ? MESHKEYS_WARNED : 0;
}

int
meshkeys_check(struct meshkeys *m)
{
	struct check c = { .m = m,
	    .user = m->n_args > 0 ? m->args[0] : NULL };
	int e;

	if ((e = check_run(&c, &m->why)) == 0) {
		if (m->json)
			show_json(&c);
		else
			check_show(&c);
		e = meshkeys_print(m);
	}
	if (e == 0)
		m->status = status_of(check_worst(&c));
	check_release(&c);
	return e;
}
