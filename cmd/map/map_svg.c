// SPDX-License-Identifier: Apache-2.0
#include "cmd/map/map_svg.h"

#include "base/cleanup.h"
#include "cmd/map/svg.h"
#include "cmd/output/inspect_text.h"
#include "cmd/output/size_text.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROWS_MOST 64
#define COLUMNS_LEAST 16

/* Cells are squares: the fewer there are, the larger. */
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

/* What was or can be saved: free pages and zeros on disk. */
static void put_headline(struct svg *svg)
{
	const struct fcp_inspect_result *first = svg->files->results[0];
	bool two = svg->files->count > 1;
	uint64_t idle = first->classes[FCP_PAGE_FREE]->all.allocated_bytes +
			first->classes[FCP_PAGE_ZERO]->all.allocated_bytes;
	uint64_t from = first->data_bytes;
	uint64_t to = two ? svg->files->results[1]->data_bytes : from - idle;
	double change = from ? 100.0 * ((double)to - (double)from) / (double)from : 0;
	char line[256], before[SIZE_TEXT_BYTES], after[SIZE_TEXT_BYTES];

	size_text((int64_t)from, before);
	size_text((int64_t)to, after);
	if (two)
		snprintf(line, sizeof(line), "On disk %s before, %s after: %+.0f %%", before, after,
			 change);
	else if (idle > 0)
		snprintf(line, sizeof(line),
			 "On disk %s; %s without free pages and zeros: %+.0f %%", before, after,
			 change);
	else
		snprintf(line, sizeof(line), "On disk %s: none of it free pages or zeros", before);
	svg_text(svg, SVG_MARGIN, "h", line);
	svg->y += 26;
}

static void put_head(struct svg *svg)
{
	static const char *const prefixes[] = {"before: ", "after: ", ""};

	for (size_t i = 0; i < svg->files->count; i++) {
		const struct fcp_inspect_result *result = svg->files->results[i];
		FCP_CLEANUP(free) char *path = NULL;
		char line[1280], size[SIZE_TEXT_BYTES], disk[SIZE_TEXT_BYTES];

		if (asprintf(&path, "%s%s", prefixes[svg->files->count == 1 ? 2 : i > 0],
			     svg->files->paths[i]) < 0)
			path = NULL;
		svg_paragraph(svg, "b", path ? path : "(no memory)");
		snprintf(line, sizeof(line), "%s, on disk %s; %s%s",
			 size_text((int64_t)result->logical_bytes, size),
			 size_text((int64_t)result->allocated_bytes, disk),
			 result->release[0] ? "guest: Linux " : result->outcome.reason,
			 result->release);
		svg_paragraph(svg, "r", line);
	}
	svg->y += 14;
}

/* Names the program and the date. */
static void put_foot(struct svg *svg)
{
	char line[96], date[16];
	time_t now = time(NULL);
	struct tm parts;

	strftime(date, sizeof(date), "%Y-%m-%d", gmtime_r(&now, &parts));
	snprintf(line, sizeof(line), "fcpause %s, %s", fcp_version(), date);
	svg->y += 6;
	svg_paragraph(svg, "s", line);
}

static void put_body(struct svg *svg)
{
	const struct fcp_inspect_result *last = svg->files->results[svg->files->count - 1];
	const char *path = svg->files->paths[svg->files->count - 1];
	char answer[INSPECT_ANSWER_BYTES];

	svg->y = 40;
	svg_text(svg, SVG_MARGIN, "t", "What the memory file holds");
	svg->y += 28;
	put_headline(svg);
	put_head(svg);
	svg_maps(svg);
	svg_legend(svg);
	svg_paragraph(svg, "r", inspect_releasable(last, path, answer));
	svg_paragraph(svg, "b", inspect_answer(last, path, answer));
	put_foot(svg);
}

void map_svg(FILE *out, const struct map_files *files)
{
	struct svg svg = {.files = files};
	FCP_CLEANUP(free) char *body = NULL;
	size_t bytes = 0;

	/* The height is known only after the body has been written. */
	svg.out = open_memstream(&body, &bytes);
	if (!svg.out)
		return;
	fit(&svg);
	put_body(&svg);
	if (fclose(svg.out) != 0)
		return;
	fprintf(out,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%u\" "
		"viewBox=\"0 0 %d %u\">\n"
		"<title>What the memory file holds</title>\n",
		SVG_WIDE, svg.y, SVG_WIDE, svg.y);
	svg_style(out);
	fputs("<rect width=\"100%\" height=\"100%\" class=\"paper\"/>\n", out);
	fwrite(body, 1, bytes, out);
	fputs("</svg>\n", out);
}
