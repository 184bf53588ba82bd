/* SPDX-License-Identifier: ISC */
/*
 * What ssh(1) makes of the block: lines before the first Host or Match hold
 * for every host, each IdentityFile adds to those before it, and a first one
 * takes all the default identities away.
 */
#include <string.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/ssh_block.h"

#define STAGE	"ssh-config"
#define BEGIN	"# meshkeys: begin, this block is kept by meshman"
#define NOTE	"# after making another default key, run: meshman /sync"
#define END	"# meshkeys: end"

/* Where the block stands: from its first mark to behind its last line. */
struct span {
	size_t from, to;		/* both 0: there is none */
};

/* Whether a line is a mark, whatever an editor did to its ends. */
static bool
is_mark(const char *s, size_t n, const char *mark)
{
	while (n > 0 && (s[0] == ' ' || s[0] == '\t')) {
		s++;
		n--;
	}
	while (n > 0 && (s[n - 1] == ' ' || s[n - 1] == '\t' ||
	    s[n - 1] == '\r'))
		n--;
	return n == strlen(mark) && memcmp(s, mark, n) == 0;
}

/* What was written between marks of which one is lost is the user's, too. */
static int
find(const struct mk_bytes *old, struct span *ret_span, struct mk_why *why)
{
	const char *s = (const char *)old->data, *lf;
	size_t at, n, next, begins = 0, ends = 0;
	struct span span = { 0, 0 };

	if (old->len > MK_SSH_CONFIG_MAX)
		return mk_fail(why, MK_E_REFUSED, STAGE, "the ssh "
		    "configuration is over the limit of %u bytes",
		    MK_SSH_CONFIG_MAX);
	for (at = 0; at < old->len; at = next) {
		lf = memchr(s + at, '\n', old->len - at);
		n = lf == NULL ? old->len - at : (size_t)(lf - (s + at));
		next = at + n + (lf != NULL);
		if (is_mark(s + at, n, BEGIN)) {
			span.from = at;
			begins++;
		} else if (is_mark(s + at, n, END)) {
			span.to = next;
			ends++;
		}
	}
	if (begins != ends || begins > 1 ||
	    (begins == 1 && span.from >= span.to))
		return mk_fail(why, MK_E_REFUSED, STAGE, "the lines '%s' and "
		    "'%s' do not stand once each and in this order: remove "
		    "the block by hand", BEGIN, END);
	*ret_span = span;
	return 0;
}

/*
 * A relative path would mean another file in every directory; quotes,
 * backslashes and environment variables have no spelling that every ssh
 * reads alike.
 */
static int
check_key(const char *key, struct mk_why *why)
{
	const char *p;

	if (key[0] != '/' && strncmp(key, "~/", 2) != 0)
		return mk_fail(why, MK_E_REFUSED, STAGE, "the path of the "
		    "key does not begin with '/' or '~/'");
	for (p = key; *p != '\0'; p++) {
		if ((unsigned char)*p < ' ' || *p == '\x7f' || *p == '"' ||
		    *p == '\\' || (p[0] == '$' && p[1] == '{'))
			return mk_fail(why, MK_E_REFUSED, STAGE, "the path "
			    "of the key has a character that ssh_config(5) "
			    "cannot hold");
	}
	return 0;
}

static void
put_identity(const char *path, struct mk_buf *out)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789/._~+@-";
	bool quotes = path[strspn(path, plain)] != '\0';

	mk_buf_puts(out, quotes ? "IdentityFile \"" : "IdentityFile ");
	for (; *path != '\0'; path++) {
		/* "%d" and the like would become something else. */
		if (*path == '%')
			mk_buf_putc(out, '%');
		mk_buf_putc(out, *path);
	}
	mk_buf_puts(out, quotes ? "\"\n" : "\n");
}

static void
put_block(const char *const *keys, struct mk_buf *out)
{
	mk_buf_puts(out, BEGIN "\n" NOTE "\n");
	for (; *keys != NULL; keys++)
		put_identity(*keys, out);
	mk_buf_puts(out, END "\n");
}

/* 'keys' NULL: no block. */
static int
replace(const struct mk_bytes *old, const char *const *keys,
    struct mk_buf *out, bool *ret_changed, struct mk_why *why)
{
	struct span span = { 0, 0 };
	size_t start = out->len;
	int r;

	if ((r = find(old, &span, why)) != 0)
		return r;
	if (old->len > 0)
		mk_buf_put(out, old->data, span.from);
	if (keys != NULL)
		put_block(keys, out);
	if (old->len > 0)
		mk_buf_put(out, old->data + span.to, old->len - span.to);
	if ((r = mk_buf_check(out, why, STAGE)) == 0)
		*ret_changed = out->len - start != old->len ||
		    (old->len > 0 &&
		    memcmp(out->data + start, old->data, old->len) != 0);
	return r;
}

int
mk_ssh_block_set(const struct mk_bytes *old, const char *const *keys,
    struct mk_buf *out, bool *ret_changed, struct mk_why *why)
{
	size_t i;
	int r;

	for (i = 0; keys[i] != NULL; i++) {
		if ((r = check_key(keys[i], why)) != 0)
			return r;
	}
	return replace(old, keys, out, ret_changed, why);
}

int
mk_ssh_block_clear(const struct mk_bytes *old, struct mk_buf *out,
    bool *ret_changed, struct mk_why *why)
{
	return replace(old, NULL, out, ret_changed, why);
}
