// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_STEPS_MADVISE_RANGES_MADVISE_RANGES_H
#define FCP_STEPS_MADVISE_RANGES_MADVISE_RANGES_H

#include "base/error.h"

/*
 * fcp_madvise_ranges() for an open file: fd is open for reading and writing, borrowed, and this
 * process's only descriptor of the file. settings->mem_file_path names it in messages. With fd -1
 * that path is opened.
 */
int fcp_madvise_ranges_of(int fd, const struct fcp_madvise_ranges_settings *settings,
			  struct fcp_madvise_ranges_result *result, struct fcp_error *err);

#endif
