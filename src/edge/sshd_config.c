/* SPDX-License-Identifier: ISC */
#include "edge/sshd_config.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <glob.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/arena.h"
#include "core/err.h"
#include "edge/judge.h"
#include "edge/sshd_words.h"
#include "edge/words.h"

#define STAGE		"sshd"
#define DIRECTORY	"/etc/ssh/"	/* where relative names begin */
#define DEPTH_MAX	16
#define FILE_MAX	(1u << 20)
#define ALL_MAX		(16u << 20)
#define FILES_MAX	10000u		/* an Include of itself */
#define LINES_MAX	200000u
#define MEMORY_MAX	(64u << 20)
#define BLANKS		" \t\r\f"

struct reading {
	struct mk_sshd_lines lines;
	struct mk_arena *a;
	size_t room, files_room, bytes;
};

/* Where a line stands. */
struct place {
	const char *file;
	unsigned line, depth;
	const char *match, *match_file;
	unsigned match_line;
};

static int read_file(struct reading *r, const struct place *from,
    const char *path, struct mk_why *why);

static int
no_memory(struct mk_why *why)
{
	return mk_fail(why, MK_E_SYSTEM, "memory", "out of memory");
}

/* Room for one more in an array that doubles. */
static int
grow(void **array, size_t n, size_t *room, size_t size)
{
	size_t more = *room == 0 ? 64 : 2 * *room;
	void *p;

	if (n < *room)
		return MK_OK;
	p = reallocarray(*array, more, size);
	if (p == NULL)
		return MK_E_SYSTEM;
	*array = p;
	*room = more;
	return MK_OK;
}

static int
note_file(struct reading *r, const char *path, struct mk_why *why)
{
	struct mk_sshd_lines *l = &r->lines;
	void *files = l->files;

	if (l->n_files == FILES_MAX)
		return mk_fail(why, MK_E_REFUSED, STAGE, "'%s': more than "
		    "%u files are included", l->files[0], FILES_MAX);
	if (grow(&files, l->n_files, &r->files_room,
	    sizeof(*l->files)) != MK_OK)
		return no_memory(why);
	l->files = files;
	l->files[l->n_files++] = path;
	return MK_OK;
}

static int
note_line(struct reading *r, const struct place *at, const char *keyword,
    const char *value, struct mk_why *why)
{
	struct mk_sshd_lines *l = &r->lines;
	void *lines = l->lines;

	if (l->n == LINES_MAX)
		return mk_fail(why, MK_E_REFUSED, STAGE, "'%s': more than "
		    "%u lines with what it includes", l->files[0],
		    LINES_MAX);
	if (grow(&lines, l->n, &r->room, sizeof(*l->lines)) != MK_OK)
		return no_memory(why);
	l->lines = lines;
	l->lines[l->n++] = (struct mk_sshd_line){ .file = at->file,
	    .line = at->line, .keyword = keyword, .value = value,
	    .match = at->match, .match_file = at->match_file,
	    .match_line = at->match_line };
	return MK_OK;
}

/* The name as sshd looks for it. */
static const char *
pattern_of(struct mk_arena *a, const char *word)
{
	size_t len = strlen(word);
	char *s;

	if (word[0] == '/' || word[0] == '~')
		return mk_arena_dup(a, word, len);
	s = mk_arena_alloc(a, sizeof(DIRECTORY) + len);
	if (s != NULL) {
		memcpy(s, DIRECTORY, sizeof(DIRECTORY) - 1);
		memcpy(s + sizeof(DIRECTORY) - 1, word, len);
	}
	return s;
}

/* In the C locale, which is ours, glob(3) sorts by byte as sshd does. */
static int
include_pattern(struct reading *r, const struct place *at,
    const char *pattern, struct mk_why *why)
{
	const char *path;
	glob_t found;
	size_t i;
	int e = MK_OK;

	memset(&found, 0, sizeof(found));
	if (glob(pattern, 0, NULL, &found) == GLOB_NOSPACE)
		e = no_memory(why);
	for (i = 0; e == MK_OK && i < found.gl_pathc; i++) {
		path = mk_arena_dup(r->a, found.gl_pathv[i],
		    strlen(found.gl_pathv[i]));
		e = path == NULL ? mk_arena_fail(r->a, why) :
		    read_file(r, at, path, why);
		/* sshd refuses to run then, and "sshd -t" tells. */
		if (e == MK_E_ABSENT || e == MK_E_PERM)
			e = MK_OK;
	}
	globfree(&found);
	return e;
}

static int
include(struct reading *r, const struct place *at, const char *value,
    struct mk_why *why)
{
	const char *pattern;
	char **words;
	size_t i;
	int e;

	e = mk_sshd_words(value, true, &words, why);
	if (e != MK_OK)
		return e == MK_E_CONFIG ? MK_OK : e;
	for (i = 0; e == MK_OK && words[i] != NULL; i++) {
		pattern = pattern_of(r->a, words[i]);
		e = pattern == NULL ? mk_arena_fail(r->a, why) :
		    include_pattern(r, at, pattern, why);
	}
	free(words);
	return e;
}

/* Cuts the keyword off, quoted or not, and returns what stands behind it. */
static char *
cut_keyword(char *line, char **ret_value)
{
	char *keyword = line, *end;
	bool quoted = *line == '"';

	if (quoted)
		keyword++;
	end = keyword + strcspn(keyword, quoted ? "\"" : BLANKS "=\"");
	*ret_value = end;
	if (*end == '\0')
		return keyword;
	if (*end == '"' && !quoted)
		return NULL;
	/* One equals sign, blanks around it. */
	*ret_value = end + (*end == '=' ? 0 : 1);
	*ret_value += strspn(*ret_value, BLANKS);
	if (**ret_value == '=')
		*ret_value += 1 + strspn(*ret_value + 1, BLANKS);
	*end = '\0';
	return keyword;
}

