/* SPDX-License-Identifier: ISC */
/*
 * The files of AuthorizedKeysFile, found and read as sshd does it: as her.
 * A home may be on a server that is gone, or on a file system of her own
 * making, so root looks at nothing there itself, and waits for no child of
 * hers beyond a limit.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/check.h"
#include "edge/child.h"
#include "edge/clock.h"
#include "edge/pipe.h"
#include "edge/sshd_config.h"

#define FILES_MAX	64u		/* of one user */
#define FILE_MAX	(1u << 20)	/* bytes of one */
#define SECONDS		10		/* for one */
#define ALL_SECONDS	30
#define PATH_BYTES	4096u

static const char name[] = CHECK_KEYFILES;

struct reading {
	struct check *c;
	const struct check_person *person;
	struct check_keyfiles files;
	time_t until;
	bool over;		/* and told */
};

/* What a child is to look at, and how a look at a file ends. */
struct errand {
	const char *path;
	uid_t uid;
};

enum outcome { HERS, ANOTHERS, ABSENT, CLOSED, ODD };

/* In her child. */
static int
read_file(void *arg)
{
	const struct errand *errand = arg;
	char piece[65536];
	struct stat st;
	ssize_t n;
	int fd;

	fd = open(errand->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd == -1)
		return errno == ENOENT || errno == ENOTDIR ? ABSENT : CLOSED;
	/* sshd does not read these either. */
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return ODD;
	while ((n = read(fd, piece, sizeof(piece))) > 0)
		if (!mk_write_all(STDOUT_FILENO, piece, (size_t)n))
			return CLOSED;
	if (n != 0)
		return CLOSED;
	return st.st_uid == errand->uid ? HERS : ANOTHERS;
}

/* In her child: the names, a NUL behind each, one more than are wanted. */
static int
find_files(void *arg)
{
	const struct errand *errand = arg;
	glob_t found;
	size_t i;

	memset(&found, 0, sizeof(found));
	if (glob(errand->path, 0, NULL, &found) != 0)
		return ABSENT;
	for (i = 0; i < found.gl_pathc && i <= FILES_MAX; i++)
		if (!mk_write_all(STDOUT_FILENO, found.gl_pathv[i],
		    strlen(found.gl_pathv[i]) + 1))
			return ODD + 1;
	return HERS;
}

/* As her; the outcome, or -1: told. */
static int
run(struct reading *r, int (*call)(void *), const char *path,
    struct mk_buf *out)
{
	const struct check_person *p = r->person;
	const struct mk_child_as as = { p->name, p->uid, p->gid };
	const char *const argv[] = { path, NULL };
	struct errand errand = { path, p->uid };
	const struct mk_child child = { .argv = argv, .call = call,
	    .arg = &errand, .as = &as, .seconds = SECONDS };
	struct mk_why why;
	int status = -1, e;

	if (!r->over && mk_clock_ms() / 1000 >= r->until) {
		r->over = true;
		check_tell(r->c, CHECK_WARN, name, NULL, "'%s' and what comes "
		    "behind it was not looked through: her files took %d "
		    "seconds", path, ALL_SECONDS);
	}
	r->files.partly |= r->over;
	if (r->over)
		return -1;
	e = mk_child_run(&child, out, &status, &why);
	if (e == MK_E_REFUSED)
		check_tell(r->c, CHECK_WARN, name, NULL, "'%s' has more than "
		    "%u bytes and was not looked through", path, FILE_MAX);
	else if (e == MK_E_STALE)
		check_tell(r->c, CHECK_WARN, name, NULL, "'%s' could not be "
		    "read within %d seconds: each login waits for it", path,
		    SECONDS);
	else if (e != 0)
		check_tell_why(r->c, CHECK_WARN, name, &why);
	else if (status > ODD)
		/* She can end what runs as her, and so hide a key. */
		check_tell(r->c, CHECK_WARN, name, NULL, "'%s' was not "
		    "looked through: what read it as her ended with %d",
		    path, status);
	r->files.partly |= e != 0 || status > ODD;
	return e == 0 && status <= ODD ? status : -1;
}

