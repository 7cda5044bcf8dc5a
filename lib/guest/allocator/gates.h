// SPDX-License-Identifier: Apache-2.0
/*
 * The gates that look at what was found: each returns 0 (passed) or -1 with FCP_ERR_UNSUPPORTED and
 * its reason (refused); other classes come from the source. guest/free_pages.h says which there
 * are.
 */
#ifndef FCP_GUEST_ALLOCATOR_GATES_H
#define FCP_GUEST_ALLOCATOR_GATES_H

#include "guest/allocator/buddy.h"
#include "guest/allocator/memmap.h"

/*
 * The kernel's text must be there: holes over it show a layer that is taken for a whole file. A few
 * pages of zeros may have been released before, so 4 of the 64 that are looked at may be holes.
 */
int fcp_guest_gate_holes(struct fcp_guest_kernel *kernel, struct fcp_error *err);

/*
 * None of this may lie in ranges: the note, the kernel's text, the page of each symbol of its
 * image, the page tables and the memmap as walked, the nodes, the boot parameters.
 */
int fcp_guest_gate_in_use(struct fcp_guest_memmap *memmap, const struct fcp_ranges *ranges,
			  struct fcp_error *err);

/* What the bytes of free pages, of those that hold data, look like. */
struct fcp_guest_samples {
	unsigned taken;
	unsigned zeros;
	unsigned poison;		  /* 0xaa all over: PAGE_POISON, include/linux/poison.h */
	bool poison_asked, zeroing_asked; /* page_poison, init_on_free on the command line */
	bool zeroed_marked; /* the kernel marks free pages that it knows to be zeros (PG_zeroed) */
};

/* Looks at 64 free pages at most, spread over ranges, and at the command line where Firecracker put
 * it. */
int fcp_guest_sample(const struct fcp_guest_memory *memory, const struct fcp_ranges *ranges,
		     struct fcp_guest_samples *samples_, struct fcp_error *err);

/* With page poisoning the guest takes a hole in a free page for corruption (mm/page_poison.c). */
int fcp_guest_gate_poison(const struct fcp_guest_samples *samples, struct fcp_error *err);

/* A guest that zeroes on free (init_on_free), or marks free pages that the host has zeroed
 * (PG_zeroed), hands out free pages as zeros without a look: where a hole shows the base's
 * bytes, such a page must not become one. */
int fcp_guest_gate_zeroed(const struct fcp_guest_memory *memory,
			  const struct fcp_guest_samples *samples, struct fcp_error *err);

#endif
