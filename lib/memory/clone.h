// SPDX-License-Identifier: Apache-2.0
/* Copies of a file that share its storage if the file system can, and always keep its holes. */
#ifndef FCP_MEMORY_CLONE_H
#define FCP_MEMORY_CLONE_H

#include "base/error.h"
#include "base/meter.h"

struct fcp_clone_settings {
	int from;	  /* open for reading; the offset moves */
	int to;		  /* empty, open for writing */
	const char *name; /* of to, for messages */
	uint64_t bytes;	  /* of both: `from` has this size */
	int cancel_fd;
	struct fcp_meter *meter; /* progress of a copy; or NULL */
};

struct fcp_clone_result {
	bool reflinked;	       /* nothing was copied: they share their storage */
	uint64_t copied_bytes; /* else the data copied */
};

/*
 * Makes `to` a copy of `from` that shares its storage: FICLONE (ioctl_ficlonerange(2)). false if
 * that is not possible.
 */
bool fcp_clone_reflink(int from, int to);

/*
 * Copies data, a sorted list of the parts of `from` that are not holes, by copy_file_range(2) or by
 * reading and writing; the rest of `to` is a hole. FCP_ERR_IO with ENOSPC, FCP_ERR_INTERRUPTED,
 * FCP_ERR_MEMORY. After a failure `to` is incomplete.
 */
int fcp_clone_copy(const struct fcp_clone_settings *settings, const struct fcp_ranges *data,
		   struct fcp_error *err);

/* Shares the storage, or else copies all data. */
int fcp_clone_file(const struct fcp_clone_settings *settings, struct fcp_clone_result *result_,
		   struct fcp_error *err);

#endif
