// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_BASE_OBSERVER_H
#define FCP_BASE_OBSERVER_H

#include "fcpause.h"

static inline void fcp_phase_begin(const struct fcp_observer *observer, const char *step,
				   const char *name)
{
	if (observer->on_phase)
		observer->on_phase(&(struct fcp_phase){step, name, false}, observer->arg);
}

static inline void fcp_phase_end(const struct fcp_observer *observer, const char *step,
				 const char *name)
{
	if (observer->on_phase)
		observer->on_phase(&(struct fcp_phase){step, name, true}, observer->arg);
}

#endif
