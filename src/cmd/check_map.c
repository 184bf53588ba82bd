/* SPDX-License-Identifier: ISC */
/*
 * Who is who: every line of the map, of users/ and of the passwd file as
 * logins read them, and users whom two of them name.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "cmd/check.h"
#include "edge/everyone.h"
#include "edge/source.h"

#define TOLD_MAX	20u	/* of one kind, one by one */

/* What is told line by line, up to a number. */
struct lines {
	struct check *c;
	enum check_level level;
	const char *name;
	size_t n;
};

static void
tell_line(struct lines *lines, const struct mk_why *why)
{
	if (lines->n++ < TOLD_MAX)
		check_tell_why(lines->c, lines->level, lines->name, why);
}

static void
tell_rest(const struct lines *lines, const char *what)
{
	if (lines->n > TOLD_MAX)
		check_tell(lines->c, lines->level, lines->name, NULL,
		    "and %zu more %s: %zu in all", lines->n - TOLD_MAX, what,
		    lines->n);
}

/* What one run over all sources tells. */
struct everybody {
	struct lines bad, twice;
};

static void
tell_bad(void *arg, const struct mk_why *why)
{
	struct everybody *all = arg;

	tell_line(&all->bad, why);
}

/* Who is named twice believes the line that does not count. */
static void
see_line(void *arg, const struct mk_told_line *line)
{
	struct everybody *all = arg;
	struct mk_why why;

	if (!line->passed)
		return;
	mk_fail(&why, MK_E_CONFIG, "map", "%s:%u: '%s' is named by a source "
	    "that is asked before this one: the line does not count",
	    line->path, line->line, line->user);
	tell_line(&all->twice, &why);
}

/* With the line for the map that is missing. */
static void
tell_add(struct check *c, enum check_level level, const char *name,
    const char *user, const char *what)
{
	struct mk_buf repair;

	mk_buf_init(&repair, 2 * PATH_MAX);
	meshkeys_put_command(c->m, &repair, "map add", user);
	mk_buf_puts(&repair, " FINGERPRINT");
	check_tell(c, level, name, repair.failed == 0 ? repair.data : NULL,
	    "%s", what);
	mk_buf_release(&repair);
}

static void
sum_up(struct check *c, const struct mk_everyone *everyone)
{
	if (everyone->n > 0)
		check_tell(c, CHECK_OK, "map", NULL, "every line is a good "
		    "one; %zu profile%s", everyone->n,
		    everyone->n == 1 ? "" : "s");
	else
		tell_add(c, CHECK_WARN, "map", "USER", everyone->unlisted ?
		    "no user is mapped to a profile but perhaps by a "
		    "directory, which does not list its users" :
		    "no user is mapped to a profile");
}

static void
check_everyone(struct check *c, const struct check_site *site)
{
	struct everybody all = { .bad = { c, CHECK_FAIL, "map", 0 },
	    .twice = { c, CHECK_WARN, "map-twice", 0 } };
	const struct mk_teller teller = { .tell = tell_bad, .arg = &all,
	    .line = see_line };
	struct mk_everyone everyone;
	struct mk_why why;

	if (mk_everyone_read(&site->root, &site->config, &teller, &everyone,
	    &why) != 0) {
		check_tell_why(c, CHECK_FAIL, "map", &why);
		return;
	}
	tell_rest(&all.bad, "bad lines");
	tell_rest(&all.twice, "lines that do not count");
	if (all.bad.n == 0)
		sum_up(c, &everyone);
	mk_everyone_release(&everyone);
}

static void
tell_closed(struct check *c, const char *root, const char *name)
{
	struct mk_buf path, repair;

	mk_buf_init(&path, PATH_MAX);
	mk_buf_init(&repair, 2 * PATH_MAX);
	mk_buf_puts(&path, root);
	mk_buf_puts(&path, MK_USERSDIR "/");
	mk_buf_puts(&path, name);
	mk_buf_puts(&repair, "chmod 644 ");
	show_quoted(&repair, path.data != NULL ? path.data : "");
	check_tell(c, CHECK_FAIL, "map", path.failed == 0 &&
	    repair.failed == 0 ? repair.data : NULL, "'%s" MK_USERSDIR
	    "/%s' is closed to the user of the helper", root, name);
	mk_buf_release(&path);
	mk_buf_release(&repair);
}

/* Files in users/ that the helper cannot read. */
static void
check_closed(struct check *c, const struct check_site *site)
{
	struct lines closed = { c, CHECK_FAIL, "map", 0 };
	const struct dirent *e;
	struct mk_dir dir;
	struct stat st;
	DIR *d;

	if (mk_dir_open(&site->root, MK_USERSDIR, MK_OWNED_BY_ROOT, &dir,
	    NULL) != 0)
		return;
	if ((d = fdopendir(dir.fd)) == NULL) {
		mk_dir_close(&dir);
		return;
	}
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.' || fstatat(dir.fd, e->d_name, &st,
		    AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode) ||
		    (st.st_mode & S_IROTH) != 0 || closed.n++ >= TOLD_MAX)
			continue;
		tell_closed(c, site->root.name, e->d_name);
	}
	tell_rest(&closed, "files that are closed");
	(void)closedir(d);
}

/* What a login of hers finds. */
static void
check_identity(struct check *c, const struct check_site *site)
{
	struct mk_identity identity;
	struct mk_why why;

	if (mk_identity_find(&site->root, &site->config, c->user, &identity,
	    &why) != 0) {
		check_tell_why(c, CHECK_FAIL, "identity", &why);
		return;
	}
	if (identity.source == NULL && strcmp(c->user, "root") == 0)
		check_tell(c, CHECK_NOTE, "identity", NULL, "root is mapped "
		    "to no profile: a way in that does not need the helper");
	else if (identity.source == NULL)
		tell_add(c, CHECK_FAIL, "identity", c->user,
		    "she is mapped to no profile: she has no Mesh keys here");
	else if (identity.denied)
		check_tell(c, CHECK_NOTE, "identity", NULL,
		    "'%s' has no Mesh keys here, on purpose: '-' in %s",
		    c->user, identity.source);
	else
		check_tell(c, CHECK_OK, "identity", NULL,
		    "'%s' has %zu profile%s, by %s", c->user, identity.n,
		    identity.n == 1 ? "" : "s", identity.source);
	mk_identity_release(&identity);
}

void
check_map(struct check *c, const struct check_site *site)
{
	if (c->user != NULL)
		check_identity(c, site);
	check_everyone(c, site);
	check_closed(c, site);
}
