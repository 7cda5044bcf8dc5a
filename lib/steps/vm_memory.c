// SPDX-License-Identifier: Apache-2.0
#include "steps/vm_memory.h"

int fcp_vm_memory_find(const struct fcp_firecracker *firecracker,
		       const struct fcp_machine_config *config, struct fcp_guest_ram *ram_,
		       struct fcp_error *err)
{
	const struct fcp_guest_size size = {config->mem_size_mib * FCP_MIB,
					    config->hotplug_mib * FCP_MIB};

	return fcp_guest_ram_find(fcp_firecracker_pid(firecracker),
				  fcp_firecracker_pidfd(firecracker), &size, ram_, err);
}

static bool has_vm(const struct fcp_firecracker *firecracker)
{
	struct fcp_error ignored;
	bool has = false;

	return fcp_guest_ram_has_vm(fcp_firecracker_pid(firecracker), &has, &ignored) == 0 && has;
}

bool fcp_vm_memory_rss(const struct fcp_firecracker *firecracker, uint64_t *rss_bytes_)
{
	return has_vm(firecracker) && fcp_process_rss(fcp_firecracker_pid(firecracker), rss_bytes_);
}

bool fcp_vm_memory_restored_from(const struct fcp_firecracker *firecracker,
				 char path_[FCP_PROCESS_PATH_BYTES])
{
	return has_vm(firecracker) &&
	       fcp_process_restored_from(fcp_firecracker_pid(firecracker), path_);
}
