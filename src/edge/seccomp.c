/* SPDX-License-Identifier: ISC */
/*
 * The system calls that are left: memory, clock, exit, and reading,
 * writing and closing what is open.  Calls for protection and for mapping
 * must not ask for executable pages.  Anything else ends the process.
 */
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "core/err.h"
#include "edge/confine.h"

#if defined(__x86_64__)
#define ARCH	AUDIT_ARCH_X86_64
#elif defined(__i386__)
#define ARCH	AUDIT_ARCH_I386
#elif defined(__aarch64__) && defined(__AARCH64EL__)
#define ARCH	AUDIT_ARCH_AARCH64
#elif defined(__arm__) && defined(__ARMEL__)
#define ARCH	AUDIT_ARCH_ARM
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCH	AUDIT_ARCH_RISCV64
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
#define ARCH	AUDIT_ARCH_PPC64LE
#elif defined(__s390x__)
#define ARCH	AUDIT_ARCH_S390X
#endif

#ifdef ARCH

#ifndef SECCOMP_RET_KILL_PROCESS
#define SECCOMP_RET_KILL_PROCESS	SECCOMP_RET_KILL
#endif

#define X32_BIT		0x40000000

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define LOW_HALF	4
#else
#define LOW_HALF	0
#endif
#define HIGH_HALF	(4 - LOW_HALF)

#define LOAD(member) \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, \
	    (unsigned)offsetof(struct seccomp_data, member))
#define LOAD_HALF(n, half) \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (half) + \
	    (unsigned)offsetof(struct seccomp_data, args[n]))
#define LOAD_ARG(n)	LOAD_HALF(n, LOW_HALF)
#define JUMP_IF(test, value, yes, no) \
	BPF_JUMP(BPF_JMP | BPF_K | (test), (value), (yes), (no))
#define ALLOW		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define KILL		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)

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

static const struct sock_filter filter[] = {
	LOAD(arch),
	JUMP_IF(BPF_JEQ, ARCH, 1, 0),
	KILL,
	LOAD(nr),
#ifdef __x86_64__
	JUMP_IF(BPF_JGE, X32_BIT, 0, 1),
	KILL,
#endif
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
	struct sock_filter copy[sizeof(filter) / sizeof(filter[0])];
	const struct sock_fprog program = {
		.len = sizeof(filter) / sizeof(filter[0]),
		.filter = copy
	};

	/* A kernel with filters misses the program; another knows no such. */
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL, 0, 0) == 0 ||
	    errno != EFAULT)
		return MK_OK;
	memcpy(copy, filter, sizeof(copy));
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
