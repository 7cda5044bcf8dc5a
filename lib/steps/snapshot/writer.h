// SPDX-License-Identifier: Apache-2.0
/* Chooses who writes the memory file of a snapshot: fcpause if it can, else Firecracker. */
#ifndef FCP_STEPS_SNAPSHOT_WRITER_H
#define FCP_STEPS_SNAPSHOT_WRITER_H

#include "steps/snapshot/run.h"

/*
 * While the guest runs: opens run->memory if fcpause can write; else the result says why it cannot.
 * FCP_ERR_UNSUPPORTED: it cannot, and Firecracker may not; FCP_ERR_USAGE, FCP_ERR_INPUT.
 */
int fcp_snapshot_writer_choose(struct fcp_snapshot_run *run, struct fcp_error *err);

/* Once the temporary files exist; errors as above, and those of fcp_snapshot_memory_prepare(). */
int fcp_snapshot_writer_prepare(struct fcp_snapshot_run *run, struct fcp_error *err);

/*
 * With the VM Paused and run->memory set: *written_ tells whether the memory was taken. If not, and
 * 0 is returned, Firecracker has to write: the memory file is empty again.
 */
int fcp_snapshot_writer_take(struct fcp_snapshot_run *run, bool *written_, struct fcp_error *err);

/* NULL-safe. */
void fcp_snapshot_memory_report_free(struct fcp_memory_report *report);

#endif
