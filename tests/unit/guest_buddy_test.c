// SPDX-License-Identifier: Apache-2.0
/* The free blocks by the memmap's marks, and the zones' lists beside them: each by itself. */
#include "guest/allocator/freelist.h"
#include "guest_fixture.h"
#include "tap.h"

#include <stdlib.h>
#include <unistd.h>

#define ZONE (FIXTURE_NODE + FIXTURE_ZONE_BYTES)
#define IN_USE UINT32_MAX

static struct fixture fixture;
static struct fcp_guest_kernel kernel;
static struct fcp_guest_memmap memmap;
static struct fcp_guest_blocks blocks;
static struct fcp_guest_lists lists;

static void open_guest(void)
{
	struct fcp_guest_memory memory;
	enum fcp_guest_proof proof;
	struct fcp_error err = {0};

	fixture_build(&fixture, &(struct fixture_settings){0});
	if (fcp_guest_memory_open_file(fixture.fd, FCP_HOLES_ZERO, -1, &memory, &err) < 0 ||
	    fcp_guest_kernel_open(&memory, FIXTURE_NOTE, &kernel, &proof, &err) < 0 ||
	    fcp_guest_memmap_init(&kernel, &memmap, &err) < 0) {
		printf("Bail out! the fixture's memmap: %s\n", err.message);
		exit(1);
	}
}

static void close_guest(void)
{
	fcp_guest_blocks_clear(&blocks);
	fcp_guest_memmap_clear(&memmap);
	fixture_close(&fixture);
}

static uint64_t pages_of_all(void)
{
	uint64_t pages = 0;

	for (unsigned i = 0; i < fixture_block_count; i++)
		pages += UINT64_C(1) << fixture_blocks[i].order;
	return pages;
}

static bool find(void)
{
	struct fcp_error err = {0};
	bool fault = true, found;

	found = fcp_guest_blocks_find(&memmap, -1, &blocks, &fault, &err) == 0;
	if (!found)
		printf("# %s\n", err.message);
	return found && !fault;
}

static void mark(uint64_t pfn, uint64_t order)
{
	fixture_write_half(&fixture, fixture_page(pfn) + FIXTURE_MAPCOUNT, FIXTURE_BUDDY);
	fixture_write_half(&fixture, fixture_page(pfn) + FIXTURE_REFCOUNT, 0);
	fixture_write_word(&fixture, fixture_page(pfn) + FIXTURE_PRIVATE, order);
}

static void finds_heads(void)
{
	uint64_t per_order[FCP_GUEST_ORDERS_MAX] = {0};
	bool heads = true, ranges = true;

	open_guest();
	ok(find(), "the blocks are found");
	is_u64(blocks.head_count, fixture_block_count, "as many heads");
	is_u64(blocks.free_pages, pages_of_all(), "as many pages");
	is_u64(fcp_ranges_bytes(&blocks.ranges), pages_of_all() * 4096, "in ranges");
	for (unsigned i = 0; i < fixture_block_count; i++) {
		const struct fixture_block *block = &fixture_blocks[i];
		const struct fcp_guest_head *head = fcp_guest_blocks_head(&blocks, block->pfn);
		uint64_t start = block->pfn * 4096;

		per_order[block->order]++;
		heads &= head && head->pfn == block->pfn && head->order == block->order &&
			 fcp_guest_blocks_marked(&blocks, block->pfn);
		ranges &= fcp_guest_ranges_touch(&blocks.ranges, start, start + 1);
	}
	ok(heads, "each is kept with its order, and marked");
	ok(ranges, "each is in the ranges");
	ok(memcmp(per_order, blocks.blocks_per_order, sizeof(per_order)) == 0, "by order");
	ok(!fcp_guest_blocks_head(&blocks, 0x201) && !fcp_guest_blocks_marked(&blocks, 0x201),
	   "a page inside a block is no head");
	ok(!fcp_guest_blocks_head(&blocks, 0) && !fcp_guest_blocks_head(&blocks, UINT64_MAX) &&
		   !fcp_guest_blocks_marked(&blocks, 0x2000) &&
		   !fcp_guest_blocks_marked(&blocks, UINT64_MAX),
	   "nor is one that is none, nor beyond RAM");
	ok(!fcp_guest_ranges_touch(&blocks.ranges, 0, 0x200000) &&
		   fcp_guest_ranges_touch(&blocks.ranges, 0, 0x200001) &&
		   !fcp_guest_ranges_touch(&blocks.ranges, 0x208000, 0x209000),
	   "what touches the ranges and what does not");
	close_guest();
}

