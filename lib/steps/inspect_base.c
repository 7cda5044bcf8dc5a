// SPDX-License-Identifier: Apache-2.0
#include "steps/inspect_base.h"

#include "memory/compare.h"

static int compare(const struct fcp_file *file, struct fcp_inspect_base *base,
		   const struct fcp_inspect_result *result, struct fcp_error *err)
{
	const struct fcp_ranges all = {&(struct fcp_range){0, result->logical_bytes}, 1, 1};
	const struct fcp_compare settings = {
		.file = file,
		.base = &base->file.file,
		.find = FCP_FIND_BASE,
		.layer = result->attributes.holes == FCP_HOLES_BASE,
		.cancel_fd = file->cancel_fd,
	};

	if (fcp_compare_files(&settings, &all, &base->same, err) != 0 ||
	    fcp_input_file_check(&base->file, err) != 0)
		return -1;
	fcp_found_sort(&base->same);
	return 0;
}

int fcp_inspect_compare(const char *path, const struct fcp_file *file, struct fcp_inspect_base *base,
			struct fcp_inspect_result *result, struct fcp_error *err)
{
	const struct fcp_base_of of = {file, result->logical_bytes, &result->attributes};

	if (fcp_base_file_open(path, &of, &base->file, &result->base, err) != 0)
		return -1;
	if (result->attributes.holes == FCP_HOLES_BASE && result->base.lineage == FCP_LINEAGE_OTHER) {
		fcp_input_file_close(&base->file);
		return 0;
	}
	result->compared = true;
	return compare(file, base, result, err);
}

void fcp_inspect_base_close(struct fcp_inspect_base *base)
{
	fcp_found_clear(&base->same);
	fcp_input_file_close(&base->file);
}
