// SPDX-License-Identifier: Apache-2.0
/*
 * Writes a memory file from the memory of a process that stands still: pages are read with
 * process_vm_readv(2), and only those that are neither zeros nor what the file holds already are
 * written. Reading and writing overlap in a few threads.
 */
#ifndef FCP_MEMORY_WRITER_H
#define FCP_MEMORY_WRITER_H

#include "base/error.h"

struct fcp_meter;
struct fcp_share_set;

/* A stretch of the memory file and where its bytes are in the process. Whole pages. */
struct fcp_page_run {
	uint64_t start; /* offset in the memory file */
	uint64_t end;
	uint64_t address;
};

/* A growing list in ascending order, without overlaps; zero-initialise it, free with
 * fcp_page_runs_clear(). */
struct fcp_page_runs {
	struct fcp_page_run *items;
	size_t count;
	size_t capacity;
	uint64_t bytes; /* the sum of all lengths */
};

/* Appends, merging with the last run where both offset and address go on. FCP_ERR_MEMORY only. */
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
	/* What fd began as a copy of, or with layer, what its holes stand for; open for reading. -1: fd
	 * began as one hole, which is zeros. */
	int base_fd;
	bool layer; /* fd began as one hole; zeros are written where the base has other bytes */
	struct fcp_share_set *share; /* what to share pages with instead of writing them, or NULL */
	struct fcp_meter *meter;     /* told of what was read, by one thread at a time; or NULL */
	unsigned threads;	     /* 0: as many as pay here */
	int cancel_fd;
};

struct fcp_writer_result {
	uint64_t read_bytes;
	uint64_t zero_bytes;	/* of them, zeros that were not written */
	uint64_t equal_bytes;	/* not zeros, and equal to the base: not written */
	uint64_t shared_bytes;	/* cloned from what they are shared with (memory/share/share.h) */
	uint64_t written_bytes; /* the rest */
};

/*
 * Writes the pages of runs. FCP_ERR_IO with ENOSPC, also when the process does not let its memory
 * be read (EPERM) or has ended (ESRCH); FCP_ERR_INTERRUPTED, FCP_ERR_MEMORY. On failure the file
 * holds some of the pages. Takes 2 MiB of memory a thread. Nothing is synced.
 */
int fcp_writer_write(const struct fcp_writer_settings *settings, struct fcp_writer_result *result_,
		     struct fcp_error *err);

/*
 * Copies the pages of runs to memory, one after the other: buffer holds runs->bytes. Errors as above.
 */
int fcp_writer_copy(const struct fcp_writer_settings *settings, void *buffer,
		    struct fcp_error *err);

/*
 * Compares the pages of runs with the file's, of a layer over its base: *differing_ counts pages that
 * are not the same. Errors as above.
 */
int fcp_writer_verify(const struct fcp_writer_settings *settings, uint64_t *differing_,
		      struct fcp_error *err);

#endif
