// SPDX-License-Identifier: Apache-2.0
/*
 * A memory file as a grid of cells, whatever draws it: each cell is an equal part of the file,
 * shown by what occupies most storage in it: a class, or where there was a base, what is the base's. Free
 * pages and zeros stay that: they can be released.
 */
#ifndef FCP_CMD_MAP_MAP_H
#define FCP_CMD_MAP_MAP_H

#include "base/enums.h"

/* How much of a cell occupies storage. */
enum map_level {
	MAP_HOLE, /* nothing */
	MAP_PART, /* less than half of it */
	MAP_MOST,
};

/* What a cell is shown as: a page class, or behind them a place where its bytes stand, too. */
enum {
	MAP_IN_BASE = FCP_PAGE_CLASSES,
	MAP_IN_SHARES,
	MAP_LOOKS,
};

struct map_cell {
	enum map_level level;
	unsigned look; /* below MAP_LOOKS; of a hole it means nothing */
};

struct map_look {
	const char *name;  /* for people */
	const char *block; /* without colours, in UTF-8 */
	char letter;	   /* without UTF-8; small for MAP_PART */
	uint8_t red, green, blue;
	uint8_t of_256; /* the colour's number among 256 */
	uint8_t of_16;	/* SGR code among 16 */
};

extern const struct map_look map_looks[MAP_LOOKS];

/* The cells of a map that the library is asked for: enough for the finest picture. */
#define MAP_CELLS_MAX 8192

/*
 * The bytes of a cell when there are at most cells_max: a power of two, and a multiple of the
 * result's own cells.
 */
uint64_t map_cell_bytes(const struct fcp_inspect_result *result, uint64_t cells_max);

/* How many cells of that size the file has. */
uint64_t map_cell_count(const struct fcp_inspect_result *result, uint64_t cell_bytes);

/* The cell of that index, below the count. */
struct map_cell map_cell(const struct fcp_inspect_result *result, uint64_t cell_bytes,
			 uint64_t index);

#endif
