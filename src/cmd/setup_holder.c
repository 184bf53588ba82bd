/* SPDX-License-Identifier: ISC */
/*
 * Who held AuthorizedKeysCommand before us.  sshd runs one command for a
 * user, and our Match block wins over all that stand outside of one, also
 * over -o on the command line of sshd: so whoever held it would go without
 * a word.
 */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cmd/setup.h"

#define COMMAND		"authorizedkeyscommand"
#define COMMAND_USER	"authorizedkeyscommanduser"
#define TOKENS		"utkf%"

static bool
is_none(const char *value)
{
	return value == NULL || value[0] == '\0' ||
	    strcasecmp(value, "none") == 0;
}

static char *
copy(const char *s, bool *ok)
{
	char *p;

	if (s == NULL)
		return NULL;
	p = strdup(s);
	if (p == NULL)
		*ok = false;
	return p;
}

/* Behind "-o NAME=" or "-oNAME " in a command line, up to the next option;
   the quotes of a shell are gone from it. */
static char *
from_line(const char *line, const char *name)
{
	const size_t len = strlen(name);
	const char *p, *end, *title;

	for (p = strcasestr(line, name); p != NULL;
	    p = strcasestr(p + len, name)) {
		if (p - line >= 3 && (p[len] == ' ' || p[len] == '=') &&
		    (strncmp(p - 2, "-o", 2) == 0 ||
		    strncmp(p - 3, "-o ", 3) == 0))
			break;
	}
	if (p == NULL)
		return NULL;
	p += len + 1;
	p += strspn(p, " =");
	end = strstr(p, " -");
	title = strstr(p, " [listener]");
	if (end == NULL || (title != NULL && title < end))
		end = title;
	return end == NULL ? strdup(p) : strndup(p, (size_t)(end - p));
}

/* What sshd was started with, which "sshd -T" does not know of. */
static void
find_option(struct setup_holder *h)
{
	struct mk_sshd_running running;

	if (mk_sshd_running(NULL, &running, NULL) != 0)
		return;
	h->command = from_line(running.line, COMMAND);
	if (h->command != NULL)
		h->user = from_line(running.line, COMMAND_USER);
	mk_sshd_running_release(&running);
}

/* Our own block, adopted, is for everybody but root. */
static int
find_global(const struct setup *s, struct setup_holder *h,
    struct mk_why *why)
{
	struct mk_sshd_ask ask = { .user = NULL };
	struct mk_sshd_settings *settings;
	enum setup_dropin dropin;
	bool ok = true;
	int e;

	if ((e = setup_dropin_look(s, &dropin, why)) != 0)
		return e;
	if (dropin != SETUP_DROPIN_ABSENT)
		ask.user = "root";
	e = mk_sshd_settings(&s->sshd, &ask, &settings, why);
	if (e != 0)
		return e;
	if (!is_none(mk_sshd_get(settings, COMMAND, 0))) {
		h->command = copy(mk_sshd_get(settings, COMMAND, 0), &ok);
		h->user = copy(mk_sshd_get(settings, COMMAND_USER, 0), &ok);
	}
	mk_sshd_settings_free(settings);
	return ok ? 0 : mk_fail(why, MK_E_SYSTEM, "setup", "out of memory");
}

static const struct mk_sshd_line *
find_match(const struct setup *s)
{
	const struct mk_sshd_line *line;

	for (line = s->lines.lines; line < s->lines.lines + s->lines.n;
	    line++) {
		if (strcmp(line->keyword, COMMAND) == 0 &&
		    line->match != NULL && !is_none(line->value) &&
		    strcmp(line->match_file, SETUP_DROPIN) != 0 &&
		    strcasecmp(line->match, "all") != 0)
			return line;
	}
	return NULL;
}

/* For some users only: as our chain it would be asked for all. */
static int
take_match(const struct mk_sshd_line *line, struct setup_holder *h,
    struct mk_why *why)
{
	bool ok = true;

	if (h->command == NULL)
		h->command = copy(line->value, &ok);
	if (!ok || asprintf(&h->why_not, "it is for 'Match %s' only (%s, "
	    "line %u)", line->match, line->file, line->line) == -1) {
		h->why_not = NULL;
		return mk_fail(why, MK_E_SYSTEM, "setup", "out of memory");
	}
	return 0;
}

/*
 * The helper runs the chain as who runs the helper.  A command that had
 * other rights would fail, or do what it was trusted with as another user;
 * nobody has none to miss.
 */
static const char *
wrong_user(const char *user)
{
	const struct passwd *pw;

	if (is_none(user))
		return "nobody is named as its user";
	if (strchr(user, '%') != NULL)
		return "it runs as the user who logs in";
	if (strcmp(user, SETUP_AKC_USER) == 0 || strcmp(user, "nobody") == 0)
		return NULL;
	pw = getpwnam(user);
	if (pw != NULL && pw->pw_uid == 0)
		return "it runs as root, and behind ours it could not";
	return "it runs as a user of its own, and behind ours it could not";
}

static const char *
wrong_tokens(char *const *argv)
{
	const char *p;

	if (strchr(argv[0], '%') != NULL)
		return "its path has a token";
	for (argv++; *argv != NULL; argv++) {
		for (p = strchr(*argv, '%'); p != NULL;
		    p = strchr(p + 2, '%')) {
			if (p[1] == '\0' || strchr(TOKENS, p[1]) == NULL)
				return "it has another token than %u, %t, "
				    "%k, %f and %%";
		}
	}
	return NULL;
}

static int
judge(const struct setup *s, struct setup_holder *h, struct mk_why *why)
{
	struct mk_why reason = { .detail = "" };
	const char *wrong = NULL;
	char **argv = NULL;

	if (mk_sshd_split(h->command, &argv, &reason) != 0)
		wrong = reason.detail;
	else if (argv[0] == NULL)
		wrong = "it is empty";
	else if (strcmp(argv[0], SETUP_HELPER) == 0)
		wrong = "it is ours";
	else if ((wrong = wrong_user(h->user)) == NULL &&
	    (wrong = wrong_tokens(argv)) == NULL &&
	    mk_program_check(&s->root, argv[0], &reason) != 0)
		wrong = reason.detail;
	free(argv);
	if (wrong == NULL)
		return 0;
	h->why_not = strdup(wrong);
	return h->why_not != NULL ? 0 :
	    mk_fail(why, MK_E_SYSTEM, "setup", "out of memory");
}

int
setup_holder_find(const struct setup *s, struct setup_holder *ret_holder,
    struct mk_why *why)
{
	const struct mk_sshd_line *match = find_match(s);
	struct setup_holder h;
	int e = 0;

	memset(&h, 0, sizeof(h));
	find_option(&h);
	if (h.command == NULL)
		e = find_global(s, &h, why);
	if (e == 0 && match != NULL)
		e = take_match(match, &h, why);
	else if (e == 0 && h.command != NULL)
		e = judge(s, &h, why);
	if (e != 0) {
		setup_holder_release(&h);
		return e;
	}
	h.name = h.command != NULL ? mk_sshd_command_name(h.command) : NULL;
	*ret_holder = h;
	return 0;
}

void
setup_holder_release(struct setup_holder *holder)
{
	free(holder->command);
	free(holder->user);
	free(holder->why_not);
	memset(holder, 0, sizeof(*holder));
}
