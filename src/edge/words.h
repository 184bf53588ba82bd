/* SPDX-License-Identifier: ISC */
/*
 * One splitter for meshkeys.conf, map and users/: words divided by spaces
 * and tabs; "..." keeps them, \" and \\ stand for themselves inside and
 * outside of quotes; # begins a comment where a word could begin.
 */
#ifndef MK_EDGE_WORDS_H
#define MK_EDGE_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/limits.h"

struct mk_why;

struct mk_words {
	char *word[MK_LINE_WORDS];	/* NUL-ended, in the line itself */
	unsigned n;
};

/*
 * Splits a line in place.  'line' is NUL-ended, without its line feed.  A
 * control character (DOS line ends too), an open quote, another escape and
 * too many words are MK_E_CONFIG; 'why' says which.
 */
int	mk_words_split(char *line, struct mk_words *ret_words,
	    struct mk_why *why);

/* A line as the administrator knows it. */
struct mk_where {
	const char *path;
	unsigned line;
	const char *root;	/* what stands before the path in messages;
				   NULL: nothing */
};

const char *mk_where_root(const struct mk_where *where);

/*
 * The same for line 'where' of a file, 'len' bytes that may hold a NUL: the
 * reason names the file and the line, and the repair command if any.
 */
int	mk_line_split(char *line, size_t len, const struct mk_where *where,
	    struct mk_words *ret_words, struct mk_why *why);

/* Puts "FILE:LINE: " before a reason; returns the reason's code. */
int	mk_where_fail(const struct mk_where *where,
	    const struct mk_why *reason, struct mk_why *why);

/* The next line of a text: NULL at its end; NULs inside are kept, *len. */
char	*mk_line_next(char **cursor, char *end, size_t *ret_len);

/* "N[smhdw]" as seconds, at most ten years. */
bool	mk_duration_parse(const char *s, int64_t *ret_seconds);

/* A whole number of at most 'max', digits only. */
bool	mk_number_parse(const char *s, uint64_t max, uint64_t *ret_n);

#endif
