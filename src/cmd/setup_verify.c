/* SPDX-License-Identifier: ISC */
/*
 * Whether sshd would do what was meant: by sshd itself, and by meshkeys
 * check.
 */
#include <stdlib.h>
#include <string.h>

#include "cmd/check.h"
#include "cmd/setup.h"

#define COMMAND		"authorizedkeyscommand"
#define COMMAND_USER	"authorizedkeyscommanduser"

static bool
is_ours(const struct mk_sshd_settings *settings)
{
	const char *command = mk_sshd_get(settings, COMMAND, 0);
	const char *user = mk_sshd_get(settings, COMMAND_USER, 0);
	const size_t len = strlen(SETUP_HELPER);

	return command != NULL && user != NULL &&
	    strncmp(command, SETUP_HELPER, len) == 0 &&
	    (command[len] == ' ' || command[len] == '\0') &&
	    strcmp(user, SETUP_AKC_USER) == 0;
}

/* Who has it in our place: the first Match block before ours, as a rule. */
static int
not_ours(const struct setup *s, const char *user,
    const struct mk_sshd_settings *settings, struct mk_why *why)
{
	const char *command = mk_sshd_get(settings, COMMAND, 0);
	const struct mk_sshd_line *line;

	for (line = s->lines.lines; line < s->lines.lines + s->lines.n;
	    line++) {
		if (line->match != NULL &&
		    strcmp(line->keyword, COMMAND) == 0 &&
		    strcmp(line->file, SETUP_DROPIN) != 0)
			return mk_fail(why, MK_E_CONFIG, "sshd", "for '%s' "
			    "sshd still takes another command, from 'Match "
			    "%s' in '%s', line %u; take '%s' out of that "
			    "block", user, line->match, line->file,
			    line->line, user);
	}
	return mk_fail(why, MK_E_CONFIG, "sshd", "for '%s' sshd takes "
	    "another command than ours: '%s'", user,
	    command != NULL ? command : "none");
}

static int
verify_user(const struct setup *s, const char *user, bool ours,
    struct mk_why *why)
{
	const struct mk_sshd_ask ask = { .user = user };
	struct mk_sshd_settings *settings;
	int e;

	e = mk_sshd_settings(&s->sshd, &ask, &settings, why);
	if (e != 0)
		return e;
	if (ours && !is_ours(settings))
		e = not_ours(s, user, settings, why);
	else if (!ours && is_ours(settings))
		e = mk_fail(why, MK_E_CONFIG, "sshd", "for '%s' sshd takes "
		    "our command too, so a failure of it could keep "
		    "everybody out; it must stand in '%s' only", user,
		    SETUP_DROPIN);
	mk_sshd_settings_free(settings);
	return e;
}

/* For a user of the trial, or for a name that nobody has. */
int
setup_verify(const struct setup *s, struct mk_why *why)
{
	int e;

	if ((e = mk_sshd_test(&s->sshd, NULL, why)) != 0 ||
	    (e = verify_user(s, "root", false, why)) != 0 ||
	    (e = verify_user(s, s->login != NULL ? s->login :
	    "meshkeys-nobody", true, why)) != 0)
		return e;
	setup_say(s, "sshd takes the configuration: our command for %s, "
	    "not for root", s->login != NULL ? s->login : "users");
	return 0;
}

/* That sshd has not read what is new, and that we are at it, is known. */
static bool
is_news(const struct check_finding *f)
{
	return (f->level == CHECK_WARN || f->level == CHECK_FAIL) &&
	    strcmp(f->name, "running") != 0 && strcmp(f->name, "setup") != 0;
}

static void
tell(const struct setup *s, const struct check_finding *f)
{
	setup_say(s, "check: %s: %s: %s", f->level == CHECK_FAIL ?
	    "failure" : "warning", f->name, f->text);
	if (f->repair != NULL)
		setup_say(s, "    run: %s", f->repair);
}

static int
judge(const struct setup *s, const struct check *c, bool must,
    struct mk_why *why)
{
	const struct check_finding *f, *worst = NULL;
	size_t i;

	for (i = 0; i < c->n; i++) {
		f = &c->findings[i];
		if (!is_news(f))
			continue;
		tell(s, f);
		if (f->level == CHECK_FAIL && worst == NULL)
			worst = f;
	}
	if (worst == NULL || !must) {
		setup_say(s, "looked at all that 'meshkeys check' looks "
		    "at%s", worst != NULL ? "" : ": no failure");
		return 0;
	}
	return mk_fail(why, MK_E_CONFIG, "check", "%s: %s", worst->name,
	    worst->text);
}

int
setup_check(const struct setup *s, bool must, struct mk_why *why)
{
	struct check check;
	int e;

	memset(&check, 0, sizeof(check));
	check.m = s->m;
	e = check_run(&check, why);
	if (e == 0)
		e = judge(s, &check, must, why);
	check_release(&check);
	return e;
}
