/* SPDX-License-Identifier: ISC */
#include <config.h>

#include "cmd/cmdline.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "core/err.h"

#define TYPED_MAX	64	/* of a word or option that is shown again */
#define FIRST		256	/* of what getopt_long() calls our options */

struct parser {
	const struct cmdline_program *p;
	const struct cmdline_word *word;	/* NULL: not yet known */
	size_t place;				/* of it, in the list */
	/* In the order in which they stand, each once. */
	const struct cmdline_option *given[CMDLINE_OPTIONS_MAX];
	size_t n_given;
	bool help, version;
	bool list;		/* a failure shows the words as well */
	const char *head;	/* of them only those that begin so; or NULL */
	char *const *args;
	int n_args;
	struct mk_why why;
};

static int
width_of(const struct cmdline_program *p)
{
	const struct cmdline_word *w;
	size_t i, most = 0;

	for (i = 0; (w = p->word(i)) != NULL; i++) {
		if (strlen(w->name) > most)
			most = strlen(w->name);
	}
	return (int)most;
}

/* Whether a name of two words begins with this one. */
static bool
heads(const char *name, const char *head)
{
	size_t len = strlen(head);

	return strncmp(name, head, len) == 0 && name[len] == ' ';
}

/* 'head' NULL: all of them, else those that begin with that word. */
static void
list_words(const struct cmdline_program *p, const char *head, FILE *out)
{
	const struct cmdline_word *w;
	int width = width_of(p);
	size_t i;

	fprintf(out, "\n%s:\n", p->title);
	for (i = 0; (w = p->word(i)) != NULL; i++) {
		if (head == NULL || heads(w->name, head))
			fprintf(out, "  %s%-*s  %s\n", p->prefix, width,
			    w->name, w->line);
	}
}

static int
help(const struct cmdline_program *p)
{
	fputs(p->usage, stdout);
	list_words(p, NULL, stdout);
	printf("\n%s", p->tail);
	return CMDLINE_DONE;
}

static int
help_head(const struct cmdline_program *p, const char *head)
{
	fputs(p->usage, stdout);
	list_words(p, head, stdout);
	return CMDLINE_DONE;
}

static void
word_usage(const struct parser *s, FILE *out)
{
	fprintf(out, "usage: %s %s%s%s%s\n", s->p->ident, s->p->prefix,
	    s->word->name, s->word->usage[0] != '\0' ? " " : "",
	    s->word->usage);
}

static int
help_word(const struct parser *s)
{
	word_usage(s, stdout);
	printf("\n%s", s->word->help);
	return CMDLINE_DONE;
}

static int
version(void)
{
	puts(PACKAGE_STRING);
	return CMDLINE_DONE;
}

static void
tell_failure(const struct parser *s)
{
	fprintf(stderr, "%s: %s\n", s->p->ident, s->why.detail);
	if (s->word != NULL)
		word_usage(s, stderr);
	else
		fputs(s->p->usage, stderr);
	if (s->list)
		list_words(s->p, s->head, stderr);
}

static int
fail(struct parser *s, const char *what)
{
	return mk_fail(&s->why, MK_E_USAGE, "usage", "%s", what);
}

static int
fail_option(struct parser *s, const char *name, const char *what)
{
	return mk_fail(&s->why, MK_E_USAGE, "usage", "option '--%s' %s",
	    name, what);
}

/* By the number that getopt_long() has for it. */
static const char *
option_name(const struct cmdline_program *p, int number)
{
	size_t i = (size_t)(number - FIRST);

	if (i < p->n_options)
		return p->options[i].name;
	return i == p->n_options ? "help" : "version";
}

/* Their beginnings do as well, if they are those of one. */
static bool
begins_options(const struct cmdline_program *p, const char *name, size_t len)
{
	const int end = FIRST + (int)p->n_options + 2;
	int i;

	for (i = FIRST; i < end; i++) {
		if (strncmp(option_name(p, i), name, len) == 0)
			return true;
	}
	return false;
}

