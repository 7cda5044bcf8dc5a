// SPDX-License-Identifier: Apache-2.0
/* The content of a merge: the base, and over it each layer. */
#ifndef FCP_STEPS_MERGE_WRITE_H
#define FCP_STEPS_MERGE_WRITE_H

#include "steps/merge/inputs.h"
#include "steps/snapshot/files.h"

/*
 * Writes out, an empty temporary file, and fills in what became of each file's data (result->layers holds one
 * for each layer). Before anything is copied there must be room for it: FCP_ERR_IO with ENOSPC. The observer
 * hears of the progress. FCP_ERR_INTERRUPTED, FCP_ERR_MEMORY.
 */
int fcp_merge_write(const struct fcp_merge_settings *settings,
		    const struct fcp_merge_inputs *inputs, const struct fcp_snapshot_file *out,
		    struct fcp_merge_result *result, struct fcp_error *err);

#endif
