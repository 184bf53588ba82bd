/* SPDX-License-Identifier: ISC */
/*
 * User names in files.  A name is bytes; an encoded one can neither leave
 * its directory nor look like an option or a hidden file.
 */
#include <string.h>

#include "edge/identity.h"

static bool
is_plain(char c, bool first)
{
	if (c == '.' || c == '-')
		return !first;
	return c == '_' || (c >= '0' && c <= '9') ||
	    (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

void
mk_name_encode(const char *user, char *out)
{
	static const char digits[] = "0123456789ABCDEF";
	const char *p;

	for (p = user; *p != '\0'; p++) {
		if (is_plain(*p, p == user)) {
			*out++ = *p;
			continue;
		}
		*out++ = '%';
		*out++ = digits[(unsigned char)*p >> 4];
		*out++ = digits[(unsigned char)*p & 15];
	}
	*out = '\0';
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

bool
mk_name_decode(const char *name, char *out)
{
	int high, low;

	for (; *name != '\0'; name++) {
		if (*name != '%') {
			*out++ = *name;
			continue;
		}
		high = hex_digit(name[1]);
		low = high == -1 ? -1 : hex_digit(name[2]);
		if (low == -1 || (high == 0 && low == 0))
			return false;
		*out++ = (char)(high << 4 | low);
		name += 2;
	}
	*out = '\0';
	return true;
}