static void passes_over(void)
{
	open_guest();
	/* What lies inside a free block is dead: a mark there is an old one. */
	mark(0x404, 99);
	/* A tail of a compound page keeps other things in these words. */
	mark(0x100, 99);
	fixture_write_word(&fixture, fixture_page(0x100) + 8,
			   fixture_page_address(&fixture, 0x80) | 1);
	/* The last page of RAM. */
	mark(0x1fff, 0);
	ok(find(), "old marks inside a block, a tail page, the last page of RAM");
	is_u64(blocks.free_pages, pages_of_all() + 1, "only the last page is one more");
	ok(fcp_guest_blocks_marked(&blocks, 0x1fff), "it is marked");
	close_guest();
	open_guest();
	for (unsigned i = 0; i < fixture_block_count; i++)
		fixture_write_half(&fixture, fixture_page(fixture_blocks[i].pfn) + FIXTURE_MAPCOUNT,
				   IN_USE);
	ok(find() && blocks.free_pages == 0 && blocks.ranges.count == 0, "nothing is free");
	close_guest();
}

static void bad_head(uint64_t pfn, unsigned at, uint64_t word, const char *message)
{
	struct fcp_error err = {0};
	bool fault = false;
	char name[32];

	open_guest();
	if (pfn == 0x1ffe)
		mark(pfn, 0);
	if (at == FIXTURE_REFCOUNT)
		fixture_write_half(&fixture, fixture_page(pfn) + at, (uint32_t)word);
	else
		fixture_write_word(&fixture, fixture_page(pfn) + at, word);
	ok(fcp_guest_blocks_find(&memmap, -1, &blocks, &fault, &err) < 0 &&
		   err.error_class == FCP_ERR_UNSUPPORTED && fault,
	   "a bad head: %s", message);
	snprintf(name, sizeof(name), "PFN %#" PRIx64 ":", pfn);
	has_str(err.message, name, "the message names it");
	has_str(err.message, message, "and why");
	close_guest();
}

static void bad_heads(void)
{
	bad_head(0x400, FIXTURE_PRIVATE, FIXTURE_ORDERS, "order");
	bad_head(0x400, FIXTURE_PRIVATE, 64, "order");
	bad_head(0x400, FIXTURE_PRIVATE, UINT64_MAX, "order");
	bad_head(0x209, FIXTURE_PRIVATE, 1, "aligned");
	bad_head(0x20c, FIXTURE_PRIVATE, 3, "aligned");
	bad_head(0x200, FIXTURE_REFCOUNT, 1, "references");
	bad_head(0x200, FIXTURE_REFCOUNT, UINT32_MAX, "references");
	bad_head(0x200, FIXTURE_MAPPING, 1, "mapping");
}

static void beyond_ram(void)
{
	struct fcp_error err = {0};
	bool fault = false;

	open_guest();
	/* RAM of a page less, as the layout says: the block would end behind it. */
	mark(0x1ffe, 1);
	kernel.memory.regions[0].bytes -= 4096;
	ok(fcp_guest_blocks_find(&memmap, -1, &blocks, &fault, &err) < 0 && fault,
	   "a bad head: beyond RAM");
	has_str(err.message, "beyond RAM", "and why");
	close_guest();
}

/* Blocks that fill the reads to the byte: behind the first two, a page of the memmap is read of
 * each. */
static void free_memory_is_passed_over(void)
{
	const uint64_t start = 64; /* from here on reads of 4, 8, ... 128 KiB end at 0x1000 */
	struct fcp_error err = {0};
	bool fault;

	open_guest();
	for (unsigned i = 0; i < fixture_block_count; i++)
		fixture_write_half(&fixture, fixture_page(fixture_blocks[i].pfn) + FIXTURE_MAPCOUNT,
				   UINT32_MAX);
	for (uint64_t pfn = 0x1000; pfn < 0x2000; pfn += 0x400)
		mark(pfn, 10);
	kernel.memory.regions[0] = (struct fcp_guest_region){start * 4096, (0x2000 - start) * 4096,
							     start * 4096, start * 4096};
	ok(fcp_guest_blocks_find(&memmap, -1, &blocks, &fault, &err) == 0, "half of it free");
	is_u64(blocks.free_pages, 0x1000, "all of that");
	is_u64(memmap.read_bytes, (0x1800 - start + 2 * 64) * FIXTURE_PAGE_BYTES,
	       "and most of its memmap is not read");
	close_guest();
}

