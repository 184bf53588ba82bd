/* SPDX-License-Identifier: ISC */
#include "cmd/show.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/limits.h"
#include "core/timestamp.h"

void
show_clean(struct mk_buf *out, const char *s, size_t len)
{
	for (; len > 0; s++, len--)
		mk_buf_putc(out, *s >= ' ' && *s <= '~' ? *s : '?');
}

void
show_udf(struct mk_buf *out, const struct mk_udf *udf)
{
	char text[MK_UDF_TEXT + 1];

	mk_udf_format(udf, text);
	mk_buf_puts(out, text);
}

void
show_time(struct mk_buf *out, int64_t t)
{
	char text[MK_TIME_LEN + 1];

	mk_time_format(t, text);
	mk_buf_puts(out, text);
}

static bool
has_colour(void)
{
	const char *none = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) == 1 &&
	    (none == NULL || none[0] == '\0') &&
	    term != NULL && strcmp(term, "dumb") != 0;
}

void
show_tone(struct mk_buf *out, enum show_tone tone)
{
	static const char *const codes[] = { [SHOW_PLAIN] = "\033[0m",
	    [SHOW_GOOD] = "\033[32m", [SHOW_WARN] = "\033[33m",
	    [SHOW_BAD] = "\033[1;31m", [SHOW_HEAD] = "\033[1m" };

	if (has_colour())
		mk_buf_puts(out, codes[tone]);
}

void
show_count(struct mk_buf *out, size_t n, const char *what)
{
	mk_buf_putu(out, n);
	mk_buf_putc(out, ' ');
	mk_buf_puts(out, what);
	if (n != 1)
		mk_buf_putc(out, 's');
}

/* The two largest units: nobody compares seconds over months. */
void
show_span(struct mk_buf *out, int64_t seconds)
{
	static const struct {
		int64_t seconds;
		const char *word;
	} units[] = { { MK_DAY, "day" }, { 3600, "hour" },
	    { 60, "minute" }, { 1, "second" } };
	unsigned i, shown = 0;

	if (seconds < 1)
		mk_buf_puts(out, "0 seconds");
	for (i = 0; i < 4 && shown < 2; i++) {
		if (seconds < units[i].seconds && (shown == 0 ||
		    seconds == 0))
			continue;
		if (seconds >= units[i].seconds) {
			if (shown > 0)
				mk_buf_putc(out, ' ');
			show_count(out, (size_t)(seconds /
			    units[i].seconds), units[i].word);
		}
		seconds %= units[i].seconds;
		shown++;
	}
}

/* Quoted for a shell; the quotes of the text itself too. */
void
show_quoted(struct mk_buf *out, const char *s)
{
	mk_buf_putc(out, '\'');
	for (; *s != '\0'; s++) {
		if (*s == '\'')
			mk_buf_puts(out, "'\\'");
		mk_buf_putc(out, *s >= ' ' && *s <= '~' ? *s : '?');
	}
	mk_buf_putc(out, '\'');
}

void
show_json_name(struct mk_buf *out, const char *name)
{
	mk_buf_puts(out, ",\"");
	mk_buf_puts(out, name);
	mk_buf_puts(out, "\":");
}

/* A name may be any bytes, and JSON is UTF-8. */
void
show_json_string(struct mk_buf *out, const char *name, const char *s,
    size_t len)
{
	show_json_name(out, name);
	mk_buf_putc(out, '"');
	for (; len > 0; s++, len--) {
		if (*s == '"' || *s == '\\')
			mk_buf_putc(out, '\\');
		show_clean(out, s, 1);
	}
	mk_buf_putc(out, '"');
}

void
show_json_udf(struct mk_buf *out, const char *name, const struct mk_udf *udf)
{
	char text[MK_UDF_TEXT + 1];

	mk_udf_format(udf, text);
	show_json_string(out, name, text, MK_UDF_TEXT);
}

void
show_json_time(struct mk_buf *out, const char *name, int64_t t)
{
	char text[MK_TIME_LEN + 1];

	if (t == MK_TIME_NONE) {
		show_json_name(out, name);
		mk_buf_puts(out, "null");
		return;
	}
	mk_time_format(t, text);
	show_json_string(out, name, text, strlen(text));
}

void
show_json_number(struct mk_buf *out, const char *name, uint64_t n)
{
	show_json_name(out, name);
	mk_buf_putu(out, n);
}

void
show_json_bool(struct mk_buf *out, const char *name, bool b)
{
	show_json_name(out, name);
	mk_buf_puts(out, b ? "true" : "false");
}

int
show_print(struct mk_buf *out, struct mk_why *why)
{
	int e = mk_buf_check(out, why, "output");

	if (e != 0)
		return e;
	if (out->len > 0 &&
	    (fwrite(out->data, 1, out->len, stdout) != out->len ||
	    fflush(stdout) != 0))
		return mk_fail(why, MK_E_SYSTEM, "output",
		    "cannot write to standard output: %s", strerror(errno));
	mk_buf_cut(out, 0);
	return 0;
}

void
show_failure(const char *ident, const struct mk_why *why,
    const struct mk_buf *hint)
{
	fprintf(stderr, "%s: %s: %s\n", ident, why->stage, why->detail);
	if (hint->len > 0 && hint->failed == 0)
		fputs(hint->data, stderr);
}
