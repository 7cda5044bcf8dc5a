// SPDX-License-Identifier: Apache-2.0
/*
 * A process that thaws the guest if ours dies before it has done so (SIGKILL, a crash): the guest
 * of a VM that runs must not stay frozen. It is forked as Firecracker's guard is
 * (firecracker/guard.h), and speaks HTTP to envd itself, at an address that is an IP address: of
 * others there is no guard.
 */
#ifndef FCP_STEPS_QUIESCE_GUARD_H
#define FCP_STEPS_QUIESCE_GUARD_H

#include "envd/token.h"

/* What to undo, the first first. */
enum {
	FCP_THAW_FS = 1 << 0,
	FCP_THAW_FS_BY_EXEC = 1 << 1, /* by fsfreeze(8) in the guest */
	FCP_THAW_WORKLOAD = 1 << 2,
};

struct fcp_thaw_guard {
	int channel; /* to the guard; -1: there is none */
	int pidfd;
};

#define FCP_THAW_GUARD_NONE                \
	{                                  \
		.channel = -1, .pidfd = -1 \
	}

/* Starts the guard, with nothing to undo; what it cannot be started for leaves none. */
void fcp_thaw_guard_start(const char *envd, const struct fcp_envd_token *token,
			  struct fcp_thaw_guard *guard_);

/* Sets what the guard undoes when this process ends. Call it before the change to the guest. */
void fcp_thaw_guard_set(const struct fcp_thaw_guard *guard, unsigned undo);

/* Ends the guard; nothing is undone. Safe on FCP_THAW_GUARD_NONE. */
void fcp_thaw_guard_end(struct fcp_thaw_guard *guard);

#endif
