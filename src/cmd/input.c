/* SPDX-License-Identifier: ISC */
#include "cmd/input.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"

#define ROOM	65536u	/* bytes read at first */

static int
open_failed(const char *name, struct mk_why *why)
{
	int code = errno == ENOENT || errno == ENOTDIR ? MK_E_NOPROFILE :
	    errno == EACCES || errno == EPERM || errno == ENXIO ?
	    MK_E_PERM : MK_E_SYSTEM;

	return mk_fail(why, code, "file", "cannot open '%s': %s", name,
	    strerror(errno));
}

/* Without blocking, so that a FIFO is told and not waited for. */
int
input_open(struct input *input, const char *name, struct mk_why *why)
{
	struct stat st;
	int fd;

	if (strcmp(name, "-") == 0) {
		input->name = "standard input";
		input->fd = STDIN_FILENO;
		return 0;
	}
	fd = open(name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd == -1)
		return open_failed(name, why);
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return mk_fail(why, MK_E_PERM, "file",
		    "cannot use '%s': not a regular file", name);
	}
	input->name = name;
	input->fd = fd;
	return 0;
}

/* Of the room, one byte is for the NUL behind all. */
static int
read_some(struct input *input, size_t *size, size_t *ret_n,
    struct mk_why *why)
{
	struct mk_file *file = &input->file;
	uint8_t *more;
	ssize_t n;

	if (file->len == *size - 1) {
		*size *= 2;
		more = realloc(file->data, *size);
		if (more == NULL)
			return mk_fail(why, MK_E_SYSTEM, "memory",
			    "out of memory");
		file->data = more;
	}
	do {
		n = read(input->fd, file->data + file->len,
		    *size - 1 - file->len);
	} while (n == -1 && errno == EINTR);
	if (n == -1)
		return mk_fail(why, MK_E_SYSTEM, "file",
		    "cannot read '%s': %s", input->name, strerror(errno));
	file->len += (size_t)n;
	file->data[file->len] = '\0';
	*ret_n = (size_t)n;
	return 0;
}

int
input_read(struct input *input, size_t max, struct mk_why *why)
{
	struct mk_file *file = &input->file;
	size_t size = ROOM, n = 0;
	int e;

	file->data = malloc(size);
	if (file->data == NULL)
		return mk_fail(why, MK_E_SYSTEM, "memory", "out of memory");
	do {
		e = read_some(input, &size, &n, why);
		if (e == 0 && file->len > max)
			e = mk_fail(why, MK_E_REFUSED, "file", "'%s' is "
			    "larger than max-set, %zu bytes", input->name,
			    max);
	} while (e == 0 && n > 0);
	return e;
}

void
input_close(struct input *input)
{
	if (input->fd > STDERR_FILENO)
		(void)close(input->fd);
	input->fd = -1;
	mk_file_release(&input->file);
}