static void
lower(char *s)
{
	for (; *s != '\0'; s++)
		if (*s >= 'A' && *s <= 'Z')
			*s = (char)(*s - 'A' + 'a');
}

/* A Match block ends with the next one, and with its file. */
static int
take_line(struct reading *r, struct place *at, char *line,
    struct mk_why *why)
{
	char *keyword, *value, *end;
	int e;

	line += strspn(line, BLANKS);
	for (end = line + strlen(line); end > line &&
	    strchr(BLANKS, end[-1]) != NULL; end--)
		;
	*end = '\0';
	if (*line == '\0' || *line == '#')
		return MK_OK;
	line = mk_arena_dup(r->a, line, (size_t)(end - line));
	if (line == NULL)
		return mk_arena_fail(r->a, why);
	keyword = cut_keyword(line, &value);
	if (keyword == NULL || *keyword == '\0')
		return MK_OK;
	lower(keyword);
	if (strcmp(keyword, "match") == 0) {
		at->match = value;
		at->match_file = at->file;
		at->match_line = at->line;
	}
	e = note_line(r, at, keyword, value, why);
	if (e == MK_OK && strcmp(keyword, "include") == 0)
		e = include(r, at, value, why);
	return e;
}

static int
load(const char *path, struct mk_file *ret_file, struct mk_why *why)
{
	struct stat st;
	int fd, e;

	/* Whose it is sshd does not ask, but a pipe would hold us up. */
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd == -1 && errno == ENOENT)
		return mk_fail(why, MK_E_ABSENT, STAGE,
		    "there is no '%s'", path);
	if (fd == -1)
		return mk_fail(why, errno == EACCES || errno == ELOOP ?
		    MK_E_PERM : MK_E_SYSTEM, STAGE, "cannot open '%s': %s",
		    path, strerror(errno));
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		e = mk_fail(why, MK_E_PERM, STAGE,
		    "cannot read '%s': not a regular file", path);
	else
		e = mk_read_judged(fd, path, FILE_MAX, ret_file, why);
	close(fd);
	if (e == MK_E_TOOBIG)
		e = mk_fail(why, MK_E_REFUSED, STAGE,
		    "cannot read '%s': larger than 1 MiB", path);
	return e;
}

static int
read_file(struct reading *r, const struct place *from, const char *path,
    struct mk_why *why)
{
	struct place at = *from;
	struct mk_file file;
	char *cursor, *line;
	size_t len;
	int e;

	at.file = path;
	at.line = 0;
	/* Deeper, sshd does not go. */
	if (at.depth++ > DEPTH_MAX)
		return MK_OK;
	if ((e = load(path, &file, why)) != MK_OK)
		return e;
	r->bytes += file.len;
	if (r->bytes > ALL_MAX)
		e = mk_fail(why, MK_E_REFUSED, STAGE,
		    "'%s': more than 16 MiB are included", path);
	if (e == MK_OK)
		e = note_file(r, path, why);
	cursor = (char *)file.data;
	while (e == MK_OK && (line = mk_line_next(&cursor,
	    (char *)file.data + file.len, &len)) != NULL) {
		at.line++;
		e = take_line(r, &at, line, why);
	}
	mk_file_release(&file);
	return e;
}

int
mk_sshd_lines_read(const char *path, struct mk_sshd_lines *ret_lines,
    struct mk_why *why)
{
	const struct place top = { .depth = 0 };
	struct reading r = { .room = 0 };
	const char *name;
	size_t i;
	int e;

	r.a = malloc(sizeof(*r.a));
	if (r.a == NULL)
		return no_memory(why);
	mk_arena_init(r.a, MEMORY_MAX);
	r.lines.memory = r.a;
	name = mk_arena_dup(r.a, path, strlen(path));
	e = name == NULL ? mk_arena_fail(r.a, why) :
	    read_file(&r, &top, name, why);
	for (i = 0; i < r.lines.n; i++)
		if (r.lines.lines[i].match == NULL &&
		    mk_sshd_line_includes(&r.lines.lines[i]))
			r.lines.includes = true;
	if (e == MK_OK)
		*ret_lines = r.lines;
	else
		mk_sshd_lines_release(&r.lines);
	return e;
}

void
mk_sshd_lines_release(struct mk_sshd_lines *lines)
{
	if (lines->memory != NULL)
		mk_arena_release(lines->memory);
	free(lines->memory);
	free(lines->lines);
	free(lines->files);
	memset(lines, 0, sizeof(*lines));
}

bool
mk_sshd_line_includes(const struct mk_sshd_line *line)
{
	struct mk_arena a;
	const char *pattern;
	char **words;
	bool found = false;
	size_t i;

	if (strcmp(line->keyword, "include") != 0 ||
	    mk_sshd_words(line->value, true, &words, NULL) != MK_OK)
		return false;
	mk_arena_init(&a, FILE_MAX * 2);
	for (i = 0; !found && words[i] != NULL; i++) {
		pattern = pattern_of(&a, words[i]);
		found = pattern != NULL && fnmatch(pattern, MK_SSHD_DROPINS
		    "/10-meshkeys.conf", FNM_PATHNAME | FNM_PERIOD) == 0;
	}
	mk_arena_release(&a);
	free(words);
	return found;
}
