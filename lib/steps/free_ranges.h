// SPDX-License-Identifier: Apache-2.0
/* The free pages of the paused guest in a memory file, in the library's public terms. */
#ifndef FCP_STEPS_FREE_RANGES_H
#define FCP_STEPS_FREE_RANGES_H

#include "guest/free_pages.h"

/* A memory file; fcp_guest_memory_open_file()'s terms. */
struct fcp_free_source {
	int fd;
	enum fcp_holes holes; /* UNSPECIFIED is ZERO */
	int base_fd;	      /* of a layer; or -1 */
	int cancel_fd;
};

/*
 * *ranges_ (zero-initialised) are the free pages' offsets in the file; *report_ is filled in also when a
 * gate refuses (FCP_ERR_UNSUPPORTED; no ranges then).
 */
int fcp_free_ranges_find(const struct fcp_free_source *source, struct fcp_ranges *ranges_,
			 struct fcp_guest_report *report_, struct fcp_error *err);

/*
 * The same of any guest memory; *found (zero-initialised, owned by the caller) holds the ranges, and
 * where the guest's regions lie.
 */
int fcp_free_ranges_of(const struct fcp_guest_memory *memory, int cancel_fd,
		       struct fcp_guest_free *found, struct fcp_guest_report *report_,
		       struct fcp_error *err);

#endif
