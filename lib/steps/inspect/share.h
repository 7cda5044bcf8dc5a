// SPDX-License-Identifier: Apache-2.0
/* Which data of a memory file need not be stored again, because other files have it somewhere. */
#ifndef FCP_STEPS_INSPECT_SHARE_H
#define FCP_STEPS_INSPECT_SHARE_H

#include "memory/file.h"
#include "memory/found.h"
#include "steps/share/files.h"

struct fcp_inspect_share {
	struct fcp_share_files files;
	struct fcp_share_set *set; /* NULL: there is nothing to share with */
	char doubt[300];	   /* which could not be looked at, and why; "" where all could */
};

/*
 * Looks for the file's data in the settings' shares; result->share_count. What is found is added
 * to *same (sorted before and after) as FCP_FOUND_SHARED, where it is not the base's. Errors as
 * fcp_share_files_open(), FCP_ERR_USAGE where one is the file itself, and as fcp_file_poll().
 */
int fcp_inspect_look_up(const struct fcp_inspect_settings *settings, const struct fcp_file *file,
			struct fcp_inspect_share *share, struct fcp_found_ranges *same,
			struct fcp_inspect_result *result, struct fcp_error *err);

/* Safe on zeros. */
void fcp_inspect_share_close(struct fcp_inspect_share *share);

#endif
