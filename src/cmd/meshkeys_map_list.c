/* SPDX-License-Identifier: ISC */
/*
 * meshkeys map list: the lines of all sources, in the order in which they
 * are asked.
 */
#include <string.h>

#include "cmd/meshkeys_map.h"
#include "core/limits.h"

#define USER_WIDTH	12u
#define PIECE		(1u << 20)	/* printed at once */

struct list {
	struct meshkeys *m;
	size_t n, bad;
	int failed;		/* of printing, on the way */
};

static void
pad(struct mk_buf *out, size_t since, size_t width)
{
	size_t len = out->len - since;

	for (; len < width; len++)
		mk_buf_putc(out, ' ');
	mk_buf_puts(out, "  ");
}

static void
put_where(struct mk_buf *out, const struct meshkeys *m, const char *path,
    unsigned number)
{
	if (path[0] == '/')
		meshkeys_put_clean(out, m->keep.root.name);
	meshkeys_put_clean(out, path);
	if (number > 0) {
		mk_buf_putc(out, ':');
		mk_buf_putu(out, number);
	}
}

static void
put_text(struct list *list, const struct mk_told_line *line,
    const char *encoded)
{
	struct mk_buf *out = &list->m->out;
	size_t begin = out->len;
	unsigned i;

	mk_buf_puts(out, encoded);
	pad(out, begin, USER_WIDTH);
	begin = out->len;
	if (line->udf != NULL)
		show_udf(out, line->udf);
	else
		mk_buf_puts(out, line->passed ? "not used" : "denied");
	pad(out, begin, MK_UDF_TEXT);
	put_where(out, list->m, line->path, line->line);
	if (line->passed && line->udf != NULL)
		mk_buf_puts(out, "  not used");
	for (i = 0; i < line->n_options; i++) {
		mk_buf_puts(out, "  ");
		meshkeys_put_clean(out, line->options[i]);
	}
	mk_buf_putc(out, '\n');
}

static void
put_json(struct list *list, const struct mk_told_line *line,
    const char *encoded)
{
	struct mk_buf *out = &list->m->out;
	unsigned i;

	mk_buf_puts(out, list->n > 0 ? ",{\"source\":\"" :
	    "{\"source\":\"");
	mk_buf_puts(out, line->source);
	mk_buf_putc(out, '"');
	meshkeys_json_string(out, "user", line->user);
	meshkeys_json_string(out, "encoded", encoded);
	meshkeys_json_string(out, "file", line->path);
	show_json_number(out, "line", line->line);
	if (line->udf != NULL)
		show_json_udf(out, "udf", line->udf);
	show_json_bool(out, "denied", line->udf == NULL && !line->passed);
	show_json_bool(out, "used", !line->passed);
	show_json_name(out, "options");
	mk_buf_putc(out, '[');
	for (i = 0; i < line->n_options; i++)
		meshkeys_map_put_element(out, i, line->options[i]);
	mk_buf_puts(out, "]}");
}

static void
see_line(void *arg, const struct mk_told_line *line)
{
	char encoded[3 * MK_USERNAME_MAX + 1];
	struct list *list = arg;

	mk_name_encode(line->user, encoded);
	if (list->m->json)
		put_json(list, line, encoded);
	else
		put_text(list, line, encoded);
	list->n++;
	if (list->m->out.len > PIECE && list->failed == 0)
		list->failed = meshkeys_print(list->m);
}

static void
see_bad(void *arg, const struct mk_why *why)
{
	struct list *list = arg;

	(void)why;
	list->bad++;
}

static int
read_lines(struct list *list)
{
	struct meshkeys *m = list->m;
	const struct mk_teller teller = { see_bad, list, see_line };
	struct mk_everyone everyone;
	int e;

	if (m->n_args > 0)
		return mk_everyone_user(&m->keep.root, &m->keep.config,
		    m->args[0], &teller, &m->why);
	e = mk_everyone_read(&m->keep.root, &m->keep.config, &teller,
	    &everyone, &m->why);
	if (e == 0)
		mk_everyone_release(&everyone);
	return e;
}

int
meshkeys_map_list(struct meshkeys *m)
{
	struct list list = { .m = m };
	int e;

	if (m->n_args > 0 && (m->args[0][0] == '\0' ||
	    strlen(m->args[0]) > MK_USERNAME_MAX))
		return mk_fail(&m->why, MK_E_USAGE, "user",
		    "a user name has 1 to %u bytes", MK_USERNAME_MAX);
	if ((e = meshkeys_map_host(m)) != 0)
		return e;
	if (m->json)
		mk_buf_puts(&m->out, "{\"command\":\"map list\","
		    "\"lines\":[");
	if ((e = read_lines(&list)) != 0 || (e = list.failed) != 0)
		return e;
	if (m->n_args > 0 && list.n == 0 && list.bad == 0)
		return mk_fail(&m->why, MK_E_NOPROFILE, "identity",
		    "no source names '%s'", m->args[0]);
	if (m->json) {
		mk_buf_putc(&m->out, ']');
		show_json_number(&m->out, "bad-lines", list.bad);
		mk_buf_puts(&m->out, "}\n");
	} else if (list.bad > 0) {
		show_count(&m->out, list.bad, "line");
		mk_buf_puts(&m->out, " that cannot be used; run: ");
		meshkeys_put_command(m, &m->out, "map check", NULL);
		mk_buf_putc(&m->out, '\n');
	}
	return meshkeys_print(m);
}
