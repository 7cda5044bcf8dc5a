// SPDX-License-Identifier: Apache-2.0
/* The free pages of a paused guest, as fcpause.h presents them. */
#ifndef FCP_STEPS_FREE_RANGES_H
#define FCP_STEPS_FREE_RANGES_H

#include "guest/free_pages.h"

/* A memory file, in the terms of fcp_guest_memory_open_file(). */
struct fcp_free_source {
	int fd;
	enum fcp_holes holes; /* UNSPECIFIED counts as ZERO */
	int base_fd;	      /* of a layer; else -1 */
	int cancel_fd;
	bool confine; /* see fcp_free_look */
};

struct fcp_free_look {
	int cancel_fd;
	bool confine; /* what the guest wrote is read by a confined thread (base/confined.h) */
};

/*
 * *ranges_ (zero-initialised): the file offsets of the free pages. *report, NULL or an earlier
 * one, which is freed, becomes the report, to be freed with free(3), even if a gate refuses
 * (FCP_ERR_UNSUPPORTED; no ranges then).
 */
int fcp_free_ranges_find(const struct fcp_free_source *source, struct fcp_ranges *ranges_,
			 struct fcp_guest_report **report, struct fcp_error *err);

/*
 * The same for any guest memory. *found (zero-initialised, owned by the caller) also holds the
 * guest's memory regions.
 */
int fcp_free_ranges_of(const struct fcp_guest_memory *memory, const struct fcp_free_look *look,
		       struct fcp_guest_free *found, struct fcp_guest_report **report,
		       struct fcp_error *err);

/* The same without a report. */
int fcp_free_look_for(const struct fcp_guest_memory *memory, const struct fcp_free_look *look,
		      struct fcp_guest_free *found, struct fcp_error *err);

#endif
