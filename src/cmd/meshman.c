/* SPDX-License-Identifier: ISC */
/*
 * meshman(1), the user's tool: options, what a word needs before it runs,
 * and how it ends.
 *
 * The fetching process is started before any file of the user is opened,
 * so that it never had her keys.
 */
#include <config.h>

#include <sys/prctl.h>

#include <errno.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/meshman.h"
#include "core/limits.h"
#include "edge/fetcher.h"
#include "edge/sandbox.h"

#define HINT_MAX	(1u << 20)
#define POST_MAX	(8u << 20)	/* as portals take */
#define SECONDS		120u		/* of one transaction, whole */
#define CONNECT_SECONDS	15u
#define STOP_MS		2000

static const char usage[] =
    "usage: meshman [--portal URL] [--json] [--debug] WORD "
    "[ARGUMENT ...]\n"
    "       meshman help [WORD]\n";

static const char tail[] =
    "  --portal URL   the portal, from now on\n"
    "  --json         print one object instead of text\n"
    "  --debug        tell each step on standard error\n"
    "  --help         show this text, or that of a word\n"
    "  --version      show the version\n"
    "\n"
    "Exit status: 0 done, 64 usage, 65 refused, 66 no such profile, "
    "device or file,\n"
    "71 system error, 75 run it again, or a change that was signed "
    "earlier has to be\n"
    "made again, 77 permission, 78 configuration.  See meshman(1).\n";

bool
meshman_is(const char *arg, const char *word)
{
	return strcmp(arg[0] == '/' ? arg + 1 : arg, word) == 0;
}

static const struct cmdline_word *
word_at(size_t i)
{
	return i < meshman_n_words ? &meshman_words[i].cmd : NULL;
}

static int
parse_args(struct meshman *m, int argc, char *argv[])
{
	struct meshman_options *o = &m->opt;
	const struct cmdline_option options[] = {
		{ "portal", 'p', .value = &o->portal },
		{ "name", 'n', .value = &o->name },
		{ "key", 'k', .value = &o->key },
		{ "expect", 'e', .value = &o->expect },
		{ "pin", 'P', .value = &o->pin },
		{ "wait", 'w', .value = &o->wait },
		{ "count", 'c', .value = &o->count },
		{ "agent", 'a', .on = &o->agent },
		{ "passphrase", 's', .on = &o->passphrase },
		{ "no-passphrase", 'S', .on = &o->no_passphrase },
		{ "json", 'j', .on = &o->json },
		{ "yes", 'y', .on = &o->yes },
		{ "no-qr", 'q', .on = &o->no_qr },
		{ "debug", .on = &o->debug },
	};
	const struct cmdline_program program = { .ident = MESHMAN_IDENT,
	    .noun = "word", .prefix = "/", .usage = usage,
	    .title = "words, with the slash or without", .tail = tail,
	    .word = word_at, .options = options,
	    .n_options = sizeof(options) / sizeof(options[0]),
	    .exclude = "sSkaeP" };
	struct cmdline line;
	int e;

	if ((e = cmdline_parse(&program, argc, argv, &line)) != 0)
		return e;
	m->word = &meshman_words[line.word];
	m->args = line.args;
	m->n_args = line.n_args;
	return 0;
}

void
meshman_warn(const char *fmt, ...)
{
	struct mk_why why;
	char text[sizeof(why.detail)];
	va_list ap;

	va_start(ap, fmt);
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	(void)mk_fail(&why, MK_E_BUG, "", "%s", text);
	fprintf(stderr, MESHMAN_IDENT ": %s\n", why.detail);
}

int
meshman_print(struct meshman *m)
{
	return show_print(&m->out, &m->why);
}

static char *pin_given;		/* of sodium_malloc() */

/* Other users may list the arguments of a process. */
static int
hide_pin(struct meshman *m)
{
	const char *arg = m->opt.pin;
	size_t len;

	if (arg == NULL || strcmp(arg, "-") == 0)
		return 0;
	len = strlen(arg);
	pin_given = sodium_malloc(len + 1);
	if (pin_given == NULL)
		return mk_fail(&m->why, MK_E_SYSTEM, "pin", "out of memory");
	memcpy(pin_given, arg, len + 1);
	sodium_memzero((char *)(uintptr_t)arg, len);
	m->opt.pin = pin_given;
	return 0;
}

/* The fetching process begins as a copy of this one. */
static int
confine(struct mk_why *why)
{
	if (pin_given != NULL)
		sodium_memzero(pin_given, strlen(pin_given));
	return mk_fetcher_confine(why);
}

static int
start_courier(struct meshman *m)
{
	const struct mk_fetch_limits limits = { .body = POST_MAX,
	    .post = POST_MAX, .seconds = SECONDS,
	    .connect_seconds = CONNECT_SECONDS, .at_once = 1 };
	int e;

	e = mk_courier_start(&limits, confine, &m->courier,
	    &m->why);
	m->courier_started = e == 0;
	return e;
}

