/* SPDX-License-Identifier: ISC */
/*
 * Telling who started us.  The socket is connected at once, since later a
 * sandbox lets nothing be connected; to send is all that is left then.
 */
#include "edge/notify.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* False for what is no socket's name, and for one that is too long. */
static bool
parse_address(const char *name, struct sockaddr_un *sun, socklen_t *ret_len)
{
	bool abstract = name[0] == '@';
	size_t len = strlen(name);

	if ((!abstract && name[0] != '/') || len < 2)
		return false;
	/* One that was cut would be another socket. */
	if (len >= sizeof(sun->sun_path))
		return false;
	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	memcpy(sun->sun_path, name, len);
	if (abstract)
		sun->sun_path[0] = '\0';
	/* Each byte counts in an abstract name, zeros too. */
	*ret_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len +
	    !abstract);
	return true;
}

static int
connect_to(const char *name)
{
	struct sockaddr_un sun;
	socklen_t len;
	int fd;

	if (!parse_address(name, &sun, &len))
		return -1;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	if (connect(fd, (struct sockaddr *)&sun, len) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* A decimal number and nothing else. */
static bool
parse_number(const char *text, int64_t *ret_number)
{
	int64_t n = 0;
	const char *p;

	for (p = text; *p >= '0' && *p <= '9'; p++) {
		if (n > (INT64_MAX - 9) / 10)
			return false;
		n = 10 * n + (*p - '0');
	}
	if (p == text || *p != '\0')
		return false;
	*ret_number = n;
	return true;
}

/* Half of it, so that a late message is not yet a missing one. */
static int64_t
watchdog_ms(void)
{
	const char *usec = getenv("WATCHDOG_USEC");
	const char *whose = getenv("WATCHDOG_PID");
	int64_t time, pid;

	if (usec == NULL || !parse_number(usec, &time) || time == 0)
		return 0;
	if (whose != NULL && (!parse_number(whose, &pid) ||
	    (pid != getpid() && pid != getppid())))
		return 0;
	return time < 2000 ? 1 : time / 2000;
}

void
mk_notify_open(struct mk_notify *ret_notify)
{
	const char *name = getenv("NOTIFY_SOCKET");

	ret_notify->fd = name == NULL ? -1 : connect_to(name);
	ret_notify->watchdog_ms = ret_notify->fd == -1 ? 0 : watchdog_ms();
}

void
mk_notify_close(struct mk_notify *notify)
{
	if (notify->fd >= 0)
		close(notify->fd);
	notify->fd = -1;
	notify->watchdog_ms = 0;
}

void
mk_notify(const struct mk_notify *notify, const char *lines)
{
	if (notify->fd >= 0)
		(void)!send(notify->fd, lines, strlen(lines),
		    MSG_DONTWAIT | MSG_NOSIGNAL);
}
