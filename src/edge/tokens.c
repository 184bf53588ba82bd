/* SPDX-License-Identifier: ISC */
#include "edge/tokens.h"

#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/limits.h"

static int
expand(const struct mk_tokens *tokens, const char *word, struct mk_buf *out,
    struct mk_why *why)
{
	const char *value;

	for (; *word != '\0'; word++) {
		if (*word != '%') {
			mk_buf_putc(out, *word);
			continue;
		}
		word++;
		value = tokens->value(tokens->arg, *word);
		if (value == NULL && *word == '\0')
			return mk_fail(why, MK_E_CONFIG, tokens->stage,
			    "a lone '%%' at the end of a word");
		if (value == NULL)
			return mk_fail(why, MK_E_CONFIG, tokens->stage,
			    "'%%%c' %s", *word, tokens->missing);
		mk_buf_puts(out, value);
	}
	mk_buf_putc(out, '\0');
	return MK_OK;
}

/* 'n' texts one behind the other, as the vector in front of them. */
static int
make_vector(const struct mk_buf *text, size_t n, char ***ret_argv)
{
	char **argv, *s;
	size_t i;

	argv = malloc((n + 1) * sizeof(*argv) + text->len);
	if (argv == NULL)
		return MK_E_SYSTEM;
	s = memcpy(argv + n + 1, text->data, text->len);
	for (i = 0; i < n; i++, s += strlen(s) + 1)
		argv[i] = s;
	argv[n] = NULL;
	*ret_argv = argv;
	return MK_OK;
}

int
mk_tokens_expand(const struct mk_tokens *tokens, const char *const *words,
    char ***ret_argv, struct mk_why *why)
{
	struct mk_buf text;
	int r = MK_OK;
	size_t n;

	mk_buf_init(&text, 2 * MK_OFFERED_MAX);
	for (n = 0; r == MK_OK && words[n] != NULL; n++)
		r = expand(tokens, words[n], &text, why);
	if (r == MK_OK && n == 1 && tokens->alone != NULL) {
		mk_buf_puts(&text, tokens->alone);
		mk_buf_putc(&text, '\0');
		n = 2;
	}
	if (r == MK_OK)
		r = mk_buf_check(&text, why, tokens->stage);
	if (r == MK_OK && make_vector(&text, n, ret_argv) != MK_OK)
		r = mk_fail(why, MK_E_SYSTEM, "memory", "out of memory");
	mk_buf_release(&text);
	return r;
}
