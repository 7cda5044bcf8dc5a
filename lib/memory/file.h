// SPDX-License-Identifier: Apache-2.0
/* An open memory file, as passed around in lib/memory. It owns nothing. */
#ifndef FCP_MEMORY_FILE_H
#define FCP_MEMORY_FILE_H

#include "base/error.h"

struct fcp_claim;

struct fcp_file {
	int fd;
	const char *name;	 /* for messages: the path as the user gave it */
	struct fcp_claim *claim; /* that excludes others (memory/claim.h), or NULL */
	int cancel_fd;		 /* or -1 */
};

/*
 * Opens the memory file behind path_fd (O_PATH, so that its path is resolved once) for reading, or
 * for reading and writing; the caller closes file->fd. FCP_ERR_INPUT: not a regular file, empty, or
 * not in whole pages; else as fcp_file_reopen().
 */
int fcp_file_open(struct fcp_file *file, int path_fd, bool for_writing, uint64_t *size_bytes_,
		  struct fcp_error *err);

/*
 * Opens what path_fd (O_PATH) refers to, unless another fcpause has claimed it (memory/claim.h):
 * the attempt alone would end that claim. Returns the descriptor. FCP_ERR_LOCKED; FCP_ERR_BUSY: it
 * is active swap; FCP_ERR_IO.
 */
int fcp_file_reopen(int path_fd, const char *name, int flags, struct fcp_error *err);

/* The same checks, and the size, for a file->fd that is already open. */
int fcp_file_check(const struct fcp_file *file, uint64_t *size_bytes_, struct fcp_error *err);

/*
 * Call it every few MiB of work. Fails with FCP_ERR_INTERRUPTED if cancel_fd is readable, with
 * FCP_ERR_BUSY if somebody has opened the file since it was claimed. Any thread may call it.
 */
int fcp_file_poll(const struct fcp_file *file, struct fcp_error *err);

/* The error of a lost claim: FCP_ERR_BUSY; returns -1. */
int fcp_file_wanted(const struct fcp_file *file, struct fcp_error *err);

#endif
