/* SPDX-License-Identifier: ISC */
#include "edge/words.h"

#include <string.h>

#include "core/err.h"
#include "edge/judge.h"

#define TEN_YEARS	(3652 * (int64_t)MK_DAY)

/* A control character is never meant, and hides what a line says. */
static int
check_bytes(const char *line, struct mk_why *why)
{
	const char *p;

	for (p = line; *p != '\0'; p++) {
		if ((unsigned char)*p >= 0x20 && *p != 0x7f)
			continue;
		if (*p == '\t')
			continue;
		if (*p == '\r' && p[1] == '\0')
			return mk_fail(why, MK_E_CONFIG, "config",
			    "DOS line end");
		return mk_fail(why, MK_E_CONFIG, "config",
		    "control character 0x%02x", (unsigned char)*p);
	}
	return MK_OK;
}

/* Ends the word at *cursor in place and moves the cursor behind it. */
static int
take_word(char **cursor, struct mk_why *why)
{
	char *in = *cursor, *out = in;
	bool quoted = false;

	for (; *in != '\0' && (quoted || (*in != ' ' && *in != '\t')); in++) {
		if (*in == '"') {
			quoted = !quoted;
			continue;
		}
		if (*in == '\\' && *++in != '"' && *in != '\\')
			return mk_fail(why, MK_E_CONFIG, "config",
			    "a backslash before something else than a "
			    "double quote or a backslash");
		*out++ = *in;
	}
	if (quoted)
		return mk_fail(why, MK_E_CONFIG, "config",
		    "a double quote is not closed");
	if (*in != '\0')
		in++;
	*out = '\0';
	*cursor = in;
	return MK_OK;
}

int
mk_words_split(char *line, struct mk_words *ret_words, struct mk_why *why)
{
	struct mk_words words = { .n = 0 };
	int r;

	r = check_bytes(line, why);
	if (r != MK_OK)
		return r;
	for (;;) {
		line += strspn(line, " \t");
		if (*line == '\0' || *line == '#')
			break;
		if (words.n == MK_LINE_WORDS)
			return mk_fail(why, MK_E_CONFIG, "config",
			    "more than %u words", MK_LINE_WORDS);
		words.word[words.n++] = line;
		r = take_word(&line, why);
		if (r != MK_OK)
			return r;
	}
	*ret_words = words;
	return MK_OK;
}

const char *
mk_where_root(const struct mk_where *where)
{
	return where->root != NULL ? where->root : "";
}

int
mk_where_fail(const struct mk_where *where, const struct mk_why *reason,
    struct mk_why *why)
{
	return mk_fail(why, reason->code, "config", "%s%s:%u: %s",
	    mk_where_root(where), where->path, where->line, reason->detail);
}

int
mk_line_split(char *line, size_t len, const struct mk_where *where,
    struct mk_words *ret_words, struct mk_why *why)
{
	const char *root = mk_where_root(where);
	const char *q = *mk_path_quote(root) != '\0' ? mk_path_quote(root) :
	    mk_path_quote(where->path);
	struct mk_why reason;
	int r;

	if (memchr(line, '\0', len) != NULL)
		return mk_fail(why, MK_E_CONFIG, "config",
		    "%s%s:%u: a NUL byte", root, where->path, where->line);
	if (len > 0 && line[len - 1] == '\r')
		return mk_fail(why, MK_E_CONFIG, "config",
		    "%s%s:%u: DOS line end; run: sed -i 's/\\r$//' "
		    "%s%s%s%s", root, where->path, where->line, q, root,
		    where->path, q);
	r = mk_words_split(line, ret_words, &reason);
	return r == MK_OK ? MK_OK : mk_where_fail(where, &reason, why);
}

char *
mk_line_next(char **cursor, char *end, size_t *ret_len)
{
	char *line = *cursor, *lf;

	if (line == end)
		return NULL;
	lf = memchr(line, '\n', (size_t)(end - line));
	*cursor = lf == NULL ? end : lf + 1;
	if (lf == NULL)
		lf = end;
	*lf = '\0';
	*ret_len = (size_t)(lf - line);
	return line;
}

/* Digits up to 'end'; at least one. */
static bool
parse_digits(const char *s, const char *end, uint64_t max, uint64_t *ret_n)
{
	uint64_t n = 0, digit;

	if (s == end)
		return false;
	for (; s < end; s++) {
		if (*s < '0' || *s > '9')
			return false;
		digit = (uint64_t)(*s - '0');
		if (n > max / 10 || digit > max - n * 10)
			return false;
		n = n * 10 + digit;
	}
	*ret_n = n;
	return true;
}

bool
mk_duration_parse(const char *s, int64_t *ret_seconds)
{
	static const char units[] = "smhdw";
	static const uint32_t seconds[] = {
		1, 60, 3600, MK_DAY, 7 * MK_DAY
	};
	const char *end = s + strlen(s), *unit;
	uint32_t scale = 1;
	uint64_t n;

	if (end == s)
		return false;
	unit = strchr(units, end[-1]);
	if (unit != NULL) {
		scale = seconds[unit - units];
		end--;
	}
	if (!parse_digits(s, end, TEN_YEARS / scale, &n))
		return false;
	*ret_seconds = (int64_t)n * scale;
	return true;
}

bool
mk_number_parse(const char *s, uint64_t max, uint64_t *ret_n)
{
	return parse_digits(s, s + strlen(s), max, ret_n);
}
