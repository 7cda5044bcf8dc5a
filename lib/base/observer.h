// SPDX-License-Identifier: Apache-2.0
/* What a step reports to its caller while it runs. */
#ifndef FCP_BASE_OBSERVER_H
#define FCP_BASE_OBSERVER_H

#include "base/error.h"

/*
 * Has the observer that callback? One of a program that was built against an older header is
 * shorter.
 */
#define FCP_OBSERVES(observer, callback)                                                   \
	((observer) &&                                                                     \
	 (observer)->size >=                                                               \
		 offsetof(struct fcp_observer, callback) + sizeof((observer)->callback) && \
	 (observer)->callback)

static inline void fcp_phase_begin(const struct fcp_observer *observer, const char *step,
				   const char *name)
{
	if (FCP_OBSERVES(observer, on_phase))
		observer->on_phase(&(struct fcp_phase){.step = step, .name = name}, observer->arg);
}

static inline void fcp_phase_end(const struct fcp_observer *observer, const char *step,
				 const char *name)
{
	if (FCP_OBSERVES(observer, on_phase))
		observer->on_phase(&(struct fcp_phase){.step = step, .name = name, .ended = true},
				   observer->arg);
}

/* A line for people: what was decided or found, and why. The text is filtered for terminals. */
void fcp_log_debug(const struct fcp_observer *observer, const char *step, const char *format, ...)
	FCP_PRINTF(3, 4);

/* A whole step, from fcp_step_begin() to fcp_step_finish(). */
struct fcp_step {
	const struct fcp_observer *observer;
	const char *name;
	uint64_t start_ns;
};

struct fcp_step fcp_step_begin(const struct fcp_observer *observer, const char *name);

/* Calls fcp_outcome_finish() and reports the outcome to the observer. */
int fcp_step_finish(const struct fcp_step *step, struct fcp_outcome *outcome, int ran,
		    const struct fcp_error *err);

/* Reports a result's warning; "" is none. */
void fcp_step_warn(const struct fcp_step *step, const char *warning);

/* Reports a step that was not run; its outcome is set already. */
void fcp_step_skip(const struct fcp_observer *observer, const char *name,
		   const struct fcp_outcome *outcome);

#endif
