// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_BASE_REPLACE_FILE_H
#define FCP_BASE_REPLACE_FILE_H

#include "base/error.h"

struct fcp_file_text {
	const char *bytes;
	size_t count;
};

/*
 * Writes the file at path whole or not at all: under a temporary name beside it, which then takes
 * its place, whatever was there. FCP_ERR_IO, FCP_ERR_MEMORY. Says nothing of durability.
 */
int fcp_file_replace(const char *path, const struct fcp_file_text *text, mode_t mode,
		     struct fcp_error *err);

#endif
