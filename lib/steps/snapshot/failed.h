// SPDX-License-Identifier: Apache-2.0
/*
 * After a creation Firecracker's log of dirty pages is empty, whatever happens to the files: the
 * next Diff lacks the pages in these files.
 * Source: Firecracker 1.16, Vm::snapshot_memory_to_file(), reset_dirty_bitmap() and reset_dirty().
 */
#ifndef FCP_STEPS_SNAPSHOT_FAILED_H
#define FCP_STEPS_SNAPSHOT_FAILED_H

#include "steps/snapshot/run.h"

/*
 * After a failure, given in *err: if dirty pages are tracked and Firecracker may have created the
 * files, they are kept as NAME.fcpause-failed, and *err becomes FCP_ERR_NOT_RESTORED and says so.
 * Returns -1.
 */
int fcp_snapshot_keep_failed(struct fcp_snapshot_run *run, struct fcp_error *err);

/*
 * Before the pause: did a killed run leave the only copy of pages that this one needs? They are
 * kept likewise, and FCP_ERR_STATE says that a Diff is not possible.
 */
int fcp_snapshot_check_chain(struct fcp_snapshot_run *run, struct fcp_error *err);

#endif
