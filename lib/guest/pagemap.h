// SPDX-License-Identifier: Apache-2.0
/*
 * What the page tables of a process hold (Documentation/admin-guide/mm/pagemap.rst): by the
 * PAGEMAP_SCAN ioctl where the kernel has it (6.7), else by reads of 64 KiB. Takes about as long as
 * walking the page tables that exist; nothing is touched or called in.
 */
#ifndef FCP_GUEST_PAGEMAP_H
#define FCP_GUEST_PAGEMAP_H

#include "fcpause.h"

#include <sys/types.h>

enum fcp_guest_page_kind {
	FCP_GUEST_PAGE_ABSENT,	  /* neither present nor swapped */
	FCP_GUEST_PAGE_ANONYMOUS, /* present, and of no file: in a private mapping, written to */
	FCP_GUEST_PAGE_FILE,	  /* present, a file's, a memfd's or hugetlbfs's */
	FCP_GUEST_PAGE_SWAPPED,	  /* anonymous, and swapped out: reading brings it in */
};

struct fcp_guest_run {
	uint64_t start; /* addresses */
	uint64_t end;
	enum fcp_guest_page_kind kind;
};

/* Of one process. Opaque but for the descriptor. */
struct fcp_guest_pagemap {
	int fd;
	uint64_t page_bytes; /* the host's pages, which the kernel reports on: 4, 16 or 64 KiB */
	bool by_words;	     /* the kernel has no PAGEMAP_SCAN */
	/* Set by the caller, where no file is mapped or it makes no difference: FILE is not told.
	 * Whether a page is a file's takes the kernel four times as long as all the rest. */
	bool no_files;
	/*
	 * Set by the caller, where an absent page reads as zeros: so does one that maps the
	 * kernel's page of zeros, as a read of an absent page leaves it, and it is told as ABSENT
	 * (with PAGEMAP_SCAN). Whoever reads all of a VM's memory, as Firecracker for a Full,
	 * leaves many.
	 */
	bool absent_is_zero;
	void *buffer;
	struct fcp_guest_run *runs; /* what was read last: without gaps, ascending */
	size_t run_count;
	size_t next; /* of runs, where the last question was answered */
};

/* Errors as fcp_maps_open(). Release with fcp_guest_pagemap_close(). */
int fcp_guest_pagemap_open(pid_t pid, struct fcp_guest_pagemap *pagemap_, struct fcp_error *err);

/*
 * *run_ = the pages of one kind from address on, at most up to end; address < end. Both are
 * multiples of a guest's page, FCP_PAGE_BYTES: where the host's pages are larger, all guest pages
 * in one of them are of its kind. A longer run may come in parts. Asked for ascending addresses it
 * reads each word once; what it read last is kept, so do not ask again for what may have changed
 * since: open anew. FCP_ERR_IO; FCP_ERR_STATE when the process has ended.
 */
int fcp_guest_pagemap_next(struct fcp_guest_pagemap *pagemap, uint64_t address, uint64_t end,
			   struct fcp_guest_run *run_, struct fcp_error *err);

/* Safe on a zeroed struct, and twice. */
void fcp_guest_pagemap_close(struct fcp_guest_pagemap *pagemap);

static inline void fcp_cleanup_guest_pagemap(struct fcp_guest_pagemap *pagemap)
{
	fcp_guest_pagemap_close(pagemap);
}

#endif
