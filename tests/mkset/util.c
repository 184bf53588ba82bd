/* SPDX-License-Identifier: ISC */
#include "mkset.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void
ms_die(const char *fmt, ...)
{
	va_list ap;

	fputs("mkset: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(64);
}

void *
ms_alloc(struct ms_set *set, size_t n, size_t size)
{
	void *p = mk_arena_array(&set->arena, n, size);

	if (p == NULL)
		ms_die("out of memory");
	return p;
}

char *
ms_printf(struct ms_set *set, const char *fmt, ...)
{
	va_list ap;
	char *made, *s;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&made, fmt, ap);
	va_end(ap);
	if (n < 0)
		ms_die("out of memory");
	s = mk_arena_dup(&set->arena, made, (size_t)n);
	free(made);
	if (s == NULL)
		ms_die("out of memory");
	return s;
}

struct mk_text
ms_text(const char *s)
{
	return (struct mk_text){ s, strlen(s) };
}

/* The buffer's text, moved to the arena; the buffer is gone. */
struct mk_text
ms_done(struct ms_set *set, struct mk_buf *b)
{
	struct mk_text text = { NULL, b->len };

	if (b->failed != 0)
		ms_die("a text grew too long");
	text.s = mk_arena_dup(&set->arena, b->len > 0 ? b->data : "", b->len);
	if (text.s == NULL)
		ms_die("out of memory");
	mk_buf_release(b);
	return text;
}

/* Appends, so that the order is that of the arguments. */
void
ms_pair_add(struct ms_set *set, struct ms_pair **list, const char *name,
    const char *value)
{
	struct ms_pair *pair = ms_alloc(set, 1, sizeof(*pair));

	pair->name = name;
	pair->value = value;
	while (*list != NULL)
		list = &(*list)->next;
	*list = pair;
}

const char *
ms_pair_get(const struct ms_pair *list, const char *name)
{
	for (; list != NULL; list = list->next) {
		if (strcmp(list->name, name) == 0)
			return list->value;
	}
	return NULL;
}

struct mk_text
ms_file_read(struct ms_set *set, const char *path)
{
	char part[4096];
	struct mk_buf b;
	size_t n;
	FILE *f = fopen(path, "rb");

	if (f == NULL)
		ms_die("cannot read '%s': %s", path, strerror(errno));
	mk_buf_init(&b, MS_TEXT_MAX);
	while ((n = fread(part, 1, sizeof(part), f)) > 0)
		mk_buf_put(&b, part, n);
	if (ferror(f))
		ms_die("cannot read '%s'", path);
	fclose(f);
	return ms_done(set, &b);
}

/* "-" is the standard output. */
void
ms_file_write(const char *path, struct mk_text text, unsigned mode)
{
	struct stat st;
	FILE *f;
	int fd;

	if (strcmp(path, "-") == 0) {
		if (fwrite(text.s, 1, text.len, stdout) != text.len ||
		    fflush(stdout) != 0)
			ms_die("cannot write the standard output");
		return;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
	    (mode_t)mode);
	/* Only of a file: run by root, /dev/null would be nobody else's. */
	if (fd == -1 || fstat(fd, &st) == -1 || (S_ISREG(st.st_mode) &&
	    fchmod(fd, (mode_t)mode) == -1) || (f = fdopen(fd, "wb")) == NULL)
		ms_die("cannot write '%s': %s", path, strerror(errno));
	if (fwrite(text.s, 1, text.len, f) != text.len || fclose(f) != 0)
		ms_die("cannot write '%s': %s", path, strerror(errno));
}

static int64_t
seconds_of(char unit)
{
	switch (unit) {
	case 's':
		return 1;
	case 'm':
		return 60;
	case 'h':
		return 3600;
	case 'd':
		return 86400;
	case 'w':
		return 604800;
	default:
		ms_die("'%c' is no unit of time", unit);
	}
}

/* 2026-01-01T00:00:00Z, now, now-3d, now+1h */
int64_t
ms_time(const struct ms_set *set, const char *s)
{
	int64_t t;
	long n;
	char *end;

	if (mk_time_parse(s, strlen(s), &t))
		return t;
	if (strncmp(s, "now", 3) != 0)
		ms_die("'%s' is no time", s);
	if (s[3] == '\0')
		return set->now;
	n = strtol(s + 3, &end, 10);
	if ((s[3] != '+' && s[3] != '-') || *end == '\0' || end[1] != '\0')
		ms_die("'%s' is no time", s);
	return set->now + n * seconds_of(*end);
}

unsigned
ms_number(const char *s)
{
	unsigned long n;
	char *end;

	n = strtoul(s, &end, 10);
	if (end == s || *end != '\0' || n > 10000000)
		ms_die("'%s' is no number", s);
	return (unsigned)n;
}
