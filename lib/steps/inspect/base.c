// SPDX-License-Identifier: Apache-2.0
#include "steps/inspect/base.h"

#include "memory/compare.h"

#include <stdio.h>

static int compare_file_with_base(const struct fcp_file *file, struct fcp_inspect_base *base,
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

/* Sets base->not_compared, to "" if it can be compared. */
static void check_inspect_base(const struct fcp_base_of *of, bool holes_known,
			       struct fcp_inspect_base *base, const struct fcp_base_report *report)
{
	struct fcp_error other = {.message = ""};

	if (of->attributes->holes == FCP_HOLES_BASE && report->lineage == FCP_LINEAGE_OTHER)
		fcp_base_file_other(of, report, &other);
	else if (!holes_known)
		fcp_error_set(
			&other, FCP_ERR_UNSUPPORTED, 0,
			"is %.200s a whole memory file, or a Diff layer? Say what its holes mean: "
			"zero or base",
			of->file->name);
	snprintf(base->not_compared, sizeof(base->not_compared), "%.399s", other.message);
}

int fcp_inspect_compare(const char *path, const struct fcp_file *file, bool holes_known,
			struct fcp_inspect_base *base, struct fcp_inspect_result *result,
			struct fcp_error *err)
{
	const struct fcp_base_of of = {file, result->logical_bytes, &result->attributes};

	if (fcp_base_file_open(path, &of, &base->file, &result->base, err) != 0)
		return -1;
	check_inspect_base(&of, holes_known, base, &result->base);
	if (base->not_compared[0]) {
		fcp_input_file_close(&base->file);
		return 0;
	}
	result->compared = true;
	return compare_file_with_base(file, base, result, err);
}

void fcp_inspect_base_close(struct fcp_inspect_base *base)
{
	fcp_found_clear(&base->same);
	fcp_input_file_close(&base->file);
}
