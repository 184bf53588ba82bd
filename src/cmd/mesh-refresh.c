/* SPDX-License-Identifier: ISC */
/*
 * mesh-refresh(8) keeps the cache of profile sets current.
 *
 * Processes apart: what talks to the network writes nothing, and the one
 * that verifies and writes has no network.  Neither is trusted for any
 * key: mesh-authorized-keys(8) verifies all of it again at each login.
 */
#include <config.h>

#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/refresh.h"
#include "core/limits.h"
#include "edge/fetcher.h"
#include "edge/log.h"
#include "edge/sandbox.h"

static void
usage(FILE *out)
{
	fputs("usage: mesh-refresh [--config FILE] [--root DIR] [--dry-run] "
	    "[--jitter]\n"
	    "           [--json] [--debug] [USER | UDF ...]\n"
	    "       mesh-refresh [--config FILE] [--root DIR] [--jitter] "
	    "[--debug] --watch\n", out);
}

static void
help(void)
{
	usage(stdout);
	fputs("\n"
	    "Asks the portals for the profile sets of all mapped users, or "
	    "of those named,\n"
	    "and keeps in the cache what verifies and is newer.\n"
	    "\n"
	    "  --config FILE  read FILE instead of /etc/meshkeys/"
	    "meshkeys.conf\n"
	    "  --root DIR     take all files below DIR\n"
	    "  --dry-run      ask and verify, write nothing\n"
	    "  --jitter       wait up to a minute first, so that not all "
	    "hosts ask at once\n"
	    "  --watch        do not end: ask when a portal tells of a change, "
	    "and in turn\n"
	    "  --json         a summary on standard output\n"
	    "  --debug        show every message of the log on standard "
	    "error\n"
	    "  --help         show this text\n"
	    "  --version      show the version\n"
	    "\n"
	    "Exit status: 0 all current, 65 some set was refused, 75 some "
	    "portal failed or\n"
	    "another process held the lock too long, 64 usage, 66 nobody of "
	    "that name,\n"
	    "71 system error, 77 permission, 78 configuration.  "
	    "See mesh-refresh(8).\n",
	    stdout);
}

static int
usage_error(const char *what)
{
	fprintf(stderr, REFRESH_IDENT ": %s\n", what);
	usage(stderr);
	return MK_E_USAGE;
}

static int
check_args(const struct refresh *r)
{
	if (r->watch && (r->n_names > 0 || r->keep.dry_run || r->json))
		return usage_error("--watch takes no names, no --dry-run and "
		    "no --json");
	return 0;
}

/* 1: done, without a run. */
static int
parse_args(struct refresh *r, struct keep_place *place, int argc,
    char *argv[])
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "root", required_argument, NULL, 'r' },
		{ "dry-run", no_argument, NULL, 'n' },
		{ "jitter", no_argument, NULL, 'j' },
		{ "json", no_argument, NULL, 'J' },
		{ "watch", no_argument, NULL, 'w' },
		{ "debug", no_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 }
	};
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			place->config_file = optarg;
			break;
		case 'r':
			place->root_dir = optarg;
			break;
		case 'n':
			r->keep.dry_run = true;
			break;
		case 'j':
			r->jitter = true;
			break;
		case 'J':
			r->json = true;
			break;
		case 'd':
			r->debug = true;
			break;
		case 'w':
			r->watch = true;
			break;
		case 'h':
			help();
			return 1;
		case 'V':
			puts(PACKAGE_STRING);
			return 1;
		default:
			return usage_error("an option that is not known");
		}
	}
	r->names = argv + optind;
	r->n_names = (size_t)(argc - optind);
	return check_args(r);
}

static bool
has_network(const struct refresh_work *work)
{
	size_t i;

	for (i = 0; i < work->n_portals; i++) {
		if (work->portals[i].kind == MK_PORTAL_HTTP)
			return true;
	}
	return false;
}

static int
list_dirs(struct refresh *r, struct mk_why *why)
{
	const struct refresh_work *work = &r->work;
	struct refresh_dir *dir;
	size_t i;

	r->dirs = calloc(work->n_portals + 1, sizeof(*r->dirs));
	if (r->dirs == NULL)
		return mk_fail(why, MK_E_SYSTEM, "memory", "out of memory");
	for (i = 0; i < work->n_portals; i++) {
		if (work->portals[i].kind != MK_PORTAL_FILE)
			continue;
		dir = &r->dirs[r->n_dirs++];
		dir->path = strdup(mk_portal_dir(work->portals[i].url));
		if (dir->path == NULL)
			return mk_fail(why, MK_E_SYSTEM, "memory",
			    "out of memory");
		dir->id = mk_portal_dir_id(&r->keep.root, dir->path);
	}
	return 0;
}

