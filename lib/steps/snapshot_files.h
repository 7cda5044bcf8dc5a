// SPDX-License-Identifier: Apache-2.0
/*
 * The two files of a snapshot. Firecracker writes them under temporary names beside their targets;
 * they get their own names as a pair when both are whole, the memory file first: whoever finds the
 * snapshot file under its name finds a whole memory file too.
 */
#ifndef FCP_STEPS_SNAPSHOT_FILES_H
#define FCP_STEPS_SNAPSHOT_FILES_H

#include "base/error.h"

struct fcp_snapshot_file {
	char *path;	 /* absolute */
	char *temporary; /* path + ".fcpause-tmp" */
};

struct fcp_snapshot_files {
	struct fcp_snapshot_file snapshot;
	struct fcp_snapshot_file memory;
};

/*
 * Makes both paths absolute (their directories must be there) and removes what a run that was
 * killed has left under the temporary names. FCP_ERR_USAGE: both paths name one file, or a path is
 * too long or no UTF-8; FCP_ERR_INPUT: a target is there and force is not set, or is no regular
 * file. Free with fcp_snapshot_files_clear(), after a failure too.
 */
int fcp_snapshot_files_prepare(const struct fcp_snapshot_settings *settings,
			       struct fcp_snapshot_files *files, struct fcp_error *err);

/*
 * Makes the files durable and gives them their names. On failure before the first rename nothing
 * has changed; the temporary files stay for fcp_snapshot_files_discard().
 */
int fcp_snapshot_files_publish(const struct fcp_snapshot_files *files, struct fcp_error *err);

/* Removes the temporary files, as far as they are there. */
void fcp_snapshot_files_discard(const struct fcp_snapshot_files *files);

void fcp_snapshot_files_clear(struct fcp_snapshot_files *files);

#endif
