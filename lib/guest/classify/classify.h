// SPDX-License-Identifier: Apache-2.0
/*
 * What each page of the guest's RAM is used for, by its struct page: for a look at a memory file
 * ("why is it still this big?"), informational only. It checks only that exactly one
 * kernel is found.
 */
#ifndef FCP_GUEST_CLASSIFY_CLASSIFY_H
#define FCP_GUEST_CLASSIFY_CLASSIFY_H

#include "guest/memory.h"
#include "guest/kernel/vmcoreinfo.h"

/* Pages of one class; offsets in the memory file. */
struct fcp_guest_class_run {
	uint64_t start, end;
	enum fcp_page_class page_class;
	bool data; /* the source holds data for all of it; false: it is a hole */
};

/* -1 with *err set ends the classification. */
typedef int (*fcp_guest_class_sink)(const struct fcp_guest_class_run *run, void *arg,
				    struct fcp_error *err);

struct fcp_guest_classify_settings {
	bool zero;     /* read all data that is not free: 100 ms per GiB of it */
	int cancel_fd; /* or -1 */
	fcp_guest_class_sink sink;
	void *sink_arg;
};

/*
 * Tells the sink of all of RAM, as the longest runs, without gaps and in the memory file's order;
 * release_ is the guest's kernel. Needs less than 1 MiB, for a memory of any size. Free blocks are
 * passed over as wholes, holes are not read. FCP_ERR_UNSUPPORTED when the guest's kernel cannot be
 * found or its memmap not be read, FCP_ERR_IO, FCP_ERR_MEMORY, FCP_ERR_INTERRUPTED, and what the
 * sink says: it may have been told of the first runs then.
 */
int fcp_guest_classify(const struct fcp_guest_memory *memory,
		       const struct fcp_guest_classify_settings *settings,
		       char release_[FCP_GUEST_RELEASE_BYTES], struct fcp_error *err);

#endif
