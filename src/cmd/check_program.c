/* SPDX-License-Identifier: ISC */
/*
 * The program of AuthorizedKeysCommand, looked at as sshd does it: as the
 * user whom it runs as, every directory up to the root.
 */
#include <sys/stat.h>

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/check_sshd.h"
#include "edge/child.h"
#include "edge/judge.h"

#define SECONDS	10

static int
may_not(const char *what, const char *path, struct mk_why *why)
{
	const char *q = mk_path_quote(path);

	return mk_fail(why, MK_E_CONFIG, "helper", "the user of the command "
	    "may not %s '%s'; run: chmod a+%s %s%s%s", what, path,
	    strcmp(what, "run") == 0 ? "rx" : "x", q, path, q);
}

/* The first directory on the way that we may not enter. */
static int
judge_way(const char *path, struct mk_why *why)
{
	char part[PATH_MAX];
	size_t n;

	if (path[0] != '/' || strlen(path) >= sizeof(part))
		return MK_OK;
	for (n = 1 + strcspn(path + 1, "/"); path[n] != '\0';
	    n += 1 + strcspn(path + n + 1, "/")) {
		memcpy(part, path, n);
		part[n] = '\0';
		if (access(part, X_OK) != 0 && errno == EACCES)
			return may_not("enter", part, why);
	}
	return MK_OK;
}

/* By its name and by what a link leads to; then whose all that is. */
static int
look(const char *path, struct mk_why *why)
{
	struct mk_root root;
	char *real = NULL;
	int e;

	e = mk_root_open(NULL, &root, why);
	if (e != MK_OK)
		return e;
	e = judge_way(path, why);
	if (e == MK_OK && (real = realpath(path, NULL)) != NULL)
		e = judge_way(real, why);
	if (e == MK_OK)
		e = mk_program_check(&root, path, why);
	if (e == MK_OK && access(path, X_OK) != 0)
		e = may_not("run", path, why);
	free(real);
	mk_root_close(&root);
	return e;
}

/* In the child, which says nothing but the reason. */
static int
say(void *path)
{
	struct mk_why why;

	memset(&why, 0, sizeof(why));
	why.code = look(path, &why);
	return write(STDOUT_FILENO, &why, sizeof(why)) ==
	    (ssize_t)sizeof(why) ? 0 : 1;
}

/* As that user, in a child: it may be on a server that is gone. */
static int
look_apart(const struct passwd *pw, char *path, struct mk_why *why)
{
	const struct mk_child_as as = { pw->pw_name, pw->pw_uid, pw->pw_gid };
	const char *const argv[] = { path, NULL };
	const struct mk_child child = { .argv = argv, .call = say,
	    .arg = path, .as = &as, .seconds = SECONDS };
	struct mk_buf out;
	int status = 0, e;

	mk_buf_init(&out, sizeof(*why));
	e = mk_child_run(&child, &out, &status, why);
	if (e == MK_E_STALE)
		mk_fail(why, e, "helper", "'%s' could not be looked at "
		    "within %d seconds: each login waits for it", path,
		    SECONDS);
	else if (e == 0 && (status != 0 || out.len != sizeof(*why)))
		e = mk_fail(why, MK_E_SYSTEM, "helper",
		    "cannot look at '%s' as '%s'", path, pw->pw_name);
	if (e == 0) {
		memcpy(why, out.data, sizeof(*why));
		e = why->code;
	}
	mk_buf_release(&out);
	return e;
}

static void
tell_good(struct check *c, const char *path, const char *user)
{
	const char *q = mk_path_quote(path);
	char *repair = NULL;
	struct stat st;

	if (stat(path, &st) == 0 && (st.st_mode & (S_ISUID | S_ISGID)) != 0) {
		if (asprintf(&repair, "chmod ug-s %s%s%s", q, path, q) < 0)
			repair = NULL;
		check_tell(c, CHECK_WARN, "helper-path", repair,
		    "'%s' runs with the rights of its owner or group, which "
		    "it does not need", path);
		free(repair);
	} else {
		check_tell(c, CHECK_OK, "helper-path", NULL,
		    "'%s' and all directories above are root's, and '%s' "
		    "may run it", path, user);
	}
}

void
check_program(struct check *c, const struct check_command *cmd)
{
	const struct passwd *pw = NULL;
	struct mk_why why;

	if (cmd->argv == NULL || cmd->argv[0] == NULL)
		return;
	memset(&why, 0, sizeof(why));
	if (cmd->user != NULL)
		pw = getpwnam(cmd->user);
	/* Without a user, what root sees of it. */
	if (pw == NULL)
		pw = getpwuid(0);
	if (pw == NULL)
		check_tell(c, CHECK_SKIPPED, "helper-path", NULL,
		    "not looked at '%s': there is no user root",
		    cmd->argv[0]);
	else if (look_apart(pw, cmd->argv[0], &why) != MK_OK)
		check_tell_why(c, CHECK_FAIL, "helper-path", &why);
	else
		tell_good(c, cmd->argv[0], pw->pw_name);
}
