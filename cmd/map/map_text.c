// SPDX-License-Identifier: Apache-2.0
#include "cmd/map/map_text.h"

#include "cmd/map/map.h"
#include "cmd/output/size_text.h"

#include <ctype.h>
#include <string.h>

#define ROWS_MOST 16
#define LABEL_COLUMNS 11 /* "  1023 MiB " */
#define GAP_COLUMNS 2
/* Maps side by side that are narrower than this are drawn one below the other. */
#define NARROW_COLUMNS 16

struct map {
	FILE *out;
	const struct terminal *terminal;
	uint64_t cell_bytes;
	unsigned columns;		     /* of one file */
	bool shown[MAP_LOOKS], parts, holes; /* for the legend */
};

/* ---- a cell ---- */

/* Half colour, half grey: paler on both dark and light terminals. */
static unsigned pale(uint8_t part, bool of_part)
{
	return of_part ? (part + 0x80u) / 2 : part;
}

static void begin_color(const struct map *map, struct map_cell cell)
{
	const struct map_look *look = &map_looks[cell.look];
	bool part = cell.level == MAP_PART;

	if (map->terminal->colors == COLORS_NONE)
		return;
	if (cell.level == MAP_HOLE)
		fputs("\x1b[90m", map->out);
	else if (map->terminal->colors == COLORS_RGB)
		fprintf(map->out, "\x1b[38;2;%u;%u;%um", pale(look->red, part),
			pale(look->green, part), pale(look->blue, part));
	else if (map->terminal->colors == COLORS_256)
		fprintf(map->out, "\x1b[38;5;%um", look->of_256);
	else
		fprintf(map->out, "\x1b[%um", look->of_16);
}

static void end_color(const struct map *map)
{
	if (map->terminal->colors != COLORS_NONE)
		fputs("\x1b[0m", map->out);
}

static void put_sign(const struct map *map, struct map_cell cell)
{
	const struct map_look *look = &map_looks[cell.look];
	bool part = cell.level == MAP_PART;

	if (cell.level == MAP_HOLE)
		fputs(map->terminal->utf8 ? "\u00b7" : ".", map->out);
	else if (!map->terminal->utf8)
		fputc(part ? tolower((unsigned char)look->letter) : look->letter, map->out);
	else if (map->terminal->colors == COLORS_NONE)
		fputs(look->block, map->out);
	else
		fputs(part ? "\u2592" : "\u2588", map->out);
}

static bool same(struct map_cell a, struct map_cell b)
{
	return a.level == b.level && (a.level == MAP_HOLE || a.look == b.look);
}

/* ---- rows ---- */

static void note(struct map *map, struct map_cell cell)
{
	map->holes |= cell.level == MAP_HOLE;
	map->parts |= cell.level == MAP_PART;
	if (cell.level != MAP_HOLE)
		map->shown[cell.look] = true;
}

/* If another map follows, pads the row with spaces beyond the end of the file. */
static void put_row(struct map *map, const struct fcp_inspect_result *result, uint64_t row,
		    bool pad)
{
	uint64_t count = map_cell_count(result, map->cell_bytes), first = row * map->columns;
	struct map_cell last = {MAP_HOLE, MAP_LOOKS};
	unsigned i;

	for (i = 0; i < map->columns && first + i < count; i++) {
		struct map_cell cell = map_cell(result, map->cell_bytes, first + i);

		note(map, cell);
		if (i == 0 || !same(cell, last))
			begin_color(map, cell);
		put_sign(map, cell);
		last = cell;
	}
	if (i > 0)
		end_color(map);
	for (; pad && i < map->columns; i++)
		fputc(' ', map->out);
}

