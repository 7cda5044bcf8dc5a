// SPDX-License-Identifier: Apache-2.0
/*
 * Cells are one unit wide and scaled. Looks whose colours a colour-blind reader (red and green, or
 * blue and yellow) could confuse differ in hatching.
 */
#include "cmd/map/svg.h"

#include "cmd/output/size_text.h"

#include <inttypes.h>

#define LABELS 76
#define GAP 24

/* Drawn in a cell; "": plain. What can be released is hatched. */
static const char *const hatches[MAP_LOOKS] = {
	[FCP_PAGE_FREE] = "M0 1L1 0",
	[FCP_PAGE_ZERO] = "M0 .5H1",
	[FCP_PAGE_CACHE] = "",
	[FCP_PAGE_SHMEM] = "M.5 0V1",
	[FCP_PAGE_ANONYMOUS] = "",
	[FCP_PAGE_SLAB] = "",
	[FCP_PAGE_TABLES] = "M0 0L1 1M0 1L1 0",
	[FCP_PAGE_KERNEL_IMAGE] = "",
	[FCP_PAGE_RESERVED] = "M.4 .5H.6",
	[FCP_PAGE_UNKNOWN] = "",
	[MAP_IN_BASE] = "M0 0L1 1",
	[MAP_IN_SHARES] = "M0 .5H1M.5 0V1",
};

static void put_pattern(FILE *out, unsigned number)
{
	const struct map_look *look = &map_looks[number];

	fprintf(out,
		"<pattern id=\"p%u\" width=\"1\" height=\"1\" patternUnits=\"userSpaceOnUse\">"
		"<rect width=\"1\" height=\"1\" fill=\"#%02x%02x%02x\"/>",
		number, look->red, look->green, look->blue);
	if (*hatches[number])
		fprintf(out, "<path class=\"hatch\" d=\"%s\"/>", hatches[number]);
	fputs("</pattern>\n", out);
}

void svg_style(FILE *out)
{
	fputs("<style>text { font: 13px sans-serif; fill: #22262b } .t { font-size: 20px; "
	      "font-weight: bold }"
	      " .h { font-size: 16px; font-weight: bold } .b { font-weight: bold } .s { font-size: "
	      "11px }"
	      " .n { text-anchor: end } .paper { fill: #ffffff } .hole { fill: #eceef1 }"
	      " .hatch { stroke: #000000; stroke-opacity: 0.45; stroke-width: 0.16; fill: none }\n"
	      "@media (prefers-color-scheme: dark) { text { fill: #e6e8eb } .paper { fill: #16191d "
	      "}"
	      " .hole { fill: #2b3038 } }</style>\n<defs>\n",
	      out);
	for (unsigned i = 0; i < MAP_LOOKS; i++)
		put_pattern(out, i);
	fputs("</defs>\n", out);
}

void svg_swatch(struct svg *svg, unsigned look)
{
	fprintf(svg->out,
		"<g transform=\"translate(%d %u) scale(13)\"><rect width=\"1\" height=\"1\" ",
		SVG_MARGIN, svg->y - 11);
	if (look < MAP_LOOKS)
		fprintf(svg->out, "fill=\"url(#p%u)\"/></g>\n", look);
	else
		fputs("class=\"hole\"/></g>\n", svg->out);
}

/* ---- the maps ---- */

static unsigned map_x(const struct svg *svg, size_t index)
{
	return SVG_MARGIN + LABELS + (unsigned)index * (svg->columns * svg->pixels + GAP);
}

static bool is_of(struct map_cell cell, unsigned look, enum map_level level)
{
	return cell.level == level && cell.look == look;
}

/* All cells of one look as one path, a run of cells as one box; nothing if there are none. */
static void put_path(struct svg *svg, const struct fcp_inspect_result *result, unsigned number,
		     enum map_level level)
{
	uint64_t count = map_cell_count(result, svg->cell_bytes);
	bool begun = false;

	for (uint64_t i = 0; i < count; i++) {
		uint64_t start = i, row_end = (i / svg->columns + 1) * svg->columns;

		while (i < count && i < row_end &&
		       is_of(map_cell(result, svg->cell_bytes, i), number, level))
			i++;
		if (i == start)
			continue;
		if (!begun)
			fprintf(svg->out, "<path fill=\"url(#p%u)\"%s d=\"", number,
				level == MAP_PART ? " fill-opacity=\"0.45\"" : "");
		begun = true;
		fprintf(svg->out, "M%" PRIu64 " %" PRIu64 "h%" PRIu64 "v1h-%" PRIu64 "z",
			start % svg->columns, start / svg->columns, i - start, i - start);
		i--;
	}
	if (begun)
		fprintf(svg->out, "\"><title>%s%s</title></path>\n", map_looks[number].name,
			level == MAP_PART ? ", less than half on disk" : "");
}

/* In the last row, only existing cells are drawn. */
static void put_holes(struct svg *svg, const struct fcp_inspect_result *result)
{
	uint64_t count = map_cell_count(result, svg->cell_bytes);
	uint64_t rows = count / svg->columns, rest = count % svg->columns;

	fprintf(svg->out,
		"<path class=\"hole\" d=\"M0 0h%uv%" PRIu64 "h-%uzM0 %" PRIu64 "h%" PRIu64
		"v1h-%" PRIu64 "z\"><title>hole</title></path>\n",
		rows ? svg->columns : 0, rows, rows ? svg->columns : 0, rows, rest, rest);
}

static void put_map(struct svg *svg, size_t index)
{
	fprintf(svg->out,
		"<g transform=\"translate(%u %u) scale(%u)\" shape-rendering=\"crispEdges\">\n",
		map_x(svg, index), svg->y, svg->pixels);
	put_holes(svg, svg->files->results[index]);
	for (unsigned i = 0; i < MAP_LOOKS; i++) {
		put_path(svg, svg->files->results[index], i, MAP_PART);
		put_path(svg, svg->files->results[index], i, MAP_MOST);
	}
	fputs("</g>\n", svg->out);
}

/* An offset beside each row, or fewer if the rows are too close together. */
static void put_labels(struct svg *svg)
{
	unsigned top = svg->y, each = (SVG_LINE + svg->pixels - 1) / svg->pixels;
	char label[SIZE_TEXT_BYTES];

	while (each & (each - 1))
		each++;
	for (unsigned row = 0; row < svg->rows; row += each) {
		svg->y = top + row * svg->pixels + 10;
		svg_text(svg, SVG_MARGIN + LABELS - 8, "n s",
			 round_size_text((uint64_t)row * svg->columns * svg->cell_bytes, label));
	}
	svg->y = top;
}

void svg_maps(struct svg *svg)
{
	for (size_t i = 0; svg->files->count > 1 && i < svg->files->count; i++)
		svg_text(svg, map_x(svg, i), "b", i ? "after" : "before");
	svg->y += svg->files->count > 1 ? 8 : 0;
	put_labels(svg);
	for (size_t i = 0; i < svg->files->count; i++)
		put_map(svg, i);
	svg->y += svg->rows * svg->pixels + SVG_LINE + 8;
}
