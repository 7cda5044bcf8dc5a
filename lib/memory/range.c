// SPDX-License-Identifier: Apache-2.0
#include "base/array.h"

int fcp_ranges_add(struct fcp_ranges *ranges, uint64_t start, uint64_t end, struct fcp_error *err)
{
	struct fcp_range *items;

	if (start >= end)
		return 0;
	if (ranges->count > 0 && ranges->items[ranges->count - 1].end == start) {
		ranges->items[ranges->count - 1].end = end;
		return 0;
	}
	items = fcp_array_grow(ranges->items, ranges->count, &ranges->capacity, sizeof(*items),
			       err);
	if (!items)
		return -1;
	ranges->items = items;
	ranges->items[ranges->count++] = (struct fcp_range){start, end};
	return 0;
}

uint64_t fcp_ranges_bytes(const struct fcp_ranges *ranges)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < ranges->count; i++)
		bytes += ranges->items[i].end - ranges->items[i].start;
	return bytes;
}

void fcp_ranges_clear(struct fcp_ranges *ranges)
{
	if (!ranges)
		return;
	free(ranges->items);
	*ranges = (struct fcp_ranges){0};
}
