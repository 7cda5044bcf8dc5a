// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_FIRECRACKER_VM_H
#define FCP_FIRECRACKER_VM_H

#include "firecracker/client.h"

struct fcp_instance {
	enum fcp_vm_state state;
	char vmm_version[32];
};

/* GET /. An answer without a state that is known is FCP_ERR_PROTOCOL. */
int fcp_vm_instance(struct fcp_firecracker *firecracker, struct fcp_instance *instance_,
		    struct fcp_error *err);

struct fcp_machine_config {
	uint64_t mem_size_mib;
	bool track_dirty_pages;
};

/* GET /machine-config. */
int fcp_vm_machine_config(struct fcp_firecracker *firecracker, struct fcp_machine_config *config_,
			  struct fcp_error *err);

/* PATCH /vm. A VM that is in that state already stays so: both are accepted twice. */
int fcp_vm_pause(struct fcp_firecracker *firecracker, struct fcp_error *err);
int fcp_vm_resume(struct fcp_firecracker *firecracker, struct fcp_error *err);

#endif
