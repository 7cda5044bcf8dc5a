// SPDX-License-Identifier: Apache-2.0
/* A memory file that is only read: another's base, or a layer to merge. */
#ifndef FCP_STEPS_INPUT_FILE_H
#define FCP_STEPS_INPUT_FILE_H

#include "memory/claim.h"
#include "memory/file.h"

struct fcp_input_file {
	struct fcp_file file; /* its fd is -1 until it is open */
	struct fcp_claim claim;
	struct fcp_file_identity identity;
	struct fcp_file_attributes attributes;
	uint64_t bytes;
};

#define FCP_INPUT_FILE_NONE                          \
	{                                            \
		.file = {.fd = -1, .cancel_fd = -1 } \
	}

/*
 * Opens the file at path, which is borrowed, and claims it for reading. FCP_ERR_BUSY: a process has
 * it open for writing; FCP_ERR_LOCKED; others as fcp_memory_file_open(). Call
 * fcp_input_file_close() in any case.
 */
int fcp_input_file_open(const char *path, int cancel_fd, struct fcp_input_file *input_,
			struct fcp_error *err);

/* FCP_ERR_BUSY if it has changed since. */
int fcp_input_file_check(const struct fcp_input_file *input, struct fcp_error *err);

/* Safe on FCP_INPUT_FILE_NONE, and twice. */
void fcp_input_file_close(struct fcp_input_file *input);

/* FCP_ERR_INPUT if the file, which is to be a base, is recorded as a layer. */
int fcp_input_file_check_whole(const struct fcp_input_file *base, struct fcp_error *err);

#endif
