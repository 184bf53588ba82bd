/* SPDX-License-Identifier: ISC */
/*
 * The connection requests that wait at the portal, read and judged.
 */
#ifndef MK_CMD_MAN_PENDING_H
#define MK_CMD_MAN_PENDING_H

#include "cmd/man_judge.h"

struct meshman_gathered {
	struct mk_arena arena;		/* of all below */
	struct meshman_asker *askers;
	size_t n;
	size_t unreadable;		/* left out: not of the form, or not
					   signed by their own device */
	struct meshman_pins pins;
};

/*
 * Takes the newest profile, asks the portal, and judges; PINs that were
 * found spoilt are written down.
 */
int	meshman_gather(struct meshman *m, struct meshman_gathered *ret_all);
void	meshman_gathered_release(struct meshman_gathered *all);

/* "'NAME' FINGERPRINT" */
void	meshman_put_asker(struct mk_buf *out,
	    const struct meshman_asker *asker);

/* man_choose.c: those that a command line means. */
struct meshman_choice {
	struct meshman_gathered *all;
	bool *chosen;			/* of each; lives in all's arena */
	bool proved;			/* to be accepted: what is not proved
					   or barred is passed over */
	size_t n;			/* chosen */
	size_t refused;			/* of what was named */
	struct mk_buf yes, no;		/* what became of them */
};

/*
 * Chooses by the arguments of the word: whole fingerprints, names, /all.
 * What was named and is not chosen is told and counted.  MK_E_USAGE.
 */
int	meshman_choose(struct meshman *m, struct meshman_gathered *all,
	    bool proved, struct meshman_choice *ret_choice);
void	meshman_choice_release(struct meshman_choice *choice);

/* Takes a chosen one back, with the reason. */
void	meshman_choice_refuse(struct meshman *m,
	    struct meshman_choice *choice, size_t i, const char *reason);

/* Notes what became of a chosen one: "accepted", "rejected". */
void	meshman_choice_done(struct meshman *m,
	    struct meshman_choice *choice, size_t i, const char *what);

/* Prints all of it; MK_E_REFUSED if something that was named is refused. */
int	meshman_choice_end(struct meshman *m,
	    const struct meshman_choice *choice);

#endif
