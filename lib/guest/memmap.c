// SPDX-License-Identifier: Apache-2.0
#include "guest/memmap.h"

#include "base/error.h"
#include "base/units.h"

#include <stdlib.h>
#include <string.h>

/* Both low bits: present, and it has a map (SECTION_MARKED_PRESENT, SECTION_HAS_MEM_MAP). */
#define SECTION_USABLE UINT64_C(3)
/* The coded address is a page's whatever the kernel keeps in the low bits. */
#define SECTION_ADDRESS (~UINT64_C(4095))
/* Roots of SPARSEMEM_EXTREME are a page of struct mem_section each. */
#define SECTION_ROOT_BYTES UINT64_C(4096)

static uint64_t ram_end_pfn(const struct fcp_guest_memory *memory)
{
	const struct fcp_guest_region *last = &memory->regions[memory->region_count - 1];

	return (last->gpa + last->bytes) >> FCP_GUEST_PAGE_SHIFT;
}

static int init_flat(struct fcp_guest_memmap *memmap, struct fcp_error *err)
{
	memmap->section_pages = ram_end_pfn(&memmap->kernel->memory);
	memmap->section_count = 1;
	memmap->sections = calloc(1, sizeof(*memmap->sections));
	if (!memmap->sections)
		return fcp_error_nomem(err);
	if (fcp_guest_read_word(&memmap->kernel->tables, memmap->kernel->note.mem_map,
				memmap->sections, err) < 0)
		return fcp_error_wrap(err, "mem_map");
	if (memmap->sections[0] == 0)
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0, "mem_map: no memmap");
	return 0;
}

/* Where the struct mem_section of that number lies; 0 when its root is none. */
static int section_address(struct fcp_guest_memmap *memmap, uint64_t number, uint64_t *address_,
			   struct fcp_error *err)
{
	const struct fcp_guest_note *note = &memmap->kernel->note;
	uint64_t all = UINT64_C(1) << (note->max_physmem_bits - note->section_size_bits);
	uint64_t per_root = SECTION_ROOT_BYTES / note->mem_section_bytes;
	uint64_t root;

	if (note->mem_section_length == all) {
		/* Not extreme: one array in the image. */
		*address_ = number < all ? note->mem_section + number * note->mem_section_bytes : 0;
		return 0;
	}
	*address_ = 0;
	if (number / per_root >= note->mem_section_length)
		return 0;
	if (fcp_guest_read_word(&memmap->kernel->tables,
				note->mem_section + number / per_root * sizeof(root), &root,
				err) < 0)
		return fcp_error_wrap(err, "mem_section");
	if (root != 0)
		*address_ = root + number % per_root * note->mem_section_bytes;
	return 0;
}

static int read_section(struct fcp_guest_memmap *memmap, uint64_t number, struct fcp_error *err)
{
	const struct fcp_guest_note *note = &memmap->kernel->note;
	uint64_t address, coded;

	if (section_address(memmap, number, &address, err) < 0)
		return -1;
	if (address == 0)
		return 0;
	if (fcp_guest_read_word(&memmap->kernel->tables, address + note->section_mem_map, &coded,
				err) < 0)
		return fcp_error_wrap(err, "mem_section %llu", (unsigned long long)number);
	if ((coded & SECTION_USABLE) == SECTION_USABLE)
		memmap->sections[number] = coded & SECTION_ADDRESS;
	return 0;
}

static int init_sparse(struct fcp_guest_memmap *memmap, struct fcp_error *err)
{
	const struct fcp_guest_note *note = &memmap->kernel->note;
	bool any = false;

	memmap->section_pages = UINT64_C(1) << (note->section_size_bits - FCP_GUEST_PAGE_SHIFT);
	memmap->section_count = (ram_end_pfn(&memmap->kernel->memory) + memmap->section_pages - 1) /
				memmap->section_pages;
	memmap->sections = calloc(memmap->section_count, sizeof(*memmap->sections));
	if (!memmap->sections)
		return fcp_error_nomem(err);
	for (uint64_t i = 0; i < memmap->section_count; i++) {
		if (read_section(memmap, i, err) < 0)
			return -1;
		any |= memmap->sections[i] != 0;
	}
	return any ? 0
		   : fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0,
				   "mem_section: no section has a map");
}

