// SPDX-License-Identifier: Apache-2.0
/* Punches ranges out of a file. They read as zeros afterwards; the size does not change. */
#ifndef FCP_MEMORY_RELEASE_H
#define FCP_MEMORY_RELEASE_H

#include "memory/file.h"

/*
 * Punches start .. end in pieces, polling the file in between. *done_bytes grows by what was
 * punched, even on failure, and the message tells how much.
 * FCP_ERR_UNSUPPORTED: the file system cannot punch holes (EOPNOTSUPP); FCP_ERR_BUSY: the file is
 * active swap (ETXTBSY); FCP_ERR_IO (ENOSPC, EROFS, EPERM: sealed or immutable, ...); and the
 * errors of fcp_file_poll(). Safe to repeat.
 * Source: fallocate(2), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE.
 */
int fcp_release_range(const struct fcp_file *file, uint64_t start, uint64_t end,
		      uint64_t *done_bytes, struct fcp_error *err);

/* fcp_release_range() for each range in turn. */
int fcp_release_ranges(const struct fcp_file *file, const struct fcp_ranges *ranges,
		       uint64_t *done_bytes, struct fcp_error *err);

/*
 * How much of the ranges (sorted, whole pages) no longer takes storage. The rest of what was
 * punched was zeroed in place, since the file system's blocks are larger. Measured by the holes
 * (SEEK_DATA: at most two calls of lseek(2) per range) or, if the file system does not report holes
 * (hugetlbfs), by how much less than allocated_before_bytes the file occupies. FCP_ERR_IO.
 */
int fcp_release_check(const struct fcp_file *file, const struct fcp_ranges *ranges,
		      uint64_t allocated_before_bytes, uint64_t *released_bytes_,
		      struct fcp_error *err);

#endif
