/* SPDX-License-Identifier: ISC */
/*
 * The key that an administrator asks about: what sshd logs of it, a public
 * key as it stands in a file, or that file.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/explain.h"
#include "core/limits.h"

#define SHA256_MARK	"SHA256:"
#define BLOB_MARK	"AAAA"	/* the length of a type name in base64 */

/* What begins a private key, of whatever program. */
static bool
is_private(const char *s, size_t len)
{
	static const char *const marks[] = { "PRIVATE KEY-----",
	    "PuTTY-User-Key-File", "SSH PRIVATE KEY FILE" };
	size_t i;

	for (i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		if (memmem(s, len, marks[i], strlen(marks[i])) != NULL)
			return true;
	}
	return false;
}

static int
fail_private(struct mk_why *why)
{
	return mk_fail(why, MK_E_USAGE, "key", "this is a private key, which "
	    "is nobody's business here; give the public one, FILE.pub");
}

static int
fail_words(struct mk_why *why)
{
	return mk_fail(why, MK_E_USAGE, "key", "no public key: a key is "
	    "SHA256:..., a type and its base64, or the name of a file that "
	    "has them");
}

/* The type and the base64 behind it, among options and a comment. */
static int
take_line(struct explain *x, char *line, struct mk_why *why)
{
	char *save = NULL, *type, *word;

	type = strtok_r(line, " \t\r\n", &save);
	while (type != NULL) {
		word = strtok_r(NULL, " \t\r\n", &save);
		if (word != NULL && strncmp(word, BLOB_MARK,
		    strlen(BLOB_MARK)) == 0) {
			x->args.type = type;
			x->args.key = word;
			return 0;
		}
		type = word;
	}
	return fail_words(why);
}

static size_t
line_len(const char *s, size_t len)
{
	const char *lf = memchr(s, '\n', len);

	return lf != NULL ? (size_t)(lf - s) : len;
}

/* The first line that is neither empty nor a comment. */
static int
take_text(struct explain *x, const char *s, size_t len, struct mk_why *why)
{
	size_t n;

	if (is_private(s, len))
		return fail_private(why);
	if (memchr(s, '\0', len) != NULL)
		return fail_words(why);
	while (len > 0 && (*s == '\n' || *s == '#' || *s == '\r')) {
		n = line_len(s, len);
		n += n < len;
		s += n;
		len -= n;
	}
	x->words = strndup(s, line_len(s, len));
	if (x->words == NULL)
		return mk_fail(why, MK_E_SYSTEM, "memory", "out of memory");
	return take_line(x, x->words, why);
}

static int
take_file(struct explain *x, const char *name, struct mk_why *why)
{
	struct input *input = &x->m->input;
	int e;

	if ((e = input_open(input, name, why)) != 0)
		return e;
	e = input_read(input, MK_OFFERED_MAX, why);
	if (e == MK_E_REFUSED)
		e = mk_fail(why, MK_E_USAGE, "key", "'%s' is larger than a "
		    "public key can be, %u bytes", name, MK_OFFERED_MAX);
	if (e == 0 && input->file.len > 0)
		e = take_text(x, (const char *)input->file.data,
		    input->file.len, why);
	else if (e == 0)
		e = fail_words(why);
	/* It may have been a private key after all. */
	if (input->file.data != NULL)
		sodium_memzero(input->file.data, input->file.len);
	input_close(input);
	return e;
}

/* What was pasted, put together again as a line. */
static int
take_words(struct explain *x, char *const *words, int n, struct mk_why *why)
{
	struct mk_buf text;
	int i, e;

	mk_buf_init(&text, MK_OFFERED_MAX);
	for (i = 0; i < n; i++) {
		mk_buf_puts(&text, words[i]);
		mk_buf_putc(&text, ' ');
	}
	if ((e = mk_buf_check(&text, why, "key")) == 0)
		e = take_text(x, text.data, text.len, why);
	mk_buf_release(&text);
	return e == MK_E_REFUSED ? fail_words(why) : e;
}

int
explain_key(struct explain *x, char *const *words, int n, struct mk_why *why)
{
	int e = 0;

	if (n == 0)
		return 0;
	if (n == 1 && strncmp(words[0], SHA256_MARK,
	    strlen(SHA256_MARK)) == 0)
		x->args.fingerprint = words[0];
	else if (n == 1 && strncmp(words[0], "MD5:", 4) == 0)
		e = mk_fail(why, MK_E_USAGE, "key", "a fingerprint by MD5 "
		    "proves nothing; give the one that begins with SHA256:");
	else if (n == 1 && strpbrk(words[0], " \t\n") == NULL)
		e = take_file(x, words[0], why);
	else
		e = take_words(x, words, n, why);
	if (e != 0)
		return e;
	return akc_offer_read(&x->args, &x->offer, why);
}

bool
explain_malformed(const struct explain *x)
{
	return x->offer.given && !x->offer.certificate &&
	    x->offer.fingerprint[0] == '\0';
}
