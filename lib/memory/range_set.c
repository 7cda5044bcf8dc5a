// SPDX-License-Identifier: Apache-2.0
#include "memory/range.h"

#include "base/units.h"

int fcp_ranges_union(const struct fcp_ranges *a, const struct fcp_ranges *b,
		     struct fcp_ranges *ranges_, struct fcp_error *err)
{
	struct fcp_range open = {0, 0};
	size_t i = 0, j = 0;

	while (i < a->count || j < b->count) {
		bool take_a =
			j == b->count || (i < a->count && a->items[i].start <= b->items[j].start);
		struct fcp_range next = take_a ? a->items[i++] : b->items[j++];

		if (next.start > open.end) {
			if (fcp_ranges_add(ranges_, open.start, open.end, err) < 0)
				return -1;
			open = next;
		} else if (next.end > open.end) {
			open.end = next.end;
		}
	}
	return fcp_ranges_add(ranges_, open.start, open.end, err);
}

void fcp_ranges_align(struct fcp_ranges *ranges, uint64_t unit_bytes)
{
	size_t kept = 0;

	for (size_t i = 0; i < ranges->count; i++) {
		uint64_t end = fcp_align_down(ranges->items[i].end, unit_bytes);
		uint64_t start = fcp_align_up(ranges->items[i].start, unit_bytes);

		if (start < end)
			ranges->items[kept++] = (struct fcp_range){start, end};
	}
	ranges->count = kept;
}

int fcp_ranges_subtract(const struct fcp_ranges *a, const struct fcp_ranges *b,
			struct fcp_ranges *ranges_, struct fcp_error *err)
{
	size_t j = 0;

	for (size_t i = 0; i < a->count; i++) {
		struct fcp_range left = a->items[i];

		while (j < b->count && b->items[j].end <= left.start)
			j++;
		for (size_t k = j; k < b->count && b->items[k].start < left.end; k++) {
			const struct fcp_range *out = &b->items[k];

			if (out->start > left.start &&
			    fcp_ranges_add(ranges_, left.start, out->start, err) < 0)
				return -1;
			left.start = out->end < left.end ? out->end : left.end;
		}
		if (fcp_ranges_add(ranges_, left.start, left.end, err) < 0)
			return -1;
	}
	return 0;
}

int fcp_ranges_complement(const struct fcp_ranges *ranges, uint64_t bytes, struct fcp_ranges *rest_,
			  struct fcp_error *err)
{
	struct fcp_range whole = {0, bytes};
	const struct fcp_ranges all = {&whole, bytes > 0, bytes > 0};

	return fcp_ranges_subtract(&all, ranges, rest_, err);
}

void fcp_ranges_drop_short(struct fcp_ranges *ranges, uint64_t min_bytes)
{
	size_t kept = 0;

	for (size_t i = 0; i < ranges->count; i++)
		if (ranges->items[i].end - ranges->items[i].start >= min_bytes)
			ranges->items[kept++] = ranges->items[i];
	ranges->count = kept;
}

int fcp_ranges_check(const struct fcp_ranges *ranges, uint64_t unit_bytes, uint64_t limit_bytes,
		     struct fcp_error *err)
{
	uint64_t behind = 0;

	for (size_t i = 0; i < ranges->count; i++) {
		const struct fcp_range *range = &ranges->items[i];
		const char *what = NULL;

		if (range->start >= range->end)
			what = "is empty";
		else if (range->start % unit_bytes || range->end % unit_bytes)
			what = "is not in whole pages";
		else if (range->start < behind)
			what = "is out of order or overlaps the one before";
		else if (range->end > limit_bytes)
			what = "goes past the end of the file";
		if (what)
			return fcp_error_set(err, FCP_ERR_USAGE, 0, "range 0x%llx to 0x%llx %s",
					     (unsigned long long)range->start,
					     (unsigned long long)range->end, what);
		behind = range->end;
	}
	return 0;
}
