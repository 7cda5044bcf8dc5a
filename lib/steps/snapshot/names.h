// SPDX-License-Identifier: Apache-2.0
/*
 * The names that a snapshot's file goes by in its directory: NAME, NAME.fcpause-tmp (what Firecracker
 * writes), NAME.fcpause-old (what is being replaced) and NAME.fcpause-failed.
 */
#ifndef FCP_STEPS_SNAPSHOT_NAMES_H
#define FCP_STEPS_SNAPSHOT_NAMES_H

#include "steps/snapshot/files.h"

#define FCP_TEMPORARY_SUFFIX ".fcpause-tmp"
#define FCP_OLD_SUFFIX ".fcpause-old"
#define FCP_FAILED_SUFFIX ".fcpause-failed"

bool fcp_snapshot_name_exists(const struct fcp_snapshot_file *file, const char *name);

/* Is the name that of the open temporary file? */
bool fcp_snapshot_name_is_ours(const struct fcp_snapshot_file *file, const char *name);

/* Renames within the directory, never over a file that is there (errno EEXIST). 0 or -1 with errno. */
int fcp_snapshot_rename(const struct fcp_snapshot_file *file, const char *from, const char *to);

/*
 * Makes the directory's names durable. Where the file system cannot do that at all, file->no_sync is
 * set, and it is no failure. FCP_ERR_IO.
 */
int fcp_snapshot_sync(struct fcp_snapshot_file *file, struct fcp_error *err);

/*
 * Moves a file out of the way, to the first of NAME.fcpause-failed, NAME.fcpause-failed.1, ... that
 * is free. *path_ is where it is then. FCP_ERR_IO.
 */
int fcp_snapshot_keep_as_failed(const struct fcp_snapshot_file *file, const char *from,
				char path_[4096], struct fcp_error *err);

/*
 * Without hard links NAME.fcpause-old tells that NAME is ours. Where nothing was replaced, a file of
 * this kind stands there. FCP_ERR_IO.
 */
int fcp_snapshot_mark_old(const struct fcp_snapshot_file *file, struct fcp_error *err);
bool fcp_snapshot_old_is_mark(const struct fcp_snapshot_file *file);

#endif
