// SPDX-License-Identifier: Apache-2.0
/* Where a file has data and what it occupies. */
#ifndef FCP_MEMORY_SPARSE_H
#define FCP_MEMORY_SPARSE_H

#include "base/error.h"

struct fcp_file_size {
	uint64_t logical_bytes;	  /* st_size */
	uint64_t allocated_bytes; /* st_blocks * 512: storage that it occupies, metadata included */
};

/* fstat(2). name is for messages. FCP_ERR_IO only. */
int fcp_file_size(int fd, const char *name, struct fcp_file_size *size_, struct fcp_error *err);

/*
 * The first stretch of data in from .. end: 1 and *extent_ (clipped to both), 0 when only holes
 * follow or the file ends before. Costs two system calls whatever the size of the holes.
 * An extent is in the file system's blocks: it need not be in pages. Data says nothing of its
 * content: it can be zeros. Moves the descriptor's offset. FCP_ERR_IO only.
 * Source: lseek(2), SEEK_DATA; a file system without it reports all of the file as data.
 */
int fcp_sparse_next(int fd, const char *name, uint64_t from, uint64_t end,
		    struct fcp_range *extent_, struct fcp_error *err);

/*
 * All of the file's data below bytes. *data_ (zero-initialised) is sorted, and owned by the caller on failure
 * too. Moves the descriptor's offset. FCP_ERR_IO, FCP_ERR_MEMORY.
 */
int fcp_sparse_data(int fd, const char *name, uint64_t bytes, struct fcp_ranges *data_,
		    struct fcp_error *err);

#endif
