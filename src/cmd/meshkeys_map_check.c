/* SPDX-License-Identifier: ISC */
/*
 * meshkeys map check: what of the map, of users/ and of the passwd file a
 * login could not use, by the reader that the refresher uses and that
 * judges lines as a login does; and what it could, but nobody may have
 * meant.
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/meshkeys_map.h"
#include "core/limits.h"
#include "core/sort.h"
#include "core/timestamp.h"
#include "edge/judge.h"
#include "edge/source.h"

#define ALIKE_MAX	20u	/* findings of one kind that are told */
#define BAD_MAX		10000u	/* and wrong lines, each its own mistake */
#define NAMES_MAX	8u	/* users of one profile that are named */

enum level {
	NOTE,
	WARN,
	FAIL
};

/* Kinds of findings that one mistake can make very many of. */
enum kind {
	ONE,
	BAD_LINE,
	DOS_END,
	TWO_PLACES,
	NO_ACCOUNT,
	SHARED,
	KINDS
};

/* A line that counts, or with 'passed' one that does not. */
struct seen_line {
	char *user, *path;
	unsigned line;
	bool passed, has_udf;
	struct mk_udf udf;
};

struct map_check {
	struct meshkeys *m;
	struct seen_line *lines;
	size_t n, room;
	size_t users, profiles;
	size_t unknown;		/* users of whom no directory could tell */
	size_t counts[FAIL + 1], alike[KINDS];
	bool no_memory;
};

static void
put_finding(struct map_check *c, enum level level, const char *text)
{
	static const char *const words[] = { "note", "warn", "FAIL" };
	static const char *const names[] = { "note", "warning", "failure" };
	static const enum show_tone tones[] = { SHOW_PLAIN, SHOW_WARN,
	    SHOW_BAD };
	struct mk_buf *out = &c->m->out;

	if (c->m->json) {
		mk_buf_puts(out, out->data[out->len - 1] == '[' ? "" : ",");
		mk_buf_puts(out, "{\"level\":\"");
		mk_buf_puts(out, names[level]);
		mk_buf_putc(out, '"');
		meshkeys_json_string(out, "text", text);
		mk_buf_putc(out, '}');
		return;
	}
	show_tone(out, tones[level]);
	mk_buf_puts(out, words[level]);
	show_tone(out, SHOW_PLAIN);
	mk_buf_puts(out, "  ");
	meshkeys_put_clean(out, text);
	mk_buf_putc(out, '\n');
}

static size_t
told_of(int kind)
{
	return kind == BAD_LINE ? BAD_MAX : ALIKE_MAX;
}

static void __attribute__((format(printf, 4, 5)))
tell(struct map_check *c, enum level level, enum kind kind, const char *fmt,
    ...)
{
	char *text;
	va_list ap;
	int n;

	c->counts[level]++;
	if (kind != ONE && c->alike[kind]++ >= told_of(kind))
		return;
	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n == -1) {
		c->no_memory = true;
		return;
	}
	put_finding(c, level, text);
	free(text);
}

static void
tell_rest(struct map_check *c)
{
	static const char *const what[] = { [BAD_LINE] = "wrong lines",
	    [DOS_END] = "with DOS line ends",
	    [TWO_PLACES] = "of users in two places",
	    [NO_ACCOUNT] = "of users without account",
	    [SHARED] = "of profiles with several users" };
	static const enum level levels[] = { [BAD_LINE] = FAIL,
	    [DOS_END] = FAIL,
	    [TWO_PLACES] = WARN, [NO_ACCOUNT] = WARN, [SHARED] = NOTE };
	char text[128];
	int k;

	for (k = BAD_LINE; k < KINDS; k++) {
		if (c->alike[k] <= told_of(k))
			continue;
		(void)snprintf(text, sizeof(text), "and %zu more %s",
		    c->alike[k] - told_of(k), what[k]);
		put_finding(c, levels[k], text);
	}
}

static void
see_line(void *arg, const struct mk_told_line *line)
{
	struct map_check *c = arg;
	size_t room = c->room == 0 ? 1024 : 2 * c->room;
	struct seen_line *more, seen = { .line = line->line,
	    .passed = line->passed, .has_udf = line->udf != NULL };

	if (c->n == c->room) {
		more = reallocarray(c->lines, room, sizeof(*more));
		if (more == NULL) {
			c->no_memory = true;
			return;
		}
		c->lines = more;
		c->room = room;
	}
	if (line->udf != NULL)
		seen.udf = *line->udf;
	seen.user = strdup(line->user);
	if (asprintf(&seen.path, "%s%s", c->m->keep.root.name,
	    line->path) == -1)
		seen.path = NULL;
	c->no_memory |= seen.user == NULL || seen.path == NULL;
	if (c->no_memory) {
		free(seen.user);
		free(seen.path);
		return;
	}
	c->lines[c->n++] = seen;
}

