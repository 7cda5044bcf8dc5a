// SPDX-License-Identifier: Apache-2.0
/* Shared by map_svg.c, svg_text.c, svg_cells.c and svg_legend.c. */
#ifndef FCP_CMD_MAP_SVG_H
#define FCP_CMD_MAP_SVG_H

#include "cmd/map/map.h"
#include "cmd/map/map_text.h"

/* Pixels. */
#define SVG_WIDE 920
#define SVG_MARGIN 24
#define SVG_LINE 19

struct svg {
	FILE *out;
	const struct map_files *files;
	uint64_t cell_bytes;
	unsigned columns, rows; /* of one file */
	unsigned pixels;	/* side of a cell */
	unsigned y;		/* where the next line goes */
};

/* ---- text ---- */

/* Style classes: t title, h headline, r running text, s small, n number (right-aligned), b bold. */
void svg_text(struct svg *svg, unsigned x, const char *style, const char *text);

/* Breaks the text into lines at spaces, after slashes, or else where a line is full. */
void svg_paragraph(struct svg *svg, const char *style, const char *text);

/* ---- cells ---- */

/* The colour and hatching of each look, for <defs>, and the styles for light and dark mode. */
void svg_style(FILE *out);

/* The maps, side by side, with offsets. */
void svg_maps(struct svg *svg);

/* A sample of a look at the start of the line; MAP_LOOKS: of a hole. */
void svg_swatch(struct svg *svg, unsigned look);

/* ---- the legend ---- */

void svg_legend(struct svg *svg);

#endif
