/* SPDX-License-Identifier: ISC */
/*
 * The two system users and the two directories of one of them.  They are
 * not taken back: the memory against rollback is theirs.
 */
#include <sys/stat.h>

#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "cmd/setup.h"

#define KEEPER		"meshkeys"
#define SNIPPET		"meshkeys.conf"
#define DIR_MODE	0755

static const char *const users[] = { KEEPER, SETUP_AKC_USER };
static const char *const dirs[] = { MK_CACHEDIR, MK_STATEDIR };

static bool
has_users(void)
{
	size_t i;

	for (i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
		if (getpwnam(users[i]) == NULL)
			return false;
	}
	return true;
}

static bool
has_dirs(void)
{
	struct stat st;
	size_t i;

	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		if (stat(dirs[i], &st) != 0)
			return false;
	}
	return true;
}

static int
add_user(const char *name, struct mk_why *why)
{
	const char *const argv[] = { "useradd", "--system", "--user-group",
	    "--no-create-home", "--shell", "/usr/sbin/nologin", name, NULL };
	int e = setup_run(argv, why);

	if (e == MK_E_ABSENT)
		return mk_fail(why, MK_E_CONFIG, "users", "there is no user "
		    "'%s', and neither systemd-sysusers nor useradd to make "
		    "it", name);
	return e;
}

/* Where systemd has made one, useradd makes the other. */
static int
make_users(const struct setup *s, struct mk_why *why)
{
	const char *const sysusers[] = { "systemd-sysusers", SNIPPET, NULL };
	size_t i;
	int e = 0;

	if (has_users())
		return 0;
	(void)setup_run(sysusers, NULL);
	for (i = 0; e == 0 && i < sizeof(users) / sizeof(users[0]); i++) {
		if (getpwnam(users[i]) == NULL)
			e = add_user(users[i], why);
	}
	if (e == 0)
		setup_say(s, "made the users %s and %s, which stay whatever "
		    "comes", users[0], users[1]);
	return e;
}

static int
make_dir(const char *path, const struct passwd *pw, struct mk_why *why)
{
	if (mkdir(path, 0700) != 0) {
		if (errno == EEXIST)
			return 0;
		return mk_fail(why, MK_E_SYSTEM, "setup",
		    "cannot make '%s': %s", path, strerror(errno));
	}
	if (chown(path, pw->pw_uid, pw->pw_gid) != 0 ||
	    chmod(path, DIR_MODE) != 0)
		return mk_fail(why, MK_E_SYSTEM, "setup",
		    "cannot give '%s' to %s: %s", path, KEEPER,
		    strerror(errno));
	return 0;
}

static int
make_dirs(const struct setup *s, struct mk_why *why)
{
	const char *const tmpfiles[] = { "systemd-tmpfiles", "--create",
	    SNIPPET, NULL };
	const struct passwd *pw;
	size_t i;
	int e = 0;

	if (has_dirs())
		return 0;
	(void)setup_run(tmpfiles, NULL);
	pw = getpwnam(KEEPER);
	if (pw == NULL)
		return mk_fail(why, MK_E_CONFIG, "users",
		    "there is no user '%s'", KEEPER);
	for (i = 0; e == 0 && i < sizeof(dirs) / sizeof(dirs[0]); i++)
		e = make_dir(dirs[i], pw, why);
	if (e == 0)
		setup_say(s, "made '%s' and '%s', which stay too", dirs[0],
		    dirs[1]);
	return e;
}

int
setup_people(const struct setup *s, struct mk_why *why)
{
	int e = make_users(s, why);

	return e != 0 ? e : make_dirs(s, why);
}
