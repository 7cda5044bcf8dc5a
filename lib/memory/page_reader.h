// SPDX-License-Identifier: Apache-2.0
/*
 * Reads runs of a process's memory in a few threads, in batches that stay in the CPU cache until
 * they are processed. Shared by page_reader.c, writer.c and compare.c.
 */
#ifndef FCP_MEMORY_PAGE_READER_H
#define FCP_MEMORY_PAGE_READER_H

#include "base/units.h"
#include "memory/writer.h"

/* What a thread reads at a time. */
#define FCP_BATCH_BYTES FCP_MIB
/* Pieces of a batch; IOV_MAX is 1024. */
#define FCP_BATCH_PIECES 512

struct fcp_page_batch {
	struct fcp_page_run pieces[FCP_BATCH_PIECES];
	size_t count;
	size_t bytes;
	uint64_t position; /* bytes of the runs before this batch */
};

/*
 * Processes one batch; any thread. pages and other have room for FCP_BATCH_BYTES each, and are this
 * thread's. Returning -1 with *err set ends the run.
 */
typedef int fcp_page_take(const struct fcp_page_batch *batch, unsigned char *pages,
			  unsigned char *other, void *arg, struct fcp_error *err);

struct fcp_page_reader {
	pid_t pid; /* 0: this process */
	const struct fcp_page_runs *runs;
	unsigned threads; /* 0: as many as pay off */
	const char *name; /* for messages */
	int cancel_fd;
	fcp_page_take *take;
	void *arg;
};

/*
 * Processes all runs. Returns the first error of any thread. FCP_ERR_INTERRUPTED, FCP_ERR_MEMORY.
 */
int fcp_page_reader_run(const struct fcp_page_reader *reader, struct fcp_error *err);

/* Reads the pieces of a batch, one after the other. FCP_ERR_IO: EPERM, ESRCH, EFAULT. */
int fcp_page_reader_read(const struct fcp_page_reader *reader, const struct fcp_page_batch *batch,
			 unsigned char *pages, struct fcp_error *err);

#endif
