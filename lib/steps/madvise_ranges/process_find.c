// SPDX-License-Identifier: Apache-2.0
/*
 * Classifies the pages of a Paused VM, from its guest, its process, and the file it was restored
 * from.
 */
#include "steps/madvise_ranges/process_run.h"

#include "base/cleanup.h"
#include "base/outcome.h"
#include "memory/attributes.h"
#include "memory/compare.h"
#include "memory/range.h"
#include "steps/free_ranges.h"
#include "steps/madvise_ranges/run.h"
#include "steps/snapshot/plan.h"
#include "steps/vm_memory.h"

#include <stdio.h>
#include <stdlib.h>

/*
 * Opens the file that guest memory began as, to compare with it or to replace pages not filled in
 * yet.
 */
static int open_base(struct fcp_madvise_process_run *run, uint64_t bytes, struct fcp_error *err)
{
	const struct fcp_madvise_ranges_settings *settings = run->settings;
	struct fcp_base_report *report = &run->result->base;
	struct fcp_file_attributes attributes;

	if (settings->find == FCP_FIND_FREE &&
	    !(settings->base && run->ram.backing == FCP_GUEST_BACKING_USERFAULT))
		return 0;
	if (fcp_snapshot_base_open(&run->ram, settings->base, bytes, &run->base, err) != 0)
		return -1;
	if (run->base.fd < 0 && (settings->find & FCP_FIND_BY_BASE))
		return fcp_error_set(
			err, FCP_ERR_UNSUPPORTED, 0,
			"what has changed is unknown: this VM has no base, it was not restored "
			"from a file");
	if (run->base.fd < 0)
		return 0;
	fcp_attributes_read(run->base.fd, &attributes);
	snprintf(report->path, sizeof(report->path), "%s", run->base.path);
	snprintf(report->id, sizeof(report->id), "%s", attributes.id);
	return 0;
}

static int find_free_of_process(struct fcp_madvise_process_run *run, struct fcp_error *err)
{
	const struct fcp_free_look look = {run->settings->cancel_fd, run->settings->confine};
	struct fcp_madvise_ranges_result *result = run->result;

	if (fcp_free_ranges_of(&run->memory, &look, &run->found, &result->guest, err) == 0)
		return 0;
	if (run->ram.backing == FCP_GUEST_BACKING_USERFAULT && run->base.fd < 0)
		fcp_error_append(
			err, " (guest memory is filled in by userfaultfd: what the guest has not "
			     "touched yet cannot be read)");
	if (err->error_class != FCP_ERR_UNSUPPORTED || run->settings->find == FCP_FIND_FREE)
		return -1;
	fcp_outcome_set(&result->outcome, FCP_STATUS_PARTIAL, "free pages: %s", err->message);
	return 0;
}

/* ---- pages of all kinds ---- */

/*
 * Reads the VM's own pages; those it does not have are zeros or, judged by the file alone, the
 * base's.
 */
static int compare_plan(const struct fcp_madvise_process_run *run,
			const struct fcp_snapshot_plan *plan, struct fcp_found_ranges *all,
			struct fcp_error *err)
{
	const struct fcp_madvise_ranges_settings *settings = run->settings;
	const struct fcp_file file = {.fd = run->base.fd,
				      .name = run->base.path,
				      .cancel_fd = settings->cancel_fd};
	const struct fcp_file *base = run->base.fd >= 0 ? &file : NULL;
	const struct fcp_compare own = {.base = base,
					.find = settings->find,
					.cancel_fd = settings->cancel_fd};
	const struct fcp_compare unchanged = {.file = base,
					      .find = settings->find,
					      .cancel_fd = settings->cancel_fd};

	if (fcp_compare_runs(&own, run->ram.pid, &plan->changed, all, err) != 0 ||
	    fcp_compare_files(&own, &plan->zero, all, err) != 0)
		return -1;
	return fcp_compare_files(&unchanged, &plan->unchanged, all, err);
}

