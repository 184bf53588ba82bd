/* SPDX-License-Identifier: ISC */
/*
 * meshkeys(8), the administrator's tool.
 *
 * Run by root it becomes the owner of the stores before it reads a byte of
 * anybody's set, and it has no network.
 */
#include <config.h>

#include <errno.h>
#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/meshkeys.h"
#include "core/limits.h"
#include "core/timestamp.h"
#include "edge/log.h"
#include "edge/sandbox.h"

#define HINT_MAX	(1u << 20)

static const struct meshkeys_command commands[] = {
	{ "accept", "[--yes] USER [FILE]",
	    "let in a set that the memory of this host keeps out",
	    "Shows what differs between what this host has seen of a profile "
	    "of USER and\n"
	    "the set in FILE, in the cache, or in the directory that is the "
	    "portal, asks,\n"
	    "and makes that set the newest one seen.  Deleted devices stay "
	    "deleted.\n"
	    "\n"
	    "  --yes  do not ask\n", 1, 2, true, meshkeys_accept },
	{ "import", "FILE USER",
	    "take a profile set from a file",
	    "Verifies the profile set in FILE, or on standard input for '-', "
	    "and takes it\n"
	    "as if a portal of USER had sent it.\n",
	    2, 2, false, meshkeys_import },
};

#define N_COMMANDS	(sizeof(commands) / sizeof(commands[0]))

static void
usage(FILE *out)
{
	fputs("usage: meshkeys [--config FILE] [--root DIR] [--json] "
	    "[--debug]\n"
	    "           COMMAND [ARGUMENT ...]\n"
	    "       meshkeys help [COMMAND]\n", out);
}

static void
list_commands(FILE *out)
{
	size_t i;

	fputs("\ncommands:\n", out);
	for (i = 0; i < N_COMMANDS; i++)
		fprintf(out, "  %-8s %s\n", commands[i].name,
		    commands[i].line);
}

static void
help(void)
{
	usage(stdout);
	list_commands(stdout);
	fputs("\n"
	    "  --config FILE  read FILE instead of /etc/meshkeys/"
	    "meshkeys.conf\n"
	    "  --root DIR     take all files of the host below DIR\n"
	    "  --json         print one object instead of text\n"
	    "  --debug        tell each step on standard error\n"
	    "  --help         show this text, or that of a command\n"
	    "  --version      show the version\n"
	    "\n"
	    "Exit status: 0 done, 64 usage, 65 the set is refused, 66 no "
	    "such file or profile,\n"
	    "71 system error, 75 run it again, 77 permission, 78 "
	    "configuration.  See\n"
	    "meshkeys(8).\n", stdout);
}

static void
help_command(const struct meshkeys_command *c, FILE *out)
{
	fprintf(out, "usage: meshkeys %s %s\n", c->name, c->usage);
	if (out == stdout)
		fprintf(out, "\n%s", c->help);
}

/* The usage of the command, if there is one already. */
static int
usage_error(const struct meshkeys *m, const char *what)
{
	fprintf(stderr, MESHKEYS_IDENT ": %s\n", what);
	if (m->command != NULL)
		help_command(m->command, stderr);
	else
		usage(stderr);
	return MK_E_USAGE;
}

static int
unknown_command(const char *name)
{
	char clean[64];
	size_t i;

	for (i = 0; name[i] != '\0' && i < sizeof(clean) - 1; i++)
		clean[i] = name[i] >= ' ' && name[i] <= '~' ? name[i] : '?';
	clean[i] = '\0';
	fprintf(stderr, MESHKEYS_IDENT ": there is no command '%s'\n",
	    clean);
	list_commands(stderr);
	return MK_E_USAGE;
}

