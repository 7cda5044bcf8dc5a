// SPDX-License-Identifier: Apache-2.0
#include "cmd/map/svg.h"
#include "cmd/output/inspect_text.h"
#include "cmd/output/size_text.h"

#include <inttypes.h>

static void put_cells(struct svg *svg, const char *style, const char *const texts[4])
{
	static const unsigned right[] = {SVG_MARGIN + 22, SVG_MARGIN + 310, SVG_MARGIN + 500,
					 SVG_MARGIN + 690};

	svg_text(svg, right[0], style, texts[0]);
	for (size_t i = 1; i < 4; i++) {
		char number[16];

		snprintf(number, sizeof(number), "n %s", style);
		svg_text(svg, right[i], number, texts[i]);
	}
	svg->y += SVG_LINE;
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

/* A row with its look in the map; no row if neither file has any of it. */
static void put_look(struct svg *svg, unsigned number, const struct fcp_class_bytes amounts[2])
{
	if (amounts[0].bytes == 0 && amounts[1].bytes == 0)
		return;
	svg_swatch(svg, number);
	put_row(svg, map_looks[number].name, amounts, svg->files->results[0]->data_bytes);
}

static void put_stored(struct svg *svg, const char *what, uint64_t bytes)
{
	char line[256], size[SIZE_TEXT_BYTES];

	snprintf(line, sizeof(line), "%s would store %s (%" PRIu64 " bytes)", what,
		 size_text((int64_t)bytes, size), bytes);
	svg_text(svg, SVG_MARGIN + 22, "r", line);
	svg->y += SVG_LINE;
}

/* How much of the rows above is in other files too. */
static void put_same(struct svg *svg, const struct fcp_inspect_result *before,
		     const struct fcp_inspect_result *after)
{
	const struct fcp_inspect_result *layer = after->compared ? after : before;
	const struct fcp_inspect_result *shared = after->share_count > 0 ? after : before;

	/* No rows for comparisons that were not made. */
	put_look(svg, MAP_IN_BASE,
		 (const struct fcp_class_bytes[]){before->in_base, after->in_base});
	put_look(svg, MAP_IN_SHARES,
		 (const struct fcp_class_bytes[]){before->in_shares, after->in_shares});
	if (layer->compared)
		put_stored(svg, "a layer", layer->layer_bytes);
	if (shared->share_count > 0)
		put_stored(svg, "a file that shares its storage", shared->share_bytes);
}

void svg_legend(struct svg *svg)
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
		put_look(svg, i,
			 (const struct fcp_class_bytes[]){before->classes[i]->all,
							  after->classes[i]->all});
	put_row(svg, "all", all, before->data_bytes);
	put_same(svg, before, after);
	svg_swatch(svg, MAP_LOOKS);
	snprintf(line, sizeof(line),
		 "hole: not on disk. A box is %s of the file, in the colour of what "
		 "most of it on disk is; paler where less than half of it is on disk.",
		 round_size_text(svg->cell_bytes, cell));
	svg_text(svg, SVG_MARGIN + 22, "s", line);
	svg->y += SVG_LINE + 10;
}
