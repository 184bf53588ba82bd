/* SPDX-License-Identifier: ISC */
/*
 * AuthorizedKeysCommand as a line: whom it runs as, and its words.  Most of
 * what is wrong there "sshd -t" does not notice.
 */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/check_sshd.h"
#include "edge/judge.h"
#include "edge/keeper.h"
#include "edge/source.h"

#define KNOWN	"uhtfk%"	/* in all versions since 6.9 */
#define OURS	"%u %t %k"

/* Whom it runs as, and what that would mean. */
static void
judge_account(struct check *c, const struct passwd *pw)
{
	const char *const name = "command-user";

	if (pw->pw_uid == 0)
		check_tell(c, CHECK_WARN, name, NULL, "the command runs as "
		    "'%s', which is root: name a user of its own, '%s'",
		    pw->pw_name, "meshkeys-akc");
	else if (strcmp(pw->pw_name, "nobody") == 0)
		check_tell(c, CHECK_WARN, name, NULL, "the command runs as "
		    "'nobody', whom others run as too: name a user of its "
		    "own, '%s'", "meshkeys-akc");
	else if (strcmp(pw->pw_name, MK_KEEPER_USER) == 0)
		check_tell(c, CHECK_WARN, name, NULL, "the command runs as "
		    "'%s', who can write the stores: name a user of its own, "
		    "'%s'", MK_KEEPER_USER, "meshkeys-akc");
	else
		check_tell(c, CHECK_OK, name, NULL, "the command runs as "
		    "'%s', uid %lu", pw->pw_name, (unsigned long)pw->pw_uid);
}

static void
look_up(struct check *c, const char *user)
{
	const char *q = mk_path_quote(user);
	const struct passwd *pw;
	char *repair = NULL;

	errno = 0;
	pw = getpwnam(user);
	if (pw != NULL) {
		judge_account(c, pw);
		return;
	}
	if (mk_lookup_failed(errno)) {
		check_tell(c, CHECK_FAIL, "command-user", NULL,
		    "cannot look up '%s': %s", user, strerror(errno));
		return;
	}
	if (asprintf(&repair, "useradd --system --user-group "
	    "--no-create-home --shell /usr/sbin/nologin %s%s%s", q, user,
	    q) < 0)
		repair = NULL;
	check_tell(c, CHECK_FAIL, "command-user", repair,
	    "AuthorizedKeysCommandUser is '%s', and there is no such user",
	    user);
	free(repair);
}

bool
check_same_block(const struct mk_sshd_line *a, const struct mk_sshd_line *b)
{
	return strcmp(a->file, b->file) == 0 &&
	    (a->match == NULL) == (b->match == NULL) &&
	    a->match_line == b->match_line;
}

void
check_command_user(struct check *c, const struct check_command *cmd)
{
	if (cmd->command == NULL || !cmd->known)
		return;
	if (cmd->user == NULL && cmd->set != NULL)
		check_tell(c, CHECK_FAIL, "command-user", NULL,
		    "no AuthorizedKeysCommandUser goes with "
		    "AuthorizedKeysCommand, so sshd passes over it: below "
		    CHECK_AT " put 'AuthorizedKeysCommandUser meshkeys-akc'",
		    CHECK_AT_ARGS(cmd->set));
	else if (cmd->user == NULL)
		check_tell(c, CHECK_FAIL, "command-user", NULL,
		    "no AuthorizedKeysCommandUser goes with "
		    "AuthorizedKeysCommand, so sshd passes over it");
	else if (strchr(cmd->user, '%') != NULL)
		check_tell(c, CHECK_NOTE, "command-user", NULL,
		    "the command runs as '%s', another user for each login",
		    cmd->user);
	else
		look_up(c, cmd->user);
	if (cmd->set != NULL && cmd->user_set != NULL &&
	    !check_same_block(cmd->set, cmd->user_set))
		check_tell(c, CHECK_WARN, "command-user", NULL,
		    "AuthorizedKeysCommand is set in " CHECK_AT " and "
		    "AuthorizedKeysCommandUser in " CHECK_AT ": put both "
		    "into one block", CHECK_AT_ARGS(cmd->set),
		    CHECK_AT_ARGS(cmd->user_set));
}

