/* SPDX-License-Identifier: ISC */
/*
 * What a host does for Mesh keys besides logins: asking portals, by a timer
 * or a watcher, the log, and a setup that is not finished.
 */
#include <config.h>

#include <sys/file.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd/check.h"
#include "core/timestamp.h"
#include "edge/child.h"
#include "edge/everyone.h"
#include "edge/identity.h"
#include "edge/keeper.h"
#include "edge/undo.h"

#define REFRESHER	MK_LIBEXECDIR "/mesh-refresh"
#define PORTAL_SECONDS	60
#define SYSTEMD_SECONDS	10
#define OUT_MAX		(4u << 20)
#define ERR_MAX		4096u
#define CRON_MAX	65536u
#define PROCESSES_MAX	65536u	/* looked at for a watcher */
#define LOCK		MK_CONFDIR "/.lock"

char *
check_file_text(const char *path, size_t max, bool last)
{
	char *text = NULL;
	size_t got = 0;
	ssize_t n = 0;
	struct stat st;
	int fd;

	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd == -1)
		return NULL;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
	    (last && st.st_size > (off_t)max &&
	    lseek(fd, st.st_size - (off_t)max, SEEK_SET) == -1) ||
	    (text = malloc(max + 1)) == NULL)
		goto out;
	while (got < max && (n = read(fd, text + got, max - got)) != 0) {
		if (n == -1 && errno != EINTR)
			break;
		got += n > 0 ? (size_t)n : 0;
	}
	text[got] = '\0';
out:
	close(fd);
	return text;
}

/* Whether one of her profiles has; her lines are judged elsewhere. */
static bool
has_her_portal(const struct check *c, const struct check_site *site)
{
	struct mk_identity identity;
	bool has = false;
	size_t i;

	if (mk_identity_find(&site->root, &site->config, c->user, &identity,
	    NULL) != 0)
		return false;
	for (i = 0; i < identity.n && !has; i++)
		has = identity.profiles[i].policy.portal != NULL;
	mk_identity_release(&identity);
	return has;
}

/* Whether any line that counts has a portal to ask. */
static bool
has_portal(const struct check *c, const struct check_site *site)
{
	struct mk_everyone everyone;
	bool has = false;
	size_t i;

	if (c->user != NULL)
		return has_her_portal(c, site);
	if (mk_everyone_read(&site->root, &site->config, NULL, &everyone,
	    NULL) != 0)
		return true;
	for (i = 0; i < everyone.n && !has; i++)
		has = everyone.profiles[i].portal != NULL;
	has = has || everyone.n == 0 || everyone.unlisted;
	mk_everyone_release(&everyone);
	return has;
}

/* What it said, its first line; ours are short and to the point. */
static void
tell_portal(struct check *c, int status, const struct mk_buf *err)
{
	const char *said = err->len > 0 ? err->data : "";
	const int len = (int)strcspn(said, "\n");

	if (status == 0)
		check_tell(c, CHECK_OK, "portal", NULL, "mesh-refresh "
		    "--dry-run finds nothing wrong");
	else
		check_tell(c, CHECK_WARN, "portal", "meshkeys refresh "
		    "--dry-run", "mesh-refresh --dry-run ends with %d%s: "
		    "%.*s", status, status == 75 ? ", not every portal "
		    "answers" : status == 65 ? ", a set is refused" : "",
		    len, said);
}

static void
ask_portals(struct check *c, const struct passwd *pw)
{
	const char *argv[8] = { REFRESHER, "--dry-run" };
	static char path[] = "PATH=/usr/bin:/bin";
	char *const env[] = { path, NULL };
	const struct mk_child_as as = { MK_KEEPER_USER, pw->pw_uid,
	    pw->pw_gid };
	struct mk_buf out, err;
	/* What root has in her environment is not for everybody's eyes. */
	const struct mk_child child = { .argv = argv, .as = &as, .env = env,
	    .seconds = PORTAL_SECONDS, .err = &err };
	struct mk_why why;
	int status = 0, e, n = 2;

	if (c->m->place.config_file != NULL) {
		argv[n++] = "--config";
		argv[n++] = c->m->place.config_file;
	}
	argv[n++] = "--";
	if (c->user != NULL)
		argv[n++] = c->user;
	mk_buf_init(&out, OUT_MAX);
	mk_buf_init(&err, ERR_MAX);
	e = mk_child_run(&child, &out, &status, &why);
	if (e == 0)
		tell_portal(c, status, &err);
	else
		check_tell_why(c, CHECK_WARN, "portal", &why);
	mk_buf_release(&out);
	mk_buf_release(&err);
}

