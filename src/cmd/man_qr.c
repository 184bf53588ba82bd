/* SPDX-License-Identifier: ISC */
/*
 * The only user of libqrencode: a QR code in half blocks, two rows of
 * modules a line.  Colours are set, so that light is light whatever the
 * terminal's own colours are, and a camera can read it.
 */
#include <sys/ioctl.h>

#include <qrencode.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/meshman.h"

#define QUIET	4		/* light modules around it, as ISO 18004 */

/* Half blocks are no ASCII.  In the order in which locales are looked for. */
static bool
shows_utf8(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	const char *value = NULL;
	size_t i;

	for (i = 0; i < 3 && (value == NULL || value[0] == '\0'); i++)
		value = getenv(names[i]);
	return value != NULL && (strcasestr(value, "utf-8") != NULL ||
	    strcasestr(value, "utf8") != NULL);
}

/* A code that is broken into two is none. */
static bool
has_room(int columns)
{
	const char *term = getenv("TERM");
	struct winsize size;

	if (term == NULL || strcmp(term, "dumb") == 0)
		return false;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		return true;
	return columns <= size.ws_col;
}

static bool
is_dark(const QRcode *code, int x, int y)
{
	if (x < 0 || y < 0 || x >= code->width || y >= code->width)
		return false;
	return (code->data[y * code->width + x] & 1) != 0;
}

/* Black on white; the upper half is the character's, the lower the ground. */
static void
put_line(struct mk_buf *out, const QRcode *code, int y)
{
	int x;

	mk_buf_puts(out, "\033[30;107m");
	for (x = -QUIET; x < code->width + QUIET; x++) {
		const bool up = is_dark(code, x, y);
		const bool down = is_dark(code, x, y + 1);

		mk_buf_puts(out, up && down ? "\xe2\x96\x88" :
		    up ? "\xe2\x96\x80" : down ? "\xe2\x96\x84" : " ");
	}
	mk_buf_puts(out, "\033[0m\n");
}

int
meshman_put_qr(struct meshman *m, const char *text)
{
	QRcode *code;
	int y;

	if (m->opt.no_qr || m->opt.json || isatty(STDOUT_FILENO) != 1 ||
	    !shows_utf8())
		return 0;
	code = QRcode_encodeString(text, 0, QR_ECLEVEL_M, QR_MODE_8, 1);
	if (code == NULL)
		return mk_fail(&m->why, MK_E_SYSTEM, "qr",
		    "cannot make a QR code");
	if (has_room(code->width + 2 * QUIET)) {
		for (y = -QUIET; y < code->width + QUIET; y += 2)
			put_line(&m->out, code, y);
	}
	QRcode_free(code);
	return 0;
}
