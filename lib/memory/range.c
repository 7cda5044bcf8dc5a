// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

#include <stdlib.h>

int fcp_ranges_add(struct fcp_ranges *ranges, uint64_t start, uint64_t end, struct fcp_error *err)
{
	if (start >= end)
		return 0;
	if (ranges->count > 0 && ranges->items[ranges->count - 1].end == start) {
		ranges->items[ranges->count - 1].end = end;
		return 0;
	}
	if (ranges->count == ranges->capacity) {
		size_t capacity = ranges->capacity ? ranges->capacity * 2 : 64;
		struct fcp_range *items = reallocarray(ranges->items, capacity, sizeof(*items));

		if (!items)
			return fcp_error_nomem(err);
		ranges->items = items;
		ranges->capacity = capacity;
	}
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
