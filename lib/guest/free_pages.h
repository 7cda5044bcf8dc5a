// SPDX-License-Identifier: Apache-2.0
/*
 * The free pages of a paused guest, from its memory alone: what its own page allocator holds free.
 * Their contents are dead, so they can become holes. Reads only; writes nowhere.
 */
#ifndef FCP_GUEST_FREE_PAGES_H
#define FCP_GUEST_FREE_PAGES_H

#include "guest/allocator/buddy.h"
#include "guest/memory.h"
#include "guest/kernel/vmcoreinfo.h"

/* What must hold before a page is called free, in the order in which it is looked at. */
enum fcp_guest_gate_id {
	FCP_GUEST_GATE_VMCOREINFO,  /* exactly one kernel's note, every key there and plausible */
	FCP_GUEST_GATE_ENCRYPTION,  /* no memory encryption */
	FCP_GUEST_GATE_PAGE_TABLES, /* _stext and the release are where the note says */
	FCP_GUEST_GATE_HOLES, /* no hole where the guest surely has data: not a layer taken whole */
	FCP_GUEST_GATE_MEMMAP,	   /* the memmap can be read, all of it */
	FCP_GUEST_GATE_BLOCKS,	   /* no bad block head */
	FCP_GUEST_GATE_FREE_LISTS, /* the zones' lists hold the same blocks */
	FCP_GUEST_GATE_FREE_COUNT, /* and as many pages as NR_FREE_PAGES says */
	FCP_GUEST_GATE_IN_USE,	   /* nothing that is surely in use is among them */
	FCP_GUEST_GATE_POISON,	   /* the guest does not check what it finds in free pages */
	FCP_GUEST_GATE_ZEROED,	   /* nor rely on zeros there, where a hole would not be zeros */
	FCP_GUEST_GATES,
};

struct fcp_guest_gate {
	const char *name; /* "vmcoreinfo", "free-lists", ...; static storage */
	enum fcp_gate_state state;
	char reason[256]; /* of a failure */
};

struct fcp_guest_free_settings {
	int cancel_fd; /* or -1 */
};

/* Zero-initialise it. Owned: release with fcp_guest_free_clear(). */
struct fcp_guest_free {
	char release[FCP_GUEST_RELEASE_BYTES]; /* the guest's kernel; "" when it is not known */
	bool found_by_pointer;		       /* see guest/kernel/search.h */
	unsigned region_count;
	struct fcp_guest_region regions[FCP_GUEST_REGIONS_MAX]; /* the layout that fits */
	struct fcp_ranges ranges; /* offsets in the memory file: sorted, merged, whole pages */
	uint64_t free_bytes;	  /* of all blocks */
	uint64_t left_out_bytes;  /* of them not in ranges: more ranges than are kept */
	uint64_t blocks_per_order[FCP_GUEST_ORDERS_MAX];
	unsigned order_count; /* orders that this kernel has */
	struct fcp_guest_gate gates[FCP_GUEST_GATES];
};

/* A gate's name; static storage. */
const char *fcp_guest_gate_name(enum fcp_guest_gate_id id);

/*
 * Finds the free pages. The caller keeps the guest paused; memory->holes says how holes are to be
 * read. Takes about 1 ms and, for what the guest has in use, 3 ms per GiB: the memmap is a 64th of
 * it, and is read. A guest that lies can make it read 256 MiB and four times what the file holds.
 * 56 MiB and a bit a page of own memory at most. A retry is safe.
 *
 * FCP_ERR_UNSUPPORTED: a gate refused; the message begins with its name, ranges are empty. The
 * gates and what else is known are filled in then too. FCP_ERR_IO, FCP_ERR_MEMORY,
 * FCP_ERR_INTERRUPTED.
 */
int fcp_guest_find_free(const struct fcp_guest_memory *memory,
			const struct fcp_guest_free_settings *settings,
			struct fcp_guest_free *free_, struct fcp_error *err);

/* Frees what it owns and zeroes it. NULL-safe. */
void fcp_guest_free_clear(struct fcp_guest_free *free_);

static inline void fcp_cleanup_guest_free(struct fcp_guest_free *free_)
{
	fcp_guest_free_clear(free_);
}

#endif