int fcp_guest_memmap_init(struct fcp_guest_kernel *kernel, struct fcp_guest_memmap *memmap_,
			  struct fcp_error *err)
{
	memmap_->kernel = kernel;
	memmap_->sections = NULL;
	memmap_->last_section = 0;
	memmap_->hole = (struct fcp_range){0, 0};
	return kernel->note.mem_section == FCP_GUEST_NONE ? init_flat(memmap_, err)
							  : init_sparse(memmap_, err);
}

bool fcp_guest_memmap_fits_layout(const struct fcp_guest_memmap *memmap)
{
	const struct fcp_guest_memory *memory = &memmap->kernel->memory;
	uint64_t section_bytes = memmap->section_pages << FCP_GUEST_PAGE_SHIFT;

	for (uint64_t i = 0; i < memmap->section_count; i++) {
		uint64_t start = i * section_bytes, end = start + section_bytes;
		bool ram = false;

		for (unsigned r = 0; r < memory->region_count; r++)
			ram |= memory->regions[r].gpa < end &&
			       start < memory->regions[r].gpa + memory->regions[r].bytes;
		if (ram != (memmap->sections[i] != 0))
			return false;
	}
	return true;
}

void fcp_guest_memmap_clear(struct fcp_guest_memmap *memmap)
{
	free(memmap->sections);
	memmap->sections = NULL;
	memmap->section_count = 0;
}

uint64_t fcp_guest_memmap_address(const struct fcp_guest_memmap *memmap, uint64_t pfn)
{
	uint64_t section = pfn / memmap->section_pages;

	if (section >= memmap->section_count || memmap->sections[section] == 0)
		return 0;
	return memmap->sections[section] + pfn * memmap->kernel->note.struct_page_bytes;
}

/* The PFN at address, were it of that section. */
static bool pfn_in_section(const struct fcp_guest_memmap *memmap, uint64_t section,
			   uint64_t address, uint64_t *pfn_)
{
	uint64_t bytes = address - memmap->sections[section];
	uint64_t pfn = bytes / memmap->kernel->note.struct_page_bytes;

	if (memmap->sections[section] == 0 || bytes % memmap->kernel->note.struct_page_bytes != 0 ||
	    pfn / memmap->section_pages != section)
		return false;
	*pfn_ = pfn;
	return true;
}

bool fcp_guest_memmap_pfn(struct fcp_guest_memmap *memmap, uint64_t address, uint64_t *pfn_)
{
	uint64_t last = memmap->last_section;
	uint64_t guess;

	/* With a virtual memmap all sections have one coded address: the last one's leads to any.
	 */
	if (memmap->sections[last] != 0) {
		guess = (address - memmap->sections[last]) /
			memmap->kernel->note.struct_page_bytes / memmap->section_pages;
		if (guess < memmap->section_count && pfn_in_section(memmap, guess, address, pfn_)) {
			memmap->last_section = guess;
			return true;
		}
	}
	for (uint64_t i = 0; i < memmap->section_count; i++)
		if (pfn_in_section(memmap, i, address, pfn_)) {
			memmap->last_section = i;
			return true;
		}
	return false;
}

uint64_t fcp_guest_memmap_section_end(const struct fcp_guest_memmap *memmap, uint64_t pfn)
{
	return (pfn / memmap->section_pages + 1) * memmap->section_pages;
}

/* Is all of that physical run in a hole that reads as zeros? The file is asked once a run at most.
 */
static int in_hole(struct fcp_guest_memmap *memmap, uint64_t gpa, uint64_t bytes, bool *hole_,
		   struct fcp_error *err)
{
	const struct fcp_guest_memory *memory = &memmap->kernel->memory;
	const struct fcp_guest_region *region = fcp_guest_memory_region(memory, gpa, bytes);
	uint64_t start;

