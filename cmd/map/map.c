// SPDX-License-Identifier: Apache-2.0
#include "cmd/map/map.h"

/* Okabe and Ito's colours and some more that colour-blind readers can tell apart. In the picture,
 * looks whose colours could be confused differ in hatching (svg_cells.c). */
const struct map_look map_looks[MAP_LOOKS] = {
	[FCP_PAGE_FREE] = {"free", "\u2591", 'F', 0x00, 0x9e, 0x73, 36, 32},
	[FCP_PAGE_ZERO] = {"zero", "\u2581", 'Z', 0x56, 0xb4, 0xe9, 74, 36},
	[FCP_PAGE_CACHE] = {"page cache", "\u2592", 'C', 0x00, 0x72, 0xb2, 25, 34},
	[FCP_PAGE_SHMEM] = {"tmpfs/shmem", "\u258c", 'M', 0xcc, 0x79, 0xa7, 175, 91},
	[FCP_PAGE_ANONYMOUS] = {"anonymous", "\u2588", 'A', 0xd5, 0x5e, 0x00, 166, 31},
	[FCP_PAGE_SLAB] = {"slab", "\u2593", 'S', 0xf5, 0xc2, 0x42, 221, 33},
	[FCP_PAGE_TABLES] = {"page tables", "\u259a", 'T', 0xf0, 0xe4, 0x42, 227, 35},
	[FCP_PAGE_KERNEL_IMAGE] = {"kernel image", "\u2580", 'K', 0x9a, 0x2a, 0x6a, 89, 95},
	[FCP_PAGE_RESERVED] = {"reserved", "\u2584", 'R', 0x8c, 0x6d, 0x46, 94, 90},
	[FCP_PAGE_UNKNOWN] = {"unknown", "\u2597", 'U', 0x9a, 0xa0, 0xa8, 247, 39},
	[MAP_IN_BASE] = {"same as base", "\u254b", 'B', 0xb7, 0xd6, 0x6b, 149, 92},
	[MAP_IN_SHARES] = {"same as disk", "\u254d", 'D', 0xdd, 0xcc, 0x77, 186, 93},
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

/* Adds the bytes on disk of a cell of the result, by look. */
static void add_cell(const struct fcp_inspect_result *result, uint64_t index,
		     uint64_t bytes[MAP_LOOKS])
{
	const struct fcp_inspect_cell *cell = result->cells[index];

	for (size_t i = 0; i < cell->class_count; i++) {
		const struct fcp_inspect_class *class = cell->classes[i];
		uint64_t in_base = class->in_base.allocated_bytes;
		uint64_t in_shares = class->in_shares.allocated_bytes;

		if (class->page_class == FCP_PAGE_FREE || class->page_class == FCP_PAGE_ZERO)
			in_base = in_shares = 0;
		bytes[class->page_class] += class->all.allocated_bytes - in_base - in_shares;
		bytes[MAP_IN_BASE] += in_base;
		bytes[MAP_IN_SHARES] += in_shares;
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
