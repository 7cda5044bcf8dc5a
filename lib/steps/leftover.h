// SPDX-License-Identifier: Apache-2.0
/*
 * What a run that was killed has left under the temporary name of a memory file (steps/snapshot/files.h).
 * Steps that make a file of other files mark theirs, in which there is nothing to lose; what a snapshot has
 * left may be the only copy of some pages, and is for the next snapshot to put right.
 */
#ifndef FCP_STEPS_LEFTOVER_H
#define FCP_STEPS_LEFTOVER_H

#include "steps/snapshot/files.h"

/*
 * With the file locked: empties what such a step has left. Its storage is given back at once, and after
 * unlink(2) only some time later. FCP_ERR_INPUT: a snapshot has left it; FCP_ERR_IO.
 */
int fcp_leftover_drop(const struct fcp_snapshot_file *file, struct fcp_error *err);

/* The temporary file that was begun has nothing to lose in it. Where that cannot be recorded, what a kill leaves
 * counts as a snapshot's. */
void fcp_leftover_mark(const struct fcp_snapshot_file *file);

/* When it has been published. */
void fcp_leftover_unmark(const struct fcp_snapshot_file *file);

#endif
