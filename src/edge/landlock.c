/* SPDX-License-Identifier: ISC */
/*
 * Landlock by its numbers, since the kernel that runs this may be newer
 * than the headers it was built with.
 */
#include <sys/syscall.h>

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "edge/confine.h"

/* The same on every architecture that has them at all (but alpha). */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset	444
#define SYS_landlock_restrict_self	446
#endif

#define CREATE_VERSION	1u	/* LANDLOCK_CREATE_RULESET_VERSION */

struct ruleset {
	uint64_t fs, net, scoped;
};

/* What each version of the interface can deny, from the first one on. */
static const struct {
	unsigned fs_rights, net_rights, scopes;
	size_t size;
} versions[] = {
	{ 13, 0, 0, 8 },	/* files and directories */
	{ 14, 0, 0, 8 },	/* linking between directories */
	{ 15, 0, 0, 8 },	/* truncating */
	{ 15, 2, 0, 16 },	/* TCP */
	{ 16, 2, 0, 16 },	/* ioctl of devices */
	{ 16, 2, 2, 24 }	/* abstract sockets, signals */
};

#define N_VERSIONS	(sizeof(versions) / sizeof(versions[0]))

static uint64_t
bits(unsigned n)
{
	return ((uint64_t)1 << n) - 1;
}

static int
failed(struct mk_why *why)
{
	return mk_fail(why, MK_E_SYSTEM, "sandbox",
	    "cannot give up the file system: %s", strerror(errno));
}

int
mk_landlock_close(struct mk_why *why)
{
	struct ruleset rules;
	size_t v;
	long abi, fd, r;

	abi = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_VERSION);
	/* Not built in, turned off, or kept away by a container. */
	if (abi < 1)
		return MK_OK;
	v = ((size_t)abi > N_VERSIONS ? N_VERSIONS : (size_t)abi) - 1;
	rules.fs = bits(versions[v].fs_rights);
	rules.net = bits(versions[v].net_rights);
	rules.scoped = bits(versions[v].scopes);
	fd = syscall(SYS_landlock_create_ruleset, &rules, versions[v].size,
	    0);
	if (fd < 0)
		return failed(why);
	r = syscall(SYS_landlock_restrict_self, fd, 0);
	if (r != 0)
		(void)failed(why);
	close((int)fd);
	return r == 0 ? MK_OK : MK_E_SYSTEM;
}
