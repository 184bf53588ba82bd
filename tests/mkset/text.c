/* SPDX-License-Identifier: ISC */
/*
 * Edits: OLD becomes NEW at one level before the next step is done, so that
 * everything around it is made from the edited text.  An edit that finds
 * nothing, or whose level never comes, ends the program: a test that broke
 * nothing would pass for the wrong reason.
 */
#include "mkset.h"

#include <stdio.h>
#include <string.h>

#define LEVEL_CHARS	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" \
			"0123456789._:-"

static int
hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *p = c == '\0' ? NULL : strchr(digits, c);

	if (p == NULL)
		ms_die("'%c' is no hexadecimal digit", c);
	return (int)(p - digits) % 16;
}

static char
simple_escape(char c)
{
	switch (c) {
	case '0':
		return '\0';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	case '\\':
	case '"':
		return c;
	default:
		ms_die("'\\%c' is no escape; a backslash is '\\\\'", c);
	}
}

/* \n \r \t \0 \" \\ \xHH */
struct mk_text
ms_unescape(struct ms_set *set, const char *s)
{
	struct mk_buf b;

	mk_buf_init(&b, MS_TEXT_MAX);
	for (; *s != '\0'; s++) {
		if (*s != '\\') {
			mk_buf_putc(&b, *s);
		} else if (*++s == 'x') {
			mk_buf_putc(&b, (char)(hex_digit(s[1]) << 4 |
			    hex_digit(s[2])));
			s += 2;
		} else {
			mk_buf_putc(&b, simple_escape(*s));
		}
	}
	return ms_done(set, &b);
}

/* Cuts at the delimiter; the rest goes to *rest. */
static const char *
cut(struct ms_set *set, const char *s, char delimiter, const char **rest)
{
	const char *end = strchr(s, delimiter);

	if (end == NULL)
		ms_die("an edit ends without '%c'", delimiter);
	*rest = end + 1;
	return ms_printf(set, "%.*s", (int)(end - s), s);
}

/* LEVEL/OLD/NEW/[all] */
void
ms_edit_add(struct ms_set *set, const char *arg)
{
	struct ms_edit *edit = ms_alloc(set, 1, sizeof(*edit)), **p;
	size_t n = strspn(arg, LEVEL_CHARS);
	char delimiter = arg[n];
	const char *rest;

	if (n == 0 || delimiter == '\0')
		ms_die("'%s' is no edit: LEVEL/OLD/NEW/", arg);
	edit->level = ms_printf(set, "%.*s", (int)n, arg);
	edit->old = cut(set, arg + n + 1, delimiter, &rest);
	edit->new = cut(set, rest, delimiter, &rest);
	edit->all = strcmp(rest, "all") == 0;
	if (*edit->old == '\0' || (*rest != '\0' && !edit->all))
		ms_die("'%s' is no edit: LEVEL/OLD/NEW/[all]", arg);
	for (p = &set->edits; *p != NULL; p = &(*p)->next)
		;
	*p = edit;
}

/* The text with the first OLD, or each, replaced; there must be one. */
struct mk_text
ms_replace(struct ms_set *set, struct mk_text text, struct mk_text old,
    struct mk_text new, bool all)
{
	const char *p, *from = text.s, *end = text.s + text.len;
	struct mk_buf b;

	mk_buf_init(&b, MS_TEXT_MAX);
	p = memmem(from, text.len, old.s, old.len);
	if (p == NULL)
		ms_die("'%.*s' does not occur in '%.*s'", (int)old.len, old.s,
		    (int)(text.len < 2000 ? text.len : 2000), text.s);
	do {
		mk_buf_put(&b, from, (size_t)(p - from));
		mk_buf_put(&b, new.s, new.len);
		from = p + old.len;
		p = memmem(from, (size_t)(end - from), old.s, old.len);
	} while (all && p != NULL);
	mk_buf_put(&b, from, (size_t)(end - from));
	return ms_done(set, &b);
}

/* Whether 'wanted' is LEVEL, or LEVEL.PART where there is a part. */
static bool
is_level(const char *wanted, const char *level, const char *part)
{
	size_t n = strlen(level);

	if (strncmp(wanted, level, n) != 0)
		return false;
	if (part == NULL)
		return wanted[n] == '\0';
	return wanted[n] == '.' && strcmp(wanted + n + 1, part) == 0;
}

/* Shows a level that was asked for, a line feed behind it. */
static void
dump(struct ms_set *set, const char *level, const char *part,
    const struct mk_text *text)
{
	struct ms_pair *p;

	for (p = set->dumps; p != NULL; p = p->next) {
		if (!is_level(p->name, level, part))
			continue;
		(void)fwrite(text->s, 1, text->len, stdout);
		(void)putchar('\n');
		p->value = "shown";
	}
}

/* All edits of a level; what comes out is what --dump shows. */
void
ms_edit_apply(struct ms_set *set, const char *level, const char *part,
    struct mk_text *text)
{
	struct ms_edit *edit;
	struct mk_text old, new;

	for (edit = set->edits; edit != NULL; edit = edit->next) {
		if (!is_level(edit->level, level, part))
			continue;
		old = ms_unescape(set, ms_expand(set, edit->old));
		new = ms_unescape(set, ms_expand(set, edit->new));
		*text = ms_replace(set, *text, old, new, edit->all);
		edit->used = true;
	}
	dump(set, level, part, text);
}

void
ms_edit_check(const struct ms_set *set)
{
	const struct ms_edit *edit;
	const struct ms_pair *p;

	for (edit = set->edits; edit != NULL; edit = edit->next) {
		if (!edit->used)
			ms_die("there is no level '%s'", edit->level);
	}
	for (p = set->dumps; p != NULL; p = p->next) {
		if (*p->value == '\0')
			ms_die("there is no level '%s'", p->name);
	}
}
