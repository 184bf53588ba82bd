/* SPDX-License-Identifier: ISC */
/*
 * Replacing a file whole in a directory of the host.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "edge/judge.h"
#include "edge/temp.h"

/*
 * What is written below a --root is not reached through any link of the
 * image: the path without links must lead to the same directory.
 */
static int
check_place(const struct mk_dir *dir, const struct mk_target *target,
    struct mk_why *why)
{
	struct stat a, b;
	int fd, r = MK_OK;

	if (dir->root->fd < 0)
		return MK_OK;
	fd = mk_root_openat(dir->root, dir->path,
	    O_PATH | O_DIRECTORY | O_CLOEXEC, RESOLVE_NO_SYMLINKS);
	if (fd == -1 && errno == ELOOP)
		return mk_fail(why, MK_E_PERM, "write",
		    "cannot write '%s/%s': reached through a symbolic link",
		    dir->path, target->name);
	if (fd == -1 || fstat(fd, &a) != 0 || fstat(dir->fd, &b) != 0)
		r = mk_temp_failed(target, why);
	else if (a.st_dev != b.st_dev || a.st_ino != b.st_ino)
		r = mk_fail(why, MK_E_SYSTEM, "write",
		    "cannot write '%s/%s': the directory was moved",
		    dir->path, target->name);
	if (fd >= 0)
		close(fd);
	return r;
}

int
mk_dir_replace(const struct mk_dir *dir, const char *name,
    const struct mk_content *content, struct mk_why *why)
{
	const struct mk_target target = {
		.dir = dir->fd,
		.path = dir->path,
		.name = name,
		.mode = 0644,
		.owner = geteuid() == 0 ? dir->owner : MK_UID_NONE
	};
	int r;

	r = check_place(dir, &target, why);
	return r != MK_OK ? r : mk_temp_replace(&target, content, why);
}
