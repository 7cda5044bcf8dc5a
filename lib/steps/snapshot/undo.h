// SPDX-License-Identifier: Apache-2.0
/* Putting the VM back after a snapshot, or after the attempt. */
#ifndef FCP_STEPS_SNAPSHOT_UNDO_H
#define FCP_STEPS_SNAPSHOT_UNDO_H

#include "steps/snapshot/run.h"

/* Before the VM is touched: should we be killed from here on, a guard resumes what we paused, and
 * lets Firecracker go where it waits for us. FCP_ERR_IO. */
int fcp_snapshot_hold(struct fcp_snapshot_run *run, struct fcp_error *err);

/* From here on the VM stays as it is. Safe without a hold, and again. */
void fcp_snapshot_let_go(struct fcp_snapshot_run *run);

/*
 * Resumes the VM whatever signals come, within timeout_ms (0: 5 s). FCP_ERR_NOT_RESTORED with the
 * command that does it by hand; the result's vm_state is asked again then.
 */
int fcp_snapshot_resume(struct fcp_snapshot_run *run, uint64_t timeout_ms, struct fcp_error *err);

/*
 * After a failure, which is in *err: what we paused runs again, and Firecracker does not write to
 * the files any more. Returns -1; *err is FCP_ERR_NOT_RESTORED when that failed.
 */
int fcp_snapshot_undo(struct fcp_snapshot_run *run, struct fcp_error *err);

#endif
