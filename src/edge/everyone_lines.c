/* SPDX-License-Identifier: ISC */
/*
 * Everybody whom the map and the local passwd file name, line by line.
 */
#include <string.h>

#include "core/err.h"
#include "core/limits.h"
#include "edge/reader.h"
#include "edge/words.h"

/* Bytes of a user name as it may stand in the map. */
#define ENCODED_MAX	(3 * MK_USERNAME_MAX)

/* The user of a line of the map, decoded into the line itself. */
static int
decode_user(char *line, const char *word, const struct mk_where *where,
    struct mk_why *why)
{
	char encoded[3 * ENCODED_MAX + 1];
	size_t len = strlen(word);

	if (len <= ENCODED_MAX && !mk_name_decode(word, line)) {
		mk_name_encode(word, encoded);
		return mk_map_misnamed(where, encoded, why);
	}
	/* No login asks for such a user. */
	if (len > ENCODED_MAX || strlen(line) > MK_USERNAME_MAX)
		return mk_fail(why, MK_E_CONFIG, "identity",
		    "%s%s:%u: a user name of more than %u bytes",
		    mk_where_root(where), where->path, where->line,
		    MK_USERNAME_MAX);
	if (line[0] == '\0')
		return mk_fail(why, MK_E_CONFIG, "identity",
		    "%s%s:%u: an empty user name", mk_where_root(where),
		    where->path, where->line);
	return MK_OK;
}

/* Reads one line of a file; 'rd' knows of which source. */
typedef int read_line(struct mk_reader *rd, char *line, size_t len,
	    const struct mk_where *where, struct mk_why *why);

/* A line of which it is known whose it is. */
static int
take_map_line(struct mk_reader *rd, const char *name,
    const struct mk_words *words, const struct mk_where *where,
    struct mk_why *why)
{
	struct mk_roll_user *user;
	struct mk_asked ask;
	int r;

	r = mk_roll_user(&rd->roll, name, &user, why);
	if (r != MK_OK)
		return r;
	if (mk_reader_passes(rd, user)) {
		mk_reader_pass(rd, user, "map", where);
		return MK_OK;
	}
	ask = mk_reader_ask(rd, user);
	ask.identity.source = "map";
	r = mk_asked_take(&ask, where, words->word + 1, words->n - 1, why);
	return mk_reader_take(rd, user, &ask, r, why);
}

/*
 * Everybody whose login takes the line for hers, though it is another
 * user's or cannot be read: she is refused there.
 */
static int
name_others(struct mk_reader *rd, const struct mk_map_names *names,
    struct mk_why *why)
{
	unsigned i;
	int r = MK_OK;

	for (i = 0; r == MK_OK && i < names->n; i++)
		r = mk_reader_name(rd, names->name[i], why);
	return r;
}

static int
read_map_line(struct mk_reader *rd, char *line, size_t len,
    const struct mk_where *where, struct mk_why *why)
{
	struct mk_map_names names;
	struct mk_words words;
	struct mk_why reason;
	int r;

	if (!mk_map_names(line, len, &names))
		return MK_OK;
	r = mk_map_split(line, len, where, &words, why);
	if (r == MK_OK)
		r = decode_user(line, words.word[0], where, why);
	if (r == MK_OK)
		r = take_map_line(rd, line, &words, where, why);
	if ((r == MK_OK && names.n == 1) || (r != MK_OK && r != MK_E_CONFIG))
		return r;
	if (name_others(rd, &names, &reason) != MK_OK) {
		*why = reason;
		return reason.code;
	}
	return r;
}

/* The user of a line of passwd; NULL: it is nobody's, or a later one. */
static int
account_of(struct mk_reader *rd, char *line, size_t len,
    struct mk_roll_user **ret_user, struct mk_why *why)
{
	char *colon = memchr(line, ':', len);
	struct mk_roll_user *user;
	int r;

	*ret_user = NULL;
	if (colon == NULL || colon == line || line[0] == '+' ||
	    line[0] == '-' || memchr(line, '\0', colon - line) != NULL)
		return MK_OK;
	/* No login asks for such a user. */
	if (colon - line > (ptrdiff_t)MK_USERNAME_MAX)
		return MK_OK;
	*colon = '\0';
	r = mk_roll_user(&rd->roll, line, &user, why);
	*colon = ':';
	if (r == MK_OK && !user->in_passwd) {
		user->in_passwd = true;
		*ret_user = user;
	}
	return r;
}

/* Most accounts that another source names have nothing in GECOS. */
static void
pass_passwd_line(struct mk_reader *rd, const struct mk_roll_user *user,
    char *line, size_t len, const struct mk_where *where)
{
	struct mk_asked ask = mk_reader_ask(rd, user);
	struct mk_why why;

	if (ask.lines == NULL || ask.lines->line == NULL)
		return;
	ask.identity = (struct mk_identity){ 0 };
	ask.lines = NULL;
	(void)mk_passwd_take(&ask, line, len, where, &why);
	if (ask.identity.source != NULL)
		mk_reader_pass(rd, user, ask.identity.source, where);
	mk_identity_release(&ask.identity);
}

static int
read_passwd_line(struct mk_reader *rd, char *line, size_t len,
    const struct mk_where *where, struct mk_why *why)
{
	struct mk_roll_user *user;
	struct mk_asked ask;
	int r;

	for (; len > 0 && (*line == ' ' || *line == '\t'); line++)
		len--;
	r = account_of(rd, line, len, &user, why);
	if (r != MK_OK || user == NULL)
		return r;
	if (mk_reader_passes(rd, user)) {
		pass_passwd_line(rd, user, line, len, where);
		return MK_OK;
	}
	ask = mk_reader_ask(rd, user);
	r = mk_passwd_take(&ask, line, len, where, why);
	return mk_reader_take(rd, user, &ask, r, why);
}

static int
read_lines(struct mk_reader *rd, const char *path, const struct mk_file *file,
    read_line *read, struct mk_why *why)
{
	char *cursor = (char *)file->data, *end = cursor + file->len, *line;
	struct mk_where where = { path, 0, rd->root->name };
	size_t len;
	int r = MK_OK;

	while (r == MK_OK &&
	    (line = mk_line_next(&cursor, end, &len)) != NULL) {
		where.line++;
		r = read(rd, line, len, &where, why);
		if (r == MK_E_CONFIG) {
			rd->teller.tell(rd, why);
			r = MK_OK;
		}
	}
	return r;
}

int
mk_reader_map(struct mk_reader *rd, struct mk_why *why)
{
	struct mk_file file;
	int r;

	rd->source++;
	r = mk_map_read(rd->root, &file, why);
	if (r != MK_OK)
		return r == MK_E_ABSENT ? MK_OK : r;
	r = read_lines(rd, MK_MAPFILE, &file, read_map_line, why);
	mk_file_release(&file);
	return r;
}

int
mk_reader_passwd(struct mk_reader *rd, struct mk_why *why)
{
	struct mk_file file;
	int r;

	rd->source++;
	r = mk_passwd_read(rd->root, &file, why);
	if (r != MK_OK)
		return r == MK_E_ABSENT ? MK_OK : r;
	r = read_lines(rd, MK_PASSWD, &file, read_passwd_line, why);
	mk_file_release(&file);
	return r;
}
