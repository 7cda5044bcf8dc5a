// SPDX-License-Identifier: Apache-2.0
#include "guest/allocator/freelist.h"

#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/error.h"
#include "base/units.h"

#include <stdlib.h>
#include <string.h>

/* Firecracker's most; each CPU may hold back so much of a zone's counter (mm/vmstat.c,
 * calculate_normal_threshold()). */
#define VCPUS_MAX 32
#define DRIFT_MAX 125
#define STEPS_PER_POLL 4096

struct walk {
	struct fcp_guest_memmap *memmap;
	struct fcp_guest_blocks *blocks;
	struct fcp_guest_lists *lists;
	int cancel_fd;
	unsigned unmarked; /* of this zone: on a list, not marked */
	uint64_t steps;
	uint64_t zone_pages; /* on this zone's lists */
	uint64_t isolated_pages;
};

static int disagree(struct fcp_error *err, unsigned order, const char *what)
{
	return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0, "order %u: %s", order, what);
}

int fcp_guest_nodes_find(struct fcp_guest_kernel *kernel,
			 struct fcp_guest_node nodes[FCP_GUEST_NODES_MAX], unsigned *count_,
			 struct fcp_error *err)
{
	const struct fcp_guest_note *note = &kernel->note;
	uint64_t pointers[1024]; /* LENGTH(node_data) is no larger */
	unsigned count = 0;

	if (note->node_data == FCP_GUEST_NONE) {
		nodes[0].address = note->contig_page_data;
		*count_ = 1;
		return 0;
	}
	if (fcp_guest_read_virtual(&kernel->tables, note->node_data, pointers,
				   (size_t)note->node_data_length * sizeof(pointers[0]), err) < 0)
		return fcp_error_wrap(err, "node_data");
	for (uint64_t i = 0; i < note->node_data_length; i++) {
		if (pointers[i] == 0)
			continue;
		if (count == FCP_GUEST_NODES_MAX)
			return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0,
					     "node_data: too many nodes");
		nodes[count++].address = pointers[i];
	}
	if (count == 0)
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0, "node_data: no node");
	*count_ = count;
	return 0;
}

/* The link to the next entry of the list, from the head as it was found or from the struct page. */
static int next_of(struct walk *walk, uint64_t pfn, unsigned order, bool marked, uint64_t *next_,
		   struct fcp_error *err)
{
	const struct fcp_guest_head *head =
		marked ? fcp_guest_blocks_head(walk->blocks, pfn) : NULL;
	struct fcp_guest_page page;

	if (head && head->order != order)
		return disagree(err, order, "a block of another order is on its list");
	if (head) {
		*next_ = head->lru_next;
		return 0;
	}
	if (fcp_guest_memmap_read_page(walk->memmap, pfn, &page, err) < 0)
		return -1;
	if (marked && page.private_ != order)
		return disagree(err, order, "a block of another order is on its list");
	*next_ = page.lru_next;
	return 0;
}

/* Walks one list from its head's first link; *length_ counts its blocks. */
static int walk_list(struct walk *walk, unsigned order, uint64_t list, uint64_t first,
		     uint64_t *length_, struct fcp_error *err)
{
	const struct fcp_guest_note *note = &walk->memmap->kernel->note;
	uint64_t entry = first;

	while (entry != list) {
		bool marked;
		uint64_t pfn;

		if (walk->steps++ % STEPS_PER_POLL == 0 && fcp_cancelled(walk->cancel_fd))
			return fcp_error_set(err, FCP_ERR_INTERRUPTED, 0, "interrupted");
		if (!fcp_guest_memmap_pfn(walk->memmap, entry - note->page_lru, &pfn))
			return disagree(err, order, "a link leads to no struct page");
		marked = fcp_guest_blocks_marked(walk->blocks, pfn);
		if (!marked && ++walk->unmarked > 1)
			return disagree(err, order,
					"blocks on a list that are not marked free, or twice");
		if (next_of(walk, pfn, order, marked, &entry, err) < 0)
			return -1;
		if (marked)
			fcp_guest_blocks_unmark(walk->blocks, pfn);
		++*length_;
	}
	return 0;
}

/* All migrate types of one order. area: the struct free_area, which lies at address. */
static int walk_order(struct walk *walk, unsigned order, const unsigned char *area,
		      uint64_t address, struct fcp_error *err)
{
	const struct fcp_guest_note *note = &walk->memmap->kernel->note;
	uint64_t length = 0, nr_free;

	for (uint64_t type = 0; type < note->free_list_length; type++) {
		uint64_t offset = note->free_area_free_list + type * note->list_head_bytes;
		uint64_t before = length;
		uint64_t first;

		memcpy(&first, area + offset + note->list_head_next, sizeof(first));
		if (walk_list(walk, order, address + offset, first, &length, err) < 0)
			return -1;
		/* The last type is MIGRATE_ISOLATE where there is one: NR_FREE_PAGES leaves it out.
		 */
		if (type + 1 == note->free_list_length)
			walk->isolated_pages += (length - before) << order;
	}
	memcpy(&nr_free,
	       area + note->free_area_free_list + note->free_list_length * note->list_head_bytes,
	       sizeof(nr_free));
	if (nr_free > length + 1 || length > nr_free + 1)
		return disagree(err, order, "nr_free is not the length of its lists");
	walk->lists->listed += length;
	walk->zone_pages += length << order;
	return 0;
}

