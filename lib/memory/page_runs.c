// SPDX-License-Identifier: Apache-2.0
#include "memory/writer.h"

#include "base/array.h"

#include <stdlib.h>

int fcp_page_runs_add(struct fcp_page_runs *runs, struct fcp_page_run run, struct fcp_error *err)
{
	struct fcp_page_run *last = runs->count > 0 ? &runs->items[runs->count - 1] : NULL;
	struct fcp_page_run *items;

	if (run.start >= run.end)
		return 0;
	runs->bytes += run.end - run.start;
	if (last && last->end == run.start &&
	    last->address + (last->end - last->start) == run.address) {
		last->end = run.end;
		return 0;
	}
	items = fcp_array_grow(runs->items, runs->count, &runs->capacity, sizeof(*items), err);
	if (!items)
		return -1;
	runs->items = items;
	runs->items[runs->count++] = run;
	return 0;
}

void fcp_page_runs_clear(struct fcp_page_runs *runs)
{
	free(runs->items);
	*runs = (struct fcp_page_runs){0};
}
