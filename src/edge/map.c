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
#include "edge/judge.h"
#include "edge/source.h"
#include "edge/words.h"

#define UDF_BARE	30	/* a fingerprint without its dashes */

/* Longest first word that is looked at with its quotes. */
#define QUOTED_MAX	(8 * MK_USERNAME_MAX)

static const char byte_order_mark[] = "\xef\xbb\xbf";

static int
take_user_line(struct mk_asked *ask, char *line, size_t len,
    const struct mk_where *where, struct mk_why *why)
{
	struct mk_words words;
	int r;

	r = mk_line_split(line, len, where, &words, why);
	if (r != MK_OK || words.n == 0)
		return r;
	return mk_asked_take(ask, where, words.word, words.n, why);
}

static int
take_user_file(struct mk_asked *ask, const char *name,
    const struct mk_file *file, struct mk_why *why)
{
	char *cursor = (char *)file->data, *end = cursor + file->len, *line;
	struct mk_where where = { name, 0, ask->root->name };
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
		r = take_user_line(ask, line, len, &where, why);
		if (r != MK_OK && !mk_asked_skip(ask, why))
			return r;
	}
	where.line = 0;
	if (ask->identity.n == 0 && !ask->identity.denied)
		mk_asked_tell(ask, &where, NULL, NULL, 0);
	return MK_OK;
}

int
mk_users_misnamed(const struct mk_dir *dir, const char *name,
    const char *encoded, struct mk_why *why)
{
	return mk_fail(why, MK_E_CONFIG, "identity",
	    "cannot use '%s%s/%s': it must be named '%s'",
	    dir->root->name, dir->path, name, encoded);
}

static char
lower_digit(char c)
{
	return c >= 'A' && c <= 'F' ? (char)(c - 'A' + 'a') : c;
}

void
mk_name_lower(char *encoded)
{
	char *p;

	for (p = strchr(encoded, '%'); p != NULL; p = strchr(p + 3, '%')) {
		p[1] = lower_digit(p[1]);
		p[2] = lower_digit(p[2]);
	}
}

