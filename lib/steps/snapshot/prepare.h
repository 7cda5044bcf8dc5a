// SPDX-License-Identifier: Apache-2.0
/* Before the pause: everything that can be checked, and can fail, while the guest still runs. */
#ifndef FCP_STEPS_SNAPSHOT_PREPARE_H
#define FCP_STEPS_SNAPSHOT_PREPARE_H

#include "steps/snapshot/run.h"

/*
 * Is a snapshot possible? Checks the VM, the targets and the room; chooses type and writer. Changes
 * nothing.
 */
int fcp_snapshot_check_run(struct fcp_snapshot_run *run, struct fcp_error *err);

/* The same with the targets locked; what a killed run left is recovered first. */
int fcp_snapshot_lock_and_check(struct fcp_snapshot_run *run, struct fcp_error *err);

/* Stops an open hinting run, and makes the temporary files. */
int fcp_snapshot_begin(struct fcp_snapshot_run *run, struct fcp_error *err);

/*
 * Firecracker's metrics since the last flush, to be freed with free(3). NULL: the path of its
 * metrics file is not known, or they cannot be read.
 */
struct fcp_metrics *fcp_snapshot_flush_metrics(struct fcp_snapshot_run *run);

#endif
