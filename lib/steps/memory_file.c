// SPDX-License-Identifier: Apache-2.0
#include "steps/memory_file.h"

#include "base/cleanup.h"
#include "firecracker/root.h"

int fcp_memory_file_open(struct fcp_file *file, bool for_writing, uint64_t *size_bytes_,
			 struct fcp_error *err)
{
	FCP_CLEANUP(fd) int path_fd = fcp_path_open_own(file->name, err);

	return path_fd < 0 ? -1 : fcp_file_open(file, path_fd, for_writing, size_bytes_, err);
}
