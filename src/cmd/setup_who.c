/* SPDX-License-Identifier: ISC */
/*
 * Who logs in for trial, and who can log in if the helper fails.
 */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/setup.h"
#include "edge/everyone.h"

#define FIRST_UID	1000
#define LAST_UID	60000

static bool
can_be(const char *user)
{
	const struct passwd *pw = getpwnam(user);

	return pw != NULL && pw->pw_uid != 0;
}

/* The first of the map whom this host has. */
static void
take_line(void *arg, const struct mk_told_line *line)
{
	char **login = arg;

	if (*login == NULL && !line->passed && line->udf != NULL &&
	    can_be(line->user))
		*login = strdup(line->user);
}

static void
pass_over(void *arg, const struct mk_why *why)
{
	(void)arg, (void)why;
}

static int
find_mapped(struct setup *s, struct mk_why *why)
{
	const struct mk_teller teller = { .tell = pass_over,
	    .arg = &s->login, .line = take_line };
	struct mk_everyone everyone;
	struct mk_config config;
	int e;

	e = mk_config_load(&s->root, NULL, &config, why);
	if (e != 0)
		return e;
	e = mk_everyone_read(&s->root, &config, &teller, &everyone, why);
	if (e == 0)
		mk_everyone_release(&everyone);
	mk_config_release(&config);
	return e;
}

static bool
has_shell(const struct passwd *pw)
{
	return strstr(pw->pw_shell, "nologin") == NULL &&
	    strstr(pw->pw_shell, "false") == NULL;
}

static void
find_local(struct setup *s)
{
	FILE *f = fopen(MK_PASSWD, "re");
	const struct passwd *pw;

	if (f == NULL)
		return;
	while (s->login == NULL && (pw = fgetpwent(f)) != NULL) {
		if (pw->pw_uid >= FIRST_UID && pw->pw_uid <= LAST_UID &&
		    has_shell(pw))
			s->login = strdup(pw->pw_name);
	}
	(void)fclose(f);
}

int
setup_who_logs_in(struct setup *s, struct mk_why *why)
{
	const char *named = s->m->login, *sudo = getenv("SUDO_USER");
	int e;

	if (named != NULL && getpwnam(named) == NULL)
		return mk_fail(why, MK_E_USAGE, "login",
		    "there is no user '%s' on this host", named);
	if (named != NULL && !can_be(named))
		return mk_fail(why, MK_E_USAGE, "login", "'%s' is left out "
		    "of what is set up; name another user by --login", named);
	if (named != NULL) {
		s->login = strdup(named);
	} else {
		if ((e = find_mapped(s, why)) != 0)
			return e;
		if (s->login == NULL && sudo != NULL && can_be(sudo))
			s->login = strdup(sudo);
		if (s->login == NULL)
			find_local(s);
	}
	return 0;
}

static int
root_may(const struct setup *s, struct mk_why *why)
{
	const struct mk_sshd_ask ask = { .user = "root" };
	struct mk_sshd_settings *settings;
	const char *permit;
	int e;

	if ((e = mk_sshd_settings(&s->sshd, &ask, &settings, why)) != 0)
		return e;
	permit = mk_sshd_get(settings, "permitrootlogin", 0);
	if (permit != NULL && (strcmp(permit, "no") == 0 ||
	    strcmp(permit, "forced-commands-only") == 0))
		e = mk_fail(why, MK_E_USAGE, "way-in", "root is no way in, "
		    "for sshd has 'PermitRootLogin %s'; name another user "
		    "by --way-in USER, one with an authorized_keys file, or "
		    "--way-in console if you have the console of this host",
		    permit);
	mk_sshd_settings_free(settings);
	return e;
}

/* ssh(1) would only complain of its mode. */
static bool
is_public(const char *key)
{
	const size_t len = strlen(key);

	return len > 4 && strcmp(key + len - 4, ".pub") == 0;
}

int
setup_way_in_ready(const struct setup *s, struct mk_why *why)
{
	const struct meshkeys *m = s->m;
	const char *user = m->way_in != NULL ? m->way_in : "root";
	const char *agent = getenv("SSH_AUTH_SOCK");
	const struct passwd *pw;

	if (strcmp(user, "console") == 0)
		return 0;
	pw = getpwnam(user);
	if (pw == NULL)
		return mk_fail(why, MK_E_USAGE, "way-in",
		    "there is no user '%s' on this host", user);
	if (m->key != NULL && access(m->key, R_OK) != 0)
		return mk_fail(why, MK_E_USAGE, "way-in",
		    "cannot read the key '%s'", m->key);
	if (m->key != NULL && is_public(m->key))
		return mk_fail(why, MK_E_USAGE, "way-in", "'%s' is the public "
		    "key: name the private one, without '.pub'", m->key);
	if (m->key == NULL && (agent == NULL || agent[0] == '\0'))
		return mk_fail(why, MK_E_USAGE, "way-in", "nobody would get "
		    "in if the helper failed, for all that is known: name a "
		    "key of %s by --key FILE, or log in with 'ssh -A' and "
		    "keep SSH_AUTH_SOCK, or use --way-in console if you have "
		    "the console of this host", user);
	return pw->pw_uid == 0 ? root_may(s, why) : 0;
}
