// SPDX-License-Identifier: Apache-2.0
/* Pages that are listed only: those equal to the base's, and those that have changed. */
#include "base/cleanup.h"
#include "base/units.h"
#include "memory/compare.h"
#include "memory/identity.h"
#include "memory/range.h"
#include "steps/base_file.h"
#include "steps/madvise_ranges/run.h"

int fcp_madvise_open_base(struct fcp_madvise_run *run, struct fcp_error *err)
{
	struct fcp_madvise_ranges_result *result = run->result;
	const struct fcp_base_of of = {&run->file, run->size_bytes, &result->attributes};

	if (!(run->find & FCP_FIND_BY_BASE))
		return 0;
	if (fcp_base_file_open(run->settings->base, &of, &run->base, &result->base, err) != 0)
		return -1;
	if (result->attributes.holes != FCP_HOLES_BASE)
		return 0;
	if (result->base.lineage == FCP_LINEAGE_OTHER)
		return fcp_base_file_other(&of, &result->base, err);
	if (result->base.lineage == FCP_LINEAGE_UNKNOWN)
		fcp_madvise_warn(run, "that the file is a layer of this base is not recorded");
	return 0;
}

int fcp_madvise_compare(struct fcp_madvise_run *run, struct fcp_error *err)
{
	const struct fcp_compare compare = {
		.file = &run->file,
		.base = &run->base.file,
		.find = run->find,
		.layer = run->result->attributes.holes == FCP_HOLES_BASE,
		.cancel_fd = run->file.cancel_fd,
	};
	FCP_CLEANUP(ranges) struct fcp_ranges within = {0};
	struct fcp_file_identity now;

	if (fcp_ranges_complement(&run->free, run->size_bytes, &within, err) != 0 ||
	    fcp_compare_files(&compare, &within, &run->compared, err) != 0)
		return -1;
	fcp_found_sort(&run->compared);
	if (fcp_input_file_check(&run->base, err) != 0 ||
	    fcp_identity_read(run->file.fd, run->file.name, &now, err) != 0)
		return -1;
	if (!fcp_identity_equal(&now, &run->result->file))
		return fcp_error_set(err, FCP_ERR_BUSY, 0, "%.200s: it was changed in the meantime",
				     run->file.name);
	return fcp_found_select(&run->compared, FCP_FIND_ZERO, &run->zero, err);
}

int fcp_madvise_list(const struct fcp_madvise_ranges_settings *settings, uint64_t size_bytes,
		     struct fcp_found_ranges *all, struct fcp_madvise_ranges_result *result,
		     struct fcp_error *err)
{
	const struct fcp_found_grain grain = {
		.align_bytes = fcp_madvise_align_bytes(settings),
		.min_run_bytes = settings->min_run_bytes,
		.size_bytes = size_bytes,
		.rest_is_changed = settings->find & FCP_FIND_CHANGED,
	};

	fcp_found_sort(all);
	result->base_bytes = fcp_found_bytes(all, FCP_FIND_BASE);
	result->changed_bytes = fcp_found_bytes(all, FCP_FIND_CHANGED);
	return fcp_found_coarsen(all, &grain, &result->found, err);
}

/* Each kind separately; given ranges have no kind. */
int fcp_madvise_list_file(struct fcp_madvise_run *run, struct fcp_error *err)
{
	FCP_CLEANUP(found) struct fcp_found_ranges all = {0};
	int added;

	if (run->settings->ranges)
		added = fcp_found_add_all(&all, run->settings->ranges, 0, err);
	else if (run->find & FCP_FIND_BY_BASE)
		added = fcp_found_append(&all, &run->compared, err);
	else
		added = fcp_found_add_all(&all, &run->zero, FCP_FIND_ZERO, err);
	if (added != 0 || fcp_found_add_all(&all, &run->free, FCP_FIND_FREE, err) != 0)
		return -1;
	return fcp_madvise_list(run->settings, run->size_bytes, &all, run->result, err);
}
