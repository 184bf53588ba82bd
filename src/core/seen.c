/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/limits.h"
#include "core/seen.h"
#include "core/timestamp.h"

#define HEX_DIGEST	(2 * MK_DIGEST)

/* What is left of the file, line by line. */
struct reader {
	const char *p, *end;
	unsigned line;
	struct mk_why *why;
};

static int
damaged(const struct reader *r)
{
	return mk_fail(r->why, MK_E_SYSTEM, MK_SEEN_STAGE,
	    "the memory against rollback is damaged at line %u", r->line);
}

/* The next line without its line feed; false at the end or without one. */
static bool
next_line(struct reader *r, const char **ret_s, size_t *ret_n)
{
	const char *lf;

	r->line++;
	if (r->p == r->end)
		return false;
	lf = memchr(r->p, '\n', (size_t)(r->end - r->p));
	if (lf == NULL)
		return false;
	*ret_s = r->p;
	*ret_n = (size_t)(lf - r->p);
	r->p = lf + 1;
	return true;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

static bool
read_digest(const char *s, uint8_t out[MK_DIGEST])
{
	size_t i;
	int high, low;

	for (i = 0; i < MK_DIGEST; i++) {
		high = hex_digit(s[2 * i]);
		low = hex_digit(s[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* Whether the line begins with the word and a space; steps over both. */
static bool
take_word(const char **s, size_t *n, const char *word)
{
	size_t len = strlen(word);

	if (*n < len + 1 || memcmp(*s, word, len) != 0 || (*s)[len] != ' ')
		return false;
	*s += len + 1;
	*n -= len + 1;
	return true;
}

/* "WORD D" */
static int
read_plain(struct reader *r, const char *word, uint8_t out[MK_DIGEST])
{
	const char *s;
	size_t n;

	if (!next_line(r, &s, &n) || !take_word(&s, &n, word) ||
	    n != HEX_DIGEST || !read_digest(s, out))
		return damaged(r);
	return 0;
}

/* "WORD T D", T a time or "-" */
static int
read_timed(struct reader *r, const char *word, int64_t *ret_t,
    uint8_t out[MK_DIGEST])
{
	int64_t t = MK_TIME_NONE;
	const char *s;
	size_t n;

	if (!next_line(r, &s, &n) || !take_word(&s, &n, word))
		return damaged(r);
	if (!take_word(&s, &n, "-")) {
		if (n != MK_TIME_LEN + 1 + HEX_DIGEST ||
		    s[MK_TIME_LEN] != ' ' ||
		    !mk_time_parse(s, MK_TIME_LEN, &t))
			return damaged(r);
		s += MK_TIME_LEN + 1;
		n -= MK_TIME_LEN + 1;
	}
	if (n != HEX_DIGEST || !read_digest(s, out))
		return damaged(r);
	*ret_t = t;
	return 0;
}

static int
read_version(struct reader *r, struct mk_version *v)
{
	const char *s;
	int64_t none;
	size_t n;
	int e;

	if (!next_line(r, &s, &n) || n != 11 ||
	    memcmp(s, "mesh-seen 1", 11) != 0)
		return damaged(r);
	if ((e = read_plain(r, "key", v->key)) != 0 ||
	    (e = read_timed(r, "master", &v->master_time, v->master)) != 0 ||
	    (e = read_timed(r, "personal", &v->personal_time,
	    v->personal)) != 0)
		return e;
	v->timed = v->master_time != MK_TIME_NONE;
	if (v->timed != (v->personal_time != MK_TIME_NONE))
		return damaged(r);
	if (v->timed)
		return 0;
	if ((e = read_timed(r, "ssh", &none, v->ssh)) != 0)
		return e;
	return none == MK_TIME_NONE ? 0 : damaged(r);
}

/* Any number of "deleted UDF", no repeats. */
static int
read_deleted(struct reader *r, struct mk_arena *a, struct mk_seen *seen)
{
	struct reader ahead = *r;
	struct mk_udf *list, udf;
	const char *s;
	size_t n;
	int e;

	list = mk_arena_array(a, MK_DELETED_MAX, sizeof(*list));
	if (list == NULL)
		return mk_arena_fail(a, r->why);
	e = mk_udfset_init(a, MK_DELETED_MAX, &seen->index, r->why);
	if (e != 0)
		return e;
	while (next_line(&ahead, &s, &n) && take_word(&s, &n, "deleted")) {
		if (seen->n_deleted == MK_DELETED_MAX ||
		    !mk_udf_parse(s, n, &udf) ||
		    mk_udf_type(&udf) != MK_UDF_KEY)
			return damaged(&ahead);
		mk_udfset_add(&seen->index, &udf, seen->n_deleted);
		list[seen->n_deleted++] = udf;
		*r = ahead;
	}
	seen->deleted = list;
	return mk_udfset_seal(&seen->index) ? 0 : damaged(r);
}

/* Optionally etag "<...>" D */
static int
read_etag(struct reader *r, struct mk_arena *a, struct mk_seen *seen)
{
	const char *s;
	size_t n, len, i;

	if (r->p == r->end)
		return 0;
	if (!next_line(r, &s, &n) || !take_word(&s, &n, "etag") ||
	    n < 2 + 1 + HEX_DIGEST)
		return damaged(r);
	len = n - 1 - HEX_DIGEST;
	if (s[0] != '"' || s[len - 1] != '"' || s[len] != ' ' ||
	    !read_digest(s + len + 1, seen->etag_digest))
		return damaged(r);
	for (i = 1; i < len - 1; i++) {
		if (s[i] < '!' || s[i] > '~' || s[i] == '"')
			return damaged(r);
	}
	seen->etag = mk_arena_dup(a, s, len);
	return seen->etag != NULL ? 0 : mk_arena_fail(a, r->why);
}

int
mk_seen_parse(struct mk_arena *a, const uint8_t *bytes, size_t len,
    struct mk_seen *ret_seen, struct mk_why *why)
{
	struct reader r = { .p = (const char *)bytes,
	    .end = (const char *)bytes + len, .why = why };
	struct mk_seen seen = { 0 };
	int e;

	if (len > MK_SEEN_MAX)
		return damaged(&r);
	if ((e = read_version(&r, &seen.version)) != 0 ||
	    (e = read_deleted(&r, a, &seen)) != 0 ||
	    (e = read_etag(&r, a, &seen)) != 0)
		return e;
	if (r.p != r.end) {
		r.line++;
		return damaged(&r);
	}
	*ret_seen = seen;
	return 0;
}

static void
put_digest(struct mk_buf *out, const char *before,
    const uint8_t digest[MK_DIGEST])
{
	mk_buf_puts(out, before);
	mk_buf_putc(out, ' ');
	mk_buf_hex(out, digest, MK_DIGEST);
	mk_buf_putc(out, '\n');
}

static void
put_timed(struct mk_buf *out, const char *word, int64_t t,
    const uint8_t digest[MK_DIGEST])
{
	char when[MK_TIME_LEN + 1];

	mk_time_format(t, when);
	mk_buf_puts(out, word);
	mk_buf_putc(out, ' ');
	put_digest(out, when, digest);
}

void
mk_seen_render(const struct mk_seen *seen, struct mk_buf *out)
{
	const struct mk_version *v = &seen->version;
	char udf[MK_UDF_TEXT + 1];
	size_t i;

	mk_buf_puts(out, "mesh-seen 1\n");
	put_digest(out, "key", v->key);
	put_timed(out, "master", v->master_time, v->master);
	put_timed(out, "personal", v->personal_time, v->personal);
	if (!v->timed)
		put_timed(out, "ssh", MK_TIME_NONE, v->ssh);
	for (i = 0; i < seen->n_deleted; i++) {
		mk_udf_format(&seen->deleted[i], udf);
		mk_buf_puts(out, "deleted ");
		mk_buf_puts(out, udf);
		mk_buf_putc(out, '\n');
	}
	if (seen->etag != NULL) {
		mk_buf_puts(out, "etag ");
		put_digest(out, seen->etag, seen->etag_digest);
	}
}

static bool
same(const uint8_t a[MK_DIGEST], const uint8_t b[MK_DIGEST])
{
	return memcmp(a, b, MK_DIGEST) == 0;
}

/* One step of the pair: 0 go on, 1 newer and decided, negative refused. */
static int
judge_step(int64_t seen, int64_t now, bool equal, const char *what,
    struct mk_why *why)
{
	if (now < seen)
		return mk_fail(why, MK_E_REFUSED, "version",
		    "%s is older than the newest one seen", what);
	if (now > seen)
		return 1;
	if (!equal)
		return mk_fail(why, MK_E_REFUSED, "version", "%s has the time "
		    "of the newest one seen, but another content", what);
	return 0;
}

int
mk_seen_judge(const struct mk_seen *seen, const struct mk_version *v,
    enum mk_seen_order *ret_order, struct mk_why *why)
{
	const struct mk_version *old = &seen->version;
	bool master, personal;
	int step;

	/* The UDF has 150 bits; the whole key is what was met first. */
	if (!same(old->key, v->key))
		return mk_fail(why, MK_E_REFUSED, "version",
		    "another master key for a fingerprint that is known");
	if (old->timed != v->timed)
		return mk_fail(why, MK_E_REFUSED, "version",
		    "another generation than the one seen");
	master = same(old->master, v->master);
	personal = same(old->personal, v->personal);
	if (!v->timed) {
		/* Without signed times no other content can be newer. */
		if (!master || !personal || !same(old->ssh, v->ssh))
			return mk_fail(why, MK_E_REFUSED, "version", "not the "
			    "set that was pinned when it was first seen");
		*ret_order = MK_SEEN_SAME;
		return 0;
	}
	step = judge_step(old->master_time, v->master_time, master,
	    "MasterProfile", why);
	if (step == 0)
		step = judge_step(old->personal_time, v->personal_time,
		    personal, "PersonalProfile", why);
	if (step < 0)
		return step;
	*ret_order = step == 0 ? MK_SEEN_SAME : MK_SEEN_NEWER;
	return 0;
}

bool
mk_seen_deleted(const struct mk_seen *seen, const struct mk_udf *device)
{
	return mk_udfset_find(&seen->index, device, NULL);
}

static bool
contains(const struct mk_udf *list, size_t n, const struct mk_udf *udf)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (mk_udf_cmp(&list[i], udf) == 0)
			return true;
	}
	return false;
}

int
mk_seen_advance(struct mk_arena *a, const struct mk_seen *old,
    const struct mk_profile_version *now, struct mk_seen *ret_seen,
    struct mk_why *why)
{
	size_t n_old = old != NULL ? old->n_deleted : 0, i, drop;
	struct mk_seen seen = { .version = *now->version };
	struct mk_udf *list;

	list = mk_arena_array(a, n_old + now->n_deleted, sizeof(*list));
	if (list == NULL)
		return mk_arena_fail(a, why);
	if (n_old > 0)
		memcpy(list, old->deleted, n_old * sizeof(*list));
	seen.deleted = list;
	seen.n_deleted = n_old;
	for (i = 0; i < now->n_deleted; i++) {
		if (!contains(list, seen.n_deleted, &now->deleted[i]))
			list[seen.n_deleted++] = now->deleted[i];
	}
	if (seen.n_deleted > MK_DELETED_MAX) {
		drop = seen.n_deleted - MK_DELETED_MAX;
		seen.deleted += drop;
		seen.n_deleted = MK_DELETED_MAX;
	}
	*ret_seen = seen;
	return 0;
}
