// SPDX-License-Identifier: Apache-2.0
#include "cmd/map/map.h"

/* What can be released is green and cyan, what the guest asked for warm, its kernel's violet. */
const struct map_look map_looks[MAP_LOOKS] = {
	[FCP_PAGE_FREE] = {"free", "\u2591", 'F', 0x3f, 0xae, 0x5a, 71, 32},
	[FCP_PAGE_ZERO] = {"zero", "\u2581", 'Z', 0x4f, 0xc3, 0xd9, 80, 36},
	[FCP_PAGE_CACHE] = {"page cache", "\u2592", 'C', 0x3b, 0x76, 0xc4, 68, 34},
	[FCP_PAGE_SHMEM] = {"tmpfs/shmem", "\u258c", 'M', 0xa8, 0x32, 0x4a, 125, 91},
	[FCP_PAGE_ANONYMOUS] = {"anonymous", "\u2588", 'A', 0xe4, 0x57, 0x3d, 203, 31},
	[FCP_PAGE_SLAB] = {"slab", "\u2593", 'S', 0xe3, 0xb2, 0x3c, 178, 33},
	[FCP_PAGE_TABLES] = {"page tables", "\u259a", 'T', 0x9b, 0x5f, 0xc0, 134, 35},
	[FCP_PAGE_KERNEL_IMAGE] = {"kernel image", "\u2580", 'K', 0xe0, 0x86, 0xb8, 175, 95},
	[FCP_PAGE_RESERVED] = {"reserved", "\u2584", 'R', 0x9a, 0x78, 0x55, 137, 90},
	[FCP_PAGE_UNKNOWN] = {"unknown", "\u2597", 'U', 0x8a, 0x8f, 0x98, 245, 39},
	[FCP_PAGE_CLASSES + FCP_SAME_BASE] = {"same as base", "\u254b", 'B', 0xb7, 0xd6, 0x6b, 149, 92},
	[FCP_PAGE_CLASSES + FCP_SAME_SHARE] = {"same as disk", "\u254d", 'D', 0xd8, 0xc8, 0x7a, 186, 93},
};

uint64_t map_cell_count(const struct fcp_inspect_result *result, uint64_t cell_bytes)
{
	return (result->logical_bytes + cell_bytes - 1) / cell_bytes;
}

uint64_t map_cell_bytes(const struct fcp_inspect_result *result, uint64_t cells_max)
{
	uint64_t bytes = result->cell_bytes;

	while (map_cell_count(result, bytes) > cells_max)
		bytes *= 2;
	return bytes;
}

/* Adds what a cell of the result has on disk to what it is shown as. */
static void add_cell(const struct fcp_inspect_result *result, uint64_t index, uint64_t bytes[MAP_LOOKS])
{
	for (unsigned c = 0; c < FCP_PAGE_CLASSES; c++) {
		bytes[c] += result->cells[index].classes[c].allocated_bytes;
		if (c == FCP_PAGE_FREE || c == FCP_PAGE_ZERO)
			continue;
		for (unsigned same = 0; same < FCP_SAMES; same++) {
			uint64_t there;

			if (!result->same_cells[same])
				continue;
			there = result->same_cells[same][index].classes[c].allocated_bytes;
			bytes[c] -= there;
			bytes[FCP_PAGE_CLASSES + same] += there;
		}
	}
}

struct map_cell map_cell(const struct fcp_inspect_result *result, uint64_t cell_bytes,
			 uint64_t index)
{
	uint64_t fold = cell_bytes / result->cell_bytes, first = index * fold;
	uint64_t bytes[MAP_LOOKS] = {0}, most = 0, all = 0;
	struct map_cell cell = {MAP_HOLE, FCP_PAGE_UNKNOWN};
	uint64_t start = index * cell_bytes;
	uint64_t length = result->logical_bytes - start < cell_bytes ? result->logical_bytes - start
								     : cell_bytes;

	for (uint64_t i = first; i < first + fold && i < result->cell_count; i++)
		add_cell(result, i, bytes);
	for (unsigned look = 0; look < MAP_LOOKS; look++) {
		all += bytes[look];
		if (bytes[look] <= most)
			continue;
		most = bytes[look];
		cell.look = look;
	}
	if (all > 0)
		cell.level = all >= length / 2 ? MAP_MOST : MAP_PART;
	return cell;
}
