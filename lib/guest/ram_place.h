// SPDX-License-Identifier: Apache-2.0
/* Between guest/ram.c and guest/ram_place.c only. */
#ifndef FCP_GUEST_RAM_PLACE_H
#define FCP_GUEST_RAM_PLACE_H

#include "guest/ram.h"

/* The mappings of a process that can hold RAM, ascending. Owned. */
struct fcp_guest_pieces {
	struct fcp_guest_piece *items;
	size_t count;
	size_t room;
};

/*
 * Adds to ram->layouts each way to find the regions of layout number layout of plain, which have no
 * addresses yet, among pieces. They begin and end where mappings do; with joined, if none is found
 * so, at one end of an anonymous mapping that is longer: the kernel makes one mapping of two that
 * lie side by side.
 */
void fcp_guest_ram_place(const struct fcp_guest_pieces *pieces,
			 const struct fcp_guest_memory *plain, unsigned layout, bool joined,
			 struct fcp_guest_ram *ram);

/* Of more than one layout: drops those whose first region has no mark of a VMM (guest/arch/arch.h),
 * if others have. */
void fcp_guest_ram_narrow(struct fcp_guest_ram *ram);

/* Do both layouts put the same offsets at the same addresses? They are of one size. */
bool fcp_guest_layouts_agree(const struct fcp_guest_region a[FCP_GUEST_REGIONS_MAX],
			     const struct fcp_guest_region b[FCP_GUEST_REGIONS_MAX]);

#endif
