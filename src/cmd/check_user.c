/* SPDX-License-Identifier: ISC */
/*
 * What stands between a user and her login besides Mesh: her account, as
 * sshd looks at it (auth.c: allowed_user), the keys that she has elsewhere,
 * and the helper, run as sshd runs it.
 */
#include <config.h>

#include <sys/stat.h>

#include <errno.h>
#include <fnmatch.h>
#include <grp.h>
#include <pwd.h>
#include <shadow.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd/check.h"
#include "core/limits.h"

#define COMMAND_MAX	4096u
#define GROUPS_MAX	4096

/* A finding that a command about her mends. */
struct mend {
	enum check_level level;
	const char *name;
	const char *command;	/* her name comes behind it */
};

static void __attribute__((format(printf, 4, 5)))
tell_mend(struct check *c, const struct mend *mend, const char *user,
    const char *fmt, ...)
{
	struct mk_buf repair;
	char *what;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&what, fmt, ap) == -1) {
		what = NULL;
		c->failed = MK_E_SYSTEM;
	}
	va_end(ap);
	mk_buf_init(&repair, COMMAND_MAX);
	mk_buf_puts(&repair, mend->command);
	mk_buf_putc(&repair, ' ');
	meshkeys_put_user(&repair, user);
	check_tell(c, mend->level, mend->name, repair.failed == 0 ?
	    repair.data : NULL, "%s", what != NULL ? what : "");
	mk_buf_release(&repair);
	free(what);
}

static const char *
setting(const struct check *c, const char *keyword)
{
	return c->settings == NULL ? NULL :
	    mk_sshd_get(c->settings, keyword, 0);
}

/* A chrooted user needs no shell of the host, which sshd knows. */
static bool
is_chrooted(const struct check *c)
{
	const char *to = setting(c, "chrootdirectory");

	return to != NULL && strcmp(to, "none") != 0;
}

static void
check_shell(struct check *c, const struct passwd *pw)
{
	static const struct mend mend = { CHECK_FAIL, "shell",
	    "usermod -s /bin/sh" };
	const char *shell = pw->pw_shell[0] != '\0' ? pw->pw_shell :
	    "/bin/sh";
	const char *base = strrchr(shell, '/');
	struct stat st;

	base = base != NULL ? base + 1 : shell;
	if (is_chrooted(c))
		check_tell(c, CHECK_SKIPPED, "shell", NULL, "not looked at "
		    "'%s': ChrootDirectory puts her elsewhere", shell);
	else if (stat(shell, &st) != 0)
		tell_mend(c, &mend, pw->pw_name, "the shell '%s' does not "
		    "exist: sshd refuses her before it asks for keys", shell);
	else if (!S_ISREG(st.st_mode) || (st.st_mode & 0111) == 0)
		tell_mend(c, &mend, pw->pw_name, "the shell '%s' cannot be "
		    "run: sshd refuses her before it asks for keys", shell);
	else if (strcmp(base, "nologin") == 0 || strcmp(base, "false") == 0)
		check_tell(c, CHECK_WARN, "shell", NULL, "the shell '%s' "
		    "ends each login at once", shell);
	else
		check_tell(c, CHECK_OK, "shell", NULL, "'%s'", shell);
}

/* One that is built without PAM does not tell of UsePAM at all. */
static bool
without_pam(const struct check *c)
{
	const char *value = setting(c, "usepam");

	return c->settings != NULL &&
	    (value == NULL || strcmp(value, "no") == 0);
}

/* Without PAM sshd takes a "!" in front of the password for a lock. */
static void
check_lock(struct check *c, const struct spwd *sp, const char *user)
{
	static const struct mend unlock = { CHECK_FAIL, "lock",
	    "usermod -p '*'" };

	if (sp->sp_pwdp == NULL || sp->sp_pwdp[0] != '!')
		return;
	if (without_pam(c))
		tell_mend(c, &unlock, user, "the account is locked, and "
		    "with 'UsePAM no' sshd refuses it; a '*' for the "
		    "password is none, and no lock");
	else
		/* No command: somebody would paste it, and lock her out. */
		check_tell(c, CHECK_NOTE, "lock", NULL, "the account has a "
		    "locked password, which keeps no key out with 'UsePAM "
		    "yes'; an account that has expired would");
}

