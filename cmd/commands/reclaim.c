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

static int run(const struct fcp_reclaim_settings *settings, const char *off_reason,
	       struct fcp_reclaim_result *result, struct fcp_error *err)
{
	if (!off_reason)
		return fcp_reclaim(settings, result, err);
	fcp_outcome_set(&result->outcome, FCP_STATUS_SKIPPED, "%s", off_reason);
	return 0;
}

static int finish(const struct invocation *invocation, const struct fcp_reclaim_result *result,
		  int ran, const struct fcp_error *err)
{
	struct output output;

	if (!output_begin(&output, invocation))
		return EXIT_FAILED;
	output.bad |= fcp_report_reclaim(output.object, result);
	text_reclaim(output.text, result);
	metrics_of_reclaim(&invocation->telemetry->metrics, result);
	return output_end_step(&output, &result->outcome, ran, err);
}

int command_reclaim(struct invocation *invocation)
{
	struct planned step = {"reclaim", NULL};
	struct fcp_reclaim_settings settings;
	struct fcp_reclaim_result result = FCP_RECLAIM_RESULT_INIT;
	struct fcp_error err;
	int ran, exit_code;

	if (gate(invocation, &err) != 0 || reclaim_settings(invocation, &settings, &err) != 0)
		return output_error(invocation, &err);
	if (!invocation->values[OPT_RECLAIM].on)
		step.off_reason = gate_off_reason(invocation, OPT_RECLAIM);
	else if (need_text(invocation, OPT_ENVD, &err) != 0)
		return output_error(invocation, &err);
	if (invocation->values[OPT_DRY_RUN].on)
		return plan_print(invocation, &step, 1);
	plan_tell(invocation, &step, 1);
	ran = run(&settings, step.off_reason, &result, &err);
	exit_code = finish(invocation, &result, ran, &err);
	fcp_reclaim_result_clear(&result);
	return exit_code;
}
