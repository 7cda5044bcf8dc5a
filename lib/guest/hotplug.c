// SPDX-License-Identifier: Apache-2.0
#include "guest/hotplug.h"

#include "base/error.h"
#include "guest/memory_source.h"
#include "guest/text.h"

#include <string.h>

#define GIB (UINT64_C(1) << 30)
#define PAST_32BIT_HOLE (4 * GIB)

/* ---- where boot memory ends, by the map that the VMM gave the kernel ---- */

#define ZERO_PAGE_GPA UINT64_C(0x7000) /* boot_params: Documentation/arch/x86/boot.rst, zero-page.rst */
#define E820_COUNT_AT 0x1e8
#define E820_TABLE_AT 0x2d0
#define E820_ENTRY_BYTES 20
#define E820_MAX 128
#define START_INFO_GPA UINT64_C(0x6000) /* PVH: include/xen/interface/hvm/start_info.h */
#define START_INFO_MAGIC UINT32_C(0x336ec578)
#define START_INFO_TABLE_AT 40
#define START_INFO_COUNT_AT 48
#define PVH_ENTRY_BYTES 24
#define TYPE_RAM 1

struct table {
	uint64_t gpa;
	uint32_t count;
	unsigned entry_bytes;
};

static bool read_at(const struct fcp_guest_memory *memory, uint64_t gpa, void *buffer, size_t bytes)
{
	struct fcp_error ignored;

	return fcp_guest_memory_read(memory, gpa, buffer, bytes, &ignored) == 0;
}

static bool find_table(const struct fcp_guest_memory *memory, struct table *table_)
{
	uint32_t magic;
	uint8_t count;

	if (fcp_guest_boot_params_at(memory, ZERO_PAGE_GPA) &&
	    read_at(memory, ZERO_PAGE_GPA + E820_COUNT_AT, &count, sizeof(count))) {
		*table_ = (struct table){ZERO_PAGE_GPA + E820_TABLE_AT, count, E820_ENTRY_BYTES};
		return true;
	}
	table_->entry_bytes = PVH_ENTRY_BYTES;
	return read_at(memory, START_INFO_GPA, &magic, sizeof(magic)) && magic == START_INFO_MAGIC &&
	       read_at(memory, START_INFO_GPA + START_INFO_TABLE_AT, &table_->gpa, 8) &&
	       read_at(memory, START_INFO_GPA + START_INFO_COUNT_AT, &table_->count, 4);
}

/* The end of the last RAM below FCP_GUEST_HOTPLUG_GPA; 0 when there is no map. */
static uint64_t firmware_end(const struct fcp_guest_memory *memory)
{
	struct table table;
	uint64_t end = 0;

	if (!find_table(memory, &table) || table.count > E820_MAX)
		return 0;
	for (uint32_t i = 0; i < table.count; i++) {
		struct {
			uint64_t start, bytes;
			uint32_t type;
		} __attribute__((packed)) entry;

		if (!read_at(memory, table.gpa + i * table.entry_bytes, &entry, sizeof(entry)))
			return 0;
		if (entry.type == TYPE_RAM && entry.start < FCP_GUEST_HOTPLUG_GPA &&
		    entry.start + entry.bytes > end)
			end = entry.start + entry.bytes;
	}
	return end;
}

/* ---- the sections ---- */

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
	/* One run, or boot memory that goes on behind the hole below 4 GiB: nothing is plugged in. */
	if (end == 0 || (start * section_bytes == PAST_32BIT_HOLE && end * section_bytes >= 3 * GIB))
		return usual;
	return start;
}

static bool overlaps(const struct fcp_guest_region *region, uint64_t start, uint64_t end)
{
	return region->gpa < end && start < region->gpa + region->bytes;
}

/* All of boot memory has sections; what else has one is the last region's. */
static bool fits(const struct fcp_guest_memmap *memmap, const struct fcp_guest_memory *view,
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
	uint64_t known_end = firmware_end(memory);
	struct fcp_guest_memory laid_out = *memory, view;

	fcp_guest_memory_lay_out(&laid_out, size);
	for (unsigned i = 0; fcp_guest_memory_layout(&laid_out, i, &view); i++) {
		const struct fcp_guest_region *last = &view.regions[view.region_count - 2];

		view.regions[view.region_count - 1].gpa = first * section_bytes;
		if (last->gpa + last->bytes > first * section_bytes ||
		    (known_end != 0 && known_end != last->gpa + last->bytes) ||
		    !fits(memmap, &view, section_bytes))
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
