// SPDX-License-Identifier: Apache-2.0
/* What runs in the guard's process: system calls only, as other threads' locks were forked too. */
#ifndef FCP_FIRECRACKER_GUARD_PROCESS_H
#define FCP_FIRECRACKER_GUARD_PROCESS_H

#include "firecracker/guard.h"

#include <sys/un.h>

struct fcp_guard_job {
	int channel;	 /* a byte with FCP_UNDO_... each time it changes; ends with our parent */
	int parent;	 /* pidfd: a child of our parent's can hold the channel open; -1 */
	int firecracker; /* pidfd, -1: not known */
	pid_t firecracker_pid;	    /* 0: not known */
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
