/* SPDX-License-Identifier: ISC */
/*
 * Addresses are numbers here: no name is looked up, neither at the start
 * nor for a client.
 */
#include "cmd/portal_http.h"

#include <arpa/inet.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "edge/words.h"

#define BACKLOG		1024
#define NUMBER_MAX	64	/* of an address as text */

static const struct sockaddr_in *
in4(const struct portal_address *address)
{
	return (const struct sockaddr_in *)&address->sa;
}

static const struct sockaddr_in6 *
in6(const struct portal_address *address)
{
	return (const struct sockaddr_in6 *)&address->sa;
}

static bool
parse_ip(const char *s, in_port_t port, struct portal_address *address)
{
	struct sockaddr_in *sin = (struct sockaddr_in *)&address->sa;
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)&address->sa;

	memset(address, 0, sizeof(*address));
	if (inet_pton(AF_INET, s, &sin->sin_addr) == 1) {
		sin->sin_family = AF_INET;
		sin->sin_port = port;
		address->len = sizeof(*sin);
		return true;
	}
	memset(address, 0, sizeof(*address));
	if (inet_pton(AF_INET6, s, &sin6->sin6_addr) != 1)
		return false;
	sin6->sin6_family = AF_INET6;
	sin6->sin6_port = port;
	address->len = sizeof(*sin6);
	return true;
}

int
portal_address_parse(const char *s, struct portal_address *ret_address,
    struct mk_why *why)
{
	const char *colon = strrchr(s, ':');
	struct portal_address address;
	char ip[NUMBER_MAX];
	uint64_t port;
	size_t n = colon == NULL ? 0 : (size_t)(colon - s);
	bool brackets = n >= 2 && s[0] == '[' && s[n - 1] == ']';

	if (brackets) {
		s++;
		n -= 2;
	}
	if (n == 0 || n >= sizeof(ip) ||
	    !mk_number_parse(colon + 1, UINT16_MAX, &port))
		goto bad;
	memcpy(ip, s, n);
	ip[n] = '\0';
	/* Without brackets nobody knows where the port begins. */
	if (!parse_ip(ip, htons((uint16_t)port), &address) ||
	    (address.sa.ss_family == AF_INET6) != brackets)
		goto bad;
	*ret_address = address;
	return 0;
bad:
	return mk_fail(why, MK_E_USAGE, "listen", "not ADDRESS:PORT, such as "
	    "127.0.0.1:8443 or [::1]:8443");
}

bool
portal_address_is_loopback(const struct portal_address *address)
{
	if (address->sa.ss_family == AF_INET)
		return ntohl(in4(address)->sin_addr.s_addr) >> 24 == 127;
	return address->sa.ss_family == AF_INET6 &&
	    IN6_IS_ADDR_LOOPBACK(&in6(address)->sin6_addr);
}

bool
portal_address_is_any(const struct portal_address *address)
{
	if (address->sa.ss_family == AF_INET)
		return in4(address)->sin_addr.s_addr == htonl(INADDR_ANY);
	return address->sa.ss_family == AF_INET6 &&
	    IN6_IS_ADDR_UNSPECIFIED(&in6(address)->sin6_addr);
}

void
portal_address_text(const struct portal_address *address,
    char out[PORTAL_ADDRESS_TEXT])
{
	char ip[PORTAL_IP_TEXT] = "?";
	bool is6 = address->sa.ss_family == AF_INET6;

	if (is6)
		(void)inet_ntop(AF_INET6, &in6(address)->sin6_addr, ip,
		    sizeof(ip));
	else
		(void)inet_ntop(AF_INET, &in4(address)->sin_addr, ip,
		    sizeof(ip));
	(void)snprintf(out, PORTAL_ADDRESS_TEXT, is6 ? "[%s]:%u" : "%s:%u",
	    ip, (unsigned)ntohs(is6 ? in6(address)->sin6_port :
	    in4(address)->sin_port));
}

int
portal_address_of(int fd, struct portal_address *ret_address,
    struct mk_why *why)
{
	struct portal_address address = { .len = sizeof(address.sa) };
	socklen_t len = sizeof(int);
	int listens = 0;

	if (getsockname(fd, (struct sockaddr *)&address.sa,
	    &address.len) != 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) != 0)
		return mk_fail(why, MK_E_SYSTEM, "listen",
		    "no address of the socket: %s", strerror(errno));
	if (!listens || (address.sa.ss_family != AF_INET &&
	    address.sa.ss_family != AF_INET6))
		return mk_fail(why, MK_E_CONFIG, "listen",
		    "the socket is none of TCP that listens");
	*ret_address = address;
	return 0;
}

int
portal_address_listen(const struct portal_address *address, int *ret_fd,
    struct mk_why *why)
{
	char text[PORTAL_ADDRESS_TEXT];
	int fd, on = 1;

	fd = socket(address->sa.ss_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	/* What the one before us has left behind does not keep us out. */
	if (fd != -1 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on,
	    sizeof(on)) == 0 &&
	    bind(fd, (const struct sockaddr *)&address->sa,
	    address->len) == 0 && listen(fd, BACKLOG) == 0) {
		*ret_fd = fd;
		return 0;
	}
	portal_address_text(address, text);
	(void)mk_fail(why, MK_E_SYSTEM, "listen", "cannot listen at '%s': %s",
	    text, strerror(errno));
	if (fd != -1)
		close(fd);
	return MK_E_SYSTEM;
}

void
portal_ip_text(const struct sockaddr *sa, char out[PORTAL_IP_TEXT])
{
	const struct in6_addr *a6;

	(void)strcpy(out, "?");
	if (sa->sa_family == AF_INET) {
		(void)inet_ntop(AF_INET,
		    &((const struct sockaddr_in *)sa)->sin_addr, out,
		    PORTAL_IP_TEXT);
		return;
	}
	if (sa->sa_family != AF_INET6)
		return;
	a6 = &((const struct sockaddr_in6 *)sa)->sin6_addr;
	if (IN6_IS_ADDR_V4MAPPED(a6))
		(void)inet_ntop(AF_INET, a6->s6_addr + 12, out,
		    PORTAL_IP_TEXT);
	else
		(void)inet_ntop(AF_INET6, a6, out, PORTAL_IP_TEXT);
}

bool
portal_ip_parse(const char *s, size_t n, char out[PORTAL_IP_TEXT])
{
	struct portal_address address;
	char ip[NUMBER_MAX];

	if (n >= sizeof(ip))
		return false;
	memcpy(ip, s, n);
	ip[n] = '\0';
	if (memchr(ip, '\0', n) != NULL || !parse_ip(ip, 0, &address))
		return false;
	portal_ip_text((struct sockaddr *)&address.sa, out);
	return true;
}
