/* SPDX-License-Identifier: ISC */
/* Another AuthorizedKeysCommand behind ours, run in our place. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cmd/akc.h"
#include "edge/sandbox.h"
#include "edge/tokens.h"

static const char *
value_of(const void *arg, char token)
{
	const struct akc_chain *chain = arg;

	switch (token) {
	case '%':
		return "%";
	case 'u':
		return chain->args->user;
	case 't':
		return chain->args->type;
	case 'k':
		return chain->args->key;
	case 'f':
		return chain->offer->fingerprint[0] != '\0' ?
		    chain->offer->fingerprint : NULL;
	}
	return NULL;
}

int
akc_chain_expand(const struct akc_chain *chain, char ***ret_argv,
    struct mk_why *why)
{
	const struct mk_tokens tokens = { .value = value_of, .arg = chain,
	    .stage = "chain", .missing = "stands for a key, and none of "
	    "that form was offered" };
	char *const *words = chain->config->chain;
	int r;

	if ((r = mk_program_check(chain->root, words[0], why)) != 0)
		return r;
	return mk_tokens_expand(&tokens, (const char *const *)words, ret_argv,
	    why);
}

int
akc_chain_exec(char *const argv[], struct mk_why *why)
{
	mk_process_unlimit();
	(void)execv(argv[0], argv);
	return mk_fail(why, MK_E_CONFIG, "chain",
	    "cannot run the command: %s", strerrordesc_np(errno));
}