/* The value, which may be a secret, is not shown. */
static int
unknown_option(struct parser *s, const char *typed)
{
	size_t len = strcspn(typed, "=");
	bool many = len > 2 && begins_options(s->p, typed + 2, len - 2);

	return mk_fail(&s->why, MK_E_USAGE, "usage", "option '%.*s' %s",
	    len < TYPED_MAX ? (int)len : TYPED_MAX, typed, many ?
	    "is ambiguous" : "is not known");
}

/* 'c' is ':' or '?', and optopt tells of which option, if of one. */
static int
bad_option(struct parser *s, int c, char *const argv[])
{
	const char letter[] = { '-', (char)optopt, '\0' };

	if (c == ':')
		return fail_option(s, option_name(s->p, optopt),
		    "lacks its value");
	if (optopt >= FIRST)
		return fail_option(s, option_name(s->p, optopt),
		    "takes no value");
	return unknown_option(s, optopt != 0 ? letter : argv[optind - 1]);
}

static int
take_option(struct parser *s, const struct cmdline_option *o)
{
	if (o->value != NULL && *o->value != NULL)
		return fail_option(s, o->name, "is given twice");
	if (o->value == NULL && *o->on)
		return 0;
	if (o->value != NULL)
		*o->value = optarg;
	else
		*o->on = true;
	s->given[s->n_given++] = o;
	return 0;
}

static int
take(struct parser *s, int c, char *const argv[])
{
	size_t i = (size_t)(c - FIRST);

	if (c < FIRST)
		return bad_option(s, c, argv);
	if (i < s->p->n_options)
		return take_option(s, &s->p->options[i]);
	if (i == s->p->n_options)
		s->help = true;
	else
		s->version = true;
	return 0;
}

/* Up to the word first, then what stands behind it. */
static int
take_options(struct parser *s, int argc, char *const argv[])
{
	struct option options[CMDLINE_OPTIONS_MAX + 3] = { 0 };
	const size_t n = s->p->n_options + 2;
	size_t i;
	int c, e = 0;

	for (i = 0; i < n; i++) {
		options[i].val = FIRST + (int)i;
		options[i].name = option_name(s->p, options[i].val);
		options[i].has_arg = i < s->p->n_options &&
		    s->p->options[i].value != NULL ? required_argument :
		    no_argument;
	}
	opterr = 0;
	optind = 0;
	while (e == 0 && (c = getopt_long(argc, argv,
	    s->word == NULL ? "+:" : ":", options, NULL)) != -1)
		e = take(s, c, argv);
	s->args = argv + optind;
	s->n_args = argc - optind;
	return e;
}

/* The option of that letter, if it stands there. */
static const struct cmdline_option *
given(const struct parser *s, char letter)
{
	size_t i;

	for (i = 0; i < s->n_given; i++) {
		if (s->given[i]->letter == letter)
			return s->given[i];
	}
	return NULL;
}

static int
check_taken(struct parser *s)
{
	const struct cmdline_option *o;
	size_t i;

	for (i = 0; i < s->n_given; i++) {
		o = s->given[i];
		if (o->letter != '\0' &&
		    strchr(s->word->options, o->letter) == NULL)
			return mk_fail(&s->why, MK_E_USAGE, "usage",
			    "%s%s takes no option '--%s'", s->p->prefix,
			    s->word->name, o->name);
	}
	return 0;
}

static int
check_excluded(struct parser *s)
{
	const struct cmdline_option *a, *b;
	const char *pair;

	for (pair = s->p->exclude; pair[0] != '\0'; pair += 2) {
		a = given(s, pair[0]);
		b = given(s, pair[1]);
		if (a != NULL && b != NULL)
			return mk_fail(&s->why, MK_E_USAGE, "usage",
			    "'--%s' and '--%s' exclude each other", a->name,
			    b->name);
	}
	return 0;
}

/* What was typed, without the prefix that may stand before a word. */
static const char *
bare(const struct cmdline_program *p, const char *typed)
{
	size_t len = strlen(p->prefix);

	return strncmp(typed, p->prefix, len) == 0 ? typed + len : typed;
}