static const struct meshkeys_command *
find_command(const char *name)
{
	size_t i;

	for (i = 0; i < N_COMMANDS; i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

/* One option, which may stand before the command or behind it. */
static int
take_option(struct meshkeys *m, int c)
{
	switch (c) {
	case 'c':
		m->place.config_file = optarg;
		return 0;
	case 'r':
		m->place.root_dir = optarg;
		return 0;
	case 'J':
		m->json = true;
		return 0;
	case 'd':
		m->debug = true;
		return 0;
	case 'y':
		m->yes = true;
		return 0;
	case 'h':
		m->help = true;
		return 0;
	case 'V':
		m->version = true;
		return 0;
	default:
		return usage_error(m, "an option that is not known, or that "
		    "lacks its value");
	}
}

/* Up to the command first, then what stands behind its name. */
static int
take_options(struct meshkeys *m, int argc, char *argv[])
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "root", required_argument, NULL, 'r' },
		{ "json", no_argument, NULL, 'J' },
		{ "debug", no_argument, NULL, 'd' },
		{ "yes", no_argument, NULL, 'y' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 }
	};
	int c, e = 0;

	opterr = 0;
	optind = 0;
	while (e == 0 && (c = getopt_long(argc, argv,
	    m->command == NULL ? "+" : "", options, NULL)) != -1)
		e = take_option(m, c);
	m->args = argv + optind;
	m->n_args = argc - optind;
	return e;
}

static int
run_help(struct meshkeys *m)
{
	const struct meshkeys_command *c;

	if (m->n_args == 0) {
		help();
		return 0;
	}
	c = find_command(m->args[0]);
	if (c == NULL)
		return unknown_command(m->args[0]);
	help_command(c, stdout);
	return 0;
}

/* 1: done, without a command. */
static int
parse_args(struct meshkeys *m, int argc, char *argv[])
{
	int e;

	if ((e = take_options(m, argc, argv)) != 0)
		return e;
	if (m->version) {
		puts(PACKAGE_STRING);
		return 1;
	}
	if (m->n_args == 0 && !m->help) {
		(void)usage_error(m, "which command?");
		list_commands(stderr);
		return MK_E_USAGE;
	}
	if (m->n_args > 0 && strcmp(m->args[0], "help") == 0) {
		m->help = true;
		m->args++;
		m->n_args--;
	}
	if (m->help)
		return (e = run_help(m)) != 0 ? e : 1;
	m->command = find_command(m->args[0]);
	if (m->command == NULL)
		return unknown_command(m->args[0]);
	e = take_options(m, m->n_args, argv + optind);
	if (e != 0)
		return e;
	if (m->help) {
		help_command(m->command, stdout);
		return 1;
	}
	if (m->n_args < m->command->min || m->n_args > m->command->max)
		return usage_error(m, m->n_args < m->command->min ?
		    "an argument is missing" : "too many arguments");
	if (m->yes && !m->command->asks)
		return usage_error(m, "this command asks nothing");
	return 0;
}

int
meshkeys_print(struct meshkeys *m)
{
	int e = mk_buf_check(&m->out, &m->why, "output");

	if (e != 0)
		return e;
	if (m->out.len > 0 &&
	    (fwrite(m->out.data, 1, m->out.len, stdout) != m->out.len ||
	    fflush(stdout) != 0))
		return mk_fail(&m->why, MK_E_SYSTEM, "output",
		    "cannot write to standard output: %s", strerror(errno));
	mk_buf_cut(&m->out, 0);
	return 0;
}

static void
tell_failure(struct meshkeys *m, int code)
{
	const struct meshkeys_event event = { .code = code,
	    .set = MK_TIME_NONE, .seen = MK_TIME_NONE };

	fprintf(stderr, MESHKEYS_IDENT ": %s: %s\n", m->why.stage,
	    m->why.detail);
	if (m->hint.len > 0 && m->hint.failed == 0)
		fputs(m->hint.data, stderr);
	if (!m->logged && code != MK_E_USAGE && m->user != NULL)
		meshkeys_log(m, &event);
}

static void
release(struct meshkeys *m)
{
	if (m->input.fd > STDIN_FILENO)
		close(m->input.fd);
	mk_file_release(&m->input.file);
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
	if (e == 0)
		e = parse_args(&m, argc, argv);
	if (e == 1 || (e == MK_E_USAGE && m.why.code == 0))
		return e == 1 ? 0 : mk_exit_code(e);
	if (e == 0 && sodium_init() == -1)
		e = mk_fail(&m.why, MK_E_SYSTEM, "start",
		    "cannot initialise libsodium");
	mk_log_debug(m.debug);
	if (e == 0)
		e = m.command->run(&m);
	if (e != 0)
		tell_failure(&m, e);
	release(&m);
	return mk_exit_code(e);
}
