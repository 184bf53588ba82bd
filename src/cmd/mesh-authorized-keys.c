/* SPDX-License-Identifier: ISC */
/*
 * mesh-authorized-keys(8), the AuthorizedKeysCommand of sshd.
 *
 * It decides alone, from files on this host, and prints nothing until all
 * is decided.  Nothing here believes the cache, the environment, or a name
 * inside a document.
 *
 * The steps of a decision:
 *
 * 1. Limits and arguments: bound time and descriptors, take the user name
 *    and the offered key as sshd gives them.
 * 2. Configuration: read meshkeys.conf; an error in it ends the decision.
 * 3. Identity: resolve the user to the fingerprints of her profiles by the
 *    first source that names her.
 * 4. Cache bytes: read each profile set and the memory of the newest one
 *    seen, without looking into them.
 * 5. Sandbox: give up the file system, the network, new processes and
 *    nearly all system calls.
 * 6. Verify: follow the signatures from the fingerprint to the device keys,
 *    and refuse what is forged, replayed or expired.
 * 7. Select: apply the host's policy on age, key types and options, and
 *    keep the line of the offered key only.
 * 8. Render: write each authorized_keys line anew from parsed values.
 * 9. One write: hand all lines to sshd at once, or none.
 */
#include <config.h>

#include <sys/types.h>

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/akc.h"
#include "core/limits.h"
#include "edge/log.h"
#include "edge/sandbox.h"

#define IDENT		"mesh-authorized-keys"
#define SECONDS_MAX	30	/* a login must not wait for us longer */

/* A decision from the arguments to the write. */
struct akc {
	struct akc_args args;
	struct akc_offer offer;
	struct mk_root root;
	struct mk_config config;
	struct akc_gathered gathered;
	struct mk_answer answer;
	bool answered;
	struct mk_why why;
};

static void
usage(FILE *out)
{
	fputs("usage: mesh-authorized-keys [--config FILE] [--root DIR] "
	    "[--debug] USER\n"
	    "           [OFFERED-FINGERPRINT | OFFERED-TYPE OFFERED-KEY]\n",
	    out);
}

static void
help(void)
{
	usage(stdout);
	fputs("\n"
	    "Prints the authorized_keys lines of the devices that belong to "
	    "USER now,\n"
	    "verified from the fingerprint of her Mesh profile; with an "
	    "offered key\n"
	    "only the line of that key.  sshd runs it as its "
	    "AuthorizedKeysCommand.\n"
	    "\n"
	    "  --config FILE  read FILE instead of /etc/meshkeys/"
	    "meshkeys.conf\n"
	    "  --root DIR     take all files below DIR\n"
	    "  --debug        tell each step on standard error\n"
	    "  --help         show this text\n"
	    "  --version      show the version\n"
	    "\n"
	    "Exit status: 0 decided, 64 usage, 65 refused, 66 no such "
	    "profile in the\n"
	    "cache, 70 internal error, 71 system error, 75 too stale, 77 "
	    "permission,\n"
	    "78 configuration.  See mesh-authorized-keys(8).\n", stdout);
}

static int
usage_error(const char *what)
{
	fprintf(stderr, IDENT ": %s\n", what);
	usage(stderr);
	return MK_E_USAGE;
}

/* What is not an option, in the order sshd gives it. */
static int
take_words(struct akc_args *args, int argc, char *const argv[])
{
	if (argc < 1 || argc > 3)
		return usage_error(argc < 1 ? "no user name" :
		    "too many arguments");
	args->user = argv[0];
	if (argv[0][0] == '\0' || strlen(argv[0]) > MK_USERNAME_MAX)
		return usage_error("a user name has 1 to 256 bytes");
	if (argc == 2)
		args->fingerprint = argv[1];
	if (argc == 3) {
		args->type = argv[1];
		args->key = argv[2];
	}
	return 0;
}

/*
 * Options stand before the user name; from there on nothing is one, since
 * a name may begin with a dash.  1: done, without a decision.
 */
static int
parse_args(struct akc_args *args, int argc, char *argv[])
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "root", required_argument, NULL, 'r' },
		{ "debug", no_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 }
	};
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			args->config = optarg;
			break;
		case 'r':
			args->root = optarg;
			break;
		case 'd':
			args->debug = true;
			break;
		case 'h':
			help();
			return 1;
		case 'V':
			puts(PACKAGE_STRING);
			return 1;
		default:
			return usage_error("an option that is not known, or "
			    "that lacks its value");
		}
	}
	return take_words(args, argc - optind, argv + optind);
}

/* Steps 5 to 8, in this process or, where we go on, in another. */
static int
decide(struct akc *akc)
{
	const struct mk_config *config = &akc->config;
	struct mk_question q = akc_question(config, &akc->gathered,
	    &akc->offer);
	int r;

	if (config->chain != NULL) {
		akc_decide_apart(&q, &akc->answer);
	} else {
		if ((r = akc_close_sandbox(&q, &akc->why)) != 0)
			return r;
		mk_decide(&q, &akc->answer);
	}
	akc->answered = true;
	akc_report_answer(&akc->answer, akc->args.user, akc->offer.given,
	    config->log_matches);
	return akc->answer.code;
}

