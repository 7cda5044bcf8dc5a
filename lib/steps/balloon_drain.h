// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_STEPS_BALLOON_DRAIN_H
#define FCP_STEPS_BALLOON_DRAIN_H

#include "base/lock.h"

/* fcp_balloon_drain() for a caller that holds the VM's lock. */
int fcp_balloon_drain_locked(const struct fcp_balloon_drain_settings *settings,
			     struct fcp_lock *lock, struct fcp_balloon_drain_result *result,
			     struct fcp_error *err);

#endif
