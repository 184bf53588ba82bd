/* SPDX-License-Identifier: ISC */
/*
 * Who may write the fifth subfield of GECOS, which says whose profile a
 * user has: root alone, if the host is as it should be.
 */
#include <sys/stat.h>

#include <stdlib.h>
#include <string.h>

#include "cmd/check.h"

#define LOGIN_DEFS	"/etc/login.defs"
#define NSSWITCH	"/etc/nsswitch.conf"
#define TEXT_MAX	(1u << 20)

/* A bus name that is started when it is asked for. */
#define ACCOUNTS \
	"/usr/share/dbus-1/system-services/org.freedesktop.Accounts.service"

/* The rest of the first line that begins with that word; malloc'd. */
static char *
value_of(const char *path, const char *word)
{
	char *text = check_file_text(path, TEXT_MAX, false), *cursor = text;
	char *line, *value = NULL;
	size_t len = strlen(word);

	while (value == NULL && (line = strsep(&cursor, "\n")) != NULL) {
		line += strspn(line, " \t");
		if (strncmp(line, word, len) != 0)
			continue;
		line += len;
		if (*line != ' ' && *line != '\t' && word[len - 1] != ':')
			continue;
		line += strspn(line, " \t");
		line[strcspn(line, "#")] = '\0';
		value = strdup(line);
	}
	free(text);
	return value;
}

/*
 * chfn(1) lets users change f, r, w and h; the other field is root's in
 * every one that is known.  Another letter asks for more.
 */
static void
check_chfn(struct check *c)
{
	char *value = value_of(LOGIN_DEFS, "CHFN_RESTRICT"), *end;

	if (value == NULL)
		return;
	end = value + strlen(value);
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = '\0';
	if (value[strspn(value, "frwh")] != '\0' &&
	    strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
		check_tell(c, CHECK_WARN, "gecos-chfn", "sed -i "
		    "'s/^[[:blank:]]*CHFN_RESTRICT[[:blank:]].*/"
		    "CHFN_RESTRICT rwh/' " LOGIN_DEFS,
		    "'CHFN_RESTRICT %s' in '" LOGIN_DEFS "' names more than "
		    "f, r, w and h: if that is the other field, users write "
		    "their fingerprints themselves", value);
	else
		check_tell(c, CHECK_OK, "gecos-chfn", NULL, "chfn leaves the "
		    "other field to root");
	free(value);
}

/*
 * It gives the new name to "usermod -c", which replaces all of GECOS, and
 * lets users change their own.
 */
static void
check_accounts_service(struct check *c)
{
	struct stat st;

	if (stat(ACCOUNTS, &st) == 0)
		check_tell(c, CHECK_WARN, "gecos-accounts", "echo 'identity "
		    "map' >>" MK_CONFDIR "/meshkeys.conf", "AccountsService "
		    "lets a user set her whole GECOS by her name, "
		    "'mesh=' with it; leave passwd out of 'identity', or "
		    "deny org.freedesktop.accounts.change-own-user-data in "
		    "polkit");
	else
		check_tell(c, CHECK_OK, "gecos-accounts", NULL, "there is no "
		    "AccountsService");
}

static void
check_directory(struct check *c)
{
	static const char *const words[] = { "sss", "ldap", "winbind" };
	char *value = value_of(NSSWITCH, "passwd:"), *cursor = value, *word;
	const char *found = NULL;
	size_t i;

	while (found == NULL && (word = strsep(&cursor, " \t[")) != NULL)
		for (i = 0; i < 3; i++)
			if (strcmp(word, words[i]) == 0)
				found = words[i];
	if (found != NULL)
		check_tell(c, CHECK_WARN, "gecos-directory", NULL, "'identity' "
		    "has nss, and '%s' answers for it: see that users may "
		    "not write their own gecos in the directory, or map "
		    "them here", found);
	else
		check_tell(c, CHECK_OK, "gecos-directory", NULL, "no "
		    "directory that users write answers for nss");
	free(value);
}

void
check_gecos(struct check *c, const struct check_site *site)
{
	bool passwd = false, nss = false;
	unsigned i;

	for (i = 0; i < site->config.n_identity; i++) {
		passwd |= site->config.identity[i] == MK_SOURCE_PASSWD;
		nss |= site->config.identity[i] == MK_SOURCE_NSS;
	}
	if (passwd || nss) {
		check_chfn(c);
		check_accounts_service(c);
	} else {
		check_tell(c, CHECK_OK, "gecos", NULL, "GECOS is not asked");
	}
	if (nss)
		check_directory(c);
}
