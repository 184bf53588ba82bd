/* SPDX-License-Identifier: ISC */
/*
 * A set that somebody names on the command line.
 */
#ifndef MK_CMD_INPUT_H
#define MK_CMD_INPUT_H

#include <stddef.h>

#include "edge/root.h"

struct mk_why;

struct input {
	const char *name;	/* for messages; NULL: none is open */
	int fd;
	struct mk_file file;	/* once it has been read */
};

/*
 * Opens it by the rights of who runs this: a regular file, or standard
 * input for "-".  MK_E_NOPROFILE if there is none, MK_E_PERM, MK_E_SYSTEM.
 */
int	input_open(struct input *input, const char *name,
	    struct mk_why *why);

/* Reads it, up to 'max' bytes.  MK_E_REFUSED if it is larger,
   MK_E_SYSTEM. */
int	input_read(struct input *input, size_t max, struct mk_why *why);

/* Standard input stays open. */
void	input_close(struct input *input);

#endif
