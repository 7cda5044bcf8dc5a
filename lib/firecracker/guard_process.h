// SPDX-License-Identifier: Apache-2.0
/* What the guard's process does. */
#ifndef FCP_FIRECRACKER_GUARD_PROCESS_H
#define FCP_FIRECRACKER_GUARD_PROCESS_H

#include "firecracker/guard.h"

#include <sys/un.h>

struct fcp_guard_job {
	int firecracker;	    /* pidfd; -1: unknown */
	pid_t firecracker_pid;	    /* 0: unknown */
	int socket_directory;	    /* O_PATH */
	struct sockaddr_un address; /* relative to it */
	int fifo_directory;	    /* -1 */
	char fifo_name[256];
	int lock_directory; /* -1: no lock */
	char lock_name[256];
	int lock;
};

/* Of a struct fcp_guard_job, FCP_UNDO_...: see base/guardian.h. */
void fcp_guard_put_back(const void *job, unsigned undo);

#endif
