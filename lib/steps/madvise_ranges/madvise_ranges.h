// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_STEPS_MADVISE_RANGES_MADVISE_RANGES_H
#define FCP_STEPS_MADVISE_RANGES_MADVISE_RANGES_H

#include "base/error.h"

/*
 * fcp_madvise_ranges() of a file that is open already: fd is for reading and writing, borrowed, and
 * the only descriptor that this process has of the file. settings->mem_file_path is its name in
 * messages. With fd -1 that path is opened.
 */
int fcp_madvise_ranges_of(int fd, const struct fcp_madvise_ranges_settings *settings,
			  struct fcp_madvise_ranges_result *result, struct fcp_error *err);

#endif
