// SPDX-License-Identifier: Apache-2.0
/* One run of the snapshot step, shared by its files. */
#ifndef FCP_STEPS_SNAPSHOT_RUN_H
#define FCP_STEPS_SNAPSHOT_RUN_H

#include "base/lock.h"
#include "firecracker/guard.h"
#include "firecracker/vm.h"
#include "steps/snapshot/files.h"

struct fcp_snapshot_memory;
struct fcp_snapshot_prepared;

struct fcp_snapshot_run {
	const struct fcp_snapshot_settings *settings;
	struct fcp_snapshot_result *result;
	struct fcp_firecracker firecracker;
	struct fcp_instance instance;
	struct fcp_machine_config machine;
	struct fcp_snapshot_files files;
	uint64_t pause_ns;		    /* time of the request to pause */
	bool creating;			    /* Firecracker may be creating the files */
	bool accepted;			    /* it has created them, or may have */
	bool ended;			    /* it has ended, as a failure showed */
	struct fcp_snapshot_memory *memory; /* if fcpause writes the memory file; else NULL */
	struct fcp_lock_wait wait;
	struct fcp_lock *lock;			      /* of the VM, held */
	bool checked;				      /* the targets' users were checked */
	const struct fcp_snapshot_prepared *prepared; /* NULL: nothing is */
	struct fcp_guard guard;
	bool holding; /* see fcp_snapshot_hold() */
};

/* The limit for a creation. */
uint32_t fcp_snapshot_timeout_ms(const struct fcp_snapshot_run *run);

/* Adds a warning to the result. */
void fcp_snapshot_warn(struct fcp_snapshot_result *result, const char *text);

#endif
