/* SPDX-License-Identifier: ISC */
/*
 * A fingerprint as it comes from a mail, a telephone or a screen.
 */
#include <string.h>

#include "core/base32.h"
#include "core/err.h"
#include "edge/map_edit.h"

#define LETTERS		30u
#define SHOWN_MAX	72u	/* characters of the text that are shown */
#define STAGE		"fingerprint"

/* Unicode's dashes and its hard blank, which word processors put there. */
static const char *const marks[] = {
	"\xc2\xa0", "\xc2\xad", "\xe2\x80\x90", "\xe2\x80\x91",
	"\xe2\x80\x92", "\xe2\x80\x93", "\xe2\x80\x94", "\xe2\x80\xaf"
};

/* Bytes of what divides letters and means nothing; 0: it is no such. */
static size_t
passed(const char *s)
{
	size_t i;

	if (*s == ' ' || *s == '-' || (*s >= '\t' && *s <= '\r'))
		return 1;
	for (i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		if (strncmp(s, marks[i], strlen(marks[i])) == 0)
			return strlen(marks[i]);
	}
	return 0;
}

/*
 * The text again, and a caret below the byte at 'at'.  The reason is one
 * line, as all are, and its line feeds are put in afterwards.
 */
static int
point(const char *typed, size_t at, const char *what, struct mk_why *why)
{
	const size_t skip = at > SHOWN_MAX - 8 ? at - SHOWN_MAX / 2 : 0;
	size_t begin;

	(void)mk_fail(why, MK_E_USAGE, STAGE, "%s", what);
	if (why == NULL)
		return MK_E_USAGE;
	begin = strlen(why->detail);
	(void)mk_fail(why, MK_E_USAGE, STAGE, "%s|    %.*s|    %*s^", what,
	    (int)SHOWN_MAX, typed + skip, (int)(at - skip), "");
	why->detail[begin] = '\n';
	begin += 5 + strnlen(typed + skip, SHOWN_MAX);
	if (begin < sizeof(why->detail) && why->detail[begin] == '|')
		why->detail[begin] = '\n';
	return MK_E_USAGE;
}

static int
point_number(const char *typed, size_t at, struct mk_why *why, unsigned n,
    const char *what)
{
	struct mk_why reason;

	(void)mk_fail(&reason, MK_E_USAGE, STAGE, "%u letter%s %s", n,
	    n == 1 ? "" : "s", what);
	return point(typed, at, reason.detail, why);
}

/* What a character that cannot be was meant for, perhaps. */
static int
refuse_letter(const char *typed, size_t at, struct mk_why *why)
{
	static const struct {
		char typed;
		const char *meant;
	} likely[] = {
		{ '0', "the digit 0 never stands in a fingerprint; is it "
		    "the letter O?" },
		{ '1', "the digit 1 never stands in a fingerprint; is it "
		    "the letter I or L?" },
		{ '8', "the digit 8 never stands in a fingerprint; is it "
		    "the letter B?" }
	};
	size_t i;

	for (i = 0; i < sizeof(likely) / sizeof(likely[0]); i++) {
		if (typed[at] == likely[i].typed)
			return point(typed, at, likely[i].meant, why);
	}
	return point(typed, at, "a fingerprint has the letters A to Z and "
	    "the digits 2 to 7", why);
}

static int
check_type(const struct mk_udf *udf, struct mk_why *why)
{
	if (mk_udf_type(udf) == MK_UDF_KEY)
		return MK_OK;
	if (mk_udf_type(udf) == MK_UDF_RANDOM)
		return mk_fail(why, MK_E_REFUSED, STAGE, "this is the name "
		    "of an application profile or another random name, and "
		    "not the fingerprint of a key; that of a master key "
		    "begins with M");
	return mk_fail(why, MK_E_REFUSED, STAGE, "this is not the "
	    "fingerprint of a key: its type is %u, and that of a master key "
	    "is %u, which begins with MA, MB, MC or MD",
	    mk_udf_type(udf), MK_UDF_KEY);
}

int
mk_udf_read_typed(const char *typed, struct mk_udf *ret_udf,
    struct mk_why *why)
{
	char letters[LETTERS];
	size_t at, n = 0, first = 0, skip;
	struct mk_udf udf;
	char c;

	for (at = 0; typed[at] != '\0'; at += skip == 0 ? 1 : skip) {
		if ((skip = passed(typed + at)) > 0)
			continue;
		c = typed[at];
		if (c >= 'a' && c <= 'z')
			c = (char)(c - 'a' + 'A');
		if (mk_b32_value(c) < 0)
			return refuse_letter(typed, at, why);
		if (n < LETTERS)
			letters[n] = c;
		else if (n == LETTERS)
			first = at;
		n++;
	}
	if (n > LETTERS)
		return point_number(typed, first, why, (unsigned)n - LETTERS,
		    "too many: a fingerprint has 30");
	if (n == 28)
		return point(typed, at, "2 letters are missing: a fingerprint "
		    "has 30, and one of 28 in groups of four is of a Mesh "
		    "that this program does not know", why);
	if (n < LETTERS)
		return point_number(typed, at, why, LETTERS - (unsigned)n,
		    "missing: a fingerprint has 30");
	(void)mk_udf_parse_typed(letters, LETTERS, &udf);
	if (check_type(&udf, why) != MK_OK)
		return MK_E_REFUSED;
	*ret_udf = udf;
	return MK_OK;
}
