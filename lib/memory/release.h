// SPDX-License-Identifier: Apache-2.0
/* Takes ranges of a file out of storage. They read as zeros then; the size never changes. */
#ifndef FCP_MEMORY_RELEASE_H
#define FCP_MEMORY_RELEASE_H

#include "memory/file.h"

/*
 * Punches start .. end, in pieces between which the file is polled. *done_bytes is raised by what
 * was punched, on failure too, and the message says how much that is.
 * FCP_ERR_UNSUPPORTED when the file system cannot punch holes (EOPNOTSUPP); FCP_ERR_BUSY for a file
 * that is active swap (ETXTBSY); FCP_ERR_IO (ENOSPC, EROFS, EPERM: sealed or immutable, ...); what
 * fcp_file_poll() says. Safe to run again.
 * Source: fallocate(2), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE.
 */
int fcp_release_range(const struct fcp_file *file, uint64_t start, uint64_t end,
		      uint64_t *done_bytes, struct fcp_error *err);

/* fcp_release_range() for each in turn. */
int fcp_release_ranges(const struct fcp_file *file, const struct fcp_ranges *ranges,
		       uint64_t *done_bytes, struct fcp_error *err);

/*
 * How much of the ranges (sorted, whole pages) takes no storage any more. What else was punched was
 * zeroed in place, in blocks larger than the range. By the holes (SEEK_DATA: at most two calls of
 * lseek(2) a range); where the file system does not tell its holes (hugetlbfs), by how much less the
 * file occupies than allocated_before_bytes. FCP_ERR_IO.
 */
int fcp_release_check(const struct fcp_file *file, const struct fcp_ranges *ranges,
		      uint64_t allocated_before_bytes, uint64_t *released_bytes_,
		      struct fcp_error *err);

#endif
