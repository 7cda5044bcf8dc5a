// SPDX-License-Identifier: Apache-2.0
#include "base/observer.h"

#include "base/deadline.h"
#include "base/outcome.h"

struct fcp_step fcp_step_begin(const struct fcp_observer *observer, const char *name)
{
	fcp_phase_begin(observer, name, "step");
	return (struct fcp_step){observer, name, fcp_now_ns()};
}

static void end(const struct fcp_observer *observer, const char *name,
		const struct fcp_outcome *outcome)
{
	const struct fcp_phase phase = {
		.step = name,
		.name = "step",
		.ended = true,
		.outcome = outcome,
	};

	if (FCP_OBSERVES(observer, on_phase))
		observer->on_phase(&phase, observer->arg);
}

int fcp_step_finish(const struct fcp_step *step, struct fcp_outcome *outcome, int ran,
		    const struct fcp_error *err)
{
	int result = fcp_outcome_finish(outcome, step->start_ns, ran, err);

	end(step->observer, step->name, outcome);
	return result;
}

void fcp_step_skip(const struct fcp_observer *observer, const char *name,
		   const struct fcp_outcome *outcome)
{
	fcp_phase_begin(observer, name, "step");
	end(observer, name, outcome);
}