static int
check_spelling(const struct mk_asked *ask, const struct mk_dir *dir,
    const char *name, struct mk_why *why)
{
	struct stat st;

	if (strcmp(name, ask->encoded) == 0 ||
	    strlen(name) > MK_USERFILE_NAME || strchr(name, '/') != NULL ||
	    strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return MK_OK;
	if (fstatat(dir->fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return MK_OK;
	return mk_users_misnamed(dir, name, ask->encoded, why);
}

/*
 * A file under her raw name, or under the encoded one in lower case, is a
 * mistyped one, perhaps a refusal.
 */
static int
check_spellings(const struct mk_asked *ask, const struct mk_dir *dir,
    struct mk_why *why)
{
	char lower[3 * MK_USERNAME_MAX + 1];
	int r;

	r = check_spelling(ask, dir, ask->user, why);
	if (r != MK_OK || ask->encoded_len >= sizeof(lower))
		return r;
	memcpy(lower, ask->encoded, ask->encoded_len + 1);
	mk_name_lower(lower);
	return check_spelling(ask, dir, lower, why);
}

int
mk_users_take(struct mk_asked *ask, const struct mk_dir *dir,
    struct mk_why *why)
{
	char path[sizeof(MK_USERSDIR "/") + MK_USERFILE_NAME];
	struct mk_file file;
	int r;

	if (ask->encoded_len > MK_USERFILE_NAME)
		return MK_OK;
	memcpy(path, MK_USERSDIR "/", sizeof(MK_USERSDIR));
	memcpy(path + sizeof(MK_USERSDIR), ask->encoded,
	    ask->encoded_len + 1);
	r = mk_dir_read(dir, ask->encoded, MK_USERFILE_MAX, &file, why);
	if (r == MK_E_ABSENT)
		return MK_OK;
	if (r == MK_E_TOOBIG)
		return mk_fail(why, MK_E_CONFIG, "identity",
		    "cannot use '%s%s': larger than %u bytes",
		    dir->root->name, path, MK_USERFILE_MAX);
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

	r = mk_dir_open(ask->root, MK_USERSDIR, MK_OWNED_BY_ROOT, &dir, why);
	if (r == MK_E_ABSENT)
		return MK_OK;
	if (r != MK_OK)
		return r;
	r = check_spellings(ask, &dir, why);
	if (r == MK_OK)
		r = mk_users_take(ask, &dir, why);
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

int
mk_map_misnamed(const struct mk_where *where, const char *encoded,
    struct mk_why *why)
{
	return mk_fail(why, MK_E_CONFIG, "identity",
	    "%s%s:%u: the user must be written '%s'",
	    mk_where_root(where), where->path, where->line, encoded);
}

int
mk_map_split(char *line, size_t len, const struct mk_where *where,
    struct mk_words *ret_words, struct mk_why *why)
{
	if (is_marked(line, len))
		return mk_fail(why, MK_E_CONFIG, "identity",
		    "%s%s:%u: a byte order mark", mk_where_root(where),
		    where->path, where->line);
	return mk_line_split(line, len, where, ret_words, why);
}

/* Longer names are nobody's: no login asks for them. */
static void
add_name(struct mk_map_names *names, const char *name, size_t len)
{
	unsigned i;

	if (len == 0 || len > MK_USERNAME_MAX)
		return;
	for (i = 0; i < names->n; i++) {
		if (strncmp(names->name[i], name, len) == 0 &&
		    names->name[i][len] == '\0')
			return;
	}
	memcpy(names->name[names->n], name, len);
	names->name[names->n++][len] = '\0';
}

bool
mk_map_names(const char *line, size_t len, struct mk_map_names *ret_names)
{
	char word[QUOTED_MAX + 1], decoded[QUOTED_MAX + 1];
	size_t skip = unseen(line, len);
	struct glance g;

	if (skip == len || line[skip] == '#')
		return false;
	ret_names->n = 0;
	g = glance_at(line + skip, len - skip);
	add_name(ret_names, g.line, g.name_len);
	if (!g.quoted && !g.encoded)
		return true;
	if (!first_word(g.line, g.len, false, word) &&
	    !first_word(g.line, g.len, true, word))
		return true;
	add_name(ret_names, word, strlen(word));
	if (mk_name_decode(word, decoded))
		add_name(ret_names, decoded, strlen(decoded));
	return true;
}

static int
take_line(struct mk_asked *ask, char *line, size_t len,
    const struct mk_where *where, struct mk_why *why)
{
	struct mk_words words;
	int r;

	r = mk_map_split(line, len, where, &words, why);
	if (r != MK_OK)
		return r;
	ask->identity.source = "map";
	/* Only raw the same: decoded it is another user's or nobody's. */
	if (!mk_name_decode(words.word[0], line) ||
	    strcmp(line, ask->user) != 0)
		return mk_map_misnamed(where, ask->encoded, why);
	return mk_asked_take(ask, where, words.word + 1, words.n - 1, why);
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
	scan->where = (struct mk_where){ MK_MAPFILE, 0,
	    scan->ask->root->name };
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

static int
map_failed(int r, const struct mk_root *root, struct mk_why *why)
{
	if (r != MK_E_TOOBIG)
		return r;
	return mk_fail(why, MK_E_CONFIG, "identity",
	    "cannot use '%s" MK_MAPFILE "': larger than %u bytes",
	    root->name, MK_MAP_MAX);
}

int
mk_map_read(const struct mk_root *root, struct mk_file *ret_file,
    struct mk_why *why)
{
	return map_failed(mk_path_read(root, MK_MAPFILE, MK_MAP_MAX,
	    ret_file, why), root, why);
}

int
mk_source_map(struct mk_asked *ask, struct mk_why *why)
{
	static const char name[] = "map";
	struct scan scan = { .ask = ask };
	const struct mk_taker taker = { begin_map, take_map, &scan };
	struct mk_dir dir;
	int r;

	r = mk_dir_open(ask->root, MK_CONFDIR, MK_OWNED_BY_ROOT, &dir, why);
	if (r == MK_E_ABSENT)
		return MK_OK;
	if (r != MK_OK)
		return r;
	r = map_failed(mk_dir_scan(&dir, name, MK_MAP_MAX, &taker, why),
	    ask->root, why);
	mk_dir_close(&dir);
	return r == MK_E_ABSENT ? MK_OK : r;
}
