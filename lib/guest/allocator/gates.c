// SPDX-License-Identifier: Apache-2.0
#include "guest/allocator/gates.h"

#include "base/error.h"
#include "base/units.h"
#include "guest/allocator/freelist.h"

#include <string.h>

/* Pages of the text that are looked at, and how many may be holes. */
#define TEXT_SAMPLES 64u
#define TEXT_HOLES_ALLOWED 4u

struct in_use {
	const struct fcp_guest_memory *memory;
	const struct fcp_ranges *ranges;
	const char *what;     /* that the tables are walked for */
	const char *conflict; /* what was found free; NULL: nothing */
	uint64_t conflict_gpa;
};

static void check_gpa(struct in_use *check, const char *what, uint64_t gpa, uint64_t bytes)
{
	const struct fcp_guest_region *region = fcp_guest_memory_region(check->memory, gpa, bytes);
	uint64_t offset;

	if (!region || check->conflict)
		return;
	offset = fcp_guest_region_offset(region, gpa);
	if (!fcp_guest_ranges_touch(check->ranges, offset, offset + bytes))
		return;
	check->conflict = what;
	check->conflict_gpa = gpa;
}

static void check_table(void *context, uint64_t gpa)
{
	check_gpa(context, "a page table", gpa, FCP_PAGE_BYTES);
}

/* Every page of that virtual range that is mapped. */
static int check_virtual(struct in_use *check, struct fcp_guest_tables *tables, uint64_t start,
			 uint64_t bytes, struct fcp_error *err)
{
	uint64_t step;

	for (uint64_t at = start; at - start < bytes && !check->conflict; at += step) {
		struct fcp_guest_leaf leaf;

		if (fcp_guest_lookup(tables, at, &leaf, err) < 0)
			return -1;
		step = leaf.bytes - (at - leaf.start);
		if (step > bytes - (at - start))
			step = bytes - (at - start);
		if (leaf.mapped)
			check_gpa(check, check->what, leaf.gpa + (at - leaf.start), step);
	}
	return 0;
}

static int check_image(struct in_use *check, struct fcp_guest_kernel *kernel, struct fcp_error *err)
{
	const struct fcp_guest_note *note = &kernel->note;
	struct fcp_range text;

	if (fcp_guest_kernel_text(kernel, &text, err) < 0)
		return -1;
	check->what = "kernel text";
	if (check_virtual(check, &kernel->tables, text.start, text.end - text.start, err) < 0)
		return -1;
	check->what = "kernel data";
	for (unsigned i = 0; i < note->symbol_count; i++)
		if (check_virtual(check, &kernel->tables, note->symbols[i], 1, err) < 0)
			return -1;
	return 0;
}

static int check_memmap(struct in_use *check, struct fcp_guest_memmap *memmap,
			struct fcp_error *err)
{
	const struct fcp_guest_memory *memory = check->memory;
	uint64_t page_bytes = memmap->kernel->note.struct_page_bytes;

	check->what = "the memmap";
	for (unsigned i = 0; i < memory->region_count; i++) {
		uint64_t pfn = memory->regions[i].gpa >> FCP_GUEST_PAGE_SHIFT;
		uint64_t end = pfn + (memory->regions[i].bytes >> FCP_GUEST_PAGE_SHIFT);

		while (pfn < end && !check->conflict) {
			uint64_t stop = fcp_guest_memmap_section_end(memmap, pfn);
			uint64_t address = fcp_guest_memmap_address(memmap, pfn);

			stop = stop < end ? stop : end;
			if (address != 0 && check_virtual(check, &memmap->kernel->tables, address,
							  (stop - pfn) * page_bytes, err) < 0)
				return -1;
			pfn = stop;
		}
	}
	return 0;
}

static int check_nodes(struct in_use *check, struct fcp_guest_kernel *kernel, struct fcp_error *err)
{
	struct fcp_guest_node nodes[FCP_GUEST_NODES_MAX];
	unsigned count;

	if (fcp_guest_nodes_find(kernel, nodes, &count, err) < 0)
		return -1;
	check->what = "a node";
	for (unsigned i = 0; i < count; i++)
		if (check_virtual(check, &kernel->tables, nodes[i].address,
				  kernel->note.pgdat_bytes, err) < 0)
			return -1;
	return 0;
}

int fcp_guest_gate_in_use(struct fcp_guest_memmap *memmap, const struct fcp_ranges *ranges,
			  struct fcp_error *err)
{
	struct fcp_guest_kernel *kernel = memmap->kernel;
	struct fcp_guest_tables *tables = &kernel->tables;
	struct in_use check = {.memory = &kernel->memory, .ranges = ranges};
	struct fcp_range boot_data = kernel->note.arch->boot_data(&kernel->memory);
	int status;

	/* From the root again, so that every table on the way is seen. */
	fcp_guest_tables_copy(tables, tables);
	tables->on_table = check_table;
	tables->context = &check;
	check_gpa(&check, "the note", kernel->note.gpa, FCP_PAGE_BYTES);
	check_gpa(&check, "page frame 0", 0, FCP_PAGE_BYTES);
	if (boot_data.start < boot_data.end)
		check_gpa(&check, "the boot parameters", boot_data.start,
			  boot_data.end - boot_data.start);
	status = check_image(&check, kernel, err) < 0 || check_nodes(&check, kernel, err) < 0 ||
				 check_memmap(&check, memmap, err) < 0
			 ? -1
			 : 0;
	tables->on_table = NULL;
	if (status == 0 && check.conflict)
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0, "%s at %#llx would be free",
				     check.conflict, (unsigned long long)check.conflict_gpa);
	return status;
}

/* Does the file hold no byte of the page that address is mapped to? */
static int page_is_hole(struct fcp_guest_kernel *kernel, uint64_t address, bool *hole_,
			struct fcp_error *err)
{
	const struct fcp_guest_region *region;
	struct fcp_guest_leaf leaf;
	uint64_t gpa, offset, start;

	*hole_ = false;
	if (fcp_guest_lookup(&kernel->tables, address, &leaf, err) < 0)
		return -1;
	gpa = leaf.gpa + (address - leaf.start);
	region = fcp_guest_memory_region(&kernel->memory, gpa, FCP_PAGE_BYTES);
	if (!leaf.mapped || !region)
		return 0;
	offset = fcp_guest_region_offset(region, gpa);
	if (fcp_guest_memory_data_start(&kernel->memory, offset, &start, err) < 0)
		return -1;
	*hole_ = start >= offset + FCP_PAGE_BYTES;
	return 0;
}

int fcp_guest_gate_holes(struct fcp_guest_kernel *kernel, struct fcp_error *err)
{
	unsigned holes = 0;
	struct fcp_range text;
	uint64_t stride;

	if (kernel->memory.holes == FCP_HOLES_BASE || kernel->memory.process)
		return 0;
	if (fcp_guest_kernel_text(kernel, &text, err) < 0)
		return -1;
	stride = fcp_align_up((text.end - text.start) / TEXT_SAMPLES, FCP_PAGE_BYTES);
	stride = stride == 0 ? FCP_PAGE_BYTES : stride;
	for (uint64_t at = text.start; at < text.end; at += stride) {
		bool hole;

		if (page_is_hole(kernel, at, &hole, err) < 0)
			return -1;
		holes += hole;
	}
	if (holes > TEXT_HOLES_ALLOWED)
		return fcp_error_set(
			err, FCP_ERR_UNSUPPORTED, 0,
			"%u of %u pages of the kernel's text are holes: is it a diff layer?", holes,
			TEXT_SAMPLES);
	return 0;
}
