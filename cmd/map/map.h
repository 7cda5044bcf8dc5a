// SPDX-License-Identifier: Apache-2.0
/*
 * A memory file as a grid of cells, for all kinds of output. Each cell is an equal part of the file
 * and is shown as what occupies most of its storage: a page class, or, if there was a base, bytes
 * that are equal to the base's. Free pages and zeros are always shown as such, because they can be
 * released.
 */
#ifndef FCP_CMD_MAP_MAP_H
#define FCP_CMD_MAP_MAP_H

#include "base/enums.h"

/* How much of a cell occupies storage */
enum map_level {
	MAP_HOLE, /* nothing */
	MAP_PART, /* less than half of it */
	MAP_MOST,
};

/* What a cell is shown as: a page class, or, after those, another file that has the same bytes. */
enum {
	MAP_IN_BASE = FCP_PAGE_CLASSES,
	MAP_IN_SHARES,
	MAP_LOOKS,
};

struct map_cell {
	enum map_level level;
	unsigned look; /* below MAP_LOOKS; meaningless for a hole */
};

struct map_look {
	const char *name;  /* for people */
	const char *block; /* without colours, in UTF-8 */
	char letter;	   /* without UTF-8; small for MAP_PART */
	uint8_t red, green, blue;
	uint8_t of_256; /* colour number in a palette of 256 */
	uint8_t of_16;	/* SGR code with 16 colours */
};

extern const struct map_look map_looks[MAP_LOOKS];

/* The number of cells to request from the library: enough for the finest picture. */
#define MAP_CELLS_MAX 8192

/*
 * The size of a cell in bytes such that there are at most cells_max: a power of two, and a multiple
 * of the result's own cell size.
 */
uint64_t map_cell_bytes(const struct fcp_inspect_result *result, uint64_t cells_max);

/* The number of cells of that size in the file. */
uint64_t map_cell_count(const struct fcp_inspect_result *result, uint64_t cell_bytes);

/* The cell with that index, which must be below map_cell_count(). */
struct map_cell map_cell(const struct fcp_inspect_result *result, uint64_t cell_bytes,
			 uint64_t index);

#endif
