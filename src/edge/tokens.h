/* SPDX-License-Identifier: ISC */
/*
 * The %-tokens of an AuthorizedKeysCommand (sshd_config(5), TOKENS): words
 * first, then the tokens in each, so that no value ever makes two words.
 */
#ifndef MK_EDGE_TOKENS_H
#define MK_EDGE_TOKENS_H

struct mk_why;

struct mk_tokens {
	/* The value of %c; NULL: there is none.  '\0' is a lone "%". */
	const char *(*value)(const void *arg, char c);
	const void *arg;
	const char *stage;	/* of reasons */
	const char *missing;	/* what is wrong with one that has none */
	const char *alone;	/* the last word of a command that has no
				   argument; NULL: it gets none */
};

/*
 * The argument vector of NULL-ended words, NULL-ended, at most twice
 * MK_OFFERED_MAX bytes; freed as one piece.  MK_E_CONFIG for a token
 * without a value, MK_E_REFUSED, MK_E_SYSTEM.
 */
int	mk_tokens_expand(const struct mk_tokens *tokens,
	    const char *const *words, char ***ret_argv, struct mk_why *why);

#endif
