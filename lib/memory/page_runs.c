// SPDX-License-Identifier: Apache-2.0
#include "memory/writer.h"

#include <stdlib.h>

int fcp_page_runs_add(struct fcp_page_runs *runs, struct fcp_page_run run, struct fcp_error *err)
{
	struct fcp_page_run *last = runs->count > 0 ? &runs->items[runs->count - 1] : NULL;

	if (run.start >= run.end)
		return 0;
	runs->bytes += run.end - run.start;
	if (last && last->end == run.start && last->address + (last->end - last->start) == run.address) {
		last->end = run.end;
		return 0;
	}
	if (runs->count == runs->capacity) {
		size_t capacity = runs->capacity ? runs->capacity * 2 : 256;
		struct fcp_page_run *items = reallocarray(runs->items, capacity, sizeof(*items));

		if (!items)
			return fcp_error_nomem(err);
		runs->items = items;
		runs->capacity = capacity;
	}
	runs->items[runs->count++] = run;
	return 0;
}

void fcp_page_runs_clear(struct fcp_page_runs *runs)
{
	free(runs->items);
	*runs = (struct fcp_page_runs){0};
}
