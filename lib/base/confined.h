// SPDX-License-Identifier: Apache-2.0
/*
 * Work on hostile bytes in a thread that can do little else. It reads and writes what is open,
 * and maps memory; it opens no file, makes no socket, runs no program and starts no process, and
 * of other processes it reads the memory of one. Threads that it starts are confined like it. By
 * seccomp(2), so nothing of the calling thread changes.
 */
#ifndef FCP_BASE_CONFINED_H
#define FCP_BASE_CONFINED_H

#include "base/error.h"

struct fcp_confinement {
	bool confine; /* false: the work is an ordinary call */
	pid_t reads;  /* whose memory may be read (process_vm_readv); 0: no process */
};

/*
 * Returns what work returns, with its *err. It runs with all signals blocked. On a kernel without
 * seccomp it runs unconfined. FCP_ERR_UNSUPPORTED: no thread could be started, or not be confined.
 */
int fcp_confined_run(const struct fcp_confinement *confinement,
		     int (*work)(void *arg, struct fcp_error *err), void *arg,
		     struct fcp_error *err);

#endif
