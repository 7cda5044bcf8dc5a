// SPDX-License-Identifier: Apache-2.0
#include "guest/allocator/buddy.h"

#include "base/deadline.h"
#include "base/error.h"
#include "base/units.h"

#include <stdlib.h>
#include <string.h>

/* A read of the memmap begins with a page of it, and doubles until one ends in a free block of so
 * many pages: behind it lie more of them, mostly, and a long read would be passed over. */
#define FIRST_READ_BYTES 4096
#define READS_PER_POLL 16
/* A block that is dropped splits its range: one a zone, of all nodes, and the one on its way. */
#define DROPPED_MAX 1024

struct scan {
	struct fcp_guest_memmap *memmap;
	struct fcp_guest_blocks *blocks;
	const struct fcp_guest_region *region;
	int cancel_fd;
	bool block_fault;
	bool ended_in_block; /* the last read, in a large one */
	uint64_t read_bytes, reads;
};

static int bad_head(struct scan *scan, uint64_t pfn, const char *what, struct fcp_error *err)
{
	scan->block_fault = true;
	return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0, "free block at PFN %#llx: %s",
			     (unsigned long long)pfn, what);
}

static int check_head(struct scan *scan, uint64_t pfn, const struct fcp_guest_page *page,
		      struct fcp_error *err)
{
	uint64_t orders = scan->memmap->kernel->note.zone_free_area_length;
	uint64_t end = (scan->region->gpa + scan->region->bytes) >> FCP_GUEST_PAGE_SHIFT;

	if (page->private_ >= orders)
		return bad_head(scan, pfn, "its order is too large", err);
	if (pfn % (UINT64_C(1) << page->private_) != 0)
		return bad_head(scan, pfn, "not aligned to its order", err);
	if (page->refcount != 0)
		return bad_head(scan, pfn, "it has references", err);
	if (page->mapping != 0)
		return bad_head(scan, pfn, "it has a mapping", err);
	if (pfn + (UINT64_C(1) << page->private_) > end)
		return bad_head(scan, pfn, "it ends beyond RAM", err);
	return 0;
}

static int take_block(struct scan *scan, uint64_t pfn, const struct fcp_guest_page *page,
		      struct fcp_error *err)
{
	struct fcp_guest_blocks *blocks = scan->blocks;
	uint64_t bit = fcp_guest_blocks_bit(blocks, pfn);
	uint64_t start = fcp_guest_region_offset(scan->region, pfn << FCP_GUEST_PAGE_SHIFT);
	uint64_t pages = UINT64_C(1) << page->private_;

	blocks->bitmap[bit / 64] |= UINT64_C(1) << (bit % 64);
	blocks->blocks_per_order[page->private_]++;
	blocks->free_pages += pages;
	if (blocks->head_count < blocks->head_capacity)
		blocks->heads[blocks->head_count++] =
			(struct fcp_guest_head){page->lru_next, (uint32_t)pfn,
						(uint32_t)page->private_};
	if (blocks->ranges.count >= FCP_GUEST_RANGES_MAX &&
	    blocks->ranges.items[blocks->ranges.count - 1].end != start) {
		blocks->ranges_left_out++;
		return 0;
	}
	return fcp_ranges_add(&blocks->ranges, start, start + (pages << FCP_GUEST_PAGE_SHIFT), err);
}

/* Behind a large free block reads begin small again. */
static void size_next_read(struct scan *scan)
{
	if (scan->ended_in_block)
		scan->read_bytes = FIRST_READ_BYTES;
	else if (scan->read_bytes < FCP_GUEST_MEMMAP_RUN_BYTES)
		scan->read_bytes *= 2;
}

/* Looks at count struct pages that have been read; *next_ = the PFN to go on with. */
static int scan_run(struct scan *scan, uint64_t first, uint64_t count, uint64_t *next_,
		    struct fcp_error *err)
{
	const struct fcp_guest_note *note = &scan->memmap->kernel->note;
	const unsigned char *mapcounts = scan->memmap->run + note->page_mapcount;
	uint32_t buddy = (uint32_t)note->buddy_mapcount;
	uint64_t i = 0;

