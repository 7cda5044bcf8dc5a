// SPDX-License-Identifier: Apache-2.0
/* Where struct pages lie: the first half of guest/allocator/memmap.h. */
#include "guest/allocator/memmap.h"

#include "base/error.h"
#include "base/units.h"

#include <stdlib.h>
#include <string.h>

/* Both low bits: present, and it has a map (SECTION_MARKED_PRESENT, SECTION_HAS_MEM_MAP). */
#define SECTION_USABLE UINT64_C(3)
/* The low bits of the coded address are flags. */
#define SECTION_ADDRESS (~UINT64_C(4095))
/* What is read of memmap and page tables at most: this, and a multiple of what the file holds (a
 * compressing file system says less than there is). A kernel shows each page of its memmap once,
 * or a few of them again and again (vmemmap of huge pages); a guest that lies could show one
 * page a million times. */
#define BUDGET_FACTOR 4
#define BUDGET_BYTES (UINT64_C(256) << 20)
/* Roots of SPARSEMEM_EXTREME are a page of struct mem_section each. */
#define SECTION_ROOT_BYTES UINT64_C(4096)

/* Where Firecracker can put memory at all; sections that are smaller than x86_64's would be too
 * many. */
#define MEMORY_END_PFN ((FCP_GUEST_HOTPLUG_GPA >> FCP_GUEST_PAGE_SHIFT) * 3)
#define SECTION_MIN_PAGES (UINT64_C(1) << 15)

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

/* The address of the struct mem_section of that number; 0 if its root is absent. */
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

/* Count sections from first on, of one root. */
static int read_sections(struct fcp_guest_memmap *memmap, uint64_t first, uint64_t count,
			 struct fcp_error *err)
{
	const struct fcp_guest_note *note = &memmap->kernel->note;
	unsigned char sections[SECTION_ROOT_BYTES];
	uint64_t address;

	if (section_address(memmap, first, &address, err) < 0)
		return -1;
	if (address == 0)
		return 0;
	if (fcp_guest_read_virtual(&memmap->kernel->tables, address, sections,
				   (size_t)(count * note->mem_section_bytes), err) < 0)
		return fcp_error_wrap(err, "mem_section %llu", (unsigned long long)first);
	for (uint64_t i = 0; i < count; i++) {
		uint64_t coded;

		memcpy(&coded, sections + i * note->mem_section_bytes + note->section_mem_map,
		       sizeof(coded));
		if ((coded & SECTION_USABLE) == SECTION_USABLE)
			memmap->sections[first + i] = coded & SECTION_ADDRESS;
	}
	return 0;
}

/* Where the section's own struct pages begin. */
static uint64_t section_start(const struct fcp_guest_memmap *memmap, uint64_t section)
{
	return memmap->sections[section] +
	       section * memmap->section_pages * memmap->kernel->note.struct_page_bytes;
}

static int compare_sections(const void *a, const void *b, void *memmap)
{
	uint64_t x = section_start(memmap, *(const uint32_t *)a);
	uint64_t y = section_start(memmap, *(const uint32_t *)b);

	return x < y ? -1 : x > y;
}

/* A virtual memmap has one base for all sections; else they are put in order, to be found again. */
static int index_sections(struct fcp_guest_memmap *memmap, struct fcp_error *err)
{
	uint64_t base = 0;
	bool one_base = true;

	for (uint64_t i = 0; i < memmap->section_count; i++) {
		if (memmap->sections[i] == 0)
			continue;
		if (base == 0)
			memmap->last_section = i;
		one_base &= base == 0 || memmap->sections[i] == base;
		base = memmap->sections[i];
	}
	if (base == 0)
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0,
				     "mem_section: no section has a map");
	if (one_base)
		return 0;
	memmap->by_address = calloc(memmap->section_count, sizeof(*memmap->by_address));
	if (!memmap->by_address)
		return fcp_error_nomem(err);
	for (uint64_t i = 0; i < memmap->section_count; i++)
		memmap->by_address[i] = (uint32_t)i;
	qsort_r(memmap->by_address, memmap->section_count, sizeof(*memmap->by_address),
		compare_sections, memmap);
	return 0;
}

static int init_sparse(struct fcp_guest_memmap *memmap, bool wide, struct fcp_error *err)
{
	const struct fcp_guest_note *note = &memmap->kernel->note;
	uint64_t per_root = SECTION_ROOT_BYTES / note->mem_section_bytes, ram_count;

	memmap->section_pages = UINT64_C(1) << (note->section_size_bits - FCP_GUEST_PAGE_SHIFT);
	ram_count = (ram_end_pfn(&memmap->kernel->memory) + memmap->section_pages - 1) /
		    memmap->section_pages;
	memmap->section_count = ram_count;
	if (wide && memmap->section_pages >= SECTION_MIN_PAGES &&
	    memmap->section_count < MEMORY_END_PFN / memmap->section_pages)
		memmap->section_count = MEMORY_END_PFN / memmap->section_pages;
	memmap->sections = calloc(memmap->section_count, sizeof(*memmap->sections));
	if (!memmap->sections)
		return fcp_error_nomem(err);
	for (uint64_t i = 0; i < memmap->section_count; i += per_root) {
		uint64_t left = memmap->section_count - i;

		/* A root of those outside of RAM may lie there too. */
		if (read_sections(memmap, i, left < per_root ? left : per_root, err) < 0 &&
		    (i < ram_count || err->error_class != FCP_ERR_UNSUPPORTED))
			return -1;
	}
	return index_sections(memmap, err);
}

