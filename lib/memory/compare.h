// SPDX-License-Identifier: Apache-2.0
/*
 * What the pages of a memory are, by their bytes: zeros, those that a base has at the same offset, or others.
 * Reads in batches that stay in the processor's cache, in a few threads where that pays.
 */
#ifndef FCP_MEMORY_COMPARE_H
#define FCP_MEMORY_COMPARE_H

#include "memory/file.h"
#include "memory/found.h"
#include "memory/writer.h"

/*
 * Where the pages are, and what they are compared with. find: which kinds are wanted. A page is of the
 * first that it can be, in this order: FCP_FIND_ZERO where it is wanted, FCP_FIND_BASE, FCP_FIND_CHANGED.
 */
struct fcp_compare {
	const struct fcp_file
		*file; /* whose pages these are; polled. NULL: zeros, and nothing is read */
	const struct fcp_file
		*base; /* of the same size; NULL: the pages are the base's bytes as they are */
	unsigned find;
	bool layer; /* a hole of file has the base's bytes; else it is zeros */
	int cancel_fd;
};

/*
 * The pages within the sorted list, which are whole. What needs no reading, because there are holes
 * (SEEK_DATA) or because it is not asked for, is not read. Adds to *found, in no order:
 * fcp_found_sort() it. FCP_ERR_IO, also when a file has become shorter; FCP_ERR_BUSY and
 * FCP_ERR_INTERRUPTED as fcp_file_poll(); FCP_ERR_MEMORY. Takes 2 MiB of memory a thread.
 */
int fcp_compare_files(const struct fcp_compare *compare, const struct fcp_ranges *within,
		      struct fcp_found_ranges *found, struct fcp_error *err);

/*
 * The same of runs, each page of which is read: with a pid from that process, as fcp_writer_write() and with
 * its errors; else from the file, at the runs' offsets.
 */
int fcp_compare_runs(const struct fcp_compare *compare, pid_t pid, const struct fcp_page_runs *runs,
		     struct fcp_found_ranges *found, struct fcp_error *err);

#endif