/* How many arguments stand for a word of this name; 0: they do not. */
static int
is_word(const struct parser *s, const char *name)
{
	const char *first = bare(s->p, s->args[0]);

	if (strcmp(first, name) == 0)
		return 1;
	if (!heads(name, first) || s->n_args < 2 ||
	    strcmp(s->args[1], name + strlen(first) + 1) != 0)
		return 0;
	return 2;
}

static bool
is_head(const struct parser *s, const char *typed)
{
	const struct cmdline_word *w;
	size_t i;

	for (i = 0; (w = s->p->word(i)) != NULL; i++) {
		if (heads(w->name, typed))
			return true;
	}
	return false;
}

/* The first half of a word of two, and no second one to it. */
static int
fail_half(struct parser *s, const char *head)
{
	s->list = true;
	s->head = head;
	if (s->n_args < 2)
		return mk_fail(&s->why, MK_E_USAGE, "usage", "which '%s'?",
		    head);
	if (strcmp(s->args[1], "--help") == 0)
		return help_head(s->p, head);
	return mk_fail(&s->why, MK_E_USAGE, "usage", "there is no %s "
	    "'%s %.*s'", s->p->noun, head, TYPED_MAX, s->args[1]);
}

static int
find_word(struct parser *s)
{
	const char *first = bare(s->p, s->args[0]);
	const struct cmdline_word *w;
	size_t i;
	int n;

	for (i = 0; (w = s->p->word(i)) != NULL; i++) {
		if ((n = is_word(s, w->name)) > 0) {
			s->word = w;
			s->place = i;
			s->args += n - 1;
			s->n_args -= n - 1;
			return 0;
		}
	}
	if (is_head(s, first))
		return fail_half(s, first);
	s->list = true;
	return mk_fail(&s->why, MK_E_USAGE, "usage",
	    "there is no %s '%.*s'", s->p->noun, TYPED_MAX, s->args[0]);
}

static int
parse_word(struct parser *s)
{
	int e;

	if ((e = take_options(s, s->n_args, s->args)) != 0)
		return e;
	if (s->help)
		return help_word(s);
	if (s->version)
		return version();
	if ((e = check_taken(s)) != 0 || (e = check_excluded(s)) != 0)
		return e;
	if (s->n_args < s->word->min)
		return fail(s, "an argument is missing");
	if (s->n_args > s->word->max)
		return fail(s, "too many arguments");
	return 0;
}

static int
parse(struct parser *s, int argc, char *const argv[])
{
	int e;

	if ((e = take_options(s, argc, argv)) != 0)
		return e;
	if (s->version)
		return version();
	if (s->n_args > 0 && strcmp(bare(s->p, s->args[0]), "help") == 0) {
		s->help = true;
		s->args++;
		s->n_args--;
	}
	if (s->n_args == 0 && s->help)
		return help(s->p);
	if (s->n_args == 0) {
		s->list = true;
		return mk_fail(&s->why, MK_E_USAGE, "usage", "which %s?",
		    s->p->noun);
	}
	if (s->help && s->n_args == 1 && is_head(s, bare(s->p, s->args[0])))
		return help_head(s->p, bare(s->p, s->args[0]));
	if ((e = find_word(s)) != 0)
		return e;
	return parse_word(s);
}

int
cmdline_parse(const struct cmdline_program *p, int argc, char *const argv[],
    struct cmdline *ret_line)
{
	struct parser s = { .p = p };
	int e;

	e = p->n_options > CMDLINE_OPTIONS_MAX ?
	    fail(&s, "the program has too many options") :
	    parse(&s, argc, argv);
	if (e < 0)
		tell_failure(&s);
	if (e == CMDLINE_DONE && (fflush(stdout) != 0 || ferror(stdout))) {
		fprintf(stderr, "%s: cannot write to standard output\n",
		    p->ident);
		return MK_E_SYSTEM;
	}
	if (e != 0)
		return e;
	ret_line->word = s.place;
	ret_line->args = s.args;
	ret_line->n_args = s.n_args;
	return 0;
}
