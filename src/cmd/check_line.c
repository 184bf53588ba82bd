/* SPDX-License-Identifier: ISC */
/*
 * Lines of authorized_keys files (sshd(8)), as far as it takes to find the
 * key in them.
 */
#include <string.h>

#include "cmd/check.h"
#include "core/sshkey.h"

struct span {
	const char *s;
	size_t len;
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static void
skip_blanks(struct span *rest)
{
	while (rest->len > 0 && is_blank(rest->s[0])) {
		rest->s++;
		rest->len--;
	}
}

/* Up to the next blank, in options one that no quotes hold. */
static struct span
next_word(struct span *rest, bool quotes)
{
	struct span word = { rest->s, 0 };
	bool quoted = false;
	size_t n;

	for (n = 0; n < rest->len; n++) {
		if (is_blank(rest->s[n]) && !quoted)
			break;
		if (!quotes)
			continue;
		if (rest->s[n] == '\\' && n + 1 < rest->len &&
		    rest->s[n + 1] == '"')
			n++;
		else if (rest->s[n] == '"')
			quoted = !quoted;
	}
	word.len = n;
	rest->s += n;
	rest->len -= n;
	skip_blanks(rest);
	return word;
}

static bool
is_type(const struct span *word)
{
	return mk_sshkey_type_of(word->s, word->len) != MK_SSH_OTHER ||
	    mk_sshkey_is_cert(word->s, word->len) ||
	    (word->len == 7 && memcmp(word->s, "ssh-dss", 7) == 0);
}

bool
check_line_key(const char *line, size_t len, struct check_key *ret_key)
{
	struct span rest = { line, len }, whole, type, key;

	skip_blanks(&rest);
	if (rest.len == 0 || rest.s[0] == '#')
		return false;
	whole = rest;
	type = next_word(&rest, false);
	if (!is_type(&type)) {
		rest = whole;
		(void)next_word(&rest, true);
		type = next_word(&rest, false);
	}
	key = next_word(&rest, false);
	if (!is_type(&type) || key.len == 0)
		return false;
	*ret_key = (struct check_key){ type.s, key.s, type.len, key.len };
	return true;
}
