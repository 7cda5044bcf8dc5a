// SPDX-License-Identifier: Apache-2.0
/*
 * The files of a snapshot get their names: both or neither, the memory file before the snapshot
 * file, so that whoever finds the snapshot file finds a whole memory file too. Old files stand aside
 * until the new pair is there for good, and come back when something fails in the middle.
 *
 * After each step the directory is synced before the next, so that a power cut leaves what a kill
 * between two steps would leave, in whatever order a file system writes its names:
 *   1. the temporary files and their names are durable
 *   2. the old snapshot file stands aside, then the old memory file
 *   3. the memory file gets its name (link(2); the temporary name stays, and proves whose it is)
 *   4. the snapshot file gets its name: from here on the new pair counts
 *   5. the old files go, then the temporary names
 * Without hard links (rename(2)) a temporary name goes in step 3 or 4. There NAME.fcpause-old beside
 * NAME proves it instead, and where nothing was replaced a mark stands there.
 */
#ifndef FCP_STEPS_SNAPSHOT_PUBLISH_H
#define FCP_STEPS_SNAPSHOT_PUBLISH_H

#include "steps/snapshot/files.h"

/*
 * Makes the files durable and gives them their names, with the owner and the mode of what they
 * replace; without force a target that has appeared meanwhile is FCP_ERR_INPUT. Returns 0 after
 * both names were seen to lead to the files. On failure the old files, if there were any, have their
 * names again, and the new ones their temporary ones.
 */
int fcp_snapshot_publish(struct fcp_snapshot_files *files, struct fcp_error *err);

/*
 * The same for a file alone: a rename puts the new one in the old one's place, so that nothing has to be
 * recovered after a kill. FCP_ERR_IO from the last sync: it has its name, which a power cut may undo.
 */
int fcp_snapshot_publish_one(struct fcp_snapshot_file *file, bool force, struct fcp_error *err);

/*
 * Puts right what a run left that was killed in the middle of that: finished when the snapshot file
 * has its name, else undone. Only what is proven superseded is removed: FCP_ERR_INPUT names a file
 * of which that cannot be told. Needs the lock on the files.
 */
int fcp_snapshot_recover(struct fcp_snapshot_files *files, struct fcp_error *err);

#endif
