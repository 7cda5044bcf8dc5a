// SPDX-License-Identifier: Apache-2.0
#include "guest/pagetable.h"

#include "base/error.h"
#include "base/units.h"

#include <string.h>

#define PRESENT UINT64_C(1)
#define WRITABLE (UINT64_C(1) << 1)
#define LARGE (UINT64_C(1) << 7)
#define NO_EXECUTE (UINT64_C(1) << 63)
#define ADDRESS_MASK UINT64_C(0x000ffffffffff000)
#define INDEX_BITS 9
#define PAGE_BITS 12

void fcp_guest_tables_init(struct fcp_guest_tables *tables, const struct fcp_guest_memory *memory,
			   uint64_t root, unsigned levels)
{
	tables->memory = memory;
	tables->root = root;
	tables->levels = levels;
	tables->tables_read = 0;
	tables->on_table = NULL;
	tables->context = NULL;
	tables->leaf = (struct fcp_guest_leaf){0};
	for (unsigned i = 0; i < FCP_GUEST_LEVELS_MAX; i++)
		tables->cache[i].gpa = FCP_GUEST_NO_TABLE;
}

/* The table at gpa, from the cache of its level (0: the one that points to pages). */
static int load_table(struct fcp_guest_tables *tables, unsigned level, uint64_t gpa,
		      struct fcp_error *err)
{
	if (tables->cache[level].gpa == gpa)
		return 0;
	tables->cache[level].gpa = FCP_GUEST_NO_TABLE;
	tables->tables_read++;
	if (fcp_guest_memory_read(tables->memory, gpa, tables->cache[level].entries,
				  sizeof(tables->cache[level].entries), err) < 0)
		return fcp_error_wrap(err, "page table");
	tables->cache[level].gpa = gpa;
	if (tables->on_table)
		tables->on_table(tables->context, gpa);
	return 0;
}

static bool canonical(const struct fcp_guest_tables *tables, uint64_t address)
{
	unsigned unused = 64 - (PAGE_BITS + INDEX_BITS * tables->levels);

	return (uint64_t)((int64_t)(address << unused) >> unused) == address;
}

/* Is the entry at this level the end of the walk? 1 GiB and 2 MiB leaves have the size bit. */
static bool is_leaf(uint64_t entry, unsigned level)
{
	return level == 0 || (level <= 2 && (entry & LARGE));
}

static int walk(struct fcp_guest_tables *tables, uint64_t address, struct fcp_guest_leaf *leaf_,
		struct fcp_error *err)
{
	uint64_t table = tables->root;
	uint64_t no_execute = 0, writable = WRITABLE;

	for (unsigned level = tables->levels;;) {
		unsigned shift = PAGE_BITS + INDEX_BITS * --level;
		uint64_t bytes = UINT64_C(1) << shift;
		uint64_t entry;

		if (load_table(tables, level, table, err) < 0)
			return -1;
		entry = tables->cache[level].entries[(address >> shift) % FCP_GUEST_TABLE_ENTRIES];
		no_execute |= entry & NO_EXECUTE;
		writable &= entry;
		if (!(entry & PRESENT) || is_leaf(entry, level)) {
			/* Bit 12 of a large leaf is a memory type (PAT), no address. */
			*leaf_ = (struct fcp_guest_leaf){
				.start = fcp_align_down(address, bytes),
				.bytes = bytes,
				.gpa = fcp_align_down(entry & ADDRESS_MASK, bytes),
				.mapped = entry & PRESENT,
				.executable = no_execute == 0,
				.writable = writable != 0,
			};
			return 0;
		}
		table = entry & ADDRESS_MASK;
	}
}

int fcp_guest_lookup(struct fcp_guest_tables *tables, uint64_t address,
		     struct fcp_guest_leaf *leaf_, struct fcp_error *err)
{
	struct fcp_guest_leaf *last = &tables->leaf;

	if (last->bytes == 0 || address - last->start >= last->bytes) {
		struct fcp_guest_leaf leaf = {.start = fcp_align_down(address, FCP_PAGE_BYTES),
					      .bytes = FCP_PAGE_BYTES};

		if (canonical(tables, address) && walk(tables, address, &leaf, err) < 0)
			return -1;
		*last = leaf;
	}
	*leaf_ = *last;
	return 0;
}

int fcp_guest_translate(struct fcp_guest_tables *tables, uint64_t address,
			struct fcp_guest_leaf *leaf_, struct fcp_error *err)
{
	struct fcp_guest_leaf leaf;

	if (fcp_guest_lookup(tables, address, &leaf, err) < 0)
		return -1;
	if (!leaf.mapped)
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0,
				     "virtual address %#llx: not mapped",
				     (unsigned long long)address);
	*leaf_ = leaf;
	return 0;
}

int fcp_guest_read_virtual(struct fcp_guest_tables *tables, uint64_t address, void *buffer,
			   size_t bytes, struct fcp_error *err)
{
	while (bytes > 0) {
		struct fcp_guest_leaf leaf;
		uint64_t length;

		if (fcp_guest_translate(tables, address, &leaf, err) < 0)
			return -1;
		length = leaf.bytes - (address - leaf.start);
		if (length > bytes)
			length = bytes;
		if (fcp_guest_memory_read(tables->memory, leaf.gpa + (address - leaf.start), buffer,
					  (size_t)length, err) < 0)
			return -1;
		address += length;
		buffer = (char *)buffer + length;
		bytes -= (size_t)length;
	}
	return 0;
}

int fcp_guest_read_word(struct fcp_guest_tables *tables, uint64_t address, uint64_t *word_,
			struct fcp_error *err)
{
	return fcp_guest_read_virtual(tables, address, word_, sizeof(*word_), err);
}