static void
check_portal(struct check *c, bool has)
{
	const struct passwd *pw;

	if (!has) {
		check_tell(c, CHECK_NOTE, "portal", NULL, "no portal is "
		    "configured for %s: sets come by meshkeys import "
		    "only", c->user != NULL ? c->user : "anybody");
		return;
	}
	if (geteuid() != 0) {
		check_tell(c, CHECK_SKIPPED, "portal", NULL, "only root can "
		    "run mesh-refresh as its user");
		return;
	}
	pw = getpwnam(MK_KEEPER_USER);
	if (pw == NULL || access(REFRESHER, X_OK) != 0)
		check_tell(c, CHECK_SKIPPED, "portal", NULL, "not asked: "
		    "there is no %s", pw == NULL ? "user '" MK_KEEPER_USER
		    "'" : "'" REFRESHER "'");
	else
		ask_portals(c, pw);
}

/* "systemctl WORD UNIT" says yes by its exit status. */
static bool
systemd_says(const char *word, const char *unit)
{
	const char *const argv[] = { "systemctl", "--quiet", word, "--",
	    unit, NULL };
	struct mk_buf out, err;
	const struct mk_child child = { .argv = argv, .err = &err,
	    .seconds = SYSTEMD_SECONDS };
	int status = 1;

	mk_buf_init(&out, ERR_MAX);
	mk_buf_init(&err, ERR_MAX);
	if (mk_child_run(&child, &out, &status, NULL) != 0)
		status = 1;
	mk_buf_release(&out);
	mk_buf_release(&err);
	return status == 0;
}

static void
check_units(struct check *c)
{
	static const char *const units[] = { "mesh-refresh.timer",
	    "mesh-refresh-watch.service" };
	char repair[64];
	size_t i;

	for (i = 0; i < 2; i++) {
		if (!systemd_says("is-active", units[i]))
			continue;
		if (systemd_says("is-enabled", units[i])) {
			check_tell(c, CHECK_OK, "timer", NULL, "%s runs",
			    units[i]);
			return;
		}
		(void)snprintf(repair, sizeof(repair), "systemctl enable %s",
		    units[i]);
		check_tell(c, CHECK_WARN, "timer", repair, "%s runs, but "
		    "not after the next boot", units[i]);
		return;
	}
	check_tell(c, CHECK_WARN, "timer", "systemctl enable --now "
	    "mesh-refresh.timer", "nothing asks the portals: neither "
	    "mesh-refresh.timer nor mesh-refresh-watch.service runs");
}

/* A line that runs it, and is no comment. */
static bool
names_refresher(const char *path)
{
	char *text = check_file_text(path, CRON_MAX, false), *line;
	char *cursor = text;
	bool found = false;

	while (!found && (line = strsep(&cursor, "\n")) != NULL)
		found = line[strspn(line, " \t")] != '#' &&
		    strstr(line, "mesh-refresh") != NULL;
	free(text);
	return found;
}

static bool
has_cron(void)
{
	static const char *const files[] = { "/etc/crontab",
	    "/var/spool/cron/crontabs/meshkeys", "/var/spool/cron/meshkeys",
	    "/var/spool/cron/crontabs/root", "/var/spool/cron/root" };
	static const char dir[] = "/etc/cron.d";
	const struct dirent *e;
	bool found = false;
	char *path;
	size_t i;
	DIR *d;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (names_refresher(files[i]))
			return true;
	if ((d = opendir(dir)) == NULL)
		return false;
	while (!found && (e = readdir(d)) != NULL) {
		/* cron itself passes over names with a dot. */
		if (strchr(e->d_name, '.') != NULL ||
		    asprintf(&path, "%s/%s", dir, e->d_name) == -1)
			continue;
		found = names_refresher(path);
		free(path);
	}
	(void)closedir(d);
	return found;
}

/* Anybody can give a process that name. */
static bool
is_keepers(const char *pid, const struct passwd *pw)
{
	char path[sizeof("/proc/") + 256];
	struct stat st;

	(void)snprintf(path, sizeof(path), "/proc/%s", pid);
	return stat(path, &st) == 0 && (st.st_uid == 0 ||
	    (pw != NULL && st.st_uid == pw->pw_uid));
}

/* A watcher that a supervisor of another kind keeps. */
static bool
has_watcher(void)
{
	char path[sizeof("/proc//comm") + 256], *text;
	const struct passwd *pw = getpwnam(MK_KEEPER_USER);
	const struct dirent *e;
	bool found = false;
	unsigned n = 0;
	DIR *d = opendir("/proc");

	while (d != NULL && !found && n < PROCESSES_MAX &&
	    (e = readdir(d)) != NULL) {
		if (e->d_name[0] < '1' || e->d_name[0] > '9')
			continue;
		n++;
		(void)snprintf(path, sizeof(path), "/proc/%s/comm",
		    e->d_name);
		text = check_file_text(path, 64, false);
		found = text != NULL && is_keepers(e->d_name, pw) &&
		    strcmp(text, "mesh-refresh\n") == 0;
		free(text);
	}
	if (d != NULL)
		(void)closedir(d);
	return found;
}

