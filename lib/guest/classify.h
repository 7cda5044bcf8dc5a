// SPDX-License-Identifier: Apache-2.0
/*
 * What each page of the guest's RAM is used for, by its struct page: for a look at a memory file
 * ("why is it still this big?"), not to release by. No gate is asked but that there is one kernel.
 */
#ifndef FCP_GUEST_CLASSIFY_H
#define FCP_GUEST_CLASSIFY_H

#include "guest/memory.h"
#include "guest/vmcoreinfo.h"

enum fcp_guest_page_class {
	FCP_GUEST_PAGE_UNKNOWN, /* the kernel's own (stacks, vmalloc, CPUs' free lists), no struct
				   page */
	FCP_GUEST_PAGE_FREE,	/* in the buddy allocator */
	FCP_GUEST_PAGE_ZERO,	/* none of it free, all zeros or a hole; only when asked for */
	FCP_GUEST_PAGE_CACHE,	/* page cache and tmpfs */
	FCP_GUEST_PAGE_ANONYMOUS,
	FCP_GUEST_PAGE_SLAB,
	FCP_GUEST_PAGE_TABLES,
	FCP_GUEST_PAGE_KERNEL_IMAGE,
	FCP_GUEST_PAGE_RESERVED, /* taken at boot: the memmap, firmware */
	FCP_GUEST_PAGE_CLASSES,
};

struct fcp_guest_classify_settings {
	bool zero;     /* read all pages that are not free: 100 ms per GiB of data */
	int cancel_fd; /* or -1 */
};

/* Zero-initialise it. Owned: release with fcp_guest_classes_clear(). */
struct fcp_guest_classes {
	char release[FCP_GUEST_RELEASE_BYTES];
	uint64_t bytes[FCP_GUEST_PAGE_CLASSES];	     /* together: all of RAM */
	uint64_t data_bytes[FCP_GUEST_PAGE_CLASSES]; /* of them the source holds data for: no holes
						      */
	uint8_t *pages; /* an enum fcp_guest_page_class for each page of the memory file, in its
			   order */
	uint64_t page_count;
};

/* "free", "page cache", ...; static storage. */
const char *fcp_guest_page_class_name(enum fcp_guest_page_class page_class);

/*
 * Classes all pages. FCP_ERR_UNSUPPORTED when the guest's kernel cannot be found or its memmap not
 * be read, FCP_ERR_IO, FCP_ERR_MEMORY (a byte a page), FCP_ERR_INTERRUPTED.
 */
int fcp_guest_classify(const struct fcp_guest_memory *memory,
		       const struct fcp_guest_classify_settings *settings,
		       struct fcp_guest_classes *classes_, struct fcp_error *err);

/* Frees what it owns and zeroes it. NULL-safe. */
void fcp_guest_classes_clear(struct fcp_guest_classes *classes);

#endif
