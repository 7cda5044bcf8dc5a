// SPDX-License-Identifier: Apache-2.0
/* What a VMM hands to an x86_64 kernel (Documentation/arch/x86/{boot,zero-page}.rst). */
#include "guest/arch/x86_64.h"

#include "base/error.h"

#include <string.h>

/* boot_params, where Firecracker puts them (src/vmm/src/arch/x86_64/layout.rs); the kernel reserves
 * the first 64 KiB. */
#define ZERO_PAGE_GPA UINT64_C(0x7000)
#define E820_COUNT_AT 0x1e8
#define HEADER_MAGIC_AT 0x202
#define COMMAND_LINE_AT 0x228
#define E820_TABLE_AT 0x2d0
#define E820_ENTRY_BYTES 20
#define E820_MAX 128

/* PVH: include/xen/interface/hvm/start_info.h */
#define START_INFO_GPA UINT64_C(0x6000)
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

static bool has_boot_params(const struct fcp_guest_memory *memory)
{
	char magic[4];

	return fcp_guest_memory_region(memory, ZERO_PAGE_GPA, FCP_PAGE_BYTES) &&
	       read_at(memory, ZERO_PAGE_GPA + HEADER_MAGIC_AT, magic, sizeof(magic)) &&
	       memcmp(magic, "HdrS", sizeof(magic)) == 0;
}

struct fcp_range fcp_x86_64_boot_data(const struct fcp_guest_memory *memory)
{
	if (!has_boot_params(memory))
		return (struct fcp_range){0, 0};
	return (struct fcp_range){ZERO_PAGE_GPA, ZERO_PAGE_GPA + FCP_PAGE_BYTES};
}

bool fcp_x86_64_command_line(const struct fcp_guest_memory *memory,
			     char line_[FCP_GUEST_COMMAND_LINE_MAX + 1])
{
	uint32_t address;

	line_[FCP_GUEST_COMMAND_LINE_MAX] = '\0';
	return has_boot_params(memory) &&
	       read_at(memory, ZERO_PAGE_GPA + COMMAND_LINE_AT, &address, sizeof(address)) &&
	       read_at(memory, address, line_, FCP_GUEST_COMMAND_LINE_MAX);
}

static bool find_table(const struct fcp_guest_memory *memory, struct table *table_)
{
	uint32_t magic;
	uint8_t count;

	if (has_boot_params(memory) &&
	    read_at(memory, ZERO_PAGE_GPA + E820_COUNT_AT, &count, sizeof(count))) {
		*table_ = (struct table){ZERO_PAGE_GPA + E820_TABLE_AT, count, E820_ENTRY_BYTES};
		return true;
	}
	table_->entry_bytes = PVH_ENTRY_BYTES;
	return read_at(memory, START_INFO_GPA, &magic, sizeof(magic)) &&
	       magic == START_INFO_MAGIC &&
	       read_at(memory, START_INFO_GPA + START_INFO_TABLE_AT, &table_->gpa, 8) &&
	       read_at(memory, START_INFO_GPA + START_INFO_COUNT_AT, &table_->count, 4);
}

/* The end of the last RAM below FCP_GUEST_HOTPLUG_GPA. */
uint64_t fcp_x86_64_boot_memory_end(const struct fcp_guest_memory *memory)
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
