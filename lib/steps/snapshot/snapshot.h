// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_STEPS_SNAPSHOT_SNAPSHOT_H
#define FCP_STEPS_SNAPSHOT_SNAPSHOT_H

#include "base/lock.h"

/*
 * All that can keep fcp_snapshot() from beginning, found out without touching the VM: paths, the
 * API, the VM's state. *state_ is Running or Paused. What a killed run has left on the VM is put
 * right first (firecracker/recover.h).
 */
int fcp_snapshot_check(const struct fcp_snapshot_settings *settings, struct fcp_lock *lock,
		       enum fcp_vm_state *state_, struct fcp_error *err);

/* What the caller has done before. */
struct fcp_snapshot_prepared {
	struct fcp_lock *lock; /* of the VM, held */
	bool checked; /* by fcp_snapshot_check(): who uses the targets is not looked at again */
};

/*
 * fcp_snapshot() that hands on the memory file that it has published: *memory_fd_ is open for reading
 * and writing, and the caller's to close; -1 when there is none.
 */
int fcp_snapshot_keep(const struct fcp_snapshot_settings *settings,
		      const struct fcp_snapshot_prepared *prepared,
		      struct fcp_snapshot_result *result, int *memory_fd_, struct fcp_error *err);

#endif
