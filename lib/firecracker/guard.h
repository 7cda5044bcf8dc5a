// SPDX-License-Identifier: Apache-2.0
/*
 * A process that restores the VM's state if ours dies before it has done so (base/guardian.h). It
 * is forked before the VM is touched.
 */
#ifndef FCP_FIRECRACKER_GUARD_H
#define FCP_FIRECRACKER_GUARD_H

#include "base/guardian.h"
#include "base/lock.h"
#include "firecracker/client.h"

/* What to undo, in the reverse of the order in which it was done: the last first. */
enum {
	FCP_UNDO_PAUSE = 1 << 0,   /* resume the VM */
	FCP_UNDO_HINTING = 1 << 1, /* stop the hinting run */
	FCP_UNDO_FIFO = 1 << 2,	   /* unblock Firecracker's open of the FIFO, and remove the FIFO */
};

struct fcp_guard_settings {
	const char *api_sock;
	const struct fcp_firecracker
		*firecracker;  /* that has answered: the guard talks to no other process */
	int fifo_directory;    /* of FCP_UNDO_FIFO; -1: not used */
	const char *fifo_name; /* in that directory; need not exist yet */
	/*
	 * The VM's lock. The guard holds it too until the VM's state is restored, and its note says
	 * what to undo, for the next run if both are killed. Borrowed until fcp_guard_end(); NULL:
	 * none.
	 */
	struct fcp_lock *lock;
};

struct fcp_guard {
	struct fcp_guardian process;
	struct fcp_lock *lock;
	char fifo[256]; /* its path; "" if unused or longer */
};

#define FCP_GUARD_NONE                       \
	{                                    \
		.process = FCP_GUARDIAN_NONE \
	}

/* As fcp_guardian_start(). Everything but the lock is borrowed for the call only. */
int fcp_guard_start(const struct fcp_guard_settings *settings, struct fcp_guard *guard_,
		    struct fcp_error *err);

/*
 * Sets what the guard undoes when this process ends (FCP_UNDO_..., 0: nothing). Call it before the
 * change to the VM. FCP_ERR_IO: the guard has ended. No-op on FCP_GUARD_NONE.
 */
int fcp_guard_set(struct fcp_guard *guard, unsigned undo, struct fcp_error *err);

/* Ends the guard; nothing is undone, and the note is removed. Safe on FCP_GUARD_NONE. */
void fcp_guard_end(struct fcp_guard *guard);

static inline void fcp_cleanup_guard(struct fcp_guard *guard)
{
	fcp_guard_end(guard);
}

#endif