static void
read_as_her(struct reading *r, struct check_keyfile *file)
{
	const int outcome = run(r, read_file, file->path, &file->text);

	if (outcome == CLOSED)
		check_tell(r->c, CHECK_NOTE, name, NULL, "'%s' cannot be "
		    "read by her, so sshd does not read it either",
		    file->path);
	if (outcome != HERS && outcome != ANOTHERS)
		mk_buf_cut(&file->text, 0);
	file->hers = outcome == HERS;
}

static void
add_file(struct reading *r, const char *path)
{
	struct check_keyfiles *files = &r->files;
	struct check_keyfile *file = &files->files[files->n];
	size_t i;

	for (i = 0; i < files->n; i++)
		if (strcmp(files->files[i].path, path) == 0)
			return;
	if (files->n == FILES_MAX) {
		files->partly = true;
		check_tell(r->c, CHECK_WARN, name, NULL, "more than %u files "
		    "of keys: '%s' was not looked through", FILES_MAX, path);
		return;
	}
	if ((file->path = strdup(path)) == NULL) {
		r->c->failed = MK_E_SYSTEM;
		return;
	}
	mk_buf_init(&file->text, FILE_MAX);
	files->n++;
	read_as_her(r, file);
}

/* From OpenSSH 10.0 on the names are patterns. */
static void
add_pattern(struct reading *r, const char *path)
{
	struct mk_buf found;
	const char *s;

	if (r->c->sshd.major < 10 || strpbrk(path, "*?[") == NULL) {
		add_file(r, path);
		return;
	}
	mk_buf_init(&found, FILE_MAX);
	if (run(r, find_files, path, &found) == HERS)
		for (s = found.data; s != NULL && s < found.data + found.len;
		    s += strlen(s) + 1)
			add_file(r, s);
	mk_buf_release(&found);
}

/* AuthorizedKeysFile takes these; false for another token. */
static bool
expand(const char *word, const struct check_person *p, struct mk_buf *out)
{
	for (; *word != '\0'; word++) {
		if (*word != '%') {
			mk_buf_putc(out, *word);
			continue;
		}
		switch (*++word) {
		case '%':
			mk_buf_putc(out, '%');
			break;
		case 'h':
			mk_buf_puts(out, p->home);
			break;
		case 'u':
			mk_buf_puts(out, p->name);
			break;
		case 'U':
			mk_buf_putu(out, p->uid);
			break;
		default:
			return false;
		}
	}
	return true;
}

static void
add_word(struct reading *r, const char *word)
{
	struct mk_buf tail, path;

	mk_buf_init(&tail, PATH_BYTES);
	mk_buf_init(&path, PATH_BYTES);
	if (!expand(word, r->person, &tail) || tail.failed != 0 ||
	    tail.len == 0) {
		check_tell(r->c, CHECK_WARN, name, NULL,
		    "cannot tell which file 'AuthorizedKeysFile %s' is for "
		    "her", word);
		r->files.partly = true;
		goto out;
	}
	if (tail.data[0] != '/') {
		mk_buf_puts(&path, r->person->home);
		mk_buf_putc(&path, '/');
	}
	mk_buf_puts(&path, tail.data);
	if (path.failed == 0)
		add_pattern(r, path.data);
out:
	mk_buf_release(&tail);
	mk_buf_release(&path);
}

void
check_keyfiles_read(struct check *c, const struct check_person *person,
    struct check_keyfiles *ret_files)
{
	const char *value = mk_sshd_get(c->settings, "authorizedkeysfile", 0);
	struct reading r = { .c = c, .person = person,
	    .until = mk_clock_ms() / 1000 + ALL_SECONDS };
	char **words = NULL, **w;

	r.files.files = calloc(FILES_MAX, sizeof(*r.files.files));
	if (r.files.files == NULL)
		c->failed = MK_E_SYSTEM;
	else if (value != NULL && strcmp(value, "none") != 0 &&
	    mk_sshd_split(value, &words, NULL) == 0)
		for (w = words; *w != NULL; w++)
			add_word(&r, *w);
	free(words);
	*ret_files = r.files;
}

void
check_keyfiles_release(struct check_keyfiles *files)
{
	size_t i;

	for (i = 0; i < files->n; i++) {
		free(files->files[i].path);
		mk_buf_release(&files->files[i].text);
	}
	free(files->files);
}
