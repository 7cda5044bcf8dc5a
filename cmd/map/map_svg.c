// SPDX-License-Identifier: Apache-2.0
#include "cmd/map/map_svg.h"

#include "base/cleanup.h"
#include "cmd/map/map.h"
#include "cmd/map/xml_text.h"
#include "cmd/output/inspect_text.h"
#include "cmd/output/size_text.h"

#include <inttypes.h>
#include <string.h>

/* Pixels. */
#define WIDE 920
#define MARGIN 24
#define LABELS 76
#define GAP 24
#define LINE 19

/* Letters of a line of text that is as wide as the picture. */
#define LINE_LETTERS 118
#define ROWS_MOST 64
#define COLUMNS_LEAST 16

struct svg {
	FILE *out;
	const struct map_files *files;
	uint64_t cell_bytes;
	unsigned columns, rows; /* of one file */
	unsigned pixels;	/* of a cell's side */
	unsigned y;		/* where the next line goes */
};

/* ---- text ---- */

/* The style's classes: t title, s small, n number (right-aligned), b bold. */
static void put_text(struct svg *svg, unsigned x, const char *style, const char *text,
		     size_t length)
{
	fprintf(svg->out, "<text x=\"%u\" y=\"%u\" class=\"%s\">", x, svg->y, style);
	xml_text(svg->out, text, length);
	fputs("</text>\n", svg->out);
}

static void put_string(struct svg *svg, unsigned x, const char *style, const char *text)
{
	put_text(svg, x, style, text, strlen(text));
}

/* Broken at blanks, or where there is none, at the line's end. */
static void put_paragraph(struct svg *svg, const char *style, const char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		size_t length = left < LINE_LETTERS ? left : LINE_LETTERS;
		const char *blank = length < left ? memrchr(text, ' ', length) : NULL;

		if (blank && blank > text)
			length = (size_t)(blank - text);
		put_text(svg, MARGIN, style, text, length);
		svg->y += LINE;
		length += length < left && text[length] == ' ';
		text += length;
		left -= length;
	}
}

/* ---- the map ---- */

static unsigned map_x(const struct svg *svg, size_t index)
{
	return MARGIN + LABELS + (unsigned)index * (svg->columns * svg->pixels + GAP);
}

static bool is_of(struct map_cell cell, unsigned look, enum map_level level)
{
	return cell.level == level && cell.look == look;
}

/* All cells of one look as one path, runs of them as one box. false when there are none. */
static bool put_path(struct svg *svg, const struct fcp_inspect_result *result, unsigned number,
		     enum map_level level)
{
	const struct map_look *look = &map_looks[number];
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
			fprintf(svg->out, "<path fill=\"#%02x%02x%02x\"%s d=\"", look->red,
				look->green, look->blue,
				level == MAP_PART ? " fill-opacity=\"0.45\"" : "");
		begun = true;
		fprintf(svg->out, "M%" PRIu64 " %" PRIu64 "h%" PRIu64 "v1h-%" PRIu64 "z",
			start % svg->columns, start / svg->columns, i - start, i - start);
		i--;
	}
	if (begun)
		fprintf(svg->out, "\"><title>%s%s</title></path>\n", look->name,
			level == MAP_PART ? ", less than half on disk" : "");
	return begun;
}