static void put_rows(struct map *map, const struct map_files *files)
{
	char label[SIZE_TEXT_BYTES];
	uint64_t rows = 0;

	for (size_t i = 0; i < files->count; i++) {
		uint64_t count = map_cell_count(files->results[i], map->cell_bytes);
		uint64_t needed = (count + map->columns - 1) / map->columns;

		rows = needed > rows ? needed : rows;
	}
	for (uint64_t row = 0; row < rows; row++) {
		uint64_t offset = row * map->columns * map->cell_bytes;

		fprintf(map->out, "%*s ", LABEL_COLUMNS - 1, round_size_text(offset, label));
		for (size_t i = 0; i < files->count; i++) {
			bool more = i + 1 < files->count;

			put_row(map, files->results[i], row, more);
			if (more)
				fprintf(map->out, "%*s", GAP_COLUMNS, "");
		}
		fputc('\n', map->out);
	}
}

/* ---- the legend ---- */

/* An entry of the legend; starts a new line if the current one is full. */
static void put_entry(struct map *map, struct map_cell cell, const char *name, unsigned *column)
{
	unsigned wide = (unsigned)strlen(name) + 2;

	if (*column > LABEL_COLUMNS && *column + 2 + wide > map->terminal->columns) {
		fputc('\n', map->out);
		*column = 0;
	}
	if (*column == 0)
		*column = (unsigned)fprintf(map->out, "%*s", LABEL_COLUMNS, "");
	else
		*column += (unsigned)fprintf(map->out, "  ");
	begin_color(map, cell);
	put_sign(map, cell);
	end_color(map);
	fprintf(map->out, " %s", name);
	*column += wide;
}

static void put_legend(struct map *map)
{
	bool shades = map->terminal->colors != COLORS_NONE || !map->terminal->utf8;
	unsigned column = 0;

	for (unsigned i = 0; i < MAP_LOOKS; i++)
		if (map->shown[i])
			put_entry(map, (struct map_cell){MAP_MOST, i}, map_looks[i].name, &column);
	if (map->parts && shades)
		put_entry(map, (struct map_cell){MAP_PART, FCP_PAGE_UNKNOWN},
			  "less than half on disk", &column);
	if (map->holes)
		put_entry(map, (struct map_cell){MAP_HOLE, FCP_PAGE_UNKNOWN}, "hole", &column);
	fputc('\n', map->out);
}

/* ---- the map ---- */

static void put_heading(const struct map *map, size_t count)
{
	char cell[SIZE_TEXT_BYTES], row[SIZE_TEXT_BYTES];

	fprintf(map->out, "%*sa cell is %s, a row %s\n", LABEL_COLUMNS, "",
		round_size_text(map->cell_bytes, cell),
		round_size_text(map->cell_bytes * map->columns, row));
	if (count == 2)
		fprintf(map->out, "%*s%-*s%s\n", LABEL_COLUMNS, "", (int)map->columns + GAP_COLUMNS,
			"before", "after");
}

/* A multiple of eight columns, so that row offsets are round numbers. */
static unsigned columns_for(const struct terminal *terminal, size_t count)
{
	unsigned room = terminal->columns - LABEL_COLUMNS - GAP_COLUMNS * (unsigned)(count - 1);
	unsigned columns = room / (unsigned)count / 8 * 8;

	return columns < 8 ? 8 : columns;
}

static void fit(struct map *map, const struct map_files *files, size_t abreast)
{
	map->columns = columns_for(map->terminal, abreast);
	for (size_t i = 0; i < files->count; i++) {
		uint64_t bytes = map_cell_bytes(files->results[i], ROWS_MOST * map->columns);

		map->cell_bytes = bytes > map->cell_bytes ? bytes : map->cell_bytes;
	}
}

void map_text(FILE *out, const struct map_files *files, const struct terminal *terminal)
{
	struct map map = {.out = out, .terminal = terminal};
	bool abreast = files->count == 1 || columns_for(terminal, 2) >= NARROW_COLUMNS;

	fit(&map, files, abreast ? files->count : 1);
	put_heading(&map, abreast ? files->count : 1);
	if (abreast) {
		put_rows(&map, files);
	} else {
		for (size_t i = 0; i < files->count; i++) {
			const struct map_files one = {{files->results[i]}, {files->paths[i]}, 1};

			fprintf(out, "%*s%s\n", LABEL_COLUMNS, "", i ? "after" : "before");
			put_rows(&map, &one);
		}
	}
	put_legend(&map);
}
