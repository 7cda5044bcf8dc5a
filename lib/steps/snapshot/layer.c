// SPDX-License-Identifier: Apache-2.0
/* A memory file with only what differs from its base. */
#include "steps/snapshot/memory_parts.h"

#include "base/deadline.h"
#include "base/units.h"
#include "memory/attributes.h"
#include "memory/overlay.h"
#include "memory/pages.h"
#include "memory/sparse.h"
#include "memory/zero.h"
#include "steps/snapshot/run.h"

bool fcp_snapshot_is_layer(const struct fcp_snapshot_memory *memory)
{
	return memory->settings.snapshot->layer;
}

/* A layer refers to its base by id: a base without one gets one. */
int fcp_snapshot_layer_begin(struct fcp_snapshot_memory *memory, struct fcp_error *err)
{
	const struct fcp_snapshot_file *file = &memory->settings.files->memory;

	fcp_attributes_give_id(memory->base.fd);
	return fcp_overlay_try(file->fd, file->host, memory->bytes, err);
}

void fcp_snapshot_layer_warn(struct fcp_snapshot_result *result)
{
	if (!result->memory->base_id[0])
		fcp_snapshot_warn(result, "the base has no id, and none can be recorded with it: "
					  "that the layer belongs to it is not recorded");
}

/* A range of pages that are now zeros: they are data where the base is not zero. */
static int write_dropped(const struct fcp_snapshot_memory *memory, struct fcp_range dropped,
			 struct fcp_memory_report *report, struct fcp_error *err)
{
	static const unsigned char zeros[FCP_PAGE_BYTES];
	const struct fcp_snapshot_file *file = &memory->settings.files->memory;
	struct fcp_range data = {dropped.start, dropped.start};
	unsigned char page[FCP_PAGE_BYTES];
	int more;

	if (fcp_cancelled(memory->settings.snapshot->cancel_fd))
		return fcp_error_set(err, FCP_ERR_INTERRUPTED, 0, "interrupted");
	while ((more = fcp_sparse_next_pages(memory->base.fd, "base", data.end, dropped.end, &data,
					     err)) > 0) {
		for (uint64_t at = data.start; at < data.end; at += FCP_PAGE_BYTES) {
			struct fcp_range range = {at, at + FCP_PAGE_BYTES};

			if (fcp_pages_read(memory->base.fd, "base", range, page, err) != 0)
				return -1;
			if (fcp_page_is_zero(page))
				continue;
			if (fcp_pages_write(file->fd, file->host, range, zeros, err) != 0)
				return -1;
			report->dropped_bytes += FCP_PAGE_BYTES;
		}
	}
	return more;
}

int fcp_snapshot_layer_write_dropped(const struct fcp_snapshot_memory *memory,
				     struct fcp_memory_report *report, struct fcp_error *err)
{
	report->dropped_bytes = 0;
	for (size_t i = 0; i < memory->plan.zero.count; i++)
		if (write_dropped(memory, memory->plan.zero.items[i], report, err) != 0)
			return -1;
	return 0;
}
