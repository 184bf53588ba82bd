/* SPDX-License-Identifier: ISC */
/*
 * The check that sshd makes of an AuthorizedKeysCommand, made for the
 * command that the helper executes in its own place.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "edge/judge.h"

/* What /proc knows as the path of an open file; a slash in front. */
static int
real_place(int fd, const char *path, char out[PATH_MAX], struct mk_why *why)
{
	char link[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
	struct stat a, b;
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, out, PATH_MAX - 1);
	out[n < 0 ? 0 : n] = '\0';
	if (out[0] != '/' || fstat(fd, &a) != 0 || stat(out, &b) != 0 ||
	    a.st_dev != b.st_dev || a.st_ino != b.st_ino)
		return mk_fail(why, MK_E_SYSTEM, "chain",
		    "cannot tell where '%s' is", path);
	return MK_OK;
}

/*
 * A file has no "..", so its directory is found by its real path; a link
 * to it from elsewhere makes no difference.
 */
static int
judge_place(const struct mk_root *root, int fd, const char *path,
    struct mk_why *why)
{
	struct mk_dir dir = { root, path, -1, 0 };
	char place[PATH_MAX];
	struct stat st;
	char *slash;
	int r;

	r = real_place(fd, path, place, why);
	if (r != MK_OK)
		return r;
	slash = strrchr(place, '/');
	slash[slash == place ? 1 : 0] = '\0';
	dir.fd = open(place, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir.fd == -1 || fstat(dir.fd, &st) != 0)
		r = mk_fail(why, MK_E_SYSTEM, "chain",
		    "cannot examine '%s': %s", place, strerror(errno));
	else
		r = mk_judge(&st, root->self, MK_UID_NONE, place, why);
	if (r == MK_OK)
		r = mk_judge_parents(&dir, &st, why);
	mk_dir_close(&dir);
	return r;
}

static int
judge_file(const struct mk_root *root, int fd, const char *path,
    struct mk_why *why)
{
	const char *q = mk_path_quote(path);
	struct stat st;
	int r;

	if (fstat(fd, &st) != 0)
		return mk_fail(why, MK_E_SYSTEM, "chain",
		    "cannot examine '%s': %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return mk_fail(why, MK_E_PERM, "chain",
		    "cannot run '%s': not a regular file", path);
	if ((st.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) == 0)
		return mk_fail(why, MK_E_PERM, "chain",
		    "cannot run '%s': not executable; run: chmod a+x %s%s%s",
		    path, q, path, q);
	r = mk_judge(&st, root->self, MK_UID_NONE, path, why);
	return r != MK_OK ? r : judge_place(root, fd, path, why);
}

int
mk_program_check(const struct mk_root *root, const char *path,
    struct mk_why *why)
{
	int fd, r;

	if (path[0] != '/')
		return mk_fail(why, MK_E_CONFIG, "chain",
		    "cannot run '%s': not an absolute path", path);
	fd = mk_root_openat(root, path, O_PATH | O_CLOEXEC, 0);
	if (fd >= 0) {
		r = judge_file(root, fd, path, why);
		close(fd);
	} else if (errno == ENOENT) {
		r = mk_fail(why, MK_E_CONFIG, "chain",
		    "cannot run '%s': no such file", path);
	} else {
		r = mk_open_fail(errno, path, why);
	}
	/* Whatever is wrong with it, the configuration names it. */
	if (r != MK_OK && why != NULL)
		why->code = MK_E_CONFIG;
	return r == MK_OK ? MK_OK : MK_E_CONFIG;
}
