// SPDX-License-Identifier: Apache-2.0
/* One run of the snapshot step, for the files that it is made of. */
#ifndef FCP_STEPS_SNAPSHOT_RUN_H
#define FCP_STEPS_SNAPSHOT_RUN_H

#include "base/lock.h"
#include "firecracker/guard.h"
#include "firecracker/vm.h"
#include "steps/snapshot/files.h"

struct fcp_snapshot_memory;

struct fcp_snapshot_run {
	const struct fcp_snapshot_settings *settings;
	struct fcp_snapshot_result *result;
	struct fcp_firecracker firecracker;
	struct fcp_instance instance;
	struct fcp_machine_config machine;
	struct fcp_snapshot_files files;
	uint64_t pause_ns;		    /* when we asked for the pause */
	bool creating;			    /* Firecracker may be at it */
	bool accepted;			    /* it has created the files, or may have */
	bool ended;			    /* it has ended, as was seen after a failure */
	struct fcp_snapshot_memory *memory; /* where fcpause writes the memory file; else NULL */
	struct fcp_lock_wait wait;
	struct fcp_lock *lock; /* of the VM, held */
	bool checked;	       /* who uses the targets was looked at */
	struct fcp_guard guard;
	bool holding; /* see fcp_snapshot_hold() */
};

/* How long a creation may take. */
uint32_t fcp_snapshot_timeout_ms(const struct fcp_snapshot_run *run);

/* One more warning of the result. */
void fcp_snapshot_warn(struct fcp_snapshot_result *result, const char *text);

#endif
