/* SPDX-License-Identifier: ISC */
/*
 * The sources users/USER and map.  The map may have 100,000 lines and is
 * read at each login: a line is split only once it is known to be hers.
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <string.h>

#include "core/err.h"
#include "core/limits.h"
#include "edge/root.h"
#include "edge/source.h"
#include "edge/words.h"

#define USERS_DIR	MK_CONFDIR "/users"
#define MAP_NAME	"map"
#define MAP_PATH	MK_CONFDIR "/" MAP_NAME
#define NAME_FILE_MAX	255	/* NAME_MAX of the usual file systems */
#define UDF_BARE	30	/* a fingerprint without its dashes */

/* Longest first word that is looked at with its quotes. */
#define QUOTED_MAX	(8 * MK_USERNAME_MAX)

static const char byte_order_mark[] = "\xef\xbb\xbf";

static int
take_entry(struct mk_asked *ask, char *const *word, unsigned n,
    struct mk_why *why)
{
	if (n == 0)
		return mk_fail(why, MK_E_CONFIG, "identity",
		    "no fingerprint");
	if (strcmp(word[0], "-") == 0)
		return mk_asked_deny(ask, n, why);
	return mk_asked_add(ask, word, n, why);
}

static int
take_user_file(struct mk_asked *ask, const char *name,
    const struct mk_file *file, struct mk_why *why)
{
	char *cursor = (char *)file->data, *end = cursor + file->len, *line;
	struct mk_where where = { name, 0 };
	struct mk_words words;
	struct mk_why reason;
	size_t len;
	int r;

	/*
	 * The file decides by being there.  If an empty one fell through to
	 * the map, removing the last fingerprint could bring back an older
	 * one that nobody has thought of for years.
	 */
	ask->identity.source = "users";
	while ((line = mk_line_next(&cursor, end, &len)) != NULL) {
		where.line++;
		r = mk_line_split(line, len, &where, &words, why);
		if (r != MK_OK)
			return r;
		if (words.n == 0)
			continue;
		r = take_entry(ask, words.word, words.n, &reason);
		if (r != MK_OK)
			return mk_where_fail(&where, &reason, why);
	}
	return MK_OK;
}

static char
lower_digit(char c)
{
	return c >= 'A' && c <= 'F' ? (char)(c - 'A' + 'a') : c;
}

