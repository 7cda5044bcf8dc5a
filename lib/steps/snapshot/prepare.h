// SPDX-License-Identifier: Apache-2.0
/* Before the pause: all that can be found out, and can fail, while the guest still runs. */
#ifndef FCP_STEPS_SNAPSHOT_PREPARE_H
#define FCP_STEPS_SNAPSHOT_PREPARE_H

#include "steps/snapshot/run.h"

/* Can it be done? Looks at the VM, the targets, the room; chooses type and writer. Changes nothing. */
int fcp_snapshot_check_run(struct fcp_snapshot_run *run, struct fcp_error *err);

/* The same under the targets' locks; what a killed run has left there is put right first. */
int fcp_snapshot_lock_and_check(struct fcp_snapshot_run *run, struct fcp_error *err);

/* Stops an open hinting run, and makes the temporary files. */
int fcp_snapshot_begin(struct fcp_snapshot_run *run, struct fcp_error *err);

/* Firecracker's figures since the last flush, where it is known where it writes them. */
void fcp_snapshot_flush_metrics(struct fcp_snapshot_run *run, struct fcp_metrics *metrics,
				bool *known_);

#endif