static int sections_init(struct fcp_guest_kernel *kernel, bool wide,
			 struct fcp_guest_memmap *memmap_, struct fcp_error *err)
{
	uint64_t held_bytes;

	memmap_->kernel = kernel;
	memmap_->sections = NULL;
	memmap_->by_address = NULL;
	memmap_->last_section = 0;
	memmap_->hole = (struct fcp_range){0, 0};
	memmap_->read_bytes = 0;
	if (fcp_guest_memory_held(&kernel->memory, &held_bytes, err) < 0)
		return -1;
	memmap_->budget_bytes = BUDGET_BYTES + BUDGET_FACTOR * held_bytes;
	return kernel->note.mem_section == FCP_GUEST_NONE ? init_flat(memmap_, err)
							  : init_sparse(memmap_, wide, err);
}

int fcp_guest_memmap_init(struct fcp_guest_kernel *kernel, struct fcp_guest_memmap *memmap_,
			  struct fcp_error *err)
{
	return sections_init(kernel, false, memmap_, err);
}

int fcp_guest_memmap_init_wide(struct fcp_guest_kernel *kernel, struct fcp_guest_memmap *memmap_,
			       struct fcp_error *err)
{
	return sections_init(kernel, true, memmap_, err);
}

bool fcp_guest_memmap_fits_layout(const struct fcp_guest_memmap *memmap)
{
	const struct fcp_guest_memory *memory = &memmap->kernel->memory;
	uint64_t section_bytes = memmap->section_pages << FCP_GUEST_PAGE_SHIFT;

	for (uint64_t i = 0; i * memmap->section_pages < ram_end_pfn(memory); i++) {
		uint64_t start = i * section_bytes, end = start + section_bytes;
		bool ram = false, may_be = false;

		for (unsigned r = 0; r < memory->region_count; r++) {
			bool here = memory->regions[r].gpa < end &&
				    start < memory->regions[r].gpa + memory->regions[r].bytes;

			/* Of a process we know what can be plugged in, not what is. */
			may_be |= here && memory->regions[r].gpa >= FCP_GUEST_HOTPLUG_GPA;
			ram |= here;
		}
		if (ram != (memmap->sections[i] != 0) && !may_be)
			return false;
	}
	return true;
}

bool fcp_guest_memmap_goes_on(const struct fcp_guest_memmap *memmap)
{
	uint64_t end = ram_end_pfn(&memmap->kernel->memory);

	for (uint64_t i = end / memmap->section_pages + 1; i < memmap->section_count; i++)
		if (memmap->sections[i] != 0)
			return true;
	return false;
}

void fcp_guest_memmap_clear(struct fcp_guest_memmap *memmap)
{
	free(memmap->sections);
	free(memmap->by_address);
	memmap->sections = NULL;
	memmap->by_address = NULL;
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

/* The section whose struct pages address could be one of: the last that begins at or before it. */
static uint64_t likely_section(const struct fcp_guest_memmap *memmap, uint64_t address)
{
	uint64_t low = 0, high = memmap->section_count;

	if (!memmap->by_address)
		return (address - memmap->sections[memmap->last_section]) /
		       memmap->kernel->note.struct_page_bytes / memmap->section_pages;
	while (high - low > 1) {
		uint64_t middle = low + (high - low) / 2;

		if (section_start(memmap, memmap->by_address[middle]) <= address)
			low = middle;
		else
			high = middle;
	}
	return memmap->by_address[low];
}

bool fcp_guest_memmap_pfn(const struct fcp_guest_memmap *memmap, uint64_t address, uint64_t *pfn_)
{
	uint64_t section = likely_section(memmap, address);
	uint64_t pfn;

	/* The last section can go on where RAM has ended. */
	if (section >= memmap->section_count || !pfn_in_section(memmap, section, address, &pfn) ||
	    !fcp_guest_memory_region(&memmap->kernel->memory, pfn << FCP_GUEST_PAGE_SHIFT,
				     FCP_PAGE_BYTES))
		return false;
	*pfn_ = pfn;
	return true;
}

uint64_t fcp_guest_memmap_section_end(const struct fcp_guest_memmap *memmap, uint64_t pfn)
{
	return (pfn / memmap->section_pages + 1) * memmap->section_pages;
}
