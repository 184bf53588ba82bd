/* SPDX-License-Identifier: ISC */
/*
 * Reasons are formatted beside the old one, so that a caller may quote it
 * in the new one: mk_fail(why, code, stage, "...: %s", why->detail).
 */
#include "core/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int
mk_fail(struct mk_why *why, int code, const char *stage, const char *fmt, ...)
{
	char text[sizeof(why->detail)];
	va_list ap;
	char *p;

	if (why == NULL)
		return code;
	va_start(ap, fmt);
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	/* A log line is one line, whatever found its way into it. */
	for (p = text; *p != '\0'; p++) {
		if (*p < 0x20 || *p > 0x7e)
			*p = '?';
	}
	why->code = code;
	if (stage != why->stage)
		(void)snprintf(why->stage, sizeof(why->stage), "%s", stage);
	memcpy(why->detail, text, sizeof(text));
	return code;
}

int
mk_exit_code(int code)
{
	switch (code) {
	case MK_OK:
		return 0;
	case MK_E_USAGE:
	case MK_E_REFUSED:
	case MK_E_NOPROFILE:
	case MK_E_BUG:
	case MK_E_SYSTEM:
	case MK_E_STALE:
	case MK_E_PERM:
	case MK_E_CONFIG:
		return -code;
	default:
		return -MK_E_BUG;
	}
}