static int
open_home(struct meshman *m)
{
	const bool writes = (m->word->needs & MESHMAN_LOCK) != 0;
	char *path;
	int e;

	if ((e = mk_home_path(&path, &m->why)) != 0)
		return e;
	e = mk_home_open(path, writes &&
	    (m->word->needs & MESHMAN_PROFILE) == 0, &m->home, &m->why);
	free(path);
	/* Nobody has written anything yet: there is no profile either. */
	if (e == MK_E_ABSENT)
		return 0;
	if (e == 0 && writes)
		e = mk_home_lock(&m->home, &m->why);
	return e == 0 ? meshman_state_read(m) : e;
}

/* What is signed by a wrong clock can neither be used nor taken back. */
static int
check_clock(struct meshman *m)
{
	if ((m->word->needs & MESHMAN_LOCK) == 0 || meshman_now() >= 0)
		return 0;
	return mk_fail(&m->why, MK_E_STALE, "clock", "the clock stands "
	    "before the build of this program: set it, and run this again");
}

int
meshman_no_profile(struct meshman *m)
{
	mk_buf_puts(&m->hint, "to make one, run:\n    meshman /personal "
	    "ACCOUNT\nor to join one of yours, run:\n    meshman /connect "
	    "ACCOUNT\n");
	return mk_fail(&m->why, MK_E_NOPROFILE, "profile",
	    "there is no profile on this device");
}

static int
check_admin(struct meshman *m)
{
	if (m->state.admin && meshman_is_admin(m, &m->state.device))
		return 0;
	mk_buf_puts(&m->hint, "run it on an administration device; 'meshman "
	    "/list' shows them\n");
	return mk_fail(&m->why, MK_E_PERM, "profile", "this device does not "
	    "administer the profile: it holds no online key of it");
}

static int
prepare(struct meshman *m)
{
	const unsigned needs = m->word->needs;
	int e;

	if ((e = check_clock(m)) != 0)
		return e;
	if ((needs & MESHMAN_NETWORK) != 0 && (e = start_courier(m)) != 0)
		return e;
	if ((e = open_home(m)) != 0)
		return e;
	if ((needs & MESHMAN_PROFILE) == 0)
		return 0;
	if (!m->state.has_profile)
		return meshman_no_profile(m);
	if ((e = meshman_profile_read(m)) != 0)
		return e;
	if ((needs & MESHMAN_ADMIN) != 0 && (e = check_admin(m)) != 0)
		return e;
	if ((needs & MESHMAN_LOCK) != 0 && (needs & MESHMAN_NETWORK) != 0)
		return meshman_resume(m);
	return 0;
}

/*
 * Where cores go to a program their limit of 0 does not count; nor has a
 * debugger any business here.
 */
static int
hide_memory(struct meshman *m)
{
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0)
		return 0;
	return mk_fail(&m->why, MK_E_SYSTEM, "start",
	    "cannot keep this process out of cores: %s", strerror(errno));
}

static int
run(struct meshman *m)
{
	int e;

	if (sodium_init() == -1)
		return mk_fail(&m->why, MK_E_SYSTEM, "start",
		    "cannot initialise libsodium");
	if ((e = hide_memory(m)) != 0 || (e = hide_pin(m)) != 0 ||
	    (e = prepare(m)) != 0 || (e = m->word->run(m)) != 0)
		return e;
	if ((e = meshman_print(m)) != 0)
		return e;
	if (m->portal_new && m->state.has_profile && m->home.lock != -1)
		return meshman_state_write(m);
	return 0;
}

static void
release(struct meshman *m)
{
	if (m->courier_started)
		mk_courier_stop(&m->courier, STOP_MS);
	sodium_free(pin_given);
	mk_home_close(&m->home);
	free(m->state.portal);
	mk_file_release(&m->profile.set);
	mk_file_release(&m->profile.seen);
	mk_arena_release(&m->profile.memory);
	mk_arena_release(&m->arena);
	mk_buf_release(&m->out);
	mk_buf_release(&m->hint);
}

int
main(int argc, char *argv[])
{
	struct meshman m = { .home = { .fd = -1, .lock = -1 } };
	int e;

	mk_buf_init(&m.out, MESHMAN_OUT_MAX);
	mk_buf_init(&m.hint, HINT_MAX);
	mk_arena_init(&m.arena, mk_verify_memory(MK_SET_MAX));
	mk_arena_init(&m.profile.memory, mk_verify_memory(MK_SET_MAX));
	e = mk_process_limits(0, &m.why);
	/* What is typed wrong is told already. */
	if (e == 0 && (e = parse_args(&m, argc, argv)) != 0)
		return e == CMDLINE_DONE ? 0 : mk_exit_code(e);
	if (e == 0)
		e = run(&m);
	if (e != 0)
		show_failure(MESHMAN_IDENT, &m.why, &m.hint);
	/* The word was done, but not all that was asked for. */
	if (e == 0 && m.lost)
		e = MK_E_STALE;
	release(&m);
	return mk_exit_code(e);
}
