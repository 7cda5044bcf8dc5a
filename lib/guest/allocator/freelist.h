// SPDX-License-Identifier: Apache-2.0
/*
 * The second opinion: the zones' own free lists (struct
 * zone.free_area[order].free_list[migratetype], include/linux/mmzone.h) must hold the very heads
 * that the memmap marks. A guest is paused at any instruction, so one block a zone may be on its
 * way: marked and off its list, or the other way.
 */
#ifndef FCP_GUEST_ALLOCATOR_FREELIST_H
#define FCP_GUEST_ALLOCATOR_FREELIST_H

#include "guest/allocator/buddy.h"

/* Firecracker's guests have one node; a guest with more than these is not Firecracker's. */
#define FCP_GUEST_NODES_MAX 64
#define FCP_GUEST_ZONES_MAX 8

/* A struct pglist_data. */
struct fcp_guest_node {
	uint64_t address;
};

/* What the walk found. */
struct fcp_guest_lists {
	uint64_t listed;	/* blocks on the lists */
	uint64_t zones;		/* that have pages */
	uint64_t dropped;	/* marked, on no list: taken out of the free blocks */
	uint64_t counted_pages; /* the sum of NR_FREE_PAGES */
	bool count_fault;	/* it is the sum that disagrees */
};

/* The nodes: *count_ of them in nodes. FCP_ERR_UNSUPPORTED: none, too many, not mapped. */
int fcp_guest_nodes_find(struct fcp_guest_kernel *kernel,
			 struct fcp_guest_node nodes[FCP_GUEST_NODES_MAX], unsigned *count_,
			 struct fcp_error *err);

/*
 * Where the note names no node: finds it from the blocks' lists, and fills in contig_page_data.
 * FCP_ERR_UNSUPPORTED: they lead to no node, or to more than one.
 */
int fcp_guest_node_find_by_lists(struct fcp_guest_memmap *memmap,
				 const struct fcp_guest_blocks *blocks, struct fcp_error *err);

/*
 * Compares the lists with the blocks, and drops those that are on no list from blocks; its bitmap
 * is used up. FCP_ERR_UNSUPPORTED: the lists and the marks disagree, or the counts. A list that
 * runs in circles meets a head twice and ends there.
 */
int fcp_guest_lists_check(struct fcp_guest_memmap *memmap, struct fcp_guest_blocks *blocks,
			  int cancel_fd, struct fcp_guest_lists *lists_, struct fcp_error *err);

#endif
