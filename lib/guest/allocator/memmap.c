// SPDX-License-Identifier: Apache-2.0
/* What struct pages hold: the second half of guest/allocator/memmap.h. */
#include "guest/allocator/memmap.h"

#include "base/error.h"
#include "base/units.h"

#include <string.h>

/*
 * *bytes_ = how many of the bytes bytes from gpa on lie in a hole that reads as zeros, 0 when there
 * is data at gpa. The file is asked once for a hole and the data behind it.
 */
static int in_hole(struct fcp_guest_memmap *memmap, uint64_t gpa, uint64_t bytes, uint64_t *bytes_,
		   struct fcp_error *err)
{
	const struct fcp_guest_memory *memory = &memmap->kernel->memory;
	const struct fcp_guest_region *region = fcp_guest_memory_region(memory, gpa, bytes);
	uint64_t start, left;

	*bytes_ = 0;
	if (!region || memory->holes == FCP_HOLES_BASE)
		return 0;
	start = fcp_guest_region_offset(region, gpa);
	if (start < memmap->hole.start || start > memmap->hole.end) {
		memmap->hole.start = start;
		if (fcp_guest_memory_data_start(memory, start, &memmap->hole.end, err) < 0)
			return -1;
	}
	left = memmap->hole.end - start;
	*bytes_ = left < bytes ? left : bytes;
	return 0;
}

static int check_budget(const struct fcp_guest_memmap *memmap, struct fcp_error *err)
{
	uint64_t tables = memmap->kernel->tables.tables_read * FCP_PAGE_BYTES;

	if (memmap->read_bytes + tables <= memmap->budget_bytes)
		return 0;
	return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0,
			     "it shows the same pages again and again");
}

static int read_run(struct fcp_guest_memmap *memmap, uint64_t gpa, unsigned char *to,
		    uint64_t bytes, struct fcp_error *err)
{
	uint64_t hole;

	if (in_hole(memmap, gpa, bytes, &hole, err) < 0)
		return -1;
	if (hole == bytes) {
		memset(to, 0, (size_t)bytes);
		return 0;
	}
	memmap->read_bytes += bytes;
	if (check_budget(memmap, err) < 0)
		return -1;
	return fcp_guest_memory_read(&memmap->kernel->memory, gpa, to, (size_t)bytes, err);
}

/* *gpa_ = where address lies, with *bytes_ bytes in a row from there on, up to end. */
static int locate(struct fcp_guest_memmap *memmap, uint64_t address, uint64_t end, uint64_t *gpa_,
		  uint64_t *bytes_, struct fcp_error *err)
{
	struct fcp_guest_leaf leaf;

	if (fcp_guest_translate(&memmap->kernel->tables, address, &leaf, err) < 0)
		return -1;
	*gpa_ = leaf.gpa + (address - leaf.start);
	*bytes_ = leaf.bytes - (address - leaf.start);
	if (*bytes_ > end - address)
		*bytes_ = end - address;
	return 0;
}

int fcp_guest_memmap_skip_holes(struct fcp_guest_memmap *memmap, uint64_t first, uint64_t stop,
				uint64_t *next_, struct fcp_error *err)
{
	uint64_t page_bytes = memmap->kernel->note.struct_page_bytes;
	uint64_t start = fcp_guest_memmap_address(memmap, first);
	uint64_t end = start + (stop - first) * page_bytes;
	uint64_t at = start;

	while (at < end) {
		uint64_t gpa, bytes, hole;

		if (check_budget(memmap, err) < 0 ||
		    locate(memmap, at, end, &gpa, &bytes, err) < 0 ||
		    in_hole(memmap, gpa, bytes, &hole, err) < 0)
			return -1;
		at += hole;
		if (hole < bytes)
			break;
	}
	*next_ = first + (at - start) / page_bytes;
	return 0;
}

int fcp_guest_memmap_read(struct fcp_guest_memmap *memmap, uint64_t first, uint64_t count,
			  struct fcp_error *err)
{
	uint64_t address = fcp_guest_memmap_address(memmap, first);
	uint64_t end = address + count * memmap->kernel->note.struct_page_bytes;
	uint64_t run_gpa = 0, run_bytes = 0;
	unsigned char *to = memmap->run;

	if (end < address)
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0,
				     "struct page of PFN %#llx: past the last address",
				     (unsigned long long)first);
	/* Neighbours in virtual memory that are neighbours in RAM too are read at once. */
	while (address < end) {
		uint64_t gpa, bytes;

		if (locate(memmap, address, end, &gpa, &bytes, err) < 0)
			return fcp_error_wrap(err, "struct page of PFN %#llx",
					      (unsigned long long)first);
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
