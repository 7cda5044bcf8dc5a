// SPDX-License-Identifier: Apache-2.0
/* The base that a memory file is compared with. */
#ifndef FCP_STEPS_BASE_FILE_H
#define FCP_STEPS_BASE_FILE_H

#include "steps/input_file.h"

/* An open memory file, and what is recorded with it. */
struct fcp_base_of {
	const struct fcp_file *file;
	uint64_t bytes;
	const struct fcp_file_attributes *attributes;
};

/*
 * Opens the base at path: a whole memory file of the same size, other than the file itself
 * (FCP_ERR_INPUT). *report_ tells which base it is, and whether the file is recorded as its layer.
 * Errors as fcp_input_file_open(); call fcp_input_file_close() on *base_ in any case.
 */
int fcp_base_file_open(const char *path, const struct fcp_base_of *of, struct fcp_input_file *base_,
		       struct fcp_base_report *report_, struct fcp_error *err);

/* The error for a layer of another base: FCP_ERR_INPUT; returns -1. */
int fcp_base_file_other(const struct fcp_base_of *of, const struct fcp_base_report *report,
			struct fcp_error *err);

#endif
