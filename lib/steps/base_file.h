// SPDX-License-Identifier: Apache-2.0
/* The base that a memory file is compared with. */
#ifndef FCP_STEPS_BASE_FILE_H
#define FCP_STEPS_BASE_FILE_H

#include "steps/input_file.h"

/* A memory file that is open, and what is recorded with it. */
struct fcp_base_of {
	const struct fcp_file *file;
	uint64_t bytes;
	const struct fcp_file_attributes *attributes;
};

/*
 * Opens the base at that path: a whole memory file of the same size, and not the file itself
 * (FCP_ERR_INPUT). *report_ says which it is, and whether the file is recorded to be a layer of it. Errors as
 * fcp_input_file_open(); fcp_input_file_close() *base_ in any case.
 */
int fcp_base_file_open(const char *path, const struct fcp_base_of *of, struct fcp_input_file *base_,
		       struct fcp_base_report *report_, struct fcp_error *err);

/* The error of a layer of another base: FCP_ERR_INPUT, -1. */
int fcp_base_file_other(const struct fcp_base_of *of, const struct fcp_base_report *report,
			struct fcp_error *err);

#endif
