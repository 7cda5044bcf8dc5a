// SPDX-License-Identifier: Apache-2.0
#include "guest/kernel/hotplug.h"

#include "base/error.h"
#include "guest/memory_source.h"

#include <string.h>

#define GIB (UINT64_C(1) << 30)
#define PAST_32BIT_HOLE (4 * GIB)

static uint64_t count_present(const struct fcp_guest_memmap *memmap, uint64_t first, uint64_t end)
{
	uint64_t count = 0;

	for (uint64_t i = first; i < end && i < memmap->section_count; i++)
		count += memmap->sections[i] != 0;
	return count;
}

/* The section that the hot-pluggable region begins with. */
static uint64_t first_pluggable(const struct fcp_guest_memmap *memmap, uint64_t section_bytes)
{
	uint64_t usual = FCP_GUEST_HOTPLUG_GPA / section_bytes, start = memmap->section_count, end;

	if (count_present(memmap, usual, memmap->section_count) > 0)
		return usual;
	while (start > 0 && memmap->sections[start - 1] == 0)
		start--;
	while (start > 0 && memmap->sections[start - 1] != 0)
		start--;
	end = start;
	while (end > 0 && memmap->sections[end - 1] == 0)
		end--;
	/* One run, or boot memory that goes on behind the hole below 4 GiB: nothing is plugged
	 * in. */
	if (end == 0 ||
	    (start * section_bytes == PAST_32BIT_HOLE && end * section_bytes >= 3 * GIB))
		return usual;
	return start;
}

static bool overlaps(const struct fcp_guest_region *region, uint64_t start, uint64_t end)
{
	return region->gpa < end && start < region->gpa + region->bytes;
}

/* All of boot memory has sections; what else has one is the last region's. */
static bool block_fits(const struct fcp_guest_memmap *memmap, const struct fcp_guest_memory *view,
		       uint64_t section_bytes)
{
	unsigned boot = view->region_count - 1;

	for (uint64_t i = 0; i < memmap->section_count; i++) {
		uint64_t start = i * section_bytes, end = start + section_bytes;
		bool present = memmap->sections[i] != 0, ram = false;

		for (unsigned r = 0; r < boot; r++)
			ram |= overlaps(&view->regions[r], start, end);
		if (ram ? !present : present && !overlaps(&view->regions[boot], start, end))
			return false;
	}
	return true;
}

/* Takes the first layout of that size that fits. */
static bool take_layout(struct fcp_guest_memmap *memmap, const struct fcp_guest_size *size,
			uint64_t first, uint64_t section_bytes)
{
	struct fcp_guest_memory *memory = &memmap->kernel->memory;
	uint64_t known_end =
		memory->arch->boot_memory_end ? memory->arch->boot_memory_end(memory) : 0;
	struct fcp_guest_memory laid_out = *memory, view;

	fcp_guest_memory_lay_out(&laid_out, size, memory->arch);
	for (unsigned i = 0; fcp_guest_memory_layout(&laid_out, i, &view); i++) {
		const struct fcp_guest_region *last = &view.regions[view.region_count - 2];

		view.regions[view.region_count - 1].gpa = first * section_bytes;
		if (last->gpa + last->bytes > first * section_bytes ||
		    (known_end != 0 && known_end != last->gpa + last->bytes) ||
		    !block_fits(memmap, &view, section_bytes))
			continue;
		memcpy(memory->regions, view.regions, sizeof(memory->regions));
		memory->region_count = view.region_count;
		return true;
	}
	return false;
}

bool fcp_guest_hotplug_find(struct fcp_guest_memmap *memmap)
{
	uint64_t section_bytes = memmap->section_pages << FCP_GUEST_PAGE_SHIFT;
	uint64_t bytes = memmap->kernel->memory.bytes, rest = bytes % section_bytes;
	uint64_t first = first_pluggable(memmap, section_bytes);
	uint64_t boot_bytes = count_present(memmap, 0, first) * section_bytes;

	if (rest != 0)
		boot_bytes -= boot_bytes ? section_bytes - rest : 0;
	if (boot_bytes == 0 || boot_bytes >= bytes)
		return false;
	return take_layout(memmap, &(struct fcp_guest_size){boot_bytes, bytes - boot_bytes}, first,
			   section_bytes);
}
