/* SPDX-License-Identifier: ISC */
/*
 * Between sshd_config.c and sshd_split.c.
 */
#ifndef MK_EDGE_SSHD_WORDS_H
#define MK_EDGE_SSHD_WORDS_H

#include <stdbool.h>

#include "edge/sshd_config.h"

/*
 * mk_sshd_split(); with 'comments', a word that begins with # ends the line,
 * which it does for every keyword but the commands.
 */
int	mk_sshd_words(const char *value, bool comments, char ***ret_argv,
	    struct mk_why *why);

#endif
