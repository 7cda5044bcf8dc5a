// SPDX-License-Identifier: Apache-2.0
#include "base/outcome.h"
#include "cmd/commands/commands.h"
#include "cmd/output/output.h"
#include "cmd/output/text.h"
#include "cmd/settings/gate.h"
#include "cmd/settings/plan.h"
#include "cmd/settings/step_settings.h"
#include "cmd/telemetry/telemetry.h"
#include "report.h"

static int run(const struct fcp_balloon_drain_settings *settings, const char *off_reason,
	       struct fcp_balloon_drain_result *result, struct fcp_error *err)
{
	if (!off_reason)
		return fcp_balloon_drain(settings, result, err);
	fcp_outcome_set(&result->outcome, FCP_STATUS_SKIPPED, "%s", off_reason);
	return 0;
}

int command_balloon_drain(struct invocation *invocation)
{
	struct planned step = {"balloon-drain", NULL};
	struct fcp_balloon_drain_settings settings;
	struct fcp_balloon_drain_result result = FCP_BALLOON_DRAIN_RESULT_INIT;
	struct fcp_error err;
	struct output output;
	int ran;

	if (gate(invocation, &err) != 0)
		return output_error(invocation, &err);
	drain_settings(invocation, &settings);
	if (!invocation->values[OPT_DRAIN].on && !settings.stop_only)
		step.off_reason = gate_off_reason(invocation, OPT_DRAIN);
	else if (need_text(invocation, OPT_API_SOCK, &err) != 0)
		return output_error(invocation, &err);
	invocation->hinting = !step.off_reason && !settings.stop_only;
	if (invocation->values[OPT_DRY_RUN].on)
		return plan_print(invocation, &step, 1);
	plan_tell(invocation, &step, 1);
	ran = run(&settings, step.off_reason, &result, &err);
	if (!output_begin(&output, invocation))
		return EXIT_FAILED;
	output_warn(&output, result.warning);
	output.bad |= fcp_report_balloon_drain(output.object, &result);
	text_balloon_drain(output.text, &result);
	metrics_of_balloon_drain(&invocation->telemetry->metrics, &result);
	return output_end_step(&output, &result.outcome, ran, &err);
}
