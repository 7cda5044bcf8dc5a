// SPDX-License-Identifier: Apache-2.0
/* The guest's side of a pause: what is frozen before it, and thawed when the VM runs on. */
#ifndef FCP_STEPS_QUIESCE_QUIESCE_H
#define FCP_STEPS_QUIESCE_QUIESCE_H

#include "steps/quiesce/guard.h"

struct fcp_quiesce {
	const struct fcp_quiesce_settings *settings; /* NULL: off */
	struct fcp_quiesce_result *result;
	const char *skip_reason; /* why nothing is done to this VM; NULL: what is on is done */
	struct fcp_envd_token token;
	bool has_token; /* it was read, even if there is none to send */
	/* By us, or it cannot be ruled out. */
	bool frozen, fs_frozen;
	struct fcp_guardian guard;
};

#define FCP_QUIESCE_NONE                    \
	{                                   \
		.guard = FCP_GUARDIAN_NONE, \
	}

/*
 * Sets all outcomes to skipped, and reads the token where something is on. It fails where the file
 * system cannot be frozen as is asked for: FCP_ERR_STATE, or the errors of fcp_envd_token_read();
 * and for an interruption.
 */
int fcp_quiesce_begin(struct fcp_quiesce *quiesce, struct fcp_error *err);

/* Freezes the workload and collapses envd's heap, as is asked for: -1 for an interruption only. */
int fcp_quiesce_workload(struct fcp_quiesce *quiesce, struct fcp_error *err);

/* Freezes the file system, if that is asked for. After -1 it may be frozen. */
int fcp_quiesce_file_system(struct fcp_quiesce *quiesce, struct fcp_error *err);

/*
 * Thaws what may be frozen, in the reverse order, in a VM that runs; not interrupted, 10 s each at
 * most. FCP_ERR_NOT_RESTORED: not all of it, and what to do by hand.
 */
int fcp_quiesce_undo(struct fcp_quiesce *quiesce, struct fcp_error *err);

/* It stays frozen, as part of a snapshot. */
void fcp_quiesce_keep(struct fcp_quiesce *quiesce);

/* Thaws a guest that was restored frozen, or is not frozen. Errors as fcp_quiesce_undo(). */
int fcp_guest_thaw(const char *envd, const struct fcp_envd_token *token,
		   const struct fcp_observer *observer, struct fcp_error *err);

/* Forgets the token, and ends the guard. */
void fcp_quiesce_end(struct fcp_quiesce *quiesce);

#endif