static int compare_process_with_base(struct fcp_madvise_process_run *run,
				     struct fcp_found_ranges *all, struct fcp_error *err)
{
	const struct fcp_snapshot_plan_settings settings = {&run->ram, &run->found.ranges};
	struct fcp_snapshot_plan plan = {0};
	int compared = -1;

	if (fcp_guest_ram_check_regions(&run->ram, run->found.regions, run->found.region_count,
					err) == 0 &&
	    fcp_snapshot_plan_make(&settings, &plan, err) == 0)
		compared = compare_plan(run, &plan, all, err);
	fcp_snapshot_plan_clear(&plan);
	return compared;
}

/* A part of guest memory; at the address where the last region ends it goes on with that. */
static void add_region(struct fcp_madvise_ranges_result *result,
		       const struct fcp_guest_piece *piece)
{
	struct fcp_process_region *next = result->regions + result->region_count;
	struct fcp_process_region region = {piece->offset, piece->end - piece->start, piece->start};

	if (result->region_count > 0 && next[-1].offset + next[-1].bytes == region.offset &&
	    next[-1].address + next[-1].bytes == region.address) {
		next[-1].bytes += region.bytes;
	} else {
		*next = region;
		result->region_count++;
	}
}

/* A caller that copies the pages itself needs their addresses. */
static int list_regions(struct fcp_madvise_process_run *run, struct fcp_error *err)
{
	const struct fcp_guest_ram *ram = &run->ram;
	struct fcp_madvise_ranges_result *result = run->result;
	struct fcp_error unknown;

	if (fcp_guest_ram_check_regions(ram, run->found.regions, run->found.region_count,
					&unknown) != 0)
		return 0;
	result->regions = calloc(ram->piece_count, sizeof(*result->regions));
	if (!result->regions)
		return fcp_error_nomem(err);
	for (size_t i = 0; i < ram->piece_count; i++)
		add_region(result, &ram->pieces[i]);
	return 0;
}

static int list_process(struct fcp_madvise_process_run *run, struct fcp_error *err)
{
	struct fcp_madvise_ranges_result *result = run->result;
	FCP_CLEANUP(found) struct fcp_found_ranges all = {0};

	if (list_regions(run, err) != 0 || (run->settings->find != FCP_FIND_FREE &&
					    compare_process_with_base(run, &all, err) != 0))
		return -1;
	result->zero_bytes = fcp_found_bytes(&all, FCP_FIND_ZERO);
	if (fcp_found_add_all(&all, &run->found.ranges, FCP_FIND_FREE, err) != 0)
		return -1;
	return fcp_madvise_list(run->settings, result->mem_file.logical_bytes, &all, result, err);
}

int fcp_madvise_process_find(struct fcp_madvise_process_run *run,
			     const struct fcp_machine_config *machine, struct fcp_error *err)
{
	const struct fcp_madvise_ranges_settings *settings = run->settings;
	struct fcp_madvise_ranges_result *result = run->result;
	uint64_t rss_bytes = 0;

	if (fcp_vm_memory_find(&run->firecracker, machine, &run->ram, err) != 0 ||
	    open_base(run, fcp_machine_file_bytes(machine), err) != 0 ||
	    fcp_guest_memory_open_process(&run->ram, run->base.fd, &run->memory, err) != 0)
		return -1;
	fcp_process_rss(settings->pid, &rss_bytes);
	result->mem_file =
		(struct fcp_mem_file){fcp_machine_file_bytes(machine), rss_bytes, rss_bytes};
	if ((settings->find & FCP_FIND_FREE) && find_free_of_process(run, err) != 0)
		return -1;
	result->free_bytes = fcp_ranges_bytes(&run->found.ranges);
	if (settings->keep && list_process(run, err) != 0)
		return -1;
	result->ranges = run->found.ranges;
	run->found.ranges = (struct fcp_ranges){0};
	fcp_ranges_align(&result->ranges, fcp_madvise_align_bytes(settings));
	fcp_ranges_drop_short(&result->ranges, settings->min_run_bytes);
	return 0;
}
