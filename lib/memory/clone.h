// SPDX-License-Identifier: Apache-2.0
/* A copy of a file that shares its storage where the file system can, and its holes everywhere. */
#ifndef FCP_MEMORY_CLONE_H
#define FCP_MEMORY_CLONE_H

#include "base/error.h"

struct fcp_clone_settings {
	int from; /* open for reading; the offset moves */
	int to;	  /* empty, open for writing */
	const char *name; /* of to, for messages */
	uint64_t bytes;	  /* of both; from is that long */
	int cancel_fd;
};

struct fcp_clone_result {
	bool reflinked;	      /* nothing was copied: both share their storage */
	uint64_t copied_bytes; /* else the data that was */
};

/*
 * Makes `to` a copy of `from`: FICLONE (ioctl_ficlonerange(2)), else its data by copy_file_range(2), else by
 * reading and writing; holes stay holes. FCP_ERR_IO with ENOSPC, FCP_ERR_INTERRUPTED. On failure
 * `to` holds a part.
 */
int fcp_clone_file(const struct fcp_clone_settings *settings, struct fcp_clone_result *result_,
		   struct fcp_error *err);

#endif
