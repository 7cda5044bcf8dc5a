// SPDX-License-Identifier: Apache-2.0
/* Progress of a long phase, reported to the observer. */
#ifndef FCP_BASE_METER_H
#define FCP_BASE_METER_H

#include "base/observer.h"

struct fcp_meter {
	const struct fcp_observer *observer;
	struct fcp_progress progress;
};

/* NULL-safe. */
static inline void fcp_meter_add(struct fcp_meter *meter, uint64_t bytes)
{
	if (!meter || !FCP_OBSERVES(meter->observer, on_progress))
		return;
	meter->progress.done_bytes += bytes;
	meter->observer->on_progress(&meter->progress, meter->observer->arg);
}

#endif
