// SPDX-License-Identifier: Apache-2.0
/* Shared by the files that implement steps/madvise_ranges/process.h. */
#ifndef FCP_STEPS_MADVISE_RANGES_PROCESS_RUN_H
#define FCP_STEPS_MADVISE_RANGES_PROCESS_RUN_H

#include "firecracker/vm.h"
#include "guest/free_pages.h"
#include "guest/ram.h"
#include "steps/snapshot/base.h"

struct fcp_madvise_process_run {
	const struct fcp_madvise_ranges_settings *settings;
	struct fcp_madvise_ranges_result *result;
	struct fcp_firecracker firecracker;
	struct fcp_guest_ram ram;
	struct fcp_snapshot_base base; /* if it is needed, and there is one */
	struct fcp_guest_memory memory;
	struct fcp_guest_free found; /* with the regions at their addresses in the process */
	uint64_t punched_bytes;
};

/*
 * process_find.c: the ranges of a Paused VM and, with keep, the list of all kinds. Does not touch
 * pages that the process does not have. FCP_ERR_UNSUPPORTED: the process is not proven to hold the
 * VM's memory, a gate refused when only free pages were asked for, or a base is needed and there is
 * none; others as fcp_snapshot_base_open(), fcp_snapshot_plan_make(), fcp_compare_runs().
 */
int fcp_madvise_process_find(struct fcp_madvise_process_run *run,
			     const struct fcp_machine_config *machine, struct fcp_error *err);

#endif
