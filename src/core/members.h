/* SPDX-License-Identifier: ISC */
/*
 * Members of parsed objects, read by name with the type that they must
 * have.  A known member of another type refuses the set, null never stands
 * for an absent one (mesh-profile-set(5), ENCODING).
 *
 * All functions return 0 or MK_E_REFUSED with a reason that names the
 * member; MK_E_SYSTEM or MK_E_REFUSED for want of memory.
 */
#ifndef MK_CORE_MEMBERS_H
#define MK_CORE_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/json.h"
#include "core/udf.h"

struct mk_arena;
struct mk_why;

/* The object that is being read, and how. */
struct mk_at {
	const struct mk_json *obj;
	const char *stage;		/* a word for the reason */
	bool folded;			/* base64 as 2016/2017 wrote it */
	struct mk_arena *arena;		/* for decoded bytes */
	struct mk_why *why;
};

enum mk_presence { MK_OPTIONAL, MK_REQUIRED };

/* 'obj' itself must be an object. */
int	mk_at_object(const struct mk_at *at);

/* Nothing but the 'n' members named may stand in the object. */
int	mk_at_only(const struct mk_at *at, const char *const *names, size_t n);

/*
 * The object must have exactly one member, of the name 'tag' unless that is
 * NULL; *ret_member is it.
 */
int	mk_at_tagged(const struct mk_at *at, const char *tag,
	    const struct mk_json **ret_member);

/* A member of any type; *ret_member is NULL if an optional one is absent. */
int	mk_at_member(const struct mk_at *at, const char *name,
	    enum mk_json_type type, enum mk_presence presence,
	    const struct mk_json **ret_member);

/* An array of at most 'max' elements. */
int	mk_at_array(const struct mk_at *at, const char *name,
	    enum mk_presence presence, unsigned max,
	    const struct mk_json **ret_array);

/* A required number: decimal digits, below 2^53. */
int	mk_at_number(const struct mk_at *at, const char *name,
	    uint64_t *ret_n);

/*
 * A required string of 'min' to 'max' printable ASCII characters, no blank
 * among them; copied, with a NUL behind it.
 */
int	mk_at_printable(const struct mk_at *at, const char *name,
	    unsigned min, unsigned max, const char **ret_text);

/* A required string that is exactly 's'. */
int	mk_at_constant(const struct mk_at *at, const char *name,
	    const char *s);

/* A required UDF with the type octet 'type'. */
int	mk_at_udf(const struct mk_at *at, const char *name, uint8_t type,
	    struct mk_udf *ret_udf);

/*
 * At most 'max' UDFs of keys in an array, in the arena; what it returns is
 * left as it was if there is none.
 */
int	mk_at_udfs(const struct mk_at *at, const char *name, unsigned max,
	    const struct mk_udf **ret_list, size_t *ret_n);

/* A time; MK_TIME_NONE if an optional one is absent. */
int	mk_at_time(const struct mk_at *at, const char *name,
	    enum mk_presence presence, int64_t *ret_t);

/* Required binary of any length; lives in the arena. */
int	mk_at_bytes(const struct mk_at *at, const char *name,
	    const uint8_t **ret_bytes, size_t *ret_len);

/* Characters of the longest value that mk_at_exact() takes. */
#define MK_AT_EXACT_MAX	128u

/* Required binary of exactly 'len' bytes, copied to 'out'. */
int	mk_at_exact(const struct mk_at *at, const char *name, size_t len,
	    uint8_t *out);

/* A string that is no member, e.g. an element: a UDF, or binary. */
int	mk_at_udf_value(const struct mk_at *at, const struct mk_json *str,
	    uint8_t type, struct mk_udf *ret_udf);
int	mk_at_exact_value(const struct mk_at *at, const struct mk_json *str,
	    size_t len, uint8_t *out);

#endif
