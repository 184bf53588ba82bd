/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "core/arena.h"
#include "core/base64.h"
#include "core/err.h"
#include "core/members.h"
#include "core/timestamp.h"

/* 2^53 has 16 digits; beyond it not every reader has the same number. */
#define NUMBER_DIGITS	16u
#define NUMBER_END	((uint64_t)1 << 53)

static const char *
type_name(enum mk_json_type type)
{
	static const char *const names[] = {
		[MK_JSON_OBJECT] = "an object", [MK_JSON_ARRAY] = "an array",
		[MK_JSON_STRING] = "a string", [MK_JSON_NUMBER] = "a number",
		[MK_JSON_TRUE] = "true", [MK_JSON_FALSE] = "false",
		[MK_JSON_NULL] = "null",
	};

	return names[type];
}

static int
refuse(const struct mk_at *at, const char *name, const char *what)
{
	return mk_fail(at->why, MK_E_REFUSED, at->stage, "'%s' %s", name,
	    what);
}

int
mk_at_object(const struct mk_at *at)
{
	if (at->obj->type != MK_JSON_OBJECT)
		return mk_fail(at->why, MK_E_REFUSED, at->stage,
		    "not an object");
	return 0;
}

static bool
is_named(const struct mk_json *m, const char *name)
{
	size_t len = strlen(name);

	return m->name_len == len && memcmp(m->name, name, len) == 0;
}

int
mk_at_only(const struct mk_at *at, const char *const *names, size_t n)
{
	const struct mk_json *m;
	size_t i;
	int r;

	if ((r = mk_at_object(at)) != 0)
		return r;
	for (m = at->obj->child; m != NULL; m = m->next) {
		for (i = 0; i < n && !is_named(m, names[i]); i++)
			;
		if (i == n)
			return mk_fail(at->why, MK_E_REFUSED, at->stage,
			    "a member that is not allowed beside '%s'",
			    names[0]);
	}
	return 0;
}

int
mk_at_tagged(const struct mk_at *at, const char *tag,
    const struct mk_json **ret_member)
{
	int r;

	if ((r = mk_at_object(at)) != 0)
		return r;
	if (tag == NULL && at->obj->count != 1)
		return mk_fail(at->why, MK_E_REFUSED, at->stage,
		    "not exactly one member");
	if (tag != NULL && (at->obj->count != 1 ||
	    !is_named(at->obj->child, tag)))
		return mk_fail(at->why, MK_E_REFUSED, at->stage,
		    "not exactly one member '%s'", tag);
	*ret_member = at->obj->child;
	return 0;
}

int
mk_at_member(const struct mk_at *at, const char *name, enum mk_json_type type,
    enum mk_presence presence, const struct mk_json **ret_member)
{
	const struct mk_json *m = mk_json_member(at->obj, name);

	if (m == NULL && presence == MK_REQUIRED)
		return refuse(at, name, "is missing");
	if (m != NULL && m->type != type)
		return mk_fail(at->why, MK_E_REFUSED, at->stage,
		    "'%s' is not %s", name, type_name(type));
	*ret_member = m;
	return 0;
}

int
mk_at_array(const struct mk_at *at, const char *name,
    enum mk_presence presence, unsigned max, const struct mk_json **ret_array)
{
	const struct mk_json *array = NULL;
	int r;

	r = mk_at_member(at, name, MK_JSON_ARRAY, presence, &array);
	if (r != 0)
		return r;
	if (array != NULL && array->count > max)
		return mk_fail(at->why, MK_E_REFUSED, at->stage,
		    "'%s' has %u elements, over the limit of %u", name,
		    (unsigned)array->count, max);
	*ret_array = array;
	return 0;
}

/* Decimal digits only, although JSON has other ways. */
static bool
read_digits(const char *s, size_t len, uint64_t *ret_n)
{
	uint64_t n = 0;
	size_t i;

	if (len == 0 || len > NUMBER_DIGITS)
		return false;
	for (i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		n = n * 10 + (uint64_t)(s[i] - '0');
	}
	*ret_n = n;
	return n < NUMBER_END;
}

int
mk_at_number(const struct mk_at *at, const char *name, uint64_t *ret_n)
{
	const struct mk_json *m;
	int r;

	r = mk_at_member(at, name, MK_JSON_NUMBER, MK_REQUIRED, &m);
	if (r == 0 && !read_digits(m->str, m->len, ret_n))
		r = refuse(at, name, "is not a plain number below 2^53");
	return r;
}

int
mk_at_printable(const struct mk_at *at, const char *name, unsigned min,
    unsigned max, const char **ret_text)
{
	const struct mk_json *m;
	const char *text;
	size_t i;
	int r;

	r = mk_at_member(at, name, MK_JSON_STRING, MK_REQUIRED, &m);
	if (r != 0)
		return r;
	for (i = 0; i < m->len && m->str[i] > ' ' && m->str[i] <= '~'; i++)
		;
	if (i < m->len || m->len < min || m->len > max)
		return mk_fail(at->why, MK_E_REFUSED, at->stage,
		    "'%s' is not %u to %u printable characters", name, min,
		    max);
	text = mk_arena_dup(at->arena, m->str, m->len);
	if (text == NULL)
		return mk_arena_fail(at->arena, at->why);
	*ret_text = text;
	return 0;
}

