// SPDX-License-Identifier: Apache-2.0
/* Between the files that make up steps/madvise_ranges/process.h. */
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
	struct fcp_snapshot_base base; /* where it is needed, and there is one */
	struct fcp_guest_memory memory;
	struct fcp_guest_free found; /* with the regions as they lie in the process */
	uint64_t punched_bytes;
};

/*
 * madvise_process_find.c: the ranges of a VM that is Paused, and with keep the list of all kinds. Pages
 * that are not the process's own are not touched. FCP_ERR_UNSUPPORTED: the process is not proven to
 * hold the VM's memory, a gate refused where only free pages are looked for, there is no base where one
 * is needed; others as fcp_snapshot_base_open(), fcp_snapshot_plan_make(), fcp_compare_runs().
 */
int fcp_madvise_process_find(struct fcp_madvise_process_run *run,
			     const struct fcp_machine_config *machine, struct fcp_error *err);

#endif
