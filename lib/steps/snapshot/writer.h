// SPDX-License-Identifier: Apache-2.0
/* Who writes the memory file of a snapshot: fcpause where it can, else Firecracker. */
#ifndef FCP_STEPS_SNAPSHOT_WRITER_H
#define FCP_STEPS_SNAPSHOT_WRITER_H

#include "steps/snapshot/run.h"

/*
 * While the guest runs: run->memory is opened where fcpause can write, else the result says why it cannot.
 * FCP_ERR_UNSUPPORTED where nobody but fcpause may write, and it cannot; FCP_ERR_USAGE, FCP_ERR_INPUT.
 */
int fcp_snapshot_writer_choose(struct fcp_snapshot_run *run, struct fcp_error *err);

/* Once the temporary files are there; errors as above, and those of fcp_snapshot_memory_prepare(). */
int fcp_snapshot_writer_prepare(struct fcp_snapshot_run *run, struct fcp_error *err);

/*
 * With the VM Paused, where run->memory is set: *written_ says whether the memory has been taken. Where
 * it has not, and 0 is returned, Firecracker is to write: the memory file is empty again.
 */
int fcp_snapshot_writer_take(struct fcp_snapshot_run *run, bool *written_, struct fcp_error *err);

#endif
