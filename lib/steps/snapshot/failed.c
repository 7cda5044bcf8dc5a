// SPDX-License-Identifier: Apache-2.0
#include "steps/snapshot/failed.h"

#include "firecracker/retry.h"
#include "steps/snapshot/names.h"

#include <sys/stat.h>

static bool has_data(const struct fcp_snapshot_file *file)
{
	struct stat status;

	return file->fd >= 0 && fstat(file->fd, &status) == 0 && status.st_size > 0;
}

/* path_ is "" if there is nothing to keep. */
static int keep_file(const struct fcp_snapshot_file *file, char path_[4096], struct fcp_error *err)
{
	path_[0] = '\0';
	if (!has_data(file) || !fcp_snapshot_name_is_ours(file, file->temporary))
		return 0;
	return fcp_snapshot_keep_as_failed(file, file->temporary, path_, err);
}

int fcp_snapshot_keep_failed(struct fcp_snapshot_run *run, struct fcp_error *err)
{
	char memory[4096], snapshot[4096];
	struct fcp_error not_kept;

	if (!run->accepted || !run->machine.track_dirty_pages || run->result->created ||
	    run->ended || fcp_firecracker_has_ended(err) || !has_data(&run->files.memory))
		return -1;
	err->error_class = FCP_ERR_NOT_RESTORED;
	if (keep_file(&run->files.memory, memory, &not_kept) != 0 || !memory[0]) {
		fcp_error_append(err,
				 "; the pages that changed since the last snapshot are lost: the "
				 "next snapshot must be a Full");
		return -1;
	}
	keep_file(&run->files.snapshot, snapshot, &not_kept);
	fcp_error_append(err,
			 "; the pages that changed since the last snapshot are only in %.700s: the "
			 "next snapshot must be a Full, or that file be merged as a layer",
			 memory);
	return -1;
}

int fcp_snapshot_check_chain(struct fcp_snapshot_run *run, struct fcp_error *err)
{
	const struct fcp_snapshot_file *memory = &run->files.memory;
	char path[4096];

	/* A file that also has the target's name belongs to a finished run. */
	if (!memory->leftover || !run->machine.track_dirty_pages ||
	    run->result->type != FCP_SNAPSHOT_DIFF ||
	    fcp_snapshot_name_is_ours(memory, memory->name))
		return 0;
	if (keep_file(memory, path, err) != 0 || !path[0])
		return path[0] ? -1 : 0;
	return fcp_error_set(
		err, FCP_ERR_STATE, 0,
		"a run that was killed has left %.300s, which may hold the only copy of "
		"pages that changed since the last snapshot: take a Full",
		path);
}
