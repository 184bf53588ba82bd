/* SPDX-License-Identifier: ISC */
/*
 * The sshd that listens, by its PidFile and /proc; and that of one login.
 * Both are root's, or else anybody's program of that name would be taken
 * for sshd, and run by root to be asked.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/err.h"
#include "edge/sshd.h"

#define PID_FILE	"/run/sshd.pid"
#define TITLE_MAX	4096u
#define GENERATIONS	64	/* of parents that are looked at */
#define DELETED		" (deleted)"
#define NS		INT64_C(1000000000)

/* "/proc/PID/what" */
struct proc_path {
	char s[sizeof("/proc//cmdline") + 3 * sizeof(long)];
};

static struct proc_path
proc_path(long pid, const char *what)
{
	struct proc_path p;

	snprintf(p.s, sizeof(p.s), "/proc/%ld/%s", pid, what);
	return p;
}

/* The beginning of a small file, NUL-ended; its length, or -1. */
static ssize_t
read_some(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	ssize_t n;

	if (fd == -1)
		return -1;
	n = read(fd, out, size - 1);
	close(fd);
	out[n < 0 ? 0 : n] = '\0';
	return n;
}

static bool
same_link(const char *a, const char *b)
{
	char x[64], y[64];
	ssize_t n = readlink(a, x, sizeof(x));
	ssize_t m = readlink(b, y, sizeof(y));

	return n > 0 && n == m && memcmp(x, y, (size_t)n) == 0;
}

/* Whether it sees the processes and the files that we see. */
static bool
is_here(long pid)
{
	struct stat a, b;

	return same_link(proc_path(pid, "ns/pid").s, "/proc/self/ns/pid") &&
	    stat(proc_path(pid, "root/").s, &a) == 0 &&
	    stat("/", &b) == 0 && a.st_dev == b.st_dev &&
	    a.st_ino == b.st_ino;
}

/* By its effective user: of the directory itself the kernel tells that one
   also for a process that cannot be dumped. */
static bool
is_roots(long pid)
{
	struct stat st;

	return stat(proc_path(pid, "").s, &st) == 0 && st.st_uid == 0;
}

/* Its program, "(deleted)" after an upgrade taken off; NULL: it has none. */
static char *
program_of(long pid)
{
	char path[PATH_MAX];
	ssize_t n;

	n = readlink(proc_path(pid, "exe").s, path, sizeof(path) - 1);
	if (n <= 0)
		return NULL;
	path[n] = '\0';
	if ((size_t)n > strlen(DELETED) &&
	    strcmp(path + n - strlen(DELETED), DELETED) == 0)
		path[(size_t)n - strlen(DELETED)] = '\0';
	return strdup(path);
}

static bool
is_named(const char *program, const char *name)
{
	const char *base = program == NULL ? NULL : strrchr(program, '/');

	return base != NULL && strcmp(base + 1, name) == 0;
}

/*
 * Its command line; a listener of today has it in its title, "sshd: PATH
 * ARGUMENTS [listener] 0 of 10-100 startups".
 */
static char *
line_of(long pid)
{
	char line[TITLE_MAX];
	ssize_t n, i;

	n = read_some(proc_path(pid, "cmdline").s, line, sizeof(line));
	if (n <= 0)
		return NULL;
	for (i = 0; i < n; i++)
		if (line[i] == '\0')
			line[i] = ' ';
	for (; n > 0 && line[n - 1] == ' '; n--)
		line[n - 1] = '\0';
	return strdup(line);
}

static bool
has_word(const char *line, const char *word)
{
	const char *s = line;
	size_t len = strlen(word);

	while ((s = strstr(s, word)) != NULL) {
		if (s > line && s[-1] == ' ' &&
		    (s[len] == ' ' || s[len] == '\0'))
			return true;
		s += len;
	}
	return false;
}

/* Neither the process of a connection nor one that only tells. */
static bool
is_listener(const char *line)
{
	if (strncmp(line, "sshd: ", strlen("sshd: ")) == 0)
		return strstr(line, " [listener]") != NULL;
	return !has_word(line, "-i") && !has_word(line, "-t") &&
	    !has_word(line, "-T") && !has_word(line, "-V");
}

