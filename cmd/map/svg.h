// SPDX-License-Identifier: Apache-2.0
/* What map_svg.c, svg_text.c, svg_cells.c and svg_legend.c share. */
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
	unsigned pixels;	/* of a cell's side */
	unsigned y;		/* where the next line goes */
};

/* ---- text ---- */

/* The style's classes: t title, h headline, r running text, s small, n number (right-aligned), b bold. */
void svg_text(struct svg *svg, unsigned x, const char *style, const char *text);

/* In lines that fit: broken at blanks, behind a slash, or where neither is, at the line's end. */
void svg_paragraph(struct svg *svg, const char *style, const char *text);

/* ---- cells ---- */

/* Each look's colour and hatching, for <defs>, and the style for light and dark. */
void svg_style(FILE *out);

/* The maps, beside each other, with the offsets. */
void svg_maps(struct svg *svg);

/* A sample of a look at the line's beginning; MAP_LOOKS: of a hole. */
void svg_swatch(struct svg *svg, unsigned look);

/* ---- the legend ---- */

void svg_legend(struct svg *svg);

#endif
