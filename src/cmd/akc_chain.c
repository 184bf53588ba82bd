/* SPDX-License-Identifier: ISC */
/* Another AuthorizedKeysCommand behind ours, run in our place. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/akc.h"
#include "core/limits.h"
#include "edge/sandbox.h"

/* The value of a token; NULL for one that is not known here. */
static const char *
token_value(char token, const struct akc_args *args,
    const struct akc_offer *offer)
{
	switch (token) {
	case '%':
		return "%";
	case 'u':
		return args->user;
	case 't':
		return args->type;
	case 'k':
		return args->key;
	case 'f':
		return offer->fingerprint[0] != '\0' ? offer->fingerprint :
		    NULL;
	}
	return NULL;
}

static int
expand_word(const char *word, const struct akc_args *args,
    const struct akc_offer *offer, struct mk_buf *out, struct mk_why *why)
{
	const char *value;

	for (; *word != '\0'; word++) {
		if (*word != '%') {
			mk_buf_putc(out, *word);
			continue;
		}
		word++;
		value = token_value(*word, args, offer);
		if (value == NULL)
			return mk_fail(why, MK_E_CONFIG, "chain",
			    "cannot run it: '%%%c' stands for a key, and "
			    "none of that form was offered", *word);
		mk_buf_puts(out, value);
	}
	mk_buf_putc(out, '\0');
	return 0;
}

int
akc_chain_expand(const struct akc_chain *chain, char ***ret_argv,
    struct mk_why *why)
{
	char *const *words = chain->config->chain;
	size_t n = 0, i;
	struct mk_buf text;
	char **argv = NULL, *s;
	int r;

	mk_buf_init(&text, 2 * MK_OFFERED_MAX);
	if ((r = mk_program_check(chain->root, words[0], why)) != 0)
		goto out;
	for (n = 0; words[n] != NULL; n++) {
		r = expand_word(words[n], chain->args, chain->offer, &text,
		    why);
		if (r != 0)
			goto out;
	}
	if ((r = mk_buf_check(&text, why, "chain")) != 0)
		goto out;
	argv = malloc((n + 1) * sizeof(*argv) + text.len);
	if (argv == NULL) {
		r = mk_fail(why, MK_E_SYSTEM, "memory", "out of memory");
		goto out;
	}
	s = memcpy(argv + n + 1, text.data, text.len);
	for (i = 0; i < n; i++, s += strlen(s) + 1)
		argv[i] = s;
	argv[n] = NULL;
	*ret_argv = argv;
out:
	mk_buf_release(&text);
	return r;
}

int
akc_chain_exec(char *const argv[], struct mk_why *why)
{
	mk_process_unlimit();
	(void)execv(argv[0], argv);
	return mk_fail(why, MK_E_CONFIG, "chain",
	    "cannot run the command: %s", strerrordesc_np(errno));
}
