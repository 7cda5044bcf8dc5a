// SPDX-License-Identifier: Apache-2.0
/*
 * A process that thaws the guest if ours dies before it has done so (SIGKILL, a crash): the guest
 * of a VM that runs must not stay frozen (base/guardian.h). It speaks HTTP to envd itself, at an
 * address that is an IP address: of others there is no guard.
 */
#ifndef FCP_STEPS_QUIESCE_GUARD_H
#define FCP_STEPS_QUIESCE_GUARD_H

#include "base/guardian.h"
#include "envd/token.h"

/* What to undo, the first first. */
enum {
	FCP_THAW_FS = 1 << 0,
	FCP_THAW_FS_BY_EXEC = 1 << 1, /* by fsfreeze(8) in the guest */
	FCP_THAW_WORKLOAD = 1 << 2,
};

/* Starts the guard, with nothing to undo; FCP_GUARDIAN_NONE stays where it cannot be started. */
void fcp_thaw_guard_start(const char *envd, const struct fcp_envd_token *token,
			  struct fcp_guardian *guard_);

#endif
