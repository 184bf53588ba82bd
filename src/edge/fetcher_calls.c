/* SPDX-License-Identifier: ISC */
/*
 * A list of what is denied, since name resolution loads modules of the
 * system that call more than we know.  They get an error, not a signal:
 * most of them have another way.
 */
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "core/err.h"
#include "edge/confine.h"
#include "edge/filter.h"

#ifdef MK_ARCH

/* Since 5.1 calls have one number on all of these architectures. */
#define NR_PIDFD_SEND_SIGNAL	424
#define NR_IO_URING_SETUP	425
#define NR_IO_URING_ENTER	426
#define NR_IO_URING_REGISTER	427
#define NR_OPEN_TREE		428
#define NR_MOVE_MOUNT		429
#define NR_FSOPEN		430
#define NR_FSCONFIG		431
#define NR_FSMOUNT		432
#define NR_FSPICK		433
#define NR_OPENAT2		437
#define NR_PIDFD_GETFD		438
#define NR_PROCESS_MADVISE	440
#define NR_MOUNT_SETATTR	442
#define NR_FCHMODAT2		452

#define FOR_WRITING \
	(O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY))

/* Whoever needs one of them is not fetching. */
static const unsigned denied[] = {
	/* Other programs, and other processes. */
	__NR_execve, __NR_execveat, __NR_ptrace,
	__NR_process_vm_readv, __NR_process_vm_writev, NR_PROCESS_MADVISE,
	NR_PIDFD_GETFD, NR_PIDFD_SEND_SIGNAL, __NR_kill, __NR_tkill,
	__NR_tgkill, __NR_rt_sigqueueinfo, __NR_rt_tgsigqueueinfo,
	/* Other views of the system. */
	__NR_mount, __NR_umount2, NR_OPEN_TREE, NR_MOVE_MOUNT, NR_FSOPEN,
	NR_FSCONFIG, NR_FSMOUNT, NR_FSPICK, NR_MOUNT_SETATTR,
	__NR_unshare, __NR_setns, __NR_chroot, __NR_pivot_root,
	__NR_open_by_handle_at, __NR_name_to_handle_at,
	/* Parts of the kernel that much was found in. */
	__NR_bpf, NR_IO_URING_SETUP, NR_IO_URING_ENTER,
	NR_IO_URING_REGISTER, __NR_keyctl, __NR_add_key, __NR_request_key,
	__NR_perf_event_open, __NR_userfaultfd, __NR_personality,
	/* The machine. */
#ifdef __NR_kexec_load
	__NR_kexec_load,
#endif
#ifdef __NR_kexec_file_load
	__NR_kexec_file_load,
#endif
	__NR_init_module, __NR_finit_module, __NR_delete_module,
	__NR_reboot, __NR_swapon, __NR_swapoff, __NR_acct, __NR_quotactl,
	__NR_sethostname, __NR_setdomainname, __NR_syslog,
	__NR_settimeofday, __NR_clock_settime, __NR_adjtimex,
	/* Names, contents and rights of files; the last not by Landlock. */
#ifdef __NR_creat
	__NR_creat,
#endif
#ifdef __NR_unlink
	__NR_unlink, __NR_rmdir, __NR_mkdir, __NR_mknod, __NR_link,
	__NR_symlink, __NR_chmod, __NR_chown, __NR_lchown,
#endif
#ifdef __NR_rename
	__NR_rename,
#endif
#ifdef __NR_renameat
	__NR_renameat,
#endif
	__NR_renameat2, __NR_unlinkat, __NR_mkdirat, __NR_mknodat,
	__NR_linkat, __NR_symlinkat, __NR_truncate, __NR_fchmod,
	__NR_fchmodat, NR_FCHMODAT2, __NR_fchown, __NR_fchownat,
	__NR_setxattr, __NR_lsetxattr, __NR_fsetxattr, __NR_removexattr,
	__NR_lremovexattr, __NR_fremovexattr
};

#define N_DENIED	(sizeof(denied) / sizeof(denied[0]))

/* The argument with the flags of an open. */
#define DENY_WRITING(nr, n) \
	JUMP_IF(BPF_JEQ, (nr), 0, 4), LOAD_ARG(n), \
	JUMP_IF(BPF_JSET, FOR_WRITING, 0, 1), FAIL(EPERM), ALLOW

static const struct sock_filter head[] = {
	FILTER_START,
	/* Its flags are behind a pointer; callers fall back to openat. */
	JUMP_IF(BPF_JEQ, NR_OPENAT2, 0, 1),
	FAIL(ENOSYS),
	DENY_WRITING(__NR_openat, 2),
#ifdef __NR_open
	DENY_WRITING(__NR_open, 1),
#endif
	/* What limits another process has is not ours to set. */
	JUMP_IF(BPF_JEQ, __NR_prlimit64, 0, 4),
	LOAD_ARG(0),
	JUMP_IF(BPF_JEQ, 0, 1, 0),
	FAIL(EPERM),
	ALLOW,
	/* Through socketcall(2) of old C libraries they cannot be seen. */
#ifdef __NR_socket
	JUMP_IF(BPF_JEQ, __NR_socket, 0, 7),
	LOAD_ARG(0),
	JUMP_IF(BPF_JEQ, AF_INET, 4, 0),
	JUMP_IF(BPF_JEQ, AF_INET6, 3, 0),
	JUMP_IF(BPF_JEQ, AF_UNIX, 2, 0),
	JUMP_IF(BPF_JEQ, AF_NETLINK, 1, 0),
	FAIL(EPERM),
	ALLOW,
#endif
};

#define N_HEAD		(sizeof(head) / sizeof(head[0]))

static unsigned short
build(struct sock_filter *p)
{
	const struct sock_filter deny = FAIL(EPERM), allow = ALLOW;
	struct sock_filter *first = p;
	size_t i;

	memcpy(p, head, sizeof(head));
	p += N_HEAD;
	for (i = 0; i < N_DENIED; i++) {
		*p++ = (struct sock_filter)
		    JUMP_IF(BPF_JEQ, denied[i], 0, 1);
		*p++ = deny;
	}
	*p++ = allow;
	return (unsigned short)(p - first);
}

int
mk_seccomp_fetch(struct mk_why *why)
{
	struct sock_filter filter[N_HEAD + 2 * N_DENIED + 1];

	return mk_filter_install(filter, build(filter), why);
}

#else

int
mk_seccomp_fetch(struct mk_why *why)
{
	(void)why;
	return MK_OK;
}

#endif
