/* SPDX-License-Identifier: ISC */
/*
 * One trial login of setup by itself, for setup-trial.sh: setup would find
 * by other means, and earlier, most of what is broken there.
 *
 *	trialcli mesh USER
 *	trialcli way-in USER [KEY]
 *
 * Exits with the sysexits(3) number of its result, 1 for "it cannot be
 * tried here".
 */
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cmd/setup.h"
#include "edge/sandbox.h"

void
setup_say(const struct setup *s, const char *fmt, ...)
{
	va_list ap;

	(void)s;
	va_start(ap, fmt);
	(void)vprintf(fmt, ap);
	va_end(ap);
	(void)putchar('\n');
}

static int
log_in(const struct setup *s, int argc, char *argv[])
{
	struct mk_why *why = &s->m->why;

	if (argc == 3 && strcmp(argv[1], "mesh") == 0)
		return setup_trial_mesh(s, argv[2], why);
	if ((argc == 3 || argc == 4) && strcmp(argv[1], "way-in") == 0)
		return setup_trial_way_in(s, argv[2], argv[3], why);
	return mk_fail(why, MK_E_USAGE, "usage", "look into the source");
}

int
main(int argc, char *argv[])
{
	struct meshkeys m = { .json = false };
	struct setup s = { .m = &m, .root = { .fd = -1 } };
	int e;

	mk_buf_init(&m.hint, 1u << 20);
	e = mk_process_limits(0, &m.why);
	if (e == 0 && sodium_init() == -1)
		e = mk_fail(&m.why, MK_E_SYSTEM, "start", "no libsodium");
	if (e == 0 && (e = mk_root_open(NULL, &s.root, &m.why)) == 0 &&
	    (e = mk_sshd_find(&s.sshd, &m.why)) == 0)
		e = log_in(&s, argc, argv);
	if (e != 0)
		show_failure("trialcli", &m.why, &m.hint);
	mk_sshd_release(&s.sshd);
	mk_root_close(&s.root);
	mk_buf_release(&m.hint);
	return e == MK_E_ABSENT ? 1 : mk_exit_code(e);
}
