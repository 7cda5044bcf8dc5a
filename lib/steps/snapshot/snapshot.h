// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_STEPS_SNAPSHOT_SNAPSHOT_H
#define FCP_STEPS_SNAPSHOT_SNAPSHOT_H

#include "base/lock.h"

/*
 * Everything that can keep fcp_snapshot() from starting, checked without touching the VM: paths,
 * the API, the VM's state. *state_ is Running or Paused. What a killed run left on the VM is undone
 * first (firecracker/recover.h).
 */
int fcp_snapshot_check(const struct fcp_snapshot_settings *settings, struct fcp_lock *lock,
		       enum fcp_vm_state *state_, struct fcp_error *err);

/* What the caller has done already. */
struct fcp_snapshot_prepared {
	struct fcp_lock *lock; /* of the VM, held */
	bool checked; /* by fcp_snapshot_check(): the targets' users are not checked again */
	void (*on_resumed)(void *arg); /* the VM runs again; files may still be made durable */
	void *arg;
};

/*
 * fcp_snapshot() that also returns the published memory file: *memory_fd_ is open for reading and
 * writing, and the caller closes it; -1: no file.
 */
int fcp_snapshot_keep(const struct fcp_snapshot_settings *settings,
		      const struct fcp_snapshot_prepared *prepared,
		      struct fcp_snapshot_result *result, int *memory_fd_, struct fcp_error *err);

#endif