static void
check_timer(struct check *c, bool has)
{
	struct stat st;

	if (!has) {
		check_tell(c, CHECK_OK, "timer", NULL, "there is no portal "
		    "that something would have to ask");
		return;
	}
	if (stat("/run/systemd/system", &st) == 0) {
		check_units(c);
		return;
	}
	if (has_cron())
		check_tell(c, CHECK_OK, "timer", NULL, "cron runs "
		    "mesh-refresh; systemd does not run here");
	else if (has_watcher())
		check_tell(c, CHECK_OK, "timer", NULL, "mesh-refresh runs; "
		    "systemd does not run here");
	else
		check_tell(c, CHECK_WARN, "timer", NULL, "nothing asks the "
		    "portals: systemd does not run here, and no cron job "
		    "names mesh-refresh");
}

static void
check_log(struct check *c)
{
	struct stat st;

	if ((stat("/run/systemd/journal/socket", &st) == 0 &&
	    S_ISSOCK(st.st_mode)) ||
	    (stat("/dev/log", &st) == 0 && S_ISSOCK(st.st_mode)))
		check_tell(c, CHECK_OK, "log", NULL, "there is a log");
	else
		check_tell(c, CHECK_WARN, "log", NULL, "nothing takes logs: "
		    "neither '/run/systemd/journal/socket' nor '/dev/log' "
		    "is a socket");
}

/* More than one: which of them sshd runs is easily mistaken. */
static void
check_copies(struct check *c)
{
	static const char *const dirs[] = { MK_LIBEXECDIR,
	    "/usr/libexec/meshkeys", "/usr/lib/meshkeys",
	    "/usr/local/libexec/meshkeys", "/usr/local/lib/meshkeys",
	    "/opt/meshkeys/libexec/meshkeys" };
	struct stat first, st;
	bool found = false;
	char path[128];
	size_t i;

	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		(void)snprintf(path, sizeof(path),
		    "%s/mesh-authorized-keys", dirs[i]);
		if (stat(path, &st) != 0)
			continue;
		if (!found)
			first = st;
		else if (st.st_ino != first.st_ino ||
		    st.st_dev != first.st_dev)
			check_tell(c, CHECK_WARN, "copies", NULL, "there is "
			    "another helper, '%s': two versions may differ",
			    path);
		found = true;
	}
}

/* Somebody is at it: what stands there half done is no accident. */
static bool
is_busy(void)
{
	int fd = open(LOCK, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	bool busy = fd != -1 && flock(fd, LOCK_SH | LOCK_NB) != 0;

	if (fd != -1)
		close(fd);
	return busy;
}

static void
tell_setup(struct check *c, const struct mk_undo *undo)
{
	char when[MK_TIME_LEN + 1];

	mk_time_format(mk_undo_time(undo), when);
	switch (mk_undo_state(undo)) {
	case MK_UNDO_NONE:
		check_tell(c, CHECK_NOTE, "setup", NULL, "meshkeys setup did "
		    "nothing on this host");
		break;
	case MK_UNDO_BEGUN:
		check_tell(c, CHECK_WARN, "setup", "meshkeys unsetup",
		    "meshkeys setup was interrupted at %s; what it did can "
		    "be taken back", when);
		break;
	case MK_UNDO_UNCONFIRMED:
		check_tell(c, CHECK_WARN, "setup", "meshkeys setup --confirm",
		    "meshkeys setup of %s is not confirmed from a new login "
		    "yet", when);
		break;
	case MK_UNDO_DONE:
		check_tell(c, CHECK_OK, "setup", NULL, "meshkeys setup was "
		    "done at %s", when);
		break;
	}
}

static void
check_setup(struct check *c, const struct check_site *site)
{
	struct mk_undo *undo;
	struct mk_why why;

	if (geteuid() != 0) {
		check_tell(c, CHECK_SKIPPED, "setup", NULL, "what meshkeys "
		    "setup did only root can see");
		return;
	}
	if (is_busy())
		return;
	if (mk_undo_open(&site->root, &undo, &why) != 0) {
		check_tell_why(c, CHECK_WARN, "setup", &why);
		return;
	}
	tell_setup(c, undo);
	mk_undo_close(undo);
}

void
check_host(struct check *c)
{
	struct check_site site = { .now = time(NULL) };
	struct mk_why why;
	bool known, has;

	if (mk_root_open(NULL, &site.root, &why) != 0) {
		check_tell_why(c, CHECK_FAIL, "setup", &why);
		return;
	}
	/* An error in it was told by check_files(). */
	known = mk_config_load(&site.root, c->m->place.config_file,
	    &site.config, &why) == 0;
	has = !known || has_portal(c, &site);
	check_setup(c, &site);
	check_timer(c, has);
	check_log(c);
	check_copies(c);
	check_mac(c);
	if (known) {
		check_portal(c, has);
		check_gecos(c, &site);
		mk_config_release(&site.config);
	}
	mk_root_close(&site.root);
}
