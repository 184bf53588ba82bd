/* SPDX-License-Identifier: ISC */
#include "edge/portal_dir.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "edge/judge.h"

static int
read_whole(int fd, size_t max, struct mk_file *file, struct mk_why *why)
{
	size_t size = 4096;
	ssize_t n = 1;
	uint8_t *more;

	for (file->len = 0; n > 0 && file->len <= max; ) {
		more = realloc(file->data, size);
		if (more == NULL)
			return mk_fail(why, MK_E_SYSTEM, "portal",
			    "out of memory");
		file->data = more;
		n = read(fd, file->data + file->len, size - file->len - 1);
		if (n == -1 && errno == EINTR) {
			n = 1;
			continue;
		}
		if (n == -1)
			return mk_fail(why, MK_E_SYSTEM, "portal",
			    "cannot read: %s", strerror(errno));
		file->len += (size_t)n;
		if (file->len + 1 == size)
			size *= 2;
	}
	file->data[file->len] = '\0';
	return file->len <= max ? 0 : mk_fail(why, MK_E_TOOBIG, "portal",
	    "larger than %zu bytes", max);
}

static int
read_path(const struct mk_portal_dir *portal, const char *path,
    struct mk_file *ret_file, struct mk_why *why)
{
	struct mk_file file = { 0 };
	struct stat st;
	int fd, r;

	fd = mk_root_openat(portal->root, path,
	    O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0);
	if (fd == -1) {
		r = mk_open_fail(errno, path, why);
		return r != MK_E_ABSENT ? r : mk_fail(why, MK_E_ABSENT,
		    "portal", "no such profile in '%s'", portal->path);
	}
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		r = mk_fail(why, MK_E_PERM, "portal",
		    "cannot use '%s': not a regular file", path);
	else
		r = read_whole(fd, portal->max, &file, why);
	close(fd);
	if (r == 0)
		*ret_file = file;
	else
		free(file.data);
	return r;
}

int
mk_portal_dir_read(const struct mk_portal_dir *portal,
    const struct mk_udf *udf, struct mk_file *ret_file, struct mk_why *why)
{
	static const char *const below[] = { "/.well-known/mmm/", "/" };
	char name[MK_UDF_TEXT + 1], path[PATH_MAX];
	int i, n, r = MK_E_ABSENT;

	mk_udf_format(udf, name);
	if (mk_portal_dir_id(portal->root, portal->path).ino == 0)
		return mk_fail(why, MK_E_ABSENT, "portal",
		    "no directory '%s'", portal->path);
	for (i = 0; i < 2 && r == MK_E_ABSENT; i++) {
		n = snprintf(path, sizeof(path), "%s%s%s.json", portal->path,
		    below[i], name);
		if (n < 0 || (size_t)n >= sizeof(path))
			return mk_fail(why, MK_E_CONFIG, "portal",
			    "the path of the directory is too long");
		r = read_path(portal, path, ret_file, why);
	}
	return r;
}

struct mk_dir_id
mk_portal_dir_id(const struct mk_root *root, const char *path)
{
	struct mk_dir_id id = { 0, 0 };
	struct stat st;
	int fd;

	fd = mk_root_openat(root, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd == -1)
		return id;
	if (fstat(fd, &st) == 0)
		id = (struct mk_dir_id){ st.st_dev, st.st_ino };
	close(fd);
	return id;
}
