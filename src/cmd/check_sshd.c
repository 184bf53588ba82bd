/* SPDX-License-Identifier: ISC */
/*
 * What sshd makes of its configuration, by sshd itself: whether it takes
 * it, whether our drop-in is in it, and which command it runs for a user.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cmd/check_sshd.h"
#include "edge/judge.h"

#define INCLUDE		"Include " MK_SSHD_DROPINS "/*.conf"

/* What is looked at, for the file that the running sshd has. */
struct sight {
	struct check *c;
	const char *config;	/* NULL: the one it takes itself */
	char *running_config;	/* malloc'd */
	struct mk_sshd_running running;
	bool runs;
	struct check_command cmd;
};

/* "-f FILE" of the running one; its title has lost quotes. */
static void
find_config(struct sight *s)
{
	const char *f, *end;

	s->config = s->c->config;
	if (!s->runs || s->config != NULL)
		return;
	f = strstr(s->running.line, " -f");
	if (f == NULL)
		return;
	f += strlen(" -f");
	f += strspn(f, " ");
	end = f + strcspn(f, " ");
	s->running_config = strndup(f, (size_t)(end - f));
	if (s->running_config == NULL ||
	    access(s->running_config, R_OK) != 0)
		return;
	s->config = s->running_config;
	check_tell(s->c, CHECK_NOTE, "sshd-config", NULL,
	    "the running sshd was started with the configuration '%s'",
	    s->config);
}

static bool
takes_config(struct sight *s)
{
	struct mk_why why;
	int e;

	e = mk_sshd_test(&s->c->sshd, s->config, &why);
	if (e == MK_OK)
		check_tell(s->c, CHECK_OK, "sshd-config", NULL,
		    "sshd takes its configuration (OpenSSH %u.%u, '%s')",
		    s->c->sshd.major, s->c->sshd.minor, s->c->sshd.program);
	else if (e == MK_E_PERM)
		check_tell_why(s->c, CHECK_SKIPPED, "sshd-config", &why);
	else
		check_tell_why(s->c, CHECK_FAIL, "sshd-config", &why);
	return e == MK_OK;
}

static void
judge_include(struct sight *s)
{
	const struct mk_sshd_lines *l = &s->cmd.lines;
	const char *config = s->config == NULL ? MK_SSHD_CONFIG : s->config;
	const struct mk_sshd_line *late = NULL;
	const char *q = mk_path_quote(config);
	char *repair = NULL;
	size_t i;

	for (i = 0; i < l->n && late == NULL; i++)
		if (mk_sshd_line_includes(&l->lines[i]))
			late = &l->lines[i];
	if (asprintf(&repair, "sed -i '1i " INCLUDE "' %s%s%s", q, config,
	    q) < 0)
		repair = NULL;
	if (l->includes)
		check_tell(s->c, CHECK_OK, "include", NULL,
		    "'%s' includes what is in " MK_SSHD_DROPINS, config);
	else if (s->cmd.ours && s->cmd.known)
		check_tell(s->c, CHECK_NOTE, "include", repair,
		    "'%s' does not include " MK_SSHD_DROPINS ", and has what "
		    "it needs itself", config);
	else if (late != NULL)
		check_tell(s->c, CHECK_FAIL, "include", repair,
		    "in " CHECK_AT " the Include stands behind 'Match %s' "
		    "and counts only there: '" INCLUDE "' belongs to the "
		    "top", CHECK_AT_ARGS(late), late->match);
	else if (s->c->sshd.major != 0 && s->c->sshd.major * 100 +
	    s->c->sshd.minor < 802)
		check_tell(s->c, CHECK_FAIL, "include", NULL, "OpenSSH %u.%u "
		    "has no Include: put the Match block at the end of '%s'",
		    s->c->sshd.major, s->c->sshd.minor, config);
	else
		check_tell(s->c, CHECK_FAIL, "include", repair,
		    "'%s' does not include " MK_SSHD_DROPINS ": '" INCLUDE
		    "' belongs to its top", config);
	free(repair);
}

static bool
has_value(const struct mk_sshd_line *line, const char *value)
{
	char **words;
	bool same;

	if (strcmp(line->value, value) == 0)
		return true;
	if (strcmp(line->keyword, "authorizedkeyscommanduser") != 0 ||
	    mk_sshd_split(line->value, &words, NULL) != MK_OK)
		return false;
	same = words[0] != NULL && strcmp(words[0], value) == 0;
	free(words);
	return same;
}

/* A Match block wins over what is global; of equals the first one wins. */
static const struct mk_sshd_line *
source(const struct mk_sshd_lines *lines, const char *keyword,
    const char *value)
{
	const struct mk_sshd_line *found = NULL, *line;
	size_t i;

	for (i = 0; i < lines->n; i++) {
		line = &lines->lines[i];
		if (strcmp(line->keyword, keyword) != 0 ||
		    !has_value(line, value))
			continue;
		if (line->match != NULL)
			return line;
		if (found == NULL)
			found = line;
	}
	return found;
}

