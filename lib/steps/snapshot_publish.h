// SPDX-License-Identifier: Apache-2.0
/*
 * The files of a snapshot get their names: both or neither, the memory file before the snapshot
 * file, so that whoever finds the snapshot file finds a whole memory file too. Old files stand aside
 * until the new pair is there for good, and come back when something fails in the middle.
 */
#ifndef FCP_STEPS_SNAPSHOT_PUBLISH_H
#define FCP_STEPS_SNAPSHOT_PUBLISH_H

#include "steps/snapshot_files.h"

/*
 * Makes the files durable and gives them their names; without force a target that has appeared
 * meanwhile is FCP_ERR_INPUT. On failure the old files, if there were any, have their names again,
 * and the new ones their temporary ones.
 */
int fcp_snapshot_publish(struct fcp_snapshot_files *files, struct fcp_error *err);

/*
 * Puts right what a run left that was killed in the middle of that: finished when both new files
 * have their names, else undone. Needs the lock on the files.
 */
int fcp_snapshot_recover(const struct fcp_snapshot_files *files, struct fcp_error *err);

#endif
