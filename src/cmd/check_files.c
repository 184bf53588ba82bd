/* SPDX-License-Identifier: ISC */
/*
 * The files of a host: what is ours to read at a login, and whether it can
 * be read and believed.
 */
#include <config.h>

#include <errno.h>
#include <pwd.h>
#include <time.h>

#include "cmd/check.h"
#include "core/timestamp.h"
#include "edge/keeper.h"

#define HELPER_USER	"meshkeys-akc"
#define CONFIG_FILE	MK_CONFDIR "/meshkeys.conf"

static void
check_clock(struct check *c, time_t now)
{
	char text[MK_TIME_LEN + 1];

	mk_time_format(now, text);
	if (now < MK_BUILD_TIME)
		check_tell(c, CHECK_FAIL, "clock", "timedatectl set-ntp true",
		    "the clock says %s, and this program was built later: "
		    "nothing can be fresh", text);
	else
		check_tell(c, CHECK_OK, "clock", NULL, "it is %s", text);
}

/* The configuration; nothing else can be judged without it. */
static bool
check_config(struct check *c, struct check_site *site)
{
	const char *file = c->m->place.config_file;
	struct mk_why why;

	if (mk_config_load(&site->root, file, &site->config, &why) != 0) {
		check_tell_why(c, CHECK_FAIL, "config", &why);
		return false;
	}
	check_tell(c, CHECK_OK, "config", NULL, "'%s%s' is read, or the "
	    "defaults where there is none", file != NULL ? "" :
	    site->root.name, file != NULL ? file : CONFIG_FILE);
	return true;
}

/* The command that ours goes on to must be one that sshd would run. */
static void
check_chain(struct check *c, const struct check_site *site)
{
	struct mk_why why;

	if (site->config.chain == NULL)
		return;
	if (mk_program_check(&site->root, site->config.chain[0], &why) != 0)
		check_tell_why(c, CHECK_FAIL, "chain", &why);
	else
		check_tell(c, CHECK_OK, "chain", NULL,
		    "'%s' runs behind the helper", site->config.chain[0]);
}

static void
look_for_program(struct check *c, const struct check_site *site,
    const char *path)
{
	struct mk_why why;

	if (mk_program_check(&site->root, path, &why) != 0)
		check_tell_why(c, CHECK_FAIL, "programs", &why);
	else
		check_tell(c, CHECK_OK, "programs", NULL,
		    "'%s%s' is there", site->root.name, path);
}

static void
check_account(struct check *c, const char *name)
{
	const struct passwd *pw;

	errno = 0;
	pw = getpwnam(name);
	if (pw == NULL && errno != 0 && errno != ENOENT)
		check_tell(c, CHECK_WARN, "accounts", NULL,
		    "cannot look up '%s'", name);
	else if (pw == NULL)
		check_tell(c, CHECK_FAIL, "accounts",
		    name[sizeof(MK_KEEPER_USER) - 1] == '\0' ?
		    "useradd --system --user-group --no-create-home "
		    "--shell /usr/sbin/nologin " MK_KEEPER_USER :
		    "useradd --system --user-group --no-create-home "
		    "--shell /usr/sbin/nologin " HELPER_USER,
		    "no user '%s'", name);
	else if (pw->pw_uid == 0)
		check_tell(c, CHECK_FAIL, "accounts", NULL,
		    "the user '%s' is root itself: give it a number of its "
		    "own", name);
	else
		check_tell(c, CHECK_OK, "accounts", NULL,
		    "'%s' is uid %lu", name, (unsigned long)pw->pw_uid);
}

static void
check_site(struct check *c, struct check_site *site)
{
	check_clock(c, site->now);
	if (site->root.fd == -1) {
		check_account(c, MK_KEEPER_USER);
		check_account(c, HELPER_USER);
	}
	look_for_program(c, site, MK_LIBEXECDIR "/mesh-authorized-keys");
	look_for_program(c, site, MK_LIBEXECDIR "/mesh-refresh");
	check_places(c, site);
	if (!check_config(c, site)) {
		check_tell(c, CHECK_SKIPPED, "map", NULL,
		    "not looked at: the configuration cannot be used");
		return;
	}
	check_chain(c, site);
	check_map(c, site);
	check_store(c, site);
	mk_config_release(&site->config);
}

void
check_files(struct check *c)
{
	struct check_site site = { .now = time(NULL) };
	struct mk_why why;

	if (mk_root_open(c->m->place.root_dir, &site.root, &why) != 0) {
		check_tell_why(c, CHECK_FAIL, "config", &why);
		return;
	}
	check_site(c, &site);
	mk_root_close(&site.root);
}
