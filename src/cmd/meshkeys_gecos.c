/* SPDX-License-Identifier: ISC */
/*
 * "mesh=FINGERPRINT" in the last subfield of GECOS, "other", which only root
 * can set.  usermod(8) does the writing: it has the locks of the passwd
 * file, and the caches that go with it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/meshkeys_map.h"
#include "edge/child.h"
#include "edge/source.h"
#include "edge/words.h"

#define OTHER		4u	/* subfields before it */
#define TAG		"mesh="
#define SECONDS		30u	/* it waits for locks */
#define SAID_MAX	4096u	/* bytes of what it says */
#define USERMOD		"/usr/sbin/usermod"

static int
no_memory(struct mk_why *why)
{
	return mk_fail(why, MK_E_SYSTEM, "gecos", "out of memory");
}

/* GECOS of the first line of that name; malloc'd, NULL: no such line. */
static int
read_gecos(struct meshkeys_change *c, char **ret_gecos)
{
	struct mk_why *why = &c->m->why;
	const size_t len = strlen(c->user);
	char *cursor, *line, *field, *gecos = NULL;
	struct mk_file file;
	size_t line_len;
	unsigned i;
	int e;

	if ((e = mk_passwd_read(&c->m->keep.root, &file, why)) != 0)
		return e == MK_E_ABSENT ? mk_fail(why, MK_E_NOPROFILE,
		    "gecos", "there is no '" MK_PASSWD "'") : e;
	cursor = (char *)file.data;
	while (gecos == NULL && (line = mk_line_next(&cursor,
	    (char *)file.data + file.len, &line_len)) != NULL) {
		line += strspn(line, " \t");
		if (strncmp(line, c->user, len) != 0 || line[len] != ':')
			continue;
		field = line;
		for (i = 0; i < 4 && field != NULL; i++)
			if ((field = strchr(field, ':')) != NULL)
				field++;
		if (field == NULL)
			break;
		gecos = strndup(field, strcspn(field, ":"));
		if (gecos == NULL)
			e = no_memory(why);
	}
	mk_file_release(&file);
	if (e != 0)
		return e;
	if (gecos == NULL)
		return mk_fail(why, MK_E_NOPROFILE, "gecos", "'%s' has no "
		    "line in '" MK_PASSWD "': for an account of a "
		    "directory, use its own tools", c->user);
	*ret_gecos = gecos;
	return 0;
}

/* usermod takes more than it should; what it would refuse, we do. */
static int
check_gecos(const char *gecos, struct mk_why *why)
{
	const char *p;

	for (p = gecos; *p != '\0'; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return mk_fail(why, MK_E_REFUSED, "gecos", "the GECOS "
			    "field has control character 0x%02x; correct it "
			    "first with: vipw", (unsigned char)*p);
	}
	return 0;
}

static int
run_usermod(struct meshkeys_change *c, const char *gecos)
{
	const char *const argv[] = { USERMOD, "-c", gecos, "--", c->user,
	    NULL };
	struct mk_why *why = &c->m->why;
	struct mk_buf out, err;
	const struct mk_child child = { .argv = argv, .seconds = SECONDS,
	    .err = &err };
	int status = 0, e;

	mk_buf_init(&out, SAID_MAX);
	mk_buf_init(&err, SAID_MAX);
	e = mk_child_run(&child, &out, &status, why);
	if (e == MK_E_ABSENT)
		e = why->code = MK_E_SYSTEM;
	if (e == 0 && status != 0) {
		if (err.len > 0 && err.data[err.len - 1] == '\n')
			mk_buf_cut(&err, err.len - 1);
		e = mk_fail(why, MK_E_SYSTEM, "gecos", "usermod(8) failed "
		    "with status %d: %s", status,
		    err.len > 0 ? err.data : "it does not say why");
	}
	mk_buf_release(&out);
	mk_buf_release(&err);
	return e;
}

