/* SPDX-License-Identifier: ISC */
/*
 * The system calls that the process which keeps the stores gives up.  A
 * list of what is denied, not of what is left: it works with files, pipes
 * and signals for as long as the host is up, on a C library that may be
 * newer than this list, and must not die of a call that does no harm.
 */
#include <sys/ioctl.h>

#include <errno.h>

#include "core/err.h"
#include "edge/confine.h"
#include "edge/filter.h"

#ifdef MK_ARCH

#define DENY(nr)	JUMP_IF(BPF_JEQ, (nr), 0, 1), FAIL(EPERM)

/* As they stand in the first argument of socketcall. */
#define SOCKETCALL_SOCKETPAIR	8
#define SOCKETCALL_ACCEPT4	18

static const struct sock_filter keeper[] = {
	FILTER_START,
	/* The network, and any other process that listens. */
#ifdef __NR_socket
	DENY(__NR_socket),
	DENY(__NR_socketpair),
	DENY(__NR_connect),
	DENY(__NR_bind),
	DENY(__NR_listen),
#endif
#ifdef __NR_accept
	DENY(__NR_accept),
#endif
#ifdef __NR_accept4
	DENY(__NR_accept4),
#endif
#ifdef __NR_socketcall
	/* Behind that stands what is done with an open socket. */
	JUMP_IF(BPF_JEQ, __NR_socketcall, 0, 5),
	LOAD_ARG(0),
	JUMP_IF(BPF_JEQ, SOCKETCALL_ACCEPT4, 2, 0),
	JUMP_IF(BPF_JGT, SOCKETCALL_SOCKETPAIR, 0, 1),
	ALLOW,
	FAIL(EPERM),
#endif
	/* Typing into the terminal of root, who may have started us. */
	JUMP_IF(BPF_JEQ, __NR_ioctl, 0, 5),
	LOAD_ARG(1),
	JUMP_IF(BPF_JEQ, TIOCSTI, 2, 0),
	JUMP_IF(BPF_JEQ, TIOCLINUX, 1, 0),
	ALLOW,
	FAIL(EPERM),
	/* Programs and processes. */
	DENY(__NR_execve),
	DENY(__NR_execveat),
#ifdef __NR_fork
	DENY(__NR_fork),
#endif
#ifdef __NR_vfork
	DENY(__NR_vfork),
#endif
	DENY(__NR_clone),
#ifdef __NR_clone3
	/* Its arguments are out of reach; C libraries then take clone. */
	JUMP_IF(BPF_JEQ, __NR_clone3, 0, 1), FAIL(ENOSYS),
#endif
	DENY(__NR_ptrace),
	DENY(__NR_process_vm_readv),
	DENY(__NR_process_vm_writev),
#ifdef __NR_pidfd_getfd
	DENY(__NR_pidfd_getfd),
#endif
	DENY(__NR_personality),
	/* What the file system looks like, and files past their names. */
	DENY(__NR_mount),
	DENY(__NR_umount2),
	DENY(__NR_pivot_root),
	DENY(__NR_chroot),
	DENY(__NR_unshare),
	DENY(__NR_setns),
	DENY(__NR_open_by_handle_at),
#ifdef __NR_open_tree
	DENY(__NR_open_tree),
	DENY(__NR_move_mount),
	DENY(__NR_fsopen),
	DENY(__NR_fsconfig),
	DENY(__NR_fsmount),
	DENY(__NR_fspick),
#endif
#ifdef __NR_mount_setattr
	DENY(__NR_mount_setattr),
#endif
	/* Doors into the kernel; io_uring walks around this filter. */
	DENY(__NR_bpf),
	DENY(__NR_perf_event_open),
	DENY(__NR_userfaultfd),
	DENY(__NR_add_key),
	DENY(__NR_request_key),
	DENY(__NR_keyctl),
#ifdef __NR_io_uring_setup
	DENY(__NR_io_uring_setup),
	DENY(__NR_io_uring_enter),
	DENY(__NR_io_uring_register),
#endif
	DENY(__NR_init_module),
	DENY(__NR_finit_module),
	DENY(__NR_delete_module),
#ifdef __NR_kexec_load
	DENY(__NR_kexec_load),
#endif
#ifdef __NR_kexec_file_load
	DENY(__NR_kexec_file_load),
#endif
	/* The machine. */
	DENY(__NR_reboot),
	DENY(__NR_swapon),
	DENY(__NR_swapoff),
	DENY(__NR_acct),
	DENY(__NR_quotactl),
	DENY(__NR_sethostname),
	DENY(__NR_setdomainname),
#ifdef __NR_settimeofday
	DENY(__NR_settimeofday),
#endif
#ifdef __NR_clock_settime
	DENY(__NR_clock_settime),
#endif
#ifdef __NR_clock_settime64
	DENY(__NR_clock_settime64),
#endif
#ifdef __NR_iopl
	DENY(__NR_iopl),
	DENY(__NR_ioperm),
#endif
	ALLOW
};

int
mk_seccomp_keep(struct mk_why *why)
{
	return mk_filter_install(keeper, sizeof(keeper) / sizeof(keeper[0]),
	    why);
}

#else

int
mk_seccomp_keep(struct mk_why *why)
{
	(void)why;
	return MK_OK;
}

#endif
