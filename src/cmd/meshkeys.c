/* SPDX-License-Identifier: ISC */
/*
 * meshkeys(8), the administrator's tool.
 *
 * Run by root it becomes the owner of the stores before it reads a byte of
 * anybody's set, and it has no network.
 */
#include <config.h>

#include <sodium.h>

#include "cmd/meshkeys.h"
#include "core/limits.h"
#include "core/timestamp.h"
#include "edge/log.h"
#include "edge/sandbox.h"

#define HINT_MAX	(1u << 20)

static const char usage[] =
    "usage: meshkeys [--config FILE] [--root DIR] [--json] [--debug]\n"
    "           COMMAND [ARGUMENT ...]\n"
    "       meshkeys help [COMMAND]\n";

static const char tail[] =
    "  --config FILE  read FILE instead of /etc/meshkeys/meshkeys.conf\n"
    "  --root DIR     take all files of the host below DIR\n"
    "  --json         print one object instead of text\n"
    "  --debug        tell each step on standard error\n"
    "  --help         show this text, or that of a command\n"
    "  --version      show the version\n"
    "\n"
    "Exit status: 0 done, 64 usage, 65 the set is refused, 66 no such file "
    "or\n"
    "profile, 71 system error, 75 run it again, 77 permission, "
    "78 configuration.\n"
    "See meshkeys(8).\n";

static const struct cmdline_word *
command_at(size_t i)
{
	return i < meshkeys_n_commands ? &meshkeys_commands[i].cmd : NULL;
}

static int
parse_args(struct meshkeys *m, int argc, char *argv[])
{
	const struct cmdline_option options[] = {
		{ "config", .value = &m->place.config_file },
		{ "root", .value = &m->place.root_dir },
		{ "json", .on = &m->json },
		{ "debug", .on = &m->debug },
		{ "chain", 'c', .on = &m->chain },
		{ "confirm", 'C', .on = &m->confirm },
		{ "dry-run", 'n', .on = &m->dry_run },
		{ "gecos", 'g', .on = &m->gecos },
		{ "key", 'k', .value = &m->key },
		{ "login", 'l', .value = &m->login },
		{ "no-chain", 'N', .on = &m->no_chain },
		{ "split", 's', .on = &m->split },
		{ "textfile", 't', .value = &m->textfile },
		{ "unconfirmed", 'u', .on = &m->unconfirmed },
		{ "way-in", 'w', .value = &m->way_in },
		{ "yes", 'y', .on = &m->yes },
	};
	const struct cmdline_program program = { .ident = MESHKEYS_IDENT,
	    .noun = "command", .prefix = "", .usage = usage,
	    .title = "commands", .tail = tail, .word = command_at,
	    .options = options,
	    .n_options = sizeof(options) / sizeof(options[0]),
	    .exclude = "cN" };
	struct cmdline line;
	int e;

	if ((e = cmdline_parse(&program, argc, argv, &line)) != 0)
		return e;
	m->command = &meshkeys_commands[line.word];
	m->args = line.args;
	m->n_args = line.n_args;
	return 0;
}

int
meshkeys_print(struct meshkeys *m)
{
	return show_print(&m->out, &m->why);
}

static void
tell_failure(struct meshkeys *m, int code)
{
	const struct meshkeys_event event = { .code = code,
	    .set = MK_TIME_NONE, .seen = MK_TIME_NONE };

	show_failure(MESHKEYS_IDENT, &m->why, &m->hint);
	if (!m->logged && code != MK_E_USAGE && m->user != NULL)
		meshkeys_log(m, &event);
}

static void
release(struct meshkeys *m)
{
	input_close(&m->input);
	mk_identity_release(&m->identity);
	mk_buf_release(&m->out);
	mk_buf_release(&m->hint);
	keep_close(&m->keep);
}

int
main(int argc, char *argv[])
{
	struct meshkeys m = { .keep = KEEP_CLOSED, .input = { .fd = -1 },
	    .place = { .ident = MESHKEYS_IDENT } };
	int e;

	mk_buf_init(&m.out, MESHKEYS_OUT_MAX);
	mk_buf_init(&m.hint, HINT_MAX);
	e = mk_process_limits(0, &m.why);
	/* What is typed wrong is told already. */
	if (e == 0 && (e = parse_args(&m, argc, argv)) != 0)
		return e == CMDLINE_DONE ? 0 : mk_exit_code(e);
	if (e == 0 && sodium_init() == -1)
		e = mk_fail(&m.why, MK_E_SYSTEM, "start",
		    "cannot initialise libsodium");
	mk_log_debug(m.debug);
	if (e == 0)
		e = m.command->run(&m);
	if (e != 0)
		tell_failure(&m, e);
	release(&m);
	return e != 0 ? mk_exit_code(e) : m.status;
}
