// SPDX-License-Identifier: Apache-2.0
/* System calls that the program never makes. */
#include "base/seccomp.h"
#include "cmd/confine/parts.h"

#include <asm/sockios.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CLONE_NEW_NAMESPACES                                                           \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | \
	 CLONE_NEWPID | CLONE_NEWNET | 0x80 /* CLONE_NEWTIME */)

/* From <asm-generic/unistd.h>: the same on all architectures, but missing in older headers. */
#define CALL_PROCESS_MRELEASE 448
#define CALL_MOUNT_SETATTR 442

/* Other programs, other processes. */
static const struct fcp_seccomp_rule of_processes[] = {
	FCP_DENY(execve),
	FCP_DENY(execveat),
	FCP_DENY(process_vm_writev),
	FCP_DENY(process_madvise),
	{CALL_PROCESS_MRELEASE, FCP_SECCOMP_DENY, FCP_SECCOMP_ALWAYS, 0, 0},
	FCP_DENY(kcmp),
	FCP_DENY(pidfd_getfd),
	FCP_DENY(pidfd_send_signal),
	FCP_DENY(rt_sigqueueinfo),
	FCP_DENY(rt_tgsigqueueinfo),
	FCP_DENY(tkill),
	FCP_DENY(migrate_pages),
	FCP_DENY(move_pages),
	FCP_UNKNOWN(clone3),
	FCP_DENY_IF(clone, ANY_OF, 0, CLONE_NEW_NAMESPACES),
	FCP_DENY(unshare),
	FCP_DENY(setns),
#ifndef __SANITIZE_ADDRESS__ /* needed by the leak checker */
	FCP_DENY(ptrace),
	FCP_ALLOW_IF(prctl, EQUAL, 0, PR_SET_NAME),
	FCP_ALLOW_IF(prctl, EQUAL, 0, PR_SET_NO_NEW_PRIVS),
	FCP_DENY(prctl),
#endif
};

/* More rights, or another user. */
static const struct fcp_seccomp_rule of_rights[] = {
	FCP_DENY(capset),   FCP_DENY(setuid),	   FCP_DENY(setgid),	FCP_DENY(setreuid),
	FCP_DENY(setregid), FCP_DENY(setresuid),   FCP_DENY(setresgid), FCP_DENY(setgroups),
	FCP_DENY(setfsuid), FCP_DENY(setfsgid),	   FCP_DENY(add_key),	FCP_DENY(request_key),
	FCP_DENY(keyctl),   FCP_DENY(personality),
};

/* The state of the machine. */
static const struct fcp_seccomp_rule of_system[] = {
	FCP_DENY(mount),
	FCP_DENY(umount2),
	FCP_DENY(pivot_root),
	FCP_DENY(chroot),
	FCP_DENY(open_tree),
	FCP_DENY(move_mount),
	FCP_DENY(fsopen),
	FCP_DENY(fsconfig),
	FCP_DENY(fsmount),
	FCP_DENY(fspick),
	{CALL_MOUNT_SETATTR, FCP_SECCOMP_DENY, FCP_SECCOMP_ALWAYS, 0, 0},
	FCP_DENY(swapon),
	FCP_DENY(swapoff),
	FCP_DENY(acct),
	FCP_DENY(quotactl),
	FCP_DENY(reboot),
	FCP_DENY(kexec_load),
#ifdef SYS_kexec_file_load
	FCP_DENY(kexec_file_load),
#endif
	FCP_DENY(init_module),
	FCP_DENY(finit_module),
	FCP_DENY(delete_module),
	FCP_DENY(bpf),
	FCP_DENY(perf_event_open),
	FCP_DENY(fanotify_init),
	FCP_DENY(userfaultfd),
	FCP_DENY(io_uring_setup),
	FCP_DENY(io_uring_enter),
	FCP_DENY(io_uring_register),
	FCP_DENY(name_to_handle_at),
	FCP_DENY(open_by_handle_at),
	FCP_DENY(syslog),
	FCP_DENY(sethostname),
	FCP_DENY(setdomainname),
	FCP_DENY(settimeofday),
	FCP_DENY(clock_settime),
	FCP_DENY(clock_adjtime),
	FCP_DENY(adjtimex),
	FCP_DENY(vhangup),
#ifdef __x86_64__
	FCP_DENY(iopl),
	FCP_DENY(ioperm),
	FCP_DENY(modify_ldt),
#endif
};

/* Code that is not from a file; servers; another process's terminal. */
static const struct fcp_seccomp_rule of_own[] = {
	FCP_DENY_IF(mmap, ALL_OF, 2, PROT_WRITE | PROT_EXEC),
	FCP_DENY_IF(mprotect, ANY_OF, 2, PROT_EXEC),
	FCP_DENY_IF(pkey_mprotect, ANY_OF, 2, PROT_EXEC),
	FCP_DENY(memfd_create),
	FCP_DENY(bind),
	FCP_DENY(listen),
	FCP_DENY(accept),
	FCP_DENY(accept4),
	/* Can send a signal to any process. The owner of a lease may be set to none (0). */
	FCP_DENY_IF(fcntl, EQUAL, 1, F_SETOWN_EX),
	FCP_ALLOW_IF(fcntl, EQUAL, 2, 0),
	FCP_DENY_IF(fcntl, EQUAL, 1, F_SETOWN),
	FCP_DENY_IF(ioctl, EQUAL, 1, FIOSETOWN),
	FCP_DENY_IF(ioctl, EQUAL, 1, SIOCSPGRP),
	FCP_DENY_IF(ioctl, EQUAL, 1, TIOCSTI),
	FCP_DENY_IF(ioctl, EQUAL, 1, 0x541c /* TIOCLINUX */),
};

static const struct fcp_seccomp_rule of_local[] = {
	FCP_ALLOW_IF(socket, EQUAL, 0, AF_UNIX),
};

/* AF_NETLINK: getaddrinfo(3) reads the host's addresses. */
static const struct fcp_seccomp_rule of_internet[] = {
	FCP_ALLOW_IF(socket, EQUAL, 0, AF_INET),
	FCP_ALLOW_IF(socket, EQUAL, 0, AF_INET6),
	FCP_ALLOW_IF(socket, EQUAL, 0, AF_NETLINK),
};

static const struct fcp_seccomp_rule at_last[] = {
	FCP_DENY(socket),
};

int confine_calls(bool local, bool internet)
{
	const uint32_t self = (uint32_t)getpid();
	/* Signals only to itself; signal 0 checks whether a process exists. */
	const struct fcp_seccomp_rule of_signals[] = {
		FCP_DENY_IF(tgkill, NOT_EQUAL, 0, self),
		FCP_ALLOW_IF(kill, EQUAL, 0, self),
		FCP_ALLOW_IF(kill, EQUAL, 1, 0),
		FCP_DENY(kill),
	};
	const struct fcp_seccomp_table tables[] = {
		FCP_SECCOMP_TABLE(of_processes),
		FCP_SECCOMP_TABLE(of_signals),
		FCP_SECCOMP_TABLE(of_rights),
		FCP_SECCOMP_TABLE(of_system),
		FCP_SECCOMP_TABLE(of_own),
		{of_local, local ? sizeof(of_local) / sizeof(of_local[0]) : 0},
		{of_internet, internet ? sizeof(of_internet) / sizeof(of_internet[0]) : 0},
		FCP_SECCOMP_TABLE(at_last),
	};

	return fcp_seccomp_apply(tables, sizeof(tables) / sizeof(tables[0]), FCP_SECCOMP_ALLOW);
}
