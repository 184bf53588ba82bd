/* SPDX-License-Identifier: ISC */
/*
 * Findings from the child that reads what strangers wrote: a line each, its
 * level, name, repair and text divided by tabs.  The child may have been
 * taken over: it can lie in words, but it cannot make a name of its own.
 */
#include <stdlib.h>
#include <string.h>

#include "cmd/check.h"

#define TEXT_MAX	(1u << 20)

struct errand {
	const struct check_apart *apart;
	const char *user;
};

static void
put_finding(struct mk_buf *out, const struct check_finding *f)
{
	mk_buf_putc(out, (char)('0' + f->level));
	mk_buf_putc(out, '\t');
	mk_buf_puts(out, f->name);
	mk_buf_putc(out, '\t');
	if (f->repair != NULL)
		meshkeys_put_clean(out, f->repair);
	mk_buf_putc(out, '\t');
	meshkeys_put_clean(out, f->text);
	mk_buf_putc(out, '\n');
}

/* In the child. */
static int
look(struct meshkeys *m, void *arg)
{
	const struct errand *errand = arg;
	struct check c = { .m = m, .user = errand->user };
	size_t i;
	int e = 0;

	errand->apart->look(&c, errand->apart->arg);
	for (i = 0; i < c.n; i++)
		put_finding(&m->out, &c.findings[i]);
	if (c.failed != 0)
		e = mk_fail(&m->why, c.failed, "check", "out of memory");
	check_release(&c);
	return e;
}

static const char *
known_name(const struct check_apart *apart, const char *name)
{
	const char *const *p;

	for (p = apart->names; *p != NULL; p++)
		if (strcmp(*p, name) == 0)
			return *p;
	return NULL;
}

/* One line, without its line feed; false for one that is none of ours. */
static bool
take_line(struct check *c, const struct check_apart *apart, char *line)
{
	char *field[4];
	const char *name;
	unsigned i;

	for (i = 0; i < 4; i++)
		if ((field[i] = strsep(&line, "\t")) == NULL)
			return false;
	name = known_name(apart, field[1]);
	if (name == NULL || line != NULL || field[0][1] != '\0' ||
	    field[0][0] < '0' + CHECK_OK || field[0][0] > '0' + CHECK_FAIL)
		return false;
	check_tell(c, (enum check_level)(field[0][0] - '0'), name,
	    field[2][0] != '\0' ? field[2] : NULL, "%s", field[3]);
	return true;
}

int
check_apart(struct check *c, const struct check_apart *apart,
    struct mk_why *why)
{
	struct errand errand = { apart, c->user };
	char *cursor, *line;
	struct mk_buf text;
	int e;

	mk_buf_init(&text, TEXT_MAX);
	e = meshkeys_apart(c->m, look, &errand, &text);
	if (e != 0)
		*why = c->m->why;
	cursor = e == 0 ? text.data : NULL;
	while (e == 0 && (line = strsep(&cursor, "\n")) != NULL)
		if (line[0] != '\0' && !take_line(c, apart, line))
			e = mk_fail(why, MK_E_BUG, "child", "the process "
			    "that reads the stores answered nonsense");
	mk_buf_release(&text);
	return e;
}
