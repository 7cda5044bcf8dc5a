// SPDX-License-Identifier: Apache-2.0
#include "steps/inspect_sums.h"

#include "base/units.h"

#include <stdlib.h>
#include <string.h>

const char *fcp_page_class_name(enum fcp_page_class page_class)
{
	static const char *const names[FCP_PAGE_CLASSES] = {
		[FCP_PAGE_FREE] = "free",
		[FCP_PAGE_ZERO] = "zero",
		[FCP_PAGE_CACHE] = "page_cache",
		[FCP_PAGE_SHMEM] = "shmem",
		[FCP_PAGE_ANONYMOUS] = "anonymous",
		[FCP_PAGE_SLAB] = "slab",
		[FCP_PAGE_TABLES] = "page_tables",
		[FCP_PAGE_KERNEL_IMAGE] = "kernel_image",
		[FCP_PAGE_RESERVED] = "reserved",
		[FCP_PAGE_UNKNOWN] = "unknown",
	};

	return names[(unsigned)page_class < FCP_PAGE_CLASSES ? page_class : FCP_PAGE_UNKNOWN];
}

int fcp_inspect_begin(struct fcp_inspect_result *result, uint32_t cells_max,
		      struct fcp_error *err)
{
	uint64_t bytes = FCP_PAGE_BYTES;

	if (cells_max == 0)
		return 0;
	while ((result->logical_bytes - 1) / bytes >= cells_max)
		bytes *= 2;
	result->cell_bytes = bytes;
	result->cell_count = (size_t)((result->logical_bytes - 1) / bytes + 1);
	result->cells = calloc(result->cell_count, sizeof(*result->cells));
	return result->cells ? 0 : fcp_error_nomem(err);
}

static void add_to(struct fcp_class_bytes *classes, uint64_t bytes, const struct fcp_inspect_amount *amount)
{
	uint64_t change = amount->take_away ? -bytes : bytes;

	classes[amount->page_class].bytes += amount->in_memory ? change : 0;
	classes[amount->page_class].allocated_bytes += amount->on_disk ? change : 0;
}

void fcp_inspect_add(struct fcp_inspect_result *result, uint64_t start, uint64_t end,
		     const struct fcp_inspect_amount *amount)
{
	add_to(result->classes, end - start, amount);
	while (result->cells && start < end) {
		uint64_t cell = start / result->cell_bytes;
		uint64_t stop = (cell + 1) * result->cell_bytes;

		stop = stop < end ? stop : end;
		add_to(result->cells[cell].classes, stop - start, amount);
		start = stop;
	}
}

void fcp_inspect_forget(struct fcp_inspect_result *result)
{
	memset(result->classes, 0, sizeof(result->classes));
	if (result->cells)
		memset(result->cells, 0, result->cell_count * sizeof(*result->cells));
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
