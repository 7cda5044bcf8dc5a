// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_STEPS_MEMORY_FILE_H
#define FCP_STEPS_MEMORY_FILE_H

#include "memory/file.h"

/*
 * Opens the file named file->name, as fcp_file_open(). Its path is resolved once; a symbolic link
 * in a directory that others can write is not followed (FCP_ERR_INPUT).
 */
int fcp_memory_file_open(struct fcp_file *file, bool for_writing, uint64_t *size_bytes_,
			 struct fcp_error *err);

#endif
