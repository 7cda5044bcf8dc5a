// SPDX-License-Identifier: Apache-2.0
#include "steps/inspect/sums.h"

#include "base/units.h"

#include <stdlib.h>
#include <string.h>

const char *fcp_same_name(enum fcp_same same)
{
	static const char *const names[FCP_SAMES] = {
		[FCP_SAME_BASE] = "base",
		[FCP_SAME_SHARE] = "share",
	};

	return (unsigned)same < FCP_SAMES ? names[same] : "unknown";
}

bool fcp_inspect_compares(const struct fcp_inspect_result *result, enum fcp_same same)
{
	return same == FCP_SAME_BASE ? result->compared : result->share_count > 0;
}

int fcp_inspect_begin(struct fcp_inspect_result *result, uint32_t cells_max, struct fcp_error *err)
{
	uint64_t bytes = FCP_PAGE_BYTES;

	if (cells_max == 0)
		return 0;
	while ((result->logical_bytes - 1) / bytes >= cells_max)
		bytes *= 2;
	result->cell_bytes = bytes;
	result->cell_count = (size_t)((result->logical_bytes - 1) / bytes + 1);
	result->cells = calloc(result->cell_count, sizeof(*result->cells));
	if (!result->cells)
		return fcp_error_nomem(err);
	for (unsigned same = 0; same < FCP_SAMES; same++) {
		if (!fcp_inspect_compares(result, (enum fcp_same)same))
			continue;
		result->same_cells[same] = calloc(result->cell_count, sizeof(*result->cells));
		if (!result->same_cells[same])
			return fcp_error_nomem(err);
	}
	return 0;
}

static void add_to(struct fcp_class_bytes *bytes, uint64_t change,
		   const struct fcp_inspect_amount *amount)
{
	bytes->bytes += amount->in_memory ? change : 0;
	bytes->allocated_bytes += amount->on_disk ? change : 0;
}

/* A range that is the same in one place as a whole, or in none. */
static void add_stretch(struct fcp_inspect_result *result, struct fcp_range range,
			enum fcp_same same, const struct fcp_inspect_amount *amount)
{
	enum fcp_page_class class = amount->page_class;
	uint64_t bytes = range.end - range.start, change = amount->take_away ? -bytes : bytes;

	add_to(&result->classes[class], change, amount);
	if (same != FCP_SAMES)
		add_to(&result->same[same][class], change, amount);
	while (result->cells && range.start < range.end) {
		uint64_t cell = range.start / result->cell_bytes,
			 stop = (cell + 1) * result->cell_bytes;

		stop = stop < range.end ? stop : range.end;
		change = amount->take_away ? range.start - stop : stop - range.start;
		add_to(&result->cells[cell].classes[class], change, amount);
		if (same != FCP_SAMES)
			add_to(&result->same_cells[same][cell].classes[class], change, amount);
		range.start = stop;
	}
}

static enum fcp_same place_of(unsigned found)
{
	if (found == FCP_FIND_BASE)
		return FCP_SAME_BASE;
	return found == FCP_FOUND_SHARED ? FCP_SAME_SHARE : FCP_SAMES;
}

void fcp_inspect_add(struct fcp_inspect_result *result, const struct fcp_found_ranges *same,
		     struct fcp_range range, const struct fcp_inspect_amount *amount)
{
	for (size_t i = fcp_found_first(same, range.start); range.start < range.end; i++) {
		const struct fcp_found_range *next = i < same->count ? &same->items[i] : NULL;
		struct fcp_range part = range;

		if (next && next->start < range.end) {
			part.end = next->start;
			if (part.start < part.end)
				add_stretch(result, part, FCP_SAMES, amount);
			part.start = part.start > next->start ? part.start : next->start;
			part.end = next->end < range.end ? next->end : range.end;
		}
		add_stretch(result, part,
			    next && part.start >= next->start ? place_of(next->found) : FCP_SAMES,
			    amount);
		range.start = part.end;
	}
}

/* Zero pages become holes when a file is written, and free pages too. */
static void add_shared(struct fcp_inspect_result *result, enum fcp_page_class page_class)
{
	const struct fcp_class_bytes *all = &result->classes[page_class];

	if (page_class == FCP_PAGE_ZERO)
		return;
	result->share_bytes += all->allocated_bytes;
	for (unsigned same = 0; same < FCP_SAMES; same++)
		result->share_bytes -= result->same[same][page_class].allocated_bytes;
}

void fcp_inspect_sum_up(struct fcp_inspect_result *result)
{
	for (unsigned page_class = 0; page_class < FCP_PAGE_CLASSES; page_class++) {
		if (page_class == FCP_PAGE_FREE)
			continue;
		for (unsigned same = 0; same < FCP_SAMES; same++) {
			const struct fcp_class_bytes *bytes = &result->same[same][page_class];

			result->same_all[same].bytes += bytes->bytes;
			result->same_all[same].allocated_bytes += bytes->allocated_bytes;
		}
		if (result->compared)
			result->layer_bytes += result->classes[page_class].bytes -
					       result->same[FCP_SAME_BASE][page_class].bytes;
		if (result->share_count > 0)
			add_shared(result, (enum fcp_page_class)page_class);
	}
}

void fcp_inspect_forget(struct fcp_inspect_result *result)
{
	memset(result->classes, 0, sizeof(result->classes));
	memset(result->same, 0, sizeof(result->same));
	if (result->cells)
		memset(result->cells, 0, result->cell_count * sizeof(*result->cells));
	for (unsigned same = 0; same < FCP_SAMES; same++)
		if (result->same_cells[same])
			memset(result->same_cells[same], 0,
			       result->cell_count * sizeof(*result->cells));
	result->data_bytes = 0;
}

enum fcp_page_class fcp_inspect_largest(const struct fcp_inspect_result *result)
{
	enum fcp_page_class largest = FCP_PAGE_UNKNOWN;

	for (unsigned i = 0; i < FCP_PAGE_CLASSES; i++)
		if (result->classes[i].allocated_bytes > result->classes[largest].allocated_bytes)
			largest = (enum fcp_page_class)i;
	return largest;
}
