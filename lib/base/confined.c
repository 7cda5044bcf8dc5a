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

/* <linux/fs.h> of Linux 6.7: _IOWR('f', 16, struct pm_scan_arg) */
#define PAGEMAP_SCAN_IOCTL 0xc0606610

static const struct fcp_seccomp_rule on_open_files[] = {
	FCP_ALLOW(read),
	FCP_ALLOW(write),
	FCP_ALLOW(readv),
	FCP_ALLOW(writev),
	FCP_ALLOW(pread64),
	FCP_ALLOW(pwrite64),
	FCP_ALLOW(preadv),
	FCP_ALLOW(pwritev),
	FCP_ALLOW(lseek),
	FCP_ALLOW(close),
	FCP_DENY_IF(fcntl, EQUAL, 1, F_SETOWN), /* a signal to any process */
	FCP_DENY_IF(fcntl, EQUAL, 1, F_SETOWN_EX),
	FCP_DENY_IF(fcntl, EQUAL, 1, F_SETSIG),
	FCP_ALLOW(fcntl),
	FCP_ALLOW(fstat),
	FCP_ALLOW_IF(newfstatat, ALL_OF, 3, AT_EMPTY_PATH),
	FCP_ALLOW_IF(statx, ALL_OF, 2, AT_EMPTY_PATH),
	FCP_ALLOW(fstatfs),
	FCP_ALLOW(fgetxattr),
	FCP_ALLOW(readlinkat), /* what a descriptor leads to, for messages */
#ifdef SYS_readlink
	FCP_ALLOW(readlink),
#endif
	FCP_ALLOW(fallocate),
	FCP_ALLOW(ftruncate),
	FCP_ALLOW(fsync),
	FCP_ALLOW(fdatasync),
	FCP_ALLOW(sync_file_range),
	FCP_ALLOW(copy_file_range),
	FCP_ALLOW(fadvise64),
	FCP_ALLOW(ppoll),
#ifdef SYS_poll
	FCP_ALLOW(poll),
#endif
	FCP_ALLOW_IF(ioctl, EQUAL, 1, FICLONE),
	FCP_ALLOW_IF(ioctl, EQUAL, 1, FICLONERANGE),
	FCP_ALLOW_IF(ioctl, EQUAL, 1, FS_IOC_FIEMAP),
	FCP_ALLOW_IF(ioctl, EQUAL, 1, PAGEMAP_SCAN_IOCTL),
	FCP_ALLOW_IF(ioctl, EQUAL, 1, TCGETS),
	FCP_ALLOW_IF(ioctl, EQUAL, 1, TIOCGWINSZ),
};

static const struct fcp_seccomp_rule on_own_memory[] = {
	FCP_DENY_IF(mmap, ANY_OF, 2, PROT_EXEC),
	FCP_ALLOW(mmap),
	FCP_DENY_IF(mprotect, ANY_OF, 2, PROT_EXEC),
	FCP_ALLOW(mprotect),
	FCP_ALLOW(munmap),
	FCP_ALLOW(mremap),
	FCP_ALLOW(madvise),
	FCP_ALLOW(mincore),
	FCP_ALLOW(brk),
};

static const struct fcp_seccomp_rule on_own_threads[] = {
	FCP_ALLOW_IF(clone, ALL_OF, 0, CLONE_VM | CLONE_THREAD),
	FCP_UNKNOWN(
		clone3), /* its flags lie behind a pointer; the C library goes on with clone(2) */
	FCP_ALLOW(set_robust_list),
	FCP_ALLOW(rseq),
	FCP_ALLOW(futex),
	FCP_ALLOW(sched_yield),
	FCP_ALLOW(sched_getaffinity),
	FCP_ALLOW(membarrier),
	FCP_ALLOW(getpid),
	FCP_ALLOW(gettid),
	FCP_ALLOW(rt_sigaction),
	FCP_ALLOW(rt_sigprocmask),
	FCP_ALLOW(rt_sigreturn),
	FCP_ALLOW(sigaltstack),
	FCP_ALLOW(restart_syscall),
	FCP_ALLOW(clock_gettime),
	FCP_ALLOW(clock_nanosleep),
	FCP_ALLOW(nanosleep),
	FCP_ALLOW(gettimeofday),
	FCP_ALLOW(getrandom),
	FCP_ALLOW(sysinfo),
	FCP_ALLOW(exit),
	FCP_ALLOW(exit_group),
};

static int apply_filter(pid_t reads)
{
	const struct fcp_seccomp_rule on_processes[] = {
		FCP_ALLOW_IF(process_vm_readv, EQUAL, 0, (uint32_t)reads),
		FCP_ALLOW_IF(tgkill, EQUAL, 0, (uint32_t)getpid()), /* abort(3) */
		FCP_ALLOW_IF(kill, EQUAL, 0, (uint32_t)getpid()),
	};
	const struct fcp_seccomp_table tables[] = {
		FCP_SECCOMP_TABLE(on_open_files),
		FCP_SECCOMP_TABLE(on_own_memory),
		FCP_SECCOMP_TABLE(on_own_threads),
		FCP_SECCOMP_TABLE(on_processes),
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
