// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_CMD_OUTPUT_WRITE_FILE_H
#define FCP_CMD_OUTPUT_WRITE_FILE_H

#include "fcpause.h"

/*
 * Writes the file whole or not at all: under a temporary name beside it, which then takes its
 * place. A link's target is replaced, not the link; what is not a regular file is FCP_ERR_INPUT. Says
 * nothing of durability: it can be written again.
 */
int write_file(const char *path, const char *bytes, size_t count, struct fcp_error *err);

#endif
