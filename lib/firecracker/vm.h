// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_FIRECRACKER_VM_H
#define FCP_FIRECRACKER_VM_H

#include "base/units.h"
#include "firecracker/client.h"

struct fcp_instance {
	enum fcp_vm_state state;
	char vmm_version[32];
};

/* GET /. FCP_ERR_PROTOCOL: the answer has no known state. */
int fcp_vm_instance(struct fcp_firecracker *firecracker, struct fcp_instance *instance_,
		    struct fcp_error *err);

struct fcp_machine_config {
	uint64_t mem_size_mib; /* memory that it was booted with */
	uint64_t hotplug_mib;  /* memory that can be plugged in; 0: no such device */
	uint64_t plugged_mib;  /* plugged in, of hotplug_mib */
	bool track_dirty_pages;
};

/* GET /machine-config, and GET /hotplug/memory, which is refused without such a device. */
int fcp_vm_machine_config(struct fcp_firecracker *firecracker, struct fcp_machine_config *config_,
			  struct fcp_error *err);

/* Bytes of the memory file: all hotpluggable memory has its place there, plugged in or not. */
static inline uint64_t fcp_machine_file_bytes(const struct fcp_machine_config *config)
{
	return (config->mem_size_mib + config->hotplug_mib) * FCP_MIB;
}

/* Bytes that the guest can use. */
static inline uint64_t fcp_machine_memory_bytes(const struct fcp_machine_config *config)
{
	return (config->mem_size_mib + config->plugged_mib) * FCP_MIB;
}

/* PATCH /vm. Accepted in that state too, and then a no-op. */
int fcp_vm_pause(struct fcp_firecracker *firecracker, struct fcp_error *err);
int fcp_vm_resume(struct fcp_firecracker *firecracker, struct fcp_error *err);

#endif
