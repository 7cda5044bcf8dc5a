// SPDX-License-Identifier: Apache-2.0
/* The files that a merge reads: a base, and the layers on it. */
#ifndef FCP_STEPS_MERGE_INPUTS_H
#define FCP_STEPS_MERGE_INPUTS_H

#include "steps/input_file.h"

/* The base is the first; owned. */
struct fcp_merge_inputs {
	struct fcp_input_file *items;
	size_t count;
};

/*
 * Opens all of them, each claimed for reading, and checks that they belong together: see fcp_merge().
 * *inputs_ is for fcp_merge_inputs_close() in any case.
 */
int fcp_merge_inputs_open(const struct fcp_merge_settings *settings,
			  struct fcp_merge_inputs *inputs_, struct fcp_error *err);

/* Has one of them changed since? FCP_ERR_BUSY. */
int fcp_merge_inputs_check(const struct fcp_merge_inputs *inputs, struct fcp_error *err);

/* Safe on zeros. */
void fcp_merge_inputs_close(struct fcp_merge_inputs *inputs);

#endif
