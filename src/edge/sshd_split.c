/* SPDX-License-Identifier: ISC */
/* One line of sshd's, taken apart into words. */
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "edge/sshd_words.h"

struct splitter {
	const char *at;
	char *out;
	bool comments;		/* # ends the line where a word could begin */
};

/* Quotes, either backslash, and outside of quotes a blank. */
static bool
is_escape(char next, char quote)
{
	return next == '\'' || next == '"' || next == '\\' ||
	    (next == ' ' && quote == '\0');
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* One word; false for a quote that does not end. */
static bool
take_word(struct splitter *s)
{
	char quote = '\0';

	for (; *s->at != '\0'; s->at++) {
		if (*s->at == '\\' && is_escape(s->at[1], quote)) {
			*s->out++ = *++s->at;
		} else if (quote != '\0' && *s->at == quote) {
			quote = '\0';
		} else if (quote == '\0' && is_blank(*s->at)) {
			break;
		} else if (quote == '\0' &&
		    (*s->at == '"' || *s->at == '\'')) {
			quote = *s->at;
		} else {
			*s->out++ = *s->at;
		}
	}
	*s->out++ = '\0';
	return quote == '\0';
}

/* Moves to the next word, if there is one. */
static bool
at_word(struct splitter *s)
{
	while (is_blank(*s->at))
		s->at++;
	return *s->at != '\0' && !(s->comments && *s->at == '#');
}

int
mk_sshd_words(const char *value, bool comments, char ***ret_argv,
    struct mk_why *why)
{
	const size_t len = strlen(value);
	struct splitter s;
	char **argv;
	size_t n = 0;

	/* No word is shorter than a letter and what divides it. */
	argv = calloc(1, (len / 2 + 2) * sizeof(*argv) + 2 * len + 2);
	if (argv == NULL)
		return mk_fail(why, MK_E_SYSTEM, "memory", "out of memory");
	s = (struct splitter){ value, (char *)(argv + len / 2 + 2),
	    comments };
	while (at_word(&s)) {
		argv[n++] = s.out;
		if (!take_word(&s)) {
			free(argv);
			return mk_fail(why, MK_E_CONFIG, "sshd",
			    "a quote that does not end");
		}
	}
	argv[n] = NULL;
	*ret_argv = argv;
	return MK_OK;
}

int
mk_sshd_split(const char *value, char ***ret_argv, struct mk_why *why)
{
	return mk_sshd_words(value, false, ret_argv, why);
}
