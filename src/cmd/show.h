/* SPDX-License-Identifier: ISC */
/*
 * How the programs for people write things: for people, and as members of
 * the object that --json prints.
 */
#ifndef MK_CMD_SHOW_H
#define MK_CMD_SHOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/udf.h"

/* Printable ASCII of a text that is not ours, '?' for each other byte. */
void	show_clean(struct mk_buf *out, const char *s, size_t len);
void	show_udf(struct mk_buf *out, const struct mk_udf *udf);
void	show_time(struct mk_buf *out, int64_t t);

/*
 * Colour for what comes next, SHOW_PLAIN to end it: on a terminal only,
 * and never with NO_COLOR in the environment, nor where TERM is "dumb".
 */
enum show_tone {
	SHOW_PLAIN,
	SHOW_GOOD,
	SHOW_WARN,
	SHOW_BAD,
	SHOW_HEAD
};

void	show_tone(struct mk_buf *out, enum show_tone tone);

/* "1 device", "2 devices" */
void	show_count(struct mk_buf *out, size_t n, const char *what);

/* "3 days 4 hours": the two largest units. */
void	show_span(struct mk_buf *out, int64_t seconds);

/* Quoted for a shell; the quotes of the text itself too. */
void	show_quoted(struct mk_buf *out, const char *s);

/* Members, each behind a comma.  Strings are cleaned as for people. */
void	show_json_name(struct mk_buf *out, const char *name);
void	show_json_string(struct mk_buf *out, const char *name, const char *s,
	    size_t len);
void	show_json_udf(struct mk_buf *out, const char *name,
	    const struct mk_udf *udf);
/* null for MK_TIME_NONE */
void	show_json_time(struct mk_buf *out, const char *name, int64_t t);
void	show_json_number(struct mk_buf *out, const char *name, uint64_t n);
void	show_json_bool(struct mk_buf *out, const char *name, bool b);

/* On standard output, now; empties it.  MK_E_SYSTEM: nobody has seen it. */
int	show_print(struct mk_buf *out, struct mk_why *why);

/* On standard error, and what to do about it. */
void	show_failure(const char *ident, const struct mk_why *why,
	    const struct mk_buf *hint);

#endif
