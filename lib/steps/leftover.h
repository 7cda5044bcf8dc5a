// SPDX-License-Identifier: Apache-2.0
/*
 * What a killed run left under the temporary name of a memory file (steps/snapshot/files.h). Steps
 * that make a file from other files mark theirs, since nothing is lost with it; a file left by a
 * snapshot may hold the only copy of some pages, and the next snapshot recovers it.
 */
#ifndef FCP_STEPS_LEFTOVER_H
#define FCP_STEPS_LEFTOVER_H

#include "steps/snapshot/files.h"

/*
 * With the file locked: truncates what such a step has left, which frees its storage at once, as
 * unlink(2) may not. FCP_ERR_INPUT: a snapshot has left it; FCP_ERR_IO.
 */
int fcp_leftover_drop(const struct fcp_snapshot_file *file, struct fcp_error *err);

/*
 * Marks the temporary file, just begun, as containing nothing to lose. If that cannot be recorded,
 * a killed run's file counts as a snapshot's.
 */
void fcp_leftover_mark(const struct fcp_snapshot_file *file);

/* After it was published. */
void fcp_leftover_unmark(const struct fcp_snapshot_file *file);

#endif
