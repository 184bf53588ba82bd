/* SPDX-License-Identifier: ISC */
/*
 * meshkeys refresh: mesh-refresh(8) in our place.  What it is asked stands
 * behind "--", so that no name of a user is an option of it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/meshkeys.h"
#include "edge/sandbox.h"

#define REFRESHER	MK_LIBEXECDIR "/mesh-refresh"
#define OPTIONS_MAX	10	/* its own words, and the NULL */

static size_t
put_options(const struct meshkeys *m, const char **argv)
{
	size_t n = 0;

	argv[n++] = REFRESHER;
	if (m->place.config_file != NULL) {
		argv[n++] = "--config";
		argv[n++] = m->place.config_file;
	}
	if (m->place.root_dir != NULL) {
		argv[n++] = "--root";
		argv[n++] = m->place.root_dir;
	}
	if (m->json)
		argv[n++] = "--json";
	if (m->debug)
		argv[n++] = "--debug";
	if (m->dry_run)
		argv[n++] = "--dry-run";
	argv[n++] = "--";
	return n;
}

int
meshkeys_refresh(struct meshkeys *m)
{
	const char **argv = calloc((size_t)m->n_args + OPTIONS_MAX,
	    sizeof(*argv));
	size_t n;
	int i, e;

	if (argv == NULL)
		return mk_fail(&m->why, MK_E_SYSTEM, "memory",
		    "out of memory");
	n = put_options(m, argv);
	for (i = 0; i < m->n_args; i++)
		argv[n++] = m->args[i];
	mk_process_unlimit();
	(void)execv(REFRESHER, (char *const *)argv);
	e = mk_fail(&m->why, errno == ENOENT ? MK_E_CONFIG : MK_E_SYSTEM,
	    "refresh", "cannot run '" REFRESHER "': %s%s", strerror(errno),
	    errno == ENOENT ? "; install meshkeys whole" : "");
	free(argv);
	return e;
}