static void no_memmap(void)
{
	struct fcp_error err = {0};
	bool fault = true;
	uint64_t section;
	int pipes[2];

	open_guest();
	section = memmap.sections[0];
	memmap.sections[0] = UINT64_C(0xfffff00000000000);
	ok(fcp_guest_blocks_find(&memmap, -1, &blocks, &fault, &err) < 0 &&
		   err.error_class == FCP_ERR_UNSUPPORTED && !fault,
	   "a memmap that is not mapped is no head's fault");
	fcp_guest_blocks_clear(&blocks);
	memmap.sections[0] = section;
	if (pipe(pipes) < 0 || write(pipes[1], "", 1) != 1)
		exit(1);
	ok(fcp_guest_blocks_find(&memmap, pipes[0], &blocks, &fault, &err) < 0 &&
		   err.error_class == FCP_ERR_INTERRUPTED,
	   "cancelled");
	close(pipes[0]);
	close(pipes[1]);
	close_guest();
}

static void drops(uint64_t pfn, unsigned order, const char *what)
{
	uint64_t start = pfn * 4096, end = start + (UINT64_C(4096) << order);
	uint64_t pages = blocks.free_pages, heads = blocks.blocks_per_order[order];
	struct fcp_error err = {0};
	bool sorted = true;

	ok(fcp_guest_blocks_drop(&blocks, &kernel.memory, pfn, order, &err) == 0 &&
		   blocks.free_pages == pages - (UINT64_C(1) << order) &&
		   blocks.blocks_per_order[order] == heads - 1,
	   "dropped: %s", what);
	ok(!fcp_guest_ranges_touch(&blocks.ranges, start, end), "it is out of the ranges");
	for (size_t i = 0; i < blocks.ranges.count; i++)
		sorted &=
			blocks.ranges.items[i].start < blocks.ranges.items[i].end &&
			(i == 0 || blocks.ranges.items[i - 1].end <= blocks.ranges.items[i].start);
	ok(sorted && fcp_ranges_bytes(&blocks.ranges) == blocks.free_pages * 4096,
	   "the others are in them, sorted");
}

static void dropping(void)
{
	struct fcp_error err = {0};
	uint64_t pages;

	open_guest();
	/* 0x400, 0x800 and 0xc00 are one range, and 0xe00 stays in use. */
	ok(find(), "blocks");
	drops(0x800, 10, "the middle of a range");
	drops(0x400, 10, "all of a range");
	drops(0xc00, 9, "another");
	drops(0x200, 3, "the first block");
	drops(0xf00, 7, "the last");
	pages = blocks.free_pages;
	ok(fcp_guest_blocks_drop(&blocks, &kernel.memory, 0xf00, 7, &err) == 0 &&
		   fcp_guest_blocks_drop(&blocks, &kernel.memory, 0x2000, 0, &err) == 0 &&
		   blocks.free_pages == pages,
	   "what is not in them: nothing changes");
	fcp_guest_blocks_clear(&blocks);
	ok(find(), "again");
	drops(0x400, 10, "the start of a range");
	drops(0xc00, 9, "the end of a range");
	close_guest();
}

static int check(struct fcp_error *err)
{
	*err = (struct fcp_error){0};
	if (!find()) {
		ok(false, "the blocks are found");
		return -1;
	}
	return fcp_guest_lists_check(&memmap, &blocks, -1, &lists, err);
}

static void lists_agree(void)
{
	struct fcp_guest_node nodes[FCP_GUEST_NODES_MAX];
	struct fcp_error err;
	unsigned count = 0;

	open_guest();
	ok(check(&err) == 0, "the lists agree");
	is_u64(lists.listed, fixture_block_count, "all blocks are on them");
	is_u64(lists.zones, 1, "one zone has pages, the other is passed over");
	is_u64(lists.dropped, 0, "none is dropped");
	is_u64(lists.counted_pages, pages_of_all(), "NR_FREE_PAGES");
	ok(!lists.count_fault, "which agrees");
	ok(fcp_guest_nodes_find(&kernel, nodes, &count, &err) == 0 && count == 1 &&
		   nodes[0].address == fixture_direct(&fixture, FIXTURE_NODE),
	   "the node");
	fixture_write_word(&fixture, FIXTURE_NODE_DATA + 16, 0x1234);
	ok(fcp_guest_nodes_find(&kernel, nodes, &count, &err) == 0 && count == 2 &&
		   nodes[1].address == 0x1234,
	   "a second one, a gap between them");
	fixture_write_word(&fixture, FIXTURE_NODE_DATA, 0);
	fixture_write_word(&fixture, FIXTURE_NODE_DATA + 16, 0);
	ok(fcp_guest_nodes_find(&kernel, nodes, &count, &err) < 0 &&
		   err.error_class == FCP_ERR_UNSUPPORTED,
	   "no node");
	for (unsigned i = 0; i <= FCP_GUEST_NODES_MAX; i++)
		fixture_write_word(&fixture, FIXTURE_NODE_DATA + i * 8, 0x1000);
	kernel.note.node_data_length = FCP_GUEST_NODES_MAX + 1;
	ok(fcp_guest_nodes_find(&kernel, nodes, &count, &err) < 0, "too many nodes");
	kernel.note.node_data = FCP_GUEST_NONE;
	kernel.note.contig_page_data = 0x5678;
	ok(fcp_guest_nodes_find(&kernel, nodes, &count, &err) == 0 && count == 1 &&
		   nodes[0].address == 0x5678,
	   "contig_page_data");
	close_guest();
}

