/* SPDX-License-Identifier: ISC */
/*
 * Datagrams to a socket that is already connected: no time stamp (the
 * daemon has one, and ours would need the time zone), no retry, no wait.
 * A message that does not fit the queue is lost; a login is not.
 */
#include "edge/log.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/err.h"
#include "edge/identity.h"
#include "edge/judge.h"

#define JOURNAL		"/run/systemd/journal/socket"
#define SYSLOG		"/dev/log"
#define MESSAGE_MAX	2048	/* bytes, cut with dots behind */
#define HEAD_MAX	256

enum form { FORM_NONE, FORM_JOURNAL, FORM_SYSLOG, FORM_STREAM };

static struct {
	int fd;
	enum form form;
	int level;
	bool debug, echo, lost;
	const char *ident;
	long pid;
} state = { -1, FORM_NONE, LOG_INFO, false, false, false, "meshkeys", 0 };

static int
connect_path(const char *path, int type)
{
	struct sockaddr_un sun;
	int fd;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	memcpy(sun.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* A socket below a root is reached by a descriptor of it. */
static int
connect_log(const struct mk_root *root, const char *path, int type)
{
	char link[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
	int at, fd;

	if (root->fd < 0)
		return connect_path(path, type);
	at = mk_root_openat(root, path, O_PATH | O_CLOEXEC, 0);
	if (at == -1)
		return -1;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", at);
	fd = connect_path(link, type);
	close(at);
	return fd;
}

void
mk_log_open(const struct mk_root *root, const char *ident, int level)
{
	static const struct {
		const char *path;
		int type;
		enum form form;
	} ways[] = {
		{ JOURNAL,	SOCK_DGRAM,	FORM_JOURNAL },
		{ SYSLOG,	SOCK_DGRAM,	FORM_SYSLOG },
		{ SYSLOG,	SOCK_STREAM,	FORM_STREAM }
	};
	size_t i;

	mk_log_close();
	state.ident = ident;
	state.level = level;
	state.lost = false;
	state.pid = (long)getpid();
	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		/* Only a stream where there should be datagrams says so. */
		if (ways[i].form == FORM_STREAM && errno != EPROTOTYPE)
			break;
		state.fd = connect_log(root, ways[i].path, ways[i].type);
		if (state.fd == -1)
			continue;
		state.form = ways[i].form;
		break;
	}
}

bool
mk_log_lost(void)
{
	return state.lost;
}

void
mk_log_ident(const char *ident)
{
	state.ident = ident;
}

void
mk_log_level(int level)
{
	state.level = level;
}

void
mk_log_close(void)
{
	if (state.fd >= 0)
		close(state.fd);
	state.fd = -1;
	state.form = FORM_NONE;
}

void
mk_log_echo(bool on)
{
	state.echo = on;
}

void
mk_log_debug(bool on)
{
	state.debug = on;
}

/* Formats one printable line; here, and only here, cutting is right. */
static size_t format_line(char out[MESSAGE_MAX], const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

static size_t
format_line(char out[MESSAGE_MAX], const char *fmt, va_list ap)
{
	int n = vsnprintf(out, MESSAGE_MAX, fmt, ap);
	char *p;

	if (n < 0)
		out[0] = '\0';
	else if (n >= MESSAGE_MAX)
		memcpy(out + MESSAGE_MAX - 4, "...", 4);
	for (p = out; *p != '\0'; p++) {
		if (*p < 0x20 || *p > 0x7e)
			*p = '?';
	}
	return (size_t)(p - out);
}

static size_t
format_head(char out[HEAD_MAX], int level)
{
	int n;

	if (state.form == FORM_JOURNAL)
		n = snprintf(out, HEAD_MAX, "PRIORITY=%d\n"
		    "SYSLOG_FACILITY=%d\nSYSLOG_IDENTIFIER=%.64s\n"
		    "SYSLOG_PID=%ld\nMESSAGE=", level, LOG_AUTHPRIV >> 3,
		    state.ident, state.pid);
	else
		n = snprintf(out, HEAD_MAX, "<%d>%.64s[%ld]: ",
		    LOG_AUTHPRIV | level, state.ident, state.pid);
	return n < 0 ? 0 : (size_t)n;
}

static void
send_line(int level, const char *line, size_t len)
{
	char whole[HEAD_MAX + MESSAGE_MAX + 1];
	size_t n;

	if (state.form == FORM_NONE || level > state.level)
		return;
	n = format_head(whole, level);
	memcpy(whole + n, line, len);
	n += len;
	if (state.form == FORM_JOURNAL)
		whole[n++] = '\n';
	else if (state.form == FORM_STREAM)
		whole[n++] = '\0';
	if (send(state.fd, whole, n, MSG_DONTWAIT | MSG_NOSIGNAL) == -1 &&
	    (errno == ECONNREFUSED || errno == ENOTCONN || errno == EPIPE ||
	    errno == ECONNRESET))
		state.lost = true;
}

static void
show_line(const char *line, size_t len)
{
	char whole[MESSAGE_MAX + 80];
	int n;

	n = snprintf(whole, sizeof(whole), "%.64s: %.*s\n", state.ident,
	    (int)len, line);
	if (n > 0)
		(void)!write(STDERR_FILENO, whole, (size_t)n);
}

void
mk_log(int level, const char *fmt, ...)
{
	char line[MESSAGE_MAX];
	va_list ap;
	size_t len;

	if (!state.debug && level > state.level)
		return;
	va_start(ap, fmt);
	len = format_line(line, fmt, ap);
	va_end(ap);
	send_line(level, line, len);
	/* Where there is no log, as in containers, sshd may have a stderr. */
	if (state.debug || state.echo || state.lost ||
	    state.form == FORM_NONE)
		show_line(line, len);
}

void
mk_debug(const char *fmt, ...)
{
	char line[MESSAGE_MAX];
	va_list ap;
	size_t len;

	if (!state.debug)
		return;
	va_start(ap, fmt);
	len = format_line(line, fmt, ap);
	va_end(ap);
	show_line(line, len);
}

void
mk_log_value(struct mk_buf *out, const char *name, const char *value)
{
	char *encoded = NULL;

	if (out->len > 0)
		mk_buf_putc(out, ' ');
	mk_buf_puts(out, name);
	mk_buf_putc(out, '=');
	/* A lone dash is nobody's value: the encoding never begins so. */
	if (value == NULL) {
		mk_buf_putc(out, '-');
		return;
	}
	encoded = malloc(3 * strlen(value) + 1);
	if (encoded == NULL) {
		out->failed = MK_E_SYSTEM;
		return;
	}
	mk_name_encode(value, encoded);
	mk_buf_puts(out, encoded);
	free(encoded);
}
