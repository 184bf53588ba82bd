/* SPDX-License-Identifier: ISC */
/*
 * The armour that ssh-keygen puts around a signature.  There is one writer
 * whose output is read here, so one spelling is enough.
 */
#include <string.h>

#include "core/arena.h"
#include "core/base64.h"
#include "core/err.h"
#include "core/profile.h"
#include "core/sshsig.h"

#define STAGE	"proof"
#define BEGIN	"-----BEGIN SSH SIGNATURE-----\n"
#define END	"-----END SSH SIGNATURE-----\n"
#define COLUMNS	70u

/* Characters of the longest base64, and of it in lines. */
#define BASE64_MAX	MK_B64STD_LEN(MK_SSHSIG_MAX)
#define LINES_MAX	(BASE64_MAX + BASE64_MAX / COLUMNS + 1)

static bool
takes(const char **s, size_t *n, const char *mark)
{
	size_t len = strlen(mark);

	if (*n < len || memcmp(*s, mark, len) != 0)
		return false;
	*s += len;
	*n -= len;
	return true;
}

/* All lines are full but the last, which is not empty. */
static bool
join_lines(const char *s, size_t n, char *out, size_t *ret_len)
{
	size_t len = 0, line;

	while (n > 0) {
		line = n - 1 < COLUMNS ? n - 1 : COLUMNS;
		if (line == 0 || s[line] != '\n')
			return false;
		memcpy(out + len, s, line);
		len += line;
		s += line + 1;
		n -= line + 1;
	}
	*ret_len = len;
	return len > 0;
}

int
mk_sshsig_unarmour(struct mk_arena *a, const struct mk_text *armour,
    const uint8_t **ret_blob, size_t *ret_len, struct mk_why *why)
{
	const char *s = armour->s;
	size_t n = armour->len, len, decoded;
	char *base64;

	/* The end mark is looked for where it must stand. */
	if (!takes(&s, &n, BEGIN) || n < strlen(END) ||
	    memcmp(s + n - strlen(END), END, strlen(END)) != 0)
		return mk_fail(why, MK_E_REFUSED, STAGE,
		    "not an armoured SSH signature");
	n -= strlen(END);
	if (n > LINES_MAX)
		return mk_fail(why, MK_E_REFUSED, STAGE, "an SSH signature "
		    "over the limit of %u bytes", MK_SSHSIG_MAX);
	base64 = mk_arena_alloc(a, n);
	if (base64 == NULL)
		return mk_arena_fail(a, why);
	if (!join_lines(s, n, base64, &len) ||
	    !mk_b64std_decode(base64, len, (uint8_t *)base64, &decoded))
		return mk_fail(why, MK_E_REFUSED, STAGE, "the armour of an "
		    "SSH signature is not base64 in lines of %u columns",
		    COLUMNS);
	*ret_blob = (const uint8_t *)base64;
	*ret_len = decoded;
	return 0;
}
