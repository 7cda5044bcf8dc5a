// SPDX-License-Identifier: Apache-2.0
#include "base/confined.h"

#include "base/seccomp.h"
#include "base/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ALLOW(name)                                                     \
	{                                                               \
		SYS_##name, FCP_SECCOMP_ALLOW, FCP_SECCOMP_ALWAYS, 0, 0 \
	}
#define ALLOW_IF(name, argument, value)                                           \
	{                                                                         \
		SYS_##name, FCP_SECCOMP_ALLOW, FCP_SECCOMP_EQUAL, argument, value \
	}
#define ALLOW_WITH(name, argument, bits)                                          \
	{                                                                         \
		SYS_##name, FCP_SECCOMP_ALLOW, FCP_SECCOMP_ALL_OF, argument, bits \
	}
#define DENY_IF(name, argument, value)                                           \
	{                                                                        \
		SYS_##name, FCP_SECCOMP_DENY, FCP_SECCOMP_EQUAL, argument, value \
	}
#define DENY_WITH(name, argument, bits)                                          \
	{                                                                        \
		SYS_##name, FCP_SECCOMP_DENY, FCP_SECCOMP_ANY_OF, argument, bits \
	}
#define UNKNOWN(name)                                                     \
	{                                                                 \
		SYS_##name, FCP_SECCOMP_UNKNOWN, FCP_SECCOMP_ALWAYS, 0, 0 \
	}

/* <linux/fs.h> of Linux 6.7: _IOWR('f', 16, struct pm_scan_arg) */
#define PAGEMAP_SCAN_IOCTL 0xc0606610

static const struct fcp_seccomp_rule on_open_files[] = {
	ALLOW(read),
	ALLOW(write),
	ALLOW(readv),
	ALLOW(writev),
	ALLOW(pread64),
	ALLOW(pwrite64),
	ALLOW(preadv),
	ALLOW(pwritev),
	ALLOW(lseek),
	ALLOW(close),
	DENY_IF(fcntl, 1, F_SETOWN), /* a signal to any process */
	DENY_IF(fcntl, 1, F_SETOWN_EX),
	DENY_IF(fcntl, 1, F_SETSIG),
	ALLOW(fcntl),
	ALLOW(fstat),
	ALLOW_WITH(newfstatat, 3, AT_EMPTY_PATH),
	ALLOW_WITH(statx, 2, AT_EMPTY_PATH),
	ALLOW(fstatfs),
	ALLOW(fgetxattr),
	ALLOW(readlinkat), /* what a descriptor leads to, for messages */
#ifdef SYS_readlink
	ALLOW(readlink),
#endif
	ALLOW(fallocate),
	ALLOW(ftruncate),
	ALLOW(fsync),
	ALLOW(fdatasync),
	ALLOW(sync_file_range),
	ALLOW(copy_file_range),
	ALLOW(fadvise64),
	ALLOW(ppoll),
#ifdef SYS_poll
	ALLOW(poll),
#endif
	ALLOW_IF(ioctl, 1, FICLONE),
	ALLOW_IF(ioctl, 1, FICLONERANGE),
	ALLOW_IF(ioctl, 1, FS_IOC_FIEMAP),
	ALLOW_IF(ioctl, 1, PAGEMAP_SCAN_IOCTL),
	ALLOW_IF(ioctl, 1, TCGETS),
	ALLOW_IF(ioctl, 1, TIOCGWINSZ),
};

static const struct fcp_seccomp_rule on_own_memory[] = {
	DENY_WITH(mmap, 2, PROT_EXEC),
	ALLOW(mmap),
	DENY_WITH(mprotect, 2, PROT_EXEC),
	ALLOW(mprotect),
	ALLOW(munmap),
	ALLOW(mremap),
	ALLOW(madvise),
	ALLOW(mincore),
	ALLOW(brk),
};

static const struct fcp_seccomp_rule on_own_threads[] = {
	ALLOW_WITH(clone, 0, CLONE_VM | CLONE_THREAD),
	UNKNOWN(clone3), /* its flags lie behind a pointer; the C library goes on with clone(2) */
	ALLOW(set_robust_list),
	ALLOW(rseq),
	ALLOW(futex),
	ALLOW(sched_yield),
	ALLOW(sched_getaffinity),
	ALLOW(membarrier),
	ALLOW(getpid),
	ALLOW(gettid),
	ALLOW(rt_sigaction),
	ALLOW(rt_sigprocmask),
	ALLOW(rt_sigreturn),
	ALLOW(sigaltstack),
	ALLOW(restart_syscall),
	ALLOW(clock_gettime),
	ALLOW(clock_nanosleep),
	ALLOW(nanosleep),
	ALLOW(gettimeofday),
	ALLOW(getrandom),
	ALLOW(sysinfo),
	ALLOW(exit),
	ALLOW(exit_group),
};

#define TABLE(rules)                                      \
	{                                                 \
		rules, sizeof(rules) / sizeof((rules)[0]) \
	}

static int apply_filter(pid_t reads)
{
	const struct fcp_seccomp_rule on_processes[] = {
		ALLOW_IF(process_vm_readv, 0, (uint32_t)reads),
		ALLOW_IF(tgkill, 0, (uint32_t)getpid()), /* abort(3) */
		ALLOW_IF(kill, 0, (uint32_t)getpid()),
	};
	const struct fcp_seccomp_table tables[] = {
		TABLE(on_open_files),
		TABLE(on_own_memory),
		TABLE(on_own_threads),
		TABLE(on_processes),
	};

	return fcp_seccomp_apply(tables, sizeof(tables) / sizeof(tables[0]), FCP_SECCOMP_DENY);
}

struct confined_call {
	pid_t reads;
	int (*work)(void *arg, struct fcp_error *err);
	void *arg;
	struct fcp_error *err;
	int returned;
};

static void *run_confined(void *arg)
{
	struct confined_call *call = arg;
	int errnum = apply_filter(call->reads);

	if (errnum == 0 || errnum == ENOSYS || errnum == EINVAL)
		call->returned = call->work(call->arg, call->err);
	else
		call->returned =
			fcp_error_set(call->err, FCP_ERR_UNSUPPORTED, errnum, "a seccomp filter");
	return NULL;
}

int fcp_confined_run(const struct fcp_confinement *confinement,
		     int (*work)(void *arg, struct fcp_error *err), void *arg,
		     struct fcp_error *err)
{
	struct confined_call call = {confinement->reads, work, arg, err, -1};
	pthread_t thread;
	int errnum;

	if (!confinement->confine)
		return work(arg, err);
	errnum = fcp_thread_start(&thread, run_confined, &call);
	if (errnum != 0)
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, errnum,
				     "a thread that reads guest memory");
	pthread_join(thread, NULL);
	return call.returned;
}