/* One that this sshd does not know ends every connection. */
static bool
token_is_known(const struct check *c, char token)
{
	const unsigned version = c->sshd.major * 100 + c->sshd.minor;

	if (token != '\0' && strchr(KNOWN, token) != NULL)
		return true;
	if (token == 'U')
		return version == 0 || version >= 708;
	return (token == 'C' || token == 'D') && version >= 904;
}

static void
unknown_token(struct check *c, char token, const char *word)
{
	char text[] = { '%', token, '\0' };

	if (token == '\0')
		check_tell(c, CHECK_FAIL, "tokens", NULL, "'%s' ends in a "
		    "lone '%%': sshd ends every connection over it", word);
	else
		check_tell(c, CHECK_FAIL, "tokens", NULL, "OpenSSH %u.%u "
		    "does not know '%s' in AuthorizedKeysCommand and ends "
		    "every connection over it", c->sshd.major,
		    c->sshd.minor, text);
}

/* False: told. */
static bool
tokens_are_known(struct check *c, char *const *argv, bool *ret_user)
{
	const char *s;

	*ret_user = argv[1] == NULL;
	for (; *argv != NULL; argv++)
		for (s = *argv; (s = strchr(s, '%')) != NULL; s += 2) {
			if (s[1] == 'u')
				*ret_user = true;
			if (!token_is_known(c, s[1])) {
				unknown_token(c, s[1], *argv);
				return false;
			}
		}
	return true;
}

/* Words behind the program as ours wants them. */
static bool
is_standard(char *const *argv)
{
	return argv[1] != NULL && strcmp(argv[1], "%u") == 0 &&
	    argv[2] != NULL && strcmp(argv[2], "%t") == 0 &&
	    argv[3] != NULL && strcmp(argv[3], "%k") == 0 && argv[4] == NULL;
}

/* False: told. */
static bool
is_whole(struct check *c, const struct check_command *cmd)
{
	size_t i;

	if (strchr("\"'", cmd->command[0]) != NULL) {
		check_tell(c, CHECK_FAIL, "tokens", NULL,
		    "AuthorizedKeysCommand is one word in quotes: take them "
		    "away, in " CHECK_AT, CHECK_AT_ARGS(cmd->set));
		return false;
	}
	if (cmd->argv == NULL) {
		check_tell(c, CHECK_FAIL, "tokens", NULL,
		    "AuthorizedKeysCommand has a quote that does not end");
		return false;
	}
	for (i = 1; cmd->argv[i] != NULL; i++)
		if (cmd->argv[i][0] == '#') {
			check_tell(c, CHECK_FAIL, "tokens", NULL,
			    "AuthorizedKeysCommand has '%s' as an argument: "
			    "no comment can stand on that line",
			    cmd->argv[i]);
			return false;
		}
	return true;
}

void
check_tokens(struct check *c, const struct check_command *cmd)
{
	bool user;

	if (cmd->command == NULL || !is_whole(c, cmd) ||
	    !tokens_are_known(c, cmd->argv, &user))
		return;
	if (!user)
		check_tell(c, CHECK_FAIL, "tokens", NULL,
		    "AuthorizedKeysCommand has no %%u: it is not told whose "
		    "keys are asked for");
	else if (cmd->ours && !is_standard(cmd->argv))
		check_tell(c, CHECK_NOTE, "tokens", NULL, "the arguments of "
		    "the command are not '%s': without the offered key it "
		    "prints every key", OURS);
	else
		check_tell(c, CHECK_OK, "tokens", NULL,
		    "this sshd knows every token of the command");
}