/* sshd lets in on the day itself, PAM does not; and 0 is for PAM no day. */
static bool
has_expired(const struct check *c, const struct spwd *sp)
{
	const long today = (long)(time(NULL) / MK_DAY);

	if (without_pam(c))
		return sp->sp_expire >= 0 && sp->sp_expire < today;
	return sp->sp_expire > 0 && sp->sp_expire <= today;
}

static void
check_expiry(struct check *c, const struct spwd *sp, const char *user)
{
	static const struct mend revive = { CHECK_FAIL, "expired",
	    "usermod -e ''" };
	static const struct mend again = { CHECK_WARN, "expired",
	    "chage -d today" };

	if (has_expired(c, sp))
		tell_mend(c, &revive, user, "the account has expired: no "
		    "key lets it in");
	else if (sp->sp_lstchg == 0 && without_pam(c))
		tell_mend(c, &again, user, "the password must be changed at "
		    "the next login");
}

static void
check_shadow(struct check *c, const char *name)
{
	const struct spwd *sp;

	if (geteuid() != 0) {
		check_tell(c, CHECK_SKIPPED, "lock", NULL, "whether the "
		    "account is locked or expired only root can see");
		return;
	}
	sp = getspnam(name);
	if (sp == NULL)
		return;
	check_lock(c, sp, name);
	check_expiry(c, sp, name);
}

/* Whether a list of sshd's has one of her names. */
enum listed { NO, PERHAPS, YES };

static enum listed
is_listed(const struct check *c, const char *keyword,
    const char *const *hers, size_t n)
{
	const char *value;
	enum listed listed = NO;
	size_t i, k, len;
	char *pattern;

	for (i = 0; listed != YES &&
	    (value = mk_sshd_get(c->settings, keyword, i)) != NULL; i++) {
		len = strcspn(value, "@");
		if ((pattern = strndup(value, len)) == NULL)
			return PERHAPS;
		/* Where she comes from is not known, and "!" is rare. */
		for (k = 0; k < n && listed != YES; k++)
			if (strpbrk(value, "!,[\\ ") != NULL)
				listed = PERHAPS;
			else if (fnmatch(pattern, hers[k], 0) == 0)
				listed = value[len] == '@' ? PERHAPS : YES;
		free(pattern);
	}
	return listed;
}

static void
judge_list(struct check *c, bool allows, const char *keyword,
    const char *const *hers, size_t n)
{
	const char *first = setting(c, keyword);
	enum listed listed;

	if (first == NULL || strcmp(first, "none") == 0)
		return;
	listed = is_listed(c, keyword, hers, n);
	if (listed == PERHAPS)
		check_tell(c, CHECK_NOTE, "lists", NULL, "sshd keeps a list "
		    "'%s': it may depend on where she comes from whether it "
		    "lets her in", keyword);
	else if ((listed == YES) == allows)
		check_tell(c, CHECK_OK, "lists", NULL, "sshd keeps a list "
		    "'%s', which lets her in", keyword);
	else
		check_tell(c, CHECK_FAIL, "lists", NULL, "sshd keeps a list "
		    "'%s', and refuses her before any key: it %s", keyword,
		    allows ? "does not name her" : "names her");
}

