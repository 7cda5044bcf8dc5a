// SPDX-License-Identifier: Apache-2.0
/*
 * Finds the guest's running kernel in its memory: which note, and which layout.
 *
 * First by the kernel's own pointers, where the architecture has such a way (guest/arch/arch.h,
 * locate_note). Where they do not lead to a note, all pages with data are searched: exactly one
 * note may pass. Either way it must be the note of the kernel that runs (prove_running): the notes
 * of previous kernels (kexec, a crash) can pass every other proof.
 */
#ifndef FCP_GUEST_KERNEL_SEARCH_H
#define FCP_GUEST_KERNEL_SEARCH_H

#include "guest/kernel/kernel.h"

/* More pages than these that begin like a note were put there: the search ends. */
#define FCP_GUEST_CANDIDATES_MAX 256

struct fcp_guest_search {
	bool by_pointer;	     /* found without a search of all pages */
	unsigned candidates;	     /* pages that begin like a note */
	unsigned passed;	     /* of different text or layout */
	enum fcp_guest_proof proof;  /* how far the best came */
	struct fcp_error best_error; /* what it failed with */
};

/*
 * *kernel_ = the kernel; *search_ says what was found, on failure too. FCP_ERR_UNSUPPORTED: no
 * kernel, more than one, too many candidates. FCP_ERR_INTERRUPTED by cancel_fd.
 */
int fcp_guest_kernel_find(const struct fcp_guest_memory *memory, int cancel_fd,
			  struct fcp_guest_kernel *kernel_, struct fcp_guest_search *search_,
			  struct fcp_error *err);

#endif