/* One process that fetches sets, and for a watcher one that waits. */
static int
start_couriers(struct refresh *r, struct mk_why *why)
{
	const struct mk_fetch_limits fetch = { .body = r->keep.config.max_set,
	    .seconds = REFRESH_REQUEST, .connect_seconds = REFRESH_CONNECT,
	    .at_once = REFRESH_AT_ONCE };
	const struct mk_fetch_limits poll = { .body = MK_CHANGES_MAX,
	    .seconds = REFRESH_REQUEST, .connect_seconds = REFRESH_CONNECT,
	    .at_once = MK_COURIER_UNANSWERED,
	    .per_host = MK_COURIER_UNANSWERED };
	int e;

	if ((e = mk_courier_start(&fetch, mk_fetcher_confine,
	    &r->courier, why)) != 0)
		return e;
	r->has_courier = true;
	return r->watch ? mk_courier_start(&poll, mk_fetcher_confine,
	    &r->poller, why) : 0;
}

static int
confine(const struct refresh *r, struct mk_why *why)
{
	const char **paths = calloc(r->n_dirs + 1, sizeof(*paths));
	const struct mk_reach reach = {
		.config_file = r->keep.place.config_file,
		.dirs = paths, .n = r->n_dirs };
	size_t i;
	int e;

	if (paths == NULL)
		return mk_fail(why, MK_E_SYSTEM, "memory", "out of memory");
	for (i = 0; i < r->n_dirs; i++)
		paths[i] = r->dirs[i].path;
	e = mk_keeper_confine(&r->keep.root, &reach, why);
	free(paths);
	return e;
}

/* The fetching process first, while there is a network to give it. */
static int
separate(struct refresh *r, struct mk_why *why)
{
	int e;

	if ((e = list_dirs(r, why)) != 0 ||
	    (has_network(&r->work) && (e = start_couriers(r, why)) != 0))
		return e;
	return confine(r, why);
}

static int
prepare(struct refresh *r, const struct keep_place *place,
    struct mk_why *why)
{
	int e;

	r->talk = !r->watch && (isatty(STDERR_FILENO) == 1 || r->n_names > 0);
	mk_log_debug(r->debug);
	mk_log_echo(r->talk || isatty(STDERR_FILENO) == 1);
	if ((e = keep_become(&r->keep, place, why)) != 0)
		return e;
	/* Nothing happens in a dry run that a log should tell of. */
	if (r->keep.dry_run) {
		mk_log_close();
		mk_log_echo(true);
	}
	if (r->jitter)
		(void)sleep(randombytes_uniform(REFRESH_JITTER + 1));
	if (r->watch) {
		mk_notify_open(&r->notify);
		refresh_guard();
		mk_log_open(&r->keep.root, REFRESH_IDENT, LOG_INFO);
	}
	r->begun = refresh_now();
	/* The lookout before the map: no change may fall in between. */
	if ((e = keep_open(&r->keep, why)) != 0 ||
	    (r->watch && (e = mk_lookout_new(&r->keep.root,
	    place->config_file, &r->lookout, why)) != 0) ||
	    (e = refresh_work_make(r, &r->work, why)) != 0)
		return e;
	return separate(r, why);
}

static int
verdict(const struct refresh *r)
{
	if (r->results[REFRESH_REFUSED] > 0)
		return MK_E_REFUSED;
	return r->results[REFRESH_FAILED] > 0 ? MK_E_STALE : 0;
}

static int
run(struct refresh *r, struct mk_why *why)
{
	int e;

	if (r->watch)
		return refresh_watch(r, why);
	if ((e = refresh_once(r, why)) != 0)
		return e;
	refresh_prune(r);
	if ((e = refresh_summary(r, why)) != 0)
		return e;
	return verdict(r);
}

static void
release(struct refresh *r)
{
	size_t i;

	mk_courier_stop(&r->courier, 2000);
	mk_courier_stop(&r->poller, 2000);
	refresh_work_release(&r->work);
	mk_lookout_free(r->lookout);
	for (i = 0; i < r->n_dirs; i++)
		free(r->dirs[i].path);
	free(r->dirs);
	mk_notify_close(&r->notify);
	keep_close(&r->keep);
}

int
main(int argc, char *argv[])
{
	struct refresh r = { .keep = KEEP_CLOSED, .notify = { .fd = -1 } };
	struct keep_place place = { .ident = REFRESH_IDENT };
	struct mk_why why = { 0 };
	int e;

	e = mk_process_limits(0, &why);
	if (e == 0)
		e = parse_args(&r, &place, argc, argv);
	if (e == MK_E_USAGE || e == 1)
		return e == 1 ? 0 : mk_exit_code(e);
	if (e == 0 && sodium_init() == -1)
		e = mk_fail(&why, MK_E_SYSTEM, "start",
		    "cannot initialise libsodium");
	if (e == 0 && (e = prepare(&r, &place, &why)) == 0)
		e = run(&r, &why);
	/* What ends it is told to whoever started it; systemd has the log. */
	if (getenv("INVOCATION_ID") == NULL)
		mk_log_echo(true);
	if (why.code != 0 && e == why.code)
		mk_log(LOG_ERR, "%s: %s; event=refresh.error", why.stage,
		    why.detail);
	release(&r);
	return e == REFRESH_AGAIN ? e : mk_exit_code(e);
}
