// SPDX-License-Identifier: Apache-2.0
/* Restoring the VM's state after a snapshot or an attempt. */
#ifndef FCP_STEPS_SNAPSHOT_UNDO_H
#define FCP_STEPS_SNAPSHOT_UNDO_H

#include "steps/snapshot/run.h"

/*
 * Before the VM is touched: from now on, if this process is killed, a guard resumes what we paused
 * and releases Firecracker if it waits for us. FCP_ERR_IO.
 */
int fcp_snapshot_hold(struct fcp_snapshot_run *run, struct fcp_error *err);

/* From now on the VM stays as it is. Safe without a hold, and twice. */
void fcp_snapshot_let_go(struct fcp_snapshot_run *run);

/*
 * Resumes the VM regardless of signals, within timeout_ms (0: 5 s). FCP_ERR_NOT_RESTORED, with the
 * command to do it by hand; the result's vm_state is then queried again.
 */
int fcp_snapshot_resume(struct fcp_snapshot_run *run, uint64_t timeout_ms, struct fcp_error *err);

/*
 * After a failure, given in *err: resumes what we paused, and makes sure that Firecracker no longer
 * writes to the files. Returns -1; *err is FCP_ERR_NOT_RESTORED if that failed.
 */
int fcp_snapshot_undo(struct fcp_snapshot_run *run, struct fcp_error *err);

#endif