static void disagrees(uint64_t gpa, uint64_t word, const char *message, const char *what)
{
	struct fcp_error err;

	open_guest();
	fixture_write_word(&fixture, gpa, word);
	ok(check(&err) < 0 && err.error_class == FCP_ERR_UNSUPPORTED, "%s", what);
	has_str(err.message, message, "and why");
	is_u64(lists.count_fault, strstr(message, "NR_FREE") != NULL, "is it the sum?");
	close_guest();
}

static uint64_t link_of(uint64_t pfn)
{
	/* The same virtual address in any such fixture. */
	return fixture_page_address(&fixture, pfn) + FIXTURE_LRU;
}

static void lists_disagree(void)
{
	disagrees(fixture_page(0x209) + FIXTURE_LRU, link_of(0x302), "twice", "a list in a circle");
	disagrees(fixture_page(0x400) + FIXTURE_LRU, link_of(0x400), "twice",
		  "a block after itself");
	disagrees(fixture_list(9, 0), link_of(0x400), "another order", "a block of another order");
	disagrees(fixture_list(10, 0), link_of(0x400) + 8, "no struct page", "a link askew");
	disagrees(fixture_list(10, 0), 0, "no struct page", "a link to nowhere");
	disagrees(fixture_list(0, 0), fixture_list_address(&fixture, 0, 0), "nr_free",
		  "an empty list of three blocks");
	disagrees(fixture_nr_free(10), 0, "nr_free", "nr_free: two less");
	disagrees(fixture_nr_free(10), 4, "nr_free", "nr_free: two more");
	disagrees(fixture_nr_free(1), UINT64_MAX, "nr_free", "nr_free: less than none");
	disagrees(ZONE + FIXTURE_VM_STAT, 200000, "NR_FREE_PAGES", "NR_FREE_PAGES: too many");
	disagrees(ZONE + FIXTURE_VM_STAT, UINT64_MAX, "NR_FREE_PAGES", "NR_FREE_PAGES: negative");
	disagrees(FIXTURE_NODE + 4096, 0, "nr_zones", "no zones");
	disagrees(FIXTURE_NODE + 4096, FCP_GUEST_ZONES_MAX + 1, "nr_zones", "too many zones");
	disagrees(FIXTURE_NODE_DATA, 0x1000, "not mapped", "a node that is not mapped");
	disagrees(ZONE + FIXTURE_SPANNED, 0, "no list", "no zone with pages, blocks all the same");
}

static void on_its_way(void)
{
	struct fcp_error err;

	open_guest();
	fixture_write_word(&fixture, fixture_list(6, 0), fixture_list_address(&fixture, 6, 0));
	ok(check(&err) == 0 && lists.dropped == 1, "one block marked and on no list: dropped");
	is_u64(blocks.free_pages, pages_of_all() - 64, "the rest stays");
	ok(!fcp_guest_ranges_touch(&blocks.ranges, 0x240000, 0x280000), "not in the ranges");
	fcp_guest_blocks_clear(&blocks);
	fixture_write_word(&fixture, fixture_list(1, 0), fixture_list_address(&fixture, 1, 0));
	ok(check(&err) < 0, "two are refused");
	close_guest();
	open_guest();
	fixture_write_half(&fixture, fixture_page(0x240) + FIXTURE_MAPCOUNT, IN_USE);
	ok(check(&err) == 0 && lists.dropped == 0, "one on a list and not marked");
	fcp_guest_blocks_clear(&blocks);
	fixture_write_half(&fixture, fixture_page(0x222) + FIXTURE_MAPCOUNT, IN_USE);
	ok(check(&err) < 0, "two are refused");
	fcp_guest_blocks_clear(&blocks);
	close_guest();
	open_guest();
	fixture_write_word(&fixture, fixture_nr_free(10), 1);
	ok(check(&err) == 0, "nr_free behind by one");
	fcp_guest_blocks_clear(&blocks);
	fixture_write_word(&fixture, fixture_nr_free(10), 3);
	ok(check(&err) == 0, "or ahead by one");
	close_guest();
}

int main(void)
{
	finds_heads();
	passes_over();
	bad_heads();
	beyond_ram();
	free_memory_is_passed_over();
	no_memmap();
	dropping();
	lists_agree();
	lists_disagree();
	on_its_way();
	return done();
}
