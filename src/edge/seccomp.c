/* SPDX-License-Identifier: ISC */
/*
 * The system calls that are left: memory, clock, exit, and reading,
 * writing and closing what is open.  Calls for protection and for mapping
 * must not ask for executable pages.  Anything else ends the process.
 */
#include <sys/mman.h>
#include <sys/prctl.h>

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "core/err.h"
#include "edge/confine.h"
#include "edge/filter.h"

#ifdef MK_ARCH

#define ALLOW_CALL(nr)	JUMP_IF(BPF_JEQ, (nr), 0, 1), ALLOW

/* The third argument of mmap and mprotect. */
#define ALLOW_UNLESS_EXEC(nr) \
	JUMP_IF(BPF_JEQ, (nr), 0, 4), LOAD_ARG(2), \
	JUMP_IF(BPF_JSET, PROT_EXEC, 0, 1), KILL, ALLOW

/* The fifth argument of sendto: NULL for who the socket is connected to. */
#define ALLOW_UNADDRESSED(nr) \
	JUMP_IF(BPF_JEQ, (nr), 0, 6), LOAD_HALF(4, LOW_HALF), \
	JUMP_IF(BPF_JEQ, 0, 0, 3), LOAD_HALF(4, HIGH_HALF), \
	JUMP_IF(BPF_JEQ, 0, 0, 1), ALLOW, KILL

#define SOCKETCALL_SEND		9

static const struct sock_filter computation[] = {
	FILTER_START,
	ALLOW_CALL(__NR_read),
	ALLOW_CALL(__NR_write),
	ALLOW_CALL(__NR_writev),
	ALLOW_CALL(__NR_close),
	/* To the log alone, not to any socket that has a path. */
#ifdef __NR_sendto
	ALLOW_UNADDRESSED(__NR_sendto),
#endif
#ifdef __NR_send
	ALLOW_CALL(__NR_send),
#endif
	ALLOW_CALL(__NR_brk),
	ALLOW_CALL(__NR_munmap),
	ALLOW_CALL(__NR_mremap),
	ALLOW_CALL(__NR_madvise),
	ALLOW_UNLESS_EXEC(__NR_mprotect),
	/* Where mmap takes one pointer, its flags cannot be seen from here. */
#ifdef __NR_mmap2
	ALLOW_UNLESS_EXEC(__NR_mmap2),
#elif defined(__s390x__)
	ALLOW_CALL(__NR_mmap),
#else
	ALLOW_UNLESS_EXEC(__NR_mmap),
#endif
	ALLOW_CALL(__NR_getrandom),
#ifdef __NR_futex
	ALLOW_CALL(__NR_futex),
#endif
#ifdef __NR_clock_gettime
	ALLOW_CALL(__NR_clock_gettime),
#endif
#ifdef __NR_clock_gettime64
	ALLOW_CALL(__NR_clock_gettime64),
#endif
	ALLOW_CALL(__NR_restart_syscall),
#ifdef __NR_sigreturn
	ALLOW_CALL(__NR_sigreturn),
#endif
	ALLOW_CALL(__NR_rt_sigreturn),
	ALLOW_CALL(__NR_exit),
	ALLOW_CALL(__NR_exit_group),
#ifdef __NR_socketcall
	JUMP_IF(BPF_JEQ, __NR_socketcall, 0, 3),
	LOAD_ARG(0),
	JUMP_IF(BPF_JEQ, SOCKETCALL_SEND, 0, 1),
	ALLOW,
#endif
	KILL
};

int
mk_seccomp_close(struct mk_why *why)
{
	return mk_filter_install(computation,
	    sizeof(computation) / sizeof(computation[0]), why);
}

int
mk_filter_install(const struct sock_filter *filter, unsigned short n,
    struct mk_why *why)
{
	const struct sock_fprog program = {
		.len = n,
		.filter = (struct sock_filter *)filter
	};

	/* A kernel with filters misses the program; another knows no such. */
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL, 0, 0) == 0 ||
	    errno != EFAULT)
		return MK_OK;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0)
		return MK_OK;
	return mk_fail(why, MK_E_SYSTEM, "sandbox",
	    "cannot give up system calls: %s", strerror(errno));
}

#else

int
mk_seccomp_close(struct mk_why *why)
{
	(void)why;
	return MK_OK;
}

#endif
