// SPDX-License-Identifier: Apache-2.0
/* The files that a merge reads: a base and its layers. */
#ifndef FCP_STEPS_MERGE_INPUTS_H
#define FCP_STEPS_MERGE_INPUTS_H

#include "steps/input_file.h"

/* The base comes first; owned. */
struct fcp_merge_inputs {
	struct fcp_input_file *items;
	size_t count;
};

/*
 * Opens all of them, claimed for reading, and checks that they belong together: see fcp_merge().
 * Call fcp_merge_inputs_close() on *inputs_ in any case.
 */
int fcp_merge_inputs_open(const struct fcp_merge_settings *settings,
			  struct fcp_merge_inputs *inputs_, struct fcp_error *err);

/* FCP_ERR_BUSY if one of them has changed since. */
int fcp_merge_inputs_check(const struct fcp_merge_inputs *inputs, struct fcp_error *err);

/* Safe on a zeroed struct. */
void fcp_merge_inputs_close(struct fcp_merge_inputs *inputs);

#endif
