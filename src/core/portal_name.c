/* SPDX-License-Identifier: ISC */
/*
 * The name by which a signed request says which portal it is for: the
 * client takes it from its URL, the portal from its own arguments, and both
 * are compared as bytes.
 */
#include <string.h>
#include <strings.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/transact.h"

#define HTTP_PORT	80u
#define HTTPS_PORT	443u
#define PORT_DIGITS	5u
#define PORT_MAX	65535u
#define HOST_MAX	255u	/* characters, RFC 1035 section 2.3.4 */

struct authority {
	const char *host;	/* with the brackets of an IPv6 address */
	size_t len;
	unsigned port;
};

static bool
is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z');
}

static bool
is_address_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
	    (c >= 'A' && c <= 'F') || c == ':' || c == '.';
}

/* Length of the host that 's' starts with, 0 if there is none. */
static size_t
host_length(const char *s, size_t n)
{
	size_t i = 0;

	if (n > 0 && s[0] == '[') {
		for (i = 1; i < n && is_address_char(s[i]); i++)
			;
		return i > 1 && i < n && s[i] == ']' ? i + 1 : 0;
	}
	while (i < n && (is_alnum(s[i]) || s[i] == '-' || s[i] == '_' ||
	    s[i] == '.'))
		i++;
	return i;
}

static bool
read_port(const char *s, size_t n, unsigned *ret_port)
{
	unsigned port = 0;
	size_t i;

	if (n == 0 || n > PORT_DIGITS)
		return false;
	for (i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		port = port * 10 + (unsigned)(s[i] - '0');
	}
	*ret_port = port;
	return port > 0 && port <= PORT_MAX;
}

/* HOST[:PORT], and nothing else: no user, no escapes. */
static bool
read_authority(const char *s, size_t n, unsigned port,
    struct authority *ret_authority)
{
	size_t len = host_length(s, n);

	if (len == 0 || len > HOST_MAX)
		return false;
	if (len < n && (s[len] != ':' ||
	    !read_port(s + len + 1, n - len - 1, &port)))
		return false;
	*ret_authority = (struct authority){ s, len, port };
	return true;
}

static void
put_authority(const struct authority *authority, struct mk_buf *out)
{
	size_t i;
	char c;

	for (i = 0; i < authority->len; i++) {
		c = authority->host[i];
		mk_buf_putc(out, c >= 'A' && c <= 'Z' ?
		    (char)(c - 'A' + 'a') : c);
	}
	mk_buf_putc(out, ':');
	mk_buf_putu(out, authority->port);
}

int
mk_portal_name(const char *portal, struct mk_buf *out, struct mk_why *why)
{
	struct authority authority;
	unsigned port = HTTPS_PORT;
	const char *s = NULL;

	if (strncasecmp(portal, "https://", 8) == 0)
		s = portal + 8;
	else if (strncasecmp(portal, "http://", 7) == 0)
		s = portal + 7;
	if (s == NULL)
		return mk_fail(why, MK_E_CONFIG, "portal",
		    "the portal's URL is neither https nor http");
	if (s == portal + 7)
		port = HTTP_PORT;
	if (!read_authority(s, strcspn(s, "/?#"), port, &authority))
		return mk_fail(why, MK_E_CONFIG, "portal",
		    "the portal's URL is not https://HOST[:PORT]/PATH");
	put_authority(&authority, out);
	return mk_buf_check(out, why, "portal");
}

bool
mk_portal_name_parse(const char *s, struct mk_buf *out)
{
	struct authority authority;

	if (!read_authority(s, strlen(s), HTTPS_PORT, &authority))
		return false;
	put_authority(&authority, out);
	return out->failed == 0;
}
