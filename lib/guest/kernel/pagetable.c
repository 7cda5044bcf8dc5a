// SPDX-License-Identifier: Apache-2.0
#include "guest/kernel/pagetable.h"

#include "base/error.h"
#include "base/units.h"

#include <string.h>

#define INDEX_BITS 9
#define PAGE_BITS 12

static void pagetable_init(struct fcp_guest_tables *tables, const struct fcp_guest_memory *memory,
			   const struct fcp_guest_entry_format *format, uint64_t root,
			   unsigned levels)
{
	tables->memory = memory;
	tables->format = format;
	tables->root = root;
	tables->levels = levels;
	tables->tables_read = 0;
	tables->on_table = NULL;
	tables->context = NULL;
	tables->leaf = (struct fcp_guest_leaf){0};
	for (unsigned i = 0; i < FCP_GUEST_LEVELS_MAX; i++)
		tables->cache[i].gpa = FCP_GUEST_NO_TABLE;
}

void fcp_guest_tables_init(struct fcp_guest_tables *tables, const struct fcp_guest_memory *memory,
			   const struct fcp_guest_arch *arch, uint64_t root, unsigned levels)
{
	pagetable_init(tables, memory, &arch->entry, root, levels);
}

void fcp_guest_tables_copy(const struct fcp_guest_tables *tables, struct fcp_guest_tables *tables_)
{
	pagetable_init(tables_, tables->memory, tables->format, tables->root, tables->levels);
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
	unsigned bits = PAGE_BITS + INDEX_BITS * tables->levels;
	uint64_t above = tables->format->lower_half ? address >> (bits - 1) : address >> bits;
	uint64_t ones = UINT64_MAX >> (tables->format->lower_half ? bits - 1 : bits);

	return above == ones || (tables->format->lower_half && above == 0);
}

/* Is the entry at this level the end of the walk? */
static bool is_leaf(const struct fcp_guest_entry_format *format, uint64_t entry, unsigned level)
{
	return level == 0 || (level <= 2 && (entry & format->large_mask) == format->large_bits);
}

static bool is_mapped(const struct fcp_guest_entry_format *format, uint64_t entry, unsigned level)
{
	return (entry & FCP_GUEST_ENTRY_PRESENT) &&
	       (level > 0 || (entry & format->page_bits) == format->page_bits);
}

/* What tables on the way to a leaf forbid for all that they map. */
struct forbidden {
	bool execute, write;
};

static void forbid(const struct fcp_guest_entry_format *format, uint64_t entry, bool leaf,
		   struct forbidden *forbidden)
{
	uint64_t execute = leaf ? format->no_execute_leaf : format->no_execute_table;
	uint64_t write = leaf ? format->read_only_leaf : format->read_only_table;

	forbidden->execute |= (entry & execute) != 0;
	forbidden->write |= ((entry ^ format->writable_mask) & write) != 0;
}

static int walk(struct fcp_guest_tables *tables, uint64_t address, struct fcp_guest_leaf *leaf_,
		struct fcp_error *err)
{
	const struct fcp_guest_entry_format *format = tables->format;
	struct forbidden forbidden = {false, false};
	uint64_t table = tables->root;

	for (unsigned level = tables->levels;;) {
		unsigned shift = PAGE_BITS + INDEX_BITS * --level;
		uint64_t bytes = UINT64_C(1) << shift;
		uint64_t entry;
		bool leaf;

		if (load_table(tables, level, table, err) < 0)
			return -1;
		entry = tables->cache[level].entries[(address >> shift) % FCP_GUEST_TABLE_ENTRIES];
		leaf = is_leaf(format, entry, level);
		forbid(format, entry, leaf, &forbidden);
		table = entry & format->address_mask;
		if (leaf || !(entry & FCP_GUEST_ENTRY_PRESENT)) {
			/* Low bits of a large leaf's address can be attributes (x86_64: PAT). */
			*leaf_ = (struct fcp_guest_leaf){
				.start = fcp_align_down(address, bytes),
				.bytes = bytes,
				.gpa = fcp_align_down(table, bytes),
				.mapped = is_mapped(format, entry, level),
				.executable = !forbidden.execute,
				.writable = !forbidden.write,
			};
			return 0;
		}
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
