/* SPDX-License-Identifier: ISC */
/*
 * The command line of a program that has words: options, one word, and the
 * arguments of that word.  Options stand before the word or behind it; a
 * word that does not take an option refuses it, since it would mislead who
 * typed it.  --help, --version and "help WORD" are answered here.
 */
#ifndef MK_CMD_CMDLINE_H
#define MK_CMD_CMDLINE_H

#include <stdbool.h>
#include <stddef.h>

#define CMDLINE_OPTIONS_MAX	60u
#define CMDLINE_DONE		1	/* all that was wanted is printed */

struct cmdline_word {
	const char *name;	/* without the prefix; one word, or two
				   divided by a blank */
	const char *usage;	/* what stands behind it, or "" */
	const char *line;	/* in the list of words */
	const char *help;
	const char *options;	/* letters of those it takes */
	int min, max;		/* arguments */
};

/* Exactly one of 'value', NULL before, and 'on', false before. */
struct cmdline_option {
	const char *name;	/* without the dashes */
	char letter;		/* in the lists of words; 0: all take it */
	const char **value;	/* where its value goes */
	bool *on;		/* where a switch goes */
};

struct cmdline_program {
	const char *ident;
	const char *noun;	/* what its words are called, "command" */
	const char *prefix;	/* that may stand before a word, or "" */
	const char *usage;	/* of the whole program */
	const char *title;	/* of the list of words */
	const char *tail;	/* of the help, behind the list */
	/* The words, in the order of the list; NULL behind the last. */
	const struct cmdline_word *(*word)(size_t i);
	const struct cmdline_option *options;
	size_t n_options;
	const char *exclude;	/* letters of two that exclude each other, and
				   of the next two */
};

struct cmdline {
	size_t word;		/* its place in the list */
	char *const *args;	/* behind it, prefixes kept */
	int n_args;
};

/*
 * 0, CMDLINE_DONE, or MK_E_USAGE and all of it is told; MK_E_SYSTEM if that
 * cannot be.  The arguments are permuted.
 */
int	cmdline_parse(const struct cmdline_program *p, int argc,
	    char *const argv[], struct cmdline *ret_line);

#endif
