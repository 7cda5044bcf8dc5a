// SPDX-License-Identifier: Apache-2.0
/*
 * The node, where the note does not name it (an arm64 kernel with CONFIG_NUMA; x86_64's does): a
 * free block's list leads to its list_head, which is a part of a zone, which is a part of the node.
 * Which list of which zone it is shows in what lies around it.
 */
#include "guest/allocator/freelist.h"

#include "base/cleanup.h"
#include "base/error.h"

#include <stdlib.h>
#include <string.h>

/* Links that are followed from one block; the lists of large blocks are short. */
#define STEPS_MAX (UINT64_C(1) << 20)

struct seeker {
	struct fcp_guest_memmap *memmap;
	const struct fcp_guest_blocks *blocks;
	unsigned char *zone; /* of SIZE(zone) bytes */
	uint64_t pfn;	     /* of the block whose list is followed */
	unsigned found;
	uint64_t node;
};

static int next_link(struct seeker *seeker, uint64_t pfn, uint64_t *next_, struct fcp_error *err)
{
	const struct fcp_guest_head *head = fcp_guest_blocks_head(seeker->blocks, pfn);
	struct fcp_guest_page page;

	if (head) {
		*next_ = head->lru_next;
		return 0;
	}
	if (fcp_guest_memmap_read_page(seeker->memmap, pfn, &page, err) < 0)
		return -1;
	*next_ = page.lru_next;
	return 0;
}

/* *list_ = the list_head that the block's links lead to; 0: they run in a circle of blocks. */
static int follow_list(struct seeker *seeker, uint64_t *list_, struct fcp_error *err)
{
	uint64_t lru = seeker->memmap->kernel->note.page_lru, pfn = seeker->pfn, entry;

	*list_ = 0;
	for (uint64_t steps = 0; steps < STEPS_MAX; steps++) {
		if (next_link(seeker, pfn, &entry, err) < 0)
			return -1;
		if (fcp_guest_memmap_pfn(seeker->memmap, entry - lru, &pfn))
			continue;
		*list_ = entry;
		break;
	}
	return 0;
}

/* Does each list of the zone lead to itself (it is empty) or to a struct page? */
static bool is_zone(const struct seeker *seeker, uint64_t address)
{
	const struct fcp_guest_note *note = &seeker->memmap->kernel->note;

	for (uint64_t order = 0; order < note->zone_free_area_length; order++) {
		for (uint64_t type = 0; type < note->free_list_length; type++) {
			uint64_t at = note->zone_free_area + order * note->free_area_bytes +
				      note->free_area_free_list + type * note->list_head_bytes;
			uint64_t next, pfn;

			memcpy(&next, seeker->zone + at + note->list_head_next, sizeof(next));
			if (next != address + at &&
			    !fcp_guest_memmap_pfn(seeker->memmap, next - note->page_lru, &pfn))
				return false;
		}
	}
	return true;
}

/* Does the node whose zone of that index is there hold the block? */
static bool is_node(const struct seeker *seeker, uint64_t node, uint64_t index)
{
	struct fcp_guest_kernel *kernel = seeker->memmap->kernel;
	const struct fcp_guest_note *note = &kernel->note;
	uint64_t start, spanned;
	struct fcp_error ignored;
	uint32_t zones, id;

	return fcp_guest_read_virtual(&kernel->tables, node + note->pgdat_nr_zones, &zones,
				      sizeof(zones), &ignored) == 0 &&
	       fcp_guest_read_virtual(&kernel->tables, node + note->pgdat_node_id, &id, sizeof(id),
				      &ignored) == 0 &&
	       fcp_guest_read_word(&kernel->tables, node + note->pgdat_start_pfn, &start,
				   &ignored) == 0 &&
	       fcp_guest_read_word(&kernel->tables, node + note->pgdat_spanned_pages, &spanned,
				   &ignored) == 0 &&
	       index < zones && zones <= FCP_GUEST_ZONES_MAX && id == 0 &&
	       seeker->pfn - start < spanned;
}

static void try_zone(struct seeker *seeker, uint64_t address)
{
	struct fcp_guest_kernel *kernel = seeker->memmap->kernel;
	const struct fcp_guest_note *note = &kernel->note;
	struct fcp_error ignored;

	if (fcp_guest_read_virtual(&kernel->tables, address, seeker->zone, (size_t)note->zone_bytes,
				   &ignored) < 0 ||
	    !is_zone(seeker, address))
		return;
	for (uint64_t index = 0; index < FCP_GUEST_ZONES_MAX; index++) {
		uint64_t node = address - note->pgdat_node_zones - index * note->zone_bytes;

		if (!is_node(seeker, node, index) || (seeker->found > 0 && seeker->node == node))
			continue;
		seeker->found++;
		seeker->node = node;
	}
}

/* The block leads to its list, and that to the node. */
static int try_block(struct seeker *seeker, const struct fcp_guest_head *head,
		     struct fcp_error *err)
{
	const struct fcp_guest_note *note = &seeker->memmap->kernel->note;
	uint64_t list;

	seeker->pfn = head->pfn;
	if (follow_list(seeker, &list, err) < 0)
		return -1;
	for (uint64_t type = 0; list != 0 && type < note->free_list_length; type++)
		try_zone(seeker, list - note->zone_free_area - head->order * note->free_area_bytes -
					 note->free_area_free_list - type * note->list_head_bytes);
	return 0;
}

/* One block of each order is tried, the largest first: one may be on its way to another list. */
static int try_blocks(struct seeker *seeker, struct fcp_error *err)
{
	const struct fcp_guest_blocks *blocks = seeker->blocks;
	const struct fcp_guest_head *first[FCP_GUEST_ORDERS_MAX] = {NULL};

	for (uint64_t i = 0; i < blocks->head_count; i++)
		if (!first[blocks->heads[i].order])
			first[blocks->heads[i].order] = &blocks->heads[i];
	for (unsigned order = FCP_GUEST_ORDERS_MAX; order-- > 0 && seeker->found == 0;)
		if (first[order] && try_block(seeker, first[order], err) < 0)
			return -1;
	return 0;
}

int fcp_guest_node_find_by_lists(struct fcp_guest_memmap *memmap,
				 const struct fcp_guest_blocks *blocks, struct fcp_error *err)
{
	struct fcp_guest_note *note = &memmap->kernel->note;
	FCP_CLEANUP(free) unsigned char *zone = malloc((size_t)note->zone_bytes);
	struct seeker seeker = {.memmap = memmap, .blocks = blocks, .zone = zone};

	if (!zone)
		return fcp_error_nomem(err);
	if (note->pgdat_node_id == FCP_GUEST_NONE || note->pgdat_start_pfn == FCP_GUEST_NONE ||
	    note->pgdat_spanned_pages == FCP_GUEST_NONE)
		return fcp_guest_note_missing(err, "SYMBOL(node_data)");
	if (try_blocks(&seeker, err) < 0)
		return -1;
	if (seeker.found != 1)
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0, "the free blocks lead to %s",
				     seeker.found == 0 ? "no node" : "two nodes");
	note->contig_page_data = seeker.node;
	return 0;
}
