/* SPDX-License-Identifier: ISC */
/*
 * Between the files that give up system calls: what filters are written
 * with.  Without MK_ARCH none can be written for this processor.
 */
#ifndef MK_EDGE_FILTER_H
#define MK_EDGE_FILTER_H

#include <sys/syscall.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include <stddef.h>

struct mk_why;

#if defined(__x86_64__)
#define MK_ARCH	AUDIT_ARCH_X86_64
#elif defined(__i386__)
#define MK_ARCH	AUDIT_ARCH_I386
#elif defined(__aarch64__) && defined(__AARCH64EL__)
#define MK_ARCH	AUDIT_ARCH_AARCH64
#elif defined(__arm__) && defined(__ARMEL__)
#define MK_ARCH	AUDIT_ARCH_ARM
#elif defined(__riscv) && __riscv_xlen == 64
#define MK_ARCH	AUDIT_ARCH_RISCV64
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
#define MK_ARCH	AUDIT_ARCH_PPC64LE
#elif defined(__s390x__)
#define MK_ARCH	AUDIT_ARCH_S390X
#endif

#ifdef MK_ARCH

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
	BPF_JUMP(BPF_JMP | BPF_K | (test), (unsigned)(value), (yes), (no))
#define FAIL(err)	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (err))
#define ALLOW		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define KILL		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)

/*
 * The beginning of each filter: another architecture's calls, which have
 * other numbers, end the process; then the number is loaded.
 */
#ifdef __x86_64__
#define FILTER_START \
	LOAD(arch), JUMP_IF(BPF_JEQ, MK_ARCH, 1, 0), KILL, \
	LOAD(nr), JUMP_IF(BPF_JGE, X32_BIT, 0, 1), KILL
#else
#define FILTER_START \
	LOAD(arch), JUMP_IF(BPF_JEQ, MK_ARCH, 1, 0), KILL, LOAD(nr)
#endif

#endif

/*
 * Installs a filter of 'n' instructions for good, where the kernel has
 * filters; new privileges are given up already.  MK_E_SYSTEM.
 */
int	mk_filter_install(const struct sock_filter *filter,
	    unsigned short n, struct mk_why *why);

#endif