static void
see_bad(void *arg, const struct mk_why *why)
{
	struct map_check *c = arg;

	tell(c, FAIL, strstr(why->detail, ": DOS line end") != NULL ?
	    DOS_END : BAD_LINE, "%s", why->detail);
}

/* By user, those that count first. */
static int
compare_users(const void *a, const void *b)
{
	const struct seen_line *x = a, *y = b;
	int d = strcmp(x->user, y->user);

	return d != 0 ? d : x->passed - y->passed;
}

/* By profile, then by user; those without one last. */
static int
compare_profiles(const void *a, const void *b)
{
	const struct seen_line *x = a, *y = b;
	int d = y->has_udf - x->has_udf;

	if (d == 0 && x->has_udf)
		d = mk_udf_cmp(&x->udf, &y->udf);
	return d != 0 ? d : strcmp(x->user, y->user);
}

/* One user, whose lines are the 'n' from 'line' on. */
static void
check_places(struct map_check *c, const struct seen_line *line, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (!line[i].passed)
			continue;
		tell(c, WARN, TWO_PLACES, "%s:%u: this line does not count: "
		    "'%s' is named in %s%s, which decides; remove one of "
		    "the two", line[i].path, line[i].line, line->user,
		    line->passed ? "another source" : line->path,
		    line->passed ? " by a line that cannot be used" : "");
	}
}

static void
check_account(struct map_check *c, const struct seen_line *line,
    struct meshkeys_accounts *accounts)
{
	uid_t uid;
	int e;

	e = meshkeys_accounts_find(accounts, line->user, &uid);
	c->unknown += e == MK_E_SYSTEM;
	if (e == MK_E_NOPROFILE)
		tell(c, WARN, NO_ACCOUNT, "%s:%u: '%s' has no account on "
		    "this host", line->path, line->line, line->user);
	else if (e == 0 && uid == 0 && line->has_udf)
		tell(c, NOTE, ONE, "%s:%u: '%s' is uid 0: the devices of "
		    "that profile are root here", line->path, line->line,
		    line->user);
}

static size_t
same_user(const struct map_check *c, size_t i)
{
	size_t n = 1;

	while (i + n < c->n &&
	    strcmp(c->lines[i].user, c->lines[i + n].user) == 0)
		n++;
	return n;
}

static int
check_users(struct map_check *c)
{
	struct meshkeys_accounts accounts;
	size_t i, n;
	int e;

	mk_sort(c->lines, c->n, sizeof(*c->lines), compare_users);
	for (i = 0; i < c->n; i += same_user(c, i))
		c->users++;
	e = meshkeys_accounts_open(c->m, &accounts);
	if (e != 0)
		return e;
	for (i = 0; i < c->n; i += n) {
		n = same_user(c, i);
		check_places(c, &c->lines[i], n);
		check_account(c, &c->lines[i], &accounts);
	}
	meshkeys_accounts_close(&accounts);
	if (c->unknown > 0)
		tell(c, NOTE, ONE, "of %zu user%s it is not known whether "
		    "they have an account: '" MK_PASSWD "' does not name "
		    "them, and the directory fails or is asked for no more",
		    c->unknown, c->unknown == 1 ? "" : "s");
	return 0;
}

static size_t
same_profile(const struct map_check *c, size_t i)
{
	size_t n = 1;

	while (i + n < c->n && c->lines[i + n].has_udf &&
	    mk_udf_cmp(&c->lines[i].udf, &c->lines[i + n].udf) == 0)
		n++;
	return n;
}

static void
tell_shared(struct map_check *c, const struct seen_line *line, size_t n)
{
	char udf[MK_UDF_TEXT + 1];
	struct mk_buf names;
	size_t i;

	mk_buf_init(&names, (MK_USERNAME_MAX + 4) * NAMES_MAX);
	for (i = 0; i < n && i < NAMES_MAX; i++) {
		mk_buf_puts(&names, i > 0 ? ", " : "");
		mk_buf_puts(&names, line[i].user);
	}
	mk_udf_format(&line->udf, udf);
	tell(c, NOTE, SHARED, "%s is the profile of %zu users: %s%s", udf, n,
	    names.data != NULL ? names.data : "",
	    n > NAMES_MAX ? ", ..." : "");
	mk_buf_release(&names);
}

static void
check_profiles(struct map_check *c)
{
	size_t i, n;

	mk_sort(c->lines, c->n, sizeof(*c->lines), compare_profiles);
	for (i = 0; i < c->n && c->lines[i].has_udf; i += n) {
		n = same_profile(c, i);
		c->profiles++;
		if (n > 1)
			tell_shared(c, &c->lines[i], n);
	}
}

