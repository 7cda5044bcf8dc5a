// SPDX-License-Identifier: Apache-2.0
/*
 * The names of a snapshot's file in its directory: NAME, NAME.fcpause-tmp (being written),
 * NAME.fcpause-old (being replaced) and NAME.fcpause-failed.
 */
#ifndef FCP_STEPS_SNAPSHOT_NAMES_H
#define FCP_STEPS_SNAPSHOT_NAMES_H

#include "steps/snapshot/files.h"

#define FCP_TEMPORARY_SUFFIX ".fcpause-tmp"
#define FCP_OLD_SUFFIX ".fcpause-old"
#define FCP_FAILED_SUFFIX ".fcpause-failed"

bool fcp_snapshot_name_exists(const struct fcp_snapshot_file *file, const char *name);

/* Does the name lead to the open temporary file? */
bool fcp_snapshot_name_is_ours(const struct fcp_snapshot_file *file, const char *name);

/* Renames within the directory, never replacing a file (errno EEXIST). 0, or -1 with errno. */
int fcp_snapshot_rename(const struct fcp_snapshot_file *file, const char *from, const char *to);

/*
 * Makes the directory's names durable. If the file system cannot do that at all, file->no_sync is
 * set, which is not a failure. FCP_ERR_IO.
 */
int fcp_snapshot_sync(struct fcp_snapshot_file *file, struct fcp_error *err);

/*
 * Moves a file away, to the first of NAME.fcpause-failed, NAME.fcpause-failed.1, ... that does not
 * exist. *path_ is its new path. FCP_ERR_IO.
 */
int fcp_snapshot_keep_as_failed(const struct fcp_snapshot_file *file, const char *from,
				char path_[4096], struct fcp_error *err);

/*
 * Without hard links NAME.fcpause-old proves that NAME is ours; if nothing was replaced, a mark
 * takes that name. FCP_ERR_IO.
 */
int fcp_snapshot_mark_old(const struct fcp_snapshot_file *file, struct fcp_error *err);
bool fcp_snapshot_old_is_mark(const struct fcp_snapshot_file *file);

#endif
