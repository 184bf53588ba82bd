/* SPDX-License-Identifier: ISC */
/* Whether the sshd that runs has read what stands in the files now. */
#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/check_sshd.h"

#define NS	INT64_C(1000000000)

/* The name of sshd's service here; NULL where there is no systemd. */
static const char *
service(void)
{
	static const char *const units[] = {
		"/lib/systemd/system/ssh.service",
		"/usr/lib/systemd/system/ssh.service",
		"/etc/systemd/system/ssh.service"
	};
	size_t i;

	if (access("/run/systemd/system", F_OK) != 0)
		return NULL;
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (access(units[i], F_OK) == 0)
			return "ssh";
	return "sshd";
}

static const char *
socket_unit(void)
{
	static const char *const names[] = { "ssh.socket", "sshd.socket" };
	char path[sizeof("/etc/systemd/system/sockets.target.wants/") +
	    sizeof("sshd.socket")];
	struct stat st;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path),
		    "/etc/systemd/system/sockets.target.wants/%s", names[i]);
		if (lstat(path, &st) == 0)
			return names[i];
	}
	return NULL;
}

/* A file may come into its place with an old mtime, not with an old ctime. */
static int64_t
changed(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return 0;
	return (int64_t)st.st_ctim.tv_sec * NS + st.st_ctim.tv_nsec;
}

/* What was changed last; the directory too, for what is gone from it. */
static const char *
newest(const struct mk_sshd_lines *lines, int64_t *ret_when)
{
	const char *path = MK_SSHD_DROPINS;
	int64_t t;
	size_t i;

	*ret_when = lines->includes ? changed(path) : 0;
	for (i = 0; i < lines->n_files; i++) {
		t = changed(lines->files[i]);
		if (t > *ret_when) {
			*ret_when = t;
			path = lines->files[i];
		}
	}
	return path;
}

static void
not_running(struct check *c)
{
	const char *socket = socket_unit(), *name = service();
	char *repair = NULL;

	/* Whose program it is does not everybody get to see. */
	if (geteuid() != 0) {
		check_tell(c, CHECK_SKIPPED, "running", NULL,
		    "only root can see which sshd runs");
		return;
	}
	if (socket != NULL) {
		check_tell(c, CHECK_NOTE, "running", NULL, "no sshd runs: "
		    "systemd starts it when a connection comes (%s)", socket);
		return;
	}
	if (name != NULL && asprintf(&repair, "systemctl start %s", name) < 0)
		repair = NULL;
	check_tell(c, CHECK_WARN, "running", repair, "no sshd runs");
	free(repair);
}

static char *
reload(long pid)
{
	const char *name = service();
	char *s;

	if ((name != NULL && asprintf(&s, "systemctl reload %s", name) >= 0)
	    || (name == NULL && asprintf(&s, "kill -HUP %ld", pid) >= 0))
		return s;
	return NULL;
}

static void
judge_age(struct check *c, const struct mk_sshd_lines *lines,
    const struct mk_sshd_running *r)
{
	char *repair = reload(r->pid);
	int64_t when;
	const char *path = newest(lines, &when);

	if (when <= (r->read >= 0 ? r->read : r->started))
		check_tell(c, CHECK_OK, "running", NULL,
		    "sshd runs as process %ld and has read its files as they "
		    "are", r->pid);
	else if (r->read >= 0)
		check_tell(c, CHECK_WARN, "running", repair,
		    "'%s' was changed after sshd, process %ld, had read its "
		    "files", path, r->pid);
	else
		check_tell(c, CHECK_NOTE, "running", repair,
		    "'%s' was changed after sshd, process %ld, began: "
		    "without a PidFile it cannot be told whether it has read "
		    "that", path, r->pid);
	free(repair);
}

void
check_running(struct check *c, const struct mk_sshd_lines *lines,
    const struct mk_sshd_running *running)
{
	const char *socket = socket_unit();

	if (running == NULL) {
		not_running(c);
		return;
	}
	judge_age(c, lines, running);
	if (socket != NULL)
		check_tell(c, CHECK_NOTE, "running", NULL, "systemd listens "
		    "for sshd (%s): 'ListenAddress' and 'Port' are those of "
		    "the unit", socket);
}
