// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_CMD_OUTPUT_WRITE_FILE_H
#define FCP_CMD_OUTPUT_WRITE_FILE_H

#include "fcpause.h"

/*
 * Writes the file atomically: under a temporary name beside it, which is then renamed. The target
 * of a symbolic link is replaced, not the link; anything but a regular file is FCP_ERR_INPUT. The
 * file is not synced, because it can be written again.
 */
int write_file(const char *path, const char *bytes, size_t count, struct fcp_error *err);

#endif
