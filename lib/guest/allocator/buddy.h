// SPDX-License-Identifier: Apache-2.0
/*
 * The buddy allocator's free blocks, by the marks in the memmap: a struct page with
 * PageBuddy (mm/page_alloc.c, include/linux/page-flags.h) is the head of 2^order free pages.
 * The mark is cleared under the zone's lock before anyone may write into a block, and set after its
 * content is dead, so that a marked block is dead at any instant the guest may have been paused.
 */
#ifndef FCP_GUEST_ALLOCATOR_BUDDY_H
#define FCP_GUEST_ALLOCATOR_BUDDY_H

#include "guest/allocator/memmap.h"

/* LENGTH(zone.free_area) is 11 on x86_64, and no more than this. */
#define FCP_GUEST_ORDERS_MAX 20
/* Own memory is bounded: heads kept with their links (16 bytes each), ranges (16 bytes each). Heads
 * beyond are read again when the lists are walked; a range beyond stays in use: kept, not lost. */
#define FCP_GUEST_HEADS_MAX (UINT64_C(1) << 20)
#define FCP_GUEST_RANGES_MAX (UINT64_C(1) << 21)

/* A free block's head. */
struct fcp_guest_head {
	uint64_t lru_next; /* address of the next list_head */
	uint32_t pfn;
	uint32_t order;
};

/* Owned: release with fcp_guest_blocks_clear(). */
struct fcp_guest_blocks {
	struct fcp_guest_head *heads; /* sorted by PFN; the first FCP_GUEST_HEADS_MAX of them */
	uint64_t head_count, head_capacity;
	uint64_t *bitmap; /* a bit a PFN up to the end of RAM, but for the gap: is it a head? */
	uint64_t bitmap_pfns;
	struct fcp_range gap; /* PFNs between boot memory and what is plugged in, of whole words */
	uint64_t blocks_per_order[FCP_GUEST_ORDERS_MAX];
	uint64_t free_pages;
	uint64_t ranges_left_out;
	struct fcp_ranges ranges; /* offsets in the memory file, sorted, merged */
};

/*
 * Finds all free blocks. FCP_ERR_UNSUPPORTED names the first head that cannot be one: its order,
 * its alignment, a reference or a mapping, an end beyond RAM; *block_fault_ says whether it was
 * such a head (true) or the memmap (false). FCP_ERR_INTERRUPTED by cancel_fd.
 */
int fcp_guest_blocks_find(struct fcp_guest_memmap *memmap, int cancel_fd,
			  struct fcp_guest_blocks *blocks_, bool *block_fault_,
			  struct fcp_error *err);
void fcp_guest_blocks_clear(struct fcp_guest_blocks *blocks);

/* Takes the block at pfn, of 2^order pages, out of the ranges and the figures. */
int fcp_guest_blocks_drop(struct fcp_guest_blocks *blocks, const struct fcp_guest_memory *memory,
			  uint64_t pfn, unsigned order, struct fcp_error *err);

/* The head at pfn, as found; NULL when it is not among those kept. */
const struct fcp_guest_head *fcp_guest_blocks_head(const struct fcp_guest_blocks *blocks,
						   uint64_t pfn);

/* The bit of a PFN that lies in RAM, and back. */
static inline uint64_t fcp_guest_blocks_bit(const struct fcp_guest_blocks *blocks, uint64_t pfn)
{
	return pfn < blocks->gap.end ? pfn : pfn - (blocks->gap.end - blocks->gap.start);
}

static inline uint64_t fcp_guest_blocks_pfn(const struct fcp_guest_blocks *blocks, uint64_t bit)
{
	return bit < blocks->gap.start ? bit : bit + (blocks->gap.end - blocks->gap.start);
}

static inline bool fcp_guest_blocks_marked(const struct fcp_guest_blocks *blocks, uint64_t pfn)
{
	uint64_t bit = fcp_guest_blocks_bit(blocks, pfn);

	return (pfn < blocks->gap.start || pfn >= blocks->gap.end) && bit < blocks->bitmap_pfns &&
	       (blocks->bitmap[bit / 64] >> (bit % 64) & 1);
}

static inline void fcp_guest_blocks_unmark(struct fcp_guest_blocks *blocks, uint64_t pfn)
{
	uint64_t bit = fcp_guest_blocks_bit(blocks, pfn);

	blocks->bitmap[bit / 64] &= ~(UINT64_C(1) << (bit % 64));
}

/* Does [start, end) of the memory file touch a free range? */
bool fcp_guest_ranges_touch(const struct fcp_ranges *ranges, uint64_t start, uint64_t end);

#endif
