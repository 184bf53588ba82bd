/* SPDX-License-Identifier: ISC */
/*
 * Signed times: exactly YYYY-MM-DDTHH:MM:SSZ, years 2015 to 2199, a valid
 * date of the Gregorian calendar, no leap second, fraction or offset
 * (mesh-profile-set(5), ENCODING).
 */
#ifndef MK_CORE_TIMESTAMP_H
#define MK_CORE_TIMESTAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MK_TIME_LEN	20		/* characters of the form above */
#define MK_TIME_NONE	INT64_MIN	/* no time: absent, or 2016/2017 */

/* Seconds since 1970-01-01T00:00:00Z; false unless exactly the form. */
bool	mk_time_parse(const char *s, size_t n, int64_t *ret_t);

/*
 * The form above with a NUL, or "-" for MK_TIME_NONE.  A time outside the
 * years of the form gives "?", which nothing parses.
 */
void	mk_time_format(int64_t t, char out[MK_TIME_LEN + 1]);

#endif
