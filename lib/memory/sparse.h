// SPDX-License-Identifier: Apache-2.0
/* A file's size, data and storage. */
#ifndef FCP_MEMORY_SPARSE_H
#define FCP_MEMORY_SPARSE_H

#include "base/error.h"

struct fcp_file_size {
	uint64_t logical_bytes;	  /* st_size */
	uint64_t allocated_bytes; /* st_blocks * 512: its storage, metadata included */
};

/* fstat(2). name is for messages. FCP_ERR_IO only. */
int fcp_file_size(int fd, const char *name, struct fcp_file_size *size_, struct fcp_error *err);

/*
 * The first extent of data in from .. end: returns 1 and *extent_ (clipped to both), 0 if there is
 * none, as past the end of the file. Two system calls, however large the holes. An extent is in
 * units of the file system's blocks, not of pages. Data may be zeros. Moves the descriptor's
 * offset. FCP_ERR_IO only.
 * Source: lseek(2), SEEK_DATA; a file system without it reports the whole file as data.
 */
int fcp_sparse_next(int fd, const char *name, uint64_t from, uint64_t end,
		    struct fcp_range *extent_, struct fcp_error *err);

/*
 * The same in whole pages: a page with any data in it is data. from and end are multiples of a
 * page. The next call goes on from extent_->end.
 */
int fcp_sparse_next_pages(int fd, const char *name, uint64_t from, uint64_t end,
			  struct fcp_range *extent_, struct fcp_error *err);

/*
 * All of the file's data below bytes. *data_ (zero-initialised) is sorted, and owned by the caller
 * even on failure. Moves the descriptor's offset. FCP_ERR_IO, FCP_ERR_MEMORY.
 */
int fcp_sparse_data(int fd, const char *name, uint64_t bytes, struct fcp_ranges *data_,
		    struct fcp_error *err);

#endif