/* NULL for "none", which is the same. */
static const char *
value_of(const struct sight *s, const char *keyword)
{
	const char *value = mk_sshd_get(s->c->settings, keyword, 0);

	return value == NULL || strcasecmp(value, "none") == 0 ? NULL : value;
}

/* The line of a keyword in the block of the command, or NULL. */
static const struct mk_sshd_line *
beside(const struct check_command *cmd, const char *keyword)
{
	size_t i;

	for (i = 0; cmd->set != NULL && i < cmd->lines.n; i++)
		if (strcmp(cmd->lines.lines[i].keyword, keyword) == 0 &&
		    check_same_block(&cmd->lines.lines[i], cmd->set))
			return &cmd->lines.lines[i];
	return NULL;
}

/* What sshd does not tell is looked for in the lines of ours. */
static void
guess_command(struct check_command *cmd)
{
	const struct mk_sshd_line *line;
	size_t i;

	for (i = 0; i < cmd->lines.n && cmd->set == NULL; i++) {
		line = &cmd->lines.lines[i];
		if (strcmp(line->keyword, "authorizedkeyscommand") == 0 &&
		    check_is_ours(line->value)) {
			cmd->command = line->value;
			cmd->set = line;
		}
	}
	line = beside(cmd, "authorizedkeyscommanduser");
	if (line != NULL)
		cmd->user = line->value;
}

static void
find_user(struct check_command *cmd)
{
	const struct mk_sshd_line *line;

	line = beside(cmd, "authorizedkeyscommanduser");
	if (line == NULL || !has_value(line, cmd->user))
		line = source(&cmd->lines, "authorizedkeyscommanduser",
		    cmd->user);
	cmd->user_set = line;
}

static void
find_command(struct sight *s)
{
	struct check_command *cmd = &s->cmd;

	cmd->config = s->config;
	cmd->known = s->c->settings != NULL;
	if (cmd->known) {
		cmd->command = value_of(s, "authorizedkeyscommand");
		cmd->user = value_of(s, "authorizedkeyscommanduser");
	} else {
		guess_command(cmd);
	}
	if (cmd->known && cmd->command != NULL)
		cmd->set = source(&cmd->lines, "authorizedkeyscommand",
		    cmd->command);
	if (cmd->known && cmd->user != NULL)
		find_user(cmd);
	cmd->ours = cmd->command != NULL && check_is_ours(cmd->command);
	if (cmd->command != NULL &&
	    mk_sshd_split(cmd->command, &cmd->argv, NULL) != MK_OK)
		cmd->argv = NULL;
}

/* Every setting for her. */
static void
ask(struct sight *s)
{
	const struct mk_sshd_ask question = { .config = s->config,
	    .user = s->c->user == NULL ? CHECK_ANYBODY : s->c->user };
	struct mk_why why;
	int e;

	e = mk_sshd_settings(&s->c->sshd, &question, &s->c->settings, &why);
	if (e != MK_OK)
		check_tell_why(s->c, e == MK_E_USAGE ? CHECK_SKIPPED :
		    CHECK_FAIL, "sshd-config", &why);
}

static void
look(struct sight *s)
{
	struct check *c = s->c;
	struct mk_why why;
	int e;

	s->runs = mk_sshd_running(NULL, &s->running, NULL) == MK_OK;
	find_config(s);
	if (takes_config(s))
		ask(s);
	e = mk_sshd_lines_read(s->config == NULL ? MK_SSHD_CONFIG : s->config,
	    &s->cmd.lines, &why);
	find_command(s);
	if (e != MK_OK)
		check_tell_why(c, e == MK_E_PERM ? CHECK_SKIPPED :
		    CHECK_FAIL, "include", &why);
	else
		judge_include(s);
	/* With its own PidFile, which may not be the usual one. */
	if (s->runs)
		mk_sshd_running_release(&s->running);
	s->runs = mk_sshd_running(c->settings, &s->running, NULL) == MK_OK;
	check_owner(c, &s->cmd, s->runs ? &s->running : NULL);
	check_command_user(c, &s->cmd);
	check_tokens(c, &s->cmd);
	if (geteuid() == 0)
		check_program(c, &s->cmd);
	check_dropins(c, &s->cmd);
	check_algorithms(c);
	check_methods(c);
	check_running(c, &s->cmd.lines, s->runs ? &s->running : NULL);
}

void
check_sshd(struct check *c)
{
	struct sight s = { .c = c };
	struct mk_why why;

	if (mk_sshd_find(&c->sshd, &why) != MK_OK) {
		check_tell_why(c, CHECK_FAIL, "sshd-config", &why);
		return;
	}
	look(&s);
	if (s.runs)
		mk_sshd_running_release(&s.running);
	mk_sshd_lines_release(&s.cmd.lines);
	free(s.cmd.argv);
	free(s.running_config);
}
