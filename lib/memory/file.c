// SPDX-License-Identifier: Apache-2.0
#include "memory/file.h"

#include "base/deadline.h"
#include "memory/claim.h"

int fcp_file_poll(const struct fcp_file *file, struct fcp_error *err)
{
	if (fcp_cancelled(file->cancel_fd))
		return fcp_error_set(err, FCP_ERR_INTERRUPTED, 0, "%.200s: interrupted",
				     file->name);
	if (file->claim && fcp_claim_lost(file->claim))
		return fcp_error_set(err, FCP_ERR_BUSY, 0,
				     "%.200s: somebody opened it meanwhile, stopped there",
				     file->name);
	return 0;
}
