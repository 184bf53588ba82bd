/* SPDX-License-Identifier: ISC */
/*
 * meshkeys status: what is known of each profile, as a login would find it.
 * Whoever reads the sets is the owner of the stores; a text file for
 * Prometheus is written by who runs this, who may be root, from text alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/status.h"
#include "edge/judge.h"
#include "edge/temp.h"

#define STATUS_MAX	(256u << 20)	/* bytes, whatever is written */

/* The directory of the text file, and the name in it. */
static int
open_target(const char *path, struct mk_target *ret_target, char **ret_dir,
    struct mk_why *why)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	char *dir = slash == NULL ? strdup(".") :
	    strndup(path, slash == path ? 1 : (size_t)(slash - path));
	int fd;

	if (dir == NULL)
		return mk_fail(why, MK_E_SYSTEM, "memory", "out of memory");
	if (name[0] == '\0' || strcmp(name, ".") == 0 ||
	    strcmp(name, "..") == 0) {
		free(dir);
		return mk_fail(why, MK_E_USAGE, "textfile", "'%s' is not the "
		    "name of a file", path);
	}
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1) {
		int code = errno == ENOENT ? MK_E_NOPROFILE : MK_E_PERM;

		(void)mk_fail(why, code, "textfile", "cannot open the "
		    "directory '%s': %s", dir, strerror(errno));
		free(dir);
		return code;
	}
	*ret_target = (struct mk_target){ .dir = fd, .path = dir,
	    .name = name, .mode = 0644, .owner = MK_UID_NONE };
	*ret_dir = dir;
	return 0;
}

/* In the child: the numbers, behind the digit of the exit status. */
static int
write_metrics(struct meshkeys *m, void *arg)
{
	struct status s = { .m = m };
	int e;

	(void)arg;
	m->out.max = STATUS_MAX;
	if ((e = status_read(&s, &m->why)) == 0) {
		mk_buf_putu(&m->out, (unsigned)status_exit(&s));
		status_metrics(&s, &m->out);
	}
	status_release(&s);
	return e;
}

static int
save_metrics(struct meshkeys *m, const struct mk_target *target,
    const struct mk_buf *text)
{
	const struct mk_content content = {
		.data = (const uint8_t *)text->data + 1,
		.len = text->len - 1, .mtime = -1, .sync = MK_SYNC_NEVER
	};

	m->status = text->data[0] - '0';
	return mk_temp_replace(target, &content, &m->why);
}

static int
write_textfile(struct meshkeys *m)
{
	struct mk_target target;
	struct mk_buf text;
	char *dir;
	int e;

	if ((e = open_target(m->textfile, &target, &dir, &m->why)) != 0)
		return e;
	mk_buf_init(&text, STATUS_MAX);
	e = meshkeys_apart(m, write_metrics, NULL, &text);
	if (e == 0 && (text.len < 2 || text.data[0] < '0' ||
	    text.data[0] > '0' + MESHKEYS_FAILED))
		e = mk_fail(&m->why, MK_E_BUG, "child", "the process that "
		    "reads the stores gave no numbers");
	if (e == 0)
		e = save_metrics(m, &target, &text);
	mk_buf_release(&text);
	(void)close(target.dir);
	free(dir);
	return e;
}

static int
show_status(struct meshkeys *m)
{
	struct status s = { .m = m };
	int e;

	m->out.max = STATUS_MAX;
	if ((e = keep_become(&m->keep, &m->place, &m->why)) != 0 ||
	    (e = status_read(&s, &m->why)) != 0)
		goto out;
	if (m->json)
		status_json(&s);
	else
		status_table(&s);
	if ((e = meshkeys_print(m)) == 0)
		m->status = status_exit(&s);
out:
	status_release(&s);
	return e;
}

int
meshkeys_status(struct meshkeys *m)
{
	return m->textfile != NULL ? write_textfile(m) : show_status(m);
}