/* A file that nobody asks is worse than none. */
static void
check_unasked(struct map_check *c, bool unlisted)
{
	static const char *const paths[] = { MK_MAPFILE, MK_USERSDIR };
	unsigned i;
	int fd;

	if (unlisted)
		tell(c, NOTE, ONE, "a login also asks nss: users whom only a "
		    "directory names are not looked at here");
	if (meshkeys_map_asks(c->m, MK_SOURCE_MAP))
		return;
	for (i = 0; i < 2; i++) {
		fd = mk_root_openat(&c->m->keep.root, paths[i],
		    O_PATH | O_CLOEXEC, 0);
		if (fd == -1)
			continue;
		close(fd);
		tell(c, WARN, ONE, "'%s%s' does not count: 'identity' in "
		    "meshkeys.conf does not list map",
		    c->m->keep.root.name, paths[i]);
	}
}

static void
clear(struct map_check *c)
{
	size_t i;

	for (i = 0; i < c->n; i++) {
		free(c->lines[i].user);
		free(c->lines[i].path);
	}
	free(c->lines);
	*c = (struct map_check){ .m = c->m };
}

/* Everything, into m->out and the counts. */
static int
run_check(struct map_check *c)
{
	const struct mk_teller teller = { see_bad, c, see_line };
	struct meshkeys *m = c->m;
	struct mk_everyone everyone;
	int e;

	mk_buf_cut(&m->out, 0);
	if (m->json)
		mk_buf_puts(&m->out, "{\"command\":\"map check\","
		    "\"findings\":[");
	e = mk_everyone_read(&m->keep.root, &m->keep.config, &teller,
	    &everyone, &m->why);
	if (e == MK_E_PERM || e == MK_E_CONFIG) {
		tell(c, FAIL, ONE, "%s", m->why.detail);
		return 0;
	}
	if (e != 0)
		return e;
	check_unasked(c, everyone.unlisted);
	mk_everyone_release(&everyone);
	if ((e = check_users(c)) != 0)
		return e;
	check_profiles(c);
	tell_rest(c);
	if (c->no_memory)
		return mk_fail(&m->why, MK_E_SYSTEM, "memory",
		    "out of memory");
	return 0;
}

static void
log_split(struct meshkeys *m)
{
	const struct meshkeys_event event = {
	    .text = "the map was moved to users/ by an administrator",
	    .seen = MK_TIME_NONE, .set = MK_TIME_NONE };

	meshkeys_log(m, &event);
}

/* Behind one lock; what it has made is checked again. */
static int
check_and_split(struct map_check *c, size_t *ret_moved)
{
	struct mk_map_edit edit = { .lock = -1, .dir = -1 };
	struct meshkeys *m = c->m;
	int e;

	e = mk_map_edit_open(&m->keep.root, false, &edit, &m->why);
	if (e == MK_E_ABSENT)
		return mk_fail(&m->why, MK_E_NOPROFILE, "map",
		    "there is no '%s" MK_MAPFILE "' to split",
		    m->keep.root.name);
	if (e == 0)
		e = run_check(c);
	if (e == 0 && c->counts[FAIL] == 0 &&
	    (e = mk_map_split_up(&edit, ret_moved, &m->why)) == 0) {
		log_split(m);
		clear(c);
		e = run_check(c);
	}
	mk_map_edit_close(&edit);
	return e;
}

static int
tell_end(struct map_check *c, size_t moved)
{
	struct mk_buf *out = &c->m->out;

	if (c->m->json) {
		mk_buf_putc(out, ']');
		show_json_number(out, "users", c->users);
		show_json_number(out, "profiles", c->profiles);
		show_json_number(out, "failures", c->counts[FAIL]);
		show_json_number(out, "warnings", c->counts[WARN]);
		show_json_number(out, "moved", moved);
		mk_buf_puts(out, "}\n");
		return meshkeys_print(c->m);
	}
	if (c->m->split && c->counts[FAIL] > 0 && moved == 0) {
		mk_buf_puts(out, "nothing was moved: repair the failures "
		    "first\n");
	} else if (c->m->split) {
		show_count(out, moved, "user");
		mk_buf_puts(out, " moved to ");
		meshkeys_put_clean(out, c->m->keep.root.name);
		mk_buf_puts(out, MK_USERSDIR "\n");
	}
	show_count(out, c->users, "user");
	mk_buf_puts(out, ", ");
	show_count(out, c->profiles, "profile");
	mk_buf_puts(out, ": ");
	show_count(out, c->counts[FAIL], "failure");
	mk_buf_puts(out, ", ");
	show_count(out, c->counts[WARN], "warning");
	mk_buf_putc(out, '\n');
	return meshkeys_print(c->m);
}

int
meshkeys_map_check(struct meshkeys *m)
{
	struct map_check c = { .m = m };
	size_t moved = 0;
	int e;

	if ((m->split && (e = meshkeys_need_root(m)) != 0) ||
	    (e = meshkeys_map_host(m)) != 0)
		return e;
	e = m->split ? check_and_split(&c, &moved) : run_check(&c);
	if (e == 0)
		e = tell_end(&c, moved);
	if (e == 0 && c.counts[FAIL] > 0)
		m->status = MESHKEYS_FAILED;
	else if (e == 0 && c.counts[WARN] > 0)
		m->status = MESHKEYS_WARNED;
	clear(&c);
	return e;
}
