/* SPDX-License-Identifier: ISC */
/*
 * The sources passwd and nss: "mesh=FINGERPRINT" as the fifth subfield of
 * GECOS, the only one that users cannot set with chfn(1).
 */
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/limits.h"
#include "edge/judge.h"
#include "edge/source.h"
#include "edge/words.h"

#define GECOS_FIELD	4	/* counted from 0, by colon */
#define OTHER_SUBFIELD	4	/* counted from 0, by comma */
#define TAG		"mesh="

/* Moves to field 'n' of a text divided by 'mark'; NULL if it has less. */
static char *
nth_field(char *s, char mark, unsigned n)
{
	for (; n > 0 && s != NULL; n--) {
		s = strchr(s, mark);
		if (s != NULL)
			s++;
	}
	return s;
}

/* What a GECOS field says; it is taken apart in place. */
static int
take_gecos(struct mk_asked *ask, char *gecos, const char *source,
    struct mk_why *why)
{
	char *other = nth_field(gecos, ',', OTHER_SUBFIELD);

	if (other == NULL || strncmp(other, TAG, strlen(TAG)) != 0)
		return MK_OK;
	ask->identity.source = source;
	other += strlen(TAG);
	other[strcspn(other, ",")] = '\0';
	return mk_asked_add(ask, &other, 1, why);
}

static void
tell_gecos(const struct mk_asked *ask, const struct mk_where *where)
{
	const struct mk_identity *identity = &ask->identity;

	if (identity->n > 0)
		mk_asked_tell(ask, where,
		    &identity->profiles[identity->n - 1].udf, NULL, 0);
}

/* Whether this is the line of her account, not one to be merged (+, -). */
static bool
is_her_line(const struct mk_asked *ask, const char *line, size_t len)
{
	return len > ask->user_len && line[ask->user_len] == ':' &&
	    memcmp(line, ask->user, ask->user_len) == 0;
}

int
mk_passwd_take(struct mk_asked *ask, char *line, size_t len,
    const struct mk_where *where, struct mk_why *why)
{
	struct mk_why reason;
	char *gecos;
	int r;

	if (memchr(line, '\0', len) != NULL)
		return mk_fail(why, MK_E_CONFIG, "identity",
		    "%s%s:%u: a NUL byte", mk_where_root(where), where->path,
		    where->line);
	gecos = nth_field(line, ':', GECOS_FIELD);
	if (gecos == NULL)
		return MK_OK;
	gecos[strcspn(gecos, ":")] = '\0';
	r = take_gecos(ask, gecos, "passwd", &reason);
	if (r != MK_OK)
		return mk_where_fail(where, &reason, why);
	if (ask->identity.n > 0)
		ask->identity.profiles[ask->identity.n - 1].line = where->line;
	tell_gecos(ask, where);
	return MK_OK;
}

/*
 * The first line of that name decides, as it does for getpwnam(3), which
 * passes over blanks in front of it.
 */
static int
take_passwd(struct mk_asked *ask, const struct mk_file *file,
    struct mk_why *why)
{
	char *cursor = (char *)file->data, *end = cursor + file->len, *line;
	struct mk_where where = { MK_PASSWD, 0, ask->root->name };
	size_t len;

	while ((line = mk_line_next(&cursor, end, &len)) != NULL) {
		where.line++;
		for (; *line == ' ' || *line == '\t'; line++)
			len--;
		if (is_her_line(ask, line, len))
			return mk_passwd_take(ask, line, len, &where, why);
	}
	return MK_OK;
}

int
mk_passwd_read(const struct mk_root *root, struct mk_file *ret_file,
    struct mk_why *why)
{
	int r;

	r = mk_path_read(root, MK_PASSWD, MK_MAP_MAX, ret_file, why);
	if (r == MK_E_TOOBIG)
		return mk_fail(why, MK_E_CONFIG, "identity",
		    "cannot use '%s" MK_PASSWD "': larger than %u bytes",
		    root->name, MK_MAP_MAX);
	return r;
}

int
mk_source_passwd(struct mk_asked *ask, struct mk_why *why)
{
	struct mk_file file;
	int r;

	/* No account has such a name, though a line may begin with it. */
	if (ask->user[0] == '+' || ask->user[0] == '-' ||
	    strpbrk(ask->user, ":\n") != NULL)
		return MK_OK;
	r = mk_passwd_read(ask->root, &file, why);
	if (r == MK_E_ABSENT)
		return MK_OK;
	if (r != MK_OK)
		return r;
	r = take_passwd(ask, &file, why);
	mk_file_release(&file);
	return r;
}

bool
mk_lookup_failed(int err)
{
	return err == EIO || err == ENOMEM || err == EMFILE ||
	    err == ENFILE || err == EINTR || err == EAGAIN ||
	    err == ETIMEDOUT;
}

int
mk_source_nss(struct mk_asked *ask, struct mk_why *why)
{
	const struct mk_where where = { "getpwnam(3)", 0 };
	struct mk_why reason;
	struct passwd *pw;
	int r;

	/* The directories of this host know nothing of another root's. */
	if (ask->root->fd >= 0)
		return MK_OK;
	errno = 0;
	pw = getpwnam(ask->user);
	if (pw == NULL && mk_lookup_failed(errno))
		return mk_fail(why, MK_E_SYSTEM, "identity",
		    "cannot look up '%s': %s", ask->user, strerror(errno));
	/* A directory that ignores case answers for another name. */
	if (pw == NULL || strcmp(pw->pw_name, ask->user) != 0 ||
	    pw->pw_gecos == NULL)
		return MK_OK;
	r = take_gecos(ask, pw->pw_gecos, "nss", &reason);
	if (r == MK_OK) {
		tell_gecos(ask, &where);
		return MK_OK;
	}
	return mk_fail(why, r, "identity", "GECOS of '%s': %s", ask->user,
	    reason.detail);
}
