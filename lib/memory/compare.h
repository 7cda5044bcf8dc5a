// SPDX-License-Identifier: Apache-2.0
/*
 * Classifies the pages of a memory by their bytes: zeros, equal to a base's at the same offset, or
 * other. Reads in batches that fit the CPU cache, in a few threads if that pays.
 */
#ifndef FCP_MEMORY_COMPARE_H
#define FCP_MEMORY_COMPARE_H

#include "memory/file.h"
#include "memory/found.h"
#include "memory/writer.h"

/*
 * The pages, and what to compare them with. find: the kinds wanted. A page gets the first kind that
 * fits, in this order: FCP_FIND_ZERO (if wanted), FCP_FIND_BASE, FCP_FIND_CHANGED.
 */
struct fcp_compare {
	const struct fcp_file
		*file; /* that holds the pages; polled. NULL: zeros, and nothing is read */
	const struct fcp_file *base; /* of the same size; NULL: the pages are the base's own */
	unsigned find;
	bool layer; /* holes of file stand for the base's bytes, not for zeros */
	int cancel_fd;
};

/*
 * Classifies the pages within a sorted list of whole pages. What holes (SEEK_DATA) tell, or what
 * was not asked for, is not read. Adds to *found, unordered: fcp_found_sort() it. FCP_ERR_IO, also
 * if a file has become shorter; FCP_ERR_BUSY and FCP_ERR_INTERRUPTED as fcp_file_poll();
 * FCP_ERR_MEMORY. Takes 2 MiB of memory per thread.
 */
int fcp_compare_files(const struct fcp_compare *compare, const struct fcp_ranges *within,
		      struct fcp_found_ranges *found, struct fcp_error *err);

/*
 * The same for runs, each page of which is read: with a pid from that process, as
 * fcp_writer_write() and with its errors; else from the file, at the runs' offsets.
 */
int fcp_compare_runs(const struct fcp_compare *compare, pid_t pid, const struct fcp_page_runs *runs,
		     struct fcp_found_ranges *found, struct fcp_error *err);

#endif