/* What NR_FREE_PAGES may be off by: CPUs' deltas, and the block that is on its way. */
static uint64_t drift(uint64_t zone_pages, uint64_t orders)
{
	unsigned blocks_bits = 0; /* fls(zone size in 128 MiB) */
	uint64_t threshold;

	for (uint64_t blocks = zone_pages >> 15; blocks != 0; blocks >>= 1)
		blocks_bits++;
	threshold = 2 * 6 * (1 + blocks_bits); /* fls(32) is 6 */
	if (threshold > DRIFT_MAX)
		threshold = DRIFT_MAX;
	return VCPUS_MAX * threshold + (UINT64_C(1) << orders) / 2;
}

static int check_count(struct walk *walk, const unsigned char *zone, struct fcp_error *err)
{
	const struct fcp_guest_note *note = &walk->memmap->kernel->note;
	uint64_t spanned, counted, slack;

	memcpy(&spanned, zone + note->zone_spanned_pages, sizeof(spanned));
	memcpy(&counted, zone + note->zone_vm_stat + note->nr_free_pages * sizeof(counted),
	       sizeof(counted));
	slack = drift(spanned, note->zone_free_area_length);
	walk->lists->counted_pages += counted;
	if ((int64_t)counted < 0 || counted > walk->zone_pages + slack ||
	    walk->zone_pages > counted + slack + walk->isolated_pages) {
		walk->lists->count_fault = true;
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0,
				     "%llu pages are on a zone's lists, NR_FREE_PAGES says %lld",
				     (unsigned long long)walk->zone_pages, (long long)counted);
	}
	return 0;
}

/* One zone; zone is a buffer of SIZE(zone) bytes. */
static int walk_zone(struct walk *walk, uint64_t address, unsigned char *zone,
		     struct fcp_error *err)
{
	const struct fcp_guest_note *note = &walk->memmap->kernel->note;
	uint64_t spanned;

	if (fcp_guest_read_virtual(&walk->memmap->kernel->tables, address, zone,
				   (size_t)note->zone_bytes, err) < 0)
		return fcp_error_wrap(err, "zone");
	memcpy(&spanned, zone + note->zone_spanned_pages, sizeof(spanned));
	if (spanned == 0)
		return 0;
	walk->lists->zones++;
	walk->unmarked = 0;
	walk->zone_pages = walk->isolated_pages = 0;
	for (unsigned order = 0; order < note->zone_free_area_length; order++) {
		uint64_t area = note->zone_free_area + order * note->free_area_bytes;

		if (walk_order(walk, order, zone + area, address + area, err) < 0)
			return -1;
	}
	return check_count(walk, zone, err);
}

static int walk_node(struct walk *walk, uint64_t node, struct fcp_error *err)
{
	struct fcp_guest_kernel *kernel = walk->memmap->kernel;
	const struct fcp_guest_note *note = &kernel->note;
	FCP_CLEANUP(free) unsigned char *zone = malloc((size_t)note->zone_bytes);
	uint32_t zones;

	if (!zone)
		return fcp_error_nomem(err);
	if (fcp_guest_read_virtual(&kernel->tables, node + note->pgdat_nr_zones, &zones,
				   sizeof(zones), err) < 0)
		return fcp_error_wrap(err, "nr_zones");
	if (zones == 0 || zones > FCP_GUEST_ZONES_MAX)
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0, "nr_zones: %u", zones);
	for (uint32_t i = 0; i < zones; i++)
		if (walk_zone(walk, node + note->pgdat_node_zones + i * note->zone_bytes, zone,
			      err) < 0)
			return -1;
	return 0;
}

/* Blocks still marked were on no list: at most one a zone, which stays in use. */
static int drop_unlisted(struct walk *walk, struct fcp_error *err)
{
	struct fcp_guest_blocks *blocks = walk->blocks;

	for (uint64_t word = 0; word < blocks->bitmap_pfns / 64 + 1; word++) {
		while (blocks->bitmap[word] != 0) {
			uint64_t pfn =
				fcp_guest_blocks_pfn(blocks,
						     word * 64 + (uint64_t)__builtin_ctzll(
									 blocks->bitmap[word]));
			struct fcp_guest_page page;

			if (++walk->lists->dropped > walk->lists->zones)
				return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0,
						     "blocks are marked free that are on no list");
			if (fcp_guest_memmap_read_page(walk->memmap, pfn, &page, err) < 0)
				return -1;
			/* As checked when it was found; the source may have changed since. */
			if (page.private_ >= walk->memmap->kernel->note.zone_free_area_length)
				return fcp_error_set(err, FCP_ERR_STATE, 0,
						     "the guest is not paused");
			if (fcp_guest_blocks_drop(blocks, &walk->memmap->kernel->memory, pfn,
						  (unsigned)page.private_, err) < 0)
				return -1;
			fcp_guest_blocks_unmark(blocks, pfn);
		}
	}
	return 0;
}

int fcp_guest_lists_check(struct fcp_guest_memmap *memmap, struct fcp_guest_blocks *blocks,
			  int cancel_fd, struct fcp_guest_lists *lists_, struct fcp_error *err)
{
	struct fcp_guest_node nodes[FCP_GUEST_NODES_MAX];
	struct walk walk = {.memmap = memmap,
			    .blocks = blocks,
			    .lists = lists_,
			    .cancel_fd = cancel_fd};
	unsigned count = 0;

	*lists_ = (struct fcp_guest_lists){0};
	if (memmap->kernel->note.node_data == FCP_GUEST_NONE &&
	    memmap->kernel->note.contig_page_data == FCP_GUEST_NONE &&
	    fcp_guest_node_find_by_lists(memmap, blocks, err) < 0)
		return -1;
	if (fcp_guest_nodes_find(memmap->kernel, nodes, &count, err) < 0)
		return -1;
	for (unsigned i = 0; i < count; i++)
		if (walk_node(&walk, nodes[i].address, err) < 0)
			return -1;
	return drop_unlisted(&walk, err);
}
