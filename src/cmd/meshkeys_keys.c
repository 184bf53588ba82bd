/* SPDX-License-Identifier: ISC */
/*
 * meshkeys keys: the lines that sshd would get for a user, numbered as sshd
 * numbers what its AuthorizedKeysCommand prints.
 */
#include <stdio.h>
#include <string.h>

#include "cmd/explain.h"

/* The line behind *at, without its line feed; NULL behind the last. */
static const char *
next_line(const struct mk_buf *lines, size_t *at, size_t *ret_len)
{
	const char *s, *lf;

	if (*at == lines->len)
		return NULL;
	s = lines->data + *at;
	lf = memchr(s, '\n', lines->len - *at);
	*ret_len = (size_t)(lf - s);
	*at += *ret_len + 1;
	return s;
}

static void
put_lines(struct explain *x)
{
	struct mk_buf *out = &x->m->out;
	size_t at = 0, len = 0;
	unsigned number = 1;
	const char *s;

	for (; (s = next_line(&x->answer.lines, &at, &len)) != NULL;
	    number++) {
		mk_buf_putu(out, number);
		mk_buf_putc(out, '\t');
		mk_buf_put(out, s, len);
		mk_buf_putc(out, '\n');
	}
}

static void
put_json(struct explain *x)
{
	struct mk_buf *out = &x->m->out;
	size_t at = 0, len = 0;
	unsigned number = 1;
	const char *s;

	mk_buf_puts(out, "{\"command\":\"keys\"");
	meshkeys_json_string(out, "user", x->user);
	show_json_name(out, "keys");
	mk_buf_putc(out, '[');
	for (; (s = next_line(&x->answer.lines, &at, &len)) != NULL;
	    number++) {
		mk_buf_puts(out, number > 1 ? ",{\"line\":" : "{\"line\":");
		mk_buf_putu(out, number);
		show_json_string(out, "text", s, len);
		mk_buf_putc(out, '}');
	}
	mk_buf_puts(out, "]}\n");
}

/* Behind the lines, and for people only. */
static void
tell(const char *before, const char *what, const char *after)
{
	fprintf(stderr, MESHKEYS_IDENT ": %s%s%s\n", before, what, after);
}

static void
tell_profile(const struct explain_profile *p)
{
	char udf[MK_UDF_TEXT + 1];

	mk_udf_format(&p->mapped->udf, udf);
	if (p->rec.code != 0)
		fprintf(stderr, MESHKEYS_IDENT ": no keys of %s: %s: %s\n",
		    udf, p->rec.why.stage, p->rec.why.detail);
	else if (p->rec.stale)
		tell("the set of ", udf, p->mapped->policy.when_stale ==
		    MK_STALE_RESTRICT ? " is stale, so 'when-stale' puts "
		    "'restrict' before its keys" : " is stale, which "
		    "'when-stale' allows");
}

/* What does not stand in the lines. */
static void
tell_around(const struct explain *x)
{
	const struct mk_identity *id = &x->gathered.identity;
	const struct mk_config *config = &x->m->keep.config;
	size_t i;

	if (id->denied)
		tell("no Mesh keys by order of the administrator: a dash in "
		    "source '", id->source, "'");
	else if (id->n == 0)
		tell("nothing names a profile of this user", "", "");
	for (i = 0; x->answered && i < id->n; i++)
		tell_profile(&x->profiles[i]);
	if (explain_chain(x))
		tell("behind these lines come those of the chain, '",
		    config->chain[0], "'");
}

/* The reason that the helper would log. */
static int
fail(struct explain *x)
{
	if (x->failed_step != NULL)
		return x->code;
	x->m->why = *explain_why(x);
	mk_buf_puts(&x->m->hint, "the helper would exit with status ");
	mk_buf_putu(&x->m->hint, (unsigned)mk_exit_code(x->code));
	mk_buf_puts(&x->m->hint, "; for each step, run: ");
	meshkeys_put_command(x->m, &x->m->hint, "explain", x->user);
	mk_buf_putc(&x->m->hint, '\n');
	return x->code;
}

int
meshkeys_keys(struct meshkeys *m)
{
	struct explain x = { .m = m, .user = m->args[0] };
	int e;

	if ((e = explain_look(&x, &m->why)) != 0)
		goto out;
	if (x.code != 0) {
		e = fail(&x);
		goto out;
	}
	if (m->json)
		put_json(&x);
	else
		put_lines(&x);
	if ((e = meshkeys_print(m)) == 0)
		tell_around(&x);
out:
	explain_release(&x);
	return e;
}
