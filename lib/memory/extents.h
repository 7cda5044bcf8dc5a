// SPDX-License-Identifier: Apache-2.0
/* The parts of a file whose storage other files share (FS_IOC_FIEMAP). */
#ifndef FCP_MEMORY_EXTENTS_H
#define FCP_MEMORY_EXTENTS_H

#include "base/error.h"

/*
 * The file's shared parts, as a sorted list in *shared_ (zero-initialised and owned by the caller).
 * Dirty pages are written first. FCP_ERR_UNSUPPORTED: the file system cannot tell; FCP_ERR_IO,
 * FCP_ERR_MEMORY.
 */
int fcp_extents_shared(int fd, const char *name, struct fcp_ranges *shared_, struct fcp_error *err);

#endif
