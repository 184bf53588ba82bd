/* SPDX-License-Identifier: ISC */
/*
 * meshman /export and /import: the profile set as a file, with or without
 * any portal.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/input.h"
#include "cmd/man_request.h"
#include "cmd/meshman.h"
#include "edge/judge.h"
#include "edge/pipe.h"
#include "edge/temp.h"

static int
file_failed(struct meshman *m, const char *what, const char *name)
{
	int code = errno == ENOENT || errno == ENOTDIR ? MK_E_NOPROFILE :
	    errno == EACCES || errno == EPERM || errno == EROFS ?
	    MK_E_PERM : MK_E_SYSTEM;

	return mk_fail(&m->why, code, "file", "cannot %s '%s': %s", what,
	    name, strerror(errno));
}

/* The mode that any new file of hers has: the set is public. */
static mode_t
new_mode(void)
{
	mode_t mask = umask(0);

	(void)umask(mask);
	return 0666 & ~mask;
}

/* Who reads it sees the old one or the new one, whole. */
static int
write_file(struct meshman *m, const char *name)
{
	const struct mk_content content = { .data = m->profile.set.data,
	    .len = m->profile.set.len, .mtime = -1, .sync = MK_SYNC };
	const char *slash = strrchr(name, '/');
	struct mk_target target = { .name = slash != NULL ? slash + 1 : name,
	    .mode = new_mode(), .owner = MK_UID_NONE };
	char *dir;
	int e;

	dir = slash == NULL ? strdup(".") : strndup(name, slash == name ? 1 :
	    (size_t)(slash - name));
	if (dir == NULL)
		return mk_fail(&m->why, MK_E_SYSTEM, "memory",
		    "out of memory");
	target.path = dir;
	target.dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (target.dir == -1) {
		e = file_failed(m, "write", name);
	} else {
		e = mk_temp_replace(&target, &content, &m->why);
		(void)close(target.dir);
	}
	free(dir);
	return e;
}

/* Whether the name is a file, or none yet: a device is written to as it is. */
static bool
is_replaceable(const char *name)
{
	struct stat st;

	return lstat(name, &st) != 0 || S_ISREG(st.st_mode);
}

static int
write_through(struct meshman *m, const char *name)
{
	int fd = open(name, O_WRONLY | O_TRUNC | O_NOCTTY | O_CLOEXEC);
	int e = 0;

	if (fd == -1)
		return file_failed(m, "write", name);
	if (!mk_write_all(fd, m->profile.set.data, m->profile.set.len))
		e = file_failed(m, "write", name);
	if (close(fd) != 0 && e == 0)
		e = file_failed(m, "write", name);
	return e;
}

int
meshman_export(struct meshman *m)
{
	const char *name = m->args[0];
	int e;

	if (strcmp(name, "-") == 0) {
		mk_buf_put(&m->out, m->profile.set.data,
		    m->profile.set.len);
		return 0;
	}
	e = is_replaceable(name) ? write_file(m, name) :
	    write_through(m, name);
	if (e != 0)
		return e;
	if (m->opt.json) {
		mk_buf_puts(&m->out, "{\"word\":\"export\"");
		show_json_udf(&m->out, "fingerprint", &m->state.master);
		show_json_string(&m->out, "file", name, strlen(name));
		mk_buf_puts(&m->out, "}\n");
		return 0;
	}
	show_udf(&m->out, &m->state.master);
	mk_buf_puts(&m->out, ": written to '");
	show_clean(&m->out, name, strlen(name));
	mk_buf_puts(&m->out, "'\n");
	return 0;
}

/* The profile that this device has asked to join. */
static int
asked_for(struct meshman *m, struct mk_udf *ret_udf)
{
	struct meshman_filed filed;
	int e = meshman_filed_read(m, &filed);

	if (e == MK_E_ABSENT)
		return mk_fail(&m->why, MK_E_USAGE, "profile", "this device "
		    "has no profile, and a file proves nothing; to say "
		    "whose it is to be, add --expect FINGERPRINT");
	if (e != 0)
		return e;
	/* What the PIN is to prove is the portal's proposal until then. */
	if (filed.pin != NULL)
		e = mk_fail(&m->why, MK_E_USAGE, "profile", "this device "
		    "asked with a PIN, which proves nothing before the "
		    "answer; run: meshman /complete; or add --expect "
		    "FINGERPRINT");
	else
		*ret_udf = filed.read.request.parent;
	meshman_filed_release(&filed);
	return e;
}

/*
 * Whose profile it is to be.  A set says only that it was made by whoever
 * has its master key, and anybody can make one.
 */
static int
choose_root(struct meshman *m)
{
	struct meshman_state *s = &m->state;
	struct mk_udf udf;
	int e;

	if (m->opt.expect == NULL) {
		if (s->has_profile)
			return 0;
		if ((e = asked_for(m, &udf)) != 0)
			return e;
	} else if (!mk_udf_parse_typed(m->opt.expect, strlen(m->opt.expect),
	    &udf) || mk_udf_type(&udf) != MK_UDF_KEY) {
		return mk_fail(&m->why, MK_E_USAGE, "fingerprint",
		    "'--expect' wants a whole fingerprint, six groups of "
		    "five letters");
	}
	if (s->has_profile && mk_udf_cmp(&udf, &s->master) != 0)
		return mk_fail(&m->why, MK_E_REFUSED, "profile", "the "
		    "profile on this device is another than expected");
	s->master = udf;
	return 0;
}

static int
tell(struct meshman *m, enum mk_news news)
{
	const struct mk_verified_view *view = m->profile.view;
	struct mk_buf *out = &m->out;
	bool same = news == MK_NEWS_SAME;

	if (m->opt.json) {
		mk_buf_puts(out, "{\"word\":\"import\"");
		show_json_udf(out, "fingerprint", &m->state.master);
		show_json_string(out, "result", same ? "same" : "updated",
		    same ? 4 : 7);
		show_json_time(out, "signed", view->version.personal_time);
		show_json_time(out, "expires", view->expires);
		show_json_number(out, "devices", view->personal->n_devices);
		mk_buf_puts(out, "}\n");
		return 0;
	}
	show_udf(out, &m->state.master);
	mk_buf_puts(out, same ? ": is what was there, signed " :
	    ": updated, signed ");
	show_time(out, view->version.personal_time);
	mk_buf_puts(out, ", ");
	show_count(out, view->personal->n_devices, "device");
	mk_buf_putc(out, '\n');
	return 0;
}

static int
take(struct meshman *m, const struct mk_file *file)
{
	const struct mk_bytes set = { file->data, file->len };
	const bool first = !m->state.has_profile;
	enum mk_news news;
	int e;

	if (!first) {
		/* A set that is damaged here is what this may mend. */
		e = meshman_profile_read(m);
		if (e != 0 && e != MK_E_NOPROFILE && e != MK_E_REFUSED)
			return e;
		mk_buf_cut(&m->hint, 0);
		if ((e = meshman_forsake(m)) != 0)
			return e;
	}
	if ((e = meshman_profile_take(m, &set, &news)) != 0)
		return e;
	m->state.has_profile = true;
	if (first && (e = meshman_state_write(m)) != 0)
		return e;
	return tell(m, news);
}

int
meshman_import(struct meshman *m)
{
	struct input input = { .fd = -1 };
	int e;

	if ((e = choose_root(m)) == 0 &&
	    (e = input_open(&input, m->args[0], &m->why)) == 0 &&
	    (e = input_read(&input, MK_SET_MAX, &m->why)) == 0)
		e = take(m, &input.file);
	input_close(&input);
	return e;
}
