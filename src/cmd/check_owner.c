/* SPDX-License-Identifier: ISC */
/*
 * Who has the one AuthorizedKeysCommand that sshd runs for a user.  What is
 * in force sshd says; the files only tell where it comes from.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/check_sshd.h"

#define HELPER		"mesh-authorized-keys"
#define OTHERS_MAX	20u	/* lines of others told one by one */
#define OPTION		"AuthorizedKeysCommand"

bool
check_is_ours(const char *command)
{
	const char *s;

	if (*command == '"' || *command == '\'')
		command++;
	for (s = command; *s != '\0' && *s != ' ' && *s != '\t'; s++)
		if (*s == '/')
			command = s + 1;
	return strncmp(command, HELPER, strlen(HELPER)) == 0 &&
	    strchr(" \t\"'", command[strlen(HELPER)]) != NULL;
}

/* "'alice'", or whom we ask about without a name; printed by WHOM. */
#define WHOM		"%s%s%s"
#define WHOM_ARGS(c)	(c)->user == NULL ? "" : "'", (c)->user == NULL ? \
			    "a user whom no block names" : (c)->user, \
			    (c)->user == NULL ? "" : "'"

static bool
is_command(const struct mk_sshd_line *line)
{
	return strcmp(line->keyword, "authorizedkeyscommand") == 0;
}

/* The first line with our command, or NULL. */
static const struct mk_sshd_line *
our_line(const struct check_command *cmd)
{
	size_t i;

	for (i = 0; i < cmd->lines.n; i++)
		if (is_command(&cmd->lines.lines[i]) &&
		    check_is_ours(cmd->lines.lines[i].value))
			return &cmd->lines.lines[i];
	return NULL;
}

/* Where "none" stands in front of ours, in a block as ours does. */
static const struct mk_sshd_line *
none_line(const struct check_command *cmd, const struct mk_sshd_line *mine)
{
	const struct mk_sshd_line *line = cmd->lines.lines;

	for (; line < mine; line++)
		if (is_command(line) && strcasecmp(line->value, "none") == 0 &&
		    (line->match != NULL) == (mine->match != NULL))
			return line;
	return NULL;
}

static bool
is_root(const struct check *c)
{
	return c->user != NULL && strcmp(c->user, "root") == 0;
}

static void
nobody_has_it(struct check *c, const struct check_command *cmd)
{
	const struct mk_sshd_line *line = our_line(cmd), *none = NULL;

	if (line != NULL)
		none = none_line(cmd, line);
	if (is_root(c) && line != NULL)
		check_tell(c, CHECK_NOTE, "owner", NULL, "sshd runs no "
		    "AuthorizedKeysCommand for root: a way in that does not "
		    "need the helper");
	else if (line == NULL)
		check_tell(c, CHECK_FAIL, "owner", "meshkeys setup",
		    "sshd runs no AuthorizedKeysCommand for " WHOM,
		    WHOM_ARGS(c));
	else if (none != NULL)
		check_tell(c, CHECK_FAIL, "owner", NULL, "sshd runs no "
		    "AuthorizedKeysCommand for " WHOM ": " CHECK_AT " says "
		    "'none' in front of " CHECK_AT, WHOM_ARGS(c),
		    CHECK_AT_ARGS(none), CHECK_AT_ARGS(line));
	else
		check_tell(c, CHECK_FAIL, "owner", NULL, "sshd runs no "
		    "AuthorizedKeysCommand for " WHOM ": " CHECK_AT " counts "
		    "for 'Match %s' only", WHOM_ARGS(c), CHECK_AT_ARGS(line),
		    line->match == NULL ? "" : line->match);
}

/* Why another's line comes before ours. */
static const char *
why_theirs(const struct mk_sshd_line *theirs, const struct mk_sshd_line *mine)
{
	if (mine == NULL)
		return "ours is in none of sshd's files";
	if (theirs == NULL)
		return "it is in none of the files";
	if (theirs->match != NULL && mine->match == NULL)
		return "what stands in a Match block wins over what stands "
		    "outside, where ours is";
	if (theirs->match != NULL)
		return "of several Match blocks the first one wins";
	if (mine->match != NULL)
		return "the Match block of ours does not name that user";
	return "the first line wins";
}

static void
another_has_it(struct check *c, const struct check_command *cmd)
{
	const struct mk_sshd_line *mine = our_line(cmd);
	const char *name = mk_sshd_command_name(cmd->command);
	const char *repair = NULL;
	char at[512] = "";

	if (mine == NULL || mine->match == NULL)
		repair = "meshkeys setup --chain";
	if (cmd->set != NULL)
		snprintf(at, sizeof(at), " from " CHECK_AT "%s%s%s",
		    CHECK_AT_ARGS(cmd->set),
		    cmd->set->match == NULL ? "" : " ('Match ",
		    cmd->set->match == NULL ? "" : cmd->set->match,
		    cmd->set->match == NULL ? "" : "')");
	/* For root that is how it should be. */
	check_tell(c, is_root(c) ? CHECK_NOTE : CHECK_FAIL, "owner",
	    is_root(c) ? NULL : repair, "for " WHOM " sshd runs %s, '%s'%s: %s",
	    WHOM_ARGS(c), name == NULL ? "another command" : name, cmd->command,
	    at, why_theirs(cmd->set, mine));
}

