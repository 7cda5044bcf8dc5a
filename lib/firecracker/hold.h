// SPDX-License-Identifier: Apache-2.0
/*
 * The hold: Firecracker stopped between its state file and its memory file.
 *
 * PUT /snapshot/create saves the devices and vCPUs, writes, syncs and closes the state file, and
 * only then opens the memory file for writing. If that is a named pipe without a reader, the thread
 * that emulates every device blocks in open(2), inside the call: nothing writes guest memory, and
 * the memory is exactly that of the state file. When the pipe is opened for reading, the thread's
 * ftruncate(2) fails, the call ends with status 400, and the VM is Paused as before, with its log
 * of dirty pages unchanged.
 * Source: src/vmm/src/persist.rs and vstate/vm.rs of Firecracker 1.10 to 1.16; measured on 1.16.1.
 *
 * By hand, `: <> FIFO` releases a held Firecracker.
 */
#ifndef FCP_FIRECRACKER_HOLD_H
#define FCP_FIRECRACKER_HOLD_H

#include "base/error.h"

struct fcp_hold_settings {
	const char *api_sock;
	const char *state_seen; /* the state file, which must exist, by its path for Firecracker */
	int state_fd;		/* the same file, open for reading; borrowed */
	const char *state_name; /* for messages */
	int directory;		/* where the pipe is created; borrowed */
	const char *fifo_name;	/* its name there */
	const char *fifo_seen;	/* its path for Firecracker */
	uid_t uid;		/* Firecracker's user, who must be able to open it */
	gid_t gid;
	uint32_t state_ms; /* limit for Firecracker to save its state */
	uint32_t end_ms;   /* limit for its answer, once released */
	int cancel_fd;
	const struct fcp_observer *observer; /* or NULL; called by a thread of the hold */
};

struct fcp_hold;

/*
 * Creates the pipe. Call it before the pause, so that what cannot work here (a file system without
 * named pipes) is found while the guest runs. A pipe left by a killed run is replaced.
 * FCP_ERR_UNSUPPORTED. Release *hold_ with fcp_hold_free().
 */
int fcp_hold_prepare(const struct fcp_hold_settings *settings, struct fcp_hold **hold_,
		     struct fcp_error *err);

/*
 * Asks Firecracker for a snapshot of its Paused VM, and returns at once. fcp_hold_end() must
 * follow. FCP_ERR_MEMORY.
 */
int fcp_hold_start(struct fcp_hold *hold, struct fcp_error *err);

/*
 * Waits until Firecracker has closed the state file, and checks it (firecracker/state_file.h). On
 * success Firecracker is held. FCP_ERR_UNSUPPORTED: it does not stop there, or its state file is
 * damaged; it can still write a snapshot itself. FCP_ERR_SERVER: it refused. FCP_ERR_TIMEOUT,
 * FCP_ERR_INTERRUPTED, FCP_ERR_PROTOCOL (it ended).
 */
int fcp_hold_wait(struct fcp_hold *hold, struct fcp_error *err);

/*
 * Is Firecracker still held? FCP_ERR_PROTOCOL: it has answered (another process opened the pipe, or
 * it has ended), and the memory read since fcp_hold_wait() is not consistent. Call it after the
 * last read.
 */
int fcp_hold_check(struct fcp_hold *hold, struct fcp_error *err);

/*
 * Releases Firecracker, waits for its answer, and removes the pipe. FCP_ERR_PROTOCOL: it was not
 * held all the time, or the answer is not that of a hold: the memory read is not consistent.
 * FCP_ERR_TIMEOUT: no answer. Safe to repeat; signals do not interrupt it.
 */
int fcp_hold_end(struct fcp_hold *hold, struct fcp_error *err);

/* Ends the hold if necessary, and frees it. NULL-safe. */
void fcp_hold_free(struct fcp_hold *hold);

#endif
