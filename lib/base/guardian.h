// SPDX-License-Identifier: Apache-2.0
/*
 * A process that undoes what ours has done if ours dies first (SIGKILL, a crash). It has its own
 * session, blocks all signals, and holds only those of our descriptors that it needs. The caller's
 * wait(2) does not see it.
 */
#ifndef FCP_BASE_GUARDIAN_H
#define FCP_BASE_GUARDIAN_H

#include "base/error.h"

struct fcp_guardian {
	int channel; /* to the process; -1: not started */
	int pidfd;
};

#define FCP_GUARDIAN_NONE                  \
	{                                  \
		.channel = -1, .pidfd = -1 \
	}

#define FCP_GUARDIAN_FDS 5

struct fcp_guardian_duty {
	const char *name; /* of the process: 15 bytes at most */
	/*
	 * Runs in the process once ours has ended. undo is what it was told last, 0 if nothing.
	 * Makes system calls only: the process may have inherited locks held by other threads.
	 */
	void (*put_back)(const void *job, unsigned undo);
	const void *job;
	int fds[FCP_GUARDIAN_FDS]; /* that it needs; -1: none */
};

/*
 * Starts it, with nothing to undo. Forks this process, 0.4 ms for fcpause. The duty is borrowed for
 * the call only. FCP_ERR_IO: cannot fork.
 */
int fcp_guardian_start(const struct fcp_guardian_duty *duty, struct fcp_guardian *guardian_,
		       struct fcp_error *err);

/*
 * Sets what is undone when this process ends: bits that fit a byte, 0: nothing. FCP_ERR_IO: it has
 * ended. No-op on FCP_GUARDIAN_NONE.
 */
int fcp_guardian_set(const struct fcp_guardian *guardian, unsigned undo, struct fcp_error *err);

/* Ends it; nothing is undone. Safe on FCP_GUARDIAN_NONE. */
void fcp_guardian_end(struct fcp_guardian *guardian);

#endif