	*hole_ = false;
	if (!region || memory->holes == FCP_GUEST_HOLES_BASE)
		return 0;
	start = fcp_guest_region_offset(region, gpa);
	if (start < memmap->hole.start || start >= memmap->hole.end) {
		memmap->hole.start = start;
		if (fcp_guest_memory_data_start(memory, start, &memmap->hole.end, err) < 0)
			return -1;
	}
	*hole_ = start + bytes <= memmap->hole.end;
	return 0;
}

static int read_run(struct fcp_guest_memmap *memmap, uint64_t gpa, unsigned char *to,
		    uint64_t bytes, struct fcp_error *err)
{
	bool hole;

	if (in_hole(memmap, gpa, bytes, &hole, err) < 0)
		return -1;
	if (hole) {
		memset(to, 0, (size_t)bytes);
		return 0;
	}
	return fcp_guest_memory_read(&memmap->kernel->memory, gpa, to, (size_t)bytes, err);
}

int fcp_guest_memmap_read(struct fcp_guest_memmap *memmap, uint64_t first, uint64_t count,
			  struct fcp_error *err)
{
	uint64_t address = fcp_guest_memmap_address(memmap, first);
	uint64_t end = address + count * memmap->kernel->note.struct_page_bytes;
	uint64_t run_gpa = 0, run_bytes = 0;
	unsigned char *to = memmap->run;

	/* Neighbours in virtual memory that are neighbours in RAM too are read at once. */
	while (address < end) {
		struct fcp_guest_leaf leaf;
		uint64_t gpa, bytes;

		if (fcp_guest_translate(&memmap->kernel->tables, address, &leaf, err) < 0)
			return fcp_error_wrap(err, "struct page of PFN %#llx",
					      (unsigned long long)first);
		gpa = leaf.gpa + (address - leaf.start);
		bytes = leaf.bytes - (address - leaf.start);
		bytes = bytes < end - address ? bytes : end - address;
		if (run_bytes > 0 && run_gpa + run_bytes != gpa) {
			if (read_run(memmap, run_gpa, to, run_bytes, err) < 0)
				return -1;
			to += run_bytes;
			run_bytes = 0;
		}
		run_gpa = run_bytes == 0 ? gpa : run_gpa;
		run_bytes += bytes;
		address += bytes;
	}
	return read_run(memmap, run_gpa, to, run_bytes, err);
}

static uint64_t word_at(const unsigned char *page, uint64_t offset)
{
	uint64_t word;

	memcpy(&word, page + offset, sizeof(word));
	return word;
}

static uint32_t half_at(const unsigned char *page, uint64_t offset)
{
	uint32_t half;

	memcpy(&half, page + offset, sizeof(half));
	return half;
}

struct fcp_guest_page fcp_guest_memmap_page(const struct fcp_guest_memmap *memmap, uint64_t index)
{
	const struct fcp_guest_note *note = &memmap->kernel->note;
	const unsigned char *page = memmap->run + index * note->struct_page_bytes;

	return (struct fcp_guest_page){
		.flags = word_at(page, note->page_flags),
		.mapping = word_at(page, note->page_mapping),
		.private_ = word_at(page, note->page_private),
		.lru_next = word_at(page, note->page_lru + note->list_head_next),
		.compound = word_at(page, note->page_compound),
		.mapcount = half_at(page, note->page_mapcount),
		.refcount = half_at(page, note->page_refcount),
	};
}

int fcp_guest_memmap_read_page(struct fcp_guest_memmap *memmap, uint64_t pfn,
			       struct fcp_guest_page *page_, struct fcp_error *err)
{
	if (fcp_guest_memmap_address(memmap, pfn) == 0)
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0, "PFN %#llx has no section",
				     (unsigned long long)pfn);
	if (fcp_guest_memmap_read(memmap, pfn, 1, err) < 0)
		return -1;
	*page_ = fcp_guest_memmap_page(memmap, 0);
	return 0;
}
