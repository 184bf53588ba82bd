/* SPDX-License-Identifier: ISC */
/*
 * The PINs that were made here, as lines of text:
 *
 *   mesh-pins 1
 *   LETTERS MADE DEVICE|- spoilt|-
 *
 * Whoever reads the file can connect a device; it and every copy of it in
 * memory is guarded.
 */
#include <sodium.h>
#include <string.h>

#include "cmd/meshman.h"
#include "core/timestamp.h"

#define PINS		"pins"
#define HEAD		"mesh-pins 1\n"
#define SPOILT		"spoilt"
#define LINE_MAX_LEN	(MK_PIN_LETTERS + 1 + MK_TIME_LEN + 1 + \
			MK_UDF_TEXT + 1 + sizeof(SPOILT))
#define PINS_FILE_MAX	(sizeof(HEAD) + MESHMAN_PINS_MAX * LINE_MAX_LEN)

struct word {
	const char *s;
	size_t len;
};

/* The next word of a line, which ends before 'end'. */
static struct word
next_word(const char **cursor, const char *end)
{
	struct word w = { .s = *cursor };
	const char *space = memchr(w.s, ' ', (size_t)(end - w.s));

	w.len = (size_t)((space != NULL ? space : end) - w.s);
	*cursor = space != NULL ? space + 1 : end;
	return w;
}

static bool
is(const struct word *w, const char *s)
{
	return w->len == strlen(s) && memcmp(w->s, s, w->len) == 0;
}

static bool
read_line(const char *s, size_t len, struct meshman_pin_use *use)
{
	const char *cursor = s, *end = s + len;
	struct word letters = next_word(&cursor, end);
	struct word made = next_word(&cursor, end);
	struct word device = next_word(&cursor, end);
	struct word flag = next_word(&cursor, end);

	memset(use, 0, sizeof(*use));
	if (len == 0)
		return false;
	if (cursor != end || end[-1] == ' ' || letters.len != MK_PIN_LETTERS ||
	    !mk_pin_parse(letters.s, letters.len, &use->pin) ||
	    !mk_time_parse(made.s, made.len, &use->made))
		return false;
	use->used = !is(&device, "-");
	use->spoilt = is(&flag, SPOILT);
	return (use->spoilt || is(&flag, "-")) &&
	    (!use->used || mk_udf_parse(device.s, device.len, &use->device));
}

static size_t
count_lines(const char *s, size_t len)
{
	size_t n = 0, i;

	for (i = 0; i < len; i++)
		n += s[i] == '\n';
	return n;
}

static int
damaged(struct meshman *m)
{
	return mk_fail(&m->why, MK_E_SYSTEM, PINS, "'%s/" PINS "' is "
	    "damaged; to give up the PINs that were made here, run: "
	    "rm %s/" PINS, m->home.path, m->home.path);
}

static int
parse(struct meshman *m, const char *s, size_t len,
    struct meshman_pins *ret_pins)
{
	const size_t head = sizeof(HEAD) - 1;
	struct meshman_pins pins = { 0 };
	const char *end = s + len, *line;
	size_t n;

	if (len < head || memcmp(s, HEAD, head) != 0 || s[len - 1] != '\n' ||
	    (n = count_lines(s, len) - 1) > MESHMAN_PINS_MAX)
		return damaged(m);
	pins.list = sodium_allocarray(n + 1, sizeof(*pins.list));
	if (pins.list == NULL)
		return mk_fail(&m->why, MK_E_SYSTEM, PINS, "out of memory");
	for (line = s + head; pins.n < n; pins.n++) {
		const char *lf = memchr(line, '\n', (size_t)(end - line));

		if (!read_line(line, (size_t)(lf - line),
		    &pins.list[pins.n])) {
			meshman_pins_release(&pins);
			return damaged(m);
		}
		line = lf + 1;
	}
	*ret_pins = pins;
	return 0;
}

int
meshman_pins_read(struct meshman *m, struct meshman_pins *ret_pins)
{
	struct mk_guarded file;
	int e;

	e = mk_home_read_secret(&m->home, PINS, PINS_FILE_MAX, &file,
	    &m->why);
	if (e == MK_E_ABSENT) {
		*ret_pins = (struct meshman_pins){ 0 };
		return 0;
	}
	if (e == MK_E_TOOBIG)
		return damaged(m);
	if (e != 0)
		return e;
	e = parse(m, (const char *)file.data, file.len, ret_pins);
	sodium_free(file.data);
	return e;
}

/* Appends a string to guarded memory that has room for it. */
static char *
put(char *at, const char *s)
{
	size_t len = strlen(s);

	memcpy(at, s, len);
	return at + len;
}

static char *
put_line(char *at, const struct meshman_pin_use *use)
{
	char made[MK_TIME_LEN + 1], device[MK_UDF_TEXT + 1] = "-";

	mk_time_format(use->made, made);
	if (use->used)
		mk_udf_format(&use->device, device);
	at = put(at, use->pin.letters);
	at = put(put(at, " "), made);
	at = put(put(at, " "), device);
	return put(at, use->spoilt ? " " SPOILT "\n" : " -\n");
}

int
meshman_pins_write(struct meshman *m, const struct meshman_pins *pins)
{
	char *text, *at;
	size_t i;
	int e;

	if (pins->n > MESHMAN_PINS_MAX)
		return mk_fail(&m->why, MK_E_BUG, PINS, "%zu PINs", pins->n);
	text = sodium_malloc(PINS_FILE_MAX);
	if (text == NULL)
		return mk_fail(&m->why, MK_E_SYSTEM, PINS, "out of memory");
	at = put(text, HEAD);
	for (i = 0; i < pins->n; i++)
		at = put_line(at, &pins->list[i]);
	e = mk_home_write(&m->home, PINS, text, (size_t)(at - text),
	    &m->why);
	sodium_free(text);
	return e;
}

void
meshman_pins_release(struct meshman_pins *pins)
{
	sodium_free(pins->list);
	*pins = (struct meshman_pins){ 0 };
}
