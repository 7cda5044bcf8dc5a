// SPDX-License-Identifier: Apache-2.0
/* Guest pages that are shared with other files instead of written. */
#include "steps/snapshot/memory_parts.h"

#include "steps/snapshot/run.h"

#include <stdlib.h>

int fcp_snapshot_share_open(struct fcp_snapshot_memory *memory, struct fcp_error *err)
{
	const struct fcp_snapshot_settings *s = memory->settings.snapshot;

	return fcp_share_files_open(s->shares, s->share_count, &memory->share_files, err);
}

/* Pages moved by compaction are elsewhere in the base. */
static int add_base_to_share(struct fcp_snapshot_memory *memory, struct fcp_error *err)
{
	const struct fcp_share_file base = {memory->base.fd, memory->base.path,
					    memory->settings.files->memory.place.directory,
					    memory->settings.snapshot->cancel_fd};

	if (memory->base.fd < 0 || fcp_share_files_have(&memory->share_files, memory->base.fd))
		return 0;
	return fcp_share_add(memory->share, &base, err);
}

int fcp_snapshot_share_prepare(struct fcp_snapshot_memory *memory, struct fcp_error *err)
{
	const struct fcp_snapshot_settings *s = memory->settings.snapshot;

	if (s->share_count == 0)
		return 0;
	memory->share = calloc(1, sizeof(*memory->share));
	if (!memory->share)
		return fcp_error_nomem(err);
	memory->share->min_run_bytes = s->share_min_run_bytes;
	if (fcp_share_files_add(&memory->share_files,
				memory->settings.files->memory.place.directory, s->cancel_fd,
				memory->share, err) != 0 ||
	    add_base_to_share(memory, err) != 0)
		return -1;
	fcp_share_freeze(memory->share);
	fcp_share_files_close(&memory->share_files);
	return 0;
}

void fcp_snapshot_share_report(const struct fcp_snapshot_memory *memory,
			       struct fcp_snapshot_result *result)
{
	char doubt[sizeof(result->warning)];

	if (!memory->share)
		return;
	result->memory->shares = fcp_share_files_report(memory->share);
	if (result->memory->shares)
		result->memory->share_count = memory->share->count;
	else
		fcp_snapshot_warn(result,
				  "out of memory: what is shared with each file is not reported");
	fcp_share_files_doubt(memory->share, doubt, sizeof(doubt));
	if (doubt[0])
		fcp_snapshot_warn(result, doubt);
}

void fcp_snapshot_share_free(struct fcp_snapshot_memory *memory)
{
	fcp_share_files_close(&memory->share_files);
	if (memory->share)
		fcp_share_clear(memory->share);
	free(memory->share);
}