/* What the file's last row has of cells is all that is drawn of it. */
static void put_holes(struct svg *svg, const struct fcp_inspect_result *result)
{
	uint64_t count = map_cell_count(result, svg->cell_bytes);
	uint64_t rows = count / svg->columns, rest = count % svg->columns;

	fprintf(svg->out,
		"<path fill=\"#eceef1\" d=\"M0 0h%uv%" PRIu64 "h-%uzM0 %" PRIu64 "h%" PRIu64
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

/* An offset beside each row that has room for it. */
static void put_labels(struct svg *svg)
{
	unsigned top = svg->y, each = (LINE + svg->pixels - 1) / svg->pixels;
	char label[SIZE_TEXT_BYTES];

	while (each & (each - 1))
		each++;
	for (unsigned row = 0; row < svg->rows; row += each) {
		svg->y = top + row * svg->pixels + 10;
		put_string(svg, MARGIN + LABELS - 8, "n s",
			   round_size_text((uint64_t)row * svg->columns * svg->cell_bytes, label));
	}
	svg->y = top;
}

static void put_maps(struct svg *svg)
{
	for (size_t i = 0; svg->files->count > 1 && i < svg->files->count; i++)
		put_string(svg, map_x(svg, i), "b", i ? "after" : "before");
	svg->y += svg->files->count > 1 ? 8 : 0;
	put_labels(svg);
	for (size_t i = 0; i < svg->files->count; i++)
		put_map(svg, i);
	svg->y += svg->rows * svg->pixels + LINE + 8;
}

/* ---- the legend ---- */

static void put_cells(struct svg *svg, const char *style, const char *const texts[4])
{
	static const unsigned right[] = {MARGIN + 22, MARGIN + 330, MARGIN + 560, MARGIN + 790};

	put_string(svg, right[0], style, texts[0]);
	for (size_t i = 1; i < 4; i++) {
		char number[16];

		snprintf(number, sizeof(number), "n %s", style);
		put_string(svg, right[i], number, texts[i]);
	}
	svg->y += LINE;
}

static void format_size(const char *sign, int64_t bytes, char text[64])
{
	char size[SIZE_TEXT_BYTES];

	if (bytes == 0)
		snprintf(text, 64, "0");
	else
		snprintf(text, 64, "%s%s (%s%" PRId64 ")", sign, size_text(bytes, size), sign,
			 bytes);
}

static void put_row(struct svg *svg, const char *name, const struct fcp_class_bytes amounts[2],
		    uint64_t data_bytes)
{
	int64_t change = (int64_t)(amounts[1].allocated_bytes - amounts[0].allocated_bytes);
	char first[64], second[64], third[64];

	if (svg->files->count == 1) {
		format_size("", (int64_t)amounts[0].bytes, first);
		format_size("", (int64_t)amounts[0].allocated_bytes, second);
		snprintf(third, sizeof(third), "%.1f %%",
			 share_of(amounts[0].allocated_bytes, data_bytes));
	} else {
		format_size("", (int64_t)amounts[0].allocated_bytes, first);
		format_size("", (int64_t)amounts[1].allocated_bytes, second);
		format_size(change > 0 ? "+" : "", change, third);
	}
	put_cells(svg, "r", (const char *const[]){name, first, second, third});
}

static void put_swatch(struct svg *svg, const char *color)
{
	fprintf(svg->out, "<rect x=\"%d\" y=\"%u\" width=\"13\" height=\"13\" fill=\"%s\"/>\n",
		MARGIN, svg->y - 11, color);
}

/* A row with the colour that the map has for it. */
static void put_look(struct svg *svg, unsigned number, const struct fcp_class_bytes amounts[2])
{
	const struct map_look *look = &map_looks[number];
	char color[8];

	snprintf(color, sizeof(color), "#%02x%02x%02x", look->red, look->green, look->blue);
	put_swatch(svg, color);
	put_row(svg, look->name, amounts, svg->files->results[0]->data_bytes);
}

static void put_stored(struct svg *svg, const char *what, uint64_t bytes)
{
	char line[256], size[SIZE_TEXT_BYTES];

	snprintf(line, sizeof(line), "%s would store %s (%" PRIu64 " bytes)", what,
		 size_text((int64_t)bytes, size), bytes);
	put_string(svg, MARGIN + 22, "r", line);
	svg->y += LINE;
}

/* Of the rows before, what stands elsewhere, too. */
static void put_same(struct svg *svg, const struct fcp_inspect_result *before,
		     const struct fcp_inspect_result *after)
{
	const struct fcp_inspect_result *layer = after->compared ? after : before;
	const struct fcp_inspect_result *shared = after->share_count > 0 ? after : before;

	for (unsigned i = 0; i < FCP_SAMES; i++)
		if (fcp_inspect_compares(before, (enum fcp_same)i) ||
		    fcp_inspect_compares(after, (enum fcp_same)i))
			put_look(svg, FCP_PAGE_CLASSES + i,
				 (const struct fcp_class_bytes[]){before->same_all[i], after->same_all[i]});
	if (layer->compared)
		put_stored(svg, "a layer", layer->layer_bytes);
	if (shared->share_count > 0)
		put_stored(svg, "a file that shares its storage", shared->share_bytes);
}

static void put_legend(struct svg *svg)
{
	const struct fcp_inspect_result *before = svg->files->results[0];
	const struct fcp_inspect_result *after = svg->files->results[svg->files->count - 1];
	const struct fcp_class_bytes all[] = {{before->logical_bytes, before->data_bytes},
					      {after->logical_bytes, after->data_bytes}};
	char line[256], cell[SIZE_TEXT_BYTES];

	put_cells(svg, "b",
		  svg->files->count == 1
			  ? (const char *const[]){"", "in memory (bytes)", "on disk (bytes)",
						  "of what is on disk"}
			  : (const char *const[]){"on disk", "before (bytes)", "after (bytes)",
						  "difference"});
	for (unsigned i = 0; i < FCP_PAGE_CLASSES; i++)
		put_look(svg, i, (const struct fcp_class_bytes[]){before->classes[i], after->classes[i]});
	put_row(svg, "all", all, before->data_bytes);
	put_same(svg, before, after);
	put_swatch(svg, "#eceef1");
	snprintf(line, sizeof(line),
		 "hole: not on disk. A box is %s of the file, in the colour of what "
		 "most of it on disk is; paler where less than half of it is on disk.",
		 round_size_text(svg->cell_bytes, cell));
	put_string(svg, MARGIN + 22, "s", line);
	svg->y += LINE + 10;
}

/* ---- all of it ---- */

/* Squares: few cells are large, many are small. */
static void fit(struct svg *svg)
{
	unsigned across = svg->files->count == 1 ? 128 : 64;
	uint64_t count = 1;

	svg->columns = across;
	for (size_t i = 0; i < svg->files->count; i++) {
		uint64_t bytes =
			map_cell_bytes(svg->files->results[i], (uint64_t)across * ROWS_MOST);

		svg->cell_bytes = bytes > svg->cell_bytes ? bytes : svg->cell_bytes;
	}
	for (size_t i = 0; i < svg->files->count; i++) {
		uint64_t cells = map_cell_count(svg->files->results[i], svg->cell_bytes);

		count = cells > count ? cells : count;
	}
	while (svg->columns > COLUMNS_LEAST && count * 8 <= (uint64_t)svg->columns * svg->columns)
		svg->columns /= 2;
	svg->rows = (unsigned)((count + svg->columns - 1) / svg->columns);
	svg->pixels = across * 6 / svg->columns;
}

static void put_head(struct svg *svg)
{
	static const char *const prefixes[] = {"before: ", "after: ", ""};

	for (size_t i = 0; i < svg->files->count; i++) {
		const struct fcp_inspect_result *result = svg->files->results[i];
		char line[1280], size[SIZE_TEXT_BYTES], disk[SIZE_TEXT_BYTES];

		snprintf(line, sizeof(line), "%s%.400s",
			 prefixes[svg->files->count == 1 ? 2 : i], svg->files->paths[i]);
		put_paragraph(svg, "b", line);
		snprintf(line, sizeof(line), "%s, on disk %s; %s%s",
			 size_text((int64_t)result->logical_bytes, size),
			 size_text((int64_t)result->allocated_bytes, disk),
			 result->release[0] ? "guest: Linux " : result->outcome.reason,
			 result->release);
		put_paragraph(svg, "r", line);
	}
	svg->y += 14;
}

static void put_body(struct svg *svg)
{
	const struct fcp_inspect_result *last = svg->files->results[svg->files->count - 1];
	const char *path = svg->files->paths[svg->files->count - 1];
	char answer[INSPECT_ANSWER_BYTES];

	svg->y = 40;
	put_string(svg, MARGIN, "t", "What the memory file holds");
	svg->y += 26;
	put_head(svg);
	put_maps(svg);
	put_legend(svg);
	put_paragraph(svg, "r", inspect_releasable(last, path, answer));
	put_paragraph(svg, "b", inspect_answer(last, path, answer));
}

void map_svg(FILE *out, const struct map_files *files)
{
	struct svg svg = {.files = files};
	FCP_CLEANUP(free) char *body = NULL;
	size_t bytes = 0;

	/* The height is known when the body is written. */
	svg.out = open_memstream(&body, &bytes);
	if (!svg.out)
		return;
	fit(&svg);
	put_body(&svg);
	if (fclose(svg.out) != 0)
		return;
	fprintf(out,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%u\" viewBox=\"0 0 %d %u\">\n"
		"<title>What the memory file holds</title>\n"
		"<style>text { font: 13px sans-serif; fill: #22262b } .t { font-size: 20px; font-weight: bold }"
		" .b { font-weight: bold } .s { font-size: 11px } .n { text-anchor: end }</style>\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n",
		WIDE, svg.y, WIDE, svg.y);
	fwrite(body, 1, bytes, out);
	fputs("</svg>\n", out);
}
