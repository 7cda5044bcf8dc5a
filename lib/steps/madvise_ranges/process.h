// SPDX-License-Identifier: Apache-2.0
/* madvise-ranges on the memory of a Paused VM instead of a memory file. */
#ifndef FCP_STEPS_MADVISE_RANGES_PROCESS_H
#define FCP_STEPS_MADVISE_RANGES_PROCESS_H

#include "base/error.h"

/*
 * settings->pid must be the process behind settings->api_sock, and its VM Paused (FCP_ERR_STATE).
 * Finds free pages and, unless keep is set, releases them from shared guest memory (a memfd), by
 * punching holes in it through /proc/PID/map_files. Anonymous memory is FCP_ERR_UNSUPPORTED then:
 * only Firecracker can give it back. The VM is locked, and its state checked before each batch and
 * at the end: FCP_ERR_NOT_RESTORED if somebody resumed the VM after the first. With keep, pages of
 * all kinds can be found.
 */
int fcp_madvise_process(const struct fcp_madvise_ranges_settings *settings,
			struct fcp_madvise_ranges_result *result, struct fcp_error *err);

#endif
