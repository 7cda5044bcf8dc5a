// SPDX-License-Identifier: Apache-2.0
/*
 * The hold: a Firecracker that stands still between its state file and its memory file.
 *
 * PUT /snapshot/create saves the devices and vCPUs, writes, syncs and closes the state file, and only
 * then opens the memory file for writing. Where that is a named pipe without a reader, the thread
 * that emulates every device waits in open(2), inside of the very call: nothing writes guest memory,
 * and it is the memory that belongs to the state file. When the pipe is opened for reading, the
 * thread's ftruncate(2) fails, the call ends with status 400, and the VM is Paused as before; the log of
 * dirty pages is as it was.
 * Source: src/vmm/src/persist.rs and vstate/vm.rs of Firecracker 1.10 to 1.16; measured on 1.16.1.
 *
 * By hand, a Firecracker that is held is let go by `: <> FIFO`.
 */
#ifndef FCP_FIRECRACKER_HOLD_H
#define FCP_FIRECRACKER_HOLD_H

#include "base/error.h"

struct fcp_hold_settings {
	const char *api_sock;
	const char *state_seen; /* the state file, which exists, as Firecracker sees its path */
	int state_fd;		/* the same file, open for reading; borrowed */
	const char *state_name; /* for messages */
	int directory;		/* where the pipe is made; borrowed */
	const char *fifo_name;	/* its name there */
	const char *fifo_seen;	/* its path for Firecracker */
	uid_t uid;		/* Firecracker's user, who must be able to open it */
	gid_t gid;
	uint32_t state_ms; /* for Firecracker to save its state */
	uint32_t end_ms;   /* for its answer, once it is let go */
	int cancel_fd;
	const struct fcp_observer
		*observer; /* or NULL; told of the request by a thread of our own */
};

struct fcp_hold;

/*
 * Makes the pipe. To be called before the pause: what cannot work here (a file system without named
 * pipes) is found while the guest runs. A pipe that a killed run left there is replaced.
 * FCP_ERR_UNSUPPORTED. Release *hold_ with fcp_hold_free().
 */
int fcp_hold_prepare(const struct fcp_hold_settings *settings, struct fcp_hold **hold_,
		     struct fcp_error *err);

/*
 * Asks the Paused VM's Firecracker for the snapshot, and returns at once. From here on fcp_hold_end() must be
 * called. FCP_ERR_MEMORY.
 */
int fcp_hold_start(struct fcp_hold *hold, struct fcp_error *err);

/*
 * Waits until Firecracker has closed the state file, and checks it (firecracker/state_file.h). On success
 * Firecracker is held. FCP_ERR_UNSUPPORTED: it does not stop there, or its state file does not check
 * out; it can write a snapshot of its own all the same. FCP_ERR_SERVER: it refused; FCP_ERR_TIMEOUT,
 * FCP_ERR_INTERRUPTED, FCP_ERR_PROTOCOL (it ended).
 */
int fcp_hold_wait(struct fcp_hold *hold, struct fcp_error *err);

/*
 * Is it held still? FCP_ERR_PROTOCOL when Firecracker has answered (somebody else opened the pipe, or it has
 * ended): what was read since fcp_hold_wait() is then no consistent memory. To be asked after the
 * last read.
 */
int fcp_hold_check(const struct fcp_hold *hold, struct fcp_error *err);

/*
 * Lets Firecracker go, waits for its answer, and removes the pipe. FCP_ERR_PROTOCOL when it was not held until
 * now, or the answer is not the one that belongs to a hold: what was read is then no consistent memory.
 * FCP_ERR_TIMEOUT when there is none. Safe to repeat; no signal cuts it short.
 */
int fcp_hold_end(struct fcp_hold *hold, struct fcp_error *err);

/* Ends it where that was not done, and frees it. NULL-safe. */
void fcp_hold_free(struct fcp_hold *hold);

#endif
