// SPDX-License-Identifier: Apache-2.0
/*
 * The memory of the VM behind the API socket, proven to belong to the process that answers there.
 */
#ifndef FCP_STEPS_VM_MEMORY_H
#define FCP_STEPS_VM_MEMORY_H

#include "firecracker/process.h"
#include "firecracker/vm.h"
#include "guest/ram.h"

/*
 * fcp_guest_ram_find() for the process that answered firecracker's first call, with the sizes in
 * config. Errors as there.
 */
int fcp_vm_memory_find(const struct fcp_firecracker *firecracker,
		       const struct fcp_machine_config *config, struct fcp_guest_ram *ram_,
		       struct fcp_error *err);

/*
 * Resident memory of the VM's process in bytes; false if it is not proven to be the VM's (a proxy's
 * memory tells nothing), or /proc does not tell.
 */
bool fcp_vm_memory_rss(const struct fcp_firecracker *firecracker, uint64_t *rss_bytes_);

/*
 * Was the VM restored from a file? path_ leads to it, as fcp_process_restored_from(). false also if
 * the process is not proven to be the VM's.
 */
bool fcp_vm_memory_restored_from(const struct fcp_firecracker *firecracker,
				 char path_[FCP_PROCESS_PATH_BYTES]);

#endif
