// SPDX-License-Identifier: Apache-2.0
/*
 * Writes a memory file from the memory of a process that is stopped: pages are read with
 * process_vm_readv(2), and only those that are neither zeros nor in the file already are written.
 * Reading and writing overlap in a few threads.
 */
#ifndef FCP_MEMORY_WRITER_H
#define FCP_MEMORY_WRITER_H

#include "base/error.h"

struct fcp_meter;
struct fcp_share_set;

/* A range of the memory file and the address of its bytes in the process. Whole pages. */
struct fcp_page_run {
	uint64_t start; /* offset in the memory file */
	uint64_t end;
	uint64_t address;
};

/*
 * A growing list in ascending order, without overlaps. Zero-initialise it; free it with
 * fcp_page_runs_clear().
 */
struct fcp_page_runs {
	struct fcp_page_run *items;
	size_t count;
	size_t capacity;
	uint64_t bytes; /* the sum of all lengths */
};

/*
 * Appends, merging with the last run if both offset and address continue it. FCP_ERR_MEMORY only.
 */
int fcp_page_runs_add(struct fcp_page_runs *runs, struct fcp_page_run run, struct fcp_error *err);

void fcp_page_runs_clear(struct fcp_page_runs *runs);

static inline void fcp_cleanup_page_runs(struct fcp_page_runs *runs)
{
	fcp_page_runs_clear(runs);
}

struct fcp_writer_settings {
	pid_t pid;			  /* 0: addresses are this process's own */
	const struct fcp_page_runs *runs; /* what to read */
	int fd;				  /* the memory file, of its full size, open for writing */
	const char *name;		  /* for messages */
	/*
	 * What fd began as a copy of or, of a layer, what its holes stand for; open for reading.
	 * -1: fd began as one hole, all zeros.
	 */
	int base_fd;
	bool layer; /* fd began as one hole; zeros are written where the base has other bytes */
	struct fcp_share_set *share; /* shares pages instead of writing them; or NULL */
	struct fcp_meter *meter;     /* counts what was read, from one thread at a time; or NULL */
	unsigned threads;	     /* 0: as many as pay off */
	int cancel_fd;
};

struct fcp_writer_result {
	uint64_t read_bytes;
	uint64_t zero_bytes;	/* of them, zeros, not written */
	uint64_t equal_bytes;	/* not zeros, and equal to the base: not written */
	uint64_t shared_bytes;	/* cloned from other files (memory/share/share.h) */
	uint64_t written_bytes; /* the rest */
};

/*
 * Writes the pages of runs. FCP_ERR_IO with ENOSPC, also if the process does not let its memory be
 * read (EPERM) or has ended (ESRCH); FCP_ERR_INTERRUPTED, FCP_ERR_MEMORY. After a failure the file
 * has some of the pages. Takes 2 MiB of memory per thread. Nothing is synced.
 */
int fcp_writer_write(const struct fcp_writer_settings *settings, struct fcp_writer_result *result_,
		     struct fcp_error *err);

/*
 * Copies the pages of runs to memory, one after the other: buffer has room for runs->bytes. Errors
 * as above.
 */
int fcp_writer_copy(const struct fcp_writer_settings *settings, void *buffer,
		    struct fcp_error *err);

/*
 * Compares the pages of runs with the file's; with a layer's over its base. *differing_ counts the
 * pages that differ. Errors as above.
 */
int fcp_writer_verify(const struct fcp_writer_settings *settings, uint64_t *differing_,
		      struct fcp_error *err);

#endif