	scan->ended_in_block = false;
	while (i < count) {
		struct fcp_guest_page page;
		uint32_t mapcount;

		memcpy(&mapcount, mapcounts + i * note->struct_page_bytes, sizeof(mapcount));
		if (mapcount != buddy) {
			i++;
			continue;
		}
		page = fcp_guest_memmap_page(scan->memmap, i);
		if (page.compound & 1) {
			i++;
			continue;
		}
		if (check_head(scan, first + i, &page, err) < 0 ||
		    take_block(scan, first + i, &page, err) < 0)
			return -1;
		i += UINT64_C(1) << page.private_;
		scan->ended_in_block =
			i >= count && note->struct_page_bytes << page.private_ >= FIRST_READ_BYTES;
	}
	*next_ = first + i;
	return 0;
}

static int scan_region(struct scan *scan, struct fcp_error *err)
{
	uint64_t pfn = scan->region->gpa >> FCP_GUEST_PAGE_SHIFT;
	uint64_t end = pfn + (scan->region->bytes >> FCP_GUEST_PAGE_SHIFT);
	uint64_t page_bytes = scan->memmap->kernel->note.struct_page_bytes;

	while (pfn < end) {
		uint64_t stop = fcp_guest_memmap_section_end(scan->memmap, pfn);
		uint64_t count = scan->read_bytes / page_bytes;
		uint64_t next;

		stop = stop < end ? stop : end;
		if (fcp_guest_memmap_address(scan->memmap, pfn) == 0) {
			pfn = stop;
			continue;
		}
		/* Zeros are no free block's head. */
		if (fcp_guest_memmap_skip_holes(scan->memmap, pfn, stop, &next, err) < 0)
			return -1;
		if (next > pfn) {
			pfn = next;
			continue;
		}
		if (scan->reads++ % READS_PER_POLL == 0 && fcp_cancelled(scan->cancel_fd))
			return fcp_error_set(err, FCP_ERR_INTERRUPTED, 0, "interrupted");
		count = count < stop - pfn ? count : stop - pfn;
		if (fcp_guest_memmap_read(scan->memmap, pfn, count, err) < 0 ||
		    scan_run(scan, pfn, count, &next, err) < 0)
			return -1;
		size_next_read(scan);
		pfn = next;
	}
	return 0;
}

/*
 * Room for all that can be found, or is kept, at once: what is not written to costs nothing, and
 * nothing is ever copied, which would take half as much again.
 */
static int make_room(struct fcp_guest_blocks *blocks, uint64_t pfns, struct fcp_error *err)
{
	uint64_t ranges = pfns / 2 + 1;

	if (ranges > FCP_GUEST_RANGES_MAX)
		ranges = FCP_GUEST_RANGES_MAX;
	blocks->head_capacity = pfns < FCP_GUEST_HEADS_MAX ? pfns : FCP_GUEST_HEADS_MAX;
	blocks->ranges.capacity = (size_t)ranges + DROPPED_MAX;
	blocks->bitmap_pfns = pfns;
	blocks->bitmap = calloc((size_t)(pfns / 64 + 1), sizeof(*blocks->bitmap));
	blocks->heads = reallocarray(NULL, (size_t)blocks->head_capacity, sizeof(*blocks->heads));
	blocks->ranges.items =
		reallocarray(NULL, blocks->ranges.capacity, sizeof(*blocks->ranges.items));
	return blocks->bitmap && blocks->heads && blocks->ranges.items ? 0 : fcp_error_nomem(err);
}

/* Half a TiB of nothing needs no bits. */
static struct fcp_range find_gap(const struct fcp_guest_memory *memory)
{
	const struct fcp_guest_region *last = &memory->regions[memory->region_count - 1];
	const struct fcp_guest_region *before = last - 1;
	uint64_t start, end = fcp_align_down(last->gpa >> FCP_GUEST_PAGE_SHIFT, 64);

	if (memory->region_count < 2)
		return (struct fcp_range){0, 0};
	start = fcp_align_up((before->gpa + before->bytes) >> FCP_GUEST_PAGE_SHIFT, 64);
	return start < end ? (struct fcp_range){start, end} : (struct fcp_range){0, 0};
}

