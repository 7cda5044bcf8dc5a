// SPDX-License-Identifier: Apache-2.0
/*
 * The guard's process. It makes system calls only: it may have inherited locks held by other
 * threads.
 */
#ifndef FCP_FIRECRACKER_GUARD_PROCESS_H
#define FCP_FIRECRACKER_GUARD_PROCESS_H

#include "firecracker/guard.h"

#include <sys/un.h>

struct fcp_guard_job {
	int channel;	 /* a byte of FCP_UNDO_... at each change; EOF when the parent ends */
	int parent;	 /* pidfd, since a child of the parent can keep the channel open; -1 */
	int firecracker; /* pidfd; -1: unknown */
	pid_t firecracker_pid;	    /* 0: unknown */
	int socket_directory;	    /* O_PATH */
	struct sockaddr_un address; /* relative to it */
	int fifo_directory;	    /* -1 */
	char fifo_name[256];
	int lock_directory; /* -1: no lock */
	char lock_name[256];
	int lock;
};

_Noreturn void fcp_guard_process(const struct fcp_guard_job *job);

#endif
