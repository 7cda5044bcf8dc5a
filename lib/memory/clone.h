// SPDX-License-Identifier: Apache-2.0
/* A copy of a file that shares its storage where the file system can, and its holes everywhere. */
#ifndef FCP_MEMORY_CLONE_H
#define FCP_MEMORY_CLONE_H

#include "base/error.h"
#include "base/meter.h"

struct fcp_clone_settings {
	int from;	  /* open for reading; the offset moves */
	int to;		  /* empty, open for writing */
	const char *name; /* of to, for messages */
	uint64_t bytes;	  /* of both; from is that long */
	int cancel_fd;
	struct fcp_meter *meter; /* of a copy; or NULL */
};

struct fcp_clone_result {
	bool reflinked;	       /* nothing was copied: both share their storage */
	uint64_t copied_bytes; /* else the data that was */
};

/* Makes `to` a copy of `from` that shares its storage: FICLONE (ioctl_ficlonerange(2)). False: it cannot be. */
bool fcp_clone_reflink(int from, int to);

/*
 * Copies data, a sorted list of what of `from` is no hole: by copy_file_range(2), else by reading and
 * writing; the rest of `to` is a hole. FCP_ERR_IO with ENOSPC, FCP_ERR_INTERRUPTED, FCP_ERR_MEMORY. On
 * failure `to` holds a part.
 */
int fcp_clone_copy(const struct fcp_clone_settings *settings, const struct fcp_ranges *data,
		   struct fcp_error *err);

/* The first, or else the second of all data. */
int fcp_clone_file(const struct fcp_clone_settings *settings, struct fcp_clone_result *result_,
		   struct fcp_error *err);

#endif