int fcp_guest_blocks_find(struct fcp_guest_memmap *memmap, int cancel_fd,
			  struct fcp_guest_blocks *blocks_, bool *block_fault_,
			  struct fcp_error *err)
{
	const struct fcp_guest_memory *memory = &memmap->kernel->memory;
	const struct fcp_guest_region *last = &memory->regions[memory->region_count - 1];
	struct scan scan = {.memmap = memmap,
			    .blocks = blocks_,
			    .cancel_fd = cancel_fd,
			    .read_bytes = FIRST_READ_BYTES};
	uint64_t pfns;
	int status = 0;

	*blocks_ = (struct fcp_guest_blocks){0};
	blocks_->gap = find_gap(memory);
	pfns = ((last->gpa + last->bytes) >> FCP_GUEST_PAGE_SHIFT) -
	       (blocks_->gap.end - blocks_->gap.start);
	if (make_room(blocks_, pfns, err) < 0)
		return -1;
	for (unsigned i = 0; i < memory->region_count && status == 0; i++) {
		scan.region = &memory->regions[i];
		status = scan_region(&scan, err);
	}
	*block_fault_ = scan.block_fault;
	return status;
}

void fcp_guest_blocks_clear(struct fcp_guest_blocks *blocks)
{
	free(blocks->heads);
	free(blocks->bitmap);
	fcp_ranges_clear(&blocks->ranges);
	*blocks = (struct fcp_guest_blocks){0};
}

const struct fcp_guest_head *fcp_guest_blocks_head(const struct fcp_guest_blocks *blocks,
						   uint64_t pfn)
{
	uint64_t low = 0, high = blocks->head_count;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (blocks->heads[middle].pfn < pfn)
			low = middle + 1;
		else
			high = middle;
	}
	return low < blocks->head_count && blocks->heads[low].pfn == pfn ? &blocks->heads[low]
									 : NULL;
}

/* The first range that ends after offset. */
static size_t first_after(const struct fcp_ranges *ranges, uint64_t offset)
{
	size_t low = 0, high = ranges->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ranges->items[middle].end <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool fcp_guest_ranges_touch(const struct fcp_ranges *ranges, uint64_t start, uint64_t end)
{
	size_t at = first_after(ranges, start);

	return at < ranges->count && ranges->items[at].start < end;
}

int fcp_guest_blocks_drop(struct fcp_guest_blocks *blocks, const struct fcp_guest_memory *memory,
			  uint64_t pfn, unsigned order, struct fcp_error *err)
{
	uint64_t gpa = pfn << FCP_GUEST_PAGE_SHIFT;
	uint64_t bytes = FCP_PAGE_BYTES << order;
	const struct fcp_guest_region *region = fcp_guest_memory_region(memory, gpa, bytes);
	uint64_t start = region ? fcp_guest_region_offset(region, gpa) : 0;
	size_t at = region ? first_after(&blocks->ranges, start) : 0;
	struct fcp_range *items = blocks->ranges.items;
	uint64_t end;

	if (!region || at == blocks->ranges.count || items[at].start > start)
		return 0; /* left out before */
	blocks->blocks_per_order[order]--;
	blocks->free_pages -= UINT64_C(1) << order;
	end = items[at].end;
	items[at].end = start;
	/* Behind the block: a range of its own. One more item at the end makes the room. */
	if (end > start + bytes) {
		if (fcp_ranges_add(&blocks->ranges, UINT64_MAX - 1, UINT64_MAX, err) < 0)
			return -1;
		items = blocks->ranges.items;
		memmove(&items[at + 2], &items[at + 1],
			(blocks->ranges.count - at - 2) * sizeof(*items));
		items[at + 1] = (struct fcp_range){start + bytes, end};
	}
	if (items[at].start == items[at].end) {
		blocks->ranges.count--;
		memmove(&items[at], &items[at + 1], (blocks->ranges.count - at) * sizeof(*items));
	}
	return 0;
}
