// SPDX-License-Identifier: Apache-2.0
/*
 * A process that puts the VM back when ours dies without having done so (SIGKILL, a crash). It is
 * forked before the VM is touched, has a session of its own, blocks all signals, and holds none of
 * our descriptors but those that it needs. wait(2) of the caller's does not see it.
 */
#ifndef FCP_FIRECRACKER_GUARD_H
#define FCP_FIRECRACKER_GUARD_H

#include "base/lock.h"
#include "firecracker/client.h"

/* What is to be undone, in the reverse of the order in which it was done: the last one first. */
enum {
	FCP_UNDO_PAUSE = 1 << 0,   /* the VM runs again */
	FCP_UNDO_HINTING = 1 << 1, /* the hinting run is stopped */
	FCP_UNDO_FIFO = 1 << 2,	   /* Firecracker's open of the FIFO returns; the FIFO is removed */
};

struct fcp_guard_settings {
	const char *api_sock;
	const struct fcp_firecracker *firecracker; /* that has answered: the guard asks no other */
	int fifo_directory;			   /* of FCP_UNDO_FIFO; -1: not used */
	const char *fifo_name;			   /* in that directory; need not be there yet */
	/* The VM's: the guard holds it too until the VM is put back, and it has a note of what is
	 * to be undone, for the next run when both are killed. Borrowed until fcp_guard_end();
	 * NULL: none. */
	struct fcp_lock *lock;
};

struct fcp_guard {
	int channel; /* to the guard; -1: not started */
	int pidfd;
	struct fcp_lock *lock;
	char fifo[256]; /* its path; "" when it is not used, or longer */
};

#define FCP_GUARD_NONE                     \
	{                                  \
		.channel = -1, .pidfd = -1 \
	}

/*
 * Starts the guard, with nothing to undo. Takes a fork of this process, 0.4 ms for fcpause. All but
 * the lock is borrowed for the call only. FCP_ERR_IO where no process can be made.
 */
int fcp_guard_start(const struct fcp_guard_settings *settings, struct fcp_guard *guard_,
		    struct fcp_error *err);

/*
 * From here on this (FCP_UNDO_..., 0: nothing) is what the guard undoes when this process ends; say
 * so before it is done to the VM. FCP_ERR_IO when there is no guard any more. Nothing on
 * FCP_GUARD_NONE.
 */
int fcp_guard_set(struct fcp_guard *guard, unsigned undo, struct fcp_error *err);

/* The guard ends, nothing is undone, and nothing noted. Safe on FCP_GUARD_NONE. */
void fcp_guard_end(struct fcp_guard *guard);

static inline void fcp_cleanup_guard(struct fcp_guard *guard)
{
	fcp_guard_end(guard);
}

#endif
