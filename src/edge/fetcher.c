/* SPDX-License-Identifier: ISC */
#include "edge/fetcher.h"

#include <config.h>

#include <sys/prctl.h>
#include <sys/resource.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "edge/confine.h"

#ifndef MK_SANDBOX
#error config.h says whether programs confine themselves
#endif

#if MK_SANDBOX
/* Absent ones are passed over; links are followed. */
static const char *const trees[] = {
	"/etc",
	"/usr",
	"/lib", "/lib32", "/lib64", "/libx32",
	"/run/systemd/resolve",
	"/run/NetworkManager",
	"/run/resolvconf",
	"/run/netconfig",
	"/var/lib/ca-certificates"
};

static const char *const files[] = {
	"/dev/null",
	"/dev/random",
	"/dev/urandom"
};

#define N_TREES	(sizeof(trees) / sizeof(trees[0]))
#define N_FILES	(sizeof(files) / sizeof(files[0]))

static size_t
add_place(const char *path, bool file, struct mk_place *place)
{
	place->fd = open(path, O_PATH | O_CLOEXEC);
	place->use = file ? MK_PLACE_FILE : MK_PLACE_READ;
	return place->fd == -1 ? 0 : 1;
}

static int
close_files(struct mk_why *why)
{
	struct mk_place places[N_TREES + N_FILES];
	size_t i, n = 0;
	int r;

	for (i = 0; i < N_TREES; i++)
		n += add_place(trees[i], false, &places[n]);
	for (i = 0; i < N_FILES; i++)
		n += add_place(files[i], true, &places[n]);
	r = mk_landlock_fetch(places, n, why);
	for (i = 0; i < n; i++)
		close(places[i].fd);
	return r;
}
#endif

int
mk_fetcher_confine(struct mk_why *why)
{
	int r;

	/* It holds what strangers sent, and keys of TLS. */
	if ((r = mk_privileges_close(why)) != MK_OK ||
	    (r = mk_limit_lower(RLIMIT_CORE, 0, why)) != MK_OK)
		return r;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return mk_fail(why, MK_E_SYSTEM, "sandbox",
		    "cannot give up core dumps: %s", strerror(errno));
#if MK_SANDBOX
	if ((r = mk_limit_lower(RLIMIT_FSIZE, 0, why)) != MK_OK ||
	    (r = close_files(why)) != MK_OK)
		return r;
	r = mk_seccomp_fetch(why);
#endif
	return r;
}
