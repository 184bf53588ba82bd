/* SPDX-License-Identifier: ISC */
/*
 * Landlock by its numbers, since the kernel that runs this may be newer
 * than the headers it was built with.
 */
#include <sys/syscall.h>

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "edge/confine.h"

/* The same on every architecture that has them at all (but alpha). */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset	444
#define SYS_landlock_add_rule		445
#define SYS_landlock_restrict_self	446
#endif

#define CREATE_VERSION	1u	/* LANDLOCK_CREATE_RULESET_VERSION */
#define PATH_BENEATH	1	/* LANDLOCK_RULE_PATH_BENEATH */

/* LANDLOCK_ACCESS_FS_*: reading files and directories. */
#define RIGHTS_FILE	(1u << 2)
#define RIGHTS_READ	(RIGHTS_FILE | 1u << 3)

/*
 * Writing, removing and making regular files, and truncating.  Renames in
 * one directory need no more; none leads from one to another.
 */
#define RIGHTS_WRITE	(RIGHTS_READ | 1u << 1 | 1u << 5 | 1u << 8 | 1u << 14)

#define NET_BIND	1u	/* LANDLOCK_ACCESS_NET_BIND_TCP */
#define SCOPE_SIGNAL	2u	/* LANDLOCK_SCOPE_SIGNAL */

static const unsigned rights_of[] = {
	[MK_PLACE_READ] = RIGHTS_READ,
	[MK_PLACE_WRITE] = RIGHTS_WRITE,
	[MK_PLACE_FILE] = RIGHTS_FILE
};

struct ruleset {
	uint64_t fs, net, scoped;
};

struct rule {
	uint64_t rights;
	int32_t fd;
} __attribute__((packed));

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

/* What this kernel can deny; false: it has no Landlock. */
static bool
know_version(struct ruleset *rules, size_t *size)
{
	long abi;
	size_t v;

	abi = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_VERSION);
	/* Not built in, turned off, or kept away by a container. */
	if (abi < 1)
		return false;
	v = ((size_t)abi > N_VERSIONS ? N_VERSIONS : (size_t)abi) - 1;
	rules->fs = bits(versions[v].fs_rights);
	rules->net = bits(versions[v].net_rights);
	rules->scoped = bits(versions[v].scopes);
	*size = versions[v].size;
	return true;
}

/* A rule may not name a right that the set of rules does not deny. */
static long
add_rules(long fd, const struct ruleset *rules,
    const struct mk_place *places, size_t n)
{
	struct rule rule;
	long r = 0;
	size_t i;

	for (i = 0; r == 0 && i < n; i++) {
		rule.rights = rules->fs & rights_of[places[i].use];
		rule.fd = places[i].fd;
		r = syscall(SYS_landlock_add_rule, fd, PATH_BENEATH, &rule,
		    0);
	}
	return r;
}

static int
restrict_self(const struct ruleset *rules, size_t size,
    const struct mk_place *places, size_t n, struct mk_why *why)
{
	long fd, r;

	fd = syscall(SYS_landlock_create_ruleset, rules, size, 0);
	if (fd < 0)
		return failed(why);
	r = add_rules(fd, rules, places, n);
	if (r == 0)
		r = syscall(SYS_landlock_restrict_self, fd, 0);
	if (r != 0)
		(void)failed(why);
	close((int)fd);
	return r == 0 ? MK_OK : MK_E_SYSTEM;
}

int
mk_landlock_close(struct mk_why *why)
{
	struct ruleset rules;
	size_t size;

	if (!know_version(&rules, &size))
		return MK_OK;
	return restrict_self(&rules, size, NULL, 0, why);
}

int
mk_landlock_keep(const struct mk_place *places, size_t n, struct mk_why *why)
{
	struct ruleset rules;
	size_t size;

	if (!know_version(&rules, &size))
		return MK_OK;
	/* A child that was started before is stopped by a signal. */
	rules.scoped &= ~(uint64_t)SCOPE_SIGNAL;
	return restrict_self(&rules, size, places, n, why);
}

int
mk_landlock_fetch(const struct mk_place *places, size_t n,
    struct mk_why *why)
{
	struct ruleset rules;
	size_t size;

	if (!know_version(&rules, &size))
		return MK_OK;
	rules.net &= NET_BIND;
	return restrict_self(&rules, size, places, n, why);
}
