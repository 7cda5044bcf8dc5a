// SPDX-License-Identifier: Apache-2.0
#include "cmd/commands/commands.h"
#include "cmd/output/output.h"
#include "cmd/output/text.h"
#include "cmd/settings/plan.h"
#include "cmd/settings/step_settings.h"
#include "cmd/telemetry/telemetry.h"
#include "report.h"

static int finish(const struct invocation *invocation, const struct fcp_snapshot_settings *settings,
		  const struct fcp_snapshot_result *result, int ran, const struct fcp_error *err)
{
	const struct fcp_error *why = ran < 0 ? err : NULL;
	struct output output;

	if (!output_begin(&output, invocation))
		return result->created ? EXIT_PARTLY : EXIT_FAILED;
	output.kept = result->created;
	output_warn(&output, result->warning);
	output.bad |= fcp_report_snapshot(output.object, settings, result);
	text_snapshot(output.text, settings, result);
	metrics_of_snapshot(&invocation->telemetry->metrics, result);
	/* If the VM was paused, its current state is worth a line. */
	return output_end(&output,
			  &(struct ending){.outcome = &result->outcome,
					   .err = why,
					   .exit_code = exit_code_of(&result->outcome, why),
					   .told = why && !result->paused});
}

int command_snapshot(struct invocation *invocation)
{
	const struct planned step = {"snapshot", NULL};
	struct fcp_snapshot_settings settings;
	struct fcp_snapshot_result result = FCP_SNAPSHOT_RESULT_INIT;
	struct fcp_error err;
	int ran, exit_code;

	if (need_text(invocation, OPT_API_SOCK, &err) != 0 ||
	    need_text(invocation, OPT_SNAPSHOT_PATH, &err) != 0 ||
	    need_text(invocation, OPT_MEM_FILE_PATH, &err) != 0 ||
	    snapshot_settings(invocation, &settings, &err) != 0)
		return output_error(invocation, &err);
	if (invocation->values[OPT_DRY_RUN].on)
		return plan_print(invocation, &step, 1);
	plan_tell(invocation, &step, 1);
	ran = fcp_snapshot(&settings, &result, &err);
	exit_code = finish(invocation, &settings, &result, ran, &err);
	fcp_snapshot_result_clear(&result);
	return exit_code;
}
