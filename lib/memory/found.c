// SPDX-License-Identifier: Apache-2.0
#include "memory/found.h"

#include "base/array.h"
#include "base/units.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	unsigned find;
	const char *name;
} kinds[] = {
	{FCP_FIND_FREE, "free"},
	{FCP_FIND_ZERO, "zero"},
	{FCP_FIND_BASE, "base"},
	{FCP_FIND_CHANGED, "changed"},
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

const char *fcp_find_name(unsigned find)
{
	for (size_t i = 0; i < KINDS; i++)
		if (kinds[i].find == find)
			return kinds[i].name;
	return NULL;
}

unsigned fcp_find_parse(const char *name)
{
	for (size_t i = 0; i < KINDS; i++)
		if (strcmp(kinds[i].name, name) == 0)
			return kinds[i].find;
	return 0;
}

int fcp_found_add(struct fcp_found_ranges *ranges, uint64_t start, uint64_t end, unsigned found,
		  struct fcp_error *err)
{
	struct fcp_found_range *last = ranges->count > 0 ? &ranges->items[ranges->count - 1] : NULL;
	struct fcp_found_range *items;

	if (start >= end)
		return 0;
	if (last && last->end == start && last->found == found) {
		last->end = end;
		return 0;
	}
	items = fcp_array_grow(ranges->items, ranges->count, &ranges->capacity, sizeof(*items),
			       err);
	if (!items)
		return -1;
	ranges->items = items;
	ranges->items[ranges->count++] = (struct fcp_found_range){start, end, found};
	return 0;
}

int fcp_found_append(struct fcp_found_ranges *ranges, const struct fcp_found_ranges *added,
		     struct fcp_error *err)
{
	for (size_t i = 0; i < added->count; i++)
		if (fcp_found_add(ranges, added->items[i].start, added->items[i].end,
				  added->items[i].found, err) != 0)
			return -1;
	return 0;
}

int fcp_found_add_all(struct fcp_found_ranges *ranges, const struct fcp_ranges *added,
		      unsigned found, struct fcp_error *err)
{
	for (size_t i = 0; i < added->count; i++)
		if (fcp_found_add(ranges, added->items[i].start, added->items[i].end, found, err) !=
		    0)
			return -1;
	return 0;
}

static int compare_starts(const void *a, const void *b)
{
	const struct fcp_found_range *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

void fcp_found_sort(struct fcp_found_ranges *ranges)
{
	size_t kept = 0;

	if (ranges->count < 2)
		return;
	qsort(ranges->items, ranges->count, sizeof(*ranges->items), compare_starts);
	for (size_t i = 1; i < ranges->count; i++) {
		struct fcp_found_range *last = &ranges->items[kept];

		if (last->end == ranges->items[i].start && last->found == ranges->items[i].found)
			last->end = ranges->items[i].end;
		else
			ranges->items[++kept] = ranges->items[i];
	}
	ranges->count = kept + 1;
}

size_t fcp_found_first(const struct fcp_found_ranges *ranges, uint64_t offset)
{
	size_t low = 0, high = ranges->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ranges->items[middle].end <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint64_t fcp_found_bytes(const struct fcp_found_ranges *ranges, unsigned found)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < ranges->count; i++)
		if (ranges->items[i].found == found)
			bytes += ranges->items[i].end - ranges->items[i].start;
	return bytes;
}

int fcp_found_select(const struct fcp_found_ranges *ranges, unsigned found,
		     struct fcp_ranges *ranges_, struct fcp_error *err)
{
	for (size_t i = 0; i < ranges->count; i++)
		if (ranges->items[i].found == found &&
		    fcp_ranges_add(ranges_, ranges->items[i].start, ranges->items[i].end, err) != 0)
			return -1;
	return 0;
}

/* ---- coarsening ---- */

/* The blocks that start .. end touches, except those that are CHANGED already. */
static int add_changed(const struct fcp_found_grain *grain, uint64_t start, uint64_t end,
		       struct fcp_found_ranges *coarse, struct fcp_error *err)
{
	uint64_t behind = coarse->count > 0 ? coarse->items[coarse->count - 1].end : 0;

	if (!grain->rest_is_changed || start == end)
		return 0;
	start = fcp_align_down(start, grain->align_bytes);
	end = fcp_align_up(end, grain->align_bytes);
	if (start < behind)
		start = behind;
	if (end > grain->size_bytes)
		end = grain->size_bytes;
	return fcp_found_add(coarse, start, end, FCP_FIND_CHANGED, err);
}

static int add_coarse(const struct fcp_found_grain *grain, const struct fcp_found_range *range,
		      struct fcp_found_ranges *coarse, struct fcp_error *err)
{
	uint64_t start = fcp_align_up(range->start, grain->align_bytes);
	uint64_t end = fcp_align_down(range->end, grain->align_bytes);

	if (range->found == FCP_FIND_CHANGED || start >= end || end - start < grain->min_run_bytes)
		return add_changed(grain, range->start, range->end, coarse, err);
	if (add_changed(grain, range->start, start, coarse, err) != 0 ||
	    fcp_found_add(coarse, start, end, range->found, err) != 0)
		return -1;
	return add_changed(grain, end, range->end, coarse, err);
}

int fcp_found_coarsen(const struct fcp_found_ranges *ranges, const struct fcp_found_grain *grain,
		      struct fcp_found_ranges *coarse_, struct fcp_error *err)
{
	for (size_t i = 0; i < ranges->count; i++)
		if (add_coarse(grain, &ranges->items[i], coarse_, err) != 0)
			return -1;
	return 0;
}

void fcp_found_clear(struct fcp_found_ranges *ranges)
{
	free(ranges->items);
	*ranges = (struct fcp_found_ranges){0};
}
