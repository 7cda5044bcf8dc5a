// SPDX-License-Identifier: Apache-2.0
#include "base/observer.h"

#include "base/deadline.h"
#include "base/outcome.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>

static void log_line(const struct fcp_observer *observer, enum fcp_log_level level,
		     const char *step, const char *text)
{
	observer->on_log(&(struct fcp_log_line){level, step, text}, observer->arg);
}

void fcp_log_debug(const struct fcp_observer *observer, const char *step, const char *format, ...)
{
	char text[1024], line[1024];
	va_list args;

	if (!FCP_OBSERVES(observer, on_log))
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fcp_text_filter(text, line, sizeof(line));
	log_line(observer, FCP_LOG_DEBUG, step, line);
}

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

void fcp_step_warn(const struct fcp_step *step, const char *warning)
{
	if (*warning && FCP_OBSERVES(step->observer, on_log))
		log_line(step->observer, FCP_LOG_WARNING, step->name, warning);
}

void fcp_step_skip(const struct fcp_observer *observer, const char *name,
		   const struct fcp_outcome *outcome)
{
	fcp_phase_begin(observer, name, "step");
	end(observer, name, outcome);
}
