// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_FIRECRACKER_SNAPSHOT_H
#define FCP_FIRECRACKER_SNAPSHOT_H

#include "firecracker/client.h"

/*
 * PUT /snapshot/create, FULL or DIFF; the VM must be Paused. Paths are Firecracker's. It answers
 * when both files are written and synced: allow for that in the deadline. After a failure part of a
 * file may remain.
 */
int fcp_snapshot_create(struct fcp_firecracker *firecracker, enum fcp_snapshot_type type,
			const char *snapshot_path, const char *mem_file_path,
			struct fcp_error *err);

struct fcp_snapshot_load {
	const char *snapshot_path; /* both as Firecracker sees them */
	const char *mem_file_path;
	bool track_dirty_pages;
};

/*
 * PUT /snapshot/load, before anything else is configured; the VM runs afterwards. The memory file
 * is mapped, and must not change while the VM lives. A Firecracker that refuses exits after its
 * answer.
 */
int fcp_snapshot_load(struct fcp_firecracker *firecracker, const struct fcp_snapshot_load *load,
		      struct fcp_error *err);

#endif
