/* SPDX-License-Identifier: ISC */
/*
 * Asking the person at the terminal, /dev/tty.  Without one nothing is
 * asked, and nothing is ever taken from standard input in its place.
 */
#ifndef MK_EDGE_TERMINAL_H
#define MK_EDGE_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

struct mk_why;

/* Whether there is a terminal to ask at. */
bool	mk_terminal_there(void);

/*
 * A line typed without echo, at most 'max' bytes; of sodium_malloc(),
 * NUL-ended.  The terminal is as before whatever happens, signals included.
 * MK_E_USAGE without a terminal or at end of file, MK_E_SYSTEM.
 */
int	mk_terminal_secret(const char *prompt, size_t max, char **ret_secret,
	    struct mk_why *why);

/* A line typed with echo, likewise; malloc'd. */
int	mk_terminal_line(const char *prompt, size_t max, char **ret_line,
	    struct mk_why *why);

/* Only "yes" or "y" is a yes. */
int	mk_terminal_yes(const char *question, bool *ret_yes,
	    struct mk_why *why);

#endif
