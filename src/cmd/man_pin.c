/* SPDX-License-Identifier: ISC */
/*
 * /pin: one-time PINs, written down before they are shown, so that none is
 * out that this device does not know.
 */
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "cmd/meshman.h"
#include "core/connect.h"
#include "edge/words.h"

#define COUNT_MAX	100u		/* of one call */
#define USED_KEPT	(7 * MK_DAY)	/* to tell a second use from a
					   PIN that was never made */

static int
read_count(struct meshman *m, size_t *ret_n)
{
	uint64_t n = 1;

	if (m->opt.count != NULL &&
	    (!mk_number_parse(m->opt.count, COUNT_MAX, &n) || n == 0))
		return mk_fail(&m->why, MK_E_USAGE, "pin",
		    "'--count' takes a number from 1 to %u", COUNT_MAX);
	*ret_n = (size_t)n;
	return 0;
}

static bool
kept(const struct meshman_pin_use *use, int64_t now)
{
	const int64_t life = use->used || use->spoilt ? USED_KEPT :
	    MK_CONNECT_LIFE;

	return now - use->made <= life;
}

/* The old ones that are still of use, and room for 'more'. */
static int
prune(struct meshman *m, const struct meshman_pins *old, size_t more,
    struct meshman_pins *ret_pins)
{
	struct meshman_pins pins = { 0 };
	const int64_t now = meshman_now();
	size_t i;

	pins.list = sodium_allocarray(old->n + more, sizeof(*pins.list));
	if (pins.list == NULL)
		return mk_fail(&m->why, MK_E_SYSTEM, "pin", "out of memory");
	for (i = 0; i < old->n; i++) {
		if (kept(&old->list[i], now))
			pins.list[pins.n++] = old->list[i];
	}
	if (pins.n + more > MESHMAN_PINS_MAX) {
		sodium_free(pins.list);
		return mk_fail(&m->why, MK_E_REFUSED, "pin",
		    "%zu PINs are out already, and at most %u can be; wait "
		    "until some have lapsed", pins.n, MESHMAN_PINS_MAX);
	}
	*ret_pins = pins;
	return 0;
}

static void
add(struct meshman_pins *pins, size_t n)
{
	uint8_t random[MK_PIN_RANDOM];

	for (; n > 0; n--) {
		struct meshman_pin_use *use = &pins->list[pins->n++];

		memset(use, 0, sizeof(*use));
		randombytes_buf(random, sizeof(random));
		mk_pin_make(random, &use->pin);
		use->made = meshman_now();
	}
	sodium_memzero(random, sizeof(random));
}

/* A program takes them line by line; a person has a camera. */
static int
show(struct meshman *m, const struct meshman_pin_use *list, size_t n)
{
	bool person = isatty(STDOUT_FILENO) == 1 && !m->opt.json;
	char text[MK_PIN_TEXT + 1];
	size_t i;
	int e = 0;

	if (m->opt.json)
		mk_buf_puts(&m->out, "{\"word\":\"pin\",\"pins\":[");
	for (i = 0; i < n && e == 0; i++) {
		mk_pin_format(&list[i].pin, text);
		if (m->opt.json)
			mk_buf_puts(&m->out, i > 0 ? ",\"" : "\"");
		mk_buf_puts(&m->out, text);
		mk_buf_putc(&m->out, m->opt.json ? '"' : '\n');
		if (person)
			e = meshman_put_qr(m, text);
	}
	sodium_memzero(text, sizeof(text));
	if (m->opt.json)
		mk_buf_puts(&m->out, "]}\n");
	if (e == 0 && person) {
		mk_buf_puts(&m->out, "each is good for one device and for "
		    "24 hours; on that device run:\n    meshman /connect ");
		mk_buf_puts(&m->out, m->state.account.text);
		mk_buf_puts(&m->out, " --pin - /ssh\n"
		    "and then here: meshman /accept /all\n");
	}
	if (e == 0)
		e = meshman_print(m);
	if (m->out.data != NULL)
		sodium_memzero(m->out.data, m->out.size);
	return e;
}

int
meshman_pin(struct meshman *m)
{
	struct meshman_pins old = { 0 }, pins = { 0 };
	size_t n = 0;
	int e;

	if (!m->state.has_account)
		return mk_fail(&m->why, MK_E_NOPROFILE, "pin",
		    "this profile has no account at a portal, so no device "
		    "can ask to be connected");
	if ((e = read_count(m, &n)) != 0 ||
	    (e = meshman_pins_read(m, &old)) != 0 ||
	    (e = prune(m, &old, n, &pins)) != 0)
		goto out;
	add(&pins, n);
	if ((e = meshman_pins_write(m, &pins)) == 0)
		e = show(m, pins.list + pins.n - n, n);
out:
	meshman_pins_release(&pins);
	meshman_pins_release(&old);
	return e;
}