int
mk_at_constant(const struct mk_at *at, const char *name, const char *s)
{
	const struct mk_json *m;
	int r;

	r = mk_at_member(at, name, MK_JSON_STRING, MK_REQUIRED, &m);
	if (r == 0 && !mk_json_is(m, s))
		r = mk_fail(at->why, MK_E_REFUSED, at->stage,
		    "'%s' is not '%s'", name, s);
	return r;
}

int
mk_at_udf_value(const struct mk_at *at, const struct mk_json *str,
    uint8_t type, struct mk_udf *ret_udf)
{
	struct mk_udf udf;

	if (str->type != MK_JSON_STRING ||
	    !mk_udf_parse(str->str, str->len, &udf))
		return mk_fail(at->why, MK_E_REFUSED, at->stage,
		    "a fingerprint is not of the form of a UDF");
	if (mk_udf_type(&udf) != type)
		return mk_fail(at->why, MK_E_REFUSED, at->stage,
		    "a UDF has type 0x%02x instead of 0x%02x",
		    mk_udf_type(&udf), type);
	*ret_udf = udf;
	return 0;
}

int
mk_at_udf(const struct mk_at *at, const char *name, uint8_t type,
    struct mk_udf *ret_udf)
{
	const struct mk_json *m;
	int r;

	r = mk_at_member(at, name, MK_JSON_STRING, MK_REQUIRED, &m);
	return r != 0 ? r : mk_at_udf_value(at, m, type, ret_udf);
}

int
mk_at_udfs(const struct mk_at *at, const char *name, unsigned max,
    const struct mk_udf **ret_list, size_t *ret_n)
{
	const struct mk_json *array, *e;
	struct mk_udf *list;
	size_t n = 0;
	int r;

	r = mk_at_array(at, name, MK_OPTIONAL, max, &array);
	if (r != 0 || array == NULL)
		return r;
	list = mk_arena_array(at->arena, array->count, sizeof(*list));
	if (list == NULL)
		return mk_arena_fail(at->arena, at->why);
	for (e = array->child; e != NULL; e = e->next, n++) {
		r = mk_at_udf_value(at, e, MK_UDF_KEY, &list[n]);
		if (r != 0)
			return r;
	}
	*ret_list = list;
	*ret_n = n;
	return 0;
}

int
mk_at_time(const struct mk_at *at, const char *name,
    enum mk_presence presence, int64_t *ret_t)
{
	const struct mk_json *m;
	int64_t t = MK_TIME_NONE;
	int r;

	r = mk_at_member(at, name, MK_JSON_STRING, presence, &m);
	if (r != 0)
		return r;
	if (m != NULL && !mk_time_parse(m->str, m->len, &t))
		return refuse(at, name,
		    "is not a valid time of the form YYYY-MM-DDTHH:MM:SSZ");
	*ret_t = t;
	return 0;
}

static bool
decode(const struct mk_at *at, const struct mk_json *m, uint8_t *out,
    size_t *ret_len)
{
	if (at->folded)
		return mk_b64url_decode_folded(m->str, m->len, out, ret_len);
	return mk_b64url_decode(m->str, m->len, out, ret_len);
}

int
mk_at_bytes(const struct mk_at *at, const char *name,
    const uint8_t **ret_bytes, size_t *ret_len)
{
	const struct mk_json *m;
	uint8_t *bytes;
	int r;

	r = mk_at_member(at, name, MK_JSON_STRING, MK_REQUIRED, &m);
	if (r != 0)
		return r;
	bytes = mk_arena_alloc(at->arena, MK_B64_DECODED((size_t)m->len));
	if (bytes == NULL)
		return mk_arena_fail(at->arena, at->why);
	if (!decode(at, m, bytes, ret_len))
		return refuse(at, name, "is not base64url");
	*ret_bytes = bytes;
	return 0;
}

int
mk_at_exact_value(const struct mk_at *at, const struct mk_json *str,
    size_t len, uint8_t *out)
{
	uint8_t bytes[MK_B64_DECODED(MK_AT_EXACT_MAX)];
	size_t n;

	if (str->type != MK_JSON_STRING || str->len > MK_AT_EXACT_MAX ||
	    !decode(at, str, bytes, &n) || n != len)
		return mk_fail(at->why, MK_E_REFUSED, at->stage,
		    "a value is not %zu bytes of base64url", len);
	memcpy(out, bytes, len);
	return 0;
}

int
mk_at_exact(const struct mk_at *at, const char *name, size_t len,
    uint8_t *out)
{
	const struct mk_json *m;
	int r;

	r = mk_at_member(at, name, MK_JSON_STRING, MK_REQUIRED, &m);
	if (r != 0)
		return r;
	if (mk_at_exact_value(at, m, len, out) != 0)
		return mk_fail(at->why, MK_E_REFUSED, at->stage,
		    "'%s' is not %zu bytes of base64url", name, len);
	return 0;
}
