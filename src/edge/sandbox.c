/* SPDX-License-Identifier: ISC */
#include "edge/sandbox.h"

#include <config.h>

#include <sys/resource.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "edge/confine.h"

#ifndef MK_SANDBOX
#error config.h says whether programs confine themselves
#endif

#if MK_SANDBOX
/* The first number of statm, in pages; 0 where /proc cannot be read. */
static uint64_t
pages_in_use(void)
{
	char text[32];
	uint64_t pages = 0;
	ssize_t i, n;
	int fd;

	fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return 0;
	n = read(fd, text, sizeof(text));
	close(fd);
	for (i = 0; i < n && text[i] >= '0' && text[i] <= '9'; i++)
		pages = pages * 10 + (uint64_t)(text[i] - '0');
	return pages;
}

static int
limit_memory(size_t memory, struct mk_why *why)
{
	uint64_t now = pages_in_use() * (uint64_t)sysconf(_SC_PAGESIZE);

	if (now == 0 || now + memory > (rlim_t)-1 / 2)
		return MK_OK;
	return mk_limit_lower(RLIMIT_AS, (rlim_t)(now + memory), why);
}

static int
confine(size_t memory, struct mk_why *why)
{
	int r;

	r = limit_memory(memory, why);
	if (r == MK_OK)
		r = mk_limit_lower(RLIMIT_NPROC, 0, why);
	if (r == MK_OK)
		r = mk_landlock_close(why);
	/* Last of the limits: Landlock needs a descriptor of its own. */
	if (r == MK_OK)
		r = mk_limit_lower(RLIMIT_NOFILE, 0, why);
	if (r == MK_OK)
		r = mk_seccomp_close(why);
	return r;
}
#else
/* The sanitizers need threads, files, and a terabyte of address space. */
static int
confine(size_t memory, struct mk_why *why)
{
	(void)memory, (void)why;
	return MK_OK;
}
#endif

int
mk_sandbox_close(size_t memory, size_t output, struct mk_why *why)
{
	int r;

	r = mk_privileges_close(why);
	if (r == MK_OK)
		r = mk_limit_lower(RLIMIT_CORE, 0, why);
	if (r == MK_OK)
		r = mk_limit_lower(RLIMIT_FSIZE, output, why);
	return r == MK_OK ? confine(memory, why) : r;
}