/* Steps 1 to 8 up to an answer, or to none for a user without profiles. */
static int
find_answer(struct akc *akc)
{
	struct akc_gathered *g = &akc->gathered;
	int r;

	if ((r = akc_gather_identity(&akc->root, &akc->config,
	    akc->args.user, g, &akc->why)) != 0)
		return r;
	if (g->identity.n == 0) {
		akc_report_unmapped(akc->args.user, g->identity.denied);
		return 0;
	}
	if (akc->offer.certificate) {
		mk_debug("offered: a certificate, which is never ours");
		return 0;
	}
	if ((r = akc_gather_bytes(&akc->root, &akc->config, g,
	    &akc->why)) != 0)
		return r;
	return decide(akc);
}

/* All of the lines at once; sshd takes them only if we exit 0. */
static int
write_lines(struct akc *akc)
{
	const struct mk_buf *lines = &akc->answer.lines;
	size_t done = 0;
	ssize_t n;

	while (akc->answered && done < lines->len) {
		n = write(STDOUT_FILENO, lines->data + done,
		    lines->len - done);
		if (n == -1 && errno == EINTR)
			continue;
		/* sshd before 7.7 closed the pipe at its first match. */
		if (n == -1 && errno == EPIPE)
			break;
		if (n <= 0)
			return mk_fail(&akc->why, MK_E_SYSTEM, "output",
			    "cannot write the lines to standard output");
		done += (size_t)n;
	}
	return 0;
}

/* Whether the other command is to be asked as well. */
static bool
goes_on(const struct akc *akc, int code)
{
	if (!akc_chain_follows(&akc->config, &akc->offer,
	    akc->answered ? &akc->answer : NULL, code))
		return false;
	if (akc->args.root != NULL)
		mk_debug("chain: not run with --root");
	return akc->args.root == NULL;
}

static int
finish(struct akc *akc, int code)
{
	char **argv = NULL;
	int r;

	if (goes_on(akc, code)) {
		struct akc_chain chain = { &akc->root, &akc->config,
		    &akc->args, &akc->offer };

		r = akc_chain_expand(&chain, &argv, &akc->why);
		if (r != 0)
			return r;
	}
	if ((code == 0 || argv != NULL) && (r = write_lines(akc)) != 0) {
		free(argv);
		return r;
	}
	if (argv == NULL)
		return code;
	mk_debug("chain: running the other command");
	r = akc_chain_exec(argv, &akc->why);
	free(argv);
	return r;
}

static int
run(struct akc *akc)
{
	int r, code;

	if ((r = akc_offer_read(&akc->args, &akc->offer, &akc->why)) != 0 ||
	    (r = mk_root_open(akc->args.root, &akc->root, &akc->why)) != 0)
		return r;
	mk_log_open(&akc->root, IDENT, LOG_INFO);
	mk_log_debug(akc->args.debug);
	mk_log_echo(isatty(STDERR_FILENO) == 1);
	if ((r = mk_config_load(&akc->root, akc->args.config, &akc->config,
	    &akc->why)) != 0)
		return r;
	mk_log_level(akc->config.log_level);
	code = find_answer(akc);
	if (code != 0 && !akc->answered)
		akc_report_failure(&akc->why, akc->args.user);
	akc->why.code = 0;
	return finish(akc, code);
}

static void
release(struct akc *akc)
{
	if (akc->answered)
		mk_answer_release(&akc->answer);
	akc_gathered_release(&akc->gathered);
	mk_config_release(&akc->config);
	akc_offer_release(&akc->offer);
	mk_root_close(&akc->root);
	mk_log_close();
}

/* Its options read any file, so it lends its rights to nobody. */
static int
check_rights(struct mk_why *why)
{
	if (getuid() == geteuid() && getgid() == getegid())
		return 0;
	return mk_fail(why, MK_E_PERM, "rights", "this program must not be "
	    "set-user-ID or set-group-ID; run: chmod ug-s on it");
}

int
main(int argc, char *argv[])
{
	struct akc akc = { .root = { .fd = -1 } };
	int r;

	akc_report_begin();
	r = check_rights(&akc.why);
	if (r == 0)
		r = mk_process_limits(SECONDS_MAX, &akc.why);
	if (r == 0)
		r = parse_args(&akc.args, argc, argv);
	if (r == MK_E_USAGE || r == 1)
		return r == 1 ? 0 : mk_exit_code(r);
	if (r == 0)
		r = run(&akc);
	/* What nobody has reported yet. */
	if (r != 0 && akc.why.code != 0)
		akc_report_failure(&akc.why, akc.args.user);
	release(&akc);
	return mk_exit_code(r);
}
