// SPDX-License-Identifier: Apache-2.0
#include "steps/leftover.h"

#include "steps/snapshot/names.h"

#include <errno.h>
#include <sys/xattr.h>
#include <unistd.h>

#define MARK "user.fcpause.making"

int fcp_leftover_drop(const struct fcp_snapshot_file *file, struct fcp_error *err)
{
	if (!file->leftover)
		return 0;
	if (fgetxattr(file->fd, MARK, NULL, 0) < 0)
		return fcp_error_set(err, FCP_ERR_INPUT, 0,
				     "%s" FCP_TEMPORARY_SUFFIX
				     " was left by a killed snapshot: take the snapshot again, or "
				     "move it away",
				     file->host);
	if (ftruncate(file->fd, 0) != 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "%s" FCP_TEMPORARY_SUFFIX, file->host);
	return 0;
}

void fcp_leftover_mark(const struct fcp_snapshot_file *file)
{
	fsetxattr(file->fd, MARK, "", 0, 0);
}

void fcp_leftover_unmark(const struct fcp_snapshot_file *file)
{
	fremovexattr(file->fd, MARK);
}