/* Where "other" begins; how many commas are missing before it. */
static size_t
other_at(const char *gecos, unsigned *ret_missing)
{
	const char *p = gecos, *comma;
	unsigned n = 0;

	while (n < OTHER && (comma = strchr(p, ',')) != NULL) {
		p = comma + 1;
		n++;
	}
	*ret_missing = OTHER - n;
	return n == OTHER ? (size_t)(p - gecos) : strlen(gecos);
}

static int
prepare(struct meshkeys_change *c)
{
	struct mk_why *why = &c->m->why;
	int e;

	if (c->m->place.root_dir != NULL)
		return mk_fail(why, MK_E_USAGE, "gecos", "--gecos changes "
		    "accounts of this host by usermod(8), which knows no "
		    "--root");
	if ((e = read_gecos(c, &c->gecos)) != 0)
		return e;
	return check_gecos(c->gecos, why);
}

static int
set_gecos(struct meshkeys_change *c, struct mk_buf *gecos)
{
	int e = mk_buf_check(gecos, &c->m->why, "gecos");

	if (e == 0)
		e = run_usermod(c, gecos->data != NULL ? gecos->data : "");
	mk_buf_release(gecos);
	c->file = MK_PASSWD;
	return e;
}

static int
fail_taken(struct meshkeys_change *c, const char *other, size_t len)
{
	const bool tagged = strncmp(other, TAG, strlen(TAG)) == 0;

	if (tagged)
		meshkeys_map_hint(c, "map remove --gecos");
	return mk_fail(&c->m->why, MK_E_REFUSED, "gecos", "the last "
	    "subfield of GECOS of '%s' is not empty: '%.*s'%s", c->user,
	    (int)(len < 60 ? len : 60), other, tagged ? "" :
	    "; use the map instead, or empty it with: vipw");
}

int
meshkeys_gecos_add(struct meshkeys_change *c)
{
	const char *other;
	struct mk_buf text;
	unsigned missing;
	size_t at, end;
	int e;

	if (c->denied || c->n_options > 0)
		return mk_fail(&c->m->why, MK_E_USAGE, "gecos",
		    "GECOS has room for a fingerprint only: a dash and "
		    "options stand in the map");
	if ((e = prepare(c)) != 0)
		return e;
	at = other_at(c->gecos, &missing);
	other = c->gecos + at;
	end = missing > 0 ? 0 : strcspn(other, ",");
	if (end > 0)
		return fail_taken(c, other, end);
	mk_buf_init(&text, SAID_MAX);
	mk_buf_put(&text, c->gecos, at);
	for (; missing > 0; missing--)
		mk_buf_putc(&text, ',');
	mk_buf_puts(&text, TAG);
	show_udf(&text, &c->udf);
	mk_buf_puts(&text, other);
	return set_gecos(c, &text);
}

/* Whether the subfield says what is to go. */
static bool
is_named(const struct meshkeys_change *c, const char *other, size_t len)
{
	const size_t tag = strlen(TAG);
	struct mk_udf udf;

	if (len < tag || strncmp(other, TAG, tag) != 0)
		return false;
	if (!c->has_udf)
		return true;
	return mk_udf_parse_typed(other + tag, len - tag, &udf) &&
	    mk_udf_cmp(&udf, &c->udf) == 0;
}

int
meshkeys_gecos_remove(struct meshkeys_change *c)
{
	struct mk_buf text;
	unsigned missing;
	size_t at, len;
	int e;

	if ((e = prepare(c)) != 0)
		return e;
	at = other_at(c->gecos, &missing);
	len = strcspn(c->gecos + at, ",");
	if (missing > 0 || !is_named(c, c->gecos + at, len))
		return mk_fail(&c->m->why, MK_E_NOPROFILE, "gecos",
		    "GECOS of '%s' names no such profile", c->user);
	mk_buf_init(&text, SAID_MAX);
	/* The comma before it was put there with it. */
	mk_buf_put(&text, c->gecos, c->gecos[at + len] == '\0' ? at - 1 : at);
	mk_buf_puts(&text, c->gecos + at + len);
	return set_gecos(c, &text);
}

int
meshkeys_gecos_take_back(struct meshkeys_change *c)
{
	return run_usermod(c, c->gecos);
}