static bool
take_listener(long pid, struct mk_sshd_running *r)
{
	if (!is_roots(pid) || !is_here(pid))
		return false;
	r->pid = pid;
	r->program = program_of(pid);
	r->line = is_named(r->program, "sshd") ? line_of(pid) : NULL;
	if (r->line != NULL && is_listener(r->line))
		return true;
	mk_sshd_running_release(r);
	return false;
}

static long
read_pid(const char *path)
{
	char text[32];
	long pid;

	if (read_some(path, text, sizeof(text)) <= 0)
		return 0;
	pid = strtol(text, NULL, 10);
	return pid > 0 ? pid : 0;
}

static bool
search_table(struct mk_sshd_running *r)
{
	const struct dirent *entry;
	bool found = false;
	DIR *dir = opendir("/proc");
	long pid;

	if (dir == NULL)
		return false;
	while (!found && (entry = readdir(dir)) != NULL) {
		pid = strtol(entry->d_name, NULL, 10);
		found = pid > 0 && take_listener(pid, r);
	}
	closedir(dir);
	return found;
}

static int64_t
clock_ns(clockid_t clock)
{
	struct timespec t;

	return clock_gettime(clock, &t) != 0 ? 0 :
	    (int64_t)t.tv_sec * NS + t.tv_nsec;
}

/* Fields 4 and 22 of proc_pid_stat(5): the parent, and the start in
   nanoseconds since the boot. */
static bool
read_stat(long pid, long *ret_parent, int64_t *ret_start)
{
	const long hz = sysconf(_SC_CLK_TCK);
	char text[1024];
	unsigned long long ticks;
	const char *s;

	if (hz <= 0 ||
	    read_some(proc_path(pid, "stat").s, text, sizeof(text)) <= 0)
		return false;
	/* The name of a program may have blanks and brackets. */
	s = strrchr(text, ')');
	if (s == NULL || sscanf(s + 1, " %*c %20ld %*s %*s %*s %*s %*s %*s "
	    "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %20llu",
	    ret_parent, &ticks) != 2)
		return false;
	*ret_start = (int64_t)(ticks / (unsigned long)hz) * NS +
	    (int64_t)(ticks % (unsigned long)hz) * (NS / hz);
	return true;
}

/*
 * SIGHUP makes it execute itself again: its pid and its start remain, but
 * it writes its PidFile anew, right behind the reading.
 */
static void
set_times(struct mk_sshd_running *r, const char *pid_file)
{
	struct stat st;
	int64_t start;
	long parent;

	r->started = read_stat(r->pid, &parent, &start) ?
	    clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME) + start : 0;
	r->read = -1;
	if (read_pid(pid_file) == r->pid && stat(pid_file, &st) == 0)
		r->read = (int64_t)st.st_mtim.tv_sec * NS +
		    st.st_mtim.tv_nsec;
}

int
mk_sshd_running(const struct mk_sshd_settings *settings,
    struct mk_sshd_running *ret_running, struct mk_why *why)
{
	struct mk_sshd_running r = { .pid = 0 };
	const char *pid_file = NULL;
	long pid;

	if (settings != NULL)
		pid_file = mk_sshd_get(settings, "pidfile", 0);
	if (pid_file == NULL)
		pid_file = PID_FILE;
	pid = read_pid(pid_file);
	if ((pid == 0 || !take_listener(pid, &r)) && !search_table(&r))
		return mk_fail(why, MK_E_ABSENT, "sshd", "no sshd runs");
	set_times(&r, pid_file);
	*ret_running = r;
	return MK_OK;
}

void
mk_sshd_running_release(struct mk_sshd_running *running)
{
	free(running->program);
	free(running->line);
	running->program = running->line = NULL;
}

/*
 * The nearest one of root's: that which speaks with the user is a child of
 * it and hers, as is any that she has started herself.
 */
int64_t
mk_sshd_login_start(long pid)
{
	int64_t start;
	char *program;
	bool is_sshd;
	long parent;
	int i;

	for (i = 0; i < GENERATIONS && pid > 1; i++, pid = parent) {
		if (!read_stat(pid, &parent, &start))
			return -1;
		program = program_of(pid);
		is_sshd = is_named(program, "sshd") ||
		    is_named(program, "sshd-session");
		free(program);
		if (is_sshd && is_roots(pid))
			return start;
	}
	return -1;
}
