// SPDX-License-Identifier: Apache-2.0
/* Where a file's storage is that other files have too (FS_IOC_FIEMAP). */
#ifndef FCP_MEMORY_EXTENTS_H
#define FCP_MEMORY_EXTENTS_H

#include "base/error.h"

/*
 * The parts of the file whose storage is shared, as a sorted list in *shared_ (zero-initialised by the
 * caller, owned by it). What is not on the disk yet is written first. FCP_ERR_UNSUPPORTED: the file system does
 * not tell; FCP_ERR_IO, FCP_ERR_MEMORY.
 */
int fcp_extents_shared(int fd, const char *name, struct fcp_ranges *shared_, struct fcp_error *err);

#endif
