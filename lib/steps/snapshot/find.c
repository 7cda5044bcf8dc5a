// SPDX-License-Identifier: Apache-2.0
/* Decides which pages of the guest to write. */
#include "base/observer.h"
#include "steps/snapshot/memory_parts.h"

#include "base/units.h"
#include "memory/range.h"
#include "memory/sparse.h"
#include "steps/free_ranges.h"

/* holes: how the pages that are left out will read. */
static int scan_guest(struct fcp_snapshot_memory *memory, enum fcp_holes holes,
		      struct fcp_snapshot_result *result, struct fcp_error *err)
{
	const struct fcp_snapshot_settings *settings = memory->settings.snapshot;
	const struct fcp_free_look look = {settings->cancel_fd, settings->confine};
	struct fcp_guest_memory guest;
	int found;

	if (fcp_guest_memory_open_process(&memory->ram, memory->base.fd, &guest, err) != 0)
		return -1;
	if (holes == FCP_HOLES_BASE)
		guest.holes = holes;
	found = fcp_free_ranges_of(&guest, &look, &memory->found, &result->guest, err);
	fcp_guest_memory_close(&guest);
	return found;
}

/* Keeps those of the free ranges that are zeros in the base. */
static int keep_holes_of_base(struct fcp_snapshot_memory *memory, struct fcp_error *err)
{
	struct fcp_ranges *found = &memory->found.ranges, kept = {0};
	int more = 0;

	for (size_t i = 0; more >= 0 && i < found->count; i++) {
		uint64_t at = found->items[i].start, end = found->items[i].end;
		struct fcp_range data;

		while ((more = fcp_sparse_next_pages(memory->base.fd, "base", at, end, &data,
						     err)) > 0) {
			if (fcp_ranges_add(&kept, at, data.start, err) != 0)
				more = -1;
			if (more < 0)
				break;
			at = data.end;
		}
		if (more == 0 && at < end && fcp_ranges_add(&kept, at, end, err) != 0)
			more = -1;
	}
	fcp_ranges_clear(found);
	*found = kept;
	return more;
}

/*
 * Pages left out of a layer read as the base's. If the guest may rely on its free pages being zero,
 * only those are left out that are zeros in the base too.
 */
static int scan_for_layer(struct fcp_snapshot_memory *memory, struct fcp_snapshot_result *result,
			  struct fcp_error *err)
{
	struct fcp_error why;
	uint64_t all_bytes;

	if (scan_guest(memory, FCP_HOLES_BASE, result, err) == 0)
		return 0;
	if (err->error_class != FCP_ERR_UNSUPPORTED)
		return -1;
	why = *err;
	fcp_guest_free_clear(&memory->found);
	if (scan_guest(memory, FCP_HOLES_ZERO, result, err) != 0)
		return -1;
	all_bytes = fcp_ranges_bytes(&memory->found.ranges);
	if (keep_holes_of_base(memory, err) != 0)
		return -1;
	if (fcp_ranges_bytes(&memory->found.ranges) < all_bytes)
		snprintf(result->memory->free_reason, sizeof(result->memory->free_reason),
			 "those that the base has data of: %.200s", why.message);
	return 0;
}

static int scan_zeros(struct fcp_snapshot_memory *memory, struct fcp_snapshot_result *result,
		      struct fcp_error *err)
{
	if (fcp_snapshot_is_layer(memory))
		return scan_for_layer(memory, result, err);
	return scan_guest(memory, FCP_HOLES_ZERO, result, err);
}

/* If a gate refuses, no page counts as free, and all are written. */
int fcp_snapshot_find_free(struct fcp_snapshot_memory *memory, struct fcp_snapshot_result *result,
			   struct fcp_error *err)
{
	const struct fcp_snapshot_memory_settings *s = &memory->settings;
	struct fcp_memory_report *report = result->memory;
	struct fcp_error why;

	if ((s->snapshot->leave_out & FCP_FIND_FREE) == 0 && memory->ram.unambiguous)
		return 0;
	if (scan_zeros(memory, result, &why) != 0) {
		if (why.error_class == FCP_ERR_INTERRUPTED || why.error_class == FCP_ERR_MEMORY) {
			*err = why;
			return -1;
		}
		snprintf(report->free_reason, sizeof(report->free_reason), "%.255s", why.message);
	}
	if (fcp_guest_ram_check_regions(&memory->ram, memory->found.regions,
					memory->found.region_count, err) != 0)
		return -1;
	if ((s->snapshot->leave_out & FCP_FIND_FREE) == 0)
		fcp_ranges_clear(&memory->found.ranges);
	report->free_bytes = fcp_ranges_bytes(&memory->found.ranges);
	fcp_log_debug(s->snapshot->observer, "snapshot", "free pages: %llu bytes%s%s",
		      (unsigned long long)report->free_bytes, report->free_reason[0] ? "; " : "",
		      report->free_reason);
	return 0;
}

int fcp_snapshot_find_changed(struct fcp_snapshot_memory *memory, struct fcp_memory_report *report,
			      struct fcp_error *err)
{
	const struct fcp_snapshot_plan_settings plan = {&memory->ram, &memory->found.ranges};

	if (fcp_snapshot_plan_make(&plan, &memory->plan, err) != 0)
		return -1;
	report->guest_bytes = memory->bytes;
	report->changed_bytes = memory->plan.changed.bytes;
	return 0;
}
