/* SPDX-License-Identifier: ISC */
/*
 * The log: facility authpriv, to the journal's native socket if there is
 * one, else /dev/log; never blocking, never failing the program.  The
 * socket is opened before the sandbox closes.
 */
#ifndef MK_EDGE_LOG_H
#define MK_EDGE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <syslog.h>

struct mk_buf;
struct mk_root;

/* 'ident' is the program name.  Messages above 'level' are dropped. */
void	mk_log_open(const struct mk_root *root, const char *ident, int level);
void	mk_log_ident(const char *ident);	/* before it is open */
void	mk_log_level(int level);
void	mk_log_close(void);

/* Whether who kept the log is gone; what comes is on standard error. */
bool	mk_log_lost(void);

/* Also writes every message and every mk_debug() to standard error. */
void	mk_log_debug(bool on);

/* Also writes what goes to the log, or would, to standard error. */
void	mk_log_echo(bool on);

/* One line; control and non-ASCII bytes become '?'.  LOG_ERR etc. */
void	mk_log(int level, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

/* A step told only with --debug, never to the log. */
void	mk_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A value of the stable tail: percent-encoded as names in users/. */
void	mk_log_value(struct mk_buf *out, const char *name, const char *value);

#endif
