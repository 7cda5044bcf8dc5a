// SPDX-License-Identifier: Apache-2.0
/*
 * Gives the files of a snapshot their names: both or neither, the memory file before the snapshot
 * file, so that a snapshot file always has a complete memory file. Old files are set aside until
 * the new pair is durable, and restored on failure.
 *
 * After each step the directory is synced before the next, so that a power cut leaves what a kill
 * between two steps would leave, in whatever order a file system writes names:
 *   1. the temporary files and their names are durable
 *   2. the old snapshot file is set aside, then the old memory file
 *   3. the memory file gets its name (link(2); the temporary name stays, and proves whose it is)
 *   4. the snapshot file gets its name: from here on the new pair counts
 *   5. the old files are removed, then the temporary names
 * Without hard links (rename(2)) a temporary name disappears in step 3 or 4. Then NAME.fcpause-old
 * beside NAME proves it instead: the old file or, if nothing was replaced, a mark.
 */
#ifndef FCP_STEPS_SNAPSHOT_PUBLISH_H
#define FCP_STEPS_SNAPSHOT_PUBLISH_H

#include "steps/snapshot/files.h"

/*
 * Makes the files durable and gives them their names, with the owner and mode of what they replace.
 * FCP_ERR_INPUT: without force, a target has appeared. Returns 0 once both names were verified to
 * lead to the files. On failure old files have their names again, and the new ones their temporary
 * names.
 */
int fcp_snapshot_publish(struct fcp_snapshot_files *files, struct fcp_error *err);

/*
 * The same for one file: a rename replaces the old one, so that nothing has to be recovered after a
 * kill. FCP_ERR_IO from the last sync: it has its name, but a power cut may undo that.
 */
int fcp_snapshot_publish_one(struct fcp_snapshot_file *file, bool force, struct fcp_error *err);

/*
 * Recovers what a run left that was killed while publishing: completes it if the snapshot file has
 * its name, else undoes it. Removes only what is proven superseded: FCP_ERR_INPUT names a file for
 * which that is unknown. Needs the lock on the files.
 */
int fcp_snapshot_recover(struct fcp_snapshot_files *files, struct fcp_error *err);

#endif
