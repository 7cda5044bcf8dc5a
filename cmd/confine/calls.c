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

#define NEVER(name)                                                    \
	{                                                              \
		SYS_##name, FCP_SECCOMP_DENY, FCP_SECCOMP_ALWAYS, 0, 0 \
	}
#define ONLY(name, argument, value)                                               \
	{                                                                         \
		SYS_##name, FCP_SECCOMP_ALLOW, FCP_SECCOMP_EQUAL, argument, value \
	}
#define NOT_ANY_OF(name, argument, bits)                                         \
	{                                                                        \
		SYS_##name, FCP_SECCOMP_DENY, FCP_SECCOMP_ANY_OF, argument, bits \
	}
#define NOT_ALL_OF(name, argument, bits)                                         \
	{                                                                        \
		SYS_##name, FCP_SECCOMP_DENY, FCP_SECCOMP_ALL_OF, argument, bits \
	}
#define NOT(name, argument, value)                                               \
	{                                                                        \
		SYS_##name, FCP_SECCOMP_DENY, FCP_SECCOMP_EQUAL, argument, value \
	}
#define TABLE(rules)                                      \
	{                                                 \
		rules, sizeof(rules) / sizeof((rules)[0]) \
	}

#define CLONE_NEW_NAMESPACES                                                           \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | \
	 CLONE_NEWPID | CLONE_NEWNET | 0x80 /* CLONE_NEWTIME */)

/* From <asm-generic/unistd.h>: the same on all architectures, but missing in older headers. */
#define CALL_PROCESS_MRELEASE 448
#define CALL_MOUNT_SETATTR 442

/* Other programs, other processes. */
static const struct fcp_seccomp_rule of_processes[] = {
	NEVER(execve),
	NEVER(execveat),
	NEVER(process_vm_writev),
	NEVER(process_madvise),
	{CALL_PROCESS_MRELEASE, FCP_SECCOMP_DENY, FCP_SECCOMP_ALWAYS, 0, 0},
	NEVER(kcmp),
	NEVER(pidfd_getfd),
	NEVER(pidfd_send_signal),
	NEVER(rt_sigqueueinfo),
	NEVER(rt_tgsigqueueinfo),
	NEVER(tkill),
	NEVER(migrate_pages),
	NEVER(move_pages),
	/* Its flags are behind a pointer, which a filter cannot read; the C library falls back to
	 * clone(2). */
	{SYS_clone3, FCP_SECCOMP_UNKNOWN, FCP_SECCOMP_ALWAYS, 0, 0},
	NOT_ANY_OF(clone, 0, CLONE_NEW_NAMESPACES),
	NEVER(unshare),
	NEVER(setns),
#ifndef __SANITIZE_ADDRESS__ /* needed by the leak checker */
	NEVER(ptrace),
	ONLY(prctl, 0, PR_SET_NAME),
	ONLY(prctl, 0, PR_SET_NO_NEW_PRIVS),
	NEVER(prctl),
#endif
};

/* More rights, or another user. */
static const struct fcp_seccomp_rule of_rights[] = {
	NEVER(capset),	  NEVER(setuid),      NEVER(setgid),	NEVER(setreuid),    NEVER(setregid),
	NEVER(setresuid), NEVER(setresgid),   NEVER(setgroups), NEVER(setfsuid),    NEVER(setfsgid),
	NEVER(add_key),	  NEVER(request_key), NEVER(keyctl),	NEVER(personality),
};

/* The state of the machine. */
static const struct fcp_seccomp_rule of_system[] = {
	NEVER(mount),
	NEVER(umount2),
	NEVER(pivot_root),
	NEVER(chroot),
	NEVER(open_tree),
	NEVER(move_mount),
	NEVER(fsopen),
	NEVER(fsconfig),
	NEVER(fsmount),
	NEVER(fspick),
	{CALL_MOUNT_SETATTR, FCP_SECCOMP_DENY, FCP_SECCOMP_ALWAYS, 0, 0},
	NEVER(swapon),
	NEVER(swapoff),
	NEVER(acct),
	NEVER(quotactl),
	NEVER(reboot),
	NEVER(kexec_load),
#ifdef SYS_kexec_file_load
	NEVER(kexec_file_load),
#endif
	NEVER(init_module),
	NEVER(finit_module),
	NEVER(delete_module),
	NEVER(bpf),
	NEVER(perf_event_open),
	NEVER(fanotify_init),
	NEVER(userfaultfd),
	NEVER(io_uring_setup),
	NEVER(io_uring_enter),
	NEVER(io_uring_register),
	NEVER(name_to_handle_at),
	NEVER(open_by_handle_at),
	NEVER(syslog),
	NEVER(sethostname),
	NEVER(setdomainname),
	NEVER(settimeofday),
	NEVER(clock_settime),
	NEVER(clock_adjtime),
	NEVER(adjtimex),
	NEVER(vhangup),
#ifdef __x86_64__
	NEVER(iopl),
	NEVER(ioperm),
	NEVER(modify_ldt),
#endif
};

/* Code that is not from a file; servers; another process's terminal. */
static const struct fcp_seccomp_rule of_own[] = {
	NOT_ALL_OF(mmap, 2, PROT_WRITE | PROT_EXEC),
	NOT_ANY_OF(mprotect, 2, PROT_EXEC),
	NOT_ANY_OF(pkey_mprotect, 2, PROT_EXEC),
	NEVER(memfd_create),
	NEVER(bind),
	NEVER(listen),
	NEVER(accept),
	NEVER(accept4),
	/* Can send a signal to any process. The owner of a lease may be set to none (0). */
	NOT(fcntl, 1, F_SETOWN_EX),
	ONLY(fcntl, 2, 0),
	NOT(fcntl, 1, F_SETOWN),
	NOT(ioctl, 1, FIOSETOWN),
	NOT(ioctl, 1, SIOCSPGRP),
	NOT(ioctl, 1, TIOCSTI),
	NOT(ioctl, 1, 0x541c /* TIOCLINUX */),
};

static const struct fcp_seccomp_rule of_local[] = {
	ONLY(socket, 0, AF_UNIX),
};

/* AF_NETLINK: getaddrinfo(3) reads the host's addresses. */
static const struct fcp_seccomp_rule of_internet[] = {
	ONLY(socket, 0, AF_INET),
	ONLY(socket, 0, AF_INET6),
	ONLY(socket, 0, AF_NETLINK),
};

static const struct fcp_seccomp_rule at_last[] = {
	NEVER(socket),
};

int confine_calls(bool local, bool internet)
{
	const uint32_t self = (uint32_t)getpid();
	/* Signals only to itself; signal 0 checks whether a process exists. */
	const struct fcp_seccomp_rule of_signals[] = {
		{SYS_tgkill, FCP_SECCOMP_DENY, FCP_SECCOMP_NOT_EQUAL, 0, self},
		ONLY(kill, 0, self),
		ONLY(kill, 1, 0),
		NEVER(kill),
	};
	const struct fcp_seccomp_table tables[] = {
		TABLE(of_processes),
		TABLE(of_signals),
		TABLE(of_rights),
		TABLE(of_system),
		TABLE(of_own),
		{of_local, local ? sizeof(of_local) / sizeof(of_local[0]) : 0},
		{of_internet, internet ? sizeof(of_internet) / sizeof(of_internet[0]) : 0},
		TABLE(at_last),
	};

	return fcp_seccomp_apply(tables, sizeof(tables) / sizeof(tables[0]), FCP_SECCOMP_ALLOW);
}