/* root without the helper is the way in when it fails. */
static void
look_at_root(struct check *c, const char *config)
{
	const struct mk_sshd_ask ask = { .config = config, .user = "root" };
	struct mk_sshd_settings *s;
	const char *command;

	if (mk_sshd_settings(&c->sshd, &ask, &s, NULL) != MK_OK)
		return;
	command = mk_sshd_get(s, "authorizedkeyscommand", 0);
	if (command != NULL && check_is_ours(command))
		check_tell(c, CHECK_NOTE, "owner", NULL, "root's keys come "
		    "from the helper too: 'Match User *,!root' would leave "
		    "root a way in if it fails");
	else
		check_tell(c, CHECK_NOTE, "owner", NULL, "root is left out: "
		    "a way in that does not need the helper");
	mk_sshd_settings_free(s);
}

/* "-o AuthorizedKeysCommand=..." as the running sshd was started with. */
static const char *
command_line_has(const struct mk_sshd_running *running)
{
	const char *s = running == NULL ? NULL : running->line;

	for (; s != NULL && (s = strcasestr(s, "-o")) != NULL; s += 2)
		if (strncasecmp(s + 2 + strspn(s + 2, " "), OPTION,
		    strlen(OPTION)) == 0 && strchr(" =", s[2 +
		    strspn(s + 2, " ") + strlen(OPTION)]) != NULL)
			return s;
	return NULL;
}

/* What sshd -T is not told, which is not what was given to the service. */
static void
judge_command_line(struct check *c, const struct check_command *cmd,
    const char *option)
{
	if (cmd->ours && cmd->set != NULL && cmd->set->match != NULL)
		check_tell(c, CHECK_NOTE, "command-line", NULL, "the running "
		    "sshd was started with an AuthorizedKeysCommand, '%s': "
		    "the Match block of ours wins over it", option);
	else
		check_tell(c, CHECK_FAIL, "command-line", "meshkeys setup",
		    "the running sshd was started with an "
		    "AuthorizedKeysCommand, '%s': it wins over all but a "
		    "Match block", option);
}

void
check_owner(struct check *c, const struct check_command *cmd,
    const struct mk_sshd_running *running)
{
	const char *option = command_line_has(running);

	if (!cmd->known) {
		check_tell(c, CHECK_SKIPPED, "owner", NULL, "not known whose "
		    "AuthorizedKeysCommand it is: sshd does not tell");
		return;
	}
	if (cmd->command == NULL)
		nobody_has_it(c, cmd);
	else if (!cmd->ours)
		another_has_it(c, cmd);
	else if (cmd->set != NULL)
		check_tell(c, CHECK_OK, "owner", NULL,
		    "for " WHOM " sshd runs '%s', from " CHECK_AT, WHOM_ARGS(c),
		    cmd->command, CHECK_AT_ARGS(cmd->set));
	else
		check_tell(c, CHECK_OK, "owner", NULL,
		    "for " WHOM " sshd runs '%s'", WHOM_ARGS(c), cmd->command);
	if (cmd->ours && !is_root(c))
		look_at_root(c, cmd->config);
	if (option != NULL)
		judge_command_line(c, cmd, option);
}

static void
tell_other(struct check *c, const struct check_command *cmd,
    const struct mk_sshd_line *line)
{
	const char *name = mk_sshd_command_name(line->value);

	if (name == NULL)
		name = line->value;
	if (line->match != NULL && line < cmd->set)
		check_tell(c, CHECK_NOTE, "dropins", NULL, CHECK_AT " has "
		    "AuthorizedKeysCommand of %s: it is run in place of ours "
		    "where 'Match %s' holds", CHECK_AT_ARGS(line), name,
		    line->match);
	else if (line->match != NULL)
		check_tell(c, CHECK_NOTE, "dropins", NULL, CHECK_AT " has "
		    "AuthorizedKeysCommand of %s: it is run only where "
		    "'Match %s' holds and ours is not set",
		    CHECK_AT_ARGS(line), name, line->match);
	else if (cmd->set->match == NULL && line < cmd->set)
		check_tell(c, CHECK_WARN, "dropins", "meshkeys setup",
		    CHECK_AT " has AuthorizedKeysCommand of %s in front of "
		    "ours", CHECK_AT_ARGS(line), name);
	else
		check_tell(c, CHECK_NOTE, "dropins", NULL, CHECK_AT " has "
		    "AuthorizedKeysCommand of %s: it is not run where ours "
		    "is, unless it is the 'chain' of meshkeys.conf",
		    CHECK_AT_ARGS(line), name);
}

void
check_dropins(struct check *c, const struct check_command *cmd)
{
	const struct mk_sshd_line *line;
	size_t others = 0, i;

	/* Else they are what check_owner() tells of. */
	if (!cmd->ours || cmd->set == NULL)
		return;
	for (i = 0; i < cmd->lines.n; i++) {
		line = &cmd->lines.lines[i];
		if (!is_command(line) || check_is_ours(line->value) ||
		    strcasecmp(line->value, "none") == 0)
			continue;
		if (others++ < OTHERS_MAX)
			tell_other(c, cmd, line);
	}
	if (others == 0)
		check_tell(c, CHECK_OK, "dropins", NULL,
		    "no other line of sshd's files sets "
		    "AuthorizedKeysCommand");
	else if (others > OTHERS_MAX)
		check_tell(c, CHECK_NOTE, "dropins", NULL,
		    "%zu further lines set AuthorizedKeysCommand",
		    others - OTHERS_MAX);
}