/* By the numbers of her groups, as sshd does it. */
static void
judge_groups(struct check *c, const struct passwd *pw)
{
	gid_t *gids = calloc(GROUPS_MAX, sizeof(*gids));
	char **names = calloc(GROUPS_MAX, sizeof(*names));
	const struct group *gr;
	int n = GROUPS_MAX, known = 0, i;

	if (gids == NULL || names == NULL) {
		c->failed = MK_E_SYSTEM;
		n = 0;
	} else if (getgrouplist(pw->pw_name, pw->pw_gid, gids, &n) == -1) {
		n = GROUPS_MAX;
	}
	for (i = 0; i < n; i++)
		if ((gr = getgrgid(gids[i])) != NULL &&
		    (names[known] = strdup(gr->gr_name)) != NULL)
			known++;
	judge_list(c, false, "denygroups", (const char *const *)names,
	    (size_t)known);
	judge_list(c, true, "allowgroups", (const char *const *)names,
	    (size_t)known);
	for (i = 0; i < known; i++)
		free(names[i]);
	free(names);
	free(gids);
}

static void
check_lists(struct check *c, const struct passwd *pw)
{
	const char *const name = pw->pw_name;

	if (c->settings != NULL) {
		judge_list(c, false, "denyusers", &name, 1);
		judge_list(c, true, "allowusers", &name, 1);
		judge_groups(c, pw);
	}
	if (pw->pw_uid != 0 && access("/etc/nologin", F_OK) == 0)
		check_tell(c, CHECK_WARN, "lists", "rm /etc/nologin",
		    "'/etc/nologin' is there: only root may log in");
}

static void
check_account(struct check *c, const struct passwd *pw)
{
	if (strcmp(pw->pw_name, c->user) != 0)
		check_tell(c, CHECK_WARN, "account", NULL, "the account of "
		    "'%s' calls itself '%s', and that is the name that "
		    "counts in the map", c->user, pw->pw_name);
	else if (pw->pw_uid == 0)
		check_tell(c, CHECK_NOTE, "account", NULL, "'%s' is uid 0: "
		    "the drop-in leaves root out, so that there is a way in "
		    "without Mesh", c->user);
	else
		check_tell(c, CHECK_OK, "account", NULL, "'%s' is uid %lu",
		    c->user, (unsigned long)pw->pw_uid);
	check_shell(c, pw);
	check_shadow(c, pw->pw_name);
	check_lists(c, pw);
}

/* Keys and the helper: what only root can do as sshd does it. */
static void
check_keys(struct check *c, struct check_person *person)
{
	struct mk_why why;

	if (geteuid() != 0 || c->settings == NULL) {
		check_tell(c, CHECK_SKIPPED, "authorized-keys", NULL,
		    geteuid() != 0 ? "left-over keys are looked for by root "
		    "only" : "what sshd would read is not known");
		check_tell(c, CHECK_SKIPPED, "helper", NULL,
		    geteuid() != 0 ? "only root can run the helper as sshd "
		    "runs it" : "what sshd would run is not known");
		return;
	}
	if (mk_root_open(NULL, &person->site.root, &why) != 0) {
		check_tell_why(c, CHECK_FAIL, "helper", &why);
		return;
	}
	/* An error in it was told by check_files(). */
	if (mk_config_load(&person->site.root, c->m->place.config_file,
	    &person->site.config, &why) == 0) {
		check_leftover(c, person);
		check_helper(c, person);
		mk_config_release(&person->site.config);
	}
	mk_root_close(&person->site.root);
}

void
check_user(struct check *c)
{
	struct check_person person = { .site.now = time(NULL) };
	const struct passwd *pw;
	char *name, *home;

	errno = 0;
	pw = getpwnam(c->user);
	if (pw == NULL) {
		check_tell(c, CHECK_FAIL, "account", NULL, "there is no "
		    "account '%s'%s%s: sshd refuses such a user and asks "
		    "for no keys", c->user, errno != 0 ? ", " : "",
		    errno != 0 ? strerror(errno) : "");
		return;
	}
	check_account(c, pw);
	person.uid = pw->pw_uid;
	person.gid = pw->pw_gid;
	person.name = name = strdup(pw->pw_name);
	person.home = home = strdup(pw->pw_dir);
	if (name != NULL && home != NULL)
		check_keys(c, &person);
	else
		c->failed = MK_E_SYSTEM;
	free(name);
	free(home);
}
