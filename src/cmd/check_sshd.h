/* SPDX-License-Identifier: ISC */
/*
 * Between the files of check_sshd(): whose command it is that sshd runs for
 * a user, and where that is written.
 */
#ifndef MK_CMD_CHECK_SSHD_H
#define MK_CMD_CHECK_SSHD_H

#include <stdbool.h>

#include "cmd/check.h"

/* Whom settings are asked for where no user is named. */
#define CHECK_ANYBODY	"meshkeys-anybody"

struct check_command {
	const char *config;	/* sshd's file; NULL: its own choice */
	struct mk_sshd_lines lines;
	bool known;		/* by sshd; else by our lines of the files */
	const char *command;	/* as it stands; NULL: none */
	const char *user;	/* AuthorizedKeysCommandUser; NULL: none */
	const struct mk_sshd_line *set, *user_set;	/* where that is
				   written; NULL: in none of the files */
	char **argv;		/* the command's words; NULL: none, or a
				   quote that does not end */
	bool ours;
};

/* A line as messages name it. */
#define CHECK_AT	"'%s' line %u"
#define CHECK_AT_ARGS(l)	(l)->file, (l)->line

/* Whether a command runs our helper. */
bool	check_is_ours(const char *command);

/* Whether two lines stand in one block. */
bool	check_same_block(const struct mk_sshd_line *a,
	    const struct mk_sshd_line *b);

/* check_owner.c */
void	check_owner(struct check *c, const struct check_command *cmd,
	    const struct mk_sshd_running *running);
void	check_dropins(struct check *c, const struct check_command *cmd);

/* check_command.c: its user and its words. */
void	check_command_user(struct check *c, const struct check_command *cmd);
void	check_tokens(struct check *c, const struct check_command *cmd);

/* check_program.c: its program. */
void	check_program(struct check *c, const struct check_command *cmd);

/* check_methods.c: what sshd asks before, and beside. */
void	check_algorithms(struct check *c);
void	check_methods(struct check *c);

/* check_running.c; 'running' NULL: none. */
void	check_running(struct check *c, const struct mk_sshd_lines *lines,
	    const struct mk_sshd_running *running);

#endif
