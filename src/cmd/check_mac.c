/* SPDX-License-Identifier: ISC */
/*
 * SELinux and AppArmor: whether they are on, know of us, and have denied
 * something.  Labels are compared by the policy itself, with restorecon(8).
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd/check.h"
#include "core/limits.h"
#include "edge/child.h"

#define ENFORCE		"/sys/fs/selinux/enforce"
#define APPARMOR	"/sys/module/apparmor/parameters/enabled"
#define PROFILES	"/sys/kernel/security/apparmor/profiles"
#define AUDIT_LOG	"/var/log/audit/audit.log"
#define AUDIT_MAX	(1u << 20)
#define KERNEL_MAX	(1u << 20)	/* bytes of the kernel's log */
#define PLACES		MK_CONFDIR, MK_CACHEDIR, MK_STATEDIR, MK_LIBEXECDIR
#define SECONDS		20
#define LATELY		MK_DAY
#define OUT_MAX		(256u << 10)
#define SHOWN_MAX	160	/* characters of a denial */

/* What was denied to our programs since then. */
struct denials {
	size_t n;
	time_t since;
	char last[SHOWN_MAX + 1];
};

/* What is mended is not told for ever: "audit(SECONDS.", if it says so. */
static bool
is_old(const struct denials *d, const char *line)
{
	static const char mark[] = "audit(";
	const char *when = strstr(line, mark);

	return when != NULL && strtoll(when + strlen(mark), NULL, 10) <
	    (long long)d->since;
}

/* The names of processes are cut by the kernel to fifteen characters. */
static void
count_line(struct denials *d, const char *line)
{
	const char *what;

	if (strstr(line, "comm=\"mesh-") == NULL &&
	    strstr(line, "comm=\"meshkeys\"") == NULL)
		return;
	if ((what = strstr(line, "avc:  denied")) == NULL &&
	    (what = strstr(line, "apparmor=\"DENIED\"")) == NULL)
		return;
	if (is_old(d, line))
		return;
	d->n++;
	(void)snprintf(d->last, sizeof(d->last), "%s", what);
}

static void
count_text(struct denials *d, char *text)
{
	char *line;

	while ((line = strsep(&text, "\n")) != NULL)
		count_line(d, line);
}

/* One record a read(2); it is never waited for the next. */
static void
count_kernel(struct denials *d)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char record[8193];
	size_t all = 0;
	ssize_t n;

	while (fd != -1 && all < KERNEL_MAX &&
	    (n = read(fd, record, sizeof(record) - 1)) > 0) {
		record[n] = '\0';
		all += (size_t)n;
		count_line(d, record);
	}
	if (fd != -1)
		close(fd);
}

static void
check_denials(struct check *c)
{
	char *text = check_file_text(AUDIT_LOG, AUDIT_MAX, true);
	struct denials d = { .since = time(NULL) - LATELY };

	if (text != NULL)
		count_text(&d, text);
	free(text);
	count_kernel(&d);
	if (d.n > 0)
		check_tell(c, CHECK_WARN, "denials", "ausearch -m avc -c "
		    "mesh-authorized", "our programs were denied %zu thing%s "
		    "within a day, the last one: %s", d.n, d.n == 1 ? "" : "s",
		    d.last);
	else
		check_tell(c, CHECK_OK, "denials", NULL, "nothing that our "
		    "programs did was denied within a day, as far as the "
		    "logs here tell");
}

/* What the policy would call our files, if they have other labels. */
static void
check_labels(struct check *c)
{
	static const char repair[] = "restorecon -RFv " MK_CONFDIR " "
	    MK_CACHEDIR " " MK_STATEDIR " " MK_LIBEXECDIR;
	const char *const argv[] = { "restorecon", "-R", "-n", "-v", PLACES,
	    NULL };
	struct mk_buf out, err;
	const struct mk_child child = { .argv = argv, .err = &err,
	    .seconds = SECONDS };
	struct mk_why why;
	int status = 0, e;

	mk_buf_init(&out, OUT_MAX);
	mk_buf_init(&err, OUT_MAX);
	e = mk_child_run(&child, &out, &status, &why);
	if (e == 0 && out.len == 0 && status != 0)
		check_tell(c, CHECK_SKIPPED, "selinux-labels", NULL,
		    "restorecon ends with %d: %.*s", status, err.len > 0 ?
		    (int)strcspn(err.data, "\n") : 0, err.len > 0 ?
		    err.data : "");
	else if (e == 0 && out.len == 0)
		check_tell(c, CHECK_OK, "selinux-labels", NULL, "the labels "
		    "are those of the policy");
	else if (e == 0 || e == MK_E_REFUSED)
		check_tell(c, CHECK_WARN, "selinux-labels", repair, "labels "
		    "differ from the policy: %.*s", out.len > 0 ?
		    (int)strcspn(out.data, "\n") : 0, out.len > 0 ? out.data :
		    "");
	else
		check_tell_why(c, CHECK_SKIPPED, "selinux-labels", &why);
	mk_buf_release(&out);
	mk_buf_release(&err);
}

/* false: there is none. */
static bool
check_selinux(struct check *c)
{
	char *text = check_file_text(ENFORCE, 16, false);
	bool on = text != NULL;

	if (on)
		check_tell(c, CHECK_OK, "selinux", NULL, "SELinux is %s",
		    text[0] == '1' ? "enforcing" : "permissive: it would "
		    "only tell");
	free(text);
	if (on)
		check_labels(c);
	return on;
}

static bool
check_apparmor(struct check *c)
{
	char *text = check_file_text(APPARMOR, 16, false), *profiles;
	bool on = text != NULL && text[0] == 'Y';

	free(text);
	if (!on)
		return false;
	profiles = check_file_text(PROFILES, AUDIT_MAX, false);
	if (profiles == NULL)
		check_tell(c, CHECK_SKIPPED, "apparmor", NULL, "which "
		    "profiles are loaded only root can see");
	else if (strstr(profiles, "mesh-authorized-keys (") == NULL)
		/* None to load in haste: it may want rules of the host's. */
		check_tell(c, CHECK_NOTE, "apparmor", NULL, "AppArmor is on, "
		    "and the helper has no profile but confines itself");
	else
		check_tell(c, CHECK_OK, "apparmor", NULL, "AppArmor has a "
		    "profile for the helper");
	free(profiles);
	return true;
}

void
check_mac(struct check *c)
{
	bool on = check_selinux(c);

	on |= check_apparmor(c);
	if (on && geteuid() == 0)
		check_denials(c);
	else if (on)
		check_tell(c, CHECK_SKIPPED, "denials", NULL,
		    "what was denied only root can see");
	else
		check_tell(c, CHECK_OK, "mac", NULL, "neither SELinux nor "
		    "AppArmor is on");
}
