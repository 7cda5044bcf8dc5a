// SPDX-License-Identifier: Apache-2.0
/* An open memory file, as lib/memory hands it around. It owns nothing. */
#ifndef FCP_MEMORY_FILE_H
#define FCP_MEMORY_FILE_H

#include "base/error.h"

struct fcp_claim;

struct fcp_file {
	int fd;
	const char *name;	 /* for messages: the path as the user wrote it */
	struct fcp_claim *claim; /* what keeps others off it (memory/claim.h), or NULL */
	int cancel_fd;		 /* or -1 */
};

/*
 * Opens the memory file behind path_fd (O_PATH, so that its path is resolved once) for reading or
 * for reading and writing; file->fd is the caller's to close. FCP_ERR_INPUT: no regular file, empty,
 * no whole pages; else as fcp_file_reopen().
 */
int fcp_file_open(struct fcp_file *file, int path_fd, bool for_writing, uint64_t *size_bytes_,
		  struct fcp_error *err);

/*
 * Opens what path_fd (O_PATH) leads to, unless another fcpause has claimed it (memory/claim.h): the
 * attempt alone would end that claim. Returns the descriptor. FCP_ERR_LOCKED; FCP_ERR_BUSY: it is
 * active swap; FCP_ERR_IO.
 */
int fcp_file_reopen(int path_fd, const char *name, int flags, struct fcp_error *err);

/* The same checks, and the size, of a file->fd that is open already. */
int fcp_file_check(const struct fcp_file *file, uint64_t *size_bytes_, struct fcp_error *err);

/*
 * To be called every few MiB of work: fails with FCP_ERR_INTERRUPTED when cancel_fd is readable,
 * with FCP_ERR_BUSY when somebody has opened the file since it was claimed. Any thread may call it.
 */
int fcp_file_poll(const struct fcp_file *file, struct fcp_error *err);

/* The error of a lost claim: FCP_ERR_BUSY, -1. */
int fcp_file_wanted(const struct fcp_file *file, struct fcp_error *err);

#endif
