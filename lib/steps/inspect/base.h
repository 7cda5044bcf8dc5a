// SPDX-License-Identifier: Apache-2.0
/* Which pages of a memory file its base has already. */
#ifndef FCP_STEPS_INSPECT_BASE_H
#define FCP_STEPS_INSPECT_BASE_H

#include "memory/found.h"
#include "steps/base_file.h"

struct fcp_inspect_base {
	struct fcp_input_file file;
	/* FCP_FIND_BASE: pages equal to the base's; sorted. steps/inspect/share.h adds others. */
	struct fcp_found_ranges same;
	char not_compared[400]; /* why not; "" if it was compared */
};

#define FCP_INSPECT_BASE_NONE               \
	{                                   \
		.file = FCP_INPUT_FILE_NONE \
	}

/*
 * Opens the base, and compares the file with it: result->compared. A layer recorded with another
 * base is not compared, nor a file whose holes have an unknown meaning: they would be read as the
 * wrong bytes. Errors as fcp_base_file_open() and fcp_compare_files(); FCP_ERR_BUSY: the base was
 * changed during the comparison.
 */
int fcp_inspect_compare(const char *path, const struct fcp_file *file, bool holes_known,
			struct fcp_inspect_base *base, struct fcp_inspect_result *result,
			struct fcp_error *err);

/* Safe on FCP_INSPECT_BASE_NONE. */
void fcp_inspect_base_close(struct fcp_inspect_base *base);

#endif
