// SPDX-License-Identifier: Apache-2.0
/* The contents of a merge: the base, with each layer applied. */
#ifndef FCP_STEPS_MERGE_WRITE_H
#define FCP_STEPS_MERGE_WRITE_H

#include "steps/merge/inputs.h"
#include "steps/snapshot/files.h"

/*
 * Writes out, an empty temporary file, and counts what became of each file's data (result->layers
 * has room for each layer). Checks first that there is enough room: FCP_ERR_IO with ENOSPC. Reports
 * progress to the observer. FCP_ERR_INTERRUPTED, FCP_ERR_MEMORY.
 */
int fcp_merge_write(const struct fcp_merge_settings *settings,
		    const struct fcp_merge_inputs *inputs, const struct fcp_snapshot_file *out,
		    struct fcp_merge_result *result, struct fcp_error *err);

#endif