static int
check_spelling(const struct mk_asked *ask, const struct mk_dir *dir,
    const char *name, struct mk_why *why)
{
	struct stat st;

	if (strcmp(name, ask->encoded) == 0 ||
	    strlen(name) > NAME_FILE_MAX || strchr(name, '/') != NULL ||
	    strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return MK_OK;
	if (fstatat(dir->fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return MK_OK;
	return mk_fail(why, MK_E_CONFIG, "identity",
	    "cannot use '%s/%s': it must be named '%s'", dir->path, name,
	    ask->encoded);
}

/*
 * A file under her raw name, or under the encoded one in lower case, is a
 * mistyped one, perhaps a refusal.
 */
static int
check_spellings(const struct mk_asked *ask, const struct mk_dir *dir,
    struct mk_why *why)
{
	char lower[3 * MK_USERNAME_MAX + 1], *p;
	int r;

	r = check_spelling(ask, dir, ask->user, why);
	if (r != MK_OK || ask->encoded_len >= sizeof(lower))
		return r;
	memcpy(lower, ask->encoded, ask->encoded_len + 1);
	for (p = strchr(lower, '%'); p != NULL; p = strchr(p + 3, '%')) {
		p[1] = lower_digit(p[1]);
		p[2] = lower_digit(p[2]);
	}
	return check_spelling(ask, dir, lower, why);
}

static int
read_user_file(struct mk_asked *ask, const struct mk_dir *dir,
    struct mk_why *why)
{
	char path[sizeof(USERS_DIR "/") + NAME_FILE_MAX];
	struct mk_file file;
	int r;

	r = check_spellings(ask, dir, why);
	if (r != MK_OK || ask->encoded_len > NAME_FILE_MAX)
		return r;
	memcpy(path, USERS_DIR "/", sizeof(USERS_DIR));
	memcpy(path + sizeof(USERS_DIR), ask->encoded, ask->encoded_len + 1);
	r = mk_dir_read(dir, ask->encoded, MK_USERFILE_MAX, &file, why);
	if (r == MK_E_ABSENT)
		return MK_OK;
	if (r == MK_E_TOOBIG)
		return mk_fail(why, MK_E_CONFIG, "identity",
		    "cannot use '%s': larger than %u bytes", path,
		    MK_USERFILE_MAX);
	if (r != MK_OK)
		return r;
	r = take_user_file(ask, path, &file, why);
	mk_file_release(&file);
	return r;
}

int
mk_source_users(struct mk_asked *ask, struct mk_why *why)
{
	struct mk_dir dir;
	int r;

	r = mk_dir_open(ask->root, USERS_DIR, MK_OWNED_BY_ROOT, &dir, why);
	if (r == MK_E_ABSENT)
		return MK_OK;
	if (r != MK_OK)
		return r;
	r = read_user_file(ask, &dir, why);
	mk_dir_close(&dir);
	return r;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/*
 * The first word as the splitter sees it, or with 'lenient' up to the
 * first blank with all quotes and backslashes gone.  False where the
 * splitter would refuse it, or beyond the room of 'out'.
 */
static bool
first_word(const char *line, size_t len, bool lenient,
    char out[QUOTED_MAX + 1])
{
	bool quoted = false;
	size_t i, n = 0;

	for (i = 0; i < len; i++) {
		if (is_blank(line[i]) && (lenient || !quoted))
			break;
		if (line[i] == '"') {
			quoted = !quoted;
			continue;
		}
		if (line[i] == '\\') {
			if (lenient)
				continue;
			if (++i == len || (line[i] != '"' && line[i] != '\\'))
				return false;
		}
		if (n == QUOTED_MAX || line[i] == '\0')
			return false;
		out[n++] = line[i];
	}
	out[n] = '\0';
	return lenient || !quoted;
}

static bool
names(const struct mk_asked *ask, const char *word)
{
	char decoded[QUOTED_MAX + 1];

	return strcmp(word, ask->user) == 0 ||
	    (mk_name_decode(word, decoded) &&
	    strcmp(decoded, ask->user) == 0);
}

/*
 * A first word with an escape or a quote in it.  One that the splitter
 * would refuse is hers if it comes down to her name: better no login than
 * a refusal that was mistyped.
 */
static bool
is_hers_quoted(const struct mk_asked *ask, const char *line, size_t len)
{
	char word[QUOTED_MAX + 1];

	if (first_word(line, len, false, word))
		return names(ask, word);
	return first_word(line, len, true, word) && names(ask, word);
}

static bool
is_marked(const char *line, size_t len)
{
	size_t n = strlen(byte_order_mark);

	return len >= n && memcmp(line, byte_order_mark, n) == 0;
}

/*
 * How much stands before the first word: blanks, and what editors put there
 * unseen, a byte order mark or a control character.  The splitter refuses
 * those, so that a refusal behind them is an error and not nobody's.
 */
static size_t
unseen(const char *line, size_t len)
{
	size_t n = is_marked(line, len) ? strlen(byte_order_mark) : 0;

	while (n < len && (unsigned char)line[n] <= ' ')
		n++;
	return n;
}

/* A line from its first word on; what that word is at a glance. */
struct glance {
	const char *line;
	size_t len;
	size_t name_len;	/* bytes up to the first blank */
	bool quoted, encoded;
};

static struct glance
glance_at(const char *line, size_t len)
{
	struct glance g = { line, len, 0, false, false };
	unsigned char c;

	for (; g.name_len < len; g.name_len++) {
		c = (unsigned char)line[g.name_len];
		if (c <= ' ')
			break;
		g.quoted |= c == '"' || c == '\\';
		g.encoded |= c == '%';
	}
	return g;
}

static bool
is_hers(const struct mk_asked *ask, const struct glance *g)
{
	size_t n = g->name_len;

	if (n == ask->user_len && memcmp(g->line, ask->user, n) == 0)
		return true;
	if (n == ask->encoded_len && memcmp(g->line, ask->encoded, n) == 0)
		return true;
	return (g->quoted || g->encoded) &&
	    is_hers_quoted(ask, g->line, g->len);
}

/*
 * Whether somebody else's line looks like one: a name, and behind it "-"
 * or something as long as a fingerprint.  No more, since this runs for
 * each line at each login.
 */
static bool
looks_right(const struct glance *g)
{
	const char *line = g->line + g->name_len;
	size_t k, len = g->len - g->name_len;

	if (g->quoted)
		return true;
	for (; len > 0 && is_blank(*line); len--)
		line++;
	if (len > 0 && line[0] == '-')
		return len == 1 || is_blank(line[1]);
	if (len == 0 || (line[0] != 'M' && line[0] != 'm'))
		return false;
	k = len > UDF_BARE && line[5] == '-' ? MK_UDF_TEXT : UDF_BARE;
	return len == k || (len > k && is_blank(line[k]));
}

static int
take_line(struct mk_asked *ask, char *line, size_t len,
    const struct mk_where *where, struct mk_why *why)
{
	struct mk_words words;
	struct mk_why reason;
	int r;

	if (is_marked(line, len))
		return mk_fail(why, MK_E_CONFIG, "identity",
		    "%s:%u: a byte order mark", where->path, where->line);
	r = mk_line_split(line, len, where, &words, why);
	if (r != MK_OK)
		return r;
	ask->identity.source = "map";
	/* Only raw the same: decoded it is another user's or nobody's. */
	if (!mk_name_decode(words.word[0], line) ||
	    strcmp(line, ask->user) != 0)
		return mk_fail(why, MK_E_CONFIG, "identity",
		    "%s:%u: the user must be written '%s'", where->path,
		    where->line, ask->encoded);
	r = take_entry(ask, words.word + 1, words.n - 1, &reason);
	return r == MK_OK ? MK_OK : mk_where_fail(where, &reason, why);
}

/* The map on its way through, piece by piece. */
struct scan {
	struct mk_asked *ask;
	struct mk_where where;
};

static void
begin_map(void *ctx)
{
	struct scan *scan = ctx;

	mk_identity_release(&scan->ask->identity);
	scan->ask->identity = (struct mk_identity){ 0 };
	scan->where = (struct mk_where){ MAP_PATH, 0 };
}

static int
take_map(void *ctx, char *lines, size_t n, struct mk_why *why)
{
	struct scan *scan = ctx;
	struct mk_asked *ask = scan->ask;
	char *line, *end = lines + n;
	struct glance g;
	size_t len, skip;
	int r;

	while ((line = mk_line_next(&lines, end, &len)) != NULL) {
		scan->where.line++;
		skip = unseen(line, len);
		if (skip == len || line[skip] == '#')
			continue;
		g = glance_at(line + skip, len - skip);
		if (!is_hers(ask, &g)) {
			ask->identity.skipped += !looks_right(&g);
			continue;
		}
		r = take_line(ask, line, len, &scan->where, why);
		if (r != MK_OK)
			return r;
	}
	return MK_OK;
}

int
mk_source_map(struct mk_asked *ask, struct mk_why *why)
{
	struct scan scan = { .ask = ask };
	const struct mk_taker taker = { begin_map, take_map, &scan };
	struct mk_dir dir;
	int r;

	r = mk_dir_open(ask->root, MK_CONFDIR, MK_OWNED_BY_ROOT, &dir, why);
	if (r == MK_E_ABSENT)
		return MK_OK;
	if (r != MK_OK)
		return r;
	r = mk_dir_scan(&dir, MAP_NAME, MK_MAP_MAX, &taker, why);
	mk_dir_close(&dir);
	if (r == MK_E_ABSENT)
		return MK_OK;
	if (r == MK_E_TOOBIG)
		return mk_fail(why, MK_E_CONFIG, "identity",
		    "cannot use '" MAP_PATH "': larger than %u bytes",
		    MK_MAP_MAX);
	return r;
}
